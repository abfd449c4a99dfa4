"""Traps of read-after-commit-async, and a proof under SQLAlchemy: what is reported raises, what is silent does not."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from fastapi.exceptions import ResponseValidationError
from fastapi.testclient import TestClient
from pydantic import ValidationError
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
    "by a caller": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            return order  # PB523

        async def load(session: AsyncSession):
            order = await create(session)
            return order.id
    """,
    "by a caller that asks for the commit": """
        async def fetch(session: AsyncSession, seen: bool = False) -> Order:
            order = await session.get_one(Order, 1)
            if seen:
                order.customer_id = 1
                await session.commit()
            return order  # PB523

        async def load(session: AsyncSession):
            order = await fetch(session, seen=True)
            return order.id
    """,
    "by a caller of a caller": """
        class Orders:
            def __init__(self, session: AsyncSession) -> None:
                self.session = session

            async def touch(self, key: int) -> Order:
                order = await self.session.get_one(Order, key)
                order.customer_id = 1
                await self.session.commit()
                return order  # PB523

        async def touch_first(session: AsyncSession) -> Order:
            order = await Orders(session).touch(1)
            return order

        async def load(session: AsyncSession):
            order = await touch_first(session)
            print(order.customer_id)
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
    "a caller that does not ask for the commit": """
        async def fetch(session: AsyncSession, seen: bool = False) -> Order:
            order = await session.get_one(Order, 1)
            if seen:
                order.customer_id = 1
                await session.commit()
            return order

        async def load(session: AsyncSession):
            order = await fetch(session)
            return order.id
    """,
    "a caller that reads nothing": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            return order

        async def load(session: AsyncSession):
            order = await create(session)
            return order
    """,
    "refreshed by the caller": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            return order

        async def load(session: AsyncSession):
            order = await create(session)
            await session.refresh(order)
            return order.id
    """,
    "the caller waits for something else first": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            return order

        async def load(session: AsyncSession):
            order = await create(session)
            await session.scalars(select(Order))
            return order.id
    """,
    "the caller sets it": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            return order

        async def load(session: AsyncSession):
            order = await create(session)
            order.customer_id = 1
            await session.commit()
    """,
    "refreshed before it is returned": """
        async def create(session: AsyncSession) -> Order:
            order = Order(customer_id=1)
            session.add(order)
            await session.commit()
            await session.refresh(order)
            return order

        async def load(session: AsyncSession):
            order = await create(session)
            return order.id
    """,
}
MODEL = """
from pydantic import BaseModel, ConfigDict, model_validator


class OrderRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    customer_id: int


"""
VALIDATES = {
    "in the function": """
        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.commit()
            return OrderRead.model_validate(order)  # PB523
    """,
    "in a caller": """
        async def touch(session: AsyncSession) -> Order:
            order = await session.get_one(Order, 1)
            await session.commit()
            return order  # PB523

        async def load(session: AsyncSession):
            order = await touch(session)
            return OrderRead.model_validate(order)
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
    assert found.related
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


@pytest.mark.parametrize("source", VALIDATES.values(), ids=VALIDATES)
def test_what_a_model_reads_is_found_and_fails(source: str) -> None:
    code = program(MODEL + textwrap.dedent(source))
    (found,) = findings("read-after-commit-async", code, files=FILES)
    assert "before reading `id`" in found.message
    with pytest.raises(ValidationError, match="greenlet_spawn"):
        run(code)
    run(fix("read-after-commit-async", code, files=FILES))


def test_a_model_that_prepares_its_input_is_silent() -> None:
    prepared = """
        class Prepared(OrderRead):
            @model_validator(mode="before")
            @classmethod
            def prepare(cls, value: object) -> object:
                return {"id": 1, "customer_id": 1}

        async def load(session: AsyncSession):
            order = await session.get_one(Order, 1)
            await session.commit()
            return Prepared.model_validate(order)
    """
    code = program(MODEL + textwrap.dedent(prepared))
    assert findings("read-after-commit-async", code, files=FILES) == []
    run(code)


ROUTE = """
from fastapi import FastAPI

app = FastAPI()


async def create(session: AsyncSession) -> Order:
    order = Order(customer_id=1)
    session.add(order)
    await session.commit()
    return order  # PB523


@app.post("/orders", response_model=OrderRead)
async def add(session: SessionDep) -> Order:
    return await create(session)
"""
DATABASE = """
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from shop.models import Base

factory = async_sessionmaker()


async def opened() -> AsyncIterator[AsyncSession]:
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with factory(bind=engine) as session:
        yield session
    await engine.dispose()


SessionDep = Annotated[AsyncSession, Depends(opened)]
"""


def test_what_the_response_of_a_route_reads_is_found_and_fails() -> None:
    code = program("from shop.database import SessionDep\n" + MODEL + ROUTE)
    files = {**FILES, "shop/database.py": DATABASE}
    (found,) = findings("read-after-commit-async", code, files=files)
    assert [step.message for step in found.related] == [
        "expires every attribute of the object",
        "reads `id` of it",
    ]
    texts = {"shop.models": MODELS, "shop.database": DATABASE, "program": code}
    with imported(texts) as modules, pytest.raises(ResponseValidationError, match="greenlet_spawn"):
        TestClient(modules["program"].app).post("/orders")
    texts["program"] = fix("read-after-commit-async", code, files=files)
    with imported(texts) as modules:
        assert TestClient(modules["program"].app).post("/orders").json() == {"id": 1, "customer_id": 1}


def test_silent_where_some_session_keeps_its_objects() -> None:
    factory = """
        from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

        factory = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"), expire_on_commit=False)
    """
    code = program(RAISES["a new object"]).replace("  # PB523", "")
    assert findings("read-after-commit-async", code, files={**FILES, "shop/database.py": factory}) == []


def test_a_comment_about_the_option_keeps_nothing() -> None:
    comment = "from sqlalchemy.ext.asyncio import create_async_engine\n# not expire_on_commit=False\n"
    code = program(RAISES["a new object"])
    assert findings("read-after-commit-async", code, files={**FILES, "shop/database.py": comment})


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
