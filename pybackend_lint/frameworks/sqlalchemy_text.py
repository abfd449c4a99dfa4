"""SQL that is built as text: the values put into it, and the same with bound parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Type

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

# A place where a value stands, which the database can take as a parameter: behind a comparison or LIKE, in
# the lists of IN and VALUES, behind LIMIT and OFFSET.
_VALUE_POSITION = re.compile(
    r"(?:[=<>]|\b(?:LIKE|ILIKE|BETWEEN|LIMIT|OFFSET)|\b(?:IN|VALUES)\s*\((?:[^()]*,)?)\s*E?'?%?$",
    re.IGNORECASE,
)
# Statements in which databases take no parameters.
_NO_PARAMETERS = re.compile(
    r"\s*(?:SET|SHOW|CREATE|ALTER|DROP|GRANT|REVOKE|PRAGMA|COMMENT|VACUUM|ANALYZE|USE|ATTACH|COPY|LISTEN|NOTIFY)\b",
    re.IGNORECASE,
)
_CONVERSION = re.compile(r"%(?:\((?P<name>\w+)\))?(?P<kind>[-#0 +\d.]*[a-zA-Z%])")
_PLAIN = frozenset(
    """builtins.int builtins.float builtins.bool uuid.UUID datetime.date datetime.datetime datetime.timedelta
    decimal.Decimal builtins.None""".split()  # noqa: SIM905
)
_TEXT_METHODS = frozenset({"lower", "upper", "strip", "lstrip", "rstrip", "title", "replace"})
_EXECUTES = frozenset({"execute", "scalar", "scalars", "exec", "exec_driver_sql", "stream", "stream_scalars"})

Part = str | ast.expr


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A value put into a SQL text: the expression, and the text of SQL before and behind it."""

    value: ast.expr
    before: str
    behind: str


def sql_text(call: ast.Call, ctx: Context) -> ast.expr | None:
    """The argument that SQLAlchemy takes as SQL text: of `text()`, `exec_driver_sql()`, `execute()`."""
    if not call.args or isinstance(call.args[0], ast.Starred):
        return None
    if sqlalchemy.name_of(call.func, ctx) in {"sqlalchemy.text", "sqlalchemy.literal_column"}:
        return call.args[0]
    if isinstance(call.func, ast.Attribute) and call.func.attr in _EXECUTES:
        if sqlalchemy.executor_is_async(call.func.value, ctx) is not None:
            return call.args[0]
    return None


def interpolated_values(text: ast.expr, ctx: Context) -> list[Interpolated]:
    """The values in a SQL text that could be bound as parameters and may come from outside."""
    parts = list(_parts(text, ctx, 0))
    if len(parts) < 2 or not isinstance(parts[0], str) or _NO_PARAMETERS.match(parts[0]):
        return []
    found: list[Interpolated] = []
    before = ""
    for index, part in enumerate(parts):
        if isinstance(part, str):
            before += part
            continue
        behind = parts[index + 1] if index + 1 < len(parts) else ""
        following = behind if isinstance(behind, str) else ""
        if _VALUE_POSITION.search(before) and not following.startswith((".", "(", "_")):
            if _may_be_foreign(part, text, ctx):
                found.append(Interpolated(part, before, following))
        before += "?"
    return found


