"""What stops the event loop: the calls in a coroutine that wait, directly or through the project."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import asyncio, fastapi
from pybackend_lint.frameworks.data.blocking import TO_THREAD, Blocking, Cost, Sort, find
from pybackend_lint.project import calls
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type

if TYPE_CHECKING:
    from pybackend_lint.project.project import Project
    from pybackend_lint.rule import Context


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """A call in a coroutine that stops the event loop.

    `chain` holds the calls between it and the call that waits, outermost first; empty for a direct one.
    """

    site: CallSite
    entry: Blocking
    callee: FunctionInfo | None = None
    chain: tuple[Step, ...] = ()

    def is_direct(self, *sorts: Sort) -> bool:
        """Whether the coroutine makes a waiting call of one of these sorts itself."""
        return not self.chain and self.entry.sort in sorts

    @property
    def func(self) -> ast.expr:
        """The expression that is called, or the property that is read."""
        return self.site.node.func if isinstance(self.site.node, ast.Call) else self.site.node


def blocking_calls(function: FunctionInfo, project: Project) -> tuple[BlockingCall, ...]:
    """The calls in a coroutine that stop the event loop, directly or through functions of the project.

    Empty for coroutines that run alone, such as start-up code, commands and scripts, and for dependencies
    that `needless_coroutine` answers for.
    """
    found = _all_blocking_calls(function, project)
    return () if found and needless_coroutine(function, project) else found


def needless_coroutine(function: FunctionInfo, project: Project) -> tuple[BlockingCall, ...]:
    """The calls that stop the event loop in a dependency of FastAPI which need not be a coroutine.

    It awaits nothing, and FastAPI would run it in a thread if it were a plain function.
    """
    found = tuple(
        call
        for call in _all_blocking_calls(function, project)
        if call.entry.cost is not Cost.DISK and (call.chain or not call.site.name.startswith("sqlalchemy."))
    )
    if not found or fastapi.routes_of(function) or not fastapi.can_be_plain(function):
        return ()
    return found


def _all_blocking_calls(function: FunctionInfo, project: Project) -> tuple[BlockingCall, ...]:
    return project.index.fact(
        ("blocking calls", function.module.name, id(function.node)),
        lambda: tuple(_blocking_calls(function, project)),
    )


def direct_calls(function: FunctionInfo, project: Project, *sorts: Sort) -> list[tuple[BlockingCall, ...]]:
    """The waiting calls of these sorts that a coroutine makes itself, those of one library together.

    Sessions and queries of SQLAlchemy are left out: they have questions of their own.
    """
    found: dict[str, list[BlockingCall]] = {}
    for call in blocking_calls(function, project):
        library = call.site.name.partition(".")[0]
        if call.is_direct(*sorts) and library != "sqlalchemy":
            found.setdefault(library, []).append(call)
    return [tuple(same) for same in found.values()]


def file_calls(function: FunctionInfo, project: Project) -> list[BlockingCall]:
    """The calls in a coroutine that read or write files, directly or through functions of the project."""
    found = [call for call in blocking_calls(function, project) if call.is_direct(Sort.FILE)]
    if runs_alone(function):
        return []
    for site in _sites(function):
        callee = calls.target(site)
        if (
            callee is None
            or blocking_entry(site, project) is not None
            or not _may_block(site, callee, project)
        ):
            continue
        chain = _chain_to_file(callee, project)
        if chain is not None:
            found.append(BlockingCall(site, Blocking(Sort.FILE, TO_THREAD), callee, chain))
    return [call for call in found if not _runs_once(call.site, function)]


def _chain_to_file(callee: FunctionInfo, project: Project) -> tuple[Step, ...] | None:
    def is_sink(site: CallSite) -> bool:
        entry = blocking_entry(site, project)
        return entry is not None and entry.cost is Cost.DISK and not _is_rare(site)

    return calls.reach(callee, "reads files", is_sink, partial(_enters, project), _is_rare)


def _is_rare(site: CallSite) -> bool:
    """Whether a call is made once, or only when a caller asks for it or an object is made in some ways."""
    function = site.module.function_info(_function_of(site))
    if function.node.name == "__init__" and _is_conditional(site, function):
        return True
    return _is_asked_for(site, function) or _runs_once(site, function)


def _is_conditional(site: CallSite, function: FunctionInfo) -> bool:
    for ancestor in site.module.source.ancestors(site.node):
        if ancestor is function.node:
            return False
        if isinstance(ancestor, (ast.If, ast.IfExp, ast.Match)):
            return True
    return False


def _enters(project: Project, inner: FunctionInfo) -> bool:
    """Whether the search for blocking calls goes on in a function."""
    return not inner.is_async and not _listed(inner.name, project.allowed_blocking)


def _blocking_calls(function: FunctionInfo, project: Project) -> Iterator[BlockingCall]:
    found = []
    for site in _sites(function):
        entry = blocking_entry(site, project)
        if entry is not None:
            found.append(BlockingCall(site, entry))
            continue
        callee = calls.target(site)
        if callee is None or not _may_block(site, callee, project) or _is_awaited_later(site, function):
            continue
        chain = _chain(callee, project)
        if chain is not None:
            last = _entry_of_name(chain[-1].name, project) or Blocking(Sort.CONFIGURED, TO_THREAD)
            found.append(BlockingCall(site, last, callee, chain))
    if found and not runs_alone(function) and not _is_called_alone(function):
        yield from (call for call in found if not _runs_once(call.site, function))


def _is_awaited_later(site: CallSite, function: FunctionInfo) -> bool:
    """Whether a function gives something to await, as those do that work with and without an event loop."""
    match site.module.source.parent(site.node):
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is site.node:
            return any(isinstance(a.value, ast.Name) and a.value.id == name for a in function.own(ast.Await))
    return False


# Methods of strings, lists, dictionaries and loggers; functions of a project rarely bear these names.
_HARMLESS = frozenset(
    {
        "append", "extend", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "lower", "upper",
        "startswith", "endswith", "encode", "decode", "format", "replace", "items", "keys", "values",
        "setdefault", "isoformat", "strftime", "timestamp", "model_dump", "debug", "info", "warning",
        "error", "exception", "critical",
    }
)  # fmt: skip


_BUILTINS = frozenset(dir(builtins)) - {"open"}


def _sites(function: FunctionInfo) -> list[CallSite]:
    """The call sites of a coroutine that may block; what is awaited is left out."""
    awaited = {id(node.value) for node in function.own(ast.Await)}
    bound = function.module.scope.bindings
    return calls.in_order(
        site
        for node in calls.candidates(function)
        if id(node) not in awaited and not (isinstance(node, ast.Call) and _is_harmless(node.func, bound))
        for site in calls.sites_of(node, function.module, awaited)
    )


def _is_harmless(func: ast.expr, bound: Container[str]) -> bool:
    """Whether, by its name alone, a call does not block; `bound` are the names of the module."""
    if isinstance(func, ast.Attribute):
        return func.attr in _HARMLESS
    return isinstance(func, ast.Name) and func.id in _BUILTINS and func.id not in bound


def _may_block(site: CallSite, callee: FunctionInfo, project: Project) -> bool:
    return (
        not callee.is_async
        and calls.runs(site, callee)
        and not _listed(callee.name, project.allowed_blocking)
    )


def _chain(callee: FunctionInfo, project: Project) -> tuple[Step, ...] | None:
    def is_sink(site: CallSite) -> bool:
        entry = blocking_entry(site, project)
        if entry is None or entry.sort is Sort.LOCK or entry.cost is Cost.DISK:
            return False
        return not (entry.sort is Sort.JOIN and _starts_or_stops(site)) and not _is_rare(site)

    return calls.reach(callee, "blocks", is_sink, partial(_enters, project), _is_rare)


def blocking_entry(site: CallSite, project: Project) -> Blocking | None:
    """The blocking call that a call site is, None when it does not wait or is not known."""
    if site.awaited or not isinstance(site.node, ast.Call):
        return None
    entry = _entry_of_name(site.name, project)
    return entry if entry is not None and _waits(site, entry) else None


def _entry_of_name(name: str, project: Project) -> Blocking | None:
    if _listed(name, project.allowed_blocking):
        return None
    if project.extra_blocking and _listed(name, project.extra_blocking):
        return Blocking(Sort.CONFIGURED, TO_THREAD)
    return find(name)


def _listed(name: str, names: frozenset[str]) -> bool:
    """Whether a qualified name is one of these, or below one; the project's own may lack their folders."""
    return any(f".{listed}." in f".{name}." for listed in names)


