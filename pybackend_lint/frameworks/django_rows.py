"""Facts about loops over querysets: which relations they read row by row, and who built the queryset."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pybackend_lint.finding import Edit, Related
from pybackend_lint.frameworks import django, django_models, django_reads
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_models import Relation
from pybackend_lint.frameworks.django_reads import Entry, PathRead, Reader
from pybackend_lint.semantic import lambdas
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import COMPREHENSIONS, Binding
from pybackend_lint.semantic.types import Kind, Type

Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp | ast.Lambda
LOOPS: tuple[type[ast.AST], ...] = (ast.For, ast.AsyncFor, *COMPREHENSIONS, ast.Lambda)

_KEEPS_ROWS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "enumerate"})
_LEAVES = (ast.Break, ast.Return, ast.Raise)
_MAX_STEPS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A relation that is read from every row of a loop.

    - `node`: the attribute that is read; `path`: the lookup path from the row (`customer__company`).
    - `relation`: the last relation of the path; `model`: qualified name of the rows' model.
    - `method`: what is called on the manager of a multi relation, empty otherwise.
    """

    node: ast.Attribute
    path: str
    relation: Relation
    model: str
    method: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A loop over the rows of a queryset whose loaded relations are known."""

    iterated: ast.expr
    name: str
    row: Type
    body: tuple[ast.AST, ...]
    binder: ast.AST

    @property
    def loaded(self) -> Loaded:
        """What comes with the rows."""
        assert isinstance(self.row.fact, Loaded)
        return self.row.fact

    @property
    def fetches_one(self) -> bool:
        """Whether a relation that is not loaded is fetched for one row at a time, and nothing is deferred."""
        return self.loaded.fetch_mode in {"", "FETCH_ONE"} and not self.loaded.restricted


def loops(node: ast.AST, module: Module) -> Iterator[Rows]:
    """The loops over rows that a node of `LOOPS` makes, at most one for each name that is bound.

    A lambda makes one where `map()`, `filter()` or a key of `sorted()` calls it for each row.
    """
    if isinstance(node, (ast.For, ast.AsyncFor)):
        if _leaves_at_once(node.body):
            return
        yield from _rows(node.target, node.iter, tuple(node.body), node, module)
    elif isinstance(node, COMPREHENSIONS):
        values: list[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        if _only_first(node, module):
            return
        for position, generator in enumerate(node.generators):
            inner = [part for later in node.generators[position + 1 :] for part in (later.iter, *later.ifs)]
            body = (*generator.ifs, *inner, *values)
            yield from _rows(generator.target, generator.iter, body, generator, module)
    elif isinstance(node, ast.Lambda):
        parameter, iterated = lambdas.item_parameter(node), lambdas.iterated_by(node, module.source)
        if parameter is not None and iterated is not None and not _only_first(node, module):
            yield from _rows(parameter, iterated, (node.body,), parameter, module)


def _only_first(node: ast.AST, module: Module) -> bool:
    """Whether a comprehension or the `map()` of a lambda is given to `next`, which stops at the first row."""
    parent = module.source.parent(node)
    if isinstance(node, ast.Lambda) and parent is not None:
        parent = module.source.parent(parent)
    return isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "next"


def _leaves_at_once(body: list[ast.stmt]) -> bool:
    """Whether the first iteration is the last one on every path."""
    return any(isinstance(statement, _LEAVES) for statement in body)


def _rows(
    target: ast.expr | ast.arg, iterated: ast.expr, body: tuple[ast.AST, ...], binder: ast.AST, module: Module
) -> Iterator[Rows]:
    match target, iterated:
        case (ast.Tuple(elts=names), ast.Call(func=ast.Name(id="zip"), args=given)) if len(names) == len(
            given
        ):
            for name, one in zip(names, given, strict=True):
                if isinstance(name, ast.Name):
                    yield from _rows(name, one, body, binder, module)
            return
        case (ast.Name(id=name) | ast.arg(arg=name), _):
            counted = False
        case (ast.Tuple(elts=[ast.Name(), ast.Name(id=name)]), _):
            counted = True
        case _:
            return
    value = module.type_of(iterated)
    row = value.argument() if value is not None and value.kind is Kind.INSTANCE else None
    if counted:
        row = row.argument(1) if row is not None and row.name == "builtins.tuple" else None
    if row is not None and is_one_of_many(row, module):
        yield Rows(iterated, name, row, body, binder)


def is_one_of_many(row: Type, module: Module) -> bool:
    """Whether a value is a row of a queryset that may have more, and of which it is known what is loaded."""
    fact = row.fact
    if not isinstance(fact, Loaded) or not django.is_model_instance(row, module):
        return False
    return fact.limit is None or fact.limit > 1


def reads(rows: Rows, module: Module) -> list[Read]:
    """The relations that the body reads from each row without having loaded them, one for each path.

    A path that is assigned in the body, or that a longer path of the result implies, is left out.
    """
    fact = rows.loaded
    found: dict[str, Read] = {}
    assigned: set[str] = set()
    for chain in _chains(rows, module):
        if isinstance(chain.ctx, ast.Load):
            for read in _path_reads(chain, rows, fact, module):
                first = found.setdefault(read.path, read)
                if read.method == "all" != first.method:  # prefetched rows answer both
                    found[read.path] = replace(first, method="all")
        else:
            assigned.add("__".join(_names(chain)))
    known = _read_before(rows, module) if found else set()
    kept = [
        read
        for path, read in found.items()
        if not any(path == one or path.startswith(f"{one}__") for one in assigned)
        and not any(other.startswith(f"{path}__") for other in found)
        and path not in known
    ]
    return sorted(kept, key=lambda read: (read.node.lineno, read.node.col_offset))


def _read_before(rows: Rows, module: Module) -> set[str]:
    """Relations to one row that an earlier loop over the same rows has read: they stay with the rows."""
    if not isinstance(rows.iterated, ast.Name):
        return set()
    origin = _bindings(rows.iterated, module)
    found: set[str] = set()
    for use in django.other_uses(rows.iterated, module):
        if (use.lineno, use.col_offset) < (rows.iterated.lineno, rows.iterated.col_offset):
            loop = module.source.parent(use)
            if isinstance(loop, ast.comprehension):
                loop = module.source.parent(loop)
            if loop is not None and _bindings(use, module) == origin:
                for earlier in loops(loop, module):
                    if earlier.iterated is use:
                        found.update(read.path for read in reads(earlier, module) if read.relation.is_single)
    return found


def _bindings(name: ast.Name, module: Module) -> list[Binding]:
    found = module.lookup(name.id, name)
    return found[1] if found is not None else []


def _chains(rows: Rows, module: Module) -> list[ast.Attribute]:
    """The longest attribute chains that start at the row, in source order."""
    attributes = [
        node
        for node in django_reads.nodes_of(rows.body)
        if isinstance(node, ast.Attribute) and _root(node) == rows.name
    ]
    inner = {id(node.value) for node in attributes}
    chains = [
        node
        for node in attributes
        if id(node) not in inner
        and _is_bound_by(_root_name(node), rows.binder, module)
        and not django_reads.runs_for_few(node, rows.binder, module)
    ]
    return sorted(chains, key=lambda node: (node.lineno, node.col_offset))


def _root_name(node: ast.Attribute) -> ast.Name:
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        value = value.value
    assert isinstance(value, ast.Name)
    return value


def _root(node: ast.Attribute) -> str:
    value: ast.expr = node
    while isinstance(value, ast.Attribute):
        value = value.value
    return value.id if isinstance(value, ast.Name) else ""


def _is_bound_by(name: ast.Name, binder: ast.AST, module: Module) -> bool:
    found = module.lookup(name.id, name)
    return found is not None and [binding.node for binding in found[1]] == [binder]


def _names(chain: ast.Attribute) -> list[str]:
    names: list[str] = []
    value: ast.expr = chain
    while isinstance(value, ast.Attribute):
        names.append(value.attr)
        value = value.value
    return names[::-1]


def _path_reads(chain: ast.Attribute, rows: Rows, fact: Loaded, module: Module) -> Iterator[Read]:
    """The last relation of a chain that is not loaded, by its path from the row."""
    nodes: list[ast.Attribute] = []
    value: ast.expr = chain
    while isinstance(value, ast.Attribute):
        nodes.append(value)
        value = value.value
    nodes.reverse()
    model = rows.row.name
    path: list[str] = []
    last: Read | None = None
    back: str | None = None
    for position, node in enumerate(nodes[:_MAX_STEPS]):
        if node.attr == back:
            break
        relation = django_models.relation(model, node.attr, module)
        if relation is None:
            break
        path.append(node.attr)
        joined = "__".join(path)
        if relation.kind == "multi":
            method = django_reads.reading_method(node, module)
            if method and not fact.covers(joined):
                last = Read(node, joined, relation, rows.row.name, method)
            break
        following = nodes[position + 1].attr if position + 1 < len(nodes) else ""
        if following in {"pk", "id"} and relation.kind == "forward":
            break
        if not fact.covers(joined) and not (fact.every and not relation.nullable):
            last = Read(node, joined, relation, rows.row.name)
        if relation.target is None:
            break
        model, back = relation.target, relation.back
    if last is not None:
        yield last


# Methods of a relation's manager or `all()` that run a query although the rows are at hand.
_ANEW = frozenset(
    {
        "filter", "exclude", "order_by", "get", "values", "values_list", "distinct", "annotate", "aggregate",
        "latest", "earliest", "last", "iterator", "only", "defer", "select_related", "dates", "datetimes",
    }
)  # fmt: skip
_ENDS_IN_WRITE = frozenset({"update", "delete", "aupdate", "adelete"})


@dataclass(frozen=True, slots=True, eq=False)
class Defeated:
    """A method that runs a query for every row although the relation was prefetched.

    `node` is the attribute that names the method; `path` the prefetched path.
    """

    node: ast.Attribute
    path: str


def defeated(rows: Rows, module: Module) -> list[Defeated]:
    """The calls in a loop's body that ask a prefetched relation of the rows anew."""
    paths = rows.loaded.prefetch
    if not paths:
        return []
    reader = Reader(rows.binder, rows.name, rows.row.name, module)
    found: list[Defeated] = []
    for node in django_reads.nodes_of(rows.body):
        if not isinstance(node, ast.Attribute) or node.attr not in _ANEW | {"first"}:
            continue
        manager = _manager_of(node)
        path = "__".join(reader.path_of(manager)) if manager is not None else ""
        if not path or not any(path == one or one.startswith(f"{path}__") for one in paths):
            continue
        known = module.type_of(node)
        if known is None or known.kind is not Kind.EXTERNAL or _writes(node, module):
            continue
        if node.attr == "first" and _has_order(known, module):
            continue
        if not django_reads.runs_for_few(node, rows.binder, module):
            found.append(Defeated(node, path))
    return sorted(found, key=lambda item: (item.node.lineno, item.node.col_offset))


