"""Traps of PB140."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program
from tests.rules.harness import findings, fix

RULE = "interpolated-sql"
DATABASE = """
import json
from django.conf import settings
from django.db import connection, connections
from django.db.models import F, Value
from django.db.models.expressions import RawSQL
LIMIT = 5
NAMES = {"a": "b"}
"""

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
    "a sequence": "cursor.execute(f\"SELECT nextval('{user}_seq'::regclass)\")",
    "a column on both sides": (
        "cursor.execute('UPDATE x SET %s = %s WHERE %s IS DISTINCT FROM %s' % (LIMIT, user, LIMIT, user))"
    ),
    "quotes of the database": """
        cursor.execute(f"SELECT {user}x{user} FROM y WHERE z = {user}x{user}")
        """,
    "accepted for Bandit": """
        cursor.execute(  # nosec
            f"SELECT 1 WHERE x = {user}"
        )
        """,
    "unknown cursor": "user.execute(f'SELECT 1 WHERE x = {user}')",
    "a setting": "cursor.execute(f'SELECT 1 WHERE x = {settings.SITE_ID}')",
    "a setting as text": "cursor.execute(f\"SELECT 1 WHERE x = '{str(settings.DEBUG).lower()}'\")",
    "a loop over constants": """
        for name, value in NAMES.items():
            cursor.execute(f"UPDATE x SET y = '{name}' WHERE z = '{value}'")
        """,
    "named columns": "Order.objects.annotate(total=F('id'))",
    "columns named in code": "Order.objects.annotate(**{f'{key}_id': F('id') for key in NAMES})",
    "columns of a table of names": "Order.objects.annotate(**{NAMES[request.GET['by']]: F('id')})",
    "columns compared with known names": """
        name = request.GET["by"]
        if name in NAMES:
            Order.objects.annotate(**{name: F("id")})
        """,
    "columns compared in the comprehension": """
        Order.objects.annotate(**{key: F("id") for key in request.GET if key in NAMES})
        """,
    "a value of the request": "Order.objects.annotate(**{'by': Value(request.GET['by'])})",
    "annotate of something else": "user.annotate(**request.GET)",
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
    "lower case": "cursor.execute(f\"SELECT 1 WHERE x = '{user.lower()}'\")  # PB140",
    "raw": "Order.objects.raw(f'SELECT * FROM x WHERE y = {user}')  # PB140",
    "RawSQL": "RawSQL(f'x > {user}', [])  # PB140",
    "columns of the request": "Order.objects.annotate(**{request.GET['by']: F('id')})  # PB140",
    "columns of a comprehension": """
        Order.objects.alias(**{f"n_{key}": F("id") for key in request.GET.getlist("by")})  # PB140
        """,
    "columns by names": """
        name = self.request.query_params.get("by").strip()
        columns = {}
        columns[name] = F("id")  # PB140
        Order.objects.filter(id=1).aggregate(**columns)
        """,
    "columns of a body": """
        columns = json.loads(request.body)  # PB140
        Order.objects.annotate(**columns)
        """,
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


MIGRATION = """
import os
from django.db import migrations
from shop.names import TABLE

STATES = [("new", "open"), ("done", "paid")]


class Migration(migrations.Migration):
    operations = [
        {}
    ]
"""

RUN_SQL_SILENT = {
    "constant": "migrations.RunSQL(f'DELETE FROM {TABLE} WHERE x = 1', migrations.RunSQL.noop)",
    "loop over constants": """*(migrations.RunSQL(f"UPDATE x SET s = '{b}' WHERE s = '{a}'") for a, b in STATES)""",
    "parameters": "migrations.RunSQL([('UPDATE x SET y = %s', [os.environ['NAME']])])",
    "a name of a table": "migrations.RunSQL(f\"DELETE FROM {os.environ['TABLE']}\")",
    "another RunSQL": "RunSQL(f\"UPDATE x SET y = '{os.environ['NAME']}'\")",
}
RUN_SQL_FOUND = {
    "text": "migrations.RunSQL(f\"UPDATE x SET y = '{os.environ['NAME']}'\"),  # PB140",
    "reverse": "migrations.RunSQL('', reverse_sql='UPDATE x SET y = ' + os.environ['NAME']),  # PB140",
    "list": "migrations.RunSQL(['SELECT 1', \"UPDATE x SET y = '%s'\" % os.environ['NAME']]),  # PB140",
    "pair": "migrations.RunSQL([(f\"UPDATE x SET y = '{os.environ['NAME']}'\", None)]),  # PB140",
}


@pytest.mark.parametrize("operation", RUN_SQL_SILENT.values(), ids=RUN_SQL_SILENT)
def test_migration_silent(operation: str) -> None:
    assert in_migration(operation) == 0


@pytest.mark.parametrize("operation", RUN_SQL_FOUND.values(), ids=RUN_SQL_FOUND)
def test_migration_found(operation: str) -> None:
    assert in_migration(operation) == 1


def in_migration(operation: str) -> int:
    """The number of findings in a migration with an operation."""
    text, files = MIGRATION.replace("{}", operation), {"shop/names.py": "TABLE = 'orders'\n"}
    return len(findings(RULE, text, files=files, path="shop/migrations/0002_states.py"))


WRAPPER = """
import logging

logger = logging.getLogger(__name__)


class Limit:
    def __init__(self, tenant):
        self.tenant = tenant

    def __call__(self, execute, sql, params, many, context):
        return execute(sql + f" WHERE tenant = '{self.tenant}'", params, many, context)%s


def explain(execute, sql, params, many, context):
    logger.debug("explain %%s", sql)
    return execute(f"EXPLAIN {sql}", params, many, context)
"""
DJANGO = '[project]\nname = "shop"\ndependencies = ["django>=5.2"]\n'
REGISTRATION = """
from django.db import connection
from shop.wrappers import Limit, explain


def view(request, tenant):
    with connection.execute_wrapper(explain), connection.execute_wrapper(Limit(tenant)):
        ...
"""


def test_statement_of_a_wrapper_that_another_file_registers() -> None:
    files = {"shop/views.py": REGISTRATION, "pyproject.toml": DJANGO}
    assert findings(RULE, WRAPPER % "  # PB140", files=files, path="shop/wrappers.py")


def test_statement_of_a_function_that_is_no_wrapper() -> None:
    files = {"shop/views.py": "wrappers = []\n", "pyproject.toml": DJANGO}
    assert findings(RULE, WRAPPER % "", files=files, path="shop/wrappers.py") == []


BY_PARAMETER = """
from django.db import connection


def constraints(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT conname FROM pg_class WHERE relname = '{table}'")%s


def names(apps, schema_editor):
    with connection.cursor() as cursor:
        for order in apps.get_model("shop", "Order").objects.all():
            cursor.execute(f"UPDATE audit SET seen = 1 WHERE email = '{order.email}'")  # PB140
"""


def test_parameters_in_migrations() -> None:
    files = {"pyproject.toml": DJANGO}
    findings(RULE, BY_PARAMETER % "", files=files, path="shop/migrations/0002_audit.py")
    findings(RULE, BY_PARAMETER % "  # PB140", files=files, path="shop/audit.py")


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
