"""Rule PB525: n-plus-one-relationship."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_loading, sqlalchemy_rows
from pybackend_lint.rule import UNSAFE, Context, rule

_BY_READER = "Load `{entity}.{relation}` with `{loader}()`: `{reader}` sends a query for each row"


@rule(
    "PB525",
    "n-plus-one-relationship",
    "Load `{entity}.{relation}` with `{loader}()`: this loop sends a query for each row",
    nodes=(ast.Module,),
    applies="sqlalchemy>=1.2",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A relationship is loaded once for each row of a result: one query for the rows, and one more for each.

    The read stands in a loop, in a helper, property or method that the loop calls, in a Pydantic model that
    turns the rows into a response, or in a template of Jinja that shows them.

    ## Why
    A list of a hundred rows costs a hundred and one round trips to the database. It is fast on the few rows
    of a test and slow in production, and no single query looks slow.

    ## Bad
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Order


    def lines_per_order(session: Session) -> dict[int, int]:
        orders = session.scalars(select(Order))
        return {order.id: len(order.lines) for order in orders}
    ```
    ```python file=shop/models.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        lines: Mapped[list[Line]] = relationship()


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    ```
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Order
    from shop.serialisers import order_to_dict


    def recent_orders(session: Session) -> list[dict[str, object]]:
        orders = session.scalars(select(Order).limit(50))
        return [order_to_dict(order) for order in orders]
    ```
    ```python file=shop/serialisers.py
    from shop.models import Order


    def order_to_dict(order: Order) -> dict[str, object]:
        return {"id": order.id, "lines": [line.id for line in order.lines]}
    ```
    ```python file=shop/models.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        lines: Mapped[list[Line]] = relationship()


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    ```

    ## Good
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session, selectinload

    from shop.models import Order


    def lines_per_order(session: Session) -> dict[int, int]:
        orders = session.scalars(select(Order).options(selectinload(Order.lines)))
        return {order.id: len(order.lines) for order in orders}
    ```
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session, selectinload

    from shop.models import Order
    from shop.serialisers import order_to_dict


    def recent_orders(session: Session) -> list[dict[str, object]]:
        orders = session.scalars(select(Order).options(selectinload(Order.lines)).limit(50))
        return [order_to_dict(order) for order in orders]
    ```

    ## Not reported
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Line, Order


    def first_with_lines(session: Session) -> Order | None:
        for order in session.scalars(select(Order)):
            if order.lines:
                return order  # may end with the first row
        return None


    def order_ids(session: Session, order_id: int) -> list[int]:
        lines = session.scalars(select(Line).where(Line.order_id == order_id))
        return [line.order.id for line in lines]  # all lines have the same order


    def count(orders: list[Order]) -> int:
        return sum(len(order.lines) for order in orders)  # nothing is known of how they were loaded
    ```
    ```python file=shop/models.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        lines: Mapped[list[Line]] = relationship(back_populates="order")


    class Line(Base):
        __tablename__ = "lines"

        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
        order: Mapped[Order] = relationship(back_populates="lines")
    ```

    ## Fix safety
    The fix adds a loader option to the statement in the same function. Rows and their order stay the same;
    the relationship is then loaded for all rows, also for those of which it is not read.

    ## When not to use it
    Where the number of rows is known to stay very small.

    ## References
    - SQLAlchemy, ORM Querying Guide: "Relationship Loading Techniques"
    """
    for row in sqlalchemy_rows.row_reads(ctx):
        yield ctx.finding(
            row.place,
            message=_BY_READER if row.reader else None,
            entity=row.read.owner.rpartition(".")[2],
            relation=row.read.relation.name,
            loader=row.read.loader,
            reader=row.reader,
            fix=sqlalchemy_loading.loading_fix(row.read, row.place, ctx),
            related=[*row.steps, *sqlalchemy_loading.proof(row.read)],
        )
