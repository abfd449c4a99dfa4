"""Upserts: statements that insert a row or change the one that is there."""

from __future__ import annotations

import ast

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.rule import Context
from pybackend_lint.semantic.import_edits import orphaned, replace_imports
from pybackend_lint.semantic.module import Module

# The methods that only the dialects have, and the dialects.
DIALECTS = {
    "on_conflict_do_nothing": "postgresql` or `sqlalchemy.dialects.sqlite",
    "on_conflict_do_update": "postgresql` or `sqlalchemy.dialects.sqlite",
    "on_duplicate_key_update": "mysql",
}
_POSTGRESQL_DRIVERS = ("asyncpg", "psycopg", "psycopg-binary", "psycopg2", "psycopg2-binary", "pg8000")
_INSERTS = frozenset(
    {"sqlalchemy.insert", "sqlalchemy.sql.insert", "sqlalchemy.sql.expression.insert", "sqlmodel.insert"}
)
_LONGEST_CHAIN = 12


def generic_insert(call: ast.Call, ctx: Context) -> ast.Call | None:
    """The call of SQLAlchemy's own `insert` to whose statement a dialect's method is applied; else None."""
    if not isinstance(call.func, ast.Attribute):
        return None
    return _insert(call.func.value, ctx.module, 0)


def _insert(statement: ast.expr, module: Module, depth: int) -> ast.Call | None:
    """The generic `insert` that a statement is made of by calling its methods, also through a variable."""
    if depth > _LONGEST_CHAIN:
        return None
    match statement:
        case ast.Call(func=func) if _is_generic(func, module):
            return statement
        case ast.Call(func=ast.Attribute(value=inner)):
            return _insert(inner, module, depth + 1)
        case ast.Name():
            found = module.lookup(statement.id, statement)
            if found is None or len(found[1]) != 1 or found[1][0].kind != "assign" or found[1][0].path:
                return None
            value = found[1][0].value
            return _insert(value, module, depth + 1) if value is not None else None
    return None


def dialect_edits(insert: ast.Call, method: str, ctx: Context) -> tuple[Edit, ...]:
    """The edits that make a statement by the `insert` of the project's dialect; empty where none is known."""
    versions = ctx.project.versions
    if method == "on_duplicate_key_update":
        dialect = "mysql"
    elif any(versions.declares(driver) for driver in _POSTGRESQL_DRIVERS):
        dialect = "postgresql"
    elif versions.declares("aiosqlite"):
        dialect = "sqlite"
    else:
        return ()
    wanted, unneeded = f"sqlalchemy.dialects.{dialect}.insert", orphaned(ctx.source, [insert.func])
    (name,), imports = replace_imports(ctx.source, [wanted], unneeded)
    return (ctx.edit(insert.func, name), *imports)


def _is_generic(func: ast.expr, module: Module) -> bool:
    return library_name(func, module) in _INSERTS