# Fewer rounds of PBKDF2 derive a key in a few milliseconds.
_ROUNDS = 20_000


def _waits(site: CallSite, entry: Blocking) -> bool:
    """Whether the arguments let the call wait at all."""
    call = cast(ast.Call, site.node)
    if entry.sort is Sort.LOCK or (
        entry.sort is Sort.JOIN and site.name.startswith(("queue.", "multiprocess"))
    ):
        flags = [*call.args[:1], *(k.value for k in call.keywords if k.arg in {"block", "blocking"})]
        if site.name.endswith(".put"):
            flags = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "block")]
            if site.callee.receiver is None or site.callee.receiver.fact != asyncio.BOUNDED:
                return False
        if any(isinstance(flag, ast.Constant) and flag.value is False for flag in flags):
            return False
    if site.name.startswith("socket.get") and call.args and _is_own_host(call.args[0], site.module):
        return False
    if site.name == "hashlib.pbkdf2_hmac" and len(call.args) > 3:
        rounds = call.args[3]
        return not (
            isinstance(rounds, ast.Constant) and isinstance(rounds.value, int) and rounds.value < _ROUNDS
        )
    if site.name.startswith("psutil.") and site.name.endswith("_percent"):
        intervals = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "interval")]
        return any(not isinstance(interval, ast.Constant) or interval.value for interval in intervals)
    if entry.sort in {Sort.JOIN, Sort.LOCK}:
        limits = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "timeout")]
        if any(isinstance(limit, ast.Constant) and limit.value == 0 for limit in limits):
            return False
        return not _is_done(site, call) and not _joins_in_the_end(site)
    return True