def _parts(node: ast.expr, ctx: Context, depth: int) -> Iterator[Part]:
    """The literal texts and the values that a text is put together from."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
            return
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield value.value
                else:
                    yield from _parts(value, ctx, depth)
            return
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _parts(left, ctx, depth)
            yield from _parts(right, ctx, depth)
            return
        case ast.BinOp(left=ast.Constant(value=str(template)), op=ast.Mod(), right=right):
            yield from _percent(template, right)
            return
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(template)), attr="format")):
            yield from _formatted(template, node)
            return
        case ast.Call(func=func) if sqlalchemy.name_of(func, ctx) == "sqlalchemy.text":
            return  # a sink of its own
        case ast.Name(id=name) if depth < 3:
            found = ctx.module.lookup(name, node)
            if (
                found is not None
                and len(found[1]) == 1
                and found[1][0].kind == "assign"
                and not found[1][0].path
            ):
                assigned = found[1][0].value
                if isinstance(assigned, (ast.JoinedStr, ast.BinOp, ast.Constant)) or _is_format(assigned):
                    assert assigned is not None
                    yield from _parts(assigned, ctx, depth + 1)
                    return
    yield node


def _is_format(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"


def _percent(template: str, right: ast.expr) -> Iterator[Part]:
    values = list(right.elts) if isinstance(right, ast.Tuple) else [right]
    keyed: dict[object, ast.expr] = {}
    if isinstance(right, ast.Dict):
        pairs = zip(right.keys, right.values, strict=True)
        keyed = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
    at, index = 0, 0
    for match in _CONVERSION.finditer(template):
        if match["kind"] == "%":
            continue
        yield template[at : match.start()]
        at = match.end()
        value = keyed.get(match["name"]) if match["name"] else values[index] if index < len(values) else None
        index += 0 if match["name"] else 1
        textual = match["kind"][-1] in "sra"
        yield value if value is not None and textual else "?"
    yield template[at:]


def _formatted(template: str, call: ast.Call) -> Iterator[Part]:
    try:
        fields = list(Formatter().parse(template))
    except ValueError:
        return
    keyed = {keyword.arg: keyword.value for keyword in call.keywords}
    index = 0
    for literal, field, _, _ in fields:
        yield literal
        if field is None:
            continue
        name = re.split(r"[.\[]", field)[0]
        position = index if not name else int(name) if name.isdecimal() else None
        index += not name
        value = (
            keyed.get(name)
            if position is None
            else call.args[position]
            if position < len(call.args)
            else None
        )
        yield value if value is not None else "?"


def _may_be_foreign(value: ast.expr, text: ast.expr, ctx: Context) -> bool:
    """Whether a value may hold what somebody sent: a parameter or local value of no harmless type."""
    match value:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _may_be_foreign(inner, text, ctx)
        case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in _TEXT_METHODS:
            return _may_be_foreign(inner, text, ctx)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            pass
        case _:
            return False
    if _is_harmless(ctx.type_of(value), ctx) or _is_checked(value, text, ctx):
        return False
    root: ast.expr = value
    while isinstance(root, (ast.Attribute, ast.Subscript)):
        root = root.value
        if _is_harmless(ctx.type_of(root), ctx):
            return False  # such as `state.value`
    if not isinstance(root, ast.Name):
        return False
    found = ctx.module.lookup(root.id, text)
    if found is None or found[0].kind in {"module", "class"}:
        return False  # a constant, a setting or an import
    for binding in found[1]:
        if binding.kind == "parameter":
            continue
        if binding.kind not in {"assign", "for", "comprehension", "with"} or binding.value is None:
            return False
        if binding.kind == "assign" and not _is_outside(binding.value):
            return False
        if binding.kind in {"for", "comprehension"} and not isinstance(
            binding.value, (ast.Name, ast.Attribute)
        ):
            return False
    return bool(found[1])


def _is_outside(value: ast.expr) -> bool:
    """Whether an assigned value is taken from something else as it is, rather than made here."""
    match value:
        case ast.Subscript(value=inner) | ast.Attribute(value=inner) | ast.Await(value=inner):
            return _is_outside(inner)
        case ast.Call(func=ast.Attribute(attr="get" | "getlist" | "pop" | "strip" | "lower" | "upper")):
            return True
        case ast.Name():
            return True
    return False


def _is_harmless(known: Type | None, ctx: Context) -> bool:
    if known is None:
        return False
    if known.name in _PLAIN:
        return True
    info = ctx.module.modules.class_info(known.name)
    return info is not None and info.is_a("enum.Enum", "enum.StrEnum", "enum.IntEnum")


def _is_checked(value: ast.expr, text: ast.expr, ctx: Context) -> bool:
    """Whether the function compares the value with known ones, or asks for its type."""
    function = ctx.enclosing_function(text)
    if not isinstance(function, FUNCTIONS):
        return False
    shown = ast.unparse(value)
    for node in ctx.function_info(function).own_nodes():
        match node:
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]) if ast.unparse(left) == shown:
                return True
            case ast.Call(func=ast.Name(id="isinstance"), args=[first, _]) if ast.unparse(first) == shown:
                return True
    return False


def bound(call: ast.Call, values: list[Interpolated], ctx: Context) -> tuple[Edit, ...] | None:
    """The edits that bind the values of `execute(text(f"..."))` as parameters; None where not certain."""
    outer = ctx.parent(call)
    text = call.args[0]
    if not isinstance(outer, ast.Call) or outer.args != [call] or outer.keywords or len(call.args) != 1:
        return None
    if sql_text(outer, ctx) is not call or call.keywords or not isinstance(text, ast.JoinedStr):
        return None
    segment = ctx.text(text)
    quote = segment[1:4] if segment[1:4] in {'"""', "'''"} else segment[1:2]
    if segment[:1] not in {"f", "F"} or quote not in {'"', "'", '"""', "'''"} or segment.count(quote) != 2:
        return None
    if "{{" in segment or "}}" in segment:
        return None
    parameters: dict[str, str] = {}
    for item in values:
        shown = ast.unparse(item.value)
        name = shown.rpartition(".")[2]
        if not name.isidentifier() or parameters.get(name, shown) != shown or item.before.endswith("%"):
            return None
        quoted = item.before.endswith("'")
        written = f"'{{{shown}}}'" if quoted else f"{{{shown}}}"
        if written not in segment and name not in parameters:
            return None
        if quoted and not item.behind.startswith("'"):
            return None
        parameters[name] = shown
        segment = segment.replace(written, f":{name}")
        if f"{{{shown}}}" in segment and quoted:
            return None
    if "{" not in segment:
        segment = segment[1:]
    pairs = ", ".join(f'"{name}": {shown}' for name, shown in parameters.items())
    return ctx.edit(text, segment), ctx.insert_after(call, f", {{{pairs}}}")
