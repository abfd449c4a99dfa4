"""Traps of non-null-column-without-default, and a proof that rows make such a revision fail."""

from __future__ import annotations

import textwrap

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.rules.execution import imported
from tests.rules.harness import documentation, entry_of, examples, findings, fix

RULE = "non-null-column-without-default"
PATH = "migrations/versions/4f1c_change.py"
HEADER = """
import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

TABLE = "orders"


"""

SILENT = {
    "a default of the database": """
        op.add_column("orders", sa.Column("paid", sa.Boolean(), nullable=False, server_default=sa.false()))
    """,
    "computed": 'op.add_column("orders", sa.Column("n", sa.Integer(), sa.Computed("a + 1"), nullable=False))',
    "numbered": 'op.add_column("orders", sa.Column("n", sa.Integer(), sa.Identity(), nullable=False))',
    "a key, which is a SERIAL": """
        op.add_column("orders", sa.Column("id", sa.Integer(), primary_key=True, nullable=False))
    """,
    "may be null": 'op.add_column("orders", sa.Column("n", sa.Integer()))',
    "said to be nullable": 'op.add_column("orders", sa.Column("n", sa.Integer(), nullable=True))',
    "filled before it is required": """
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=True))
        op.execute("UPDATE orders SET n = 0")
        op.alter_column("orders", "n", nullable=False)
    """,
    "the table is new": """
        op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))
    """,
    "the table of a constant name is new": """
        op.create_table(TABLE, sa.Column("id", sa.Integer(), primary_key=True))
        with op.batch_alter_table(TABLE) as batch_op:
            batch_op.add_column(sa.Column("n", sa.Integer(), nullable=False))
    """,
    "the table is new by SQL": """
        op.execute("create table orders (id int)")
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))
    """,
    "emptied": """
        op.execute("TRUNCATE orders")
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))
    """,
    "emptied by a statement": """
        op.get_bind().execute(sa.delete(sa.table("orders")))
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))
    """,
    "what is given is not known": """
        required = {"nullable": False, "server_default": "0"}
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False, **required))
    """,
    "a column made elsewhere": 'op.add_column("orders", COLUMN)',
    "MySQL": """
        from sqlalchemy.dialects import mysql
        op.add_column("orders", sa.Column("n", mysql.INTEGER(), nullable=False))
    """,
    "another library": """
        from reports import Sheet
        Sheet("orders").add_column(sa.Column("n", sa.Integer(), nullable=False))
    """,
}

# Reported on the line; those with a default are fixed.
FOUND = {
    "no default": 'op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))  # PB573',
    "a default of None": """
        op.add_column("orders", sa.Column("n", sa.Text(), server_default=None, nullable=False))  # PB573
    """,
    "by keyword": """
        op.add_column(table_name="orders", column=Column("n", sa.Text(), nullable=False))  # PB573
    """,
    "in a batch": """
        with op.batch_alter_table("orders", schema=None) as batch_op:
            batch_op.add_column(sa.Column("n", sa.Integer(), nullable=False))  # PB573
    """,
    "another table is new": """
        op.create_table("invoices", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))  # PB573
    """,
    "required only if absent": """
        columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}
        if "n" not in columns:
            op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))  # PB573
    """,
}
FIXED = {
    "a truth": 'op.add_column("orders", sa.Column("n", sa.Boolean(), default=True, nullable=False))  # PB573',
    "a number": 'op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False, default=7))  # PB573',
    "a text": """
        op.add_column("orders", sa.Column("n", sa.String(9), default="it's", nullable=False))  # PB573
    """,
    "of a type without arguments": """
        op.add_column("orders", sa.Column("n", sa.Text, nullable=False, default=""))  # PB573
    """,
}
UNFIXED = {
    "a function": 'op.add_column("orders", sa.Column("n", sa.Integer(), default=int, nullable=False))  # PB573',
    "a number as a truth": """
        op.add_column("orders", sa.Column("n", sa.Boolean(), default=0, nullable=False))  # PB573
    """,
    "no module to take it from": """
        op.add_column("orders", Column("n", sa.Boolean(), default=False, nullable=False))  # PB573
    """,
}


def revision(body: str, function: str = "upgrade") -> str:
    return f"{HEADER}def {function}():\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def upgraded(code: str, *, rows: bool) -> list[tuple[object, ...]]:
    """The rows of a table of orders after a revision ran; raises what the database says."""
    with create_engine("sqlite://").begin() as connection, imported({"revision": code}) as modules:
        connection.execute(text("CREATE TABLE orders (id INTEGER PRIMARY KEY)"))
        if rows:
            connection.execute(text("INSERT INTO orders (id) VALUES (1)"))
        with Operations.context(MigrationContext.configure(connection)):
            modules["revision"].upgrade()
        return [tuple(row) for row in connection.execute(text("SELECT * FROM orders"))]


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_silent(body: str) -> None:
    assert findings(RULE, revision(body), path=PATH) == []


def test_silent_on_the_way_back() -> None:
    body = 'op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))'
    assert findings(RULE, revision(body, "downgrade"), path=PATH) == []


def test_silent_where_the_only_driver_is_for_mysql() -> None:
    body = 'op.add_column("orders", sa.Column("n", sa.Integer(), nullable=False))'
    project = '[project]\nname = "shop"\ndependencies = ["alembic", "pymysql"]\n'
    assert findings(RULE, revision(body), files={"pyproject.toml": project}, path=PATH) == []
    both = project.replace('"pymysql"', '"pymysql", "psycopg"')
    assert findings(RULE, revision(body + "  # PB573"), files={"pyproject.toml": both}, path=PATH)


@pytest.mark.parametrize("body", [*FOUND.values(), *UNFIXED.values()], ids=[*FOUND, *UNFIXED])
def test_found(body: str) -> None:
    code = revision(body)
    assert [finding.fix for finding in findings(RULE, code, path=PATH)] == [None]
    with pytest.raises(OperationalError, match="NOT NULL"):
        upgraded(code, rows=True)


@pytest.mark.parametrize("body", FIXED.values(), ids=FIXED)
def test_found_and_fixed(body: str) -> None:
    code = revision(body)
    findings(RULE, code, path=PATH)
    with pytest.raises(OperationalError, match="NOT NULL"):
        upgraded(code, rows=True)
    [row] = upgraded(fix(RULE, code, path=PATH), rows=True)
    assert row[1] in {1, 7, "it's", ""}


def test_documented_examples() -> None:
    bad, good = (examples(documentation(entry_of(RULE)), title)[0].text for title in ("Bad", "Good"))
    with pytest.raises(OperationalError, match="NOT NULL"):
        upgraded(bad, rows=True)
    assert upgraded(good, rows=True) == [(1, 0)]
