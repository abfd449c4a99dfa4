"""Rule PB503: legacy-column."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_columns
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB503",
    "legacy-column",
    "Declare `{name}: Mapped[{type}] = mapped_column(...)` instead of `Column(...)`",
    nodes=(ast.ClassDef,),
    words=("Column",),
    applies="sqlalchemy>=2.0",
    fix=SAFE,
    tags=("style",),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A class below `DeclarativeBase` declares columns with `Column`, which type checkers cannot read.

    ## Why
    `Mapped[...]` with `mapped_column()` tells a type checker what an attribute holds on an object and what
    it is on the class; `Column` tells neither, so every read of the attribute is unchecked. All columns of a
    class are changed at once, because a class that mixes both is read wrongly. One finding is reported for
    each class, at its first such column.

    ## Bad
    ```python
    from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String

    from shop.database import Base


    class Order(Base):
        __tablename__ = "orders"

        id = Column(Integer, primary_key=True)
        customer_id = Column(Integer, ForeignKey("customers.id"), nullable=False)
        note = Column(String(200))
        paid = Column(Boolean, default=False, nullable=False)
        shipped_at = Column(DateTime(timezone=True))  # empty before
    ```
    ```python file=shop/database.py
    from sqlalchemy.orm import DeclarativeBase


    class Base(DeclarativeBase):
        pass
    ```

    ## Good
    ```python
    from datetime import datetime

    from sqlalchemy import Boolean, DateTime, ForeignKey, Integer, String
    from sqlalchemy.orm import Mapped, mapped_column

    from shop.database import Base


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        customer_id: Mapped[int] = mapped_column(Integer, ForeignKey("customers.id"), nullable=False)
        note: Mapped[str | None] = mapped_column(String(200))
        paid: Mapped[bool] = mapped_column(Boolean, default=False, nullable=False)
        shipped_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # empty before
    ```

    ## Not reported
    ```python
    from sqlalchemy import Column, Integer, MetaData, Table
    from sqlalchemy.orm import declarative_mixin

    metadata = MetaData()
    order_tags = Table("order_tags", metadata, Column("order_id", Integer), Column("tag_id", Integer))


    @declarative_mixin
    class HasVersion:
        version = Column(Integer, nullable=False)  # classes of another base may use the mixin
    ```

    ## Fix safety
    The table stays the same: the types are kept, and `| None` is added exactly where the column may be null.
    There is no fix where a type does not map to one Python type, where a column has the name of a type that
    an annotation needs, nor for classes that are dataclasses, where the order of fields would matter.

    ## When not to use it
    Where the project uses no type checker, or supports SQLAlchemy 1.4.

    ## References
    - SQLAlchemy 2.0: "What's New in SQLAlchemy 2.0?", "ORM Declarative Models"
    - SQLAlchemy: "Table Configuration with Declarative", "Using Annotated Declarative Table"
    """
    columns = sqlalchemy_columns.legacy_columns(node, ctx)
    if not columns:
        return
    first = columns[0]
    edits = sqlalchemy_columns.mapped_columns(columns, node, ctx)
    yield ctx.finding(
        first.call,
        name=first.name,
        type=first.annotation or "...",
        fix=ctx.fix("Declare the columns with `mapped_column()`", *edits) if edits is not None else None,
    )
