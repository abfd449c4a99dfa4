"""Traps of naive-utc-datetime, and what a naive default does under Pydantic."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "a call": """
        from datetime import datetime
        def now(): return datetime.utcnow()
    """,
    "another library": """
        import arrow
        class A:
            now = arrow.utcnow
    """,
    "a class of the project": """
        from clock import datetime
        NOW = datetime.utcnow
    """,
    "the method of a value": """
        def f(clock): return clock.utcnow
    """,
    "for an old version": """
        import sys
        from datetime import datetime
        if sys.version_info >= (3, 12):
            now = None
        else:
            now = datetime.utcnow
    """,
    "replaced in a comparison": """
        from datetime import datetime
        def is_default(f): return f is datetime.utcnow
    """,
}
FOUND = {
    "a column": """
        from datetime import datetime
        from sqlalchemy import Column, DateTime
        created = Column(DateTime, default=datetime.utcnow, onupdate=datetime.utcnow)  # PB028 # PB028
    """,
    "an alias of the class": """
        from datetime import datetime as dt
        NOW = dt.utcnow  # PB028
    """,
    "passed to a function": """
        import datetime
        def convert(values): return map(datetime.datetime.utcfromtimestamp, values)  # PB028
    """,
}
DATACLASS = """
    from dataclasses import dataclass, field
    from datetime import datetime
    @dataclass
    class Event:
        at: datetime = field(default_factory=datetime.utcnow)  # of the request
"""
OLD = {"pyproject.toml": '[project]\nname = "shop"\nrequires-python = ">=3.10"\n'}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB028", source, files={"clock.py": "class datetime:\n    utcnow = None\n"})


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert all(finding.fix is None for finding in findings("PB028", source))


def test_fix_uses_what_the_oldest_python_has() -> None:
    fixed = fix("PB028", DATACLASS)
    assert "default_factory=lambda: datetime.now(UTC))  # of the request" in fixed
    assert "lambda: datetime.now(timezone.utc))" in fix("PB028", DATACLASS, files=OLD)
    assert executed(fixed)["Event"]().at.tzinfo is UTC


def test_field_of_a_table_may_store_naive_times() -> None:
    source = """
        from datetime import datetime
        from sqlmodel import Column, DateTime, Field, SQLModel
        class Event(SQLModel):
            at: datetime = Field(default_factory=datetime.utcnow, sa_column=Column(DateTime))  # PB028
    """
    assert findings("PB028", source)[0].fix is None


def test_naive_default_cannot_be_compared_with_the_time() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        event = executed("""
            from datetime import datetime
            from pydantic import BaseModel, Field
            class Event(BaseModel):
                at: datetime = Field(default_factory=datetime.utcnow)
        """)["Event"]()
    with pytest.raises(TypeError, match="offset-naive and offset-aware"):
        assert event.at < datetime.now(UTC)
