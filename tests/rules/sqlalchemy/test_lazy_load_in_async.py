"""Traps of lazy-load-in-async, and a proof under SQLAlchemy: what is reported raises, what is silent does not."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

MODELS = """
from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import (
    DeclarativeBase,
    DynamicMapped,
    Mapped,
    WriteOnlyMapped,
    mapped_column,
    relationship,
)


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


class Parcel(Base):
    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order: Mapped[Order] = relationship()
    joined: Mapped[Order] = relationship(lazy="joined", viewonly=True)
    immediate: Mapped[Order] = relationship(lazy="immediate", viewonly=True)
    raising: Mapped[Order] = relationship(lazy="raise", viewonly=True)
    raising_on_sql: Mapped[Order] = relationship(lazy="raise_on_sql", viewonly=True)
    dynamic: DynamicMapped[Label] = relationship(viewonly=True)
    written: WriteOnlyMapped[Label] = relationship()


class Label(Base):
    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcels.id"))
"""
QUERIES = """
from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shop.models import Order


WITH_CUSTOMER = [selectinload(Order.customer)]


def customer_options():
    return (*WITH_CUSTOMER, selectinload(Order.notes))


def chosen_options():
    return []


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
from sqlalchemy.orm import contains_eager, joinedload, raiseload, selectinload

from shop.models import Customer, Line, Order, Parcel
from shop.queries import WITH_CUSTOMER, Orders, all_orders, chosen_options, customer_options

"""

# Each `load` runs over one customer with one order of two lines; `{bad}` marks the line reported.
RAISES = {
    "an object of a row that has its name": """
        async def load(session: AsyncSession):
            rows = (await session.execute(select(Order, Order.id))).all()
            return [row.Order.lines for row in rows]  # PB520
    """,
    "a list of options": """
        async def load(session: AsyncSession):
            options = [selectinload(Order.customer)]
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines  # PB520
    """,
    "options of another file": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1, options=WITH_CUSTOMER)
            return order.lines  # PB520
    """,
    "options that a function gives": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order).options(*customer_options()))).one()
            return order.lines  # PB520
    """,
    "several lists of options": """
        async def load(session: AsyncSession):
            both = list(WITH_CUSTOMER) + [selectinload(Order.notes)]
            order = (await session.scalars(select(Order).options(*both))).one()
            return order.lines  # PB520
    """,
    "a key to sort by": """
        async def load(session: AsyncSession):
            orders = (await session.scalars(select(Order))).all()
            return sorted(orders, key=lambda order: len(order.lines))  # PB520
    """,
    "an option that leads to another class": """
        async def load(session: AsyncSession):
            option = selectinload(Order.customer).selectinload(Customer.orders)
            order = (await session.scalars(select(Order).options(option))).one()
            return order.lines  # PB520
    """,
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
    "truth": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            return "full" if order.lines else "empty"  # PB520
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
    "loaded by a list of options": """
        async def load(session: AsyncSession):
            options = [selectinload(Order.lines), *WITH_CUSTOMER]
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines, order.customer
    """,
    "options added to a list": """
        async def load(session: AsyncSession):
            options = [selectinload(Order.customer)]
            options.append(selectinload(Order.lines))
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines
    """,
    "options added to a list in place": """
        async def load(session: AsyncSession):
            options = [selectinload(Order.customer)]
            options += [selectinload(Order.lines)]
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines
    """,
    "options that a parameter may add to": """
        async def load(session: AsyncSession, options=(selectinload(Order.lines),)):
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines
    """,
    "an option that leads back to the object": """
        async def load(session: AsyncSession):
            back = selectinload(Order.customer).selectinload(Customer.orders).selectinload(Order.lines)
            order = (await session.scalars(select(Order).options(back))).one()
            return order.lines
    """,
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
    "joined by the mapping": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Parcel))).one().joined.id
    """,
    "loaded at once by the mapping": """
        async def load(session: AsyncSession):
            return (await session.scalars(select(Parcel))).one().immediate.id
    """,
    "assigned before": """
        async def load(session: AsyncSession):
            parcel = (await session.scalars(select(Parcel))).one()
            parcel.order = Order(customer_id=1)
            return parcel.order
    """,
    "made here with it": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1, lines=[Line()])
            session.add(order)
            await session.flush()
            return len(order.lines)
    """,
    "a collection that only queries read": """
        async def load(session: AsyncSession):
            parcel = await session.get_one(Parcel, 1)
            return (await session.scalars(parcel.written.select())).all(), parcel.dynamic
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
    "an empty list of options": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order).options(*chosen_options()))).one()
            return order.lines
    """,
    "an option that is not known": """
        async def load(session: AsyncSession, options):
            order = (await session.scalars(select(Order).options(*options))).one()
            return order.lines
    """,
    "a mapping that refuses": """
        async def load(session: AsyncSession):
            parcel = await session.get_one(Parcel, 1)
            return parcel.raising, parcel.raising_on_sql
    """,
    "an option that refuses": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1, options=[raiseload(Order.lines)])
            return order.lines
    """,
    "an option that refuses all": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order).options(raiseload("*")))).one()
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
            session.add(models.Parcel(id=1, order=order))
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


