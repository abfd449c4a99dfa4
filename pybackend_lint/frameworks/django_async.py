"""Facts about rows in coroutines: which relations are read there without having been loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import django, django_reads, django_rows
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_reads import PathRead, Reader
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Binding

_FETCHES = frozenset({"aget", "afirst", "alast", "aearliest", "alatest"})


@dataclass(frozen=True, slots=True, eq=False)
class LazyRead:
    """A relation that a coroutine reads from a row that came without it.

    - `node`: where it is read, or where the function is called that reads it; `called`: that function's
      name, empty for reads of the coroutine itself; `edits`: what would load it with the row.
    """

    node: ast.expr
    read: PathRead
    called: str
    edits: tuple[Edit, ...]


def lazy_reads(function: FunctionInfo) -> list[LazyRead]:
    """The relations to one row that a coroutine reads lazily, each once for a row, in source order."""
    module = function.module
    found: list[LazyRead] = []
    nodes: list[ast.AST] = []
    for name, binding in _rows(function):
        row = module.type_of(name)
        if row is None or not isinstance(row.fact, Loaded) or not django.is_model_instance(row, module):
            continue
        nodes = nodes or _nodes(function)
        reader = Reader(binding.node, name.id, row.name, module)
        reads = _reads(reader, nodes)
        for path, (read, node, called) in reads.items():
            implied = any(other.startswith(f"{path}__") for other in reads)
            if not implied and _is_lazy(read, row.fact) and not _is_loaded(path, name.id, function):
                found.append(LazyRead(node, read, called, _edits(binding, path, module)))
    return sorted(found, key=lambda item: (item.node.lineno, item.node.col_offset))


def _nodes(function: FunctionInfo) -> list[ast.AST]:
    """The nodes of a coroutine that may read a row, in source order."""
    nodes: list[ast.expr] = [*function.own(ast.Attribute), *function.own(ast.Call)]
    nodes += function.own(ast.FormattedValue)
    return [*sorted(nodes, key=lambda node: (node.lineno, node.col_offset))]


def _rows(function: FunctionInfo) -> Iterator[tuple[ast.Name, Binding]]:
    """Names of rows that the coroutine fetched itself, one use of each, with what binds them."""
    seen: set[int] = set()
    for use in function.own(ast.Name):
        found = function.module.lookup(use.id, use) if isinstance(use.ctx, ast.Load) else None
        binding = found[1][0] if found is not None and len(found[1]) == 1 else None
        if binding is None or id(binding) in seen or binding.path:
            continue
        seen.add(id(binding))
        if binding.kind in {"for", "comprehension"} or _fetch(binding) is not None:
            yield use, binding


def _fetch(binding: Binding) -> ast.Call | None:
    """The awaited call that fetches the one row of a name."""
    match binding.value:
        case ast.Await(value=ast.Call(func=ast.Attribute(attr=method)) as call) if binding.kind == "assign":
            return call if method in _FETCHES else None
        case ast.Await(value=ast.Call(func=ast.Name(id="aget_object_or_404")) as call):
            return call
    return None


def _reads(reader: Reader, nodes: list[ast.AST]) -> dict[str, tuple[PathRead, ast.expr, str]]:
    """The first read of each path, where it happens and the function that it happens in."""
    found: dict[str, tuple[PathRead, ast.expr, str]] = {}
    assigned: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            assigned.append("__".join(reader.path_of(node)))
        read = reader.read(node) if isinstance(node, ast.Attribute) else None
        if read is not None and isinstance(node, ast.Attribute):
            found.setdefault(read.path, (read, node, ""))
            continue
        for entry in reader.entries(node):
            for inner in django_reads.read_through(entry):
                found.setdefault(inner.path, (inner, entry.node, entry.name))
    return {
        path: item
        for path, item in found.items()
        if not any(one and (path == one or path.startswith(f"{one}__")) for one in assigned)
    }


def _is_lazy(read: PathRead, fact: Loaded) -> bool:
    if read.many or fact.covers(read.path) or fact.restricted:
        return False
    return not (fact.every and not read.relation.nullable)


def _is_loaded(path: str, name: str, function: FunctionInfo) -> bool:
    """Whether the coroutine may have loaded a relation of a row: in a thread, or by a function for that."""
    source = function.module.source
    for call in ("prefetch_related_objects", "aprefetch_related_objects"):
        if any(source.enclosing_function(node) is function.node for node in source.calls.get(call, ())):
            return True
    first = path.partition("__")[0]
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == first
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for later in (*function.own(ast.Lambda), *function.own(ast.FunctionDef))
        for node in ast.walk(later)
    )


def _edits(binding: Binding, path: str, module: Module) -> tuple[Edit, ...]:
    fetch = _fetch(binding)
    if fetch is not None:
        queryset = fetch.func.value if isinstance(fetch.func, ast.Attribute) else None
    else:
        queryset = django_rows.builder(binding.value, module) if binding.value is not None else None
    return tuple(django_rows.loading_edits(queryset, {"select_related": [path]}, module) or ())
