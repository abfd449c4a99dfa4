"""Queries that a loop sends once for every row, where one query for all rows would do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_statements import relation_of
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_SENDS = frozenset({"execute", "scalar", "scalars", "exec"})
_ENDS = names.QUERY_ENDS - {"get", "delete", "update"}
_MAY_SEND = _SENDS | _ENDS
_NOT_MERGED = frozenset({"limit", "offset", "slice", "with_for_update", "join", "exists"})


@dataclass(frozen=True, slots=True)
class QueryInLoop:
    """A call in a loop that sends a query which compares one column with a value of the loop's element."""

    call: ast.Call
    entity: str
    column: str


def queries_in_loop(loop: ast.For | ast.AsyncFor, ctx: Context) -> Iterator[QueryInLoop]:
    """The queries in the body of a loop that one query before the loop could replace.

    A loop that may end early, handles errors or pauses for each element, or sends in bulk has none.
    """
    if not _may_send(loop, ctx):
        return
    names_of_element = {node.id for node in _nodes([loop.target]) if isinstance(node, ast.Name)}
    if not names_of_element or not _is_over_rows(loop, ctx):
        return
    body = list(_nodes(loop.body))
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


def _may_send(loop: ast.For | ast.AsyncFor, ctx: Context) -> bool:
    """Whether, by its name and place alone, a call in a loop may send a query."""
    first, last = loop.body[0].lineno, loop.end_lineno or loop.lineno
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


def _is_over_rows(loop: ast.For | ast.AsyncFor, ctx: Context) -> bool:
    """Whether a loop runs over loaded objects or rows, or a parameter or variable of unknown length."""
    known = ctx.type_of(loop.iter)
    element = known.argument() if known is not None else None
    if element is not None and sqlalchemy.is_loaded(element):
        return True
    return isinstance(loop.iter, (ast.Name, ast.Attribute)) and not _is_constant(loop.iter, ctx)


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
        if method in {"where", "filter"}:
            for argument in node.args:
                match argument:
                    case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                        attribute = sqlalchemy.attribute_of(left, ctx)
                        if attribute is not None and _is_of(right, element):
                            if relation_of(attribute.entity, attribute.name, ctx.module.modules) is not None:
                                return None  # `in_()` takes columns only
                            found.append((attribute.entity.rpartition(".")[2], attribute.name))
                            continue
                if any(isinstance(inner, ast.Name) and inner.id in element for inner in _nodes([argument])):
                    return None  # the element decides in another way
        elif any(
            isinstance(inner, ast.Name) and inner.id in element
            for item in node.args
            for inner in _nodes([item])
        ):
            return None
        if node.keywords:
            return None
        node = node.func.value
    return found[0] if len(found) == 1 else None


def _is_of(node: ast.expr, element: set[str]) -> bool:
    """Whether an expression is the loop's element or an attribute or item of it."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name) and node.id in element
