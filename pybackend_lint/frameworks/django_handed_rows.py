"""Querysets that a function is given, which reads relations from each of their rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import django, django_reads, django_rows
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_reads import PathRead
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

# Methods of querysets that give another one.
_GIVES_ROWS = (
    "all", "annotate", "distinct", "exclude", "filter", "order_by", "prefetch_related", "select_related",
)  # fmt: skip
_KEEPS_ROWS = frozenset({"list", "tuple", "set", "sorted", "reversed"})
# What is often given a queryset, and is no function of a project.
_NOT_FOLLOWED = frozenset(
    {
        *_GIVES_ROWS, "Exists", "OuterRef", "Paginator", "Prefetch", "Q", "Subquery", "add", "append", "bool",
        "bulk_update", "enumerate", "extend", "filter", "get_list_or_404", "get_object_or_404", "isinstance",
        "len", "print", "set", "super", "type", "union", "update", "zip",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class HandedRows:
    """A call that is given a queryset, and what the called function reads from each row of it."""

    call: ast.Call
    queryset: ast.expr
    name: str
    reads: tuple[PathRead, ...]


def handed_rows(module: Module) -> Iterator[HandedRows]:
    """The calls of a file that hand a queryset to a function which reads relations that are not loaded."""
    known: dict[object, set[str]] = {}
    for call, queryset in sorted(
        _candidates(module), key=lambda found: (found[0].lineno, found[0].col_offset)
    ):
        is_mapped = _is_mapped(call, queryset)
        one = ast.Call(call.args[0], [queryset], []) if is_mapped else call
        receiver = django_reads.receiver_of(one, queryset, module, of_rows=not is_mapped)
        if receiver is None:
            continue
        row = _row(module.type_of(queryset), module)
        if row is None or django_rows.may_be_prefetched(queryset, module):
            continue
        function, parameter = receiver
        reads = [
            read
            for read in django_reads.reads_of(function, parameter, row.name, of_rows=not is_mapped)
            if isinstance(row.fact, Loaded) and not django_reads.is_loaded(read, row.fact)
        ]
        seen = known.setdefault(django_rows.builder(queryset, module) or queryset, set())
        fresh = django_reads.longest(read for read in reads if read.path not in seen)
        seen.update(read.path for read in fresh)
        if fresh and not django_rows.preloads(queryset, module):
            yield HandedRows(call, queryset, f"{function.node.name}()", fresh)


def _is_mapped(call: ast.Call, queryset: ast.expr) -> bool:
    """Whether a call hands the rows one by one to a function: `map(describe, orders)`."""
    match call:
        case ast.Call(func=ast.Name(id="map"), args=[_, rows]):
            return rows is queryset
    return False


def _row(known: Type | None, module: Module) -> Type | None:
    """What iterating a queryset or a list of its rows gives, where there may be many of them."""
    row = known.argument() if known is not None and known.kind is Kind.INSTANCE else None
    if row is None or django.is_manager(known, module) or not django_rows.is_one_of_many(row, module):
        return None
    return row


def _candidates(module: Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    """The calls that are given an expression which may be a queryset by its form, and it."""
    source = module.source
    starts: list[ast.expr] = [*source.attributes.get("objects", ())]
    for name in _GIVES_ROWS:
        starts += source.calls.get(name, ())
    seen: set[int] = set()
    for mapping in source.calls.get("map", ()):
        if len(mapping.args) == 2 and _is_mapped(mapping, mapping.args[1]):
            seen.add(id(mapping.args[1]))
            yield mapping, mapping.args[1]
    for start in starts:
        for given in _kept(_whole(start, module), module):
            parent = source.parent(given)
            call = source.parent(parent) if isinstance(parent, ast.keyword) else parent
            if id(given) not in seen and isinstance(call, ast.Call) and call.func is not given:
                seen.add(id(given))
                if last_name(call.func) not in _NOT_FOLLOWED:
                    yield call, given


def _whole(node: ast.expr, module: Module) -> ast.expr:
    """The whole chain of calls and attributes that begins with an expression, and the list made of it."""
    while True:
        parent = module.source.parent(node)
        match parent:
            case ast.Attribute():
                node = parent
            case ast.Call(func=func) if func is node:
                node = parent
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if first is node and name in _KEEPS_ROWS:
                node = parent
            case ast.Subscript(value=value, slice=ast.Slice()) if value is node:
                node = parent
            case _:
                return node


def _kept(node: ast.expr, module: Module) -> Iterator[ast.expr]:
    """An expression, and where it is assigned to a name of a function the uses of the name."""
    yield node
    parent = module.source.parent(node)
    match parent:
        case ast.Assign(targets=[ast.Name() as kept]) if isinstance(
            module.source.enclosing_function(parent), FUNCTIONS
        ):
            yield from django.other_uses(kept, module)
