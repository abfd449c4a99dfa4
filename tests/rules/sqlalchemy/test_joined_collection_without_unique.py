"""Traps of joined-collection-without-unique; SQLAlchemy refuses what is reported and nothing else."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

MODELS = """
from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list[Order]] = relationship(back_populates="customer", lazy="joined")


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")
    lines = relationship("Line", back_populates="order")


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order = relationship("Order", back_populates="lines")
"""
FILES = {"shop/models.py": MODELS}
HEADER = """
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, lazyload, selectinload

from shop.models import Customer, Line, Order

"""

RAISES = {
    "all": """
        async def load(session: AsyncSession):
            result = await session.execute(select(Order).options(joinedload(Order.lines)))
            return result.scalars().all()  # PB528
    """,
    "all of an awaited call": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Order).options(joinedload(Order.lines)))).all()  # PB528
    """,
    "scalar_one": """
        async def load(session: AsyncSession):
            result = await session.execute(select(Order).options(joinedload(Order.lines)))
            return result.scalar_one()  # PB528
    """,
    "loop": """
        async def load(session: AsyncSession):
            result = await session.scalars(select(Order).options(joinedload(Order.lines)))
            for order in result:  # PB528
                print(order)
    """,
    "loop over an awaited call": """
        async def load(session: AsyncSession):
            return [o for o in await session.scalars(select(Order).options(joinedload(Order.lines)))]  # PB528
    """,
    "joined by the mapping": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Customer))).all()  # PB528
    """,
    "below a joined object": """
        async def load(session: AsyncSession):
            statement = select(Line).options(joinedload(Line.order).joinedload(Order.lines))
            return (await session.scalars(statement)).all()  # PB528
    """,
    "several lines": """
        async def load(session: AsyncSession):
            result = await session.execute(select(Order).options(joinedload(Order.lines)))
            return (
                result  # PB528
                .scalars()
                .all()
            )
    """,
}

SILENT = {
    "unique": """
        async def load(session: AsyncSession):
            result = await session.execute(select(Order).options(joinedload(Order.lines)))
            return result.unique().scalars().all()
    """,
    "unique later": """
        async def load(session: AsyncSession):
            result = await session.scalars(select(Order).options(joinedload(Order.lines)))
            return result.unique().all()
    """,
    "many-to-one": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Line).options(joinedload(Line.order)))).all()
    """,
    "first looks at one row": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Order).options(joinedload(Order.lines)))).first()
    """,
    "scalar looks at one row": """
        async def load(session: AsyncSession):
            return await session.scalar(select(Order).options(joinedload(Order.lines)))
    """,
    "get": """
        async def load(session: AsyncSession):
            return await session.get(Order, 1, options=[joinedload(Order.lines)])
    """,
    "select-in": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Order).options(selectinload(Order.lines)))).all()
    """,
    "joined below a select-in": """
        async def load(session: AsyncSession):
            statement = select(Line).options(selectinload(Line.order).joinedload(Order.lines))
            return (await session.scalars(statement)).all()
    """,
    "the statement overrides the mapping": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Customer).options(lazyload(Customer.orders)))).all()
    """,
    "columns only": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Customer.id))).all()
    """,
}

UNPROVED = {
    "a legacy query removes repeats": """
        from sqlalchemy.orm import Session
        def load(session: Session):
            return session.query(Order).options(joinedload(Order.lines)).all()
    """,
    "an option that is not known": """
        async def load(session: AsyncSession, option):
            return (await session.scalars(select(Order).options(option))).all()
    """,
    "all of something else": """
        def load(result):
            return result.all()
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


def run(code: str) -> None:
    """Run `load` of a program over one customer with one order of two lines."""

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        models = modules["shop.models"]
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        factory = async_sessionmaker(engine)
        async with factory.begin() as session:
            session.add(models.Customer(id=1, orders=[models.Order(lines=[models.Line(), models.Line()])]))
        try:
            async with factory() as session:
                await modules["program"].load(session)
        finally:
            await engine.dispose()

    with imported({"shop.models": MODELS, "program": code}) as modules:
        asyncio.run(main())


@pytest.mark.parametrize("source", RAISES.values(), ids=RAISES)
def test_found_and_raises_until_fixed(source: str) -> None:
    code = program(source)
    findings("joined-collection-without-unique", code, files=FILES)
    with pytest.raises(InvalidRequestError, match="unique"):
        run(code)
    after = fix("joined-collection-without-unique", code, files=FILES)
    run(after)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_runs(source: str) -> None:
    code = program(source)
    assert findings("joined-collection-without-unique", code, files=FILES) == []
    run(code)


@pytest.mark.parametrize("source", UNPROVED.values(), ids=UNPROVED)
def test_silent(source: str) -> None:
    assert findings("joined-collection-without-unique", program(source), files=FILES) == []
