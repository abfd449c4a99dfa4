"""Facts about Alembic: its operations, and the columns that a revision adds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.fastapi import argument
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type, context_manager, instance
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

ROOTS = ("alembic",)
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {
    "alembic.operations.base.": "alembic.operations.",
}

_OPERATIONS = "alembic.op"
_BATCH = "alembic.operations.BatchOperations"
# A column of these fills itself in, also in the rows that exist.
_FILLED = frozenset({"Computed", "Identity", "FetchedValue"})
# Types of columns, and of the defaults that are written in SQL like in Python.
_VALUES = {
    "Boolean": bool,
    **dict.fromkeys(("Integer", "BigInteger", "SmallInteger"), int),
    **dict.fromkeys(("String", "Text", "Unicode", "UnicodeText"), str),
}
_MYSQL_DRIVERS = ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy")
_POSTGRESQL_DRIVERS = (
    "psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "asyncpg", "pg8000",
)  # fmt: skip


class AlembicKnowledge(Knowledge):
    """Types of what operations give."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The operations on one table, whose name they carry as their fact."""
        if callee.name == f"{_OPERATIONS}.batch_alter_table":
            return context_manager(instance(_BATCH, fact=_name(argument(call, 0, "table_name"))))
        return None


KNOWLEDGE = AlembicKnowledge()


def required_column(call: ast.Call, ctx: Context) -> ast.Call | None:
    """The column that an `add_column` gives a table with rows, which have no value for it; else None.

    PostgreSQL, SQLite, SQL Server and Oracle refuse a `NOT NULL` column without default as soon as there
    is a row; MySQL fills in an empty value, so its projects are left out. A table that the same function
    creates or empties has no rows.
    """
    callee = ctx.type_of(call.func)
    if callee is None:
        return None
    if callee.name == f"{_OPERATIONS}.add_column":
        table: object = _name(argument(call, 0, "table_name"))
        column = argument(call, 1, "column")
    elif callee.name == f"{_BATCH}.add_column" and callee.receiver is not None:
        table = callee.receiver.fact
        column = argument(call, 0, "column")
    else:
        return None
    if not isinstance(column, ast.Call) or not _is_required(column, ctx.module):
        return None
    function = ctx.enclosing_function(call)
    if not isinstance(function, ast.FunctionDef) or "upgrade" not in function.name:
        return None
    if _is_for_mysql(ctx) or _may_have_no_rows(table, ctx.function_info(function)):
        return None
    return column


def _is_required(column: ast.Call, module: Module) -> bool:
    """Whether a column is `NOT NULL`, and neither the database nor the revision has a value for it."""
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    if None in given or any(isinstance(argument, ast.Starred) for argument in column.args):
        return False
    nullable, default = given.get("nullable"), given.get("server_default")
    if not isinstance(nullable, ast.Constant) or nullable.value is not False:
        return False
    if default is not None and not (isinstance(default, ast.Constant) and default.value is None):
        return False
    if given.keys() & {"primary_key", "autoincrement"}:
        return False  # a key is a SERIAL on PostgreSQL
    if any(isinstance(part, ast.Call) and last_name(part.func) in _FILLED for part in column.args):
        return False
    return library_name(column.func, module) == names.COLUMN


def default_for_rows(column: ast.Call, ctx: Context) -> tuple[ast.expr, str] | None:
    """The value of a column's `default` and the `server_default` that gives the same; None where unsure."""
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    value = given.get("default")
    kind = next(
        (last_name(part.func if isinstance(part, ast.Call) else part) for part in column.args[1:]), ""
    )
    if not isinstance(value, ast.Constant) or type(value.value) is not _VALUES.get(kind):
        return None
    if "server_default" in given or not isinstance(column.func, ast.Attribute):
        return None
    sqlalchemy = ctx.text(column.func.value)
    match value.value:
        case bool(truth):
            return value, f"{sqlalchemy}.{'true' if truth else 'false'}()"
        case int(number):
            return value, f'{sqlalchemy}.text("{number}")'
    return value, ctx.text(value)


def _is_for_mysql(ctx: Context) -> bool:
    if b"mysql" in ctx.source.data:
        return True
    declares = ctx.project.versions.declares
    return any(map(declares, _MYSQL_DRIVERS)) and not any(map(declares, _POSTGRESQL_DRIVERS))


def _may_have_no_rows(table: object, function: FunctionInfo) -> bool:
    """Whether a function of a revision creates a table or removes rows, as far as can be seen."""
    for call in function.own(ast.Call):
        word = last_name(call.func)
        if word == "delete" or (word == "create_table" and _name(argument(call, 0, "table_name")) == table):
            return True
    texts = (node.value.upper() for node in function.own(ast.Constant) if isinstance(node.value, str))
    return any(words in text for text in texts for words in ("DELETE FROM", "TRUNCATE", "CREATE TABLE"))


def _name(node: ast.expr | None) -> str | None:
    """The name of a table: as the text says, or what stands for it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ast.unparse(node) if node is not None else None
