"""Traps of lazy-load-in-async, and a proof under SQLAlchemy: what is reported raises, what is silent does not."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.exceptions import ResponseValidationError
from pydantic import ValidationError
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.execution import imported

MODELS = """
from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")
    lines: Mapped[list[Line]] = relationship(back_populates="order")
    notes: Mapped[list[Note]] = relationship(lazy="selectin")


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order = relationship("Order", back_populates="lines")


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
"""
QUERIES = """
from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shop.models import Order


async def all_orders(session: AsyncSession) -> Sequence[Order]:
    return (await session.scalars(select(Order))).all()


class Orders:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def one(self, order_id: int) -> Order | None:
        return await self.session.get(Order, order_id)

    async def with_lines(self, order_id: int) -> Order | None:
        return await self.session.get(Order, order_id, options=[selectinload(Order.lines)])
"""
FILES = {"shop/models.py": MODELS, "shop/queries.py": QUERIES}
HEADER = """
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from shop.models import Customer, Line, Order
from shop.queries import Orders, all_orders

"""

# Each `load` runs over one customer with one order of two lines; `{bad}` marks the line reported.
RAISES = {
    "collection of a scalar result": """
        async def load(session: AsyncSession):
            result = await session.execute(select(Order))
            order = result.scalar_one()
            return len(order.lines)  # PB520
    """,
    "many-to-one": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).first()
            if order is not None:
                return order.customer  # PB520
    """,
    "loop over rows": """
        async def load(session: AsyncSession):
            for order, key in await session.execute(select(Order, Order.id)):
                for line in order.lines:  # PB520
                    print(line)
    """,
    "comprehension": """
        async def load(session: AsyncSession):
            orders = (await session.scalars(select(Order))).all()
            return [len(order.lines) for order in orders]  # PB520
    """,
    "get": """
        async def load(session: AsyncSession):
            order = await session.get(Order, 1)
            return order.lines  # PB520
    """,
    "option for another relationship": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1, options=[selectinload(Order.customer)])
            return order.lines  # PB520
    """,
    "second step of a path": """
        async def load(session: AsyncSession):
            statement = select(Customer).options(selectinload(Customer.orders))
            customer = (await session.scalars(statement)).one()
            return [order.lines for order in customer.orders]  # PB520
    """,
    "a subquery builder in another file": """
        async def load(session: AsyncSession):
            for order in await all_orders(session):
                return order.lines  # PB520
    """,
    "a repository in another file": """
        async def load(session: AsyncSession):
            order = await Orders(session).one(1)
            return order.lines  # PB520
    """,
}

SILENT = {
    "loaded by an option of a split statement": """
        async def load(session: AsyncSession):
            statement = select(Order)
            statement = statement.options(selectinload(Order.lines)).where(Order.id == 1)
            order = (await session.scalars(statement)).one()
            return order.lines
    """,
    "loaded by a nested option": """
        async def load(session: AsyncSession):
            statement = select(Customer).options(selectinload(Customer.orders).selectinload(Order.lines))
            customer = (await session.scalars(statement)).one()
            return [order.lines for order in customer.orders]
    """,
    "loaded by options of an option": """
        async def load(session: AsyncSession):
            option = selectinload(Customer.orders).options(joinedload(Order.lines), selectinload(Order.notes))
            customer = (await session.scalars(select(Customer).options(option))).one()
            return [order.lines for order in customer.orders]
    """,
    "contains_eager": """
        async def load(session: AsyncSession):
            statement = select(Order).join(Order.customer).options(contains_eager(Order.customer))
            return (await session.scalars(statement)).one().customer
    """,
    "loaded by the mapping": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Order))).one().notes
    """,
    "awaitable attribute": """
        async def load(session: AsyncSession):
            order = await session.get(Order, 1)
            await order.awaitable_attrs.lines
            return order.lines
    """,
    "refreshed": """
        async def load(session: AsyncSession):
            order = await session.get(Order, 1)
            await session.refresh(order, attribute_names=["id", "lines"])
            return order.lines
    """,
    "read in the function given to run_sync": """
        async def load(session: AsyncSession):
            order = await session.get(Order, 1)
            return await session.run_sync(lambda _: order.lines)
    """,
    "the target is in the identity map": """
        async def load(session: AsyncSession):
            customer = await session.get(Customer, 1)
            order = (await session.scalars(select(Order))).one()
            return order.customer is customer
    """,
    "back to the parent that loaded it": """
        async def load(session: AsyncSession):
            order = await session.get(Order, 1, options=[selectinload(Order.lines)])
            return [line.order for line in order.lines]
    """,
    "loaded before by another statement": """
        async def load(session: AsyncSession):
            kept = (await session.scalars(select(Order).options(selectinload(Order.lines)))).all()
            order = await session.get(Order, 1)
            return order.lines, kept
    """,
    "new object before it is flushed": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            return order.lines
    """,
    "loaded by a repository in another file": """
        async def load(session: AsyncSession):
            order = await Orders(session).with_lines(1)
            return order.lines
    """,
}

UNPROVED = {
    "an option that is not known": """
        async def load(session: AsyncSession, options):
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines
    """,
    "a parameter": "async def load(order: Order): return order.lines",
    "a synchronous session": """
        from sqlalchemy.orm import Session
        async def load(session: Session):
            return session.scalars(select(Order)).one().lines
    """,
    "a synchronous function": """
        def load(session: AsyncSession):
            async def run():
                return await session.get(Order, 1)
            return run
    """,
    "the attribute of a class": """
        async def load(session: AsyncSession):
            return await session.scalars(select(Order.lines))
    """,
    "an option that goes on by itself": """
        async def load(session: AsyncSession):
            option = selectinload(Customer.orders, recursion_depth=-1)
            customer = (await session.scalars(select(Customer).options(option))).one()
            return [order.lines for order in customer.orders]
    """,
    "two sources": """
        async def load(session: AsyncSession, quick: bool):
            if quick:
                order = await session.get(Order, 1)
            else:
                order = await Orders(session).with_lines(1)
            return order.lines
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


