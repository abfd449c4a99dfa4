"""Facts about what functions read from the rows they are given: paths of relations, through calls and files.

A path is written as Django's lookups are: `customer__company`. What a function reads counts when it reads
it for every row, or for rows that it chooses by the row itself; what depends on anything else does not.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from typing import Final

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import django, django_models, text_conversion
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_models import Relation
from pybackend_lint.project import calls
from pybackend_lint.project.index import Index
from pybackend_lint.semantic import lambdas
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Binding
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

MAX_CALLS: Final = 5
_MAX_STEPS = 6
_CACHED_PROPERTIES = frozenset(
    {"functools.cached_property", "django.utils.functional.cached_property", "werkzeug.utils.cached_property"}
)
# What looks whether rows are at hand before it reads them.
_GUARDS = frozenset(
    {
        "is_cached", "_prefetched_objects_cache", "_state", "fields_cache", "get_deferred_fields", "hasattr",
        "prefetch_related_objects", "aprefetch_related_objects",
    }
)  # fmt: skip
# Methods of models that run for new rows and for changed ones, and decide by that what they read.
_HOOKS = frozenset({"save", "save_base", "delete", "clean", "full_clean", "refresh_from_db", "__init__"})
_IDENTITY = frozenset({"pk", "id", "adding", "created"})
_WRITES = frozenset(
    {"save", "delete", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
)
_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_EXITS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_KEEPS_ROWS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter"})
_BUILTINS = frozenset(dir(builtins))
_EVALUATING = frozenset(
    {
        "list", "tuple", "set", "frozenset", "sorted", "reversed", "len", "bool", "any", "all", "sum", "max",
        "min", "dict", "enumerate", "zip", "map", "filter", "iter", "next",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is reached from the one a function was given: by which relations, and of which model.

    - `back`: the attribute that leads from it to `parent` without a query, empty without one.
    - `many`: a relation to many rows is on the way.
    """

    path: tuple[str, ...]
    model: str
    parent: Row | None = None
    back: str = ""
    many: bool = False

    def beyond(self, path: Iterable[str]) -> tuple[str, ...]:
        """The path from the first row of what is read along `path` from this one."""
        rest = list(path)
        row = self
        while rest and row.parent is not None and rest[0] == row.back:
            row = row.parent
            del rest[0]
        return (*row.path, *rest)

    def below(self, name: str, relation: Relation) -> Row | None:
        """The row that a relation of this one leads to; None where its model is not known."""
        if relation.target is None:
            return None
        many = self.many or not relation.is_single
        return Row((*self.path, name), relation.target, self, relation.back or "", many)

    def read(
        self,
        name: str,
        relation: Relation,
        step: Related,
        node: ast.expr | None = None,
        *,
        counted: bool = False,
    ) -> PathRead:
        """The read of a relation of this row, at the place `step`."""
        path = "__".join(self.beyond((name,)))
        return PathRead(path, relation, self.many or not relation.is_single, (step,), node, counted)


@dataclass(frozen=True, slots=True)
class PathRead:
    """A relation that a function reads from a row, itself or in what it calls.

    - `path`: the lookup path from the row; `relation`: its last relation; `many`: one of its relations
      leads to many rows.
    - `steps`: the places on the way, the read itself last; `node`: where the function that was asked
      about reads it or calls what does, None outside functions.
    - `counted`: it is only asked how many rows the relation leads to from the first row, or whether any.
    """

    path: str
    relation: Relation
    many: bool
    steps: tuple[Related, ...]
    node: ast.expr | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A call of a project function, or read of a property, that receives a row, or rows to go over.

    `row` is the first or any of the rows then; `read` the read of the relation that leads to them.
    """

    row: Row
    function: FunctionInfo
    parameter: str
    node: ast.expr
    name: str
    of_rows: bool = False
    read: PathRead | None = None


def reads_of(
    function: FunctionInfo, parameter: str, model: str, *, of_rows: bool = False
) -> tuple[PathRead, ...]:
    """The relations that a function reads from a row of `model` in a parameter, one read for each path.

    With `of_rows` the parameter holds many rows, and what is read from each of them counts. Empty where the
    function calls itself again or looks at what is loaded.
    """
    index = function.module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("django reads", function.name, id(function.node), parameter, model, of_rows),
        lambda: _expanded(_Given(function, parameter, model, of_rows), ())[0],
    )


def read_through(entry: Entry) -> tuple[PathRead, ...]:
    """The relations that are read from the first row of a reader by one of its calls."""
    reads = [
        _joined(entry.row, read, entry.node, entry.name, None)
        for read in reads_of(entry.function, entry.parameter, entry.row.model, of_rows=entry.of_rows)
        if entry.row.beyond(read.path.split("__"))
    ]
    if entry.read is not None and _direct(_given(entry)).iterates:
        reads.append(entry.read)
    return tuple(reads)


def member(row: Row, name: str, module: Module) -> FunctionInfo | None:
    """The property or method of a row's model under a name, where its body runs when a row is asked."""
    info = module.modules.class_info(row.model)
    method = info.method(name) if info is not None else None
    if method is None or method.is_static or method.is_class_method or not _runs_at_once(method):
        return None
    return method if _first_parameter(method) else None


