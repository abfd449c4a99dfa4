"""Facts about queries of Django that a loop runs once for every item it goes over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import django, django_reads
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module

_ANSWERS = frozenset({"get", "first", "last", "exists", "count"})
_FEW = 10


@dataclass(frozen=True, slots=True, eq=False)
class LoopQuery:
    """A query for one item of a loop: the call that runs it, the model and the field that is compared."""

    call: ast.Call
    model: ClassInfo
    field: str


def queries_for_items(loop: ast.For, module: Module) -> Iterator[LoopQuery]:
    """The queries in a loop's body that look up rows by one field that equals something of the item.

    None in loops over few constants, in those that wait between items or end with a hit, and in those that
    handle errors of every item.
    """
    if _is_short(loop.iter) or "management" in module.name.split("."):
        return
    names = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    nodes = django_reads.nodes_of(loop.body)
    if any(isinstance(node, (ast.Break, ast.Return, ast.Raise, ast.Try)) or _waits(node) for node in nodes):
        return
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in _ANSWERS:
            continue
        lookup = node if node.keywords else _filter_of(node.func.value)
        field = _compared(lookup, names) if lookup is not None else ""
        found = django.own_method(node.func, module) if field else None
        if found is None or lookup is None or not _starts_at_manager(lookup, module):
            continue
        model = django.model_of(found[1], module)
        fact = django.loaded(found[1])
        if model is not None and not (fact is not None and fact.locked):  # locked for this item on purpose
            yield LoopQuery(node, model, field)


def _is_short(iterated: ast.expr) -> bool:
    """Whether a loop goes over a literal, or over few numbers."""
    match iterated:
        case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.Constant():
            return True
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))]):
            return count < _FEW
    return False


def _waits(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="sleep") | ast.Name(id="sleep")):
            return True
    return False


def _filter_of(node: ast.expr) -> ast.Call | None:
    """The only `filter()` of a chain of methods."""
    found: list[ast.Call] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"filter", "exclude"}:
            found.append(node)
        node = node.func.value
    return found[0] if len(found) == 1 else None


def _compared(lookup: ast.Call, names: set[str]) -> str:
    """The only field of a lookup, when its value must equal something of the loop's item."""
    if lookup.args or len(lookup.keywords) != 1:
        return ""
    keyword = lookup.keywords[0]
    depends = any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(keyword.value))
    calls = any(isinstance(node, ast.Call) for node in ast.walk(keyword.value))
    return keyword.arg if keyword.arg and "__" not in keyword.arg and depends and not calls else ""


def _starts_at_manager(lookup: ast.Call, module: Module) -> bool:
    """Whether a chain starts at a manager of a model class, not at a relation of one row."""
    node: ast.expr = lookup
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Attribute):
            known = module.type_of(node)
            if django.is_manager(known, module):
                return not django.is_related_manager(known)
            node = node.value
        else:
            node = node.func
    return False