# Objects that the function has made itself.
FRESH_RAISES = {
    "flushed": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            return order.lines  # PB520
    """,
    "committed and refreshed": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            await session.refresh(order)
            return [line.id for line in order.lines]  # PB520
    """,
    "a collection that loads with the object": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            return order.notes  # PB520
    """,
    "an addition to it": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            order.lines.append(Line())  # PB520
    """,
    "read by a caller": """
        async def create(session: AsyncSession, customer: int) -> Order:
            order = Order(customer_id=customer)
            order.customer_id = 1
            session.add(order)
            await session.flush()
            await session.refresh(order)
            return order  # PB520

        async def load(session: AsyncSession):
            order = await create(session, 1)
            return len(order.lines)
    """,
}
FRESH_SILENT = {
    "read before it is flushed": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            lines = order.lines
            await session.flush()
            return lines
    """,
    "given to the constructor": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1, lines=[Line()])
            session.add(order)
            await session.flush()
            return order.lines
    """,
    "set": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            order.lines = []
            session.add(order)
            await session.flush()
            return order.lines
    """,
    "another object sets it": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            session.add(Line(order=order))
            await session.flush()
            return order.lines
    """,
    "refreshed with its name": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            await session.refresh(order, ["lines"])
            return order.lines
    """,
    "refreshed, where it loads with the object": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            await session.refresh(order)
            return order.notes
    """,
    "loaded again": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            await session.scalars(
                select(Order).options(selectinload(Order.lines)).execution_options(populate_existing=True)
            )
            return order.lines
    """,
    "not added": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            await session.flush()
            return order.lines
    """,
    "awaited": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            return await order.awaitable_attrs.lines
    """,
    "a column": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            return order.id
    """,
    "a caller that refreshes it": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            return order

        async def load(session: AsyncSession):
            order = await create(session)
            await session.refresh(order, ["lines"])
            return order.lines
    """,
    "a constructor of its own": """
        class Empty(Order):
            def __init__(self) -> None:
                super().__init__(customer_id=1, lines=[])

        async def load(session: AsyncSession):
            order = Empty()
            session.add(order)
            await session.flush()
            return order.lines
    """,
    "what a function fills": """
        def fill(order: Order) -> None:
            order.lines = [Line()]

        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            fill(order)
            session.add(order)
            await session.flush()
            return order.lines
    """,
}


@pytest.mark.parametrize("source", FRESH_RAISES.values(), ids=FRESH_RAISES)
def test_new_objects_found_and_raises(source: str) -> None:
    code = program(source)
    (found,) = findings("lazy-load-in-async", code, files=FILES)
    assert found.related[0].message == "the new row is written here"
    with pytest.raises((MissingGreenlet, StatementError)) as caught:
        run(code)
    assert is_missing_greenlet(caught.value)


@pytest.mark.parametrize("source", FRESH_SILENT.values(), ids=FRESH_SILENT)
def test_new_objects_silent_and_runs(source: str) -> None:
    code = program(source)
    assert findings("lazy-load-in-async", code, files=FILES) == []
    run(code)
