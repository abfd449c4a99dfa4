"""Rule PB555: python-boolean-on-clause."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_expressions
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB555",
    "python-boolean-on-clause",
    "Use `{op}` for SQL expressions: Python's `{word}` is decided before the query is sent",
    nodes=(ast.Module,),
    words=("where", "filter", "having", "and_", "or_", "not_"),
    applies="sqlalchemy",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A condition of a query combines SQL expressions with Python's `and`, `or`, `not` or `in`.

    ## Why
    Python decides these operators itself, when the statement is built. `a == 1 and b == 2` keeps only the
    first comparison, `not a == 1` becomes `WHERE true` and `a in [1, 2]` becomes `WHERE false`: rows are
    missing or too many, and nothing is said. A variable or list that holds the condition changes nothing.

    ## Bad
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Order


    def open_orders(session: Session, customer_id: int) -> Sequence[Order]:
        statement = select(Order).where(Order.customer_id == customer_id and Order.paid == False)
        return session.scalars(statement).all()
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int]
        paid: Mapped[bool]
    ```

    ## Good
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Order


    def open_orders(session: Session, customer_id: int) -> Sequence[Order]:
        statement = select(Order).where(Order.customer_id == customer_id, Order.paid == False)
        return session.scalars(statement).all()
    ```

    ## Not reported
    ```python
    from sqlalchemy import Select, select, true

    from shop.models import Order


    def orders(customer_id: int | None, everything: bool) -> Select[tuple[Order]]:
        mine = Order.customer_id == customer_id
        return select(Order).where(everything and true() or mine)  # Python chooses the condition
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int]
    ```

    ## Fix safety
    The query now filters as it reads, so it returns other rows than before.

    ## When not to use it
    There is no reason to turn it off: such a condition never reaches the database.

    ## References
    - SQLAlchemy: "Operator Reference", "Conjunction Operators"
    """
    for condition in sqlalchemy_expressions.conditions(ctx):
        found = sqlalchemy_expressions.python_operator(condition, ctx)
        if found is None or not sqlalchemy_expressions.is_outermost(condition, ctx):
            continue
        edits = sqlalchemy_expressions.as_sql(condition, ctx)
        fix = ctx.fix(f"Use `{found.replacement}`", *edits) if edits is not None else None
        yield ctx.finding(condition, op=found.replacement, word=found.word, fix=fix)
