"""Traps of legacy-declarative-base, and a proof under SQLAlchemy that the fixed base maps the same."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

SILENT = {
    "another library's function": """
        from orm import declarative_base
        Base = declarative_base()
    """,
    "not a name of the module": """
        from sqlalchemy.orm import declarative_base
        def make():
            Base = declarative_base()
            return Base
    """,
}

NO_FIX = {
    "a class for all models": """
        from sqlalchemy.orm import declarative_base
        class Common: ...
        Base = declarative_base(cls=Common)  # PB502
    """,
    "a plain annotation would raise": """
        from sqlalchemy import Column, Integer
        from sqlalchemy.ext.declarative import declarative_base
        Base = declarative_base()  # PB502
        class Order(Base):
            __tablename__ = "orders"
            id: int = Column(Integer, primary_key=True)
    """,
    "a comment behind": """
        from sqlalchemy.orm import declarative_base
        Base = declarative_base()  # PB502 the base of all
    """,
}

FIXED = {
    "at the end of a file": """
        from sqlalchemy.orm import declarative_base

        Base = declarative_base()
    """,
    "between statements": """
        import sqlalchemy as sa
        from sqlalchemy.orm import declarative_base
        convention = {"ix": "ix_%(column_0_label)s"}
        Base = declarative_base(metadata=sa.MetaData(naming_convention=convention), name="Base")
        class Order(Base):
            __tablename__ = "orders"
            id = sa.Column(sa.Integer, primary_key=True, index=True)
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("legacy-declarative-base", source) == []


@pytest.mark.parametrize("source", NO_FIX.values(), ids=NO_FIX)
def test_no_fix(source: str) -> None:
    (found,) = findings("legacy-declarative-base", source)
    assert found.fix is None


@pytest.mark.parametrize("source", FIXED.values(), ids=FIXED)
def test_fixed_base_maps_the_same(source: str) -> None:
    before = textwrap.dedent(source).lstrip("\n")
    after = fix("legacy-declarative-base", before)
    assert "declarative_base" not in after
    shapes = []
    for code in (before, after):
        with imported({"program": code}) as modules:
            metadata = modules["program"].Base.metadata
            shapes.append(
                (
                    metadata.naming_convention,
                    [(t.name, t.columns.keys(), len(t.indexes)) for t in metadata.sorted_tables],
                )
            )
    assert shapes[0] == shapes[1]


def test_flake8_blank_lines() -> None:
    after = fix("legacy-declarative-base", textwrap.dedent(FIXED["between statements"]).lstrip("\n"))
    assert "\n\n\nclass Base(DeclarativeBase):\n    metadata = sa.MetaData(" in after
    assert ")\n\n\nclass Order(Base):" in after
