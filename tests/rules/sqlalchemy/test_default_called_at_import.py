"""Traps of default-called-at-import, and a proof under SQLAlchemy that all rows get one value."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

HEADER = """
import secrets
import time
import uuid
from datetime import date, datetime, timedelta, timezone

from sqlalchemy import Column, Float, Integer, Sequence, String, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


def new_key() -> str:
    return uuid.uuid4().hex


def in_a_day() -> datetime:
    return datetime.now() + timedelta(days=1)


def first_of(prefix: str) -> str:
    return prefix + "1"


def currency() -> str:
    return "EUR"


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
"""

SILENT = {
    "the function itself": "key = Column(String(36), default=new_key)",
    "a SQL function": "key: Mapped[datetime] = mapped_column(default=func.now(), onupdate=func.now())",
    "a sequence": "key: Mapped[int] = mapped_column(default=Sequence('numbers'))",
    "a sum of literals": "key: Mapped[int] = mapped_column(default=60 * 60)",
    "a literal": "key: Mapped[str] = mapped_column(default='open')",
    "the same each time": "key: Mapped[str] = mapped_column(String(3), default=currency())",
    "a lambda": "key: Mapped[float] = mapped_column(default=lambda: time.time())",
    "a server default": "key: Mapped[str] = mapped_column(server_default=text('now()'))",
    "another library's column": """
        from reports import Column as ReportColumn
        key = ReportColumn(default=new_key())
    """,
}

# Declarations of `key`, reported on that line; the fixed ones must give each row another value.
FOUND = {
    "an attribute of it": "key: Mapped[str] = mapped_column(default=uuid.uuid4().hex)  # PB558",
    "a sum": "key: Mapped[datetime] = mapped_column(default=datetime.now() + timedelta(days=3))  # PB558",
    "a sum in another function": "key: Mapped[datetime] = mapped_column(default=in_a_day())  # PB558",
    "time": "key = Column(Float, default=time.time())  # PB558",
    "in another function": "key = Column(String(36), default=new_key())  # PB558",
    "converted": "key: Mapped[str] = mapped_column(default=str(uuid.uuid4()))  # PB558",
    "random": "key: Mapped[str] = mapped_column(insert_default=secrets.token_hex(16))  # PB558",
    "formatted": "key: Mapped[str] = mapped_column(default=datetime.now(timezone.utc).isoformat())  # PB558",
}


def program(declaration: str) -> str:
    return HEADER + textwrap.indent(textwrap.dedent(declaration).strip("\n"), "    ") + "\n"


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("default-called-at-import", program(source)) == []


def values(code: str) -> set[object]:
    """The values of `key` that two rows of a program get."""
    engine = create_engine("sqlite://")
    with imported({"program": code}) as modules, Session(engine) as session:
        order = modules["program"].Order
        order.metadata.create_all(engine)
        for _ in range(2):
            session.add(order())
            session.flush()
        return set(session.scalars(select(order.key)))


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found_and_fixed(source: str) -> None:
    code = program(source)
    findings("default-called-at-import", code)
    assert len(values(code)) == 1
    assert len(values(fix("default-called-at-import", code))) == 2