def _is_own_host(host: ast.expr, module: Module) -> bool:
    """Whether an expression is the name of the machine itself, which no server is asked for."""
    if isinstance(host, ast.Name):
        found = module.lookup(host.id, host)
        value = found[1][0].value if found is not None and len(found[1]) == 1 else None
        host = value if value is not None else host
    return isinstance(host, ast.Call) and module.qualified_name(host.func) == "socket.gethostname"


def _is_done(site: CallSite, call: ast.Call) -> bool:
    """Whether the function asks somewhere if the awaited future, thread or process is done."""
    if not isinstance(call.func, ast.Attribute):
        return False
    source = site.module.source
    receiver = ast.unparse(call.func.value)
    function = site.module.function_around(call)
    return any(
        isinstance(other.func, ast.Attribute)
        and ast.unparse(other.func.value) == receiver
        and site.module.function_around(other) is function
        for name in ("done", "is_alive", "is_set")
        for other in source.calls.get(name, ())
    )


def _joins_in_the_end(site: CallSite) -> bool:
    """Whether a `finally` block waits for a thread, which has nothing left to do by then."""
    if site.name != "threading.Thread.join":
        return False
    child: ast.AST = site.node
    for ancestor in site.module.source.ancestors(site.node):
        if isinstance(ancestor, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        if isinstance(ancestor, ast.Try) and child in ancestor.finalbody:
            return True
        child = ancestor
    return False


def _starts_or_stops(site: CallSite) -> bool:
    """Whether a function that waits for a thread is named as what starts or stops a service, once."""
    return _function_of(site).name.lstrip("_").startswith(_LIFE)


def _function_of(site: CallSite) -> ast.FunctionDef | ast.AsyncFunctionDef:
    return cast(FunctionInfo, site.module.function_around(site.node)).node


def _runs_once(site: CallSite, function: FunctionInfo) -> bool:
    """Whether the call only fills a variable that is still empty, as a lazily made client does."""
    if _fills_table(function):
        return True
    source = site.module.source
    statement = source.statement(site.node)
    targets = {ast.unparse(target) for target in _kept_targets(statement, function)}
    for ancestor in source.ancestors(site.node):
        if ancestor is function.node:
            break
        if isinstance(ancestor, ast.If) and _is_emptiness(ancestor.test):
            if any(_is_kept(node, function) for node in ancestor.body) or _ends_emptiness(ancestor, function):
                return True
    if not targets:
        return False
    return any(
        node.lineno <= statement.lineno and _mentions(node.test, targets) for node in function.own(ast.If)
    )


def _is_kept(statement: ast.AST, function: FunctionInfo) -> bool:
    return isinstance(statement, (ast.Assign, ast.AnnAssign)) and any(_kept_targets(statement, function))


def _ends_emptiness(guard: ast.If, function: FunctionInfo) -> bool:
    """Whether the body of an `if` sets what the `if` found empty, or starts a thread, which starts once."""
    first, last = guard.body[0].lineno, guard.end_lineno or guard.lineno
    tested = {
        ast.unparse(node) for node in ast.walk(guard.test) if isinstance(node, (ast.Attribute, ast.Name))
    }
    for statement in (*function.own(ast.Assign), *function.own(ast.AnnAssign)):
        if first <= statement.lineno <= last:
            if any(ast.unparse(target) in tested for target in _kept_targets(statement, function)):
                return True
    for call in function.module.source.calls.get("start", ()):
        if first <= call.lineno <= last and isinstance(call.func, ast.Attribute):
            started = function.module.type_of(call.func.value)
            if started is not None and started.is_instance("threading.Thread"):
                return True
    return False


def _is_asked_for(site: CallSite, function: FunctionInfo) -> bool:
    """Whether the call is made only when a caller sets a parameter to another value than its default.

    A flag without default may have either value, and a parameter whose class is asked for either class,
    which decides nothing where the other side makes the same call.
    """
    parameters = {argument.arg for argument, _ in function.parameters()}
    defaults = {
        argument.arg: bool(default.value) if isinstance(default, ast.Constant) else None
        for argument, default in function.parameters()
        if isinstance(default, ast.Constant)
        or (
            default is None and isinstance(argument.annotation, ast.Name) and argument.annotation.id == "bool"
        )
    }
    child: ast.AST = site.module.source.statement(site.node)
    for ancestor in site.module.source.ancestors(site.node):
        if ancestor is function.node:
            return False
        if isinstance(ancestor, ast.If) and child is not ancestor.test:
            test, expected = ancestor.test, child in ancestor.body
            other = ancestor.orelse if expected else ancestor.body
            while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
                test, expected = test.operand, not expected
            if isinstance(test, ast.Name) and defaults.get(test.id, expected) is not expected:
                return True
            if _asks_for_class(test, parameters) and not _makes_the_same_call(other, site):
                return True
        child = ancestor
    return False


def _makes_the_same_call(body: list[ast.stmt], site: CallSite) -> bool:
    """Whether statements call what a call site calls, without a further condition."""
    called = ast.dump(site.node.func) if isinstance(site.node, ast.Call) else None
    return any(
        isinstance(node, ast.Call) and ast.dump(node.func) == called
        for statement in body
        if not isinstance(statement, ast.If)
        for node in ast.walk(statement)
    )


def _asks_for_class(test: ast.expr, parameters: Container[str]) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
        and isinstance(node.args[0] if node.args else None, ast.Name)
        and cast(ast.Name, node.args[0]).id in parameters
        for node in ast.walk(test)
    )