def _manager_of(method: ast.Attribute) -> ast.Attribute | None:
    """The manager that a method is called on, directly or behind `all()`."""
    match method.value:
        case ast.Call(func=ast.Attribute(value=ast.Attribute() as manager, attr="all"), args=[]):
            return manager
        case ast.Attribute() as manager:
            return manager
    return None


def _writes(method: ast.Attribute, module: Module) -> bool:
    """Whether the chain of calls that a method begins changes rows in the end."""
    node: ast.AST | None = method
    while isinstance(node, (ast.Attribute, ast.Call)):
        if isinstance(node, ast.Attribute) and node.attr in _ENDS_IN_WRITE:
            return True
        node = module.source.parent(node)
    return False


def _has_order(method: Type, module: Module) -> bool:
    """Whether the rows of a relation have an order of their own, so that `first()` takes one at hand."""
    info = django.model_of(method.receiver, module)
    return info is None or django_models.meta(info, "ordering") is not None


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """A call in a loop that reads relations from each row, in the body of a project function."""

    entry: Entry
    reads: tuple[PathRead, ...]


def reads_through(rows: Rows, module: Module) -> list[Through]:
    """The calls of a loop's body that read relations which were not loaded; each path once."""
    reader = Reader(rows.binder, rows.name, rows.row.name, module)
    nodes = sorted(
        (node for node in django_reads.nodes_of(rows.body) if isinstance(node, ast.expr)),
        key=lambda node: (node.lineno, node.col_offset),
    )
    assigned = {
        reader.path_of(node)
        for node in nodes
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    } - {()}
    known: set[str] | None = None
    found: list[Through] = []
    for node in nodes:
        for entry in reader.entries(node):
            missing = [read for read in django_reads.read_through(entry) if _is_missing(read, rows, assigned)]
            if not missing or django_reads.runs_for_few(node, rows.binder, module):
                continue
            if known is None:
                known = {read.path for read in reads(rows, module)} | _read_before(rows, module)
            fresh = [read for read in missing if not _is_known(read.path, known)]
            known.update(read.path for read in fresh)
            longest = [read for read in fresh if not _is_known(read.path, known - {read.path})]
            if longest:
                found.append(Through(entry, tuple(sorted(longest, key=lambda read: read.path))))
    return found


