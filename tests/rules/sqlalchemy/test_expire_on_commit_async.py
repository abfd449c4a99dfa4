"""Traps of expire-on-commit-async; what the reads do is proved in test_read_after_commit_async."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_lazy_load_in_async import MODELS

READS = """
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Order


async def create(session: AsyncSession) -> int:
    order = Order(customer_id=1)
    session.add(order)
    await session.commit()
    return order.id
"""
FILES = {"shop/models.py": MODELS, "shop/orders.py": READS}
FOUND = {
    "async_sessionmaker": """
        from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

        factory = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))  # PB522
    """,
    "sessionmaker for asynchronous sessions": """
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
        from sqlalchemy.orm import sessionmaker

        factory = sessionmaker(create_async_engine("sqlite+aiosqlite://"), class_=AsyncSession)  # PB522
    """,
    "without arguments": """
        from sqlalchemy.ext.asyncio import async_sessionmaker

        factory = async_sessionmaker()  # PB522
    """,
}
SILENT = {
    "set": """
        from sqlalchemy.ext.asyncio import async_sessionmaker

        factory = async_sessionmaker(expire_on_commit=False)
    """,
    "may be set": """
        from sqlalchemy.ext.asyncio import async_sessionmaker

        def make(**options):
            return async_sessionmaker(**options)
    """,
    "set later": """
        from sqlalchemy.ext.asyncio import async_sessionmaker

        factory = async_sessionmaker()
        factory.configure(expire_on_commit=False)
    """,
    "synchronous": """
        from sqlalchemy.orm import sessionmaker
        from sqlalchemy.ext.asyncio import AsyncSession

        factory = sessionmaker()
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    (found,) = findings("expire-on-commit-async", source, files=FILES)
    assert [place.path.endswith("orders.py") for place in found.related] == [True, True]
    assert "expire_on_commit=False)" in fix("expire-on-commit-async", source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("expire-on-commit-async", source, files=FILES) == []


def test_silent_where_nothing_is_read() -> None:
    source = FOUND["async_sessionmaker"].replace("  # PB522", "")
    files = {**FILES, "shop/orders.py": READS.replace("return order.id", "return 1")}
    assert findings("expire-on-commit-async", source, files=files) == []
