"""Legacy queries: the parts of a chain such as `session.query(E).filter(...).all()`, and its 2.0 form.

Source: the SQLAlchemy 2.0 migration guide, "ORM usage", and the behaviour of 1.4, 2.0 and 2.1: a `Query`
drops repeated objects and rows by itself, `Query.first()` adds `LIMIT 1`, `Query.scalar()` refuses several
rows and `Query.count()` counts the rows of a subquery.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_statements import Statement
from pybackend_lint.semantic.import_edits import replace_imports
from pybackend_lint.semantic.types import Kind

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_AGGREGATES = frozenset({"count", "sum", "min", "max", "avg"})


@dataclass(frozen=True, slots=True)
class Chain:
    """A legacy query: `session.query(...)`, the methods called on it in order, and the last call.

    `end` is the call that runs the query, None for a chain that is only built or iterated.
    """

    session: ast.expr
    query: ast.Call
    links: tuple[ast.Call, ...]
    end: ast.Call | None

    @property
    def whole(self) -> ast.Call:
        """The outermost call of the chain."""
        return self.end or (self.links[-1] if self.links else self.query)

    @property
    def last_kept(self) -> ast.Call:
        """The last call that says what to select."""
        return self.links[-1] if self.links else self.query


def method_of(call: ast.Call) -> str:
    """The name of the method that a call of a chain calls."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def chain_of(query: ast.Call, ctx: Context) -> Chain | None:
    """The chain that starts with `query`, a call `x.query(...)` whose `x` is a synchronous session.

    None when a method in the chain is not one of SQLAlchemy's own, which a custom query class adds.
    """
    if not isinstance(query.func, ast.Attribute) or not sqlalchemy.has_plain_queries(query.func.value, ctx):
        return None
    links: list[ast.Call] = []
    node: ast.expr = query
    while True:
        attribute = ctx.parent(node)
        call = ctx.parent(attribute) if isinstance(attribute, ast.Attribute) else None
        if not (
            isinstance(attribute, ast.Attribute) and isinstance(call, ast.Call) and call.func is attribute
        ):
            break
        if attribute.attr not in names.QUERY_METHODS:
            return None
        if attribute.attr in names.QUERY_ENDS:
            return Chain(query.func.value, query, tuple(links), call)
        links.append(call)
        node = call
    return Chain(query.func.value, query, tuple(links), None)


def construct_for(chain: Chain) -> str:
    """The function that builds the 2.0 form of a chain."""
    end = method_of(chain.end) if chain.end is not None else ""
    return end if end in {"delete", "update"} else "select"


def method_for(chain: Chain, ctx: Context) -> str:
    """The method of the session that runs the 2.0 form of a chain."""
    end = method_of(chain.end) if chain.end is not None else ""
    if end in {"count", "scalar"}:
        return "scalar"
    statement = sqlalchemy.statement_of(chain.last_kept, ctx.module)
    single = statement is not None and _entity(statement) is not None
    return "scalars" if single and end not in {"delete", "update"} else "execute"


def _entity(statement: Statement) -> str | None:
    """The mapped class whose objects are all that a statement selects."""
    column = statement.columns[0] if len(statement.columns) == 1 else None
    return column.name if column is not None and column.kind is Kind.CLASS else None


def modern(chain: Chain, ctx: Context) -> tuple[Edit, ...] | None:
    """The edits that turn a chain into a 2.0 statement with the same rows; None where that is not certain."""
    statement = sqlalchemy.statement_of(chain.last_kept, ctx.module)
    if statement is None or chain.query.keywords or not chain.query.args:
        return None
    if any(method_of(link) not in names.KEPT_BY_SELECT for link in chain.links):
        return None
    end = method_of(chain.end) if chain.end is not None else ""
    if end in {"delete", "update"}:
        return _changed(chain, end, statement, ctx)
    if chain.end is None and not _is_iterated(chain, ctx):
        return None
    if chain.end is not None and (chain.end.args or chain.end.keywords or end == "get"):
        return None
    unique = ".unique()" if _may_repeat(chain, statement, ctx) else ""
    single = len(statement.columns) == 1
    if None in statement.columns and not all(_is_expression(argument, ctx) for argument in chain.query.args):
        return None
    if end == "count":
        if any(method_of(link) == "options" for link in chain.links):
            return None
        return _edited(
            chain, ctx, ("sqlalchemy.select", "sqlalchemy.func"),
            "scalar({0}({1}.count()).select_from({0}(", ".subquery()", "))", drop_end=True,
        )  # fmt: skip
    if end == "scalar":
        if single and _is_aggregate(chain, ctx):
            return _edited(chain, ctx, ("sqlalchemy.select",), "scalar({0}(", "", ")", drop_end=True)
        return _edited(
            chain, ctx, ("sqlalchemy.select",), "scalars({0}(", "", f"){unique}.one_or_none()", drop_end=True
        )
    limit = ".limit(1)" if end == "first" else ""
    return _edited(chain, ctx, ("sqlalchemy.select",), method_for(chain, ctx) + "({0}(", limit, f"){unique}")