def _is_missing(read: PathRead, rows: Rows, assigned: set[tuple[str, ...]]) -> bool:
    parts = read.path.split("__")
    if any(tuple(parts[: len(path)]) == path for path in assigned):
        return False
    return not django_reads.is_loaded(read, rows.loaded)


def _is_known(path: str, known: set[str]) -> bool:
    return any(path == one or one.startswith(f"{path}__") for one in known)


# Who built the queryset


def builder(iterated: ast.expr, module: Module) -> ast.expr | None:
    """The innermost queryset expression of the same function that a loop's iterable comes from.

    Names are followed while their values come from one assignment of the same function; None where the
    queryset comes from elsewhere (a parameter, another function, an attribute).
    """
    node = iterated
    for _ in range(_MAX_STEPS):
        match node:
            case ast.Name():
                binding = _source_of(node, module)
                if binding is None or not _same_function(binding, node, module):
                    return None
                assert binding.value is not None
                node = binding.value
            case ast.Call(func=ast.Attribute(value=inner, attr="page" | "get_page")) if django.is_page(
                module.type_of(node)
            ):
                node = inner
            case ast.Call(args=[inner, *_]) if django.is_paginator(module.type_of(node)):
                node = inner
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in _KEEPS_ROWS:
                node = inner
            case ast.Call(func=ast.Attribute(value=inner, attr="iterator" | "aiterator")):
                node = inner
            case ast.Subscript(value=inner):
                node = inner
            case ast.Call(func=ast.Attribute()) | ast.Attribute():
                value = module.type_of(node)
                if django.is_queryset(value, module) or (
                    isinstance(node, ast.Call) and django.is_manager(value, module)
                ):
                    return node if isinstance(node, ast.Call) else None
                return None
            case _:
                return None
    return None


