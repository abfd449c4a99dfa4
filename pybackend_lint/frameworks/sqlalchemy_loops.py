"""Queries that a loop sends once for every row, where one query for all rows would do."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import database_effects, sqlalchemy
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import relation_of
from pybackend_lint.project import calls
from pybackend_lint.project.callers import arguments
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
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
_MAX_CALLS = 2
_MAY_NOT_RUN = (
    ast.If, ast.IfExp, ast.BoolOp, ast.For, ast.AsyncFor, ast.While, ast.Match, ast.ExceptHandler,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension,
)  # fmt: skip

Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.DictComp


@dataclass(frozen=True, slots=True)
class QueryInLoop:
    """A call in a loop that sends a query which compares one column with a value of the loop's element.

    `steps` lead from the call to the query, where a function of the project sends it.
    """

    call: ast.Call
    loop: Loop
    entity: str
    column: str
    steps: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query that a function always sends, and that compares one column with a value of a parameter.

    `others` are the further parameters that the query depends on; `steps` end with the query.
    """

    parameter: str
    others: frozenset[str]
    entity: str
    column: str
    steps: tuple[Related, ...]


def queries_in_loops(ctx: Context) -> Iterator[QueryInLoop]:
    """The queries in the loops and comprehensions of a file that one query before the loop could replace.

    They are sent there, or by functions that get a value of the loop's element. A loop that may end early,
    handles errors or pauses for each element, or sends in bulk has none.
    """
    source = ctx.source
    loops: list[Loop] = [*source.nodes(ast.For), *source.nodes(ast.AsyncFor), *source.nodes(ast.ListComp)]
    loops += [*source.nodes(ast.SetComp), *source.nodes(ast.DictComp)]
    made = sorted(source.nodes(ast.Call), key=attrgetter("lineno")) if loops else []
    rows = [call.lineno for call in made]
    for loop in loops:
        target, iterated, parts = _parts(loop)
        element = {node.id for node in _nodes([target]) if isinstance(node, ast.Name)}
        near = made[bisect_left(rows, loop.lineno) : bisect_right(rows, loop.end_lineno or loop.lineno)]
        sending = [call for call in near if _may_send(call, element)]
        if sending and _is_over_rows(iterated, ctx):
            body = list(_nodes(parts))
            if not _goes_its_own_way(body, element):
                inside = set(map(id, body))
                for call in sending:
                    if id(call) in inside:
                        yield from _sent_for(call, loop, body, element, ctx.module)


def _parts(loop: Loop) -> tuple[ast.expr, ast.expr, list[ast.stmt] | list[ast.expr]]:
    """What a loop binds, what it goes over, and what it does each time."""
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return loop.target, loop.iter, loop.body
    first = loop.generators[0]
    values: list[ast.expr] = [loop.key, loop.value] if isinstance(loop, ast.DictComp) else [loop.elt]
    return first.target, first.iter, values if len(loop.generators) == 1 else []


def _may_send(call: ast.Call, element: set[str]) -> bool:
    """Whether, by its form alone, a call may send a query, or run a function that does for an element."""
    return last_name(call.func) in _MAY_SEND or _is_handed(call, element)


def _is_handed(call: ast.Call, element: set[str]) -> bool:
    return any(_is_of(value, element) for value in (*call.args, *(item.value for item in call.keywords)))


def _goes_its_own_way(body: list[ast.AST], element: set[str]) -> bool:
    """Whether a loop may end early, handles errors, lets another service set the pace, or keeps results."""
    for node in body:
        if isinstance(node, (ast.Break, ast.Return, ast.Try, ast.While)):
            return True
        if isinstance(node, ast.Call) and last_name(node.func) == "sleep":
            return True
    return _is_kept(body, element)


def _is_kept(body: list[ast.AST], element: set[str]) -> bool:
    """Whether a loop's body looks up values of the element in a mapping that it fills."""
    filled = {
        last_name(node.value)
        for node in body
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    for node in body:
        match node:
            case ast.Call(func=ast.Attribute(attr="get", value=mapping), args=[key, *_]):
                if last_name(mapping) in filled and _mentions(key, element):
                    return True
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[mapping]):
                if last_name(mapping) in filled and _mentions(key, element):
                    return True
    return False


