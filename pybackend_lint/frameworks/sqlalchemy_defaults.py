"""Defaults of columns, and functions whose value differs from call to call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind

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


def computed_at_import(call: ast.Call, ctx: Context) -> Iterator[ast.Call]:
    """The defaults of a column that are calls whose value would differ for each row."""
    if library_name(call.func, ctx.module) not in names.COLUMN_CALLS:
        return
    for keyword in call.keywords:
        if keyword.arg in _DEFAULTS and isinstance(keyword.value, ast.Call):
            if varies(keyword.value, ctx.module):
                yield keyword.value


def varies(value: ast.expr, module: Module, depth: int = 0) -> bool:
    """Whether an expression has another value each time: the time, something random, or made from it.

    A function of the project without parameters has when it returns such a value.
    """
    match value:
        case ast.Attribute(value=inner):
            return varies(inner, module, depth)
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
