"""Rule PB520: lazy-load-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_expiry, sqlalchemy_fresh, sqlalchemy_loading
from pybackend_lint.rule import UNSAFE, Context, rule

_FRESH = 'Load `{entity}.{relation}` with `{session}.refresh({name}, ["{relation}"])`: nothing has loaded it'


@rule(
    "PB520",
    "lazy-load-in-async",
    "Load `{entity}.{relation}` with `{loader}()`: reading it here does I/O outside `await`",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A relationship of an object from an asynchronous session is read before anything has loaded it.

    ## Why
    Reading an unloaded relationship sends a query. With an `AsyncSession` there is nothing to await at that
    point, so SQLAlchemy raises `MissingGreenlet` (wrapped in `StatementError` since 2.1). Tests often miss
    it, because an object that the test itself created still holds its relationships. Reads in helpers,
    properties and Pydantic models that get the object are reported by `lazy-load-in-async-call`.

    An object that the function has just made is no better off: once `flush()` has written its row, or
    `refresh()` has loaded it, every collection that the constructor was not given loads on access, also for a
    caller that gets the object and for a response model.

    ## Bad
    ```python
    from sqlalchemy import select

    from shop.database import SessionDep
    from shop.models import Order


    async def order_total(session: SessionDep, order_id: int) -> int:
        statement = select(Order).where(Order.id == order_id)
        order = (await session.scalars(statement)).one()
        return sum(line.price for line in order.lines)
    ```
    ```python file=shop/models.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        lines: Mapped[list[Line]] = relationship(back_populates="order")


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
        price: Mapped[int]
        order: Mapped[Order] = relationship(back_populates="lines")
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
    from sqlalchemy import select
    from sqlalchemy.orm import selectinload

    from shop.database import SessionDep
    from shop.models import Order


    async def order_total(session: SessionDep, order_id: int) -> int:
        statement = select(Order).options(selectinload(Order.lines)).where(Order.id == order_id)
        order = (await session.scalars(statement)).one()
        return sum(line.price for line in order.lines)
    ```

    ## Not reported
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession

    from shop.models import Order


    async def refreshed(session: AsyncSession, order_id: int) -> int:
        order = await session.get_one(Order, order_id)
        await session.refresh(order, ["lines"])
        return len(order.lines)


    async def awaited(session: AsyncSession, order_id: int) -> int:
        order = await session.get_one(Order, order_id)
        return len(await order.awaitable_attrs.lines)


    async def handed_over(order: Order) -> int:
        return len(order.lines)  # nothing is known about what the caller has loaded


    async def made(session: AsyncSession) -> int:
        order = Order(lines=[])
        session.add(order)
        await session.flush()
        return len(order.lines)
    ```
    ```python file=shop/models.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.ext.asyncio import AsyncAttrs
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(AsyncAttrs, DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        lines: Mapped[list[Line]] = relationship()


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    ```

    ## Fix safety
    The fix adds a loader option to the statement, or to `session.get()`, in the same function. It costs one
    more query for each execution, also where the relationship is then not read, and a joined many-to-one
    changes the SQL: read it before applying. For new objects no fix is offered.

    ## When not to use it
    Where all sessions are synchronous the rule has nothing to say.

    ## References
    - SQLAlchemy, Asynchronous I/O: "Preventing Implicit IO when Using AsyncSession"
    - SQLAlchemy, Error Messages: "greenlet_spawn has not been called" (`MissingGreenlet`)
    """
    function = ctx.function_info(node)
    for attribute in sqlalchemy_loading.attributes_read(function):
        read = sqlalchemy_loading.lazy_read(attribute, ctx)
        if read is None or sqlalchemy_expiry.is_detached(attribute, function, ctx):
            continue
        if read.loaded.is_async:
            yield ctx.finding(
                attribute,
                entity=read.owner.rpartition(".")[2],
                relation=read.relation.name,
                loader=read.loader,
                fix=sqlalchemy_loading.loading_fix(read, attribute, ctx),
                related=sqlalchemy_loading.proof(read),
            )
    for fresh in sqlalchemy_fresh.fresh_reads(function):
        yield ctx.finding(
            fresh.node,
            message=_FRESH,
            entity=fresh.entity,
            relation=fresh.relation.name,
            name=fresh.name,
            session=fresh.session,
            related=[ctx.related(fresh.written, "the new row is written here"), *fresh.places],
        )
