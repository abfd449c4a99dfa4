"""Relationships that synchronous code loads once for each row of a result."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import (
    fastapi,
    sqlalchemy_expiry,
    sqlalchemy_loading,
    sqlalchemy_uses,
    template_contexts,
    text_conversion,
)
from pybackend_lint.frameworks.sqlalchemy_loading import LazyRead
from pybackend_lint.frameworks.sqlalchemy_serialised import validations
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded
from pybackend_lint.frameworks.sqlalchemy_words import functions_with_queries, relation_names
from pybackend_lint.semantic import lambdas
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Type
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

Loop = ast.For | ast.comprehension | ast.Lambda

# Methods that give many rows at once.
_GIVES_ROWS = ("all", "scalars", "fetchall", "unique", "order_by", "limit", "paginate")
_SENDS = frozenset({"query", "execute", "exec", "get", "get_one", "one", "first", "scalar_one", "scalar"})
_KEEPS_ROWS = frozenset({"list", "sorted", "reversed", "tuple", "set", "iter", "cast"})
_TO_TEXT = text_conversion.BUILTINS | text_conversion.LOGS


@dataclass(frozen=True, slots=True, eq=False)
class RowRead:
    """A relationship that is loaded for each row: where, and what reads it.

    `reader` is the function, property or model that reads it; "" for the loop itself.
    """

    place: ast.expr
    read: LazyRead
    reader: str
    steps: tuple[Related, ...]


def row_reads(ctx: Context) -> Iterator[RowRead]:
    """The lazy loads that the functions of a file start for each of the rows of a synchronous session.

    Loops that may end early are left out, and objects of which the identity map may know the target.
    """
    if not relation_names(ctx.module).relations:
        return
    rows = _Rows(ctx.module)
    places: dict[FunctionInfo, list[ast.expr]] = {}
    for node in (*rows.in_loops(), *rows.lists(), *rows.responses(), *rows.rendered()):
        function = ctx.function_around(node)
        if function is not None:
            places.setdefault(function, []).append(node)
    for function, nodes in places.items():
        yield from _reads(function, nodes, rows, ctx)


def _reads(info: FunctionInfo, nodes: list[ast.expr], rows: _Rows, ctx: Context) -> Iterator[RowRead]:
    wanted = {id(node) for node in nodes}
    for node in sqlalchemy_loading.attributes_read(info):
        loop = rows.loop(node.value) if id(node) in wanted else None
        read = sqlalchemy_loading.lazy_read(node, ctx) if loop is not None and rows.over_rows(loop) else None
        if loop is None or read is None or _is_one_target(read, ctx):
            continue
        if not sqlalchemy_expiry.is_detached(node, info, ctx):
            step = ctx.related(rows.iterated(loop), "the loop runs once for each row")
            yield RowRead(node, read, "", (step,))
    for use in sqlalchemy_uses.lazy_uses(info, ctx, nodes, is_async=False):
        reached, loop = use.reached, rows.loop(use.place)
        if loop is None:
            known = ctx.type_of(use.place)
            is_list = known is not None and not isinstance(known.fact, Loaded)
            if not (reached.repeated or is_list):
                continue
        elif _ends_early(loop) or not rows.over_rows(loop):
            continue
        if not _is_one_target(reached.read, ctx):
            yield RowRead(use.place, reached.read, reached.name, reached.steps)


class _Rows:
    """Where a file may read relationships of rows; types are asked for as late as possible."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.source = module.source
        names = relation_names(module)
        self.wanted = names.relations | names.readers
        self.has_text = not names.readers.isdisjoint(sqlalchemy_uses.TEXTS)
        self.queries = functions_with_queries(module)
        self._over_rows: dict[int, bool] = {}

    def loop(self, node: ast.expr, depth: int = 0) -> Loop | None:
        """The loop in which an expression stands for an element, or for what an element leads to."""
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        found = self.module.lookup(node.id, node) if isinstance(node, ast.Name) else None
        if found is None or len(found[1]) != 1 or depth > 3:
            return None
        binding = found[1][0]
        if binding.kind in {"for", "comprehension"}:
            return binding.node if isinstance(binding.node, (ast.For, ast.comprehension)) else None
        if binding.kind == "parameter" and isinstance(found[0].node, ast.Lambda):
            return found[0].node if lambdas.iterated_by(found[0].node, self.source) is not None else None
        if binding.kind == "assign" and isinstance(binding.value, (ast.Attribute, ast.Subscript, ast.Name)):
            return self.loop(binding.value, depth + 1)
        return None

    def over_rows(self, loop: Loop) -> bool:
        """Whether a loop goes over the rows of a synchronous session, and over all of them."""
        if id(loop) not in self._over_rows:
            iterated = self.iterated(loop)
            some = isinstance(iterated, ast.Subscript) or _ends_early(loop)  # such as `rows[:5]`
            known = self.module.type_of(iterated) if not some else None
            item = known.argument() if known is not None else None
            items = (item, *item.args) if item is not None else ()
            self._over_rows[id(loop)] = any(map(_is_row, items))
        return self._over_rows[id(loop)]

    def iterated(self, loop: Loop) -> ast.expr:
        """What a loop goes over."""
        if not isinstance(loop, ast.Lambda):
            return loop.iter
        found = lambdas.iterated_by(loop, self.source)
        assert found is not None
        return found

    def in_loops(self) -> Iterator[ast.expr]:
        """The expressions that read a wanted name of an element of a loop, or hand the element over."""
        elements = self._elements()
        if not elements:
            return
        for node in self.source.nodes(ast.Attribute):
            if node.attr in self.wanted and _root(node) in elements:
                if self._are_over_rows([node.value]):
                    yield node
        for call in self.source.nodes(ast.Call):
            given = [value for value in sqlalchemy_uses.arguments(call) if _root(value) in elements]
            if given and self._are_over_rows(given) and self._hands_over(call):
                yield call
        if self.has_text:
            for text in self.source.nodes(ast.FormattedValue):
                if _root(text.value) in elements:
                    if self._are_over_rows([text.value]):
                        yield text

    def _elements(self) -> set[str]:
        """The names that stand for an element of some loop of the file, or for an item of one."""
        found: set[str] = set()
        loops: list[ast.For | ast.comprehension] = self.source.nodes(ast.For) + self.source.nodes(
            ast.comprehension
        )
        for loop in loops:
            if self._may_be_rows(loop.iter):
                found.update(_names(loop.target))
        for function in self.source.nodes(ast.Lambda):
            parameter = lambdas.item_parameter(function)
            iterated = lambdas.iterated_by(function, self.source)
            if parameter is not None and iterated is not None and self._may_be_rows(iterated):
                found.add(parameter.arg)
        for assignment in self.source.nodes(ast.Assign) if found else ():
            if (
                isinstance(assignment.value, (ast.Subscript, ast.Attribute))
                and _root(assignment.value) in found
            ):
                found.update(_names(assignment.targets[0]))
        return found

    def _may_be_rows(self, node: ast.expr, depth: int = 0) -> bool:
        """Whether an expression may be rows, by its form: of a query, or of a function with a session."""
        match node:
            case ast.Call():
                name = last_name(node.func)
                if name in sqlalchemy_uses.NO_ROWS:
                    return False
                if name in _GIVES_ROWS or name in _SENDS or name in self.queries:
                    return True
                if name in _KEEPS_ROWS:
                    return any(self._may_be_rows(value, depth + 1) for value in node.args)
                return isinstance(node.func, ast.Attribute) and self._may_be_rows(node.func.value, depth)
            case ast.Attribute(attr="query"):
                return True
            case ast.Await(value=value) | ast.Attribute(value=value) | ast.Subscript(value=value):
                return self._may_be_rows(value, depth)
            case ast.BinOp(left=left, right=right):
                return self._may_be_rows(left, depth) or self._may_be_rows(right, depth)
            case ast.Name(id=name) if depth < 4:
                found = self.module.lookup(name, node)
                return found is not None and any(
                    binding.value is not None and self._may_be_rows(binding.value, depth + 1)
                    for binding in found[1]
                    if binding.kind in {"assign", "for", "comprehension", "with"}
                )
        return False

    def _are_over_rows(self, values: list[ast.expr]) -> bool:
        """Whether one of some values stands for an element of a loop over rows."""
        loops = map(self.loop, values)
        return any(loop is not None and self.over_rows(loop) for loop in loops)

    def _hands_over(self, call: ast.Call) -> bool:
        """Whether a call gives its argument to something that reads relationships."""
        name = last_name(call.func)
        if name in sqlalchemy_uses.VALIDATES or (self.has_text and name in _TO_TEXT):
            return True
        if sqlalchemy_uses.has_uses(call, self.module):
            return True
        return any(True for _ in validations(call, self.module))

    def lists(self) -> Iterator[ast.expr]:
        """The calls that are given all rows at once."""
        for name in _GIVES_ROWS:
            for call in self.source.calls.get(name, ()):
                parent = self.source.parent(call)
                if isinstance(parent, ast.Call) and last_name(parent.func) == "cast":
                    parent = self.source.parent(parent)
                match parent:
                    case ast.Call(func=func) as outer if func is not call and self._hands_over(outer):
                        yield outer
                    case (
                        ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target))
                    ):
                        yield from self._given(target, parent)

    def _given(self, name: str, assignment: ast.Assign | ast.AnnAssign) -> Iterator[ast.expr]:
        function = self.source.enclosing_function(assignment)
        if isinstance(function, FUNCTIONS):
            for call in self.module.function_info(function).own(ast.Call):
                if any(_root(value) == name for value in sqlalchemy_uses.arguments(call)):
                    if self._hands_over(call):
                        yield call

    def responses(self) -> Iterator[ast.expr]:
        """The values that the routes of the file return."""
        if b"fastapi" in self.source.data:
            for route in fastapi.routes(self.module):
                if route.function is not None and not route.function.is_async:
                    yield from sqlalchemy_uses.returned(route.function)

    def rendered(self) -> Iterator[ast.expr]:
        """The calls of the file that may render a template."""
        for name in sorted(template_contexts.CALLS):
            yield from self.source.calls.get(name, ())


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _names(target: ast.expr) -> Iterable[str]:
    match target:
        case ast.Name(id=name):
            return (name,)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return [item.id for item in elements if isinstance(item, ast.Name)]
    return ()


