"""Rule PB549: invalid-async-pool."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_engines as engines
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.code_edits import remove_argument
from pybackend_lint.semantic.import_edits import orphaned, replace_imports


@rule(
    "PB549",
    "invalid-async-pool",
    "Use `AsyncAdaptedQueuePool`: `{pool}` cannot be used with an async engine",
    nodes=(ast.Call,),
    names=("create_async_engine",),
    words=("poolclass",),
    applies="sqlalchemy>=1.4",
    fix=SAFE,
    severity="error",
    tags=("correctness",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """An engine for coroutines gets a pool that it cannot have, or limits that its pool does not take.

    ## Why
    `QueuePool` lets a thread wait for a connection, which stops the event loop as soon as all connections are
    in use: SQLAlchemy 2.0 raises `ArgumentError` instead. `NullPool` and `StaticPool` have no size, and
    `pool_size` or `max_overflow` beside them is a `TypeError`. As the arguments often come from a branch for
    tests or for a proxy such as PgBouncer, the engine fails where that branch is taken first.

    ## Bad
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import QueuePool


    def engine_for(url: str) -> AsyncEngine:
        return create_async_engine(url, poolclass=QueuePool, pool_size=10)
    ```
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import NullPool


    def engine_behind_proxy(url: str) -> AsyncEngine:
        return create_async_engine(url, poolclass=NullPool, pool_size=10, pool_pre_ping=True)
    ```

    ## Good
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import AsyncAdaptedQueuePool


    def engine_for(url: str) -> AsyncEngine:
        return create_async_engine(url, poolclass=AsyncAdaptedQueuePool, pool_size=10)
    ```
    ```python
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import NullPool


    def engine_behind_proxy(url: str) -> AsyncEngine:
        return create_async_engine(url, poolclass=NullPool, pool_pre_ping=True)
    ```

    ## Not reported
    ```python
    from sqlalchemy import Engine, create_engine
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import NullPool, QueuePool

    from shop.pools import pool_for_tests


    def engine_for(url: str) -> Engine:
        return create_engine(url, poolclass=QueuePool)  # an engine for threads


    def engine_for_tests(url: str) -> AsyncEngine:
        return create_async_engine(url, poolclass=NullPool, pool_recycle=600)


    def engine_of(url: str) -> AsyncEngine:
        return create_async_engine(url, poolclass=pool_for_tests(), pool_size=10)  # not known
    ```
    ```python file=shop/pools.py
    from sqlalchemy.pool import NullPool, Pool


    def pool_for_tests() -> type[Pool]:
        return NullPool
    ```

    ## Fix safety
    The engine that is replaced cannot be made, or hangs under load in SQLAlchemy 1.4. The pool becomes the
    one that engines for coroutines have by default, and limits beside a pool without limits are removed.

    ## When not to use it
    There is no reason to turn it off: what is reported raises, or hangs under load in SQLAlchemy 1.4.

    ## References
    - SQLAlchemy: "Connection Pooling", "Switching Pool Implementations"
    - SQLAlchemy: "Asynchronous I/O (asyncio)", "Using multiple asyncio event loops"
    """
    if not engines.is_async_engine(call, ctx):
        return
    pool = engines.thread_pool(call, ctx)
    if pool is not None:
        (name,), imports = replace_imports(
            ctx.source, [engines.ASYNC_QUEUE_POOL], orphaned(ctx.source, [pool])
        )
        fix = ctx.fix("Use the pool for coroutines", ctx.edit(pool, name), *imports)
        yield ctx.finding(pool, fix=fix, pool=ctx.text(pool))
    for limit in engines.limits_without_pool(call, ctx):
        edit = remove_argument(ctx.source, call, limit)
        message = f"Remove `{limit.arg}`: the pool of this engine has no such limit"
        removed = ctx.fix("Remove the limit", edit) if edit is not None else None
        yield ctx.finding(limit, fix=removed, message=message)
