"""Rule PB507: relationship-type-mismatch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Position, Related
from pybackend_lint.frameworks import sqlalchemy_pairs
from pybackend_lint.rule import Context, rule


@rule(
    "PB507",
    "relationship-type-mismatch",
    "Annotate `{name}` as `{expected}`: the foreign key `{column}` is on `{holder}`",
    nodes=(ast.Call,),
    names=("relationship",),
    words=("relationship",),
    applies="sqlalchemy>=2.0",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A relationship is annotated as one object where there are many, or as many where there is one.

    The table with the foreign key is the "many" side: each of its rows leads to one row of the other table.

    ## Why
    SQLAlchemy takes `Mapped["Order"]` on the side of the one without complaint and makes the attribute a
    scalar: only one of the rows is ever seen, and the others cause a warning when they are loaded.
    `Mapped[list["Customer"]]` on the side of the foreign key is a scalar at run time as well, while type
    checkers believe in a list: a loop over it raises `TypeError`.

    ## Bad
    ```python
    from __future__ import annotations

    from sqlalchemy.orm import Mapped, mapped_column, relationship

    from shop.base import Base
    from shop.orders import Order


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        orders: Mapped[Order] = relationship(back_populates="customer")
    ```
    ```python file=shop/base.py
    from sqlalchemy.orm import DeclarativeBase


    class Base(DeclarativeBase):
        pass
    ```
    ```python file=shop/orders.py
    from __future__ import annotations

    from typing import TYPE_CHECKING

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import Mapped, mapped_column, relationship

    from shop.base import Base

    if TYPE_CHECKING:
        from example import Customer


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
        customer: Mapped[Customer] = relationship(back_populates="orders")
    ```

    ## Good
    ```python
    from __future__ import annotations

    from sqlalchemy.orm import Mapped, mapped_column, relationship

    from shop.base import Base
    from shop.orders import Order


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        orders: Mapped[list[Order]] = relationship(back_populates="customer")
    ```

    ## Not reported
    ```python
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        profile: Mapped[Profile] = relationship(back_populates="customer")


    class Profile(Base):
        __tablename__ = "profiles"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), unique=True)  # at most one
        customer: Mapped[Customer] = relationship(back_populates="profile")
    ```

    ## When not to use it
    Where a table keeps at most one row for each row of the other without saying so; `unique=True` on the
    foreign key says it to readers and to the database.

    ## References
    - SQLAlchemy: "Basic Relationship Patterns", "One To Many", "One To One"
    """
    side = sqlalchemy_pairs.side_of(node, ctx.module)
    found = sqlalchemy_pairs.wrong_type(side) if side is not None else None
    if side is None or found is None:
        return
    target = side.target.node.name
    path = found.holder.module.source.path
    yield ctx.finding(
        node.func,
        name=side.relation.name,
        expected=f"Mapped[{target}]" if found.many else f"Mapped[list[{target}]]",
        column=found.column,
        holder=found.holder.node.name,
        related=[Related(path, Position(found.row, 1), "the foreign key")],
    )
