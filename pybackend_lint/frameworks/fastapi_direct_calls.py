"""Functions made for FastAPI that code calls itself, and the parameters such calls leave to their markers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import fastapi
from pybackend_lint.project.calls import imported_modules
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_MARKER_WORDS = (b"Depends", b"Security", b"Query", b"Path", b"Header", b"Cookie", b"Body", b"Form", b"File")


@dataclass(frozen=True, eq=False)
class DirectCall:
    """A call of a function that leaves a parameter to a marker such as `Depends(...)`, which it then uses."""

    call: ast.Call
    function: FunctionInfo
    parameter: ast.arg
    marker: ast.Call


def direct_calls(module: Module) -> list[DirectCall]:
    """The calls of a module that hand a marker to the body of a function, each once, in source order."""
    index = module.modules
    if not isinstance(index, Index):
        return []
    found: dict[int, DirectCall] = {}
    for home in (module, *imported_modules(module)):
        for name, functions in _marked_functions(home).items():
            for call in module.source.calls.get(name, ()):
                for function in functions:
                    if module.qualified_name(call.func) == function.name:
                        for item in _left_to_markers(call, function):
                            found.setdefault(id(call), item)
    return sorted(found.values(), key=lambda item: (item.call.lineno, item.call.col_offset))


def _marked_functions(module: Module) -> dict[str, list[FunctionInfo]]:
    """The functions of a module that have a marker as default, by name."""
    return fastapi.fact(module, "fastapi functions with markers", _find_marked_functions)


def _find_marked_functions(module: Module) -> dict[str, list[FunctionInfo]]:
    found: dict[str, list[FunctionInfo]] = {}
    data = module.source.data
    if b"fastapi" not in data or not any(word in data for word in _MARKER_WORDS):
        return found
    for statement in module.source.tree.body:
        if isinstance(statement, FUNCTIONS):
            function = module.function_info(statement)
            if any(fastapi.marker_of(default, module) for _, default in function.parameters()):
                found.setdefault(statement.name, []).append(function)
    return found


def _left_to_markers(call: ast.Call, function: FunctionInfo) -> Iterator[DirectCall]:
    if any(isinstance(item, ast.Starred) for item in call.args):
        return
    given = {keyword.arg for keyword in call.keywords}
    if None in given:
        return
    names = {node.id for node in function.own(ast.Name) if isinstance(node.ctx, ast.Load)}
    rebound = {node.id for node in function.own(ast.Name) if isinstance(node.ctx, ast.Store)}
    tested = _tested_for_type(function)
    positional = [*function.node.args.posonlyargs, *function.node.args.args]
    given |= {parameter.arg for parameter in positional[: len(call.args)]}
    for parameter, default in function.parameters():
        name = parameter.arg
        if (
            isinstance(default, ast.Call)
            and name not in given
            and fastapi.marker_of(default, function.module) is not None
            and name in names
            and name not in rebound | tested
            and not _counts_as_true(default, function.module)
        ):
            yield DirectCall(call, function, parameter, default)


def _counts_as_true(marker: ast.Call, module: Module) -> bool:
    """Whether the default of a marker is True, as which the marker itself counts too."""
    if fastapi.is_injection(marker, module):
        return False
    default = fastapi.argument(marker, 0, "default")
    return isinstance(default, ast.Constant) and default.value is True


def _tested_for_type(function: FunctionInfo) -> set[str]:
    """The names whose type a function tests, as those do that expect markers."""
    return {
        call.args[0].id
        for call in function.own(ast.Call)
        if isinstance(call.func, ast.Name)
        and call.func.id in {"isinstance", "hasattr", "type"}
        and call.args
        and isinstance(call.args[0], ast.Name)
    }
