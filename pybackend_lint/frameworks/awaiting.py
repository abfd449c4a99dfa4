"""Facts about `await`, `async for` and `async with`: whether what they are given can be used so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pybackend_lint.frameworks.asyncio import coroutine_names, is_coroutine_function, renamed_among
from pybackend_lint.project.calls import imported_modules
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name


class Misuse(StrEnum):
    """How a call is used, and cannot be used."""

    AWAIT = "await"
    AWAIT_GENERATOR = "await of a generator"
    ASYNC_FOR = "async for"
    ASYNC_WITH = "async with"
    FOR = "for"
    WITH = "with"


@dataclass(frozen=True, slots=True, eq=False)
class Misused:
    """An expression that is awaited, iterated or entered in the wrong way, and the function behind it."""

    value: ast.expr
    misuse: Misuse
    function: FunctionInfo | None = None


_RESULT = ("all", "first", "one", "one_or_none", "scalars", "scalar", "scalar_one", "scalar_one_or_none",
           "fetchall", "fetchone", "mappings", "unique")  # fmt: skip
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
# Calls of libraries whose value can certainly not be awaited.
_PLAIN_CALLS = frozenset(
    {
        "time.sleep", "subprocess.run", "subprocess.check_output", "subprocess.check_call",
        "httpx.Response.json", "httpx.Response.raise_for_status", "requests.Response.json",
        "asyncio.Event.set", "asyncio.Event.clear", "asyncio.Queue.put_nowait", "asyncio.Queue.get_nowait",
        "asyncio.Queue.task_done", "asyncio.Lock.release", "asyncio.Semaphore.release", "asyncio.Task.cancel",
        "fastapi.BackgroundTasks.add_task", "starlette.background.BackgroundTasks.add_task",
        *(f"requests.{verb}" for verb in _VERBS),
        *(f"requests.Session.{verb}" for verb in _VERBS),
        *(f"httpx.{verb}" for verb in _VERBS),
        *(f"httpx.Client.{verb}" for verb in _VERBS),
        *(f"sqlalchemy.ext.asyncio.AsyncSession.{name}" for name in ("add", "add_all", "expunge", "expire")),
        *(f"sqlalchemy.{kind}.{name}" for kind in ("Result", "ScalarResult") for name in _RESULT),
    }
)  # fmt: skip
_PLAIN_NAMES = frozenset(name.rpartition(".")[2] for name in _PLAIN_CALLS)
_ITERATED = frozenset(
    f"builtins.{name}" for name in ("range", "enumerate", "zip", "sorted", "reversed", "list")
)
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)
_SYNC_MANAGERS = frozenset(
    {
        "threading.Lock", "threading.RLock", "threading.Semaphore", "threading.BoundedSemaphore",
        "threading.Condition", "httpx.Client", "requests.Session",
    }
)  # fmt: skip
_ASYNC_MANAGERS = frozenset(
    {
        "asyncio.Lock", "asyncio.Semaphore", "asyncio.BoundedSemaphore", "asyncio.Condition",
        "asyncio.TaskGroup", "httpx.AsyncClient", "aiohttp.ClientSession",
    }
)  # fmt: skip
_PLAIN_TYPES = ("builtins.", "datetime.", "decimal.", "uuid.", "pathlib.")
# Modules of the standard library whose functions and methods give nothing that can be awaited.
_PLAIN_MODULES = ("json.", "re.", "math.", "base64.", "hashlib.", "random.", "secrets.", "textwrap.", "time.")
_NOT_PLAIN = frozenset({"builtins.object", "builtins.type", "builtins.super"})
_PLAIN_BASES = frozenset(
    {
        "builtins.object", "builtins.str", "builtins.int", "builtins.dict", "builtins.list", "abc.ABC",
        "builtins.Exception", "enum.Enum", "enum.StrEnum", "enum.IntEnum", "pydantic.BaseModel",
        "typing.NamedTuple", "typing.TypedDict", "typing.Generic",
    }
)  # fmt: skip
_METHOD_DECORATORS = frozenset({"builtins.staticmethod", "builtins.classmethod"})
_MAX_DEPTH = 3


def misused(node: ast.AST, module: Module) -> Iterator[Misused]:
    """What a node awaits, iterates or enters in a way that can only raise; nothing where it may work."""
    match node:
        case ast.Await(value=ast.Call() as call):
            if last_name(call.func) in _generator_names(module):
                generator = _async_function(call, module)
                if generator is not None and generator.yields and not generator.decorators:
                    yield Misused(call, Misuse.AWAIT_GENERATOR, generator)
            if last_name(call.func) in _plain_names(module) and not _asks_before(node, module):
                function = _plain_function(call, module)
                if function is not None or _is_plain_call(call, module):
                    yield Misused(call, Misuse.AWAIT, function)
        case ast.AsyncFor(iter=value):
            yield from _iterated(value, module)
        case ast.comprehension(iter=value, is_async=1):
            yield from _iterated(value, module)
        case ast.For(iter=ast.Call() as call) | ast.comprehension(iter=ast.Call() as call, is_async=0):
            function = _async_function(call, module)
            if function is not None and function.yields and not function.decorators:
                yield Misused(call, Misuse.FOR, function)
        case ast.AsyncWith(items=items):
            for item in items:
                yield from _entered(item.context_expr, module)
        case ast.With(items=items):
            if isinstance(module.source.enclosing_function(node), ast.AsyncFunctionDef):
                for item in items:
                    yield from _entered_plainly(item.context_expr, module)


def _plain_names(module: Module) -> frozenset[str]:
    """The names of plain functions that a module and those it imports define, and of the known libraries'."""
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("plain names", module.name, id(module)),
        lambda: _all_plain_names(module),
    )


