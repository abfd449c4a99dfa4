"""Facts about tasks of Celery: the calls that queue them, and functions that do so for what they get."""

from __future__ import annotations

import ast
from collections.abc import Set
from dataclasses import dataclass

from pybackend_lint.project import calls
from pybackend_lint.project.callers import arguments, depends_on_arguments
from pybackend_lint.project.calls import Step
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

_TASKS = frozenset({"celery.shared_task", "celery.task", "celery.Celery.task", "celery.app.shared_task"})
QUEUES = ("delay", "apply_async")
_CUSTOM_TASKS = (b"task_cls", b"def apply_async", b"def delay")
_KEYS = ("_pk", "_id", "_uuid")
_MAX_CALLS = 3


@dataclass(frozen=True, slots=True)
class Queued:
    """A task that a function queues for one of its arguments, and the calls that lead to it."""

    task: str
    chain: tuple[Step, ...]


def is_task(function: FunctionInfo) -> bool:
    """Whether a function is a task of Celery."""
    return any(name in _TASKS or (name or "").endswith(".task") for name in function.decorators)


def may_queue(module: Module) -> bool:
    """Whether the project queues tasks, and none of its own classes of tasks may wait for a commit."""
    index = module.modules
    assert isinstance(index, Index)
    if not any(files_with(index, module, name.encode()) for name in QUEUES):
        return False
    return not any(files_with(index, module, text) for text in _CUSTOM_TASKS)


def task_of(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The task that a call queues; None where its class may wait for the commit itself."""
    if last_name(call.func) not in QUEUES:
        return None
    target = call.func.value if isinstance(call.func, ast.Attribute) else None
    signature = _signature(call)
    if signature is not None and isinstance(signature.func, ast.Attribute):
        target = signature.func.value
    known = module.type_of(target) if target is not None else None
    function = None
    if known is not None and known.kind is Kind.FUNCTION:
        function = module.modules.function_info(known.name)
    if function is None or not is_task(function):
        return None
    keywords = [
        keyword.arg
        for decorator in function.node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    ]
    return None if "base" in keywords or None in keywords else function


def _signature(call: ast.Call) -> ast.Call | None:
    """The call that binds the arguments of a task before another one queues it: `task.s(1).delay()`."""
    match call.func:
        case ast.Attribute(value=ast.Call(func=ast.Attribute(attr="s" | "si" | "signature")) as signature):
            return signature
    return None


def is_given(call: ast.Call, name: str) -> bool:
    """Whether a call passes a row or its key, alone or in the lists that `apply_async` takes."""
    signature = _signature(call)
    return any(
        _is_of(value, name)
        for part in (call, *((signature,) if signature is not None else ()))
        for value in (*part.args, *(keyword.value for keyword in part.keywords))
    )


def _is_of(value: ast.expr, name: str) -> bool:
    """Whether a value is the row of a name, its key, or a list or dictionary with one of them."""
    match value:
        case ast.List(elts=inner) | ast.Tuple(elts=inner) | ast.Dict(values=inner):
            return any(_is_of(item, name) for item in inner)
        case ast.Call(func=ast.Name(id="str"), args=inner):
            return any(_is_of(item, name) for item in inner)
        case ast.Attribute(value=row, attr=attr) if f"_{attr}".endswith(_KEYS):
            return isinstance(row, ast.Name) and row.id == name
    return isinstance(value, ast.Name) and value.id == name


def queued_by(call: ast.Call, rows: Set[str], module: Module, depth: int = 0) -> Queued | None:
    """The task that a called function of the project queues for one of some rows, or for its key."""
    function = module.function_called(call)
    if function is None or function.is_async or not calls.follows(function):
        return None
    given = arguments(call, function, module) or {}
    for parameter, value in given.items():
        if any(_is_of(value, name) for name in rows):
            queued = _queued_for(function, parameter, depth)
            if queued is not None:
                source = module.source
                step = Step(source.path, source.position(source.start(call)), function.node.name)
                return Queued(queued.task, (step, *queued.chain))
    return None


def _queued_for(function: FunctionInfo, parameter: str, depth: int) -> Queued | None:
    index = function.module.modules
    assert isinstance(index, Index)
    key = ("queued tasks", function.module.name, id(function.node), parameter, depth)
    return index.fact(key, lambda: _find_queued(function, parameter, depth))


def _find_queued(function: FunctionInfo, parameter: str, depth: int) -> Queued | None:
    """The first task that a function queues for a parameter, or for each element of it, in any case."""
    module, source = function.module, function.module.source
    loops = [
        loop
        for loop in function.own(ast.For)
        if isinstance(loop.iter, ast.Name) and loop.iter.id == parameter
    ]
    rows = {parameter, *(loop.target.id for loop in loops if isinstance(loop.target, ast.Name))}
    for call in sorted(function.own(ast.Call), key=lambda call: (call.lineno, call.col_offset)):
        if not any(is_given(call, name) for name in rows) or depends_on_arguments(call, function):
            continue
        if any(isinstance(around, ast.ExceptHandler) for around in source.ancestors(call)):
            continue
        task = task_of(call, module)
        if task is not None:
            return Queued(
                task.node.name, (Step(source.path, source.position(source.start(call)), task.node.name),)
            )
        queued = queued_by(call, rows, module, depth + 1) if depth < _MAX_CALLS else None
        if queued is not None:
            return queued
    return None
