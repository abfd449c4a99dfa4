"""Traps of invalid-server-default, and a proof that SQLAlchemy refuses such a default."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy.exc import ArgumentError
from sqlalchemy.schema import CreateTable

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "invalid-server-default"
HEADER = """
import uuid
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum

import sqlalchemy
from sqlalchemy import Boolean, Column, DateTime, FetchedValue, Integer, String, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Color(Enum):
    RED = "red"


class Level(Enum):
    HIGH = 1


class Size(StrEnum):
    SMALL = "small"


class Word(str, Enum):
    YES = "yes"


def number() -> int:
    return 1


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
"""

SILENT = {
    "a text": "n = Column(Integer, server_default='0')",
    "no default": "n = Column(Integer, server_default=None)",
    "SQL": "n = Column(Integer, server_default=text('0'))",
    "a function of SQL": "n = Column(DateTime, server_default=func.now())",
    "a truth of SQL": "n = Column(Boolean, server_default=sqlalchemy.false())",
    "the database's own": "n = Column(Integer, server_default=FetchedValue())",
    "an expression": "n = Column(Integer, server_default=sqlalchemy.literal(1) + 1)",
    "a member that is a text": "n = Column(String, server_default=Size.SMALL)",
    "a member of two bases": "n = Column(String, server_default=Word.YES)",
    "the value of a member": "n = Column(String, server_default=Color.RED.value)",
    "made a text": "n = Column(String, server_default=datetime(2026, 1, 1).isoformat())",
    "a text of a number": "n = Column(String, server_default=str(number()))",
    "default": "n = Column(Integer, default=0)",
}
FOUND = {
    "a truth": "n = Column(Integer, server_default=False)  # PB561",
    "a number as a truth": "n = Column(Boolean, server_default=0)  # PB561",
    "a function": "n = Column(DateTime, server_default=datetime.now)  # PB561",
    "a time": "n = Column(DateTime, server_default=datetime.now())  # PB561",
    "a function of the project": "n = Column(Integer, server_default=number)  # PB561",
    "what it gives": "n = Column(Integer, server_default=number())  # PB561",
    "a lambda": "n = Column(Integer, server_default=lambda: 1)  # PB561",
    "a list": "n = Column(String, server_default=[])  # PB561",
    "a key": "n: Mapped[uuid.UUID] = mapped_column(server_default=uuid.uuid4)  # PB561",
    "a decimal": "n = Column(Integer, server_default=Decimal('1.5'))  # PB561",
    "a member that is a number": "n = Column(Integer, server_default=Level.HIGH)  # PB561",
    "a function of SQL that is not called": "n = Column(Boolean, server_default=sqlalchemy.true)  # PB561",
}
FIXED = {
    "a truth": ("n: Mapped[bool] = mapped_column(server_default=True)  # PB561", "DEFAULT true"),
    "with its type": ("n = Column('n', Boolean, server_default=False)  # PB561", "DEFAULT false"),
    "a number": ("n = Column(Integer(), server_default=-1)  # PB561", "DEFAULT -1"),
}


def program(declaration: str) -> str:
    return HEADER + textwrap.indent(declaration, "    ") + "\n"


@pytest.mark.parametrize("declaration", SILENT.values(), ids=SILENT)
def test_silent(declaration: str) -> None:
    code = program(declaration)
    assert findings(RULE, code) == []
    executed(code)


@pytest.mark.parametrize("declaration", FOUND.values(), ids=FOUND)
def test_found(declaration: str) -> None:
    code = program(declaration)
    assert [finding.fix for finding in findings(RULE, code)] == [None]
    with pytest.raises(ArgumentError):
        executed(code)


@pytest.mark.parametrize(("declaration", "clause"), FIXED.values(), ids=FIXED)
def test_found_and_fixed(declaration: str, clause: str) -> None:
    code = program(declaration)
    findings(RULE, code)
    with pytest.raises(ArgumentError):
        executed(code)
    order = executed(fix(RULE, code))["Order"]
    assert clause in str(CreateTable(order.__table__))


def test_a_default_that_stays_as_it_is() -> None:
    source = """
        import sqlalchemy as sa
        from alembic import op
        def upgrade() -> None:
            op.alter_column("orders", "n", server_default=False)
            op.add_column("orders", sa.Column("m", sa.Integer(), server_default=0))  # PB561
    """
    findings(RULE, source, path="migrations/versions/a1.py")
