"""Rule PB506: relationship-pair-mismatch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix, Position, Related
from pybackend_lint.frameworks import sqlalchemy_pairs
from pybackend_lint.frameworks.sqlalchemy_pairs import Mismatch
from pybackend_lint.rule import UNSAFE, Context, rule

_MESSAGES = {
    "elsewhere": 'Fix `back_populates="{value}"`: `{target}.{value}` leads to `{other}`',
    "other": 'Fix `back_populates="{value}"`: `{target}.{value}` names another relationship',
    "unpaired": "Join `{owner}.{name}` and `{target}.{value}` by `back_populates`: both write one key",
}


@rule(
    "PB506",
    "relationship-pair-mismatch",
    'Fix `back_populates="{value}"`: `{target}` has no such relationship',
    nodes=(ast.Call,),
    names=("relationship", "Relationship"),
    words=("relationship", "Relationship"),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The two sides of a relationship do not name each other.

    `back_populates` names an attribute that the other class does not have, one that leads to a third class,
    or one that itself names a different attribute. Or both sides exist over one foreign key and neither
    names the other.

    ## Why
    A name that does not exist raises `InvalidRequestError` when the mappers are configured: on the first
    query of the process, not at import, and from then on every query of every mapped class fails. Two sides
    that do not know of each other fall out of step: what is appended to one does not appear in the other,
    and SQLAlchemy warns that both copy the same column.

    ## Bad
    ```python
    from __future__ import annotations

    from typing import TYPE_CHECKING

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import Mapped, mapped_column, relationship

    from shop.base import Base

    if TYPE_CHECKING:
        from shop.customers import Customer


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
        customer: Mapped[Customer] = relationship(back_populates="order")
    ```
    ```python file=shop/base.py
    from sqlalchemy.orm import DeclarativeBase


    class Base(DeclarativeBase):
        pass
    ```
    ```python file=shop/customers.py
    from __future__ import annotations

    from sqlalchemy.orm import Mapped, mapped_column, relationship

    from example import Order
    from shop.base import Base


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        orders: Mapped[list[Order]] = relationship(back_populates="customer")
    ```

    ## Good
    ```python
    from __future__ import annotations

    from typing import TYPE_CHECKING

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import Mapped, mapped_column, relationship

    from shop.base import Base

    if TYPE_CHECKING:
        from shop.customers import Customer


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
        customer: Mapped[Customer] = relationship(back_populates="orders")
    ```

    ## Not reported
    ```python
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        books: Mapped[list[Book]] = relationship(back_populates="author")
        drafts: Mapped[list[Book]] = relationship(viewonly=True)  # reads only


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
        author: Mapped[Author] = relationship()  # one side that names the other is enough
    ```

    ## Fix safety
    The fix is offered where exactly one relationship of the other class leads back. It changes which
    attributes follow each other.

    ## When not to use it
    Where relationships are added to classes at run time.

    ## References
    - SQLAlchemy: "Basic Relationship Patterns"
    - SQLAlchemy, Error Messages: "relationship X will copy column Q to column P, which conflicts with
      relationship(s): Y"
    """
    side = sqlalchemy_pairs.side_of(node, ctx.module)
    found = sqlalchemy_pairs.mismatch(side) if side is not None else None
    if side is None or found is None:
        return
    wanted, relation = side.other_name, found.relation
    related = [ctx.related(node, f"`{side.owner.node.name}.{side.relation.name}` is declared here")]
    if relation is not None:
        place = Position(relation.row, 1)
        related.append(Related(relation.path, place, f"`{side.target.node.name}.{relation.name}`"))
    else:
        source = side.target.module.source
        place = source.position(source.start(side.target.node))
        related.append(Related(source.path, place, f"`{side.target.node.name}` has no such relationship"))
    other = relation.target.rpartition(".")[2] if relation is not None and relation.target else ""
    yield ctx.finding(
        wanted or node.func,
        message=_MESSAGES.get(found.kind),
        value=wanted.value if wanted is not None else relation.name if relation is not None else "",
        target=side.target.node.name,
        owner=side.owner.node.name,
        name=side.relation.name,
        other=other,
        fix=_fix(found, ctx),
        related=related[1:] if found.kind != "unpaired" else related,
    )


def _fix(found: Mismatch, ctx: Context) -> Fix | None:
    wanted = found.side.other_name
    if wanted is None or found.meant is None:
        return None
    quote = "'" if ctx.text(wanted).startswith("'") else '"'
    return ctx.fix(f"Name `{found.meant}`", ctx.edit(wanted, f"{quote}{found.meant}{quote}"))