def member_reads(row: Row, method: FunctionInfo, step: Related) -> Iterator[PathRead]:
    """What a property or method of a row's model reads, by the paths from the first row.

    `step` is the place that asks for it.
    """
    yield from reads_below(row, reads_of(method, _first_parameter(method), row.model), step)


def reads_below(row: Row, reads: Iterable[PathRead], step: Related) -> Iterator[PathRead]:
    """Reads from a row as such from the first row; `step` is the place that leads to them."""
    for read in reads:
        path = row.beyond(read.path.split("__"))
        if path:
            yield replace(read, path="__".join(path), many=row.many or read.many, steps=(step, *read.steps))


def is_loaded(read: PathRead, fact: Loaded) -> bool:
    """Whether rows with what is loaded answer a read without a query for each of them, or may do so."""
    if fact.covers(read.path) or fact.may_be_aside(read.path):
        return True
    one_by_one = fact.fetch_mode in {"", "FETCH_ONE"} and not fact.restricted
    return not read.many and (not one_by_one or (fact.every and not read.relation.nullable))


def longest(reads: Iterable[PathRead]) -> tuple[PathRead, ...]:
    """One read for each path that no longer path implies, sorted by path."""
    found: dict[str, PathRead] = {}
    for read in reads:
        _keep(read, found)
    return tuple(
        read
        for path, read in sorted(found.items())
        if not any(other.startswith(f"{path}__") for other in found)
    )


def _keep(read: PathRead, found: dict[str, PathRead]) -> None:
    """Keep the first read of a path that fetches rows, or else the first."""
    known = found.get(read.path)
    if known is None or (known.counted and not read.counted):
        found[read.path] = read


def _joined(row: Row, read: PathRead, node: ast.expr, name: str, module: Module | None) -> PathRead:
    steps = read.steps
    if module is not None:
        steps = (related(node, f"calls `{name}`", module), *steps)
    path = "__".join(row.beyond(read.path.split("__")))
    counted = read.counted and not row.many
    return replace(read, path=path, many=row.many or read.many, steps=steps, node=node, counted=counted)


def related(node: ast.AST, message: str, module: Module) -> Related:
    """A place in a module as a related location."""
    source = module.source
    return Related(source.path, source.position(source.start(node)), message)


@dataclass(frozen=True, slots=True)
class _Given:
    """A function whose parameter holds a row of a model, or many rows of it."""

    function: FunctionInfo
    parameter: str
    model: str
    of_rows: bool


def _given(entry: Entry) -> _Given:
    return _Given(entry.function, entry.parameter, entry.row.model, entry.of_rows)