def _source_of(name: ast.Name, module: Module) -> Binding | None:
    """The only assignment that the value of a name comes from.

    Of several, those do not count that make the name's next value of itself: `orders = orders.filter()`.
    """
    every = list(_bindings(name, module))
    if len(every) == 1:
        return every[0] if _is_plain(every[0]) else None
    sources = []
    for binding in every:  # grows on the way
        start = binding.value
        while isinstance(start, (ast.Call, ast.Attribute)):
            start = start.func if isinstance(start, ast.Call) else start.value
        if isinstance(start, ast.Name) and start.id == name.id:
            every += [item for item in _bindings(start, module) if item not in every]
        else:
            sources.append(binding)
    return sources[0] if len(sources) == 1 and _is_plain(sources[0]) else None


def _is_plain(binding: Binding) -> bool:
    return binding.kind == "assign" and not binding.path and binding.value is not None


def _same_function(binding: Binding, use: ast.AST, module: Module) -> bool:
    source = module.source
    return source.enclosing_function(binding.node) is source.enclosing_function(use)


def chained_call(expression: ast.expr, method: str) -> ast.Call | None:
    """The call of a method in a chain of calls (`a.filter().select_related()`), the last one."""
    node = expression
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == method:
            return node
        node = node.func.value
    return None


def may_be_prefetched(expression: ast.expr, module: Module) -> bool:
    """Whether a queryset starts at a relation of the rows of another loop, which may be loaded there."""
    node = expression
    while isinstance(node, (ast.Call, ast.Attribute)):
        if isinstance(node, ast.Attribute) and django.is_related_manager(module.type_of(node)):
            break
        node = node.func if isinstance(node, ast.Call) else node.value
    while isinstance(node, ast.Attribute):
        node = node.value
    found = module.lookup(node.id, node) if isinstance(node, ast.Name) else None
    return found is not None and any(binding.kind in {"for", "comprehension"} for binding in found[1])


def prefetched_as(rows: Rows) -> str:
    """The relation that the rows of a loop were prefetched by, as in `for line in order.lines.all()`.

    A new queryset of it would leave them aside; empty where they come from a query of their own.
    """
    match rows.iterated:
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=ast.Name(), attr=name), attr="all"), args=[]
        ) if rows.loaded.cached:
            return name
    return ""


