"""Traps of session-shared-across-tasks, and a proof under SQLAlchemy that the session refuses."""

from __future__ import annotations

import asyncio
import textwrap

import pytest
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.execution import imported
from tests.rules.harness import findings

QUERIES = """
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")
factory = async_sessionmaker(engine)


async def one(session: AsyncSession, key: int = 1) -> int:
    return await session.scalar(text("SELECT 1"))


async def through(session: AsyncSession) -> int:
    return await one(session)


async def unused(session: AsyncSession) -> int:
    return 1


async def own(key: int = 1) -> int:
    async with factory() as session:
        return await one(session)


class Numbers:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def one(self) -> int:
        return await self.session.scalar(text("SELECT 1"))

    async def two(self) -> int:
        result = await self.session.execute(text("SELECT 2"))
        return result.scalar_one()

    async def both(self):
        import asyncio

        return await asyncio.gather(self.one(), self.two())
"""
HEADER = """
import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shop.queries import Numbers, factory, one, own, through, unused

"""
RAISES = {
    "functions": """
        async def load(session: AsyncSession):
            return await asyncio.gather(one(session), through(session))  # PB536
    """,
    "methods of the session": """
        async def load(session: AsyncSession):
            await asyncio.gather(  # PB536
                session.execute(text("SELECT 1")),
                session.execute(text("SELECT 2")),
            )
    """,
    "a comprehension": """
        async def load(session: AsyncSession):
            return await asyncio.gather(*[one(session, key) for key in range(3)])  # PB536
    """,
    "a generator": """
        async def load(session: AsyncSession):
            return await asyncio.gather(*(one(session, key) for key in range(3)))  # PB536
    """,
    "a list with a name": """
        async def load(session: AsyncSession):
            started = [one(session, key) for key in range(3)]
            return await asyncio.gather(*started)  # PB536
    """,
    "a list that a loop fills": """
        async def load(session: AsyncSession):
            started = []
            for key in range(3):
                started.append(one(session, key))
            return await asyncio.gather(*started)  # PB536
    """,
    "tasks": """
        async def load(session: AsyncSession):
            first, second = asyncio.create_task(one(session)), asyncio.create_task(one(session))
            return await asyncio.gather(asyncio.create_task(one(session)), one(session))  # PB536
    """,
    "an object that keeps the session": """
        async def load(session: AsyncSession):
            numbers = Numbers(session)
            return await asyncio.gather(numbers.one(), numbers.two())  # PB536
    """,
    "objects that keep the session, made for one call": """
        async def load(session: AsyncSession):
            return await asyncio.gather(Numbers(session).one(), Numbers(session).two())  # PB536
    """,
    "two objects that keep the session": """
        async def load(session: AsyncSession):
            first, second = Numbers(session), session
            other = Numbers(session)
            return await asyncio.gather(other.one(), one(session))  # PB536
    """,
}
GROUP = """
    async def load(session: AsyncSession):
        async with asyncio.TaskGroup() as group:  # PB536
            group.create_task(one(session))
            group.create_task(through(session))
"""
SILENT = {
    "one after the other": """
        async def load(session: AsyncSession):
            return await one(session), await through(session)
    """,
    "one user": """
        async def load(session: AsyncSession):
            return await asyncio.gather(one(session), own(), asyncio.sleep(0))
    """,
    "a session of its own for each": """
        async def load(session: AsyncSession):
            return await asyncio.gather(*[own(key) for key in range(3)])
    """,
    "a session that is handed over and not used": """
        async def load(session: AsyncSession):
            return await asyncio.gather(unused(session), unused(session), one(session))
    """,
    "a session for each element": """
        async def load(session: AsyncSession):
            sessions = [factory(), factory()]
            return await asyncio.gather(*[one(each) for each in sessions])
    """,
    "a locked function": """
        lock = asyncio.Lock()

        async def locked(session: AsyncSession):
            async with lock:
                return await one(session)

        async def load(session: AsyncSession):
            return await asyncio.gather(locked(session), locked(session))
    """,
    "gather in a loop, one at a time": """
        async def load(session: AsyncSession):
            for key in range(3):
                await asyncio.gather(one(session, key), asyncio.sleep(0))
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


def run(code: str) -> None:
    """Run `load` of a program with a new session, which has to open its connection first."""

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        try:
            async with async_sessionmaker(engine)() as session:
                await modules["program"].load(session)
        finally:
            await engine.dispose()
            await modules["shop.queries"].engine.dispose()

    with imported({"shop.queries": QUERIES, "program": code}) as modules:
        asyncio.run(main())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("source", RAISES.values(), ids=RAISES)
def test_found_and_refused(source: str) -> None:
    code = program(source)
    (found,) = findings("session-shared-across-tasks", code, files={"shop/queries.py": QUERIES})
    assert found.related
    with pytest.raises(InvalidRequestError):
        run(code)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_runs(source: str) -> None:
    code = program(source)
    assert findings("session-shared-across-tasks", code, files={"shop/queries.py": QUERIES}) == []
    run(code)


def test_task_group() -> None:
    (found,) = findings("session-shared-across-tasks", program(GROUP), files={"shop/queries.py": QUERIES})
    assert len(found.related) == 2


def test_own_methods() -> None:
    marked = QUERIES.replace("self.two())", "self.two())  # PB536")
    (found,) = findings("session-shared-across-tasks", marked, path="shop/queries.py")
    assert "`self.session`" in found.message