def _expanded(given: _Given, stack: tuple[str, ...]) -> tuple[tuple[PathRead, ...], int]:
    """What a function reads, and the lowest place of the stack of calls that it comes back to."""
    function = given.function
    depth = len(stack)
    lowest = depth + 1
    direct = _direct(given)
    found: dict[str, PathRead] = {}
    for read in direct.reads:
        _keep(read, found)
    for entry in direct.entries:
        if entry.function.name in (*stack, function.name):
            lowest = min(lowest, (*stack, function.name).index(entry.function.name))
            continue
        if depth + 1 >= MAX_CALLS:
            continue
        inner, reached = _expanded(_given(entry), (*stack, function.name))
        lowest = min(lowest, reached)
        if entry.read is not None and _direct(_given(entry)).iterates:
            if not _is_assigned(entry.read, direct.assigned):
                _keep(entry.read, found)
        for read in inner:
            if entry.row.beyond(read.path.split("__")):
                joined = _joined(entry.row, read, entry.node, entry.name, function.module)
                if not _is_assigned(joined, direct.assigned):
                    _keep(joined, found)
    if lowest <= depth:
        return (), lowest
    return tuple(found.values()), lowest


@dataclass(frozen=True, slots=True, eq=False)
class _Direct:
    """What a function's own body reads from a row, whom it hands the row to, and the paths that it sets.

    `iterates` is whether it goes over the rows that its parameter holds.
    """

    reads: tuple[PathRead, ...] = ()
    entries: tuple[Entry, ...] = ()
    assigned: frozenset[tuple[str, ...]] = frozenset()
    iterates: bool = False


def _direct(given: _Given) -> _Direct:
    function = given.function
    index = function.module.modules
    assert isinstance(index, Index)
    key = ("django own reads", function.name, id(function.node), given.parameter, given.model, given.of_rows)
    return index.fact(key, lambda: _find_direct(given))


def _find_direct(given: _Given) -> _Direct:
    function = given.function
    argument = next((node for node, _ in function.parameters() if node.arg == given.parameter), None)
    if argument is None or _looks_first(function):
        return _Direct()
    reader = Reader(argument, given.parameter, given.model, function.module, of_rows=given.of_rows)
    nodes = [*function.own(ast.Attribute), *function.own(ast.Call), *function.own(ast.FormattedValue)]
    assigned = frozenset(
        reader.path_of(node)
        for node in nodes
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    )
    writes = any(
        isinstance(call.func, ast.Attribute) and call.func.attr in _WRITES for call in function.own(ast.Call)
    )  # the rows of a relation that were loaded before may not be those that are wanted
    reads: list[PathRead] = []
    entries: list[Entry] = []
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        read = reader.read(node) if isinstance(node, ast.Attribute) else None
        entered = list(reader.entries(node)) if read is None else []
        if (read is None and not entered) or not reader.decides(node, function):
            continue
        if given.of_rows and _is_for_few(node, function):
            continue
        if read is not None and not _is_assigned(read, assigned) and not (read.many and writes):
            reads.append(read)
        entries += entered
    iterates = given.of_rows and any(
        reader.holds_rows(name)
        and _is_evaluated(name, function.module)
        and reader.decides(name, function)
        and not _is_for_few(name, function)
        for name in function.own(ast.Name)
    )
    return _Direct(tuple(reads), tuple(entries), assigned, iterates)


def _is_for_few(node: ast.AST, function: FunctionInfo) -> bool:
    """Whether a node of a function runs for few of the rows that a loop around it goes over."""
    module = function.module
    for around in module.source.ancestors(node):
        if around is function.node:
            return False
        if isinstance(around, (ast.For, ast.AsyncFor)) and runs_for_few(node, around, module):
            return True
        if isinstance(around, ast.Call) and last_name(around.func) == "next":
            return True
    return False


def _is_assigned(read: PathRead, assigned: Set[tuple[str, ...]]) -> bool:
    parts = tuple(read.path.split("__"))
    return any(parts[: len(path)] == path for path in assigned if path)


def _looks_first(function: FunctionInfo) -> bool:
    """Whether a function asks what has been loaded, so that it may read something else."""
    names = {node.attr for node in function.own(ast.Attribute)}
    names |= {node.func.id for node in function.own(ast.Call) if isinstance(node.func, ast.Name)}
    return not names.isdisjoint(_GUARDS)


