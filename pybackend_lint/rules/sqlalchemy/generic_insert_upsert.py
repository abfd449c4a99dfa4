"""Rule PB533: generic-insert-upsert."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_upserts as upserts
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB533",
    "generic-insert-upsert",
    "Import `insert` from `sqlalchemy.dialects.{dialect}`: this one has no `{method}`",
    nodes=(ast.Call,),
    names=tuple(upserts.DIALECTS),
    applies="sqlalchemy",
    fix=SAFE,
    severity="error",
    tags=("correctness",),
    migrations="both",
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A statement of SQLAlchemy's own `insert` is asked for what only a dialect's can do.

    ## Why
    There is no upsert in standard SQL, so `sqlalchemy.insert()` has none: `on_conflict_do_update()` and
    `on_conflict_do_nothing()` belong to the `insert` of PostgreSQL's and SQLite's dialects,
    `on_duplicate_key_update()` to MySQL's. The names are the same, and the wrong import is an
    `AttributeError` when the statement is built.

    ## Bad
    ```python
    from sqlalchemy import insert
    from sqlalchemy.orm import Session

    from shop.models import Stock


    def receive(session: Session, rows: list[dict[str, object]]) -> None:
        statement = insert(Stock).values(rows)
        session.execute(statement.on_conflict_do_nothing(index_elements=["sku"]))
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Stock(Base):
        __tablename__ = "stock"

        sku: Mapped[str] = mapped_column(primary_key=True)
        amount: Mapped[int]
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["sqlalchemy>=2.0", "psycopg>=3.2"]
    ```

    ## Good
    ```python
    from sqlalchemy.dialects.postgresql import insert
    from sqlalchemy.orm import Session

    from shop.models import Stock


    def receive(session: Session, rows: list[dict[str, object]]) -> None:
        statement = insert(Stock).values(rows)
        session.execute(statement.on_conflict_do_nothing(index_elements=["sku"]))
    ```

    ## Not reported
    ```python
    from sqlalchemy import insert
    from sqlalchemy.dialects import mysql, postgresql
    from sqlalchemy.orm import Session

    from shop.models import Stock


    def receive(session: Session, rows: list[dict[str, object]]) -> None:
        if session.get_bind().dialect.name == "mysql":
            session.execute(mysql.insert(Stock).values(rows).on_duplicate_key_update(amount=0))
        else:
            session.execute(postgresql.insert(Stock).values(rows).on_conflict_do_nothing())
        session.execute(insert(Stock).values(sku="total", amount=len(rows)))
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Stock(Base):
        __tablename__ = "stock"

        sku: Mapped[str] = mapped_column(primary_key=True)
        amount: Mapped[int]
    ```
    A variable that is set in several places is not followed.

    ## Fix safety
    The call uses the `insert` of the dialect. It is safe: as it stands, the statement cannot be built. For
    `on_conflict_do_update()` and `on_conflict_do_nothing()` the fix is offered where the dependencies name
    a driver of PostgreSQL, or only `aiosqlite`.

    ## When not to use it
    There is no reason to turn it off: what is reported raises.

    ## References
    - SQLAlchemy: "PostgreSQL", "INSERT...ON CONFLICT (Upsert)"
    - SQLAlchemy: "MySQL and MariaDB", "INSERT...ON DUPLICATE KEY UPDATE (Upsert)"
    """
    insert = upserts.generic_insert(call, ctx)
    if insert is not None and isinstance(call.func, ast.Attribute):
        method = call.func.attr
        related = [ctx.related(insert, "the statement is made here")]
        dialect = upserts.DIALECTS[method]
        edits = upserts.dialect_edits(insert, method, ctx)
        fix = ctx.fix("Use the `insert` of the dialect", *edits) if edits else None
        yield ctx.finding(call.func, fix=fix, related=related, dialect=dialect, method=method)
