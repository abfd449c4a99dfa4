"""Conditions of SQL statements in which Python's own operators stand, and how SQL expressions say it.

Source: SQLAlchemy, "Operator Reference": `and`, `or`, `not` and `in` cannot be overloaded, so that Python
decides them when the statement is built.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.semantic.import_edits import replace_imports

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_CLAUSE_METHODS = frozenset({"where", "filter", "having", "join", "outerjoin", "filter_by", "any", "has"})
_COMBINING = frozenset({"and_", "or_", "not_"})
_TAKING = _CLAUSE_METHODS | _COMBINING
_STATEMENTS = frozenset({names.SELECT, names.QUERY, names.UPDATE, names.DELETE, names.ATTRIBUTE})


@dataclass(frozen=True, slots=True)
class PythonOperator:
    """A Python operator that decides a SQL condition: how it is written, and what to write instead."""

    word: str
    replacement: str


def python_operator(node: ast.expr, ctx: Context) -> PythonOperator | None:
    """The Python operator that decides a part of a condition; None where Python is meant to decide.

    `flag and User.active` is Python's choice of a condition: only an operand before the last that is a SQL
    expression is lost.
    """
    match node:
        case ast.BoolOp(op=op, values=values):
            if any(sqlalchemy.is_clause(value, ctx) for value in values[:-1]):
                return (
                    PythonOperator("and", "and_()")
                    if isinstance(op, ast.And)
                    else PythonOperator("or", "or_()")
                )
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            if sqlalchemy.is_clause(operand, ctx):
                return PythonOperator("not", "~")
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as op]):
            if sqlalchemy.is_clause(left, ctx):
                is_in = isinstance(op, ast.In)
                return PythonOperator("in", ".in_()") if is_in else PythonOperator("not in", ".not_in()")
        case ast.Compare(left=left, comparators=comparators, ops=[_, _, *_]):
            if any(sqlalchemy.is_clause(item, ctx) for item in (left, *comparators)):
                return PythonOperator("a < b < c", "and_()")
    return None


_OPERATORS = (ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare)


def conditions(ctx: Context) -> Iterator[ast.expr]:
    """The uses of Python's operators that are an argument of `where()` or the like, or part of one.

    A variable or a list may hold them until then. Comparisons that SQL expressions overload are left out.
    """
    for call in ctx.source.nodes(ast.Call):
        for argument in call.args:
            if argument.__class__ in _OPERATORS:
                yield from _conditions_of(call, ctx)
                break
    yield from _held_conditions(ctx)


def _held_conditions(ctx: Context) -> Iterator[ast.expr]:
    """As `conditions`, for what a variable of the same function holds, alone or in a list."""
    uses: dict[tuple[str, ast.AST | None], list[ast.Call]] = {}
    for method in _TAKING:
        for call in ctx.source.calls.get(method, ()):
            for argument in call.args:
                held = argument.value if isinstance(argument, ast.Starred) else argument
                if isinstance(held, ast.Name):
                    key = held.id, ctx.source.enclosing_function(call)
                    uses.setdefault(key, []).append(call)
    if not uses:
        return
    operators: list[ast.expr] = [*ctx.source.nodes(ast.BoolOp)]
    operators += [node for node in ctx.source.nodes(ast.UnaryOp) if isinstance(node.op, ast.Not)]
    operators += [
        node
        for node in ctx.source.nodes(ast.Compare)
        if len(node.ops) > 1 or isinstance(node.ops[0], (ast.In, ast.NotIn))
    ]
    for node in operators:
        name = _holder(node, ctx)
        if name is not None:
            calls = uses.get((name, ctx.source.enclosing_function(node)), ())
            if any(_takes_conditions(call, ctx) for call in calls):
                yield node


def _holder(node: ast.expr, ctx: Context) -> str | None:
    """The name of the variable that a value is given to: its only one, or one more of a list."""
    around = ctx.parent(node)
    if isinstance(around, (ast.List, ast.Tuple)):
        around = ctx.parent(around)
    match around:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add()):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend")):
            return name
    return None


def _conditions_of(call: ast.Call, ctx: Context) -> list[ast.expr]:
    pending: list[ast.expr] = [argument for argument in call.args if isinstance(argument, _OPERATORS)]
    found: list[ast.expr] = []
    for node in pending:
        match node:
            case ast.BoolOp(values=values):
                found.append(node)
                pending.extend(values)
            case ast.UnaryOp(op=op, operand=operand):
                if isinstance(op, ast.Not):
                    found.append(node)
                pending.append(operand)
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
                pending += [left, right]
            case ast.Compare(ops=[ast.In() | ast.NotIn()] | [_, _, *_]):
                found.append(node)
    return found if found and _takes_conditions(call, ctx) else []


def _takes_conditions(call: ast.Call, ctx: Context) -> bool:
    if sqlalchemy.name_of(call.func, ctx) in {f"sqlalchemy.{name}" for name in _COMBINING}:
        return True
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _CLAUSE_METHODS:
        return False
    known = ctx.type_of(call.func.value)
    return known is not None and known.is_instance(*_STATEMENTS)


def is_outermost(node: ast.expr, ctx: Context) -> bool:
    """Whether no operator around an expression is itself a Python operator on SQL expressions."""
    parent = ctx.parent(node)
    while isinstance(parent, (ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare)):
        if python_operator(parent, ctx) is not None:
            return False
        parent = ctx.parent(parent)
    return True


def as_sql(node: ast.expr, ctx: Context) -> tuple[Edit, ...] | None:
    """The edits that write a condition with SQL expressions; None where a comment would be lost."""
    if "#" in ctx.text(node):
        return None
    needed: list[str] = []
    text = _sql_text(node, ctx, needed, top=_takes_several(node, ctx))
    if text is None:
        return None
    imports = [f"sqlalchemy.{name}" for name in dict.fromkeys(needed)]
    expressions, edits = replace_imports(ctx.source, imports, ())
    for name, expression in zip(dict.fromkeys(needed), expressions, strict=True):
        text = text.replace(f"\0{name}", expression)
    return (*edits, ctx.edit(node, text))


def _takes_several(node: ast.expr, ctx: Context) -> bool:
    """Whether the conditions of an `and` may become several arguments: of `where()`, not in parentheses."""
    parent = ctx.parent(node)
    if not (isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute)):
        return False
    if parent.func.attr not in {"where", "filter"}:
        return False
    before = ctx.source.text[ctx.source.end(parent.func) : ctx.source.start(node)].rstrip()
    return before.endswith(",") or before == "("


def _sql_text(node: ast.expr, ctx: Context, needed: list[str], *, top: bool = False) -> str | None:
    """The text of a condition; names to import are marked by a null character."""
    if python_operator(node, ctx) is None and not isinstance(node, ast.BoolOp):
        return ctx.text(node)
    match node:
        case ast.BoolOp(op=op, values=values):
            if python_operator(node, ctx) is None:
                return None  # a choice of Python's among the operands
            parts = [_sql_text(value, ctx, needed) for value in values]
            known = [part for part in parts if part is not None]
            if len(known) != len(parts):
                return None
            if top and isinstance(op, ast.And):
                return ", ".join(known)
            name = "and_" if isinstance(op, ast.And) else "or_"
            needed.append(name)
            return f"\0{name}({', '.join(known)})"
        case ast.UnaryOp(operand=operand):
            inner = _sql_text(operand, ctx, needed)
            simple = isinstance(operand, (ast.Name, ast.Attribute, ast.Call, ast.BoolOp))
            return None if inner is None else f"~{inner}" if simple else f"~({inner})"
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as op], comparators=[right]):
            if not isinstance(left, (ast.Name, ast.Attribute, ast.Call)):
                return None
            method = "in_" if isinstance(op, ast.In) else "not_in"
            return f"{ctx.text(left)}.{method}({ctx.text(right)})"
        case ast.Compare(left=left, ops=[_, _], comparators=[middle, right]):
            if not isinstance(middle, (ast.Name, ast.Attribute)):
                return None
            one = ctx.text(node)[: -len(ctx.source.text[ctx.source.end(middle) : ctx.source.end(right)])]
            other = ctx.source.text[ctx.source.start(middle) : ctx.source.end(right)]
            needed.append("and_")
            return f"\0and_({one}, {other})"
    return None
