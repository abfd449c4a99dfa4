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

# A function at the top of a file or a constructor, up to the colon behind its parameters; a class at the
# top; and a marker among parameters.
_FUNCTION = re.compile(
    rb"^(?:(?:async\s+)?def\s+(\w+)|[ \t]+def\s+__init__)\((.*?)\)\s*(?:->[^\n]*)?:", re.M | re.S
)
_TOP_CLASS = re.compile(rb"^class\s+(\w+)", re.M)
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
    """The functions and classes at the top of files that have markers as defaults, by a look at the bytes."""
    return frozenset(
        name.decode(errors="replace")
        for path in files_with(index, module, b"fastapi")
        for name in _names_in(index.files.read(path) or b"")
    )


def _names_in(data: bytes) -> Iterator[bytes]:
    for match in _FUNCTION.finditer(data):
        if _MARKER.search(match[2]):
            if match[1] is not None:
                yield match[1]
            elif classes := _TOP_CLASS.findall(data, 0, match.start()):
                yield classes[-1]


def _called(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The function or constructor with markers that a call runs, by its name or through its module."""
    first = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    bindings = module.scope.bindings.get(first.id, []) if isinstance(first, ast.Name) else []
    kinds = {"import", "from"}
    if isinstance(call.func, ast.Name):
        kinds |= {"function", "class"}
    if not any(binding.kind in kinds for binding in bindings):
        return None
    name = module.qualified_name(call.func)
    if name is None:
        return None
    function = module.modules.function_info(name)
    if function is None:
        info = module.modules.class_info(name)
        return info.method("__init__") if info is not None else None
    return function if function.owner is None else None


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
    if function.owner is not None:
        del positional[:1]
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