def run(code: str) -> None:
    """Run `load` of a program over a database in memory."""

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        models = modules["shop.models"]
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        factory = async_sessionmaker(engine)
        async with factory.begin() as session:
            order = models.Order(lines=[models.Line(), models.Line()])
            session.add(models.Customer(id=1, orders=[order]))
        load = modules["program"].load
        try:
            async with factory() as session:
                await load(session)
        finally:
            await engine.dispose()

    with imported({"shop.models": MODELS, "shop.queries": QUERIES, "program": code}) as modules:
        asyncio.run(main())


def is_missing_greenlet(error: BaseException) -> bool:
    return isinstance(error, MissingGreenlet) or isinstance(getattr(error, "orig", None), MissingGreenlet)


@pytest.mark.parametrize("source", RAISES.values(), ids=RAISES)
def test_found_and_raises(source: str) -> None:
    code = program(source)
    (found,) = findings("lazy-load-in-async", code, files=FILES)
    assert len(found.related) == 2
    with pytest.raises((MissingGreenlet, StatementError)) as caught:
        run(code)
    assert is_missing_greenlet(caught.value)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_runs(source: str) -> None:
    code = program(source)
    assert findings("lazy-load-in-async", code, files=FILES) == []
    run(code)


@pytest.mark.parametrize("source", UNPROVED.values(), ids=UNPROVED)
def test_silent(source: str) -> None:
    assert findings("lazy-load-in-async", program(source), files=FILES) == []


IN_OTHER_FILE = {"a subquery builder in another file", "a repository in another file"}


@pytest.mark.parametrize("key", sorted(RAISES.keys() - IN_OTHER_FILE))
def test_fixed_code_runs(key: str) -> None:
    code = program(RAISES[key])
    after = fix("lazy-load-in-async", code, files=FILES)
    assert after != code
    run(after)


@pytest.mark.parametrize("key", sorted(IN_OTHER_FILE))
def test_no_fix_across_files(key: str) -> None:
    (found,) = findings("lazy-load-in-async", program(RAISES[key]), files=FILES)
    assert found.fix is None
    assert found.related[0].path.endswith("queries.py")


