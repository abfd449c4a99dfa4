"""Coroutines that are started for every element of something at once, without a bound."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks.asyncio import TASK_FUNCTIONS
from pybackend_lint.frameworks.data.coroutines import COROUTINES
from pybackend_lint.frameworks.sqlalchemy_tasks import is_single_session
from pybackend_lint.project import calls
from pybackend_lint.project.callers import arguments, callers
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import COMPREHENSIONS, FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

_STARTS = TASK_FUNCTIONS | {"asyncio.TaskGroup.create_task"}
# A pool of asyncpg makes its callers wait without a timeout: it is a bound itself.
_REQUESTS = frozenset(
    {
        *(
            name
            for name in COROUTINES
            if name.startswith(("httpx.AsyncClient.", "asyncpg.", "sqlalchemy.ext.asyncio.AsyncSession."))
            and not name.startswith("asyncpg.Pool.")
            and not name.endswith(("close", "rollback", "delete"))
        ),
        *(
            f"aiohttp.ClientSession.{verb}"
            for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request", "ws_connect")
        ),
        "aiohttp.request",
        "httpx.AsyncClient.stream",
        "httpx.AsyncClient.delete",
    }
)  # fmt: skip
_LIMITER = re.compile(
    r"(^|_)sem(s|aphores?)?(_|$)|semaphore|limiter|rate_?limit|throttl|^acquire|^wait$|limits$"
)
_HELD = re.compile(r"sem|limit|lock|slot|throttl|pool|concurren")
_SMALL = re.compile(
    r"limit|max_|page|batch|chunk|slice|sample|(^|_)top|window|shard|worker|partition|concurren"
)
_SIZE_FACTS = re.compile(r"max_length|max_items|conlist|Literal")
_CLIENTS = frozenset({"httpx.AsyncClient", "aiohttp.ClientSession"})
_POOLED = ("httpx.", "aiohttp.")
_TUNING = (b"max_connections", b"TCPConnector")
_SAME_SIZE = frozenset(
    {"enumerate", "sorted", "list", "set", "tuple", "frozenset", "reversed", "dict", "zip", "iter"}
)
_VIEWS = frozenset({"items", "values", "keys", "copy"})
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_MOST_FUNCTIONS = 200
_FEW = 20
_DEEPEST = 5


@dataclass(frozen=True, slots=True, eq=False)
class Unbounded:
    """A place that starts a coroutine for each element of `iterable`, and how the coroutine goes out."""

    coroutine: ast.Call
    iterable: ast.expr
    chain: tuple[Step, ...]


def unbounded_start(call: ast.Call, module: Module) -> Unbounded | None:
    """What a call of `gather()` or `create_task()` starts for each element of something unbounded."""
    function = module.source.enclosing_function(call)
    if not isinstance(function, FUNCTIONS) or _SMALL.search(function.name):
        return None
    for coroutine, iterables in _started(call, module):
        iterable = next((value for value in iterables if not _is_bounded(value, module)), None)
        if iterable is None or _is_held(call, module) or _checks_length(iterable, function, module):
            continue
        if _limits(module.function_info(function)):
            continue
        chain = _chain(coroutine, module)
        if chain and not (chain[-1].name.startswith(_POOLED) and _may_be_tuned(coroutine, function, module)):
            return Unbounded(coroutine, iterable, chain)
    return None


def _started(call: ast.Call, module: Module) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """The coroutines that a call starts many times, with what is iterated."""
    if last_name(call.func) == "gather":
        starred = [node.value for node in call.args if isinstance(node, ast.Starred)]
        if starred and module.qualified_name(call.func) == "asyncio.gather":
            for value in starred:
                yield from _listed(value, module)
    elif call.args and isinstance(call.args[0], ast.Call):
        loop = _loop(call, module)
        if loop is not None and _is_start(call, module):
            yield call.args[0], [loop.iter]


def _listed(value: ast.expr, module: Module) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    match value:
        case (
            ast.ListComp(elt=ast.Call() as item, generators=generators)
            | ast.GeneratorExp(elt=ast.Call() as item, generators=generators)
        ):
            if item.args and isinstance(item.args[0], ast.Call) and _is_start(item, module):
                item = item.args[0]
            yield item, [generator.iter for generator in generators]
        case ast.Name(id=name):
            found = module.lookup(name, value)
            bindings = found[1] if found is not None else []
            if len(bindings) == 1 and bindings[0].kind == "assign" and not bindings[0].path:
                given = bindings[0].value
                if isinstance(given, (ast.ListComp, ast.GeneratorExp)):
                    yield from _listed(given, module)
                elif isinstance(given, ast.List) and not given.elts:
                    yield from _appended(name, value, module)


def _appended(name: str, use: ast.Name, module: Module) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    for call in _grown(name, use, module):
        if len(call.args) == 1 and isinstance(call.args[0], ast.Call):
            loop = _loop(call, module)
            if loop is not None and not _is_start(call.args[0], module):
                yield call.args[0], [loop.iter]


def _grown(name: str, use: ast.AST, module: Module) -> Iterator[ast.Call]:
    """The calls that put something into a collection that a local name stands for."""
    function = module.source.enclosing_function(use)
    if not isinstance(function, FUNCTIONS):
        return
    for call in module.function_info(function).own(ast.Call):
        match call.func:
            case ast.Attribute(value=ast.Name(id=owner), attr="append" | "extend" | "add" | "update") if (
                owner == name
            ):
                yield call


def _is_start(call: ast.Call, module: Module) -> bool:
    if last_name(call.func) not in {"create_task", "ensure_future"}:
        return False
    callee = module.type_of(call.func)
    return callee is not None and callee.name in _STARTS


def _loop(call: ast.Call, module: Module) -> ast.For | None:
    """The loop that a call is repeated by, where the loop neither waits nor ends early."""
    for outer in module.source.ancestors(call):
        if isinstance(
            outer, (*FUNCTIONS, ast.Lambda, ast.ClassDef, ast.While, ast.AsyncFor, *COMPREHENSIONS)
        ):
            return None
        if isinstance(outer, ast.For):
            waits = any(
                isinstance(node, (ast.Await, ast.Break, ast.Return, ast.AsyncWith, ast.AsyncFor))
                for statement in outer.body
                for node in ast.walk(statement)
            )
            return None if waits else outer
    return None


def _is_held(call: ast.Call, module: Module) -> bool:
    """Whether a call stands in a block that may bound it."""
    for outer in module.source.ancestors(call):
        if isinstance(outer, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            return False
        if isinstance(outer, (ast.With, ast.AsyncWith)) and _holds(outer):
            return True
    return False


def _holds(block: ast.With | ast.AsyncWith) -> bool:
    return any(_HELD.search(word) for item in block.items for word in _words(item.context_expr))


def _words(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)):
                yield word.lower()


def _chain(call: ast.Call, module: Module) -> tuple[Step, ...] | None:
    """The way from a coroutine function of the project to a request or query, where nothing bounds it."""
    function = module.function_called(call)
    if function is None or not function.is_async or not calls.follows(function):
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if any(is_single_session(module.type_of(value), module) for value in given):
        return None
    chain = calls.reach(function, "asks over the network", _goes_out, calls.follows)
    return chain if chain and not _limits_itself(function) else None


def _may_be_tuned(call: ast.Call, around: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> bool:
    """Whether requests may share a client whose connections some file of the project limits."""
    index = module.modules
    callee = module.type_of(call.func)
    function = module.modules.function_info(callee.name) if callee is not None else None
    assert isinstance(index, Index)
    if function is None or any(_is_client(site) for site in calls.call_sites(module.function_info(around))):
        return False
    if calls.reach(function, "makes a client", _is_client, calls.follows) is not None:
        return False
    return any(files_with(index, module, word) for word in _TUNING)


def _is_client(site: CallSite) -> bool:
    return site.name in _CLIENTS


def _goes_out(site: CallSite) -> bool:
    return site.name in _REQUESTS


def _limits_itself(function: FunctionInfo) -> bool:
    """Whether a function, or one that it reaches, may wait for its turn or goes on for ever."""
    index = function.module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("limits itself", function.module.name, id(function.node)), lambda: _any_limits(function)
    )


def _any_limits(function: FunctionInfo) -> bool:
    reached = {function.name: function}
    pending = [function]
    while pending:
        current = pending.pop()
        for_ever = any(isinstance(loop.test, ast.Constant) for loop in current.own(ast.While))
        if for_ever or _limits(current) or len(reached) > _MOST_FUNCTIONS:
            return True
        for inner in map(calls.target, calls.call_sites(current)):
            if inner is not None and inner.name not in reached:
                reached[inner.name] = inner
                pending.append(inner)
    return False


def _limits(function: FunctionInfo) -> bool:
    data = function.module.source.data
    if b"TCPConnector(" in data or b"Limits(" in data:
        return True
    blocks: Iterable[ast.With | ast.AsyncWith] = [*function.own(ast.With), *function.own(ast.AsyncWith)]
    if any(map(_holds, blocks)):
        return True
    words = [node.id for node in function.own(ast.Name)]
    words += [node.attr for node in function.own(ast.Attribute)]
    words += [word for decorator in function.node.decorator_list for word in _words(decorator)]
    for decorator in filter(
        None, map(function.module.modules.function_info, filter(None, function.decorators))
    ):
        words += _words(decorator.node)
    return any(_LIMITER.search(word.lower()) for word in words)


def _checks_length(
    iterable: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef, module: Module
) -> bool:
    """Whether a function compares the length of something with a number that is more than one."""
    wanted = ast.dump(iterable)
    for compared in module.function_info(function).own(ast.Compare):
        sides = [compared.left, *compared.comparators]
        if any(isinstance(side, ast.Constant) and side.value in {0, 1} for side in sides):
            continue
        for side in sides:
            match side:
                case ast.Call(func=ast.Name(id="len"), args=[measured]) if ast.dump(measured) == wanted:
                    return True
    return False


def _is_bounded(node: ast.expr, module: Module, depth: int = 0) -> bool:
    """Whether something that is iterated has few elements, or may have been cut to a size."""
    if depth > _DEEPEST:
        return True
    match node:
        case ast.Await(value=value) | ast.Starred(value=value):
            return _is_bounded(value, module, depth + 1)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            spread = [element for element in elements if isinstance(element, ast.Starred)]
            return all(_is_bounded(element, module, depth + 1) for element in spread)
        case (
            ast.ListComp(generators=generators)
            | ast.GeneratorExp(generators=generators)
            | ast.SetComp(generators=generators)
            | ast.DictComp(generators=generators)
        ):
            return all(_is_bounded(generator.iter, module, depth + 1) for generator in generators)
        case ast.BoolOp(values=[first, *_]) | ast.NamedExpr(value=first):
            return _is_bounded(first, module, depth + 1)
        case ast.IfExp(body=body, orelse=other):
            return _is_bounded(body, module, depth + 1) and _is_bounded(other, module, depth + 1)
        case ast.Call():
            return _is_bounded_call(node, module, depth)
        case ast.Name():
            return _is_bounded_name(node, module, depth)
        case ast.Attribute():
            return _is_bounded_attribute(node, module)
        case ast.Subscript(slice=index):
            return isinstance(index, ast.Slice) or any(map(_SMALL.search, _words(node)))
        case _:
            return True


def _is_bounded_call(call: ast.Call, module: Module, depth: int) -> bool:
    match call.func, call.args:
        case ast.Name(id="range"), [ast.Constant(value=int(number))]:
            return number <= _FEW
        case ast.Name(id="range"), [ast.Call(func=ast.Name(id="len"), args=[measured])]:
            return _is_bounded(measured, module, depth + 1)
        case ast.Name(id="range"), _:
            return True
        case ast.Name(id=name), [_, *_] if name in _SAME_SIZE:
            return any(_is_bounded(argument, module, depth + 1) for argument in call.args)
        case ast.Name(id="filter" | "map"), [_, value]:
            return _is_bounded(value, module, depth + 1)
        case ast.Attribute(value=value, attr=name), [] if name in _VIEWS:
            return _is_bounded(value, module, depth + 1)
    if any(map(_SMALL.search, _words(call))):
        return True
    callee = module.type_of(call.func)
    function = (
        module.modules.function_info(callee.name)
        if callee is not None and callee.kind is Kind.FUNCTION
        else None
    )
    if function is None:
        return False
    returned = function.returned
    return bool(returned) and all(isinstance(value, _DISPLAYS) for value in returned)


def _is_bounded_name(node: ast.Name, module: Module, depth: int) -> bool:
    name = node.id
    found = module.lookup(name, node)
    if name.isupper() or _SMALL.search(name.lower()) or found is None or found[0].kind in {"module", "class"}:
        return True
    return any(_is_bounded_binding(binding, node, module, depth) for binding in found[1])


def _is_bounded_binding(binding: Binding, use: ast.Name, module: Module, depth: int) -> bool:
    value = binding.value
    if binding.kind == "parameter":
        if _is_given_few(use, module, depth):
            return True
        given = [binding.annotation, value]
        known = module.type_of(use)
        return (known is not None and known.is_instance("builtins.tuple") and len(known.args) > 1) or any(
            _SIZE_FACTS.search(module.source.segment(part)) for part in given if part is not None
        )
    if binding.kind not in {"assign", "declare", "augmented"}:
        return True
    if value is None:
        return binding.kind != "declare"
    if binding.path:
        return any(map(_SMALL.search, _words(value)))
    is_empty = (isinstance(value, _DISPLAYS) and not [*ast.iter_child_nodes(value)][1:]) or (
        isinstance(value, ast.Call) and not value.args and last_name(value.func) in _SAME_SIZE
    )
    if is_empty:
        return not any(_is_repeated(call, module) for call in _grown(use.id, use, module))
    return _is_bounded(value, module, depth + 1)


def _is_given_few(parameter: ast.Name, module: Module, depth: int) -> bool:
    """Whether every known caller hands over something that is bounded."""
    enclosing = module.source.enclosing_function(parameter)
    if not isinstance(enclosing, FUNCTIONS):
        return False
    function = module.function_info(enclosing)
    given = [
        (arguments(caller.call, function, caller.module) or {}, caller.module) for caller in callers(function)
    ]
    values = [(found[parameter.id], caller) for found, caller in given if parameter.id in found]
    return bool(values) and all(_is_bounded(value, caller, depth + 1) for value, caller in values)


def _is_repeated(call: ast.Call, module: Module) -> bool:
    for outer in module.source.ancestors(call):
        if isinstance(outer, FUNCTIONS):
            return False
        if isinstance(outer, (ast.For, ast.AsyncFor)):
            return not _is_bounded(outer.iter, module, 1)
    return False


def _is_bounded_attribute(node: ast.Attribute, module: Module) -> bool:
    if node.attr.isupper() or any(_SMALL.search(word) or word in _SETTINGS for word in _words(node)):
        return True
    known = module.type_of(node)
    if known is not None and known.kind is not Kind.INSTANCE:
        return True
    owner = module.type_of(node.value)
    info = module.modules.class_info(owner.name) if owner is not None else None
    if info is None:
        return False
    member = info.member(node.attr)
    parts = [member[1].annotation, member[1].value] if member is not None else []
    if member is not None:
        source = member[0].module.source
        if any(_SIZE_FACTS.search(source.segment(part)) for part in parts if part is not None):
            return True
    held = info.instance_attributes.get(node.attr, [])
    return any(isinstance(value, (ast.Tuple, ast.List)) and value.elts for _, value in held)


# What objects and programs are set up with, which is seldom long.
_SETTINGS = frozenset({"self", "cls", "settings", "config", "cfg", "conf", "options", "args", "constants"})