def _all_plain_names(module: Module) -> frozenset[str]:
    names = _PLAIN_NAMES.union(*map(_own_plain_names, (module, *imported_modules(module))))
    return names | renamed_among(names, module)


def _own_plain_names(module: Module) -> frozenset[str]:
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("own plain names", module.name, id(module)),
        lambda: frozenset(node.name for node in module.source.nodes(ast.FunctionDef)),
    )


def _generator_names(module: Module) -> frozenset[str]:
    """The names of the asynchronous generators that a module and those it imports define."""
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("generator names", module.name, id(module)),
        lambda: frozenset().union(*map(_own_generator_names, (module, *imported_modules(module)))),
    )


def _own_generator_names(module: Module) -> frozenset[str]:
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("own generator names", module.name, id(module)), lambda: _names_of_generators(module))


def _names_of_generators(module: Module) -> frozenset[str]:
    source = module.source
    if b"async" not in source.data:
        return frozenset()
    around = map(source.enclosing_function, source.nodes(ast.Yield))
    return frozenset(function.name for function in around if isinstance(function, ast.AsyncFunctionDef))


def _asks_before(node: ast.AST, module: Module) -> bool:
    """Whether the function asks if a value can be awaited."""
    calls = module.source.calls
    function = module.source.enclosing_function(node)
    asking = (
        *calls.get("isawaitable", ()),
        *calls.get("iscoroutine", ()),
        *calls.get("iscoroutinefunction", ()),
    )
    return any(module.source.enclosing_function(call) is function for call in asking)


def _is_plain_call(call: ast.Call, module: Module) -> bool:
    callee = module.type_of(call.func)
    return callee is not None and callee.kind is Kind.EXTERNAL and callee.name in _PLAIN_CALLS