def test_only_the_first_read_is_reported() -> None:
    source = """
        async def load(session: AsyncSession):
            order = await session.get(Order, 1)
            if order.lines:  # PB520
                return order.lines
    """
    findings("lazy-load-in-async", program(source), files=FILES)


SCHEMAS = """
from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int


class LineRead(Read):
    pass


class OrderBrief(Read):
    pass


class OrderRead(OrderBrief):
    lines: list[LineRead] = []


class CustomerRead(Read):
    orders: list[OrderRead]


class WithCustomer(Read):
    customer: CustomerRead | None = None


class OrderOut(BaseModel):
    id: int
    lines: list[LineRead]


class Renamed(Read):
    lines: Annotated[list[LineRead], Field(validation_alias="items")] = []


class Prepared(OrderRead):
    @model_validator(mode="before")
    @classmethod
    def prepare(cls, value):
        return {"id": value.id}
"""
SERIALISING = """
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shop.models import Customer, Line, Order
from shop.queries import Orders, all_orders
from shop.schemas import CustomerRead, LineRead, OrderBrief, OrderOut, OrderRead, Prepared, Renamed, WithCustomer

app = FastAPI()


async def get_session() -> AsyncIterator[AsyncSession]:
    raise NotImplementedError
    yield


SessionDep = Annotated[AsyncSession, Depends(get_session)]

"""
SERIALISED = {
    "validation": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return OrderRead.model_validate(order)  # PB520
    """,
    "validation in a comprehension": """
        async def load(session: AsyncSession):
            return [OrderRead.model_validate(order) for order in await all_orders(session)]  # PB520
    """,
    "validation that asks for attributes": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).one()
            return OrderOut.model_validate(order, from_attributes=True)  # PB520
    """,
    "many-to-one": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).one()
            return WithCustomer.model_validate(order)  # PB520
    """,
    "a model inside the model": """
        async def load(session: AsyncSession):
            statement = select(Customer).options(selectinload(Customer.orders))
            return CustomerRead.model_validate((await session.scalars(statement)).one())  # PB520
    """,
    "a return annotation": """
        @app.get("/")
        async def load(session: SessionDep) -> OrderRead:
            return await session.get_one(Order, 1)  # PB520
    """,
    "a response model that does not ask for attributes": """
        @app.get("/", response_model=list[OrderOut])
        async def load(session: SessionDep):
            orders = (await session.scalars(select(Order))).all()
            return orders  # PB520
    """,
    "a response model and a repository": """
        @app.get("/", response_model=OrderRead | None)
        async def load(session: SessionDep):
            return await Orders(session).one(1)  # PB520
    """,
}
NOT_SERIALISED = {
    "loaded": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1, options=[selectinload(Order.lines)])
            return OrderRead.model_validate(order)
    """,
    "the model has no such field": """
        async def load(session: AsyncSession):
            return OrderBrief.model_validate(await session.get_one(Order, 1))
    """,
    "loaded through the model inside the model": """
        async def load(session: AsyncSession):
            statement = select(Customer).options(selectinload(Customer.orders).selectinload(Order.lines))
            return CustomerRead.model_validate((await session.scalars(statement)).one())
    """,
    "refreshed": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.refresh(order, ["lines"])
            return OrderRead.model_validate(order)
    """,
    "the field reads another attribute": """
        async def load(session: AsyncSession):
            return Renamed.model_validate(await session.get_one(Order, 1))
    """,
    "a validator prepares the object": """
        async def load(session: AsyncSession):
            return Prepared.model_validate(await session.get_one(Order, 1))
    """,
    "in run_sync": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return await session.run_sync(lambda _: OrderRead.model_validate(order))
    """,
    "loaded by a helper": """
        async def fill(session: AsyncSession, order):
            await session.refresh(order, ["lines"])
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await fill(session, order)
            return OrderRead.model_validate(order)
    """,
    "a route that returns loaded objects": """
        @app.get("/", response_model=list[OrderRead])
        async def load(session: SessionDep):
            return (await session.scalars(select(Order).options(selectinload(Order.lines)))).all()
    """,
    "a route without response model": """
        @app.get("/", response_model=None)
        async def load(session: SessionDep) -> OrderRead:
            order = await session.get_one(Order, 1)
            return {"id": order.id}
    """,
    "a route whose other response model counts": """
        @app.get("/", response_model=OrderBrief)
        async def load(session: SessionDep) -> OrderRead:
            return await session.get_one(Order, 1)
    """,
    "a route that answers with what it read": """
        @app.get("/")
        async def load(session: SessionDep) -> OrderRead:
            order = await session.get_one(Order, 1)
            lines = (await session.scalars(select(Line))).all()
            return OrderRead(id=order.id, lines=[{"id": line.id} for line in lines])
    """,
}


