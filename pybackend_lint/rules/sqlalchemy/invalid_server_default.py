"""Rule PB561: invalid-server-default."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_defaults
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB561",
    "invalid-server-default",
    "Write `server_default` as SQL: `{value}` is no SQL expression",
    nodes=(ast.Call,),
    names=("Column", "mapped_column"),
    words=("server_default",),
    applies="sqlalchemy",
    fix=SAFE,
    severity="error",
    tags=("correctness",),
    migrations="both",
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The default that the database shall fill in is a value or function of Python's.

    ## Why
    `server_default` becomes the `DEFAULT` clause of the table. SQLAlchemy takes a text or a SQL expression
    there and raises `ArgumentError` for anything else, when the class is defined; a revision raises it when
    it runs, on whatever database that is. `default` is the argument for values and functions of Python's.

    ## Bad
    ```python
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        paid: Mapped[bool] = mapped_column(server_default=False)
    ```
    ```python check file=migrations/versions/4f1c_order_state.py
    import sqlalchemy as sa
    from alembic import op

    revision = "4f1c"
    down_revision = None


    def upgrade() -> None:
        op.add_column("orders", sa.Column("state", sa.Integer(), nullable=False, server_default=0))


    def downgrade() -> None:
        op.drop_column("orders", "state")
    ```

    ## Good
    ```python
    from sqlalchemy import false
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        paid: Mapped[bool] = mapped_column(server_default=false())
    ```
    ```python check file=migrations/versions/4f1c_order_state.py
    import sqlalchemy as sa
    from alembic import op

    revision = "4f1c"
    down_revision = None


    def upgrade() -> None:
        op.add_column("orders", sa.Column("state", sa.Integer(), nullable=False, server_default=sa.text("0")))


    def downgrade() -> None:
        op.drop_column("orders", "state")
    ```

    ## Not reported
    ```python
    from datetime import datetime

    from sqlalchemy import FetchedValue, func, text
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    from shop.states import State


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        count: Mapped[int] = mapped_column(server_default="0")  # a text becomes a literal
        state: Mapped[str] = mapped_column(server_default=State.NEW)  # a member that is a text
        key: Mapped[str] = mapped_column(server_default=text("gen_random_uuid()"))
        placed_at: Mapped[datetime] = mapped_column(server_default=func.now())
        number: Mapped[int] = mapped_column(server_default=FetchedValue())
    ```
    ```python file=shop/states.py
    from enum import StrEnum


    class State(StrEnum):
        NEW = "new"
    ```
    `op.alter_column(server_default=False)` means that the default stays as it is.

    ## Fix safety
    The code that is replaced can only raise. Truths become `true()` and `false()`, numbers `text("0")`,
    where the column has such a type. For a function, such as `datetime.now`, choose between `default` and
    its like in SQL, such as `func.now()`.

    ## When not to use it
    There is no reason to turn it off: what is reported raises.

    ## References
    - SQLAlchemy: "Column INSERT/UPDATE Defaults", "Server-invoked DDL-Explicit Default Expressions"
    """
    value = sqlalchemy_defaults.server_default_without_sql(call, ctx)
    if value is not None:
        edits = sqlalchemy_defaults.as_sql(value, call, ctx)
        fix = ctx.fix("Write it as SQL", *edits) if edits else None
        yield ctx.finding(value, fix=fix, value=ctx.text(value))
