"""Traps of legacy-column, and a proof under SQLAlchemy that the fixed class creates the same table."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import configure_mappers
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

BASE = """
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass
"""
FILES = {"shop/database.py": BASE}

SILENT = {
    "a base of 1.4": """
        from sqlalchemy import Column, Integer
        from sqlalchemy.orm import declarative_base
        Base = declarative_base()
        class Order(Base):
            __tablename__ = "orders"
            id = Column(Integer, primary_key=True)
    """,
    "a mixin": """
        from sqlalchemy import Column, Integer
        class HasVersion:
            version = Column(Integer)
    """,
    "a table": """
        from sqlalchemy import Column, Integer, Table
        from shop.database import Base
        tags = Table("tags", Base.metadata, Column("id", Integer))
    """,
    "an imperative table of a class": """
        from sqlalchemy import Column, Integer, Table
        from shop.database import Base
        class Order(Base):
            __table__ = Table("orders", Base.metadata, Column("id", Integer, primary_key=True))
    """,
    "another library's column": """
        from reports import Column
        from shop.database import Base
        class Order(Base):
            id = Column("id")
    """,
    "mapped_column": """
        from sqlalchemy.orm import Mapped, mapped_column
        from shop.database import Base
        class Order(Base):
            __tablename__ = "orders"
            id: Mapped[int] = mapped_column(primary_key=True)
    """,
}

SAME_TABLE = {
    "types": """
        import enum

        import sqlalchemy as sa
        from sqlalchemy import BigInteger, Column, Date, Enum, Float, LargeBinary, Numeric, SmallInteger, Text, Time, Unicode, Uuid

        from shop.database import Base


        class Status(enum.Enum):
            OPEN = "open"
            PAID = "paid"


        class Order(Base):
            __tablename__ = "orders"

            id = Column(BigInteger, primary_key=True, autoincrement=True)
            small = Column(SmallInteger, nullable=False, server_default="0")
            price = Column(Numeric(10, 2), nullable=False)
            rate = Column(Float(), default=1.0)
            code = Column("order_code", Unicode(20), unique=True)
            body = Column(Text)
            day = Column(Date, index=True)
            at = Column(Time(timezone=True))
            blob = Column(LargeBinary, nullable=True)
            key = Column(Uuid, nullable=False)
            status = Column(Enum(Status), nullable=False)
            again = sa.Column(sa.DateTime, onupdate=sa.func.now())
    """,
    "uses inside the class": """
        from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String
        from sqlalchemy.orm import column_property, relationship

        from shop.database import Base


        class Parent(Base):
            __tablename__ = "parents"

            id = Column(Integer, primary_key=True)


        class Order(Base):
            __tablename__ = "orders"

            id = Column(Integer, primary_key=True)
            parent_id = Column(Integer, ForeignKey("parents.id", ondelete="CASCADE"), nullable=False)
            first = Column(String(20))
            last = Column(String(20), primary_key=False)
            full = column_property(first + " " + last)
            parent = relationship(Parent, foreign_keys=[parent_id])
            __table_args__ = (Index("ix_full", first, last.desc()), CheckConstraint("id > 0"))
    """,
    "inheritance": """
        from sqlalchemy import Column, ForeignKey, Integer, String

        from shop.database import Base


        class Item(Base):
            __tablename__ = "items"

            id = Column(Integer, primary_key=True)
            kind = Column(String(10), nullable=False)
            __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "item"}


        class Book(Item):
            __tablename__ = "books"

            id = Column(Integer, ForeignKey("items.id"), primary_key=True)
            pages = Column(Integer)
            __mapper_args__ = {"polymorphic_identity": "book"}
    """,
    "postponed annotations": """
        from __future__ import annotations

        from sqlalchemy import Column, DateTime, Integer

        from shop.database import Base


        class Order(Base):
            __tablename__ = "orders"

            id = Column(Integer, primary_key=True)
            created = Column(DateTime, nullable=False)
            paid = Column(DateTime)
    """,
    "a column named like the class of its values": """
        from sqlalchemy import Column, Date, Integer

        from shop.database import Base


        class Order(Base):
            __tablename__ = "orders"

            id = Column(Integer, primary_key=True)
            date = Column(Date)
            until = Column(Date)
    """,
}

NO_FIX = {
    "a type without one Python type": """
        from sqlalchemy import JSON, Column, Integer
        from shop.database import Base
        class Order(Base):
            __tablename__ = "orders"
            id = Column(Integer, primary_key=True)  # PB503
            data = Column(JSON)
    """,
    "the type of a foreign key": """
        from sqlalchemy import Column, ForeignKey
        from shop.database import Base
        class Order(Base):
            __tablename__ = "orders"
            id = Column(ForeignKey("items.id"), primary_key=True)  # PB503
    """,
    "nullable is not a literal": """
        from sqlalchemy import Column, Integer
        from shop.database import Base, STRICT
        class Order(Base):
            __tablename__ = "orders"
            id = Column(Integer, primary_key=True)  # PB503
            price = Column(Integer, nullable=not STRICT)
    """,
    "a column named like its type": """
        from sqlalchemy import Column, Integer
        from shop.database import Base
        class Order(Base):
            __tablename__ = "orders"
            id = Column(Integer, primary_key=True)  # PB503
            int = Column(Integer)
    """,
    "a dataclass": """
        from sqlalchemy import Column, Integer
        from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
        class Base(MappedAsDataclass, DeclarativeBase):
            pass
        class Order(Base):
            __tablename__ = "orders"
            id = Column(Integer, primary_key=True)  # PB503
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("legacy-column", source, files=FILES) == []


@pytest.mark.parametrize("source", NO_FIX.values(), ids=NO_FIX)
def test_no_fix(source: str) -> None:
    (found,) = findings("legacy-column", source, files=FILES)
    assert found.fix is None


def tables(code: str) -> list[str]:
    """The statements that create the tables and indexes of a program, for two databases."""
    with imported({"shop.database": BASE, "program": code}) as modules:
        configure_mappers()
        found = []
        for table in modules["shop.database"].Base.metadata.sorted_tables:
            for dialect in (postgresql.dialect(), mysql.dialect()):
                found.append(str(CreateTable(table).compile(dialect=dialect)))
                found += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
        return sorted(found)


@pytest.mark.parametrize("source", SAME_TABLE.values(), ids=SAME_TABLE)
def test_fixed_class_creates_the_same_table(source: str) -> None:
    before = textwrap.dedent(source).lstrip("\n")
    after = fix("legacy-column", before, files=FILES)
    assert "Column(" not in after.replace("mapped_column(", "")
    assert tables(after) == tables(before)


def test_old_python_gets_optional() -> None:
    source = """
        from sqlalchemy import Column, Integer

        from shop.database import Base


        class Order(Base):
            __tablename__ = "orders"

            id = Column(Integer, primary_key=True)
            price = Column(Integer)
    """
    project = {
        "pyproject.toml": '[project]\nname = "shop"\nrequires-python = ">=3.9"\ndependencies = ["sqlalchemy>=2"]\n'
    }
    after = fix("legacy-column", source, files={**FILES, **project})
    assert "price: Mapped[Optional[int]] = mapped_column(Integer)" in after
    assert "from typing import Optional" in after
