"""Traps of detached-lazy-load, and a proof under SQLAlchemy: what is reported raises, what is silent does not."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError

from tests.rules.execution import imported
from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_lazy_load_in_async import MODELS

DATABASE = """
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, selectinload, sessionmaker
from sqlalchemy.pool import StaticPool

from shop.models import Order

engine = create_engine("sqlite://", poolclass=StaticPool)
async_engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
factory = sessionmaker(engine)
async_factory = async_sessionmaker(async_engine)


@contextmanager
def session_scope() -> Iterator[Session]:
    session = factory()
    try:
        yield session
    finally:
        session.close()


@contextmanager
def committed() -> Iterator[Session]:
    session = factory()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


@asynccontextmanager
async def async_committed():
    async with async_factory() as session:
        try:
            yield session
        except Exception:
            await session.rollback()
            raise
        else:
            await session.commit()


@contextmanager
def committed_first() -> Iterator[Session]:
    with factory() as session:
        session.commit()
        yield session


def find_order(key: int) -> Order:
    with Session(engine) as session:
        return session.get_one(Order, key)


def find_order_with_lines(key: int) -> Order:
    with Session(engine) as session:
        return session.get_one(Order, key, options=[selectinload(Order.lines)])


def attached_order(session: Session, key: int) -> Order:
    with session.begin_nested():
        return session.get_one(Order, key)
"""
FILES = {"shop/models.py": MODELS, "shop/database.py": DATABASE}
HEADER = """
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.database import async_factory, attached_order, engine, factory, find_order, find_order_with_lines
from shop.database import async_committed, committed, committed_first, session_scope
from shop.models import Order

"""
RAISES = {
    "a session of the function": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1)
            return order.lines  # PB524
    """,
    "a factory": """
        def load():
            with factory() as session:
                orders = session.scalars(select(Order)).all()
            return [order.customer for order in orders]  # PB524
    """,
    "a transaction of a factory": """
        def load():
            with factory.begin() as session:
                order = session.scalars(select(Order)).one()
            return order.lines  # PB524
    """,
    "a context manager of the project": """
        def load():
            with session_scope() as session:
                order = session.get_one(Order, 1)
            return len(order.lines)  # PB524
    """,
    "a function in another file": """
        def load():
            order = find_order(1)
            return order.lines  # PB524
    """,
    "an asynchronous session": """
        async def load():
            async with async_factory() as session:
                order = await session.get_one(Order, 1)
            return order.lines  # PB524
    """,
}
EXPIRED = {
    "a loaded object": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1)
                order.customer_id = 1
                session.commit()
            return order.customer_id  # PB524
    """,
    "a made object": """
        def load():
            order = Order(id=2, customer_id=1)
            with factory() as session:
                session.add(order)
                session.commit()
                print("created")
            print(order.id)  # PB524
    """,
    "a commit by the end of the block": """
        def load():
            with factory.begin() as session:
                order = session.get_one(Order, 1)
            return {"id": order.id}  # PB524
    """,
    "an asynchronous one": """
        async def load():
            async with async_factory.begin() as session:
                order = await session.get_one(Order, 1)
            return order.id  # PB524
    """,
}
EXPIRED |= {
    "a context manager of the project that commits": """
        def load():
            with committed() as session:
                order = session.get_one(Order, 1)
            return order.customer_id  # PB524
    """,
    "an asynchronous one that commits": """
        async def load():
            async with async_committed() as session:
                order = (await session.scalars(select(Order))).first()
            return order.customer_id  # PB524
    """,
}
SILENT = {
    "a context manager of the project that commits before": """
        def load():
            with committed_first() as session:
                order = session.get_one(Order, 1)
            return order.customer_id
    """,
    "read where the context manager has not committed yet": """
        def load():
            with committed() as session:
                order = session.get_one(Order, 1)
                return order.customer_id
    """,
    "sessions that do not expire": """
        def load():
            with Session(engine, expire_on_commit=False) as session:
                order = session.get_one(Order, 1)
                session.commit()
            return order.id
    """,
    "refreshed": """
        def load():
            order = Order(id=2, customer_id=1)
            with factory() as session:
                session.add(order)
                session.commit()
                session.refresh(order)
            return order.id
    """,
    "read before the end": """
        def load():
            with factory() as session:
                order = session.get_one(Order, 1)
                session.commit()
                print(order.id)
            return order.id
    """,
    "loaded again": """
        def load():
            with factory() as session:
                order = session.get_one(Order, 1)
                session.commit()
                session.scalars(select(Order)).all()
            return order.id
    """,
    "loaded after the commit": """
        def load():
            with factory() as session:
                session.commit()
                order = session.get_one(Order, 1)
            return order.id
    """,
    "taken over by another session": """
        def load():
            with factory() as session:
                order = session.get_one(Order, 1)
                session.commit()
            with factory() as session:
                session.add(order)
                return order.id
    """,
    "nothing is committed": """
        def load(save=False):
            with factory() as session:
                order = session.get_one(Order, 1)
                if save:
                    session.commit()
            return order.id
    """,
    "what the class has": """
        def load():
            with factory.begin() as session:
                order = session.get_one(Order, 1)
            return order.__tablename__
    """,
    "loaded by an option": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1, options=[selectinload(Order.lines)])
            return order.lines, find_order_with_lines(1).lines
    """,
    "read inside first": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1)
                count = len(order.lines)
            return order.lines, count
    """,
    "a column": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1)
            return order.customer_id
    """,
    "only a transaction ends": """
        def load():
            with Session(engine) as session:
                with session.begin():
                    order = session.get_one(Order, 1)
                return order.lines
    """,
    "the caller's session": """
        def load():
            with Session(engine) as session:
                order = attached_order(session, 1)
                return order.lines
    """,
    "loaded by the mapping": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1)
            return order.notes
    """,
    "attached again": """
        def load():
            with Session(engine) as session:
                order = session.get_one(Order, 1)
            with Session(engine) as session:
                order = session.merge(order)
                return order.lines
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