def _fills_table(function: FunctionInfo) -> bool:
    """Whether a function keeps its results in a dictionary and returns early with those it has."""
    assignments = function.own(ast.Assign)
    tables = {
        ast.unparse(target.value)
        for node in assignments
        for target in node.targets
        if isinstance(target, ast.Subscript)
    }
    if not tables:
        return False
    local = function.module.scope_of(function.node).bindings
    tables = {table for table in tables if table not in local}
    for node in assignments:
        if len(node.targets) == 1 and _mentions(node.value, tables):
            tables = tables | {ast.unparse(node.targets[0])}
    return any(
        any(isinstance(inner, ast.Return) for inner in node.body) and _mentions(node.test, tables)
        for node in function.own(ast.If)
    )


def _mentions(expression: ast.AST, texts: set[str]) -> bool:
    return any(
        isinstance(part, (ast.Name, ast.Attribute)) and ast.unparse(part) in texts
        for part in ast.walk(expression)
    )


def _kept_targets(statement: ast.AST, function: FunctionInfo) -> Iterator[ast.expr]:
    """The attributes and global names that an assignment sets."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return
    declared = function.module.scope_of(function.node).outer
    for target in targets:
        if isinstance(target, ast.Attribute) or (isinstance(target, ast.Name) and target.id in declared):
            yield target


def _is_emptiness(test: ast.expr) -> bool:
    match test:
        case ast.UnaryOp(op=ast.Not()) | ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.BoolOp(values=values):
            return any(_is_emptiness(value) for value in values)
    return False


_LONGEST_NAME = 40
_LONGEST_PATH = 5


def short_name(blocking: BlockingCall) -> str:
    """How to call the function in a message: as it is written, or by its own name where that is long."""
    text = blocking.site.module.source.segment(blocking.func)
    if len(text) <= _LONGEST_NAME and "\n" not in text:
        return text
    return ".".join(blocking.site.name.split(".")[-2:])


def places(steps: Sequence[Step]) -> list[str]:
    """The files and rows of a chain of calls, shortened in the middle where there are many."""
    named = [f"{step.path.replace(chr(92), '/').rpartition('/')[2]}:{step.start.row}" for step in steps]
    return named if len(named) <= _LONGEST_PATH else [*named[: _LONGEST_PATH - 2], "…", named[-1]]


def thread_edits(call: ast.Call, asyncio_name: str, ctx: Context) -> tuple[Edit, ...]:
    """The edits that move a call into a thread, where `asyncio_name` is how the file calls asyncio."""
    before, after = asyncio.parentheses(call, ctx)
    called, opened = ctx.source.outer_range(call.func)[1], ctx.source.opening(call)
    separator = ""
    if call.args or call.keywords:
        separator = "," if ctx.source.text[opened + 1].isspace() else ", "
    edits = (
        ctx.insert_at(ctx.source.start(call), f"{before}await {asyncio_name}.to_thread("),
        Edit(called, opened + 1, separator),
    )
    return (*edits, ctx.insert_after(call, after)) if after else edits


def plain_function_edit(node: ast.AsyncFunctionDef, ctx: Context) -> Edit | None:
    """The edit that makes a route or dependency of FastAPI a plain function, which runs in a thread.

    None where a blocking call in it has a fix of its own, and where it must stay a coroutine.
    """
    function = ctx.function_info(node)
    if any(_has_own_fix(call, ctx) for call in blocking_calls(function, ctx.project)):
        return None
    return without_async(node, ctx) if fastapi.can_be_plain(function) else None


def without_async(node: ast.AsyncFunctionDef, ctx: Context) -> Edit | None:
    """The edit that removes the word `async` of a function; None where more stands before `def`."""
    start = ctx.source.start(node)
    end = ctx.source.text.index("def", start)
    return Edit(start, end, "") if ctx.source.text[start:end].split() == ["async"] else None


def _has_own_fix(blocking: BlockingCall, ctx: Context) -> bool:
    if blocking.is_direct(Sort.SLEEP):
        return asyncio.can_await(blocking.site.node, ctx)
    moves = bool(blocking.chain) or blocking.is_direct(Sort.SDK, Sort.PASSWORD, Sort.COMPUTE)
    return moves and can_move_to_thread(blocking, ctx)


_PLAIN = ("builtins.", "datetime.", "uuid.", "decimal.", "enum.", "pathlib.", "io.")
# Objects that their documentation allows threads to share, or that hold nothing but settings.
_SHARED = (
    "botocore.client.BaseClient", "argon2.PasswordHasher", "passlib.context.CryptContext",
    "pwdlib.PasswordHash",
)  # fmt: skip
_PLAIN_BASES = frozenset(
    {"builtins.object", "builtins.str", "builtins.int", "abc.ABC", "enum.Enum", "enum.StrEnum",
     "enum.IntEnum", "pydantic.BaseModel", "typing.NamedTuple", "typing.TypedDict"}
)  # fmt: skip


def can_move_to_thread(blocking: BlockingCall, ctx: Context) -> bool:
    """Whether a call can be moved into a thread as far as its arguments tell: they are plain data."""
    call = blocking.site.node
    if (
        not isinstance(call, ast.Call)
        or not asyncio.can_await(call, ctx)
        or isinstance(ctx.parent(call), ast.withitem)
    ):
        return False
    if ctx.source.text[ctx.source.end(call.func)] != "(":
        return False
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not all(_is_plain(ctx.type_of(argument), ctx.module) for argument in arguments):
        return False
    if blocking.callee is not None and (blocking.callee.yields or _sets_context(blocking.callee)):
        return False  # a generator runs where it is iterated; a thread sets its own copy of the variable
    receiver = blocking.site.callee.receiver
    if not blocking.chain and blocking.site.name.rpartition(".")[2][:1].isupper():
        return False  # a connection that is made in a thread may have to stay there
    return receiver is None or receiver.is_instance(*_SHARED) or _is_plain(receiver, ctx.module)


def _sets_context(callee: FunctionInfo) -> bool:
    """Whether a function of the project sets a context variable, itself or through what it calls."""

    def is_sink(site: CallSite) -> bool:
        return site.name == "contextvars.ContextVar.set"

    return calls.reach(callee, "sets context", is_sink, lambda inner: not inner.is_async) is not None


def _is_plain(value: Type | None, module: Module, depth: int = 0) -> bool:
    """Whether a value is data that any thread may use, as far as its class tells."""
    if value is None or value.kind is not Kind.INSTANCE or depth > 3:
        return False
    if value.name.startswith(_PLAIN):
        return all(argument is None or _is_plain(argument, module, depth + 1) for argument in value.args)
    info = module.modules.class_info(value.name)
    if info is None or not info.is_closed or info.libraries - _PLAIN_BASES:
        return False
    return all(_is_plain(held, module, depth + 1) for held in _held(info))


def _held(info: ClassInfo) -> Iterator[Type | None]:
    """The types of what the values of a class hold: its annotated attributes and those set on `self`."""
    for item in info.mro:
        if isinstance(item, str):
            continue
        for bindings in item.scope.bindings.values():
            for binding in bindings:
                if binding.annotation is not None:
                    yield item.module.annotation_type(binding.annotation, binding.node)
        for values in item.instance_attributes.values():
            for annotation, assigned in values:
                if annotation is not None:
                    yield item.module.annotation_type(annotation, annotation)
                else:
                    yield item.module.type_of(assigned) if assigned is not None else None


# Coroutines that have the event loop for themselves

_APPLICATION_PARAMETERS = frozenset({"app", "_app", "application", "server"})
_LIFE = ("start", "stop", "shutdown", "close", "drain", "terminate", "exit__")
_START_AND_STOP = ("lifespan", "startup", "on_startup", "shutdown", "on_shutdown", "warm_up", "warmup")
_COMMANDS = ("click.", "asyncclick.", "typer.", "invoke.", "cyclopts.")
_COMMAND_LINE = frozenset({"cli", "scripts", "migration", "migrations"})
_FIXTURES = ("pytest.fixture", "pytest_asyncio.")
_RUNNERS = frozenset({"asyncio.run", "anyio.run", "trio.run", "uvloop.run", "asyncio.Runner.run"})


def runs_alone(function: FunctionInfo) -> bool:
    """Whether a coroutine runs while nothing else does: start-up, shutdown, commands, scripts, fixtures."""
    node = function.node
    if node.name.lstrip("_").startswith(_START_AND_STOP) or node.name.endswith("_lifespan"):
        return True
    names = [name or "" for name in function.decorators]
    if "contextlib.asynccontextmanager" in names:
        first = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)][:1]
        if set(first) & _APPLICATION_PARAMETERS:
            return True
    if any(
        name.startswith((*_COMMANDS, *_FIXTURES)) or name.endswith((".on_event", ".command"))
        for name in names
    ):
        return True
    folders = function.module.name.split(".")[:-1]
    if "asgiref.sync.async_to_sync" in names or _COMMAND_LINE & set(folders):
        return True
    if folders[-2:] == ["management", "commands"]:
        return True
    owner = function.owner
    if owner is not None and owner.is_a("django.core.management.base.BaseCommand"):
        return True
    return _is_run(function)


def _is_run(function: FunctionInfo) -> bool:
    """Whether its own file starts the event loop with this coroutine."""
    module = function.module
    calls = module.source.calls
    for run in (*calls.get("run", ()), *calls.get("run_until_complete", ())):
        started = run.args[0] if run.args else None
        target = started.func if isinstance(started, ast.Call) else started
        if target is not None and module.qualified_name(target) == function.name:
            known = isinstance(run.func, ast.Attribute) and run.func.attr == "run_until_complete"
            return known or module.qualified_name(run.func) in _RUNNERS
    return False


_MOST_CALLERS = 20


def _is_called_alone(function: FunctionInfo, depth: int = 0) -> bool:
    """Whether the project calls a coroutine function, and only from coroutines that run alone.

    A function that is mentioned in another way than by calling it may run anywhere.
    """
    index = function.module.modules
    if not isinstance(index, Index) or function.node.decorator_list or depth > 2:
        return False
    name = function.node.name
    paths = files_with(index, function.module, name.encode())
    if len(paths) > _MOST_CALLERS:
        return False
    known = 0
    for path in paths:
        module = index.at(path, function.module)
        if module is None:
            return False
        for call in _mentions_of(name, module):
            if _is_given_to_start_or_stop(call, module) and module.qualified_name(call) == function.name:
                known += 1
                continue
            callee = module.type_of(call.func) if isinstance(call, ast.Call) else None
            if not isinstance(call, ast.Call) or callee is None:
                return False
            if callee.name == function.name:
                known += 1
                if not _is_alone(call, module, depth):
                    return False
    return known > 0


_EVENTS = frozenset({"on_startup", "on_shutdown", "on_cleanup"})


def _is_given_to_start_or_stop(mention: ast.expr, module: Module) -> bool:
    """Whether an application is told to run a function at its start or end.

    As in `FastAPI(on_startup=[warm])`, `app.add_event_handler("startup", warm)` and aiohttp's
    `app.on_startup.append(warm)`.
    """
    source = module.source
    around = source.parent(mention)
    match around:
        case ast.List() | ast.Tuple():
            keyword = source.parent(around)
            return isinstance(keyword, ast.keyword) and keyword.arg in _EVENTS
        case ast.Call(func=ast.Attribute(attr="add_event_handler"), args=[_, handler]):
            return handler is mention
        case ast.Call(func=ast.Attribute(attr="append", value=ast.Attribute(attr=event)), args=[handler]):
            return handler is mention and event in _EVENTS
    return False


def _mentions_of(name: str, module: Module) -> Iterator[ast.expr]:
    """The calls of things with a name, and where such a thing is mentioned otherwise."""
    source = module.source
    called = source.calls.get(name, ())
    yield from called
    functions = {id(call.func) for call in called}
    for mention in source.nodes(ast.Name):
        if mention.id == name and id(mention) not in functions:
            yield mention
    for attribute in source.nodes(ast.Attribute):
        if attribute.attr == name and id(attribute) not in functions:
            yield attribute


def _is_alone(call: ast.Call, module: Module, depth: int) -> bool:
    """Whether a call of a coroutine function runs the coroutine while nothing else runs."""
    around = module.source.parent(call)
    if isinstance(around, ast.Call) and module.qualified_name(around.func) in _RUNNERS:
        return True
    info = module.function_around(call) if isinstance(around, ast.Await) else None
    if info is None or not info.is_async:
        return False
    return runs_alone(info) or _is_called_alone(info, depth + 1)