def _is_iterated(chain: Chain, ctx: Context) -> bool:
    parent = ctx.parent(chain.whole)
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is chain.whole


def _is_expression(argument: ast.expr, ctx: Context) -> bool:
    """Whether an argument of `query()` is known to be a column or SQL expression rather than a class."""
    known = ctx.type_of(argument)
    if known is None:
        return isinstance(argument, (ast.Compare, ast.BinOp)) and sqlalchemy.is_clause(argument, ctx)
    return known.kind is Kind.CLASS or known.name in {names.ATTRIBUTE, names.CLAUSE}


def _is_aggregate(chain: Chain, ctx: Context) -> bool:
    """Whether the query selects one aggregate over all rows, so that there is exactly one row."""
    argument = chain.query.args[0]
    if not isinstance(argument, ast.Call) or any(method_of(link) == "group_by" for link in chain.links):
        return False
    name = sqlalchemy.name_of(argument.func, ctx) or ""
    return name.startswith("sqlalchemy.func.") and name.rpartition(".")[2] in _AGGREGATES


def _may_repeat(chain: Chain, statement: Statement, ctx: Context) -> bool:
    """Whether the same object may stand in several rows, which only a `Query` drops."""
    entities = {c.name for c in statement.columns if c is not None and c.kind is Kind.CLASS}
    if not entities:
        return False
    if sqlalchemy.eager_collection(statement, ctx) is not None:
        return True
    for link in chain.links:
        if method_of(link) in {"join", "outerjoin"}:
            if not link.args or not _leads_to_one(link.args[0], ctx):
                return True
        elif any(entity not in entities for entity in _mentioned(link, ctx)):
            return not any(method_of(other) in {"join", "outerjoin"} for other in chain.links)
    return False


def _leads_to_one(target: ast.expr, ctx: Context) -> bool:
    found = sqlalchemy.relation(target, ctx) if isinstance(target, ast.Attribute) else None
    return found is not None and found.collection is False


def _mentioned(link: ast.Call, ctx: Context) -> Iterator[str]:
    """The mapped classes whose attributes the arguments of a call name outside inner calls."""
    pending: list[ast.expr] = [*link.args]
    while pending:
        node = pending.pop()
        match node:
            case ast.Attribute():
                attribute = sqlalchemy.attribute_of(node, ctx.module)
                if attribute is not None:
                    yield attribute.entity
            case ast.Compare(left=left, comparators=comparators):
                pending += [left, *comparators]
            case ast.BinOp(left=left, right=right):
                pending += [left, right]
            case ast.UnaryOp(operand=operand):
                pending.append(operand)
            case ast.Call(args=args) if (sqlalchemy.name_of(node.func, ctx) or "") in names.CLAUSE_FUNCTIONS:
                pending += args


def _changed(chain: Chain, end: str, statement: Statement, ctx: Context) -> tuple[Edit, ...] | None:
    """The edits for a bulk `delete()` or `update()`."""
    call = chain.end
    assert call is not None
    if any(method_of(link) not in {"filter", "filter_by", "where"} for link in chain.links):
        return None
    if _entity(statement) is None:
        return None
    if len(call.args) != (end == "update") or any(
        isinstance(argument, ast.Starred) for argument in call.args
    ):
        return None
    values = ""
    if end == "update":
        values = f".values({ctx.text(call.args[0])})"
    for keyword in call.keywords:
        if keyword.arg != "synchronize_session":
            return None
        values += f".execution_options(synchronize_session={ctx.text(keyword.value)})"
    used = not isinstance(ctx.parent(call), ast.Expr)
    return _edited(
        chain, ctx, (f"sqlalchemy.{end}",), "execute({0}(", values, ").rowcount" if used else ")",
        drop_end=True,
    )  # fmt: skip