def loading_edit(built: ast.expr | None, method: str, path: str, module: Module) -> Edit | None:
    """The edit that makes a queryset expression load a path by `select_related` or `prefetch_related`.

    None where the expression is not known, takes its arguments from elsewhere or may be prefetched itself.
    """
    edits = loading_edits(built, {method: [path]}, module)
    return edits[0] if edits else None


def loading_edits(
    built: ast.expr | None, wanted: Mapping[str, Sequence[str]], module: Module
) -> list[Edit] | None:
    """The edits that make a queryset expression load paths, by the method that loads them.

    None where they cannot all be made; see `loading_edit`. What is annotated has to be read by another name
    too, which no edit of the queryset does.
    """
    if built is None or "annotate" in wanted or may_be_prefetched(built, module):
        return None
    source = module.source
    edits: list[Edit] = []
    appended = ""
    for method, paths in wanted.items():
        if not paths:
            continue
        call = chained_call(built, method)
        if call is None:
            appended += f".{method}({_quoted(paths)})"
            continue
        if not call.args or call.keywords or any(isinstance(item, ast.Starred) for item in call.args):
            return None
        rest = list(paths)
        for argument in call.args:
            given = argument.value if isinstance(argument, ast.Constant) else None
            longer = [path for path in rest if isinstance(given, str) and path.startswith(f"{given}__")]
            if longer:
                rest.remove(longer[0])
                edits.append(Edit(*source.outer_range(argument), f'"{longer[0]}"'))
        if rest:
            end = source.outer_range(call.args[-1])[1]
            edits.append(Edit(end, end, "".join(f', "{path}"' for path in rest)))
    if appended:
        end = source.end(built)
        edits.append(Edit(end, end, appended))
    return edits


def _quoted(paths: Sequence[str]) -> str:
    return ", ".join(f'"{path}"' for path in paths)


def loading_methods(reads: Iterable[PathRead]) -> dict[str, list[str]]:
    """The paths of some reads by the method that loads them, or that counts them in the same query."""
    wanted: dict[str, list[str]] = {"select_related": [], "prefetch_related": [], "annotate": []}
    for read in reads:
        prefetched = read.many or read.relation.kind == "generic"
        method = "prefetch_related" if prefetched else "select_related"
        if read.counted:
            wanted["annotate"].append(counted_path(read.path, read.relation))
        else:
            wanted[method].append(read.path)
    return {method: paths for method, paths in wanted.items() if paths}


@dataclass(frozen=True, slots=True)
class Remedy:
    """What loads some relations with the rows: in words, as edits where all can be made, and the proof."""

    advice: str
    edits: tuple[Edit, ...]
    related: tuple[Related, ...]


def remedy(queryset: ast.expr | None, reads: Sequence[PathRead], module: Module) -> Remedy:
    """How to load what is read from the rows of a queryset; None for one that another module builds."""
    wanted = loading_methods(reads)
    built = builder(queryset, module) if queryset is not None else None
    start = origin(queryset, module) if queryset is not None else None
    steps = [*([start] if start is not None else []), *(step for read in reads for step in read.steps)]
    return Remedy(
        advice(wanted), tuple(loading_edits(built, wanted, module) or ()), tuple(dict.fromkeys(steps))
    )


def counted_path(path: str, relation: Relation) -> str:
    """The path of a relation as `Count()` takes it: queries name a reverse relation after its model.

    Source: Django documentation, "Lookups that span relationships".
    """
    model = (relation.target or "").rpartition(".")[2].lower()
    return path.removesuffix("_set") if path.rpartition("__")[2] == f"{model}_set" else path


def advice(wanted: Mapping[str, Sequence[str]]) -> str:
    """How to load the paths, as it would be written behind a queryset."""
    return "".join(
        f".{method}({counts(paths) if method == 'annotate' else _quoted(paths)})"
        for method, paths in wanted.items()
    )


def counts(paths: Sequence[str]) -> str:
    """The arguments with which `annotate()` counts the rows that some paths lead to.

    Several joins multiply the rows: Django documentation, "Combining multiple aggregations".
    """
    if len(paths) > 1:
        return ", ".join(f'Count("{path}", distinct=True)' for path in paths)
    return ", ".join(f'Count("{path}")' for path in paths)


