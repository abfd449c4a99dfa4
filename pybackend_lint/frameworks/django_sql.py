"""Facts about SQL that is written by hand: where it is run, which of its parts are values or of a request."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import django
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

_EXECUTES = frozenset({"execute", "executemany"})
_EXTRA = frozenset({"where", "select", "tables", "order_by"})
_RAW_SQL = "django.db.models.RawSQL"
_RUN_SQL = frozenset({"django.db.migrations.RunSQL", "django.db.migrations.operations.RunSQL",
                      "django.db.migrations.operations.special.RunSQL"})  # fmt: skip
_NAME_COLUMNS = frozenset({"annotate", "alias", "aggregate"})
# What a client sends, as attributes of the requests of Django and of Django REST framework.
_SENT = frozenset({"GET", "POST", "COOKIES", "META", "headers", "body", "data", "query_params"})
# What stands directly before a value, and never before the name of a table or column.
_BEFORE_VALUE = re.compile(
    r"(?:[=<>]|\b(?:like|ilike|limit|offset|between|interval)\b|\b(?:in|values|any)\s*\()\s*$", re.IGNORECASE
)
_BEFORE_SEQUENCE = re.compile(r"\b(?:nextval|setval|currval|to_regclass)\s*\(\s*'[^']*$", re.IGNORECASE)
_SAFE_CALLS = frozenset({"int", "float", "len", "bool", "id", "abs", "round"})
_SAFE_TYPES = frozenset({"builtins.int", "builtins.float", "builtins.bool", "decimal.Decimal", "uuid.UUID",
                         "datetime.date", "datetime.datetime", "datetime.timedelta"})  # fmt: skip
_SETTINGS = "django.conf.settings."


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A piece of SQL that is handed to the database, and what runs it (`cursor.execute`)."""

    sql: ast.expr
    runner: str
    has_parameters: bool


def statements(call: ast.Call, module: Module) -> Iterator[Statement]:
    """The SQL that a call hands to the database through Django."""
    func = call.func
    if isinstance(func, ast.Attribute):
        if func.attr in _EXECUTES and call.args:
            known = module.type_of(func.value)
            if known is not None and known.is_instance(django.CURSOR):
                yield Statement(call.args[0], f"{func.attr}()", len(call.args) + len(call.keywords) > 1)
            return
        if func.attr in {"raw", "extra"}:
            if django.own_method(func, module) is None:
                return
            if func.attr == "raw" and call.args:
                yield Statement(call.args[0], "raw()", len(call.args) + len(call.keywords) > 1)
            for keyword in call.keywords:
                if func.attr == "extra" and keyword.arg in _EXTRA:
                    for item in _items(keyword.value):
                        yield Statement(item, "extra()", True)
            return
    name = last_name(func)
    if name == "RawSQL" and call.args and module.qualified_name(func) == _RAW_SQL:
        yield Statement(call.args[0], "RawSQL()", True)
    elif name == "RunSQL" and module.qualified_name(func) in _RUN_SQL:
        named = [keyword.value for keyword in call.keywords if keyword.arg in {"sql", "reverse_sql"}]
        for given in (*call.args[:2], *named):
            for item in given.elts if isinstance(given, (ast.List, ast.Tuple)) else (given,):
                sql = item.elts[0] if isinstance(item, (ast.List, ast.Tuple)) and item.elts else item
                yield Statement(sql, "RunSQL()", True)
    elif name == "execute" and isinstance(func, ast.Name) and call.args and _is_handed_execute(func, module):
        yield Statement(call.args[0], "execute()", True)


def _is_handed_execute(name: ast.Name, module: Module) -> bool:
    """Whether a name is the parameter by which a wrapper of `connection.execute_wrapper` runs statements."""
    node = module.source.enclosing_function(name)
    if not isinstance(node, FUNCTIONS):
        return False
    function = module.function_info(node)
    parameters = [argument.arg for argument, _ in function.parameters()]
    if function.owner is not None and node.name == "__call__":
        parameters = parameters[1:]
    if len(parameters) != 5 or parameters[0] != name.id:  # execute, sql, params, many, context
        return False
    index = module.modules
    files = files_with(index, module, b"execute_wrapper") if isinstance(index, Index) else ()
    others = (index.at(path, module) for path in files) if isinstance(index, Index) else iter(())
    return any(other is not None and _registers(other, function) for other in others)


