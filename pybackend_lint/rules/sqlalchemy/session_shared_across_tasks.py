"""Rule PB536: session-shared-across-tasks."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_tasks
from pybackend_lint.rule import Context, rule


@rule(
    "PB536",
    "session-shared-across-tasks",
    "Open one session per task: `{session}` is used by several coroutines at once",
    nodes=(ast.AsyncFunctionDef,),
    words=("gather", "TaskGroup", "as_completed", "wait"),
    applies="sqlalchemy>=1.4",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """Several coroutines that run at the same time use one asynchronous session.

    The coroutines get the session as an argument, or are methods of objects that keep it, in any file.

    ## Why
    A session stands for one transaction on one connection. Two coroutines that use it at once mix their
    statements: asyncpg raises `InterfaceError: another operation is in progress`, SQLAlchemy
    `IllegalStateChangeError` or `InvalidRequestError`, and a flush of one coroutine writes half of what
    another has prepared. Tests on SQLite often stay green.

    ## Bad
    ```python
    import asyncio

    from shop.database import SessionDep
    from shop.reports import count_customers, count_orders


    async def dashboard(session: SessionDep) -> dict[str, int]:
        orders, customers = await asyncio.gather(count_orders(session), count_customers(session))
        return {"orders": orders, "customers": customers}
    ```
    ```python file=shop/reports.py
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession


    async def count_orders(session: AsyncSession) -> int:
        return await session.scalar(text("SELECT count(*) FROM orders")) or 0


    async def count_customers(session: AsyncSession) -> int:
        return await session.scalar(text("SELECT count(*) FROM customers")) or 0
    ```
    ```python file=shop/database.py
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine, expire_on_commit=False)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with factory() as session:
            yield session


    SessionDep = Annotated[AsyncSession, Depends(get_session)]
    ```

    ## Good
    ```python
    from shop.database import SessionDep
    from shop.reports import count_customers, count_orders


    async def dashboard(session: SessionDep) -> dict[str, int]:
        orders = await count_orders(session)
        customers = await count_customers(session)
        return {"orders": orders, "customers": customers}
    ```

    ## Not reported
    ```python
    import asyncio

    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine, expire_on_commit=False)


    async def count(table: str) -> int:
        async with factory() as session:
            return await session.scalar(text("SELECT count(*) FROM orders")) or 0


    async def dashboard() -> list[int]:
        return await asyncio.gather(count("orders"), count("customers"))
    ```

    ## When not to use it
    Where a lock that the rule does not see lets one coroutine use the session at a time; `gather` then gains
    nothing.

    ## References
    - SQLAlchemy, Session Basics: "Is the Session thread-safe? Is AsyncSession safe to share in concurrent
      tasks?"
    - SQLAlchemy, Asynchronous I/O: "Using AsyncSession with Concurrent Tasks"
    """
    for shared in sqlalchemy_tasks.shared_sessions(ctx.function_info(node), ctx):
        related = [ctx.related(shared.first, "one coroutine uses the session")]
        if shared.second is not shared.first:
            related.append(ctx.related(shared.second, "another uses it at the same time"))
        yield ctx.finding(shared.node, session=shared.session, related=related)
