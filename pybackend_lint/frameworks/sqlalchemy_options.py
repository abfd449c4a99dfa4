"""Loader options of SQLAlchemy, such as `selectinload(Order.lines)`, wherever they are built."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import relation_of
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Binding
from pybackend_lint.semantic.types import Type, instance

_MAX_STEPS = 5
_CHANGES_LIST = frozenset({"append", "extend", "insert", "remove", "pop", "clear"})


@dataclass(frozen=True, slots=True)
class Load:
    """One step of a loader option: a relationship and how it is loaded.

    `collection` is whether the relationship holds several objects; None where it is not known. `owner`
    is the class that the option names, empty for an option that is a text.
    """

    name: str
    strategy: str
    collection: bool | None
    owner: str = ""


Path = tuple[Load, ...]
Options = frozenset[Path]


@dataclass(frozen=True, slots=True)
class AttributeOf:
    """A mapped attribute of a class: `Order.lines`."""

    entity: str
    name: str


def loader_option(callee: Type, call: ast.Call, module: Module) -> Type | None:
    """The value of `selectinload(E.r)` and the like, or of a further step `.selectinload(F.s)`."""
    name = callee.name.rpartition(".")[2]
    if name in names.COLUMN_OPTIONS:
        if callee.receiver is not None and callee.receiver.is_instance(names.LOADER):
            return callee.receiver
        return instance(names.LOADER, fact=frozenset())
    before: Path = ()
    others: Options = frozenset()
    if callee.receiver is not None:
        known = callee.receiver.fact
        if not isinstance(known, frozenset):
            return None
        if name == "options":
            return _nested(known, call, module)
        longest = sorted(known, key=len)
        before = longest[-1] if longest else ()
        others = known
    if name not in names.LOADER_OPTIONS or not call.args:
        return None
    if any(keyword.arg == "recursion_depth" for keyword in call.keywords):
        return None  # loads the relationship of what it leads to as well, to that depth
    steps: list[Load] = []
    for argument in call.args:
        step = _step(argument, name, module)
        if step is None:
            return None
        steps.append(step)
    return instance(names.LOADER, fact=others | {(*before, *steps)})


def _step(argument: ast.expr, strategy: str, module: Module) -> Load | None:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return Load(argument.value, strategy, None)
    known = module.type_of(argument)
    if known is None or not isinstance(known.fact, AttributeOf):
        return None
    relation = relation_of(known.fact.entity, known.fact.name, module.modules)
    collection = relation.collection if relation is not None else None
    return Load(known.fact.name, strategy, collection, known.fact.entity)


def _nested(known: Options, call: ast.Call, module: Module) -> Type | None:
    """`selectinload(E.r).options(...)`: the inner options apply to what `r` leads to."""
    before = max(known, key=len, default=())
    found = options_among(call.args, module)
    if found is None:
        return None
    return instance(names.LOADER, fact=known | {(*before, *path) for path in found})


def options_among(arguments: Sequence[ast.expr], module: Module, steps: int = _MAX_STEPS) -> Options | None:
    """The loader options among some expressions, also those of `*options`; None when one is not known."""
    found: Options = frozenset()
    for argument in arguments:
        if isinstance(argument, ast.Starred):
            options = _options_in(argument.value, module, steps)
            if options is None:
                return None
            found |= options
            continue
        known = module.type_of(argument)
        if known is None or not known.is_instance(names.LOADER) or not isinstance(known.fact, frozenset):
            return None
        found |= known.fact
    return found


def _options_in(node: ast.expr, module: Module, steps: int) -> Options | None:
    """The options in a list or tuple: written down, in a variable, or given by a function.

    A list that is empty there may get its options elsewhere, so that nothing is known of it.
    """
    if steps == 0:
        return None
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return options_among(elements, module, steps - 1)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return options_among([ast.Starred(left), ast.Starred(right)], module, steps - 1)
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[value], keywords=[]):
            return _options_in(value, module, steps - 1)
        case ast.Call():
            function = module.function_called(node)
            if function is None or function.is_async or not function.is_transparent or function.yields:
                return None
            home, values = function.module, function.returned
        case ast.Name():
            home, values = _held(node, module)
        case _:
            return None
    only = values[0] if len(values) == 1 else None
    return (_options_in(only, home, steps - 1) or None) if only is not None else None


def _held(name: ast.Name, module: Module) -> tuple[Module, list[ast.expr | None]]:
    """The values that a variable may hold, and their module; None for one that is not simply assigned."""
    found = module.lookup(name.id, name)
    bindings = found[1] if found is not None else []
    if any(binding.kind == "from" for binding in bindings):
        qualified = module.qualified_name(name)
        variable = module.modules.variable_bindings(qualified) if qualified is not None else None
        module, bindings = variable or (module, [])
    return module, [
        binding.value
        if binding.kind == "assign" and not binding.path and not _is_changed(binding, module)
        else None
        for binding in bindings
    ]


def _is_changed(binding: Binding, module: Module) -> bool:
    """Whether a method of the list that a variable holds may change it."""
    for method in _CHANGES_LIST:
        for node in module.source.attributes.get(method, ()):
            if isinstance(node.value, ast.Name) and node.value.id == binding.name:
                found = module.lookup(binding.name, node.value)
                if found is None or binding in found[1]:
                    return True
    return False