class Reader:
    """Follows the row that a parameter or the target of a loop holds, in one function.

    With `of_rows` a parameter holds many rows, and the elements of loops over it are followed.
    """

    def __init__(
        self, binder: ast.AST, name: str, model: str, module: Module, *, of_rows: bool = False
    ) -> None:
        self.binder = binder
        self.name = name
        self.module = module
        self.of_rows = of_rows
        self._first = Row((), model)
        self._known: dict[int, Row | None] = {}

    def row(self, node: ast.expr) -> Row | None:
        """The row that an expression certainly is, None for everything else."""
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None
        key = id(node)
        if key not in self._known:
            self._known[key] = None
            self._known[key] = self._of_name(node) if isinstance(node, ast.Name) else self._of_attribute(node)
        return self._known[key]

    def _of_name(self, node: ast.Name) -> Row | None:
        binding = self._binding(node)
        if binding is None:
            return None
        if binding.node is self.binder:
            return self._first if node.id == self.name and not self.of_rows else None
        value = binding.value
        if binding.kind == "assign" and not binding.path and value is not None:
            return self.row(value)
        if binding.kind in {"for", "comprehension"} and value is not None:
            return self.element(value, binding.path)
        if binding.kind == "parameter":
            called = self.module.source.enclosing_function(node)
            if isinstance(called, ast.Lambda) and lambdas.item_parameter(called) is binding.node:
                iterated = lambdas.iterated_by(called, self.module.source)
                return self.element(iterated) if iterated is not None else None
        return None

    def holds_rows(self, node: ast.expr) -> bool:
        """Whether an expression is the name of the parameter that holds many rows."""
        if not self.of_rows or not isinstance(node, ast.Name) or node.id != self.name:
            return False
        binding = self._binding(node)
        return binding is not None and binding.node is self.binder

    def _binding(self, node: ast.Name) -> Binding | None:
        found = self.module.lookup(node.id, node)
        return found[1][0] if found is not None and len(found[1]) == 1 else None

    def _of_attribute(self, node: ast.Attribute) -> Row | None:
        base = self.row(node.value)
        if base is None or len(base.path) >= _MAX_STEPS:
            return None
        if base.parent is not None and node.attr == base.back:
            return base.parent
        relation = django_models.relation(base.model, node.attr, self.module)
        return base.below(node.attr, relation) if relation is not None and relation.is_single else None

    def element(self, iterated: ast.expr, path: tuple[int, ...] = ()) -> Row | None:
        """The rows that iterating an expression gives, where it is `all()` of a relation of the row.

        So are those that the parameter holds, and what a name or a list keeps of either.
        """
        match iterated:
            case ast.Name():
                binding = self._binding(iterated)
                if binding is None or path:
                    return None
                if self.holds_rows(iterated):
                    return self._first
                is_kept = binding.kind == "assign" and not binding.path and binding.value is not None
                return self.element(binding.value) if is_kept and binding.value is not None else None
            case ast.Call(func=ast.Attribute(value=ast.Name() as rows, attr="all" | "iterator"), args=[]) if (
                not path and self.holds_rows(rows)
            ):
                return self._first
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]) if path == (1,):
                return self.element(inner)
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in _KEEPS_ROWS and not path:
                return self.element(inner)
            case ast.Call(func=ast.Attribute(value=ast.Attribute() as manager, attr="all")) if not path:
                base = self.row(manager.value)
                relation = self._relation(base, manager.attr)
                if base is None or relation is None or relation.is_single:
                    return None
                return base.below(manager.attr, relation)
        return None

    def _relation(self, base: Row | None, name: str) -> Relation | None:
        if base is None or (base.parent is not None and name == base.back):
            return None
        return django_models.relation(base.model, name, self.module)

    def path_of(self, node: ast.Attribute) -> tuple[str, ...]:
        """The path that an attribute of a row stands for; empty for attributes of anything else."""
        base = self.row(node.value)
        return base.beyond((node.attr,)) if base is not None else ()

    def read(self, node: ast.Attribute) -> PathRead | None:
        """The relation whose rows are read here, or None."""
        base = self.row(node.value) if isinstance(node.ctx, ast.Load) else None
        relation = self._relation(base, node.attr)
        if base is None or relation is None:
            return None
        following = self.module.source.parent(node)
        if relation.is_single:
            if relation.kind == "forward" and isinstance(following, ast.Attribute):
                if following.attr in {"pk", "id"}:
                    return None
            return self._path_read(base, node, relation)
        method = reading_method(node, self.module)
        counted = method != "all" and not base.many
        return self._path_read(base, node, relation, counted) if method else None

    def _path_read(
        self, base: Row, node: ast.Attribute, relation: Relation, counted: bool = False
    ) -> PathRead:
        step = related(node, f"reads `{node.attr}`", self.module)
        return base.read(node.attr, relation, step, node, counted=counted)

    def entries(self, node: ast.AST) -> Iterator[Entry]:
        """The project's functions that receive a row at this node."""
        match node:
            case ast.Attribute(value=value, attr=attr, ctx=ast.Load()):
                base = self.row(value)
                if base is not None:
                    yield from self._of_member(base, attr, node)
            case ast.FormattedValue(value=argument):
                yield from self._as_text(argument)
            case ast.Call():
                for argument, _ in text_conversion.converted(node, self.module):
                    yield from self._as_text(argument)
                yield from self._of_call(node)

    def _as_text(self, value: ast.expr) -> Iterator[Entry]:
        """The `__str__` of a row's model, which its `__repr__` calls."""
        base = self.row(value)
        method = self._method(base, "__str__")
        if base is not None and method is not None:
            yield Entry(base, method, _first_parameter(method), value, "__str__")

    def _method(self, base: Row | None, name: str) -> FunctionInfo | None:
        info = self.module.modules.class_info(base.model) if base is not None else None
        return info.method(name) if info is not None else None

    def _of_member(self, base: Row, name: str, node: ast.Attribute) -> Iterator[Entry]:
        method = self._method(base, name)
        if method is None or method.is_static or method.is_class_method or name in _HOOKS:
            return
        call = self.module.source.parent(node)
        called = isinstance(call, ast.Call) and call.func is node
        if called != method.is_property and _runs_at_once(method):
            shown = name if method.is_property else f"{name}()"
            yield Entry(base, method, _first_parameter(method), node, shown)

    def _of_call(self, call: ast.Call) -> Iterator[Entry]:
        if _passes_through(call):
            return
        for value in (*call.args, *(keyword.value for keyword in call.keywords)):
            row, of_rows = self.row(value), False
            if row is None and isinstance(value, (ast.Name, ast.Call)):
                row, of_rows = self.element(value), True
            receiver = receiver_of(call, value, self.module, of_rows=of_rows) if row is not None else None
            if row is not None and receiver is not None:
                function, parameter = receiver
                name = f"{function.node.name}()"
                read = self._read_of_rows(value, call.func) if of_rows else None
                yield Entry(row, function, parameter, call.func, name, of_rows, read)

    def _read_of_rows(self, value: ast.expr, node: ast.expr) -> PathRead | None:
        """The read of the relation whose rows a call is given, by `all()` or a name for it."""
        while isinstance(value, ast.Name):
            binding = self._binding(value)
            if binding is None or binding.kind != "assign" or binding.value is None:
                return None
            value = binding.value
        match value:
            case ast.Call(func=ast.Attribute(value=ast.Attribute() as manager, attr="all")):
                base = self.row(manager.value)
                relation = self._relation(base, manager.attr)
                if base is not None and relation is not None:
                    return base.read(
                        manager.attr, relation, related(node, f"reads `{manager.attr}`", self.module), node
                    )
        return None

    def decides(self, node: ast.AST, function: FunctionInfo) -> bool:
        """Whether nothing but the row itself decides if this node runs when the function is called."""
        child = node
        for parent in self.module.source.ancestors(node):
            if isinstance(parent, (ast.ExceptHandler, ast.Raise, ast.Assert)):
                return False
            if self._stands_in(parent, child):
                return False
            for test, chosen in _tests(parent, child):
                if chosen and not self._is_of_row(test):
                    return False
            if not self._is_reached(parent, child):
                return False
            if parent is function.node:
                return True
            child = parent
        return True

    def _stands_in(self, parent: ast.AST, child: ast.AST) -> bool:
        """Whether an expression gives a value only to rows that have none: `self.name or self.owner.name`."""
        if not isinstance(parent, ast.BoolOp) or not isinstance(parent.op, ast.Or):
            return False
        around = self.module.source.parent(parent)
        tested = isinstance(
            around, (ast.If, ast.While, ast.IfExp, ast.BoolOp, ast.UnaryOp, ast.comprehension)
        )
        return child is not parent.values[0] and not tested

    def _is_reached(self, parent: ast.AST, child: ast.AST) -> bool:
        """Whether no earlier statement of the block may leave it because of anything but the row."""
        for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if isinstance(block, list) and child in block:
                for earlier in block[: block.index(child)]:
                    if (
                        isinstance(earlier, ast.If)
                        and _may_leave(earlier)
                        and not self._is_of_row(earlier.test)
                    ):
                        return False
        return True

    def _is_of_row(self, test: ast.expr, depth: int = 0) -> bool:
        """Whether a condition asks only about the row: no parameters, settings or state of others."""
        for node in ast.walk(test):
            if isinstance(node, ast.Attribute) and node.attr in _IDENTITY:
                return False  # asks whether the row is a new one
            if not isinstance(node, ast.Name) or node.id in _BUILTINS or node.id[:1].isupper():
                continue
            binding = self._binding(node)
            if binding is None or binding.node is self.binder or self.row(node) is not None:
                if binding is None:
                    return False
                continue
            value = binding.value
            if binding.kind not in {"assign", "comprehension", "for"} or value is None or depth > 2:
                return False
            if not self._is_of_row(value, depth + 1):
                return False
        return True


