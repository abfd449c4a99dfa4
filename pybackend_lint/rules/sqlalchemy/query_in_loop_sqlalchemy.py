"""Rule PB526: query-in-loop-sqlalchemy."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_loops
from pybackend_lint.rule import Context, rule


@rule(
    "PB526",
    "query-in-loop-sqlalchemy",
    "Fetch all rows once with `{entity}.{column}.in_(...)` instead of a query per iteration",
    nodes=(ast.Module,),
    applies="sqlalchemy>=1.4",
    tags=("performance",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A loop sends the same query again and again, with another value of one column each time.

    The loop may be a comprehension, and the column may be compared in `where()`, `filter()` or `filter_by()`.
    The query may stand in a function or method of any file that is called for each element, such as
    `repository.by_id(order.customer_id)`, as long as it only reads and always sends it.

    ## Why
    A hundred elements cost a hundred round trips to the database, and the number grows with the data. One
    query with `in_()` before the loop, and a dictionary of its rows, costs one.

    ## Bad
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Customer, Order


    def customer_names(session: Session, orders: Sequence[Order]) -> list[str]:
        names = []
        for order in orders:
            statement = select(Customer.name).where(Customer.id == order.customer_id)
            names.append(session.scalars(statement).one())
        return names
    ```
    ```python file=shop/models.py
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    ```

    ```python
    from collections.abc import Sequence

    from shop.customers import Customers
    from shop.models import Order


    def customer_names(customers: Customers, orders: Sequence[Order]) -> list[str]:
        return [customers.name_of(order.customer_id) for order in orders]
    ```
    ```python file=shop/customers.py
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Customer


    class Customers:
        def __init__(self, session: Session) -> None:
            self._session = session

        def name_of(self, key: int) -> str:
            return self._session.scalars(select(Customer.name).where(Customer.id == key)).one()
    ```
    ```python file=shop/models.py
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    ```

    ## Good
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Customer, Order


    def customer_names(session: Session, orders: Sequence[Order]) -> list[str]:
        keys = {order.customer_id for order in orders}
        rows = session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(keys)))
        names = {key: name for key, name in rows}
        return [names[order.customer_id] for order in orders]
    ```

    ## Not reported
    ```python
    import time
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Customer


    def first_known(session: Session, names: Sequence[str]) -> Customer | None:
        for name in names:
            customer = session.scalars(select(Customer).where(Customer.name == name)).first()
            if customer is not None:
                return customer  # ends early: the next query may never be sent
        return None


    def in_chunks(session: Session, chunks: Sequence[list[int]]) -> list[Customer]:
        found: list[Customer] = []
        for chunk in chunks:
            found += session.scalars(select(Customer).where(Customer.id.in_(chunk)))
        return found


    def invite(session: Session, names: Sequence[str]) -> None:
        for name in names:
            customer = session.scalars(select(Customer).where(Customer.name == name)).first()
            print("Dear", customer)
            time.sleep(5)  # the loop is slow on purpose
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Customer(Base):
        __tablename__ = "customers"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
    ```

    ## When not to use it
    Where a loop is known to run once or twice, or where each query must see what the one before has changed.

    ## References
    - SQLAlchemy: "Operator Reference", "IN Comparisons"
    """
    for query in sqlalchemy_loops.queries_in_loops(ctx):
        yield ctx.finding(
            query.call,
            entity=query.entity,
            column=query.column,
            related=[ctx.related(query.loop, "sent once for each element of this loop"), *query.steps],
        )
