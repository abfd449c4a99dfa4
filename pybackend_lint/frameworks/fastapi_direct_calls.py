"""Functions made for FastAPI that code calls itself, and the parameters such calls leave to their markers."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import fastapi
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, parameters

# A function at the top of a file, up to the colon behind its parameters, and a marker among them.
_TOP_FUNCTION = re.compile(rb"^(?:async\s+)?def\s+(\w+)\((.*?)\)\s*(?:->[^\n]*)?:", re.M | re.S)
_MARKER = re.compile(rb"=\s*(?:\w+\.)?(?:Depends|Security|Query|Path|Header|Cookie|Body|Form|File)\(")


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
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    names = index.fact(("names next to markers", root), lambda: _names_next_to_markers(index, module))
    found: dict[int, DirectCall] = {}
    for name in names & module.source.calls.keys():
        for call in module.source.calls[name]:
            function = _called(call, module)
            for item in _left_to_markers(call, function) if function is not None else ():
                found.setdefault(id(call), item)
    return sorted(found.values(), key=lambda item: (item.call.lineno, item.call.col_offset))


def _names_next_to_markers(index: Index, module: Module) -> frozenset[str]:
    """The functions at the top of files that have markers as defaults, by a look at the bytes."""
    return frozenset(
        match[1].decode(errors="replace")
        for path in files_with(index, module, b"fastapi")
        for match in _TOP_FUNCTION.finditer(index.files.read(path) or b"")
        if _MARKER.search(match[2])
    )


def _called(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The function with markers that a call runs, where it is called by its name or through its module."""
    first = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    bindings = module.scope.bindings.get(first.id, []) if isinstance(first, ast.Name) else []
    kinds = {"import", "from"} if isinstance(call.func, ast.Attribute) else {"import", "from", "function"}
    if not any(binding.kind in kinds for binding in bindings):
        return None
    name = module.qualified_name(call.func)
    function = module.modules.function_info(name) if name is not None else None
    if function is None or function.owner is not None:
        return None
    marked = fastapi.fact(function.module, "fastapi functions with markers", _find_marked_functions)
    return function if function.node in marked else None


def _find_marked_functions(module: Module) -> frozenset[ast.AST]:
    return frozenset(
        statement
        for statement in module.source.tree.body
        if isinstance(statement, FUNCTIONS)
        and any(fastapi.marker_of(default, module) for _, default in parameters(statement.args))
    )


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
