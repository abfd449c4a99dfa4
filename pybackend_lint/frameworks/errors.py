"""Facts about error handling: what a handler catches, what it does with the error, what calls raise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import cast

from pybackend_lint.project.calls import call_sites, target
from pybackend_lint.project.index import Index
from pybackend_lint.rule import Context
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind

BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})
_WORD = re.compile(r"[A-Za-z]{2,}")
_MOST_RAISED = 3
_DEEPEST = 4


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


def raises_somewhere(body: list[ast.stmt]) -> bool:
    """Whether some path through some statements raises or exits."""
    return any(isinstance(node, ast.Raise) for node in nodes_of(body))


def raised_by(body: list[ast.stmt], ctx: Context) -> tuple[str, ...]:
    """The exceptions that calls and `raise` statements in a block raise, as far as project code tells.

    Qualified names, sorted; empty when nothing is known or when there are too many to name.
    """
    names: set[str] = set()
    for node in nodes_of(body):
        if isinstance(node, ast.Raise):
            names |= _raised(node, ctx.module)
        elif isinstance(node, ast.Call):
            callee = ctx.type_of(node.func)
            if callee is not None and callee.kind is Kind.FUNCTION:
                function = ctx.module.modules.function_info(callee.name)
                if function is not None:
                    names |= raised(function)
    names.discard("builtins.NotImplementedError")
    return tuple(sorted(names)) if len(names) <= _MOST_RAISED else ()


def raised(function: FunctionInfo, depth: int = 0) -> frozenset[str]:
    """Qualified names of the exceptions that leave a function, through the project functions it calls."""
    index = function.module.modules
    assert isinstance(index, Index)
    return index.fact(("raised", function.name, id(function.node), depth), lambda: _leaving(function, depth))


def _leaving(function: FunctionInfo, depth: int) -> frozenset[str]:
    source = function.module.source
    names: set[str] = set()
    for node in source.in_scope(ast.Raise, function.node):
        if not any(isinstance(ancestor, (ast.Try, ast.TryStar)) for ancestor in _inside(function, node)):
            names |= _raised(node, function.module)
    if depth < _DEEPEST:
        for site in call_sites(function):
            inner = target(site)
            if inner is not None and inner is not function and (site.awaited or not inner.is_async):
                guarded = any(isinstance(a, (ast.Try, ast.TryStar)) for a in _inside(function, site.node))
                if not guarded:
                    names |= raised(inner, depth + 1)
    return frozenset(names)


def _inside(function: FunctionInfo, node: ast.AST) -> Iterator[ast.AST]:
    for ancestor in function.module.source.ancestors(node):
        if ancestor is function.node:
            return
        yield ancestor


def _raised(node: ast.Raise, module: Module) -> set[str]:
    if node.exc is None:
        return set()
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    name = module.qualified_name(error)
    known = module.type_of(error)
    if name is None or known is None or known.kind not in {Kind.CLASS, Kind.EXTERNAL}:
        return set()
    return {name}


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


def is_accepted(node: ast.stmt | ast.excepthandler | ast.expr, code: str, ctx: Context) -> bool:
    """Whether a comment on the line tells another linter to accept a code, such as `# noqa: E722`."""
    line = ctx.source.line(node.lineno)
    return "noqa" in line and code in line


def enclosing_try(handler: ast.ExceptHandler, ctx: Context) -> ast.Try:
    """The statement that a handler belongs to."""
    return cast(ast.Try, ctx.parent(handler))


def guards_one_library_call(block: ast.Try, ctx: Context) -> bool:
    """Whether a block does nothing that can fail but one call of a library: its text says what failed."""
    nodes = list(nodes_of(block.body))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    if len(calls) != 1 or any(isinstance(node, (ast.Subscript, ast.Await)) for node in nodes):
        return False
    callee = ctx.type_of(calls[0].func)
    return callee is not None and callee.kind is Kind.EXTERNAL
