"""Rule PB521: lazy-load-in-async-call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_loading, sqlalchemy_uses
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB521",
    "lazy-load-in-async-call",
    "Load `{entity}.{relation}` with `{loader}()`: `{reader}` reads it outside `await`",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """What an object from an asynchronous session is given to reads a relationship that nothing has loaded.

    The object goes to a function or method of the project, to one of its own properties, to `__str__` or
    `__repr__`, to a template, or to a Pydantic model: in `Schema.model_validate(obj)` with
    `from_attributes`, or as what a route of FastAPI returns. The code looks right on its own; only the
    schema, the template or the helper, in another file, names the relationship.

    ## Why
    Reading an unloaded relationship sends a query. With an `AsyncSession` there is nothing to await at that
    point, so SQLAlchemy raises `MissingGreenlet` (wrapped in `StatementError` since 2.1), and the request
    ends with status 500. Tests often miss it, because an object that the test itself created still holds
    its relationships.

    ## Bad
    ```python
    from fastapi import APIRouter

    from shop.database import SessionDep
    from shop.models import Order
    from shop.schemas import OrderRead

    router = APIRouter()


    @router.get("/orders/{order_id}")
    async def read_order(session: SessionDep, order_id: int) -> OrderRead:
        return await session.get_one(Order, order_id)
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

        @property
        def total(self) -> int:
            return sum(line.price for line in self.lines)


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
        price: Mapped[int]
        order: Mapped[Order] = relationship(back_populates="lines")
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel


    class LineRead(BaseModel):
        price: int


    class OrderRead(BaseModel):
        id: int
        lines: list[LineRead]
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
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession

    from shop.models import Order


    async def order_total(session: AsyncSession, order_id: int) -> int:
        order = await session.get_one(Order, order_id)
        return order.total
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
        lines: Mapped[list[Line]] = relationship()

        @property
        def total(self) -> int:
            return sum(line.price for line in self.lines)


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
        price: Mapped[int]
    ```

    ## Good
    ```python
    from fastapi import APIRouter
    from sqlalchemy.orm import selectinload

    from shop.database import SessionDep
    from shop.models import Order
    from shop.schemas import OrderRead

    router = APIRouter()


    @router.get("/orders/{order_id}")
    async def read_order(session: SessionDep, order_id: int) -> OrderRead:
        return await session.get_one(Order, order_id, options=[selectinload(Order.lines)])
    ```
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import selectinload

    from shop.models import Order


    async def order_total(session: AsyncSession, order_id: int) -> int:
        order = await session.get_one(Order, order_id, options=[selectinload(Order.lines)])
        return order.total
    ```

    ## Not reported
    ```python
    from sqlalchemy.ext.asyncio import AsyncSession

    from shop.models import Order


    def prices(order: Order, detailed: bool) -> list[int]:
        return [line.price for line in order.lines] if detailed else []


    async def depends_on_an_argument(session: AsyncSession, order_id: int) -> list[int]:
        order = await session.get_one(Order, order_id)
        return prices(order, detailed=False)


    async def refreshed(session: AsyncSession, order_id: int) -> list[int]:
        order = await session.get_one(Order, order_id)
        await session.refresh(order, ["lines"])
        return prices(order, detailed=True)
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
        lines: Mapped[list[Line]] = relationship()


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
        price: Mapped[int]
    ```

    ## Fix safety
    The fix adds a loader option to the statement, or to `session.get()`, in the same function. It costs one
    more query for each execution, also where the relationship is then not read, and a joined many-to-one
    changes the SQL: read it before applying.

    ## When not to use it
    Where all sessions are synchronous the rule has nothing to say.

    ## References
    - SQLAlchemy, Asynchronous I/O: "Preventing Implicit IO when Using AsyncSession"
    - Pydantic: "Models", "Arbitrary class instances" (`from_attributes`)
    - FastAPI: "Response Model - Return Type"
    """
    function = ctx.function_info(node)
    nodes = sqlalchemy_uses.candidates(function)
    for use in sqlalchemy_uses.lazy_uses(function, ctx, nodes, is_async=True):
        read = use.reached.read
        fix = sqlalchemy_loading.loading_fix(read, use.place, ctx)
        yield ctx.finding(
            use.place,
            entity=read.owner.rpartition(".")[2],
            relation=read.relation.name,
            loader=read.loader,
            reader=use.reached.name,
            fix=fix,
            related=[*use.reached.steps, *sqlalchemy_loading.proof(read)],
        )
