"""Traps of invalid-async-pool, and a proof that such engines cannot be made."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import ArgumentError

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "invalid-async-pool"
HEADER = """
import sqlalchemy
from sqlalchemy import create_engine, pool
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, QueuePool, SingletonThreadPool, StaticPool

URL = "sqlite+aiosqlite:///:memory:"
"""
SILENT = {
    "the default": "create_async_engine(URL, pool_recycle=600)",
    "the pool for coroutines": "create_async_engine(URL, poolclass=AsyncAdaptedQueuePool, pool_size=5)",
    "no pool": "create_async_engine(URL, poolclass=NullPool, pool_recycle=600, pool_pre_ping=True)",
    "one connection": "create_async_engine(URL, poolclass=StaticPool)",
    "an engine for threads": "create_engine('sqlite://', poolclass=QueuePool, pool_size=5)",
}
FOUND = {
    "for threads": "engine = create_async_engine(URL, poolclass=QueuePool)  # PB549",
    "one for each thread": "engine = create_async_engine(URL, poolclass=SingletonThreadPool)  # PB549",
    "by module": "engine = create_async_engine(URL, poolclass=pool.QueuePool, pool_size=5)  # PB549",
    "from the package": "engine = create_async_engine(URL, poolclass=sqlalchemy.QueuePool)  # PB549",
    "limits of none": """
engine = create_async_engine(URL, poolclass=NullPool, pool_size=5, max_overflow=5)  # PB549 # PB549
""",
    "limits of one connection": """
engine = create_async_engine(URL, pool_timeout=5, poolclass=StaticPool)  # PB549
""",
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    code = HEADER + source + "\n"
    assert findings(RULE, code) == []
    executed(code)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found_and_fixed(source: str) -> None:
    code = HEADER + source + "\n"
    findings(RULE, code)
    with pytest.raises((ArgumentError, TypeError)):
        executed(code)
    assert executed(fix(RULE, code))["engine"] is not None