def _is_row(known: Type | None) -> bool:
    return known is not None and isinstance(known.fact, Loaded) and not known.fact.is_async


def _ends_early(loop: Loop) -> bool:
    """Whether a loop may end before its last row."""
    pending: list[ast.AST] = [*loop.body] if isinstance(loop, ast.For) else []
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Break, ast.Return)):
            return True
        if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            pending.extend(ast.iter_child_nodes(node))
    return False


def _is_one_target(read: LazyRead, ctx: Context) -> bool:
    """Whether all rows may lead to the same object, because the statement compares what they lead to."""
    if read.relation.collection is True:
        return False
    module = ctx.module.modules.module(read.loaded.place.module)
    if module is None:
        return True
    wanted = {read.relation.name, f"{read.relation.name}_id"}
    target = (read.relation.target or "").rpartition(".")[2]
    place = read.loaded.place
    for compare in module.source.nodes(ast.Compare):
        if _is_near(compare, place.row, module) and any(
            isinstance(node, ast.Attribute)
            and (node.attr in wanted or (isinstance(node.value, ast.Name) and node.value.id == target))
            for node in ast.iter_child_nodes(compare)
        ):
            return True
    return any(
        keyword.arg in wanted and _is_near(call, place.row, module)
        for call in module.source.calls.get("filter_by", ())
        for keyword in call.keywords
    )


def _is_near(node: ast.expr, row: int, module: Module) -> bool:
    """Whether a node stands in the function that a row is in."""
    function = module.source.enclosing_function(node)
    first = function.lineno if function is not None else 1
    last = function.end_lineno or first if function is not None else len(module.source.line_starts)
    return first <= row <= last
