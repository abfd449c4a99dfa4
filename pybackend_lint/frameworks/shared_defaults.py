"""Facts about defaults of parameters that all calls share: a mutable value that the function changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Function
from pybackend_lint.semantic.types import Kind

_CHANGING = {
    "list": frozenset({"append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse"}),
    "dict": frozenset({"update", "setdefault", "pop", "popitem", "clear"}),
    "set": frozenset({"add", "update", "discard", "remove", "pop", "clear", "difference_update"}),
}
CHANGING_METHODS = frozenset().union(*_CHANGING.values())
LITERALS: dict[type[ast.expr], str] = {
    ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict",
    ast.Set: "set", ast.SetComp: "set",
}  # fmt: skip
_CALLS = {"builtins.list": "list", "builtins.dict": "dict", "builtins.set": "set"}


@dataclass(frozen=True, eq=False)
class SharedDefault:
    """A parameter whose default is one object for all calls, and where the function changes it.

    - `kind`: `list`, `dict` or `set`; `origin`: where the object is made, None for a call in place.
    """

    parameter: ast.arg
    default: ast.expr
    kind: str
    change: ast.expr
    origin: Related | None


def shared_defaults(node: Function, module: Module) -> Iterator[SharedDefault]:
    """The shared defaults of a function; displays and constructors in place are other linters' matter."""
    function = module.function_info(node)
    for parameter, default in function.parameters():
        if isinstance(default, (ast.Name, ast.Attribute)):
            found = constant(default, module)
        elif isinstance(default, ast.Call):
            kind = _made_by(default, module)
            found = (kind, None) if kind is not None else None
        else:
            continue
        if found is not None:
            change = first_change(parameter, found[0], function)
            if change is not None:
                yield SharedDefault(parameter, default, found[0], change, found[1])


def constant(default: ast.Name | ast.Attribute, module: Module) -> tuple[str, Related | None] | None:
    """The kind of a module's variable that is bound once to a mutable value, and where that is."""
    name = module.qualified_name(default)
    variable = module.modules.variable(name) if name is not None else None
    if variable is None or variable[1].path:
        return None
    home, binding = variable
    value = binding.value
    if value is None:
        return None
    kind = LITERALS.get(type(value))
    if kind is None and isinstance(value, ast.Call):
        kind = _CALLS.get(home.qualified_name(value.func) or "")
    if kind is None:
        return None
    source = home.source
    place = Related(source.path, source.position(source.start(binding.node)), f"this {kind} is the default")
    return kind, place


def _made_by(call: ast.Call, module: Module) -> str | None:
    """The kind of value that a project function makes anew when it is called."""
    callee = module.type_of(call.func)
    index = module.modules
    if callee is None or callee.kind is not Kind.FUNCTION or not isinstance(index, Index):
        return None
    function = index.function_info(callee.name)
    if function is None or function.is_async or function.yields or not function.is_transparent:
        return None
    known = function.call_type
    return _CALLS.get(known.name) if known is not None and known.kind is Kind.INSTANCE else None


def first_change(parameter: ast.arg, kind: str, function: FunctionInfo) -> ast.expr | None:
    """The first expression of a function's own body that changes the value its parameter was given.

    `kind` is that of the value: `list`, `dict` or `set`.
    """
    module = function.module
    found: list[ast.expr] = []
    for node in function.own_nodes():
        target: ast.expr
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name() as name, attr=method)):
                if method not in _CHANGING[kind]:
                    continue
                target = node
            case ast.Subscript(value=ast.Name() as name, ctx=ast.Store() | ast.Del()):
                target = node
            case _:
                continue
        if name.id == parameter.arg and _is_parameter(name, parameter, module):
            found.append(target)
    return min(found, key=lambda item: (item.lineno, item.col_offset), default=None)


def _is_parameter(name: ast.Name, parameter: ast.arg, module: Module) -> bool:
    """Whether a name certainly still has the value that the parameter was given."""
    lookup = module.lookup(name.id, name)
    return lookup is not None and [binding.node for binding in lookup[1]] == [parameter]
