"""Defaults of columns, functions whose value differs from call to call, and what is no SQL."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.semantic.import_edits import add_import
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_DEFAULTS = frozenset({"default", "onupdate", "insert_default"})
_VARYING = frozenset(
    ["datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
     "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "time.time", "time.time_ns", "time.monotonic",
     "secrets.token_hex", "secrets.token_urlsafe", "secrets.token_bytes", "secrets.choice",
     "secrets.randbelow", "random.random", "random.randint", "random.choice", "random.randrange",
     "random.getrandbits", "arrow.utcnow", "arrow.now", "pendulum.now"]
)  # fmt: skip

_CONVERSIONS = frozenset({"builtins.str", "builtins.int", "builtins.float", "builtins.round"})
_MAX_DEPTH = 3

_NO_SQL = frozenset(
    {"builtins.bool", "builtins.int", "builtins.float", "builtins.bytes", "builtins.list", "builtins.dict",
     "builtins.tuple", "builtins.set", "datetime.datetime", "datetime.date", "datetime.time",
     "datetime.timedelta", "uuid.UUID", "decimal.Decimal"}
)  # fmt: skip
# Functions that are no SQL themselves, called or not; results that are texts are.
_PYTHON_FUNCTIONS = frozenset(
    {
        *(name for name in _VARYING if name.startswith(("datetime.", "uuid.", "time.", "random."))),
        "sqlalchemy.true", "sqlalchemy.false", "sqlalchemy.null",
    }
)  # fmt: skip
_SQL_FUNCTIONS = frozenset({"sqlalchemy.true", "sqlalchemy.false", "sqlalchemy.null"})
_BOOLEANS = frozenset({"", "Boolean", "BOOLEAN"})
_NUMBERS = frozenset(
    {
        "",
        "Integer",
        "BigInteger",
        "SmallInteger",
        "Float",
        "Double",
        "Numeric",
        "INTEGER",
        "BIGINT",
        "SMALLINT",
    }
)


def computed_at_import(call: ast.Call, ctx: Context) -> Iterator[ast.expr]:
    """The defaults of a column that are made of calls whose value would differ for each row."""
    if library_name(call.func, ctx.module) not in names.COLUMN_CALLS:
        return
    for keyword in call.keywords:
        if keyword.arg in _DEFAULTS and isinstance(keyword.value, (ast.Call, ast.Attribute, ast.BinOp)):
            if varies(keyword.value, ctx.module):
                yield keyword.value


def varies(value: ast.expr, module: Module, depth: int = 0) -> bool:
    """Whether an expression has another value each time: the time, something random, or made from it.

    A function of the project without parameters has when it returns such a value.
    """
    match value:
        case ast.Attribute(value=inner):
            return varies(inner, module, depth)
        case ast.BinOp(left=left, right=right):
            return varies(left, module, depth) or varies(right, module, depth)
        case ast.Call(func=func, args=args):
            callee = module.type_of(func)
            name = callee.name if callee is not None else module.qualified_name(func)
            if name in _VARYING:
                return True
            if name in _CONVERSIONS:
                return any(varies(argument, module, depth) for argument in args)
            if callee is not None and callee.kind is Kind.FUNCTION:
                return depth < _MAX_DEPTH and _function_varies(callee.name, value, module, depth)
            return isinstance(func, ast.Attribute) and varies(func.value, module, depth)
    return False


def _function_varies(name: str, call: ast.Call, module: Module, depth: int) -> bool:
    function = module.modules.function_info(name)
    if function is None or call.args or call.keywords or function.is_async or function.yields:
        return False
    if any(default is None for _, default in function.parameters()) or len(function.returned) != 1:
        return False
    returned = function.returned[0]
    return returned is not None and varies(returned, function.module, depth + 1)


def server_default_without_sql(call: ast.Call, ctx: Context) -> ast.expr | None:
    """The `server_default` of a column that is a value or function of Python's, which SQLAlchemy refuses."""
    value = next((item.value for item in call.keywords if item.arg == "server_default"), None)
    if value is None or library_name(call.func, ctx.module) not in names.COLUMN_CALLS:
        return None
    return value if _is_no_sql(value, ctx) else None


def _is_no_sql(value: ast.expr, ctx: Context) -> bool:
    match value:
        case ast.Constant(value=constant):
            return isinstance(constant, (bool, int, float, bytes))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.Lambda() | ast.List() | ast.Dict() | ast.Set() | ast.Tuple():
            return True
        case ast.Call(func=func) if library_name(func, ctx.module) in _PYTHON_FUNCTIONS - _SQL_FUNCTIONS:
            return True
    known = ctx.type_of(value)
    if known is None or known.optional:
        return False
    match known.kind:
        case Kind.FUNCTION | Kind.CLASS:
            return True
        case Kind.EXTERNAL:
            return known.name in _PYTHON_FUNCTIONS
        case Kind.INSTANCE:
            return known.name in _NO_SQL
    return False


def as_sql(value: ast.expr, column: ast.Call, ctx: Context) -> tuple[Edit, ...]:
    """The edits that write a truth or number as SQL; empty for others, and for columns of another type."""
    positional = [part.func if isinstance(part, ast.Call) else part for part in column.args]
    kind = next((last_name(part) for part in positional if not isinstance(part, ast.Constant)), "")
    text = ctx.text(value)
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        if kind not in _BOOLEANS:
            return ()
        name, imports = add_import(ctx.source, f"sqlalchemy.{text.lower()}")
        return (ctx.edit(value, f"{name}()"), *imports)
    if not isinstance(value, (ast.Constant, ast.UnaryOp)) or kind not in _NUMBERS or "\n" in text:
        return ()
    name, imports = add_import(ctx.source, "sqlalchemy.text")
    return (ctx.edit(value, f'{name}("{text}")'), *imports)