def _sent_for(
    call: ast.Call, loop: Loop, body: list[ast.AST], element: set[str], module: Module
) -> Iterator[QueryInLoop]:
    """The query that a call sends for an element, itself or in a function that the element is handed to."""
    statement = _sent(call, body, module)
    if statement is not None:
        compared = _compared(statement, element, module)
        if compared is not None:
            yield QueryInLoop(call, loop, *compared)
        return
    for lookup, value in _lookups_by(call, element, module):
        if _is_of(value, element):
            yield QueryInLoop(call, loop, lookup.entity, lookup.column, lookup.steps)
            return


def _lookups_by(
    call: ast.Call, element: set[str], module: Module, depth: int = _MAX_CALLS
) -> Iterator[tuple[Lookup, ast.expr]]:
    """The queries that a called function sends for one argument which mentions the element, and it."""
    if not _is_handed(call, element):
        return
    function = module.function_called(call)
    given = arguments(call, function, module) if function is not None else None
    if function is None or given is None or module.source.enclosing_function(call) is function.node:
        return
    dependent = {name for name, value in given.items() if _mentions(value, element)}
    for lookup in _lookups(function, depth):
        if lookup.parameter in dependent and not lookup.others & dependent:
            yield lookup, given[lookup.parameter]


def _lookups(function: FunctionInfo, depth: int) -> tuple[Lookup, ...]:
    """The queries that a function sends whenever it is called, each for a value of one parameter.

    A function that writes has none, nor one that may answer from what it has kept or that calls itself.
    Queries behind `depth` or more calls are not seen.
    """
    index = function.module.modules
    assert isinstance(index, Index)
    key = ("lookups", depth, function.module.name, id(function.node))
    return index.fact(key, lambda: _new_lookups(function, depth))


def _new_lookups(function: FunctionInfo, depth: int) -> tuple[Lookup, ...]:
    found = tuple(_that_only_read(function, depth))
    return () if found and database_effects.chain_to_write(function) is not None else found


