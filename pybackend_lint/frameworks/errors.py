"""Facts about error handling: what a handler catches, what it does with the error, what calls raise."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pybackend_lint.frameworks import fastapi, request_data
from pybackend_lint.project import raises
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.rule import Context
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})
_RETRYING = ("retr", "attempt", "backoff", "tries")
_WORD = re.compile(r"[A-Za-z]{2,}")
_MOST_RAISED = 3


def caught_names(handler: ast.ExceptHandler, ctx: Context) -> list[str | None]:
    """Qualified names of the exceptions that a handler catches; None for one that is not known."""
    if handler.type is None:
        return ["builtins.BaseException"]
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [ctx.qualified_name(item) for item in caught]


def is_broad(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a handler catches any error: bare, `Exception` or `BaseException`."""
    return any(name in BROAD for name in caught_names(handler, ctx))


def nodes_of(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of some statements, without the bodies of functions and classes in them."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))


def gives_reason(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a comment in a handler says something, be it to another linter; coverage marks do not."""
    last = handler.end_lineno or handler.lineno
    comments = [ctx.source.line(row).partition("#")[2] for row in range(handler.lineno, last + 1)]
    return any(
        len(_WORD.findall(comment)) > 1 and not comment.strip().startswith("pragma") for comment in comments
    )


def always_raises(body: list[ast.stmt]) -> bool:
    """Whether every path through some statements ends with `raise`."""
    for statement in body:
        match statement:
            case ast.Raise():
                return True
            case ast.If(body=inner, orelse=orelse) if orelse:
                if always_raises(inner) and always_raises(orelse):
                    return True
            case ast.With(body=inner) | ast.AsyncWith(body=inner):
                if always_raises(inner):
                    return True
            case ast.Try(body=inner, finalbody=final):
                if always_raises(final) or (always_raises(inner) and not statement.handlers):
                    return True
            case ast.Return() | ast.Continue() | ast.Break():
                return False
    return False


def passes_error_on(body: list[ast.stmt], ctx: Context) -> bool:
    """Whether some path through a handler raises an error that others log.

    Nobody logs what becomes an answer of the server's failure, such as `HTTPException(500)`.
    """
    return any(isinstance(node, ast.Raise) and not _answers_failure(node, ctx) for node in nodes_of(body))


def _answers_failure(node: ast.Raise, ctx: Context) -> bool:
    if not isinstance(node.exc, ast.Call):
        return False
    status = fastapi.argument(node.exc, 0, "status_code")
    match status:
        case ast.Constant(value=int(code)):
            failed = code >= 500
        case ast.Attribute(attr=name) | ast.Name(id=name):
            failed = name.startswith(("HTTP_5", "INTERNAL_SERVER_ERROR"))
        case _:
            return False
    known = ctx.type_of(node.exc.func) if failed else None
    return known is not None and known.name in _HTTP_ERRORS


def raised_by(body: list[ast.stmt], ctx: Context) -> tuple[raises.Escape, ...]:
    """The exceptions that calls and `raise` statements in a block raise, as far as project code tells.

    Sorted by their names; empty when nothing is known or when there are too many to name.
    """
    found: dict[str, raises.Escape] = {}
    for node in nodes_of(body):
        if isinstance(node, ast.Raise):
            name = raises.raised_class(node, ctx.module)
            if name is not None:
                found.setdefault(name, raises.Escape(name, ()))
        elif isinstance(node, ast.Call):
            callee = ctx.type_of(node.func)
            if callee is not None and callee.kind is Kind.FUNCTION:
                function = ctx.module.modules.function_info(callee.name)
                for escape in raises.escapes(function) if function is not None else ():
                    found.setdefault(escape.name, escape)
    found.pop("builtins.NotImplementedError", None)
    return tuple(found[name] for name in sorted(found)) if len(found) <= _MOST_RAISED else ()


def keeps_traceback(name: str | None) -> bool:
    """Whether a call of this qualified name formats or sends the traceback of the current exception."""
    return name is not None and name.startswith(("traceback.", "sentry_sdk.", "rollbar.", "newrelic."))


def in_clean_up(node: ast.AST, ctx: Context) -> bool:
    """Whether a node is in a `finally` block or in a method that gives something back."""
    child = node
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, (ast.Try, ast.TryStar)) and any(child is item for item in ancestor.finalbody):
            return True
        if isinstance(ancestor, FUNCTIONS):
            name = ancestor.name.lower()
            return name in {"__del__", "__exit__", "__aexit__"} or any(
                word in name
                for word in (
                    "close",
                    "shutdown",
                    "cleanup",
                    "clean_up",
                    "teardown",
                    "disconnect",
                    "release",
                    "dispose",
                )
            )
        child = ancestor
    return False


# Calls that write to a database, by the prefix of the qualified name of what they are called on.
_WRITES = {
    "sqlalchemy.": frozenset({"commit", "flush", "bulk_save_objects", "bulk_insert_mappings"}),
    "django.db.models.": frozenset(
        {"save", "create", "bulk_create", "update", "bulk_update", "delete", "get_or_create",
         "update_or_create", "asave", "acreate", "abulk_create", "aupdate", "adelete", "aget_or_create",
         "aupdate_or_create"}
    ),
}  # fmt: skip
_WRITING = frozenset().union(*_WRITES.values())


def written_database(body: list[ast.stmt], ctx: Context) -> str | None:
    """What a block calls to write to a database: the first call as it is written; None for none.

    Writes in functions that the block calls are their own matter.
    """
    calls = [
        node
        for node in nodes_of(body)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WRITING
    ]
    for node in sorted(calls, key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0)):
        callee = ctx.type_of(node.func)
        if callee is not None and _writes(callee.name):
            return ctx.text(node.func)
    return None


def _writes(name: str) -> bool:
    method = name.rpartition(".")[2]
    return any(name.startswith(prefix) and method in methods for prefix, methods in _WRITES.items())


def retries(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a handler goes on with a loop that tries the same again."""
    for ancestor in ctx.ancestors(handler):
        if isinstance(ancestor, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            return False
        if isinstance(ancestor, ast.While):
            return True
        if isinstance(ancestor, ast.For):
            iterated = ancestor.iter
            return isinstance(iterated, ast.Call) and ctx.qualified_name(iterated.func) == "builtins.range"
    return False


def tells_of_retry(handler: ast.ExceptHandler) -> bool:
    """Whether a handler counts attempts, so that the error is one that passes."""
    return any(
        isinstance(node, ast.Name) and any(word in node.id.lower() for word in _RETRYING)
        for node in nodes_of(handler.body)
    )


def names_class(handler: ast.ExceptHandler, error: str) -> bool:
    """Whether a handler says the class of an error besides its text, by `type(error)`."""
    return any(
        isinstance(node, ast.Call) and ast.unparse(node) == f"type({error})"
        for node in nodes_of(handler.body)
    )


def is_accepted(node: ast.stmt | ast.excepthandler | ast.expr, code: str, ctx: Context) -> bool:
    """Whether a comment on the line tells another linter to accept a code, such as `# noqa: E722`."""
    line = ctx.source.line(node.lineno)
    return "noqa" in line and code in line


def enclosing_try(handler: ast.ExceptHandler, ctx: Context) -> ast.Try:
    """The statement that a handler belongs to."""
    return cast(ast.Try, ctx.parent(handler))


def guards_one_library_call(block: ast.Try, ctx: Context) -> bool:
    """Whether a block does nothing that can fail but one call whose errors say what failed.

    Such are calls of libraries and of functions of the project that are named as checks or parsers.
    """
    nodes = list(nodes_of(block.body))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if len(calls) != 1 or any(isinstance(node, (ast.Subscript, ast.Await)) for node in nodes):
        return False
    callee = ctx.type_of(calls[0].func)
    return callee is not None and (callee.kind is Kind.EXTERNAL or _is_check(callee))


# What a client reads: calls that make an answer, by qualified name.
_ANSWERS = frozenset(
    {
        "fastapi.HTTPException", "starlette.exceptions.HTTPException", "flask.jsonify", "flask.make_response",
        "flask.Response", "flask.abort", "werkzeug.exceptions.abort", "django.http.JsonResponse",
        "django.http.HttpResponse", "django.http.HttpResponseBadRequest",
        "django.http.HttpResponseServerError",
        "django.http.response.JsonResponse", "django.http.response.HttpResponse",
        "rest_framework.response.Response",
        *(
            f"starlette.responses.{name}"
            for name in ("JSONResponse", "HTMLResponse", "PlainTextResponse", "Response")
        ),
        "fastapi.responses.ORJSONResponse", "fastapi.responses.UJSONResponse",
    }
)  # fmt: skip
_ANSWER_WORDS = frozenset(name.rpartition(".")[2] for name in _ANSWERS)
_CHECKING = ("validate", "check", "verify", "parse", "ensure", "decode", "from_")
_DATABASE = ("sqlalchemy.exc.", "django.db.")
_TEXTS = frozenset({"str", "repr", "format"})
_TRACEBACKS = frozenset({"traceback.format_exc", "traceback.format_exception"})


def exposed(handler: ast.ExceptHandler, ctx: Context) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The texts of an unforeseen error that a handler sends to a client, each with the answer that holds it.

    Unforeseen are errors of any class and those of the database. Where the block does nothing but call one
    function of a library, the text says what was wrong with the input, and nothing is reported.
    """
    if not any(name in BROAD or (name or "").startswith(_DATABASE) for name in caught_names(handler, ctx)):
        return
    answers = list(_answers(handler.body, handler.name, handler, ctx))
    around = ctx.enclosing_function(handler) if answers else None
    if isinstance(around, FUNCTIONS) and request_data.is_for_staff(ctx.function_info(around)):
        return
    if answers and not _guards_one_check(enclosing_try(handler, ctx), ctx):
        yield from _texts(answers, handler.body, handler.name, ctx)


def exposed_by_application(
    function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context
) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The same for a function that an application is told to answer errors of any class with."""
    position = _handles_any_error(function, ctx)
    parameters = [*function.args.posonlyargs, *function.args.args]
    if position is not None and position < len(parameters):
        name = parameters[position].arg
        answers = [
            answer
            for answer in _answers(function.body, name, function, ctx)
            if not any(
                isinstance(item, ast.If) and _asks_for_class(item, name) for item in ctx.ancestors(answer)
            )
        ]
        yield from _texts(answers, function.body, name, ctx)


def _asks_for_class(branch: ast.If, name: str) -> bool:
    return any(
        isinstance(call, ast.Call)
        and last_name(call.func) == "isinstance"
        and any(isinstance(given, ast.Name) and given.id == name for given in call.args)
        for call in nodes_of([ast.Expr(branch.test)])
    )


def _handles_any_error(function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> int | None:
    """The position of the parameter for the error, in a function that an application has for any error."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and last_name(decorator.func) in {
            "exception_handler",
            "errorhandler",
        }:
            wanted = fastapi.argument(decorator, 0, "exc_class_or_status_code")
            if wanted is not None and ctx.qualified_name(wanted) in BROAD:
                return 0 if last_name(decorator.func) == "errorhandler" else 1
    index = ctx.module.modules
    if not isinstance(index, Index) or len(function.args.args) != 2:
        return None
    paths = files_with(index, ctx.module, b"add_exception_handler")
    return (
        1 if paths and ctx.function_info(function).name in _added_handlers(ctx.module, index, paths) else None
    )


def _added_handlers(module: Module, index: Index, paths: list[str]) -> frozenset[str]:
    """The qualified names of the functions that `add_exception_handler` registers for any error."""
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))

    def compute() -> frozenset[str]:
        found = set()
        for other in (index.at(path, module) for path in paths):
            for call in other.source.calls.get("add_exception_handler", ()) if other is not None else ():
                wanted = fastapi.argument(call, 0, "exc_class_or_status_code")
                given = fastapi.argument(call, 1, "handler")
                if other is not None and wanted is not None and given is not None:
                    known = other.type_of(given) if other.qualified_name(wanted) in BROAD else None
                    if known is not None and known.kind is Kind.FUNCTION:
                        found.add(known.name)
        return frozenset(found)

    return index.fact(("handlers of any error", root), compute)


def _texts(
    answers: list[ast.expr], body: list[ast.stmt], error: str | None, ctx: Context
) -> Iterator[tuple[ast.expr, ast.expr]]:
    if not answers or _is_looked_at(body, error):
        return
    for answer in answers:
        text = _error_text(answer, body, error, ctx) if not _only_while_debugging(answer, ctx) else None
        if text is not None and not _only_while_debugging(text, ctx):
            yield text, answer


def _guards_one_check(block: ast.Try, ctx: Context) -> bool:
    """Whether a block does nothing that can fail but one call whose errors say what is wrong with the input.

    Such are calls of libraries and unknown things, constructors, and functions that are named as checks.
    """
    nodes = list(nodes_of(block.body))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if len(calls) != 1 or any(isinstance(node, ast.Subscript) for node in nodes):
        return False
    callee = ctx.type_of(calls[0].func)
    if callee is None:
        name = ctx.qualified_name(calls[0].func)
        return not _is_decorated(calls[0].func, ctx) and (name is None or not ctx.module.modules.owns(name))
    if callee.kind is Kind.FUNCTION:
        return _is_check(callee)
    return not callee.name.startswith(("sqlalchemy.", "django.db."))


def _is_check(callee: Type) -> bool:
    return callee.kind is Kind.FUNCTION and callee.name.rpartition(".")[2].lstrip("_").startswith(_CHECKING)


def _is_decorated(func: ast.expr, ctx: Context) -> bool:
    """Whether what is called is a parameter of the function around this one: what a decorator was given."""
    found = ctx.module.lookup(func.id, func) if isinstance(func, ast.Name) else None
    function = ctx.enclosing_function(func)
    return found is not None and found[0].node is not function and found[1][0].kind == "parameter"


def _answers(body: list[ast.stmt], error: str | None, handler: ast.AST, ctx: Context) -> Iterator[ast.expr]:
    for node in nodes_of(body):
        if isinstance(node, ast.Call):
            func = node.func
            if last_name(func) in _ANSWER_WORDS:
                known = ctx.type_of(func)
                if known is not None and known.name in _ANSWERS:
                    yield node
        elif isinstance(node, ast.Return) and isinstance(node.value, (ast.Dict, ast.JoinedStr, ast.Tuple)):
            if not isinstance(handler, ast.ExceptHandler) or _is_answered(handler, ctx):
                yield node.value


def _is_answered(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether what the function of a handler returns goes to a client."""
    function = ctx.enclosing_function(handler)
    if not isinstance(function, FUNCTIONS):
        return False
    info = ctx.function_info(function)
    if not function.decorator_list and info.owner is None:
        return False
    return fastapi.is_route(info) or request_data.is_flask_view(info)


def _error_text(answer: ast.expr, body: list[ast.stmt], error: str | None, ctx: Context) -> ast.expr | None:
    """The part of an answer that is the text of the caught error or its traceback."""
    stack: list[ast.AST] = [answer]
    while stack:
        node = stack.pop()
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=caught), *_]) if name in _TEXTS:
                if caught == error:
                    return node
            case ast.Call(func=ast.Attribute() as func) if ctx.qualified_name(func) in _TRACEBACKS:
                return node
            case ast.FormattedValue(value=ast.Name(id=caught)) if caught == error:
                return node.value
            case ast.Attribute(value=ast.Name(id=caught), attr="args" | "message") if caught == error:
                return node
            case ast.BinOp(op=ast.Mod(), right=ast.Name(id=caught)) if caught == error:
                return node
            case ast.Name(id=name) if name != error and node is not answer:
                value = _text_kept(name, body)
                if value is not None:
                    stack.append(value)
        stack.extend(ast.iter_child_nodes(node))
    return None


def _text_kept(name: str, body: list[ast.stmt]) -> ast.expr | None:
    """What statements assign to a name."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                return value
    return None


def _is_looked_at(body: list[ast.stmt], error: str | None) -> bool:
    """Whether a handler chooses by what an error says, so that it knows which ones it passes on."""
    names = {error}
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Call(args=[ast.Name(id=name)])):
                names |= {target} if name == error else set()
    return any(
        isinstance(part, ast.Name) and part.id in names
        for node in nodes_of(body)
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
    )


def _only_while_debugging(node: ast.AST, ctx: Context) -> bool:
    return any(
        isinstance(ancestor, (ast.If, ast.IfExp)) and "debug" in ast.unparse(ancestor.test).lower()
        for ancestor in ctx.ancestors(node)
    )


# Errors that leave routes of FastAPI


@dataclass(frozen=True, slots=True)
class Answered:
    """The exceptions that an application answers by handlers; `is_open`: there may be others."""

    names: frozenset[str]
    is_open: bool


# Errors that a client is not to blame for, by what their names hold.
_OUR_OWN = (
    "bug",
    "internal",
    "config",
    "setting",
    "unreachable",
    "invariant",
    "assertion",
    "fatal",
    "startup",
)
_REGISTERING = ("exception_handler", "add_exception_handler")
_WRAPPING = (b"route_class", b"BaseHTTPMiddleware", b"exception_handlers", b"set_exception_handler")


def unanswered(function: FunctionInfo) -> Iterator[tuple[ast.AST, raises.Escape]]:
    """The exceptions of the project that leave a route for which the application has no handler.

    Each with the place in the route that it comes from. Nothing where handlers, middleware or classes of
    routes may answer that are not known, and nothing for errors that no other route or handler answers: they
    may be meant to be a failure of the server.
    """
    index = function.module.modules
    if not isinstance(index, Index):
        return
    answered = _answered_errors(function.module, index)
    if answered.is_open:
        return
    seen: set[str] = set()
    for node, escape in raises.sources(function):
        info = index.class_info(escape.name)
        if info is None or escape.name in seen or not info.is_a("builtins.Exception") or not info.is_closed:
            continue
        if info.is_a("starlette.exceptions.HTTPException", "fastapi.HTTPException"):
            continue
        if any(word in info.node.name.lower() for word in _OUR_OWN):
            continue
        seen.add(escape.name)
        above = raises.superclasses(escape.name, index)
        if above is None or not answered.names.isdisjoint(above):
            continue
        if _is_answered_elsewhere(info, function, answered, index):
            yield node, escape


# Folders and modules of what several boundaries share, and what an error of HTTP is.
_BELOW = frozenset(
    {"services", "service", "domain", "use_cases", "usecases", "repositories", "repository", "crud", "dao"}
)
_HTTP_ERRORS = frozenset(
    {"fastapi.HTTPException", "starlette.exceptions.HTTPException", "django.http.Http404", "flask.abort",
     "werkzeug.exceptions.abort", "werkzeug.exceptions.HTTPException"}
)  # fmt: skip


def http_error_below(node: ast.Raise | ast.Call, ctx: Context) -> tuple[str, FunctionInfo] | None:
    """The error of HTTP, by its last name, that a statement or call in a service or repository raises.

    With the function in which it stands.

    Not in routes and dependencies, which are the boundary wherever they stand.
    """
    if _BELOW.isdisjoint(ctx.module.name.split(".")):
        return None
    error = node.exc if isinstance(node, ast.Raise) else node
    called = error.func if isinstance(error, ast.Call) else error
    known = ctx.type_of(called) if called is not None else None
    if known is None or known.name not in _HTTP_ERRORS:
        return None
    function = ctx.enclosing_function(node)
    if not isinstance(function, FUNCTIONS):
        return None
    info = ctx.function_info(function)
    if fastapi.is_route(info) or request_data.is_flask_view(info) or fastapi.is_dependency(info):
        return None
    return known.name.rpartition(".")[2], info


def _answered_errors(module: Module, index: Index) -> Answered:
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("answered errors", root), lambda: _registered(module, index))


def _registered(module: Module, index: Index) -> Answered:
    names: set[str] = set()
    for word in _WRAPPING:
        if files_with(index, module, word):
            return Answered(frozenset(), is_open=True)
    for path in files_with(index, module, b"middleware"):
        if b'middleware("http")' in (index.files.read(path) or b""):
            return Answered(frozenset(), is_open=True)
    for registering in _REGISTERING:
        for path in files_with(index, module, registering.encode()):
            other = index.at(path, module)
            if other is None:
                return Answered(frozenset(), is_open=True)
            for call in other.source.calls.get(registering, ()):
                wanted = fastapi.argument(call, 0, "exc_class_or_status_code")
                known = other.type_of(wanted) if wanted is not None else None
                if known is not None and known.kind in {Kind.CLASS, Kind.EXTERNAL}:
                    names.add(known.name)
                elif not (isinstance(wanted, ast.Constant) and isinstance(wanted.value, int)):
                    return Answered(frozenset(), is_open=True)
    return Answered(frozenset(names), is_open=False)


def _is_answered_elsewhere(info: ClassInfo, function: FunctionInfo, answered: Answered, index: Index) -> bool:
    """Whether another route catches the error, or a handler answers one of the same family."""
    family = {item.name for item in info.mro if isinstance(item, ClassInfo)}
    for name in answered.names:
        other = index.class_info(name)
        if other is not None and any(
            isinstance(item, ClassInfo) and item.name in family for item in other.mro
        ):
            return True
    module = function.module
    for path in files_with(index, module, info.node.name.encode()):
        other_module = index.at(path, module)
        if other_module is None or b"except" not in other_module.source.data:
            continue
        for route in fastapi.routes(other_module):
            if route.function is None or route.function.node is function.node:
                continue
            for handler in route.function.own(ast.ExceptHandler):
                if info.name in raises.handled_names(handler, other_module):
                    return True
    return False