def _edited(
    chain: Chain,
    ctx: Context,
    imports: tuple[str, ...],
    head: str,
    inside: str,
    outside: str,
    *,
    drop_end: bool = False,
) -> tuple[Edit, ...] | None:
    """The edits that put `head` in place of `query(`, and `inside` and `outside` behind the last kept call.

    `inside` still belongs to the statement, `outside` starts with what closes the calls of `head`.
    `{0}` and `{1}` in `head` are the imported names. A chain over several lines is indented by one level
    and its closing parenthesis gets a line of its own. None when a comment stands where text is replaced.
    """
    source = ctx.source
    expressions, edits = replace_imports(source, imports, ())
    start, first = source.end(chain.session), source.start(chain.query.args[0])
    kept_end = source.end(chain.last_kept)
    if _leaves_parentheses(source.text[start:kept_end]):
        return None
    replaced = [source.text[start:first]]
    head = head.format(*expressions)
    first_row = chain.session.lineno
    last_row = chain.last_kept.end_lineno or first_row
    changes = list(edits)
    if last_row > (chain.query.args[0].lineno) or chain.query.args[0].lineno > first_row:
        if '"""' in source.text[start:kept_end] or "'''" in source.text[start:kept_end]:
            return None
        indent, step = source.indentation(chain.session), source.indentation_step
        outer, parenthesis, inner = head.partition("(")
        head = f"{outer}{parenthesis}\n{indent}{step}{inner}"
        for row in range(chain.query.args[0].lineno + 1, last_row + 1):
            if source.line(row).strip():
                at = source.line_starts[row - 1]
                changes.append(Edit(at, at, step))
        at_line_end = kept_end
        if chain.end is not None and not drop_end and _starts_line(chain.end, ctx):
            outside = outside.replace(").unique", f")\n{indent}.unique")
            at_line_end = source.line_starts[last_row - 1] + len(source.line(last_row))
        behind_comment = "#" in source.text[kept_end:at_line_end]
        if inside and (behind_comment or _starts_line(chain.last_kept, ctx)):
            inside = f"\n{indent}{step}{inside}"
        inside += f"\n{indent}"
        kept_end = at_line_end if behind_comment else kept_end
    changes.append(Edit(start, first, f".{head}"))
    end = kept_end
    if drop_end and chain.end is not None:
        end = source.end(chain.end)
        replaced.append(source.text[kept_end:end])
    changes.append(Edit(kept_end, end, inside + outside))
    for link in chain.links:
        if method_of(link) == "filter":
            name_end = source.end(link.func)
            changes.append(Edit(name_end - len("filter"), name_end, "where"))
    return None if any("#" in text for text in replaced) else tuple(changes)


def _leaves_parentheses(text: str) -> bool:
    """Whether a text closes a parenthesis that is opened before it."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return True
    return False


def _starts_line(call: ast.Call, ctx: Context) -> bool:
    """Whether the dot of a method call is the first character of its line."""
    assert isinstance(call.func, ast.Attribute)
    source = ctx.source
    before = source.text[source.end(call.func.value) : source.end(call.func)]
    return "\n" in before or "\r" in before


def get_by_key(call: ast.Call, ctx: Context) -> tuple[ast.expr | None, ast.expr, tuple[ast.expr, ...]] | None:
    """The session, entity and loader options of `session.query(E).options(...).get(key)`; None for others.

    The session is None for `Model.query.get(key)` of Flask-SQLAlchemy.
    """
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        return None
    options: list[ast.expr] = []
    node = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    while isinstance(node, ast.Call) and method_of(node) == "options":
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            return None
        options[:0] = node.args
        node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    match node:
        case ast.Call(func=ast.Attribute(value=session, attr="query"), args=[entity], keywords=[]):
            if sqlalchemy.has_plain_queries(session, ctx) and sqlalchemy.entity_of(entity, ctx) is not None:
                return session, entity, tuple(options)
        case ast.Attribute(value=entity, attr="query"):
            if sqlalchemy.is_query(node, ctx.module) and sqlalchemy.entity_of(entity, ctx) is not None:
                return None, entity, tuple(options)
    return None