def _that_only_read(function: FunctionInfo, depth: int) -> Iterator[Lookup]:
    """The lookups of a function, but for what the functions that it calls may write."""
    module, body = function.module, function.own_nodes()
    stored = {node.id for node in body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    parameters = {item.arg for item in ast.walk(function.node.args) if isinstance(item, ast.arg)} - stored
    if not parameters or not calls.follows(function):
        return
    sent: list[tuple[ast.Call, ast.expr | None]] = []
    for call in function.own(ast.Call):
        statement = _sent(call, body, module)
        if statement is None:
            is_recursive = last_name(call.func) == function.node.name
            if is_recursive or _sends_unknown(call, module) or _may_write(call):
                return
        if (statement is not None or depth) and _always_runs(call, function):
            sent.append((call, statement))
    source = module.source
    for call, statement in sorted(sent, key=lambda item: (item[0].lineno, item[0].col_offset)):
        here = source.position(source.start(call))
        if statement is None:
            for name in sorted(parameters):
                for lookup, value in _lookups_by(call, {name}, module, depth - 1):
                    if _is_of(value, {name}):
                        others = frozenset(other for other in parameters - {name} if _mentions(call, {other}))
                        step = Related(source.path, here, f"calls `{last_name(call.func)}`")
                        yield Lookup(name, others, lookup.entity, lookup.column, (step, *lookup.steps))
            continue
        mentioned = frozenset(name for name in parameters if _mentions(statement, {name}))
        for name in sorted(mentioned):
            compared = _compared(statement, {name}, module)
            if compared is not None:
                yield Lookup(
                    name, mentioned - {name}, *compared, (Related(source.path, here, "sends the query"),)
                )


def _sends_unknown(call: ast.Call, module: Module) -> bool:
    """Whether a call sends a statement that is not known to read only."""
    func = call.func
    return (
        isinstance(func, ast.Attribute) and func.attr in _SENDS and sqlalchemy.is_session(func.value, module)
    )


def _may_write(call: ast.Call) -> bool:
    """Whether a call writes by its name; the type of the session may be unknown."""
    match call.func:
        case ast.Attribute(attr="commit" | "flush" | "add_all"):
            return True
        case ast.Attribute(attr="add" | "delete" | "merge", value=receiver):
            return "session" in last_name(receiver).lower() or last_name(receiver) == "db"
    return False


def _always_runs(call: ast.Call, function: FunctionInfo) -> bool:
    """Whether a call of a function's body runs each time, but for errors and an early `return` of nothing."""
    inner: ast.AST = call
    for outer in function.module.source.ancestors(call):
        if outer is function.node:
            break
        if isinstance(outer, _MAY_NOT_RUN) and not _runs_first(inner, outer):
            return False
        inner = outer
    return not any(
        node.lineno < call.lineno and not _is_nothing(node.value) for node in function.own(ast.Return)
    )


def _runs_first(inner: ast.AST, outer: ast.AST) -> bool:
    """Whether a part is what a statement or expression begins with: a test, an iterable."""
    match outer:
        case ast.If(test=first) | ast.IfExp(test=first) | ast.BoolOp(values=[first, *_]):
            return first is inner
        case ast.For(iter=first) | ast.AsyncFor(iter=first) | ast.Match(subject=first):
            return first is inner
        case ast.comprehension(iter=first):
            return first is inner
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return outer.generators[0] is inner
    return False


def _is_nothing(node: ast.expr | None) -> bool:
    match node:
        case None | ast.Constant() | ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
    return False


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
    if isinstance(iterated, (ast.Name, ast.Attribute)) and not _is_constant(iterated, ctx):
        return True
    known = ctx.type_of(iterated)
    element = known.argument() if known is not None else None
    if element is not None and sqlalchemy.is_loaded(element):
        return True
    match iterated:
        case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in _PASSED_THROUGH:
            return _is_over_rows(inner, ctx)
        case ast.Call(func=ast.Attribute(attr=name, value=inner)) if name in _PARTS:
            return _is_over_rows(inner, ctx)
    return False


def _is_constant(node: ast.Name | ast.Attribute, ctx: Context) -> bool:
    if not isinstance(node, ast.Name):
        return False
    found = ctx.module.lookup(node.id, node)
    return (
        found is None
        or found[0].kind == "module"
        or any(isinstance(binding.value, (ast.List, ast.Tuple, ast.Set, ast.Dict)) for binding in found[1])
    )


def _sent(call: ast.Call, body: list[ast.AST], module: Module) -> ast.expr | None:
    """The `select()` or legacy query that a call sends, when it is built in the loop."""
    if not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr in _SENDS and call.args and sqlalchemy.is_session(call.func.value, module):
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
        known = module.type_of(statement)
        return statement if known is not None and known.is_instance(names.SELECT) else None
    if call.func.attr in _ENDS:
        return call.func.value if sqlalchemy.is_query(call.func.value, module) else None
    return None


def _compared(statement: ast.expr, element: set[str], module: Module) -> tuple[str, str] | None:
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
                    entity = _entity(node.func.value, module)
                    if entity is None or keyword.arg is None or not _is_of(keyword.value, element):
                        return None
                    found.append((entity, keyword.arg))
        elif node.keywords:
            return None
        elif method in {"where", "filter"}:
            for argument in node.args:
                column = _equal_column(argument, element, module)
                if column is not None:
                    found.append(column)
                elif _mentions(argument, element):
                    return None  # the element decides in another way
        elif any(_mentions(item, element) for item in node.args):
            return None
        node = node.func.value
    if len(found) != 1 or relation_of(*found[0], module.modules) is not None:
        return None  # `in_()` takes columns only
    return found[0][0].rpartition(".")[2], found[0][1]


def _mentions(node: ast.expr, element: set[str]) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id in element for inner in _nodes([node]))


def _equal_column(condition: ast.expr, element: set[str], module: Module) -> tuple[str, str] | None:
    """The class and column that a condition compares with a value of the loop's element."""
    match condition:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            for column, value in ((left, right), (right, left)):
                attribute = sqlalchemy.attribute_of(column, module) if _is_of(value, element) else None
                if attribute is not None:
                    return attribute.entity, attribute.name
    return None


def _entity(statement: ast.expr, module: Module) -> str | None:
    """The class that a statement selects first."""
    known = sqlalchemy.statement_of(statement, module)
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
