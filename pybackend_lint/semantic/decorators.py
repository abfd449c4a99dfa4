"""Decorators of the project: what stands in for the function that one is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pybackend_lint.semantic.endings import falls_through
from pybackend_lint.semantic.scopes import FUNCTIONS

if TYPE_CHECKING:
    from pybackend_lint.semantic.definitions import FunctionInfo

_BY_KIND = "iscoroutinefunction"


def keeps(decorator: FunctionInfo, function: FunctionInfo, *, called: bool) -> bool:
    """Whether calling a decorated function has the result of the function itself, for the same arguments.

    `called` tells that the decorator is what a call of `decorator` returns.
    """
    if called:
        inner = _nested(decorator, decorator.returned[0]) if len(decorator.returned) == 1 else []
        return len(inner) == 1 and keeps(inner[0], function, called=False)
    wrappers = decorator.wrappers
    if wrappers is None:
        return False
    kinds = {wrapper.is_async for wrapper in wrappers}
    if function.is_async or True not in kinds:
        return not (function.yields and True in kinds)
    return False in kinds and _BY_KIND in decorator.module.source.segment(decorator.node)


def gives_coroutines(decorator: FunctionInfo, *, called: bool) -> bool:
    """Whether what a decorator puts in place of a function is an `async def` of its own in any case.

    `called` tells that the decorator is what a call of `decorator` returns.
    """
    if not decorator.returned or decorator.is_async or decorator.yields:
        return False
    for value in decorator.returned:
        nested = _nested(decorator, value)
        for function in nested:
            if called:
                if not gives_coroutines(function, called=False):
                    return False
            elif not function.is_async or function.yields or not function.is_transparent:
                return False
        if not nested:
            return False
    return True


def wrappers(decorator: FunctionInfo) -> tuple[FunctionInfo, ...] | None:
    """The functions that a decorator puts in place of the one it is given; none when it gives that back.

    None when it may give back something else, or one that does not call the function with its own arguments
    and return the result.
    """
    parameters = [parameter.arg for parameter, _ in decorator.parameters()]
    if not parameters or not decorator.returned or decorator.is_async or decorator.yields:
        return None
    given = parameters[0]
    if len(decorator.module.scope_of(decorator.node).bindings[given]) != 1:
        return None
    found: list[FunctionInfo] = []
    for value in decorator.returned:
        for alternative in _alternatives(value):
            if isinstance(alternative, ast.Name) and alternative.id == given:
                continue
            nested = _nested(decorator, alternative)
            if not nested or not all(_hands_on(wrapper, given) for wrapper in nested):
                return None
            found += nested
    return tuple(found)


def _alternatives(value: ast.expr | None) -> Iterator[ast.expr | None]:
    match value:
        case ast.IfExp(body=body, orelse=orelse):
            yield from _alternatives(body)
            yield from _alternatives(orelse)
        case ast.Call(func=ast.Name(id="cast") | ast.Attribute(attr="cast"), args=[_, inner]):
            yield from _alternatives(inner)
        case _:
            yield value


def _nested(function: FunctionInfo, name: ast.expr | None) -> list[FunctionInfo]:
    """The functions that are defined under a name inside another one."""
    if not isinstance(name, ast.Name):
        return []
    bindings = function.module.scope_of(function.node).bindings.get(name.id, [])
    if not all(isinstance(binding.node, FUNCTIONS) for binding in bindings):
        return []
    return [function.module.function_info(binding.node) for binding in bindings]  # type: ignore[arg-type]


def _hands_on(wrapper: FunctionInfo, given: str) -> bool:
    """Whether a function calls another one with its own arguments and returns nothing but the result."""
    bindings = wrapper.module.scope_of(wrapper.node).bindings
    if wrapper.yields or not wrapper.is_transparent or given in bindings:
        return False
    if falls_through(wrapper.node.body, wrapper.module):
        return False
    arguments = wrapper.node.args
    own = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg is not None:
        own.append(f"*{arguments.vararg.arg}")
    own += [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        own.append(f"**{arguments.kwarg.arg}")
    results: list[ast.expr] = []
    for call in wrapper.own(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == given and list(_passed(call)) == own:
            parent = wrapper.module.source.parent(call)
            results.append(parent if wrapper.is_async and isinstance(parent, ast.Await) else call)
    if wrapper.is_async and not all(isinstance(result, ast.Await) for result in results):
        return False
    return bool(wrapper.returned) and all(
        value in results
        or (
            isinstance(value, ast.Name)
            and value.id in bindings
            and all(binding.kind == "assign" and binding.value in results for binding in bindings[value.id])
        )
        for value in wrapper.returned
    )


def _passed(call: ast.Call) -> Iterator[str]:
    """The arguments of a call as its caller's parameters would be written; other expressions as such."""
    for argument in call.args:
        yield ast.unparse(argument)
    for keyword in call.keywords:
        value = ast.unparse(keyword.value)
        yield f"{keyword.arg}={value}" if keyword.arg is not None else f"**{value}"
