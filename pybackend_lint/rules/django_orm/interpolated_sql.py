"""Rule PB140: interpolated-sql."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django_sql
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB140",
    "interpolated-sql",
    "Pass `{value}` as a parameter of `{runner}`: it is put into the SQL as text",
    nodes=(ast.Call,),
    names=("execute", "executemany", "raw", "extra", "RawSQL", "RunSQL", "annotate", "alias", "aggregate"),
    applies="django",
    fix=UNSAFE,
    severity="error",
    tags=("security",),
    migrations="both",
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A value is put into an SQL statement by string formatting.

    ## Why
    Whoever controls the value controls the statement: a quote in a search field is enough to read or change
    other people's data. Even a harmless value breaks the statement when it holds a quote. A parameter is sent
    apart from the statement and is never read as SQL. The names that `annotate(**...)` gives its columns are
    written into the statement too, so a client must not choose them.

    ## Bad
    ```python
    from django.db import connection


    def orders_of(email):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, total FROM shop_order WHERE email = '{email}'")
            return cursor.fetchall()
    ```
    ## Good
    ```python
    from django.db import connection


    def orders_of(email):
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, total FROM shop_order WHERE email = %s", [email])
            return cursor.fetchall()
    ```
    ## Not reported
    ```python
    from django.db import connection

    LIMIT = 100


    def orders_of(emails, table):
        places = ", ".join(["%s"] * len(emails))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM shop_order WHERE email IN ({places}) LIMIT {LIMIT}", emails)
            # a table cannot be a parameter; an unchecked name is not reported
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            return cursor.fetchall()


    def run(cursor, name):
        # we do not know what `cursor` is, so an alarm may be missed
        cursor.execute(f"SELECT 1 FROM shop_order WHERE email = '{name}'")
    ```
    ## Fix safety
    The fix moves the values of a plain f-string into the list of parameters and removes the quotes around
    them. It is unsafe because the database then gets a typed value where it got text before.
    ## When not to use it
    Where the values are built from constants in a way that we cannot see; `# nosec` says so, too.
    ## References
    - Django documentation, "Performing raw SQL queries: Passing parameters into raw()"
      (https://docs.djangoproject.com/en/stable/topics/db/sql/#passing-parameters-into-raw)
    - Django documentation, "Security in Django: SQL injection protection"
      (https://docs.djangoproject.com/en/stable/topics/security/#sql-injection-protection)
    """
    for statement in django_sql.statements(call, ctx.module):
        value = django_sql.interpolated_value(statement.sql, ctx.module)
        if value is not None and not _is_given_by_migration(value, ctx):
            fix = None
            if statement.sql in call.args and not statement.has_parameters:
                fix = _fix(statement.sql, ctx)
            shown = ctx.text(value)
            shown = shown if len(shown) <= 40 and "\n" not in shown else "the value"
            yield ctx.finding(statement.sql, value=shown, runner=statement.runner, fix=fix)
    key = django_sql.columns_named_by_request(call, ctx.module)
    if key is not None:
        message = "Choose the names of the columns of `{method}()` in code: the request gives them"
        yield ctx.finding(key, message=message, method=ctx.text(call.func).rpartition(".")[2])


def _is_given_by_migration(value: ast.expr, ctx: Context) -> bool:
    """Whether a value in a migration is a row's key, or a parameter of a function that only it calls."""
    if not ctx.project.is_migration(ctx.source.path):
        return False
    if isinstance(value, ast.Attribute):
        return value.attr in {"pk", "id"}
    function = ctx.enclosing_function(value)
    return (
        isinstance(value, ast.Name)
        and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(value.id == parameter.arg for parameter in function.args.args)
    )


def _fix(sql: ast.expr, ctx: Context) -> Fix | None:
    """The fix for an f-string of one piece whose interpolations are all plain values."""
    text = ctx.text(sql)
    if not isinstance(sql, ast.JoinedStr) or not text.startswith('f"') or text.startswith('f"""'):
        return None
    if text.count('"') != 2 or "%" in text or "{{" in text or "}}" in text or "\\" in text:
        return None
    new, values, at = '"', [], ctx.source.start(sql) + 2
    for part in sql.values:
        if not isinstance(part, ast.FormattedValue):
            continue
        if (
            part.conversion != -1
            or part.format_spec is not None
            or not isinstance(part.value, (ast.Name, ast.Attribute))
        ):
            return None
        if not django_sql.stands_for_value(sql, part):
            return None
        start, end = ctx.source.start(part.value) - 1, ctx.source.end(part.value) + 1
        if ctx.source.text[start] != "{" or ctx.source.text[end - 1] != "}":
            return None
        before = ctx.source.text[at:start]
        quoted = before.endswith("'") and ctx.source.text[end] == "'"
        new += (before[:-1] if quoted else before) + "%s"
        values.append(ctx.text(part.value))
        at = end + 1 if quoted else end
    new += ctx.source.text[at : ctx.source.end(sql)]
    parameters = ctx.insert_after(sql, f", [{', '.join(values)}]")
    return ctx.fix("Pass the values as parameters", ctx.edit(sql, new), parameters)
