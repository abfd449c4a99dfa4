"""Traps of interpolated-text-sql, and a proof under SQLAlchemy that the fix stops an injection."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

HEADER = """
from enum import Enum
from uuid import UUID

from sqlalchemy import literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

TABLE = "users"
LIMIT = "10"


class State(Enum):
    OPEN = "open"

"""

SILENT = {
    "parameters that some paths add": """
        def load(session: Session, name: str, rows: int):
            sql = "SELECT 1 FROM users WHERE 1 = 1"
            if name:
                sql += " AND name = :name"
            sql += f" LIMIT {rows}"
            return session.execute(text(sql), {"name": name})
    """,
    "a text of which nothing is known at first": """
        def load(session: Session, sql: str, name: str):
            sql += f" AND name = '{name}'"
            return session.execute(text(sql))
    """,
    "bound": 'def load(session: Session, name: str): return session.execute(text("SELECT :name"), {"name": name})',
    "a name cannot be bound": 'def load(session: Session, table: str): return session.execute(text(f"SELECT * FROM {table}"))',
    "a column of a name": 'def load(session: Session, t: str): return session.execute(text(f"SELECT 1 FROM a JOIN b ON a.id = {t}.id"))',
    "a constant of the module": 'def load(session: Session): return session.execute(text(f"SELECT 1 LIMIT {LIMIT}"))',
    "a number": 'def load(session: Session, n: int): return session.execute(text(f"SELECT 1 FROM users WHERE id = {n}"))',
    "a UUID": """def load(session: Session, key: UUID): return session.execute(text(f"SELECT 1 WHERE id = '{key}'"))""",
    "an enum": """def load(session: Session, state: State): return session.execute(text(f"SELECT 1 WHERE s = '{state.value}'"))""",
    "names of parameters": """
        def load(session: Session, keys: list):
            places = ", ".join(f":p{i}" for i in range(len(keys)))
            return session.execute(text(f"SELECT 1 FROM users WHERE id IN ({places})"), {})
    """,
    "checked against known values": """
        def load(session: Session, state: str):
            if state not in {"open", "paid"}:
                raise ValueError(state)
            return session.execute(text(f"SELECT 1 FROM users WHERE state = '{state}'"))
    """,
    "a statement without parameters": """
        def load(session: Session, schema: str):
            session.execute(text(f"SET search_path = {schema}"))
    """,
    "another library's cursor": """
        def load(cursor, name: str): return cursor.execute(f"SELECT 1 WHERE name = '{name}'")
    """,
    "text of another library": """
        from rich import text as rich_text
        def load(name: str): return rich_text(f"a = {name}")
    """,
    "a format for a number": 'def load(session: Session, n): return session.execute(text("SELECT 1 WHERE id = %d" % n))',
    "a function that returns no interpolated text": """
        def sql(name: str) -> str: return "SELECT 1 WHERE name = :name"
        def load(session: Session, name: str): return session.execute(text(sql(name)), {"name": name})
    """,
    "a function that knows the type": """
        def sql(number: int) -> str: return f"SELECT 1 WHERE id = {number}"
        def load(session: Session, number): return session.execute(text(sql(number)))
    """,
    "a function that quotes": """
        def quoted(name: str) -> str: return "'" + name.replace("'", "''") + "'"
        def load(session: Session, name: str): return session.execute(text(f"SELECT 1 WHERE a = {quoted(name)}"))
    """,
    "a function that checks": """
        def sql(state: str) -> str:
            if state not in {"open", "paid"}:
                raise ValueError(state)
            return f"SELECT 1 WHERE state = '{state}'"
        def load(session: Session, state: str): return session.execute(text(sql(state)))
    """,
    "a function that is given a constant": """
        def sql(state: str, limit: str = LIMIT) -> str: return f"SELECT 1 WHERE state = '{state}' LIMIT {limit}"
        def load(session: Session): return session.execute(text(sql("open")))
    """,
    "a function that puts in the name of a table": """
        def sql(table: str) -> str: return f"SELECT 1 FROM {table}"
        def load(session: Session, table: str): return session.execute(text(sql(table)))
    """,
    "a function with two results": """
        def sql(name: str) -> str:
            if not name:
                return "SELECT 1"
            return f"SELECT 1 WHERE name = '{name}'"
        def load(session: Session, name: str): return session.execute(text(sql(name)))
    """,
    "a function that calls itself": """
        def sql(name: str) -> str: return f"{sql(name)} OR name = '{1}'"
        def load(session: Session, name: str): return session.execute(text(sql(name)))
    """,
    "a function whose parameter was changed": """
        def sql(name: str) -> str:
            name = escape(name)
            return f"SELECT 1 WHERE name = '{name}'"
        def load(session: Session, name: str): return session.execute(text(sql(name)))
    """,
    "made in the function": """
        def load(session: Session):
            now = "'2026-01-01'"
            return session.execute(text(f"SELECT 1 WHERE day > {now}"))
    """,
}

FOUND = {
    "what some paths add": """
        def load(session: Session, name: str, state: str):
            sql = "SELECT 1 FROM users WHERE 1 = 1"
            if name:
                sql += f" AND name = '{name}'"
            if state:
                sql += " AND state = :state"
            return session.execute(text(sql), {"state": state})  # PB511
    """,
    "what a loop adds": """
        def load(session: Session, names: list):
            sql = "SELECT 1 FROM users WHERE name = ''"
            for name in names:
                sql += " OR name = '" + name + "'"
            return session.execute(text(sql + " LIMIT 3"))  # PB511
    """,
    "f-string": """def load(session: Session, name): return session.execute(text(f"SELECT 1 WHERE name = '{name}'"))  # PB511""",
    "percent": """def load(session: Session, name: str): return session.execute(text("SELECT 1 WHERE name = '%s'" % name))  # PB511""",
    "percent with a tuple": """def load(session: Session, a, b): return session.execute(text("SELECT 1 WHERE a = %s AND b > %s" % (a, b)))  # PB511""",
    "format": """def load(session: Session, name: str): return session.execute(text("SELECT 1 WHERE name = '{}'".format(name)))  # PB511""",
    "format by name": """def load(session: Session, name: str): return session.execute(text("SELECT 1 WHERE name LIKE '%{n}%'".format(n=name)))  # PB511""",
    "addition": """def load(session: Session, name: str): return session.execute(text("SELECT 1 WHERE name = '" + name + "'"))  # PB511""",
    "through a local name": """
        def load(session: Session, name: str):
            sql = f"SELECT 1 FROM users WHERE name = '{name}'"
            return session.execute(text(sql))  # PB511
    """,
    "an asynchronous session": """
        async def load(session: AsyncSession, name: str):
            return await session.execute(text(f"SELECT 1 WHERE name = '{name}'"))  # PB511
    """,
    "driver SQL": """
        from sqlalchemy import create_engine
        def load(name: str):
            with create_engine("sqlite://").connect() as connection:
                connection.exec_driver_sql(f"SELECT 1 WHERE name = '{name}'")  # PB511
    """,
    "a value of a request": """
        from flask import request
        def load(session: Session):
            name = request.args.get("name")
            return session.execute(text(f"INSERT INTO users (a, name) VALUES (1, '{name}')"))  # PB511
    """,
    "a function that returns the text": """
        def sql(name: str) -> str: return f"SELECT 1 WHERE name = '{name}'"
        def load(session: Session, name: str): return session.execute(text(sql(name)))  # PB511
    """,
    "a function by keyword and a local name": """
        def sql(table: str, *, name: str) -> str:
            made = "SELECT 1 FROM %s WHERE name = '%s'" % (table, name)
            return made
        def load(session: Session, name: str):
            statement = sql("users", name=name)
            return session.execute(text(statement))  # PB511
    """,
    "a method that returns a condition": """
        class Users:
            def where(self, name: str) -> str: return f"name LIKE '%{name.lower()}%'"
            def load(self, session: Session, name: str):
                return session.execute(text(f"SELECT 1 FROM users WHERE {self.where(name)}"))  # PB511
    """,
    "a kept statement": """
        def load(session: Session, key: str):
            statement = text(f"DELETE FROM users WHERE key = '{key}'")  # PB511
            session.execute(statement)
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("interpolated-text-sql", program(source)) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("interpolated-text-sql", program(source))


def test_function_of_another_file() -> None:
    files = {
        "shop/queries.py": "def by_name(name: str) -> str:\n    return f\"SELECT 1 WHERE name = '{name}'\"\n",
        "shop/filters.py": "from shop.queries import by_name\n\n\ndef first(name):\n    return by_name(name) + ' LIMIT 1'\n",
    }
    source = """
        from shop.filters import first
        def load(session: Session, name: str): return session.execute(text(first(name)))  # PB511
    """
    (found,) = findings("interpolated-text-sql", program(source), files=files)
    assert found.fix is None
    (place,) = found.related
    assert place.path.endswith("queries.py")
    assert place.start.row == 2


FIXED = {
    "quoted": """f"SELECT name FROM users WHERE name = '{name}'\"""",
    "twice": """f"SELECT name FROM users WHERE name = '{name}' OR nick = '{name}'\"""",
    "with a table": """f"SELECT name FROM {TABLE} WHERE name = '{name}'\"""",
    "several lines": '''f"""
        SELECT name FROM users
        WHERE name = '{name}'
    """''',
}


def rows(code: str, name: str) -> list[str]:
    engine = create_engine("sqlite://")
    with imported({"program": code}) as modules, Session(engine) as session:
        connection = session.connection()
        connection.exec_driver_sql("CREATE TABLE users (name TEXT, nick TEXT)")
        connection.exec_driver_sql("INSERT INTO users VALUES ('ada', 'a'), ('grace', 'g')")
        return sorted(modules["program"].load(session, name).scalars())


@pytest.mark.parametrize("sql", FIXED.values(), ids=FIXED)
def test_fix_stops_an_injection(sql: str) -> None:
    code = program(f"def load(session: Session, name: str):\n    return session.execute(text({sql}))\n")
    after = fix("interpolated-text-sql", code)
    injection = "nobody' OR '1'='1"
    assert (rows(code, "ada"), rows(code, injection)) == (["ada"], ["ada", "grace"])
    assert (rows(after, "ada"), rows(after, injection)) == (["ada"], [])
