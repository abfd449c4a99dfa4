"""Engines: the pools that they take."""

from __future__ import annotations

import ast

from pybackend_lint.frameworks.sqlalchemy_mapping import keyword
from pybackend_lint.rule import Context

ASYNC_QUEUE_POOL = "sqlalchemy.pool.AsyncAdaptedQueuePool"
_THREAD_POOLS = frozenset({"QueuePool", "SingletonThreadPool"})
_UNLIMITED = frozenset({"NullPool", "StaticPool"})
_LIMITS = frozenset({"pool_size", "max_overflow", "pool_timeout", "pool_use_lifo"})
_MODULES = ("sqlalchemy.pool", "sqlalchemy.pool.impl", "sqlalchemy")


def is_async_engine(call: ast.Call, ctx: Context) -> bool:
    """Whether a call makes an engine for coroutines."""
    return ctx.qualified_name(call.func) in {
        "sqlalchemy.ext.asyncio.create_async_engine",
        "sqlalchemy.ext.asyncio.engine.create_async_engine",
    }


def _pool(call: ast.Call, ctx: Context) -> tuple[ast.expr, str] | None:
    value = keyword(call, "poolclass")
    name = ctx.qualified_name(value) if value is not None else None
    if value is None or name is None:
        return None
    module, _, pool = name.rpartition(".")
    return (value, pool) if module in _MODULES else None


def thread_pool(call: ast.Call, ctx: Context) -> ast.expr | None:
    """The pool of an engine whose waiting stops the thread; None where it has no such pool."""
    pool = _pool(call, ctx)
    return pool[0] if pool is not None and pool[1] in _THREAD_POOLS else None


def limits_without_pool(call: ast.Call, ctx: Context) -> list[ast.keyword]:
    """The limits that are given to an engine whose pool has none, so that it cannot be made."""
    pool = _pool(call, ctx)
    if pool is None or pool[1] not in _UNLIMITED:
        return []
    return [item for item in call.keywords if item.arg in _LIMITS]