def _function(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The one project function that a call calls; None where a subclass or a condition may decide."""
    function = module.function_called(call)
    if function is None or not set(function.decorators) <= _METHOD_DECORATORS:
        return None
    return function if is_defined_once(function) else None


def is_defined_once(function: FunctionInfo) -> bool:
    owner = function.owner
    module = function.module
    around = module.source.enclosing_function(function.node)
    scope = module.scope_of(around) if around is not None else module.scope
    if owner is not None:
        scope = owner.scope
    if len(scope.bindings.get(function.node.name, ())) != 1:
        return False
    return owner is None or function.node.name not in owner.instance_attributes


def _is_overridden(function: FunctionInfo) -> bool:
    """Whether some class of the project may define a method of this name as the other kind of function."""
    index = function.module.modules
    if function.owner is None or not isinstance(index, Index):
        return False
    name = function.node.name
    words = f"def {name}(" if function.is_async else f"async def {name}("
    for path in files_with(index, function.module, words.encode()):
        module = index.at(path, function.module)
        kind = ast.FunctionDef if function.is_async else ast.AsyncFunctionDef
        if module is None or any(getattr(node, "name", "") == name for node in module.source.nodes(kind)):
            return True
    return False


def _plain_function(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The plain function of the project that a call calls, when its result can certainly not be awaited."""
    function = _function(call, module)
    if function is None or not gives_plain_value(function) or _is_overridden(function):
        return None
    return function


def gives_plain_value(function: FunctionInfo, depth: int = 0) -> bool:
    """Whether every result of a plain function is known, and can certainly not be awaited."""
    if function.is_async or depth > _MAX_DEPTH or _is_stub(function):
        return False
    if function.yields:
        return True
    return all(value is None or _is_plain(value, function.module, depth) for value in function.returned)


def _is_stub(function: FunctionInfo) -> bool:
    """Whether a function does nothing, so that another one may be meant to take its place."""
    return all(
        isinstance(statement, (ast.Pass, ast.Raise))
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in function.node.body
    )


def _is_plain(value: ast.expr, module: Module, depth: int) -> bool:
    if isinstance(value, ast.Call):
        callee = module.type_of(value.func)
        if callee is not None and callee.kind is Kind.FUNCTION:
            inner = _function(value, module)
            return inner is not None and inner.owner is None and gives_plain_value(inner, depth + 1)
        if callee is not None and callee.kind is Kind.EXTERNAL and callee.name.startswith(_PLAIN_MODULES):
            return True
    if isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
        return False  # who set it may have set a coroutine
    return _is_plain_type(module.type_of(value), module)


def _is_plain_type(known: Type | None, module: Module) -> bool:
    if known is None or known.kind is not Kind.INSTANCE:
        return False
    if known.name.startswith(_PLAIN_TYPES):
        return known.name not in _NOT_PLAIN
    info = module.modules.class_info(known.name)
    return info is not None and _is_known(info) and info.method("__await__") is None


def _is_known(info: ClassInfo) -> bool:
    return info.is_closed and not info.libraries - _PLAIN_BASES


def _iterated(value: ast.expr, module: Module) -> Iterator[Misused]:
    if isinstance(value, _DISPLAYS):
        yield Misused(value, Misuse.ASYNC_FOR)
    if not isinstance(value, ast.Call):
        return
    if isinstance(value.func, ast.Name) and module.qualified_name(value.func) in _ITERATED:
        yield Misused(value, Misuse.ASYNC_FOR)
        return
    if last_name(value.func) not in _plain_names(module):
        return
    function = _function(value, module)
    if function is None or function.is_async or _is_overridden(function):
        return
    if function.yields or (gives_plain_value(function) and _is_builtin(value, module)):
        yield Misused(value, Misuse.ASYNC_FOR, function)


def _is_builtin(value: ast.expr, module: Module) -> bool:
    known = module.type_of(value)
    return known is not None and known.name.startswith("builtins.")


def _async_function(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The one `async def` of the project that a call calls."""
    if last_name(call.func) not in coroutine_names(module):
        return None
    function = module.function_called(call)
    if function is None or not function.is_async or not is_defined_once(function):
        return None
    return None if _is_overridden(function) else function


def _entered(value: ast.expr, module: Module) -> Iterator[Misused]:
    """A plain context manager where an asynchronous one is needed."""
    if not isinstance(value, (ast.Call, ast.Name, ast.Attribute)):
        return
    if isinstance(value, ast.Call):
        callee = module.type_of(value.func)
        if callee is not None and callee.name == "builtins.open":
            yield Misused(value, Misuse.ASYNC_WITH)
            return
        if callee is not None and callee.kind is Kind.FUNCTION:
            function = module.modules.function_info(callee.name)
            if function is not None and function.decorators == ("contextlib.contextmanager",):
                if is_defined_once(function) and not _is_overridden(function):
                    yield Misused(value, Misuse.ASYNC_WITH, function)
            return
    known = module.type_of(value)
    if known is None or known.kind is not Kind.INSTANCE or known.optional:
        return
    if known.name in _SYNC_MANAGERS or _has_only(known, "__enter__", "__aenter__", module):
        yield Misused(value, Misuse.ASYNC_WITH)


def _entered_plainly(value: ast.expr, module: Module) -> Iterator[Misused]:
    """An asynchronous context manager where a plain one is needed."""
    if isinstance(value, ast.Call):
        function = module.function_called(value) if last_name(value.func) in coroutine_names(module) else None
        if function is not None and function.decorators == ("contextlib.asynccontextmanager",):
            if is_defined_once(function) and not _is_overridden(function):
                yield Misused(value, Misuse.WITH, function)
            return
    elif not isinstance(value, (ast.Name, ast.Attribute)):
        return
    known = module.type_of(value)
    if known is None or known.kind is not Kind.INSTANCE or known.optional:
        return
    if known.name in _ASYNC_MANAGERS or _has_only(known, "__aenter__", "__enter__", module):
        yield Misused(value, Misuse.WITH)


def _has_only(known: Type, one: str, other: str, module: Module) -> bool:
    """Whether a class of the project has one of two methods, and certainly not the other."""
    info = module.modules.class_info(known.name)
    return (
        info is not None
        and _is_known(info)
        and info.method(one) is not None
        and info.member(other) is None
        and info.member("__getattr__") is None
    )


# Functions that others call

_CALLBACKS: dict[str, tuple[int, str]] = {
    "threading.Thread": (1, "target"),
    "threading.Timer": (1, "function"),
    "multiprocessing.Process": (1, "target"),
    "atexit.register": (0, "func"),
    "signal.signal": (1, "handler"),
    "asyncio.to_thread": (0, "func"),
    "asyncio.AbstractEventLoop.call_soon": (0, "callback"),
    "asyncio.AbstractEventLoop.call_soon_threadsafe": (0, "callback"),
    "asyncio.AbstractEventLoop.call_later": (1, "callback"),
    "asyncio.AbstractEventLoop.call_at": (1, "callback"),
    "asyncio.AbstractEventLoop.add_signal_handler": (1, "callback"),
    "asyncio.AbstractEventLoop.add_reader": (1, "callback"),
    "asyncio.AbstractEventLoop.add_writer": (1, "callback"),
    "asyncio.AbstractEventLoop.run_in_executor": (1, "func"),
    "asyncio.Task.add_done_callback": (0, ""),
    "asyncio.Future.add_done_callback": (0, ""),
    "concurrent.futures.Future.add_done_callback": (0, "fn"),
    "concurrent.futures.ThreadPoolExecutor.submit": (0, "fn"),
    "concurrent.futures.ProcessPoolExecutor.submit": (0, "fn"),
    "anyio.to_thread.run_sync": (0, "func"),
    "starlette.concurrency.run_in_threadpool": (0, "func"),
    "fastapi.concurrency.run_in_threadpool": (0, "func"),
    "asgiref.sync.sync_to_async": (0, "func"),
    "builtins.filter": (0, ""),
    "builtins.sorted": (9, "key"),
    "builtins.min": (9, "key"),
    "builtins.max": (9, "key"),
}  # fmt: skip
_CALLBACK_KEYWORDS = frozenset(keyword for _, keyword in _CALLBACKS.values())
CALLBACK_NAMES = frozenset(name.rpartition(".")[2] for name in _CALLBACKS)
THREADED = frozenset(
    {"asyncio.to_thread", "anyio.to_thread.run_sync", "starlette.concurrency.run_in_threadpool",
     "fastapi.concurrency.run_in_threadpool"}
)  # fmt: skip
_TASKS = ("celery.shared_task", "celery.Celery.task", "celery.task")


@dataclass(frozen=True, slots=True, eq=False)
class Callback:
    """A coroutine function that is given to something which calls it and drops the coroutine."""

    api: str
    given: ast.expr
    function: FunctionInfo


def dropped_callback(call: ast.Call, module: Module) -> Callback | None:
    """The coroutine function that a call hands to what can only call plain functions, or None."""
    given_by_name = [keyword.value for keyword in call.keywords if keyword.arg in _CALLBACK_KEYWORDS]
    if not any(_may_be_coroutine(item, module) for item in (*call.args[:2], *given_by_name)):
        return None
    callee = module.type_of(call.func)
    if callee is None or callee.name not in _CALLBACKS or callee.kind is Kind.FUNCTION:
        return None
    position, keyword = _CALLBACKS[callee.name]
    given = next((item.value for item in call.keywords if item.arg == keyword), None)
    if given is None and position < len(call.args):
        if any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1]):
            return None
        given = call.args[position]
    if given is None or (not callee.name.startswith("builtins.") and _is_handled(call, module)):
        return None
    function = _given_function(given, module)
    return Callback(callee.name, given, function) if function is not None else None


def _may_be_coroutine(given: ast.expr, module: Module) -> bool:
    """Whether, by its name alone, an argument may be a coroutine function."""
    match given:
        case ast.Call(args=[inner, *_]) if last_name(given.func) == "partial":
            return _may_be_coroutine(inner, module)
        case ast.Lambda(body=ast.Call(func=func)):
            return _may_be_coroutine(func, module)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if b"async" in module.source.data:
                return name in coroutine_names(module)
            # A name or attribute that is imported: whether it is a coroutine function is asked later.
            return not isinstance(given, ast.Name) or name in module.scope.bindings
    return False


def _given_function(given: ast.expr, module: Module) -> FunctionInfo | None:
    if (
        isinstance(given, ast.Call)
        and given.args
        and module.qualified_name(given.func) == "functools.partial"
    ):
        given = given.args[0]
    if isinstance(given, ast.Lambda) and isinstance(given.body, ast.Call):
        given = given.body.func
    if not isinstance(given, (ast.Name, ast.Attribute)):
        return None
    known = module.type_of(given)
    function = None
    if known is not None and known.kind is Kind.FUNCTION:
        function = module.modules.function_info(known.name)
    if function is None or not is_coroutine_function(function) or not is_defined_once(function):
        return None
    return None if _is_overridden(function) else function


def _is_handled(call: ast.Call, module: Module) -> bool:
    """Whether the coroutine that comes back is run after all: it is awaited or given to `asyncio.run`."""
    source = module.source
    parent = source.parent(call)
    if isinstance(parent, ast.Await):
        parent = source.parent(parent)
    if isinstance(parent, (ast.Await, ast.Call)):
        return True
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        name = parent.targets[0].id
        function = source.enclosing_function(call)
        return any(
            isinstance(awaited.value, ast.Name) and awaited.value.id == name
            for awaited in source.nodes(ast.Await)
            if source.enclosing_function(awaited) is function
        )
    return False


def is_task(function: FunctionInfo) -> bool:
    """Whether a coroutine function is registered as a task of Celery, which calls it and never awaits."""
    targets = [d.func if isinstance(d, ast.Call) else d for d in function.node.decorator_list]
    return not {"task", "shared_task"}.isdisjoint(map(last_name, targets)) and any(
        name in _TASKS for name in function.decorators
    )
