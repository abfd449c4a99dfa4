"""Which models of Pydantic are filled with what comes from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.frameworks import fastapi
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module

_PARSERS = frozenset({"parse_obj", "parse_raw", "parse_file", "model_validate_json"})
_MOST_CLASSES = 40  # that inherit from a model or hold it, and are looked at


def is_filled_from_outside(info: ClassInfo) -> bool:
    """Whether a model is certainly given data that the project does not make.

    It is a parameter of a route of FastAPI, or its class is asked to parse something; or that is so for a
    model that inherits from it or has it among the types of its fields.
    """
    index = info.module.modules
    if not isinstance(index, Index):
        return False
    key = ("pydantic model filled from outside", info.name, id(info.node))
    return index.fact(key, lambda: _is_filled(info, index))


def _is_filled(info: ClassInfo, index: Index) -> bool:
    pending, seen = [info], {info.name}
    while pending and len(seen) <= _MOST_CLASSES:
        current = pending.pop(0)
        for path in files_with(index, current.module, current.node.name.encode()):
            other = index.at(path, current.module)
            if other is None:
                continue
            if _takes(other, current):
                return True
            for variant in _made_of(other, current):
                if variant.name not in seen:
                    seen.add(variant.name)
                    pending.append(variant)
    return False


def _takes(module: Module, info: ClassInfo) -> bool:
    """Whether a route of a module has the model as a parameter, or a call in it parses the model."""
    for route in fastapi.routes(module):
        if route.function is not None and route.function.module is module:
            for parameter, _ in route.function.parameters():
                if parameter.annotation is not None and _names(parameter.annotation, info, module):
                    return True
    return any(
        isinstance(call.func, ast.Attribute) and _names(call.func.value, info, module)
        for name in _PARSERS
        for call in module.source.calls.get(name, ())
    )


def _made_of(module: Module, info: ClassInfo) -> Iterator[ClassInfo]:
    """The classes of a module that have a model as a base or in the annotation of a field."""
    for node in module.source.nodes(ast.ClassDef):
        fields = [item.annotation for item in node.body if isinstance(item, ast.AnnAssign)]
        if any(_names(part, info, module) for part in (*node.bases, *fields)):
            yield module.class_info_of(node)


def _names(expression: ast.expr, info: ClassInfo, module: Module) -> bool:
    """Whether an expression consists of a class or has it among its parts."""
    for part in ast.walk(expression):
        if isinstance(part, (ast.Name, ast.Attribute)):
            written = part.id if isinstance(part, ast.Name) else part.attr
            if written == info.node.name and module.qualified_name(part) == info.name:
                return True
    return False