def run(code: str) -> None:
    """Run `load` of a program over a database in memory that both engines see through one connection each."""
    with imported({"shop.models": MODELS, "shop.database": DATABASE, "program": code}) as modules:
        models, database = modules["shop.models"], modules["shop.database"]
        load = modules["program"].load

        def fill(session: Session) -> None:
            order = models.Order(id=1, lines=[models.Line()])
            session.add(models.Customer(id=1, orders=[order]))

        async def main() -> None:
            async with database.async_engine.begin() as connection:
                await connection.run_sync(models.Base.metadata.create_all)
            async with database.async_factory.begin() as session:
                await session.run_sync(fill)
            try:
                await load()
            finally:
                await database.async_engine.dispose()

        if asyncio.iscoroutinefunction(load):
            asyncio.run(main())
            return
        models.Base.metadata.create_all(database.engine)
        with database.factory.begin() as session:
            fill(session)
        load()


@pytest.mark.parametrize("source", RAISES.values(), ids=RAISES)
def test_found_and_raises(source: str) -> None:
    code = program(source)
    (found,) = findings("detached-lazy-load", code, files=FILES)
    assert len(found.related) == 3
    with pytest.raises(DetachedInstanceError):
        run(code)


@pytest.mark.parametrize("source", EXPIRED.values(), ids=EXPIRED)
def test_expired_and_raises(source: str) -> None:
    code = program(source)
    findings("detached-lazy-load", code, files=FILES)
    with pytest.raises(DetachedInstanceError):
        run(code)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_runs(source: str) -> None:
    code = program(source)
    assert findings("detached-lazy-load", code, files=FILES) == []
    run(code)


@pytest.mark.parametrize(
    "source",
    [
        RAISES["a session of the function"],
        RAISES["a context manager of the project"],
        EXPIRED["a loaded object"],
        EXPIRED["a made object"],
    ],
)
def test_fixed_code_runs(source: str) -> None:
    code = program(source)
    after = fix("detached-lazy-load", code, files=FILES)
    assert after != code
    run(after)


def test_what_raises_is_no_query_for_each_row() -> None:
    code = program("""
        def load():
            with Session(engine) as session:
                orders = session.scalars(select(Order)).all()
            return [order.lines for order in orders]  # PB524
    """)
    findings("detached-lazy-load", code, files=FILES)
    assert findings("n-plus-one-relationship", code, files=FILES) == []


def test_a_detached_object_is_reported_once() -> None:
    code = program(RAISES["an asynchronous session"]).replace("PB524", "")
    assert findings("lazy-load-in-async", code, files=FILES) == []
