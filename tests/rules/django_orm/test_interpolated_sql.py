"""Traps of PB140."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program
from tests.rules.harness import findings, fix

RULE = "interpolated-sql"
DATABASE = "from django.db import connection, connections\nfrom django.db.models.expressions import RawSQL\nLIMIT = 5\n"

SILENT = {
    "parameters": "cursor.execute('SELECT 1 WHERE x = %s', [user])",
    "constant": "cursor.execute(f'SELECT 1 WHERE x = {LIMIT}')",
    "table of a model": "cursor.execute(f'SELECT 1 FROM {Order._meta.db_table} WHERE id = %s', [user])",
    "quoted name": "cursor.execute(f'DELETE FROM {connection.ops.quote_name(user)}')",
    "name of a column": "cursor.execute(f'SELECT {user} FROM x')",
    "placeholders": 'cursor.execute(f\'SELECT 1 WHERE x IN ({", ".join(["%s"] * len(user))})\', user)',
    "placeholders by a name": """
        places = ", ".join("%s" for _ in user)
        cursor.execute(f"SELECT 1 WHERE x IN ({places})", user)
        """,
    "number": "cursor.execute(f'SELECT 1 LIMIT {int(user)}')",
    "counted": """
        number = len(user)
        cursor.execute("SELECT 1 LIMIT %d" % number)
        """,
    "unknown cursor": "user.execute(f'SELECT 1 WHERE x = {user}')",
    "raw with parameters": "Order.objects.raw('SELECT * FROM x WHERE y = %s', [user])",
}
FOUND = {
    "f-string": "cursor.execute(f'SELECT 1 WHERE x = {user}')  # PB140",
    "quoted": "cursor.execute(f\"SELECT 1 WHERE x = '{user}'\")  # PB140",
    "pattern": "cursor.execute(f\"SELECT 1 WHERE x LIKE '%{user}%'\")  # PB140",
    "percent": "cursor.execute(\"SELECT 1 WHERE x = '%s'\" % user)  # PB140",
    "format": "cursor.execute('SELECT 1 WHERE x = {}'.format(user))  # PB140",
    "plus": "cursor.execute('SELECT 1 WHERE x = ' + user)  # PB140",
    "by a name": """
        sql = f"SELECT 1 WHERE x IN ({user})"
        cursor.execute(sql)  # PB140
        """,
    "other connection": "connections['other'].cursor().execute(f'SELECT 1 WHERE x = {user}')  # PB140",
    "raw": "Order.objects.raw(f'SELECT * FROM x WHERE y = {user}')  # PB140",
    "RawSQL": "RawSQL(f'x > {user}', [])  # PB140",
    "extra": "Order.objects.extra(where=[f\"x = '{user}'\"])  # PB140",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    text = program(f"cursor = connection.cursor()\n{indent_free(code)}")
    assert findings(RULE, DATABASE + text, project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    text = program(f"cursor = connection.cursor()\n{indent_free(code)}")
    findings(RULE, DATABASE + text, project="django_shop")


def indent_free(code: str) -> str:
    """A block without its indentation."""
    return "\n".join(line.removeprefix("        ") for line in code.strip("\n").splitlines())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('f"SELECT 1 WHERE x = {a} AND y > {a.b}"', '"SELECT 1 WHERE x = %s AND y > %s", [a, a.b]'),
        ("f\"SELECT 1 WHERE x = '{a}' AND y = 1\"", '"SELECT 1 WHERE x = %s AND y = 1", [a]'),
        ("f\"SELECT 1 WHERE x LIKE '%{a}%'\"", "f\"SELECT 1 WHERE x LIKE '%{a}%'\""),
        ("f\"SELECT 1 WHERE x = 'a{a}'\"", "f\"SELECT 1 WHERE x = 'a{a}'\""),
        ('f"SELECT {a} WHERE x = {a}"', 'f"SELECT {a} WHERE x = {a}"'),
        ('f"SELECT 1 WHERE x = {a!r}"', 'f"SELECT 1 WHERE x = {a!r}"'),
    ],
)
def test_fix(before: str, after: str) -> None:
    text = "from django.db import connection\n\n\ndef report(a):\n    connection.cursor().execute({})\n"
    assert fix(RULE, text.format(before)) == text.format(after)
