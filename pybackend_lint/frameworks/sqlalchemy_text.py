"""SQL that is built as text: the values put into it, and the same with bound parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit, Related
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind, Type

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
_KEEPS_QUOTES = _TEXT_METHODS - {"replace"}
_EXECUTES = frozenset({"execute", "scalar", "scalars", "exec", "exec_driver_sql", "stream", "stream_scalars"})


@dataclass(frozen=True, slots=True, eq=False)
class _Passed:
    """An argument that a function of the project puts into the text it returns."""

    value: ast.expr
    function: FunctionInfo


Part = str | ast.expr | _Passed


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A value put into a SQL text: the expression, and the text of SQL before and behind it.

    `function` is the one of the project that does it, where the value is an argument of its call.
    """

    value: ast.expr
    before: str
    behind: str
    function: FunctionInfo | None = None

    def related(self) -> list[Related]:
        """The place in another function where the value is put into the text."""
        if self.function is None:
            return []
        source = self.function.module.source
        (returned,) = source.in_scope(ast.Return, self.function.node)
        return [Related(source.path, source.position(source.start(returned)), "the text is made here")]


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
    parts = list(_parts(text, ctx.module, 0))
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
            value, function = (part.value, part.function) if isinstance(part, _Passed) else (part, None)
            if _may_be_foreign(value, text, ctx):
                found.append(Interpolated(value, before, following, function))
        before += "?"
    return found


def _parts(node: ast.expr, module: Module, depth: int) -> Iterator[Part]:
    """The literal texts and the values that a text is put together from."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
            return
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    made = _returned_parts(value.value, module, depth)
                    yield from made if made is not None else [value.value]
                else:
                    yield from _parts(value, module, depth)
            return
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _parts(left, module, depth)
            yield from _parts(right, module, depth)
            return
        case ast.BinOp(left=ast.Constant(value=str(template)), op=ast.Mod(), right=right):
            yield from _percent(template, right)
            return
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(template)), attr="format")):
            yield from _formatted(template, node)
            return
        case ast.Call(func=func) if library_name(func, module) == "sqlalchemy.text":
            return  # a sink of its own
        case ast.Call():
            made = _returned_parts(node, module, depth)
            if made is not None:
                yield from made
                return
        case ast.Name(id=name) if depth < 3:
            found = module.lookup(name, node)
            added = _added_texts(name, found[1], module) if found is not None else []
            if added:
                for piece in added:
                    yield from _parts(piece, module, depth + 1)
                return
            if (
                found is not None
                and len(found[1]) == 1
                and found[1][0].kind == "assign"
                and not found[1][0].path
            ):
                assigned = found[1][0].value
                made = _returned_parts(assigned, module, depth) if assigned is not None else None
                if made is not None:
                    yield from made
                    return
                if isinstance(assigned, (ast.JoinedStr, ast.BinOp, ast.Constant)) or _is_format(assigned):
                    assert assigned is not None
                    yield from _parts(assigned, module, depth + 1)
                    return
    yield node


def _added_texts(name: str, bindings: list[Binding], module: Module) -> list[ast.expr]:
    """The texts that a variable is put together from by `+=`, in the order of the lines; empty for others.

    Those that only some paths add are among them.
    """
    if not any(binding.kind == "augmented" for binding in bindings):
        return []
    known: list[Binding] = []
    for binding in (pending := list(bindings)):  # grows on the way
        if binding in known:
            continue
        known.append(binding)
        if binding.kind == "augmented":
            if not isinstance(binding.node, ast.AugAssign) or not isinstance(binding.node.op, ast.Add):
                return []
            before = module.lookup(name, binding.node)
            pending += before[1] if before is not None else []
    first = [binding for binding in known if binding.kind != "augmented"]
    if len(first) != 1 or first[0].kind != "assign" or first[0].path:
        return []
    known.sort(key=lambda binding: getattr(binding.node, "lineno", 0))
    return [binding.value for binding in known if binding.value is not None] if known[0] is first[0] else []


def _returned_parts(call: ast.expr, module: Module, depth: int) -> list[Part] | None:
    """What the text consists of that a call of a project function gives, None where that is not known.

    Values that the function takes as they are from its parameters are the arguments of the call; all
    others count as harmless.
    """
    if not isinstance(call, ast.Call) or depth >= 3:
        return None
    known = module.type_of(call.func)
    function = (
        module.modules.function_info(known.name)
        if known is not None and known.kind is Kind.FUNCTION
        else None
    )
    if function is None or function.is_async or function.yields or not function.is_transparent:
        return None
    if len(function.returned) != 1 or function.returned[0] is None:
        return None
    given = _arguments(call, function, module)
    if given is None:
        return None
    parts = list(_parts(function.returned[0], function.module, depth + 1))
    if not any(isinstance(part, str) for part in parts):
        return None
    return [part if isinstance(part, str) else _passed(part, function, given) for part in parts]


def _arguments(call: ast.Call, function: FunctionInfo, module: Module) -> dict[str, ast.expr] | None:
    """The arguments of a call by the names of the parameters, None where they are unpacked."""
    names = [item.arg for item in (*function.node.args.posonlyargs, *function.node.args.args)]
    if function.owner is not None and not function.is_static:
        receiver = module.type_of(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if receiver is not None and receiver.kind is Kind.CLASS and not function.is_class_method:
            return None
        names = names[1:]
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None
    given = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        given[keyword.arg] = keyword.value
    return given


def _passed(part: ast.expr | _Passed, function: FunctionInfo, given: dict[str, ast.expr]) -> Part:
    """The argument that stands for a value inside a function, `"?"` where it is none or harmless."""
    value, maker = (part.value, part.function) if isinstance(part, _Passed) else (part, function)
    while isinstance(value, ast.Call):
        match value:
            case ast.Call(func=ast.Name(id="str"), args=[inner]):
                value = inner
            case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in _KEEPS_QUOTES:
                value = inner
            case _:
                return "?"
    module = function.module
    found = module.lookup(value.id, value) if isinstance(value, ast.Name) else None
    if not isinstance(value, ast.Name) or found is None or value.id not in given:
        return "?"
    if len(found[1]) != 1 or found[1][0].kind != "parameter" or _is_checked(value, function):
        return "?"
    return "?" if _is_harmless(module.type_of(value), module) else _Passed(given[value.id], maker)


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
    enclosing = ctx.enclosing_function(text)
    if _is_harmless(ctx.type_of(value), ctx.module):
        return False
    if isinstance(enclosing, FUNCTIONS) and _is_checked(value, ctx.function_info(enclosing)):
        return False
    root: ast.expr = value
    while isinstance(root, (ast.Attribute, ast.Subscript)):
        root = root.value
        if _is_harmless(ctx.type_of(root), ctx.module):
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


def _is_harmless(known: Type | None, module: Module) -> bool:
    if known is None:
        return False
    if known.name in _PLAIN:
        return True
    info = module.modules.class_info(known.name)
    return info is not None and info.is_a("enum.Enum", "enum.StrEnum", "enum.IntEnum")


def _is_checked(value: ast.expr, function: FunctionInfo) -> bool:
    """Whether the function compares the value with known ones, or asks for its type."""
    shown = ast.unparse(value)
    for node in function.own_nodes():
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
    if "{{" in segment or "}}" in segment or any(item.function is not None for item in values):
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
