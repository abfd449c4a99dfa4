"""Asynchronous sessions that several coroutines use at the same time.

Source: SQLAlchemy, "Is the Session thread-safe? Is AsyncSession safe to share in concurrent tasks?": one
session stands for one transaction on one connection and must not be used by two tasks at once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_expiry import inside, is_async_session
from pybackend_lint.frameworks.sqlalchemy_uses import handed_over
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import COMPREHENSIONS
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_GATHERS = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed"})
_STARTS = frozenset({"asyncio.create_task", "asyncio.ensure_future"})
_GROUPS = frozenset({"asyncio.TaskGroup", "asyncio.taskgroups.TaskGroup"})
# Methods of a session that talk to the database.
_TALKS = names.BLOCKING_METHODS | {"stream", "stream_scalars", "delete", "close", "begin", "run_sync"}
_DEEPEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """A session that several coroutines use at once: where they are started, and two of them.

    `first` and `second` are the same call where a comprehension or loop starts many.
    """

    node: ast.expr
    session: str
    first: ast.Call
    second: ast.Call


def shared_sessions(function: FunctionInfo, ctx: Context) -> Iterator[Shared]:
    """The sessions that a coroutine function gives to several coroutines at once."""
    module = function.module
    for call in function.own(ast.Call):
        if _is_named(call, {"gather", "wait", "as_completed"}) and (
            module.qualified_name(call.func) in _GATHERS
        ):
            started = [item for argument in call.args for item in _started(argument, function)]
            yield from _shared(call.func, started, function)
    for block in function.own(ast.AsyncWith):
        group = _task_group(block, module)
        if group is not None:
            yield from _shared(block.items[0].context_expr, list(_in_group(block, group, module)), function)


Started = tuple[ast.Call, bool]  # the call of a coroutine function, and whether there are many of it


def _is_named(call: ast.Call, wanted: set[str]) -> bool:
    return last_name(call.func) in wanted


def _started(node: ast.expr, function: FunctionInfo) -> Iterator[Started]:
    """The calls of coroutine functions that an argument of `gather()` starts."""
    module = function.module
    match node:
        case ast.Starred(value=value):
            yield from _started(value, function)
        case ast.Call():
            if module.qualified_name(node.func) in _STARTS and node.args:
                yield from _started(node.args[0], function)
            else:
                yield node, False
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for element in elements:
                yield from _started(element, function)
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element):
            for call, _ in _started(element, function):
                yield call, True
        case ast.Name(id=name):
            found = module.lookup(name, node)
            if found is not None and len(found[1]) == 1 and found[1][0].kind == "assign":
                given = found[1][0].value
                if isinstance(given, (ast.Call, ast.ListComp, ast.List, ast.Tuple)) and not found[1][0].path:
                    yield from _started(given, function)
                yield from _appended(name, function)


def _appended(name: str, function: FunctionInfo) -> Iterator[Started]:
    """What a function appends to a list of coroutines; many where it does so in a loop."""
    source = function.module.source
    for call in function.own(ast.Call):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append"), args=[item]) if (
                owner == name
            ):
                repeated = any(isinstance(outer, (ast.For, ast.AsyncFor)) for outer in source.ancestors(call))
                for started, many in _started(item, function):
                    yield started, many or repeated


def _task_group(block: ast.AsyncWith, module: Module) -> str | None:
    """The name of a task group that a block opens."""
    for item in block.items:
        match item:
            case ast.withitem(context_expr=ast.Call(func=func), optional_vars=ast.Name(id=name)) if (
                module.qualified_name(func) in _GROUPS
            ):
                return name
    return None


def _in_group(block: ast.AsyncWith, group: str, module: Module) -> Iterator[Started]:
    for statement in block.body:
        for node in inside(statement):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=owner), attr="create_task"),
                    args=[ast.Call() as call, *_],
                ) if owner == group:
                    loops = (ast.For, ast.AsyncFor, ast.While, *COMPREHENSIONS)
                    repeated = any(
                        isinstance(outer, loops) and _is_below(outer, block)
                        for outer in module.source.ancestors(node)
                    )
                    yield call, repeated


def _is_below(node: ast.AST, block: ast.AsyncWith) -> bool:
    return getattr(node, "lineno", 0) >= block.lineno and (
        (getattr(node, "end_lineno", 0) or 0) <= (block.end_lineno or 0)
    )


def _shared(node: ast.expr, started: list[Started], function: FunctionInfo) -> Iterator[Shared]:
    users: dict[str, ast.Call] = {}
    reported: set[str] = set()
    for call, many in started:
        for session in _sessions(call, function):
            first = users.setdefault(session, call)
            if (many or first is not call) and session not in reported:
                if not (many and _is_made_for_each(session, call, function.module)):
                    reported.add(session)
                    yield Shared(node, session, first, call)


def _is_made_for_each(session: str, call: ast.Call, module: Module) -> bool:
    """Whether the name of a session is bound anew in the comprehension or loop that starts the calls."""
    root = session.partition(".")[0]
    for node in inside(call):
        if isinstance(node, ast.Name) and node.id == root:
            found = module.lookup(root, node)
            loops = (ast.For, ast.AsyncFor, *COMPREHENSIONS)
            if found is None or any(binding.kind in {"for", "comprehension"} for binding in found[1]):
                return True
            return any(
                isinstance(outer, loops) and any(binding.node in set(inside(outer)) for binding in found[1])
                for outer in module.source.ancestors(call)
            )
    return False


def _sessions(call: ast.Call, function: FunctionInfo) -> Iterator[str]:
    """The sessions, as the function writes them, that a coroutine uses."""
    module = function.module
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value
        if call.func.attr in _TALKS and is_single_session(module.type_of(owner), module):
            yield module.source.segment(owner)
            return
        yield from _of_object(call, owner, module)
    for argument, callee, parameter in handed_over(call, module):
        if isinstance(argument, (ast.Name, ast.Attribute)) and callee.is_async:
            if is_single_session(module.type_of(argument), module) and uses_session(callee, parameter):
                yield module.source.segment(argument)


def _of_object(call: ast.Call, owner: ast.expr, module: Module) -> Iterator[str]:
    """The session that an object keeps, when the method that is called uses it."""
    known = module.type_of(call.func)
    method = module.modules.function_info(known.name) if known is not None else None
    if method is None or known is None or known.kind is not Kind.FUNCTION or not method.is_async:
        return
    if method.owner is None or method.is_static or method.is_class_method:
        return
    for attribute in _kept_sessions(method):
        if isinstance(owner, (ast.Name, ast.Call)):
            value: ast.expr | None = owner
            if isinstance(owner, ast.Name):
                found = module.lookup(owner.id, owner)
                value = found[1][0].value if found is not None and len(found[1]) == 1 else None
            if isinstance(value, ast.Call):
                given = [item for item in value.args if is_single_session(module.type_of(item), module)]
                if len(given) != 1:
                    return
                yield module.source.segment(given[0])
                return
        if isinstance(owner, (ast.Name, ast.Attribute)):
            yield f"{module.source.segment(owner)}.{attribute}"
            return


def _kept_sessions(method: FunctionInfo) -> Iterator[str]:
    """The attributes of `self` that hold a session on which a method awaits a call."""
    first = [*method.node.args.posonlyargs, *method.node.args.args][:1]
    if not first or _is_locked(method):
        return
    seen: set[str] = set()
    for awaited in method.own(ast.Await):
        match awaited.value:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=this), attr=attr) as kept, attr=name)
            ) if this == first[0].arg and name in _TALKS and attr not in seen:
                if is_single_session(method.module.type_of(kept), method.module):
                    seen.add(attr)
                    yield attr


def uses_session(function: FunctionInfo, parameter: str, depth: int = 0) -> bool:
    """Whether a coroutine function awaits calls on the session that it gets as a parameter."""
    index = function.module.modules
    if depth > _DEEPEST or not isinstance(index, Index):
        return False
    return index.fact(
        ("sqlalchemy uses session", function.module.name, id(function.node), parameter, depth),
        lambda: _uses_session(function, parameter, depth),
    )


def _uses_session(function: FunctionInfo, parameter: str, depth: int) -> bool:
    module = function.module
    if not function.is_transparent or _is_locked(function):
        return False
    if any(isinstance(name.ctx, ast.Store) and name.id == parameter for name in function.own(ast.Name)):
        return False
    for awaited in function.own(ast.Await):
        call = awaited.value
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (
                owner == parameter and name in _TALKS
            ):
                return True
            case ast.Call():
                for argument, callee, inner in handed_over(call, module):
                    if isinstance(argument, ast.Name) and argument.id == parameter and callee.is_async:
                        if uses_session(callee, inner, depth + 1):
                            return True
    return False


def _is_locked(function: FunctionInfo) -> bool:
    """Whether a function takes a lock or semaphore, so that only one runs at a time."""
    return any(
        word in function.module.source.segment(item.context_expr).lower()
        for block in function.own(ast.AsyncWith)
        for item in block.items
        for word in ("lock", "semaphore", "limiter")
    )


def is_single_session(known: Type | None, module: Module) -> bool:
    """Whether a value is an asynchronous session itself, which tasks that have it share."""
    return is_async_session(known, module, registries=False)