def _registers(module: Module, function: FunctionInfo) -> bool:
    for call in module.source.calls.get("execute_wrapper", ()):
        known = module.type_of(call.args[0]) if call.args else None
        if known is None:
            continue
        if known.kind is Kind.FUNCTION and known.name == function.name:
            return True
        owner = function.owner
        if known.kind is Kind.INSTANCE and owner is not None and known.name == owner.name:
            return True
    return False


def columns_named_by_request(call: ast.Call, module: Module) -> ast.expr | None:
    """What of a request names a column in `annotate(**...)` or its like, or None.

    A name that the function compares with known ones is not of the request any more.
    """
    unpacked = [keyword.value for keyword in call.keywords if keyword.arg is None]
    if (
        not unpacked
        or last_name(call.func) not in _NAME_COLUMNS
        or django.own_method(call.func, module) is None
    ):
        return None
    node = module.source.enclosing_function(call)
    if not isinstance(node, FUNCTIONS):
        return None
    function = module.function_info(node)
    for value in unpacked:
        for key in _keys(value, function):
            if _is_sent(key, function):
                return key
    return None


def _keys(mapping: ast.expr, function: FunctionInfo, depth: int = 0) -> Iterator[ast.expr]:
    """The expressions that give the keys of a mapping; the mapping itself where it is no literal."""
    match mapping:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if key is not None:
                    yield key
                elif depth < 3:
                    yield from _keys(value, function, depth + 1)
        case ast.DictComp(key=key):
            yield key
        case ast.Name(id=name):
            for node in function.own_nodes():
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                    if isinstance(node.value, ast.Name) and node.value.id == name:
                        yield node.slice
            found = function.module.lookup(name, mapping)
            bindings = found[1] if found is not None and found[0].kind == "function" else []
            for binding in bindings:
                if binding.kind == "assign" and not binding.path and binding.value is not None and depth < 3:
                    yield from _keys(binding.value, function, depth + 1)
        case _:
            yield mapping


