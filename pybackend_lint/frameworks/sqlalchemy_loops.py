"""Queries that a loop sends once for every row, where one query for all rows would do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_statements import relation_of
from pybackend_lint.semantic.types import OBJECT, Kind
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_SENDS = frozenset({"execute", "scalar", "scalars", "exec"})
_ENDS = names.QUERY_ENDS - {"get", "delete", "update"}
_MAY_SEND = _SENDS | _ENDS
_CONVERSIONS = frozenset({"int", "str", "UUID"})
_PASSED_THROUGH = frozenset({"enumerate", "list", "reversed", "set", "sorted", "tuple", "zip"})
_PARTS = frozenset({"items", "keys", "split", "splitlines", "values"})
_NOT_MERGED = frozenset({"limit", "offset", "slice", "with_for_update", "join", "exists"})


@dataclass(frozen=True, slots=True)
class QueryInLoop:
    """A call in a loop that sends a query which compares one column with a value of the loop's element."""

    call: ast.Call
    entity: str
    column: str


Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.DictComp


def queries_in_loop(loop: Loop, ctx: Context) -> Iterator[QueryInLoop]:
    """The queries in the body of a loop or comprehension that one query before the loop could replace.

    A loop that may end early, handles errors or pauses for each element, or sends in bulk has none.
    """
    if not _may_send(loop, ctx):
        return
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        target, iterated, body = loop.target, loop.iter, list(_nodes(loop.body))
    elif len(loop.generators) == 1:
        target, iterated = loop.generators[0].target, loop.generators[0].iter
        body = list(_nodes([loop.key, loop.value] if isinstance(loop, ast.DictComp) else [loop.elt]))
    else:
        return
    names_of_element = {node.id for node in _nodes([target]) if isinstance(node, ast.Name)}
    if not names_of_element or not _is_over_rows(iterated, ctx):
        return
    if any(isinstance(node, (ast.Break, ast.Return, ast.Try, ast.While)) for node in body):
        return
    if any(isinstance(node, ast.Call) and last_name(node.func) == "sleep" for node in body):
        return  # another service sets the pace
    for node in body:
        if isinstance(node, ast.Call):
            statement = _sent(node, body, ctx)
            if statement is not None and ctx.parent(node) is not None:
                found = _compared(statement, names_of_element, ctx)
                if found is not None:
                    yield QueryInLoop(node, *found)


def _may_send(loop: Loop, ctx: Context) -> bool:
    """Whether, by its name and place alone, a call in a loop may send a query."""
    first, last = loop.lineno, loop.end_lineno or loop.lineno
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        first = loop.body[0].lineno
    calls = ctx.source.calls
    return any(first <= call.lineno <= last for name in _MAY_SEND for call in calls.get(name, ()))


def _nodes(roots: list[ast.stmt] | list[ast.expr]) -> Iterator[ast.AST]:
    """The nodes below some nodes, without the bodies of inner functions, lambdas and classes."""
    pending: list[ast.AST] = [*roots]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(node))


def _is_over_rows(iterated: ast.expr, ctx: Context) -> bool:
    """Whether a loop runs over loaded objects or rows, or a parameter or variable of unknown length."""
    known = ctx.type_of(iterated)
    element = known.argument() if known is not None else None
    if element is not None and sqlalchemy.is_loaded(element):
        return True
    match iterated:
        case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in _PASSED_THROUGH:
            return _is_over_rows(inner, ctx)
        case ast.Call(func=ast.Attribute(attr=name, value=inner)) if name in _PARTS:
            return _is_over_rows(inner, ctx)
    return isinstance(iterated, (ast.Name, ast.Attribute)) and not _is_constant(iterated, ctx)


def _is_constant(node: ast.Name | ast.Attribute, ctx: Context) -> bool:
    if not isinstance(node, ast.Name):
        return False
    found = ctx.module.lookup(node.id, node)
    return (
        found is None
        or found[0].kind == "module"
        or any(isinstance(binding.value, (ast.List, ast.Tuple, ast.Set, ast.Dict)) for binding in found[1])
    )


def _sent(call: ast.Call, body: list[ast.AST], ctx: Context) -> ast.expr | None:
    """The `select()` or legacy query that a call sends, when it is built in the loop."""
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr in _SENDS and call.args and sqlalchemy.is_session(call.func.value, ctx):
        statement = call.args[0]
        if isinstance(statement, ast.Name):
            assigned = [
                node.value
                for node in body
                if isinstance(node, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == statement.id for t in node.targets)
            ]
            if len(assigned) != 1:
                return None
            statement = assigned[0]
        known = ctx.type_of(statement)
        return statement if known is not None and known.is_instance(names.SELECT) else None
    if call.func.attr in _ENDS:
        return call.func.value if sqlalchemy.is_query(call.func.value, ctx) else None
    return None


def _compared(statement: ast.expr, element: set[str], ctx: Context) -> tuple[str, str] | None:
    """The class and column that are compared with a value of the loop's element; None unless it is one."""
    found: list[tuple[str, str]] = []
    node = statement
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        method = node.func.attr
        if method in _NOT_MERGED:
            return None
        if method == "filter_by" and not node.args:
            for keyword in node.keywords:
                if _mentions(keyword.value, element):
                    entity = _entity(node.func.value, ctx)
                    if entity is None or keyword.arg is None or not _is_of(keyword.value, element):
                        return None
                    found.append((entity, keyword.arg))
        elif node.keywords:
            return None
        elif method in {"where", "filter"}:
            for argument in node.args:
                column = _equal_column(argument, element, ctx)
                if column is not None:
                    found.append(column)
                elif _mentions(argument, element):
                    return None  # the element decides in another way
        elif any(_mentions(item, element) for item in node.args):
            return None
        node = node.func.value
    if len(found) != 1 or relation_of(*found[0], ctx.module.modules) is not None:
        return None  # `in_()` takes columns only
    return found[0][0].rpartition(".")[2], found[0][1]


def _mentions(node: ast.expr, element: set[str]) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id in element for inner in _nodes([node]))


def _equal_column(condition: ast.expr, element: set[str], ctx: Context) -> tuple[str, str] | None:
    """The class and column that a condition compares with a value of the loop's element."""
    match condition:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            for column, value in ((left, right), (right, left)):
                attribute = sqlalchemy.attribute_of(column, ctx) if _is_of(value, element) else None
                if attribute is not None:
                    return attribute.entity, attribute.name
    return None


def _entity(statement: ast.expr, ctx: Context) -> str | None:
    """The class that a statement selects first."""
    known = sqlalchemy.statement_of(statement, ctx)
    first = known.columns[0] if known is not None and known.columns else None
    known_class = first is not None and first.kind is Kind.CLASS and first.name != OBJECT
    return first.name if first is not None and known_class else None


def _is_of(node: ast.expr, element: set[str]) -> bool:
    """Whether an expression is the loop's element, an attribute or item of it, or such a value converted."""
    match node:
        case ast.Call(func=func, args=[value], keywords=[]) if last_name(func) in _CONVERSIONS:
            return _is_of(value, element)
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name) and node.id in element
