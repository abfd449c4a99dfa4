"""Type variables of generic classes of the project, and what they stand for in a value of such a class."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pybackend_lint.semantic import inference
from pybackend_lint.semantic.types import Type, instance

if TYPE_CHECKING:
    from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
    from pybackend_lint.semantic.module import Module

_DECLARING = frozenset(
    {"typing.Generic", "typing.Protocol", "typing_extensions.Generic", "typing_extensions.Protocol"}
)
_NAME = re.compile(r"\w+")
_VARIABLES = frozenset({"typing.TypeVar", "typing_extensions.TypeVar"})


def type_parameters(info: ClassInfo) -> tuple[str, ...]:
    """The names of the type variables of a class, in the order in which they are given values.

    Those of `class C[T]`, of `Generic[T]`, or of all bases where neither is written.
    """
    declared: list[ast.AST] = getattr(info.node, "type_params", [])
    if declared:
        return tuple(str(getattr(item, "name", "")) for item in declared)
    found: dict[str, None] = {}
    for base in info.node.bases:
        if isinstance(base, ast.Subscript):
            names = [item.id for item in _arguments(base) if isinstance(item, ast.Name)]
            if info.module.qualified_name(base.value) in _DECLARING:
                return tuple(names)
            found.update(dict.fromkeys(name for name in names if _is_variable(name, info.node, info.module)))
    return tuple(found)


def variables_of(function: FunctionInfo) -> frozenset[str]:
    """The names in the annotation of a method's result that stand for something else in each receiver.

    They are type variables of its class, that of its first parameter (`cls: type[T]`), and `Self`.
    """
    owner, returns = function.owner, function.node.returns
    if owner is None or returns is None:
        return frozenset()
    return _names(returns) & {*owner.type_parameters, _of_first_parameter(function), "Self"}


def attribute(owner: ClassInfo, annotation: ast.expr | None, value: ast.expr | None, of: Type) -> Type | None:
    """The type of an attribute that a generic class sets, in a value of it or of a derived class.

    `annotation` is that of the attribute; without one, that of the parameter counts which it is set to.
    """
    module = owner.module
    if annotation is None and isinstance(value, ast.Name):
        found = module.lookup(value.id, value)
        bindings = found[1] if found is not None else []
        if len(bindings) == 1 and isinstance(bindings[0].node, ast.arg):
            annotation = bindings[0].node.annotation
    info = module.modules.class_info(of.name)
    if annotation is None or info is None or _names(annotation).isdisjoint(owner.type_parameters):
        return None
    return inference.annotated(module, annotation, annotation, variables=_known(info, owner, of))


def result(function: FunctionInfo, receiver: Type) -> Type | None:
    """What the body of a method gives for a receiver, by its annotation; None where that is not known."""
    owner, returns = function.owner, function.node.returns
    info = function.module.modules.class_info(receiver.name)
    if owner is None or returns is None or info is None:
        return None
    known = dict(_known(info, owner, receiver))
    for name in (_of_first_parameter(function), "Self"):
        if name is not None:
            known[name] = instance(receiver.name, *receiver.args)
    return inference.annotated(function.module, returns, function.node, variables=known)


def _names(annotation: ast.expr) -> frozenset[str]:
    """The names in an annotation, also where it is quoted."""
    names: set[str] = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.update(_NAME.findall(node.value))
    return frozenset(names)


def _known(info: ClassInfo, owner: ClassInfo, value: Type) -> Mapping[str, Type]:
    """What the type variables of a class stand for in a value of the class `info`, which derives from it."""
    given = dict(zip(info.type_parameters, value.args, strict=False))
    return _values(info, owner, {name: known for name, known in given.items() if known is not None})


def _of_first_parameter(function: FunctionInfo) -> str | None:
    """The name that annotates the first parameter of a method, or the class that is one."""
    first = next((argument for argument, _ in function.parameters()), None)
    match first.annotation if first is not None and not function.is_static else None:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id="type" | "Type"), slice=ast.Name(id=name)):
            declared = getattr(function.node, "type_params", [])
            is_own = any(getattr(item, "name", None) == name for item in declared)
            return name if is_own or _is_variable(name, function.node, function.module) else None
    return None


def _values(info: ClassInfo, owner: ClassInfo, known: Mapping[str, Type]) -> Mapping[str, Type]:
    """What the type variables of a base stand for in a class whose own ones have known values."""
    if info is owner:
        return known
    module = info.module
    for base in info.node.bases:
        name = module.qualified_name(base.value if isinstance(base, ast.Subscript) else base)
        below = module.modules.class_info(name) if name is not None else None
        if below is None or below is info or owner not in below.mro:
            continue
        given = _arguments(base) if isinstance(base, ast.Subscript) else []
        values = {
            parameter: inference.annotated(module, argument, info.node, variables=known)
            for parameter, argument in zip(below.type_parameters, given, strict=False)
        }
        return _values(below, owner, {name: value for name, value in values.items() if value is not None})
    return {}


def _arguments(base: ast.Subscript) -> list[ast.expr]:
    return base.slice.elts if isinstance(base.slice, ast.Tuple) else [base.slice]


def _is_variable(name: str, use: ast.AST, module: Module) -> bool:
    qualified = module.name_of(name, use)
    variable = module.modules.variable(qualified) if qualified is not None else None
    value = variable[1].value if variable is not None else None
    return (
        variable is not None
        and isinstance(value, ast.Call)
        and variable[0].qualified_name(value.func) in _VARIABLES
    )
