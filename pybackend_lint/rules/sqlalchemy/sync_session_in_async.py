"""Rule PB537: sync-session-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop, sqlalchemy
from pybackend_lint.rule import Context, rule


@rule(
    "PB537",
    "sync-session-in-async",
    "Use `AsyncSession` in `{function}`: `{session}.{method}()` blocks the event loop",
    nodes=(ast.AsyncFunctionDef,),
    applies="sqlalchemy",
    tags=("performance", "correctness"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A synchronous session or connection talks to the database inside `async def`.

    ## Why
    While the database works, the event loop waits: no other request of the process is answered. A pool that
    is exhausted even deadlocks, because the requests that would give connections back cannot run. Use an
    asynchronous engine and session, or write the route as plain `def`, which FastAPI runs in a thread.

    One finding is reported for each session of a function, at its first call.

    ## Bad
    ```python
    from fastapi import APIRouter
    from sqlalchemy import select

    from shop.database import SessionDep
    from shop.models import User

    router = APIRouter()


    @router.get("/users/{user_id}/name")
    async def user_name(user_id: int, session: SessionDep) -> str:
        return session.scalars(select(User.name).where(User.id == user_id)).one()
    ```
    ```python file=shop/database.py
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session, sessionmaker

    factory = sessionmaker(create_engine("postgresql+psycopg://shop@localhost/shop"))


    def get_session() -> Iterator[Session]:
        with factory() as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
    ```

    ## Good
    ```python
    from fastapi import APIRouter
    from sqlalchemy import select

    from shop.database import SessionDep
    from shop.models import User

    router = APIRouter()


    @router.get("/users/{user_id}/name")
    def user_name(user_id: int, session: SessionDep) -> str:
        return session.scalars(select(User.name).where(User.id == user_id)).one()
    ```

    ## Not reported
    ```python
    import asyncio

    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from shop.models import User


    def names(session: Session) -> list[str]:
        return list(session.scalars(select(User.name)))


    async def in_a_thread(session: Session) -> list[str]:
        return await asyncio.to_thread(names, session)


    async def in_a_greenlet(session: AsyncSession) -> list[str]:
        return await session.run_sync(lambda inner: list(inner.scalars(select(User.name))))
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        name: Mapped[str] = mapped_column(primary_key=True)
    ```

    ## When not to use it
    In scripts whose event loop serves nobody else. A function given to `asyncio.run()` in its own file is
    taken for one.

    ## References
    - SQLAlchemy: "Asynchronous I/O (asyncio)"
    - FastAPI: "Concurrency and async / await"
    """
    if sqlalchemy.is_script_entry(node, ctx) or event_loop.runs_alone(ctx.function_info(node)):
        return
    seen: set[str] = set()
    for call, session, method in sqlalchemy.blocking_calls(node, ctx):
        text = ctx.text(session)
        if text not in seen:
            seen.add(text)
            origin = sqlalchemy.origin_of_session(session, ctx.module)
            related = [origin] if origin is not None else []
            yield ctx.finding(call, related=related, function=node.name, session=text, method=method)
