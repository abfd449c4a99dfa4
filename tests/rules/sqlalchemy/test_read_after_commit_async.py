"""Traps of read-after-commit-async, and a proof under SQLAlchemy: what is reported raises, what is silent does not."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.execution import imported
from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_lazy_load_in_async import MODELS, is_missing_greenlet

FILES = {
    "shop/models.py": MODELS,
    "shop/database.py": "from sqlalchemy.ext.asyncio import create_async_engine as create\n\nengine = create('sqlite')\n",
}
HEADER = """
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Customer, Order

"""
RAISES = {
    "a new object": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            return order.id  # PB523
    """,
    "a loaded object": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            order.customer_id = 1
            await session.commit()
            return order.customer_id  # PB523
    """,
    "in a branch behind the commit": """
        async def load(session: AsyncSession):
            order = (await session.scalars(select(Order))).one()
            await session.commit()
            if order:
                print(order.id)  # PB523
    """,
    "behind a block": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            try:
                await session.commit()
            except IntegrityError:
                raise
            return f"{order.id}"  # PB523
    """,
    "after a rollback": """
        async def load(session: AsyncSession):
            customer = await session.get_one(Customer, 1)
            try:
                session.add(Customer(id=1))
                await session.flush()
            except IntegrityError:
                await session.rollback()
                print(f"customer {customer.id} exists")  # PB523
    """,
    "one of two objects was refreshed": """
        async def load(session: AsyncSession):
            customer = await session.get_one(Customer, 1)
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            await session.refresh(order)
            return order.id, customer.id  # PB523
    """,
}
SILENT = {
    "refreshed": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            await session.refresh(order)
            return order.id
    """,
    "read before": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            key = order.id
            await session.commit()
            return key
    """,
    "loaded again": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.commit()
            await session.scalars(select(Order))
            return order.id
    """,
    "not attached": """
        async def load(session: AsyncSession):
            order = Order(id=7, customer_id=1)
            await session.commit()
            return order.id
    """,
    "bound again": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.commit()
            order = await session.get_one(Order, 1)
            return order.id
    """,
    "set before it is read": """
        async def load(session: AsyncSession):
            customer = Customer(id=5)
            session.add(customer)
            await session.commit()
            await session.refresh(customer)
            customer.id = 6
            return customer.id
    """,
    "no mapped attribute": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.commit()
            return order.__tablename__
    """,
    "the branch that commits returns": """
        async def load(session: AsyncSession, done: bool = False):
            order = await session.get_one(Order, 1)
            if done:
                await session.commit()
                return None
            return order.id
    """,
    "only flushed": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.flush()
            return order.id
    """,
    "a pending object that is rolled back": """
        async def load(session: AsyncSession):
            order = Order(customer_id=1)
            session.add(order)
            await session.rollback()
            return order.customer_id
    """,
    "awaited": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.commit()
            return await order.awaitable_attrs.id
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


def run(code: str) -> None:
    """Run `load` of a program over one customer with one order, in a session that expires."""

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        models = modules["shop.models"]
        async with engine.begin() as connection:
            await connection.run_sync(models.Base.metadata.create_all)
        factory = async_sessionmaker(engine)
        async with factory.begin() as session:
            session.add(models.Customer(id=1, orders=[models.Order(id=1)]))
        try:
            async with factory() as session:
                await modules["program"].load(session)
        finally:
            await engine.dispose()

    with imported({"shop.models": MODELS, "program": code}) as modules:
        asyncio.run(main())


@pytest.mark.parametrize("source", RAISES.values(), ids=RAISES)
def test_found_and_raises(source: str) -> None:
    code = program(source)
    (found,) = findings("read-after-commit-async", code, files=FILES)
    assert len(found.related) == 1
    with pytest.raises((MissingGreenlet, StatementError)) as caught:
        run(code)
    assert is_missing_greenlet(caught.value)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_runs(source: str) -> None:
    code = program(source)
    assert findings("read-after-commit-async", code, files=FILES) == []
    run(code)


@pytest.mark.parametrize("key", sorted(RAISES.keys() - {"after a rollback"}))
def test_fixed_code_runs(key: str) -> None:
    code = program(RAISES[key])
    after = fix("read-after-commit-async", code, files=FILES)
    assert after != code
    run(after)


def test_silent_where_some_session_keeps_its_objects() -> None:
    factory = """
        from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

        factory = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"), expire_on_commit=False)
    """
    code = program(RAISES["a new object"]).replace("  # PB523", "")
    assert findings("read-after-commit-async", code, files={**FILES, "shop/database.py": factory}) == []


def test_silent_where_sessions_are_made_elsewhere() -> None:
    code = program(RAISES["a new object"]).replace("PB523", "")
    assert findings("read-after-commit-async", code, files={"shop/models.py": MODELS}) == []


def test_rollback_is_found_where_commits_expire_nothing() -> None:
    factory = """
        from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

        factory = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"), expire_on_commit=False)
    """
    code = program(RAISES["after a rollback"])
    (found,) = findings("read-after-commit-async", code, files={**FILES, "shop/database.py": factory})
    assert found.fix is None
