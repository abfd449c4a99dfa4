"""Rule PB523: read-after-commit-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import sqlalchemy_expiry
from pybackend_lint.frameworks.sqlalchemy_expiry import ExpiredRead
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after

_ROLLED_BACK = "Read `{name}.{attribute}` before `{session}.rollback()`: the instance is expired"


@rule(
    "PB523",
    "read-after-commit-async",
    "Refresh `{name}` before reading `{attribute}`: `{session}.commit()` has expired the instance",
    nodes=(ast.AsyncFunctionDef,),
    words=("commit", "rollback"),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """An attribute is read after a commit or rollback has expired the object: nothing can await the reload.

    ## Why
    A commit expires every attribute of every object of the session, the primary key included, unless the
    session was made with `expire_on_commit=False`. A rollback expires them whatever that says. The next read
    sends a query; with an `AsyncSession` there is nothing to await at that point, so SQLAlchemy raises
    `MissingGreenlet`. After a rollback this often happens in an error handler that no test reaches: the
    message of the error is then lost. The read may be that of a Pydantic model, which validates the object or
    answers the request, or of a caller that gets the object back.

    ## Bad
    ```python
    from shop.database import SessionDep
    from shop.models import Order


    async def create_order(session: SessionDep, customer_id: int) -> int:
        order = Order(customer_id=customer_id)
        session.add(order)
        await session.commit()
        return order.id
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int]
    ```
    ```python file=shop/database.py
    from collections.abc import AsyncIterator
    from typing import Annotated

    from fastapi import Depends
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine)


    async def get_session() -> AsyncIterator[AsyncSession]:
        async with factory() as session:
            yield session


    SessionDep = Annotated[AsyncSession, Depends(get_session)]
    ```

    ## Good
    ```python
    from shop.database import SessionDep
    from shop.models import Order


    async def create_order(session: SessionDep, customer_id: int) -> int:
        order = Order(customer_id=customer_id)
        session.add(order)
        await session.commit()
        await session.refresh(order)
        return order.id
    ```

    ## Not reported
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

    from shop.models import Order

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine, expire_on_commit=False)


    async def create_order(session: AsyncSession, customer_id: int) -> int:
        order = Order(customer_id=customer_id)
        session.add(order)
        await session.commit()
        return order.id  # some session of the project keeps its objects: it may be this one
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int]
    ```
    Nothing is said of commits where neither sessions nor an engine are made in the project: what makes them
    elsewhere may keep their objects. A caller that awaits anything else first may have loaded the object
    again.

    ## Fix safety
    The fix refreshes the object behind the commit, which costs a query. `expire_on_commit=False` for the
    session factory avoids it; objects then keep the values they had before the commit. After a rollback no
    fix is offered: read what you need before it.

    ## When not to use it
    Where all sessions are synchronous the rule has nothing to say.

    ## References
    - SQLAlchemy, Asynchronous I/O: "Preventing Implicit IO when Using AsyncSession"
    - SQLAlchemy, Session Basics: "Committing", "Rolling Back"
    """
    for read in sqlalchemy_expiry.expired_reads(ctx.function_info(node)):
        yield ctx.finding(
            read.node,
            message=_ROLLED_BACK if read.method == "rollback" else None,
            name=read.name,
            attribute=read.attribute,
            session=read.session,
            fix=_fix(read, ctx),
            related=[ctx.related(read.ended, "expires every attribute of the object"), *read.places],
        )


def _fix(read: ExpiredRead, ctx: Context) -> Fix | None:
    if read.method == "rollback":
        return None
    statement = ctx.statement(read.ended)
    if not isinstance(statement, ast.Expr):
        return None
    edit = line_after(ctx.source, statement, f"await {read.session}.refresh({read.name})")
    return ctx.fix(f"Refresh `{read.name}` after the commit", edit) if edit is not None else None