def _is_sent(node: ast.expr, function: FunctionInfo, depth: int = 0) -> bool:
    """Whether a text or mapping is what a client sent, or made of it, and nothing has checked it."""
    if depth > 5 or _is_compared(node, function):
        return False
    match node:
        case ast.Attribute(value=ast.Name(id="request") | ast.Attribute(attr="request"), attr=attr):
            return attr in _SENT
        case ast.Attribute(value=inner) | ast.Subscript(value=inner):
            return _is_sent(inner, function, depth + 1)
        case ast.Call(func=func, args=[text]) if function.module.qualified_name(func) == "json.loads":
            return _is_sent(text, function, depth + 1)
        case ast.Call(func=ast.Attribute(value=inner)):
            return _is_sent(inner, function, depth + 1)
        case ast.JoinedStr(values=values):
            parts = [value.value for value in values if isinstance(value, ast.FormattedValue)]
            return any(_is_sent(part, function, depth + 1) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_sent(left, function, depth + 1) or _is_sent(right, function, depth + 1)
        case ast.Name(id=name):
            found = function.module.lookup(name, node)
            if found is None or found[0].kind not in {"function", "comprehension"} or len(found[1]) != 1:
                return False
            binding = found[1][0]
            if binding.kind not in {"assign", "for", "comprehension"} or binding.value is None:
                return False
            return _is_sent(binding.value, function, depth + 1)
    return False


def _is_compared(node: ast.expr, function: FunctionInfo) -> bool:
    """Whether a function compares an expression with something, which may be the names it accepts."""
    text = ast.dump(node)
    return any(
        ast.dump(other.left) == text for other in function.own_nodes() if isinstance(other, ast.Compare)
    )


def _items(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    return node.values if isinstance(node, ast.Dict) else [node]


def interpolated_value(sql: ast.expr, module: Module) -> ast.expr | None:
    """The first value that is put into SQL as text, or None.

    Names of tables, columns and sequences do not count, wherever the same statement uses them as such, nor
    does what `# nosec` accepts, as for Bandit.
    """
    parts = list(_parts(_written(sql, module), module))
    names = {ast.dump(part) for text, part in parts if not _expects_value(text)}
    for text, part in parts:
        if _expects_value(text) and ast.dump(part) not in names and not _is_safe(part, module):
            return None if _is_accepted(sql, module) else part
    return None


def _is_accepted(sql: ast.expr, module: Module) -> bool:
    first = module.source.statement(sql).lineno
    return any("# nosec" in module.source.line(row) for row in range(first, (sql.end_lineno or first) + 1))


def _expects_value(text: str) -> bool:
    """Whether what follows this beginning of a statement is a value: in quotes, or behind an operator."""
    if text.count("'") % 2 == 1:
        return _BEFORE_SEQUENCE.search(text) is None
    return _BEFORE_VALUE.search(text) is not None


def stands_for_value(sql: ast.JoinedStr, part: ast.FormattedValue) -> bool:
    """Whether an interpolation of an f-string is a whole value, not a part of one or a name."""
    position = sql.values.index(part)
    before, after = "", ""
    if position > 0:
        previous = sql.values[position - 1]
        before = str(previous.value) if isinstance(previous, ast.Constant) else "?"
    if position + 1 < len(sql.values):
        following = sql.values[position + 1]
        after = str(following.value) if isinstance(following, ast.Constant) else "?"
    if before.endswith("'"):
        return after.startswith("'") and before.count("'") % 2 == 1
    return (
        before.count("'") % 2 == 0
        and _expects_value(before)
        and (not after or not (after[0].isalnum() or after[0] in "_'%?"))
    )


def _written(sql: ast.expr, module: Module) -> ast.expr:
    """The expression that builds the text, through a name that one assignment of the function binds."""
    if isinstance(sql, ast.Name):
        found = module.lookup(sql.id, sql)
        if found is not None and len(found[1]) == 1 and found[0].kind == "function":
            binding = found[1][0]
            if binding.kind == "assign" and not binding.path and binding.value is not None:
                return binding.value
    return sql


def _parts(node: ast.expr, module: Module) -> Iterator[tuple[str, ast.expr]]:
    """What is interpolated into a text, each with the text before it."""
    match node:
        case ast.JoinedStr(values=values):
            text = ""
            for value in values:
                if isinstance(value, ast.Constant):
                    text += str(value.value)
                elif isinstance(value, ast.FormattedValue):
                    yield text, value.value
                    text += "0"
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            pieces = re.split(r"%(?:\(\w+\))?[sdr]", text)
            arguments = right.elts if isinstance(right, ast.Tuple) else [right]
            if isinstance(right, ast.Dict) or len(arguments) != len(pieces) - 1:
                return
            before = ""
            for piece, argument in zip(pieces, arguments, strict=False):
                before += piece
                yield before, argument
                before += "0"
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format"), args=arguments):
            pieces = re.split(r"\{\d*\}", text)
            if len(pieces) - 1 != len(arguments):
                return
            before = ""
            for piece, argument in zip(pieces, arguments, strict=False):
                before += piece
                yield before, argument
                before += "0"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _parts(left, module)
            if not isinstance(right, (ast.Constant, ast.JoinedStr)):
                yield _tail(left), right
            else:
                yield from _parts(right, module)


def _tail(node: ast.expr) -> str:
    """The constant text at the end of an expression."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(right=right):
            return _tail(right)
        case ast.JoinedStr(values=[*_, ast.Constant(value=str(text))]):
            return text
    return ""


def _is_safe(node: ast.expr, module: Module, depth: int = 0) -> bool:
    """Whether a part cannot hold text from outside: constants, numbers, quoted names, placeholders."""
    if depth > 5:
        return False
    match node:
        case ast.Constant():
            return True
        case ast.Attribute(attr="db_table" | "column" | "attname" | "vendor"):
            return True
        case ast.Call(func=ast.Attribute(attr="quote_name")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[joined]):
            return _is_placeholder(joined, module, depth)
        case ast.Call(func=ast.Name(id=name)) if name in _SAFE_CALLS:
            return True
        case (
            ast.Call(func=ast.Name(id="str"), args=[inner])
            | ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper" | "strip"), args=[])
        ):
            return _is_safe(inner, module, depth + 1)
        case ast.BinOp(left=left, right=right):
            return _is_safe(left, module, depth + 1) and _is_safe(right, module, depth + 1)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_safe(body, module, depth + 1) and _is_safe(orelse, module, depth + 1)
        case ast.JoinedStr(values=values):
            return all(
                _is_safe(value.value, module, depth + 1)
                for value in values
                if isinstance(value, ast.FormattedValue)
            )
        case ast.Name(id=name):
            found = module.lookup(name, node)
            bindings = found[1] if found is not None else []
            if bindings and all(b.kind == "assign" and not b.path and b.value is not None for b in bindings):
                return all(b.value is not None and _is_safe(b.value, module, depth + 1) for b in bindings)
            if bindings and all(b.kind in {"for", "comprehension"} and b.value is not None for b in bindings):
                return all(b.value is not None and _is_table(b.value, module) for b in bindings)
    known = module.type_of(node)
    if known is not None and known.kind is Kind.INSTANCE and known.name in _SAFE_TYPES:
        return True
    return isinstance(node, (ast.Name, ast.Attribute)) and _is_constant(node, module)


def _is_table(node: ast.expr, module: Module, depth: int = 0) -> bool:
    """Whether an iterated value consists of constants, as far as it is written in the project."""
    match node:
        case ast.Constant():
            return True
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items) | ast.Dict(values=items):
            return all(_is_table(item, module, depth) for item in items)
        case ast.Call(func=ast.Attribute(value=inner, attr="items" | "keys" | "values"), args=[]):
            return _is_table(inner, module, depth)
        case ast.Call(func=ast.Name(id="enumerate" | "sorted" | "reversed" | "zip"), args=items):
            return all(_is_table(item, module, depth) for item in items)
        case ast.Name() | ast.Attribute() if depth < 3:
            found = module.lookup(node.id, node) if isinstance(node, ast.Name) else None
            bindings = found[1] if found is not None else []
            if len(bindings) == 1 and bindings[0].kind == "assign" and not bindings[0].path:
                value = bindings[0].value
                return value is not None and _is_table(value, module, depth + 1)
            return _is_constant(node, module)
    return False


def _is_constant(node: ast.Name | ast.Attribute, module: Module) -> bool:
    """Whether a name leads to a constant of a module or class of the project, or to a setting."""
    name = module.qualified_name(node)
    if name is not None and name.startswith(_SETTINGS):
        return True
    found = module.modules.variable(name) if name is not None else None
    if found is not None:
        return isinstance(found[1].value, (ast.Constant, ast.List, ast.Tuple, ast.Dict))
    owner = module.modules.class_info(name.rpartition(".")[0]) if name is not None else None
    member = owner.member(node.attr) if owner is not None and isinstance(node, ast.Attribute) else None
    return member is not None and isinstance(member[1].value, (ast.Constant, ast.Tuple))


def _is_placeholder(node: ast.expr, module: Module, depth: int) -> bool:
    match node:
        case ast.BinOp(left=ast.List(elts=elements), op=ast.Mult()):
            return all(isinstance(item, ast.Constant) for item in elements)
        case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
            return _is_safe(element, module, depth + 1) or (
                isinstance(element, ast.Call)
                and isinstance(element.func, ast.Name)
                and element.func.id in {"str"}
                and bool(element.args)
                and _is_safe(element.args[0], module, depth + 1)
            )
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return all(_is_safe(item, module, depth + 1) for item in elements)
        case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id="str"), inner]):
            return _is_placeholder(inner, module, depth)
        case ast.Name():
            return _is_safe(node, module, depth + 1)
    return False