def _passes_through(call: ast.Call) -> bool:
    """Whether a call is no candidate for a function of the project: one without arguments, or a built-in."""
    func = call.func
    return not (call.args or call.keywords) or (isinstance(func, ast.Name) and func.id in _BUILTINS)


def receiver_of(
    call: ast.Call, value: ast.expr, module: Module, *, of_rows: bool = False
) -> tuple[FunctionInfo, str] | None:
    """The project function that a call runs at once, and its parameter that gets one of the arguments.

    With `of_rows` it may be a generator, which goes over the rows it is given when its caller does.
    """
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    function, skipped = _callee(call, module)
    if function is None or function.is_property:
        return None
    is_generator = of_rows and bool(function.yields) and function.is_transparent and not function.is_async
    if not is_generator and not _runs_at_once(function):
        return None
    arguments = [*function.node.args.posonlyargs, *function.node.args.args][skipped:]
    for position, given in enumerate(call.args):
        if given is value:
            return (function, arguments[position].arg) if position < len(arguments) else None
    for keyword in call.keywords:
        if keyword.value is value and keyword.arg is not None:
            return function, keyword.arg
    return None


def _callee(call: ast.Call, module: Module) -> tuple[FunctionInfo | None, int]:
    callee = module.type_of(call.func)
    if callee is None:
        return None, 0
    if callee.kind is Kind.CLASS:
        info = module.modules.class_info(callee.name)
        return (info.method("__init__") if info is not None else None), 1
    if callee.kind is Kind.INSTANCE:
        info = module.modules.class_info(callee.name)
        return (info.method("__call__") if info is not None else None), 1
    if callee.kind is not Kind.FUNCTION:
        return None, 0
    return module.modules.function_info(callee.name), 1 if callee.receiver is not None else 0


