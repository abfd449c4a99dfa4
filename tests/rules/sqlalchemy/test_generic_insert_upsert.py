"""Traps of generic-insert-upsert, and a proof that such a statement cannot be built."""

from __future__ import annotations

import contextlib
import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "generic-insert-upsert"
HEADER = """
import sqlalchemy as sa
from sqlalchemy import Column, Integer, MetaData, Table, insert
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.dialects.postgresql import insert as upsert

stock = Table("stock", MetaData(), Column("sku", Integer, primary_key=True))


"""
SILENT = {
    "a dialect's": "postgresql.insert(stock).values(sku=1).on_conflict_do_nothing()",
    "by another name": "upsert(stock).on_conflict_do_nothing()",
    "SQLite's": "sqlite.insert(stock).on_conflict_do_nothing()",
    "MySQL's": "mysql.insert(stock).values(sku=1).on_duplicate_key_update(sku=2)",
    "no upsert": "insert(stock).values(sku=1)",
    "by the dialect": """
        statement = insert(stock)
        if stock.name:
            statement = upsert(stock)
        statement.on_conflict_do_nothing()
    """,
    "a name of its own": """
        def insert(table):
            return upsert(table)
        insert(stock).on_conflict_do_nothing()
    """,
}
FOUND = {
    "at once": "insert(stock).on_conflict_do_nothing()  # PB533",
    "by module": "sa.insert(stock).values(sku=1).on_conflict_do_update(set_={'sku': 2})  # PB533",
    "through a variable": """
        statement = insert(stock).values(sku=1)
        statement.on_conflict_do_nothing()  # PB533
    """,
    "set anew": """
        statement = insert(stock).values(sku=1)
        statement = statement.on_conflict_do_nothing()  # PB533
    """,
    "through two": """
        statement = insert(stock)
        filled = statement.values(sku=1)
        filled.on_duplicate_key_update(sku=2)  # PB533
    """,
}


def program(body: str) -> str:
    return HEADER + "def run():\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_silent(body: str) -> None:
    code = program(body)
    assert findings(RULE, code) == []
    executed(code)["run"]()


@pytest.mark.parametrize("body", FOUND.values(), ids=FOUND)
def test_found(body: str) -> None:
    code = program(body)
    findings(RULE, code)
    with pytest.raises(AttributeError, match="on_"):
        executed(code)["run"]()


DECLARED = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["sqlalchemy>=2", "{}"]\n'


@pytest.mark.parametrize("driver", ["asyncpg", "aiosqlite"])
@pytest.mark.parametrize("body", FOUND.values(), ids=FOUND)
def test_fixed(body: str, driver: str) -> None:
    after = fix(RULE, program(body), files={"pyproject.toml": DECLARED.format(driver)})
    with contextlib.suppress(ValueError):  # PostgreSQL wants to be told about the conflict
        executed(after)["run"]()


def test_the_only_use_of_an_import_takes_it_along() -> None:
    before = "from sqlalchemy import insert, table\ninsert(table('a')).on_conflict_do_nothing()\n"
    after = fix(RULE, before, files={"pyproject.toml": DECLARED.format("psycopg")})
    assert after == (
        "from sqlalchemy import table\nfrom sqlalchemy.dialects.postgresql import insert\n"
        "insert(table('a')).on_conflict_do_nothing()\n"
    )
    assert fix(RULE, before) == before