def origin(iterated: ast.expr, module: Module) -> Related | None:
    """Where the queryset of a loop comes from: an expression of this function, or a project function."""
    built = builder(iterated, module)
    if built is not None:
        source = module.source
        return Related(source.path, source.position(source.start(built)), "the queryset is built here")
    node: ast.expr = iterated
    for _ in range(_MAX_STEPS):
        if isinstance(node, ast.Name):
            found = module.lookup(node.id, node)
            if found is None or len(found[1]) != 1 or not _is_plain(found[1][0]):
                return None
            assert found[1][0].value is not None
            node = found[1][0].value
        elif isinstance(node, ast.Call):
            callee = module.type_of(node.func)
            function = None
            if callee is not None and callee.kind is Kind.FUNCTION:
                function = module.modules.function_info(callee.name)
            if function is None:
                return None
            home = function.module.source
            return Related(
                home.path, home.position(home.start(function.node)), "the queryset comes from here"
            )
        else:
            return None
    return None


def preloads(rows: ast.expr, module: Module) -> bool:
    """Whether the function that uses some rows loads relations of rows by `prefetch_related_objects`."""
    source = module.source
    function = source.enclosing_function(rows)
    for name in ("prefetch_related_objects", "aprefetch_related_objects"):
        if any(source.enclosing_function(call) is function for call in source.calls.get(name, ())):
            return True
    return False


# Keys


def key_of_relation(node: ast.Attribute, module: Module) -> ast.Attribute | None:
    """For `x.fk.pk` and `x.fk.id` the attribute `x.fk`, where `x` holds the same value in `fk_id`.

    None where the other row is, or may be, at hand: loaded, assigned or read in the same function.
    """
    relation = node.value
    if not isinstance(relation, ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return None
    row = module.type_of(relation.value)
    info = module.modules.class_info(row.name) if row is not None and row.kind is Kind.INSTANCE else None
    if row is None or info is None or not django_models.is_model(info):
        return None
    field = django_models.fields(info).get(relation.attr)
    if field is None or not field.is_single or field.argument("to_field") is not None:
        return None
    found = django_models.relation(info.name, relation.attr, module)
    if found is None or found.target is None or not _is_key(node.attr, found.target, module):
        return None
    if row.fact.covers(relation.attr) if isinstance(row.fact, Loaded) else _is_made(relation.value, module):
        return None
    if found.nullable and _expects_none(node, module):
        return None
    return None if _is_used_elsewhere(relation, module) else relation


def _is_made(row: ast.expr, module: Module) -> bool:
    """Whether a variable holds what a call gave that loads no row: it may be new, with the other at hand."""
    binding = module.lookup(row.id, row) if isinstance(row, ast.Name) else None
    return binding is not None and any(isinstance(item.value, ast.Call) for item in binding[1])


def _is_key(name: str, model: str, module: Module) -> bool:
    """Whether an attribute of a model's rows is its primary key."""
    info = module.modules.class_info(model)
    if info is None:
        return model in django_models.LIBRARY_MODELS
    keys = [field.name for field in django_models.fields(info).values() if field.flag("primary_key")]
    return name == "pk" or not keys or keys == [name]


def _expects_none(node: ast.AST, module: Module) -> bool:
    """Whether a `try` around a node in its function catches the error of reading an attribute of None."""
    for around in module.source.ancestors(node):
        if isinstance(around, ast.Try) and around.handlers:
            return True
        if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            return False
    return False


def _is_used_elsewhere(relation: ast.Attribute, module: Module) -> bool:
    """Whether the function reads or sets the same relation for more than its key."""
    source = module.source
    function = source.enclosing_function(relation)
    text = ast.dump(relation.value)
    for other in source.nodes(ast.Attribute):
        if (
            other.attr != relation.attr
            or other is relation
            or source.enclosing_function(other) is not function
        ):
            continue
        around = source.parent(other)
        is_key = isinstance(around, ast.Attribute) and around.attr in {"pk", "id"}
        if not is_key and ast.dump(other.value) == text:
            return True
    return any(
        isinstance(call.args[1] if len(call.args) > 1 else None, ast.Constant)
        and cast(ast.Constant, call.args[1]).value == relation.attr
        and ast.dump(call.args[0]) == text
        and source.enclosing_function(call) is function
        for call in source.calls.get("getattr", ())
    )