def runs_for_few(node: ast.AST, loop: ast.AST, module: Module) -> bool:
    """Whether a node runs for one row, as the loop ends then, for rows that fail, or once for each key."""
    if not isinstance(loop, (ast.For, ast.AsyncFor)):
        return False
    child = node
    inside = False
    for parent in module.source.ancestors(node):
        if isinstance(parent, ast.ExceptHandler):
            return True
        if isinstance(parent, ast.If) and child in parent.body and _fills_table(parent):
            return True
        blocks = [getattr(parent, "body", None), getattr(parent, "orelse", None)]
        following = [
            later
            for block in blocks
            if isinstance(block, list) and child in block
            for later in block[block.index(child) :]
        ]
        if isinstance(parent, (ast.With, ast.AsyncWith)) and child not in parent.body:
            following += parent.body
        for later in following:
            if isinstance(later, (ast.Return, ast.Raise)) or (isinstance(later, ast.Break) and not inside):
                return True
        if parent is loop:
            return False
        inside = inside or isinstance(parent, (ast.For, ast.AsyncFor, ast.While))
        child = parent
    return False


def _fills_table(guard: ast.If) -> bool:
    """Whether an `if` sets the item of a table for a key that is not in it."""
    match guard.test:
        case ast.Compare(ops=[ast.NotIn()], comparators=[table]):
            text = ast.dump(table)
            return any(
                isinstance(target, ast.Subscript) and ast.dump(target.value) == text
                for statement in guard.body
                if isinstance(statement, ast.Assign)
                for target in statement.targets
            )
    return False