def serialise(code: str) -> None:
    """Run `load` of a program, behind its route where it has one."""

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        models, program = modules["shop.models"], modules["program"]
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        factory = async_sessionmaker(engine)
        async with factory.begin() as session:
            order = models.Order(lines=[models.Line(), models.Line()])
            session.add(models.Customer(id=1, orders=[order]))

        async def get_session() -> AsyncIterator[object]:
            async with factory() as session:
                yield session

        program.app.dependency_overrides[program.get_session] = get_session
        try:
            if "@app" in code:
                transport = httpx.ASGITransport(app=program.app)
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                    assert (await client.get("/")).status_code == 200
            else:
                async with factory() as session:
                    await program.load(session)
        finally:
            await engine.dispose()

    texts = {"shop.models": MODELS, "shop.queries": QUERIES, "shop.schemas": SCHEMAS, "program": code}
    with imported(texts) as modules:
        asyncio.run(main())


def serialising(function: str) -> str:
    return SERIALISING + textwrap.dedent(function)


@pytest.mark.parametrize("source", SERIALISED.values(), ids=SERIALISED)
def test_serialising_is_found_and_raises(source: str) -> None:
    code = serialising(source)
    assert findings("lazy-load-in-async", code, files={**FILES, "shop/schemas.py": SCHEMAS})
    with pytest.raises((ValidationError, ResponseValidationError, MissingGreenlet)) as caught:
        serialise(code)
    assert "MissingGreenlet" in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("source", NOT_SERIALISED.values(), ids=NOT_SERIALISED)
def test_serialising_is_silent_and_runs(source: str) -> None:
    code = serialising(source)
    assert findings("lazy-load-in-async", code, files={**FILES, "shop/schemas.py": SCHEMAS}) == []
    serialise(code)


@pytest.mark.parametrize(
    "key", ["validation", "many-to-one", "a model inside the model", "a return annotation"]
)
def test_fixed_serialising_runs(key: str) -> None:
    code = serialising(SERIALISED[key])
    after = fix("lazy-load-in-async", code, files={**FILES, "shop/schemas.py": SCHEMAS})
    assert after != code
    serialise(after)


def test_relationships_of_a_table_that_is_the_response_model_are_no_fields() -> None:
    source = """
        from fastapi import Depends, FastAPI
        from sqlmodel import Field, Relationship, SQLModel
        from sqlmodel.ext.asyncio.session import AsyncSession

        app = FastAPI()

        class Team(SQLModel, table=True):
            id: int | None = Field(default=None, primary_key=True)
            heroes: list["Hero"] = Relationship(back_populates="team")

        class Hero(SQLModel, table=True):
            id: int | None = Field(default=None, primary_key=True)
            team_id: int | None = Field(default=None, foreign_key="team.id")
            team: Team | None = Relationship(back_populates="heroes")

        class TeamRead(SQLModel):
            id: int
            heroes: list[Hero] = []

        async def session() -> AsyncSession: ...

        @app.get("/teams/{key}")
        async def team(key: int, session: AsyncSession = Depends(session)) -> Team:
            return await session.get_one(Team, key)

        @app.get("/teams/{key}/heroes")
        async def heroes(key: int, session: AsyncSession = Depends(session)) -> TeamRead:
            return await session.get_one(Team, key)  # PB520
    """
    findings("lazy-load-in-async", source)
