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
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import is_none, last_name

_FETCHES = frozenset({"aget", "afirst", "alast", "aearliest", "alatest"})
_PAIRS = frozenset({"aget_or_create", "aupdate_or_create"})


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
            if implied or not _is_lazy(read, row.fact) or _is_loaded(path, name.id, function):
                continue
            if not _is_set_by_call(path, binding, module):
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
        if binding is None or id(binding) in seen:
            continue
        seen.add(id(binding))
        call = _awaited(binding)
        if binding.path:
            if binding.path == (0,) and call is not None and last_name(call.func) in _PAIRS:
                yield use, binding
        elif binding.kind in {"for", "comprehension"} or (
            call is not None and _gives_row(call, function.module)
        ):
            yield use, binding


def _awaited(binding: Binding) -> ast.Call | None:
    match binding.value:
        case ast.Await(value=ast.Call() as call) if binding.kind == "assign":
            return call
    return None


def _gives_row(call: ast.Call, module: Module) -> bool:
    """Whether awaiting a call gives one row that has just been read, here or in a function of the project."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in _FETCHES or name == "aget_object_or_404":
            return True
        case ast.Call(args=[ast.Lambda(body=ast.Call(func=inner))] | [inner]) if (
            f"a{last_name(inner)}" in _FETCHES
        ):
            return True
    function = _function_called(call, module)
    return function is not None and _returns_read_row(function)


def _returns_read_row(function: FunctionInfo) -> bool:
    """Whether all that a function gives back are rows that it has read itself, with one query each."""
    values = [node.value for node in function.own(ast.Return) if not is_none(node.value)]
    for value in values:
        found = function.module.lookup(value.id, value) if isinstance(value, ast.Name) else None
        made = [binding.value for binding in found[1] if not binding.path] if found is not None else [value]
        if not made or (found is not None and len(made) < len(found[1])) or not all(map(_reads_row, made)):
            return False
    return bool(values)


def _reads_row(node: ast.expr | None) -> bool:
    match node:
        case ast.Await(value=ast.Call(func=ast.Attribute(attr=name))):
            return name in _FETCHES
        case ast.Call(func=ast.Attribute(attr=name)):
            return f"a{name}" in _FETCHES
    return False


def _function_called(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The function of the project that a call runs, itself or in a thread."""
    known = module.type_of(call.func)
    if known is not None and isinstance(call.func, ast.Call):
        known = known.receiver
    if known is None or known.kind is not Kind.FUNCTION:
        return None
    return module.modules.function_info(known.name)


def _is_set_by_call(path: str, binding: Binding, module: Module) -> bool:
    """Whether the call that gives a row may set a relation of it."""
    call, name = _awaited(binding), path.partition("__")[0]
    if call is None:
        return False
    if last_name(call.func) in _PAIRS:
        return name in module.source.segment(call)
    function = _function_called(call, module)
    return function is not None and name in function.module.source.segment(function.node)


def _fetch(binding: Binding) -> ast.Call | None:
    """The awaited call that fetches the one row of a name."""
    call = _awaited(binding)
    if call is None or not isinstance(call.func, ast.Attribute):
        return None
    return call if call.func.attr in _FETCHES | _PAIRS else None


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
    elif binding.kind == "assign":
        return ()
    else:
        queryset = django_rows.builder(binding.value, module) if binding.value is not None else None
    return tuple(django_rows.loading_edits(queryset, {"select_related": [path]}, module) or ())