def _tests(parent: ast.AST, child: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """The conditions under which a part of a statement or expression runs, and whether they concern it."""
    match parent:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield test, child is not test
        case ast.BoolOp(values=[first, *rest]):
            yield first, child is not first
            for value in rest:
                if value is child:
                    break
                yield value, child is not first
        case ast.match_case(guard=guard):
            if guard is not None:
                yield guard, True
        case ast.Match(subject=subject):
            yield subject, child is not subject
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for generator in parent.generators:
                for condition in generator.ifs:
                    yield condition, child is not generator


def _may_leave(statement: ast.If) -> bool:
    pending: list[ast.AST] = [*statement.body, *statement.orelse]
    while pending:
        node = pending.pop()
        if isinstance(node, _EXITS):
            return True
        if not isinstance(node, (*_LATER, ast.expr)):
            pending.extend(ast.iter_child_nodes(node))
    return False


def _first_parameter(function: FunctionInfo) -> str:
    arguments = [*function.node.args.posonlyargs, *function.node.args.args]
    return arguments[0].arg if arguments else ""


def _runs_at_once(function: FunctionInfo) -> bool:
    """Whether the body runs whenever the function is called, or the property read from a new row."""
    if function.is_async:
        return False
    if any(name in _CACHED_PROPERTIES for name in function.decorators):
        return function.is_transparent
    return calls.follows(function)


def reading_method(manager: ast.Attribute, module: Module) -> str:
    """The method that is called at once on the manager of a relation, if prefetched rows would answer it."""
    source = module.source
    method = source.parent(manager)
    if not isinstance(method, ast.Attribute):
        return ""
    call = source.parent(method)
    if not isinstance(call, ast.Call) or call.func is not method or call.args or call.keywords:
        return ""
    if method.attr == "all":
        outer = source.parent(call)
        if isinstance(outer, ast.Attribute):
            # a filtered or sorted relation is a new query with or without prefetched rows
            return outer.attr if outer.attr in {"count", "exists"} else ""
        return "all" if _is_evaluated(call, module) else ""
    return method.attr if method.attr in {"count", "exists"} else ""


def _is_evaluated(queryset: ast.expr, module: Module) -> bool:
    """Whether the rows of a queryset are read where it stands, or where the name that keeps it is used.

    Not where it is returned, combined with others or given to a lookup, which makes it part of a query.
    """
    source = module.source
    parent = source.parent(queryset)
    match parent:
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            return parent.iter is queryset
        case ast.Starred() | ast.YieldFrom():
            return True
        case ast.If() | ast.IfExp() | ast.While():
            return parent.test is queryset
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[other]):
            return other is queryset
        case ast.Call(func=ast.Name(id=name)):
            return name in _EVALUATING and name in _BUILTINS
        case ast.Call(func=ast.Attribute(attr="join")):
            return True
        case ast.Assign(targets=[ast.Name() as kept]):
            uses = django.other_uses(kept, module)
            narrowed = any(
                isinstance(around := source.parent(use), ast.Attribute)
                and around.attr not in {"count", "exists"}
                for use in uses
            )
            return not narrowed and any(_is_evaluated(use, module) for use in uses)
    return False


def nodes_of(body: Iterable[ast.AST]) -> list[ast.AST]:
    """The nodes of some statements or expressions that run with them, without functions that run later."""
    found: list[ast.AST] = []
    pending = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, _LATER):
            continue  # nobody knows when, and how often, the body runs
        found.append(node)
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            pending.extend(function.body for function in lambdas.called_by(node))
    return found
