"""Rule PB528: joined-collection-without-unique."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB528",
    "joined-collection-without-unique",
    "Call `.unique()` before the rows are read: `joinedload({relation})` repeats them",
    nodes=(ast.Call, ast.For, ast.AsyncFor, ast.comprehension),
    names=tuple(sorted(sqlalchemy.READS_ROWS)),
    words=("execute", "scalars", "exec"),
    applies="sqlalchemy>=1.4",
    fix=SAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call | ast.For | ast.AsyncFor | ast.comprehension, ctx: Context) -> Iterator[Finding]:
    """A result with a joined collection is read without `unique()`, which SQLAlchemy refuses.

    ## Why
    `joinedload()` of a collection repeats each object once for every element. A 2.0 result leaves the
    removal of the repeats to the caller: without `unique()` it raises `InvalidRequestError` when the first
    row is read.

    ## Bad
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session, joinedload

    from shop.models import Order


    def orders_with_lines(session: Session) -> Sequence[Order]:
        statement = select(Order).options(joinedload(Order.lines)).order_by(Order.id)
        return session.scalars(statement).all()
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

    ## Good
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session, joinedload

    from shop.models import Order


    def orders_with_lines(session: Session) -> Sequence[Order]:
        statement = select(Order).options(joinedload(Order.lines)).order_by(Order.id)
        return session.scalars(statement).unique().all()
    ```

    ## Not reported
    ```python
    from collections.abc import Sequence

    from sqlalchemy import select
    from sqlalchemy.orm import Session, joinedload

    from shop.models import Line, Order


    def lines_with_orders(session: Session) -> Sequence[Line]:
        statement = select(Line).options(joinedload(Line.order))  # one order for each line
        return session.scalars(statement).all()


    def any_order(session: Session) -> Order | None:
        return session.scalars(select(Order).options(joinedload(Order.lines)).limit(1)).first()
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
    The code that is replaced can only raise. Where the result is large, `selectinload()` is often the better
    remedy.

    ## When not to use it
    There is no reason to turn it off: what is reported raises.

    ## References
    - SQLAlchemy, Relationship Loading Techniques: "Joined Eager Loading"
    - SQLAlchemy 2.0, Migration Guide: "ORM Rows not uniquified by default"
    """
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Attribute):
            return
        result = node.func.value
    else:
        result = node.iter
    rows = sqlalchemy.rows_of(result, ctx)
    if rows is None or rows.unique or rows.statement is None:
        return
    relation = sqlalchemy.eager_collection(rows.statement, ctx)
    if relation is None:
        return
    if isinstance(node, ast.Call):
        dot = ctx.source.text.rindex(".", ctx.source.end(result), ctx.source.end(node.func))
        edits = [Edit(dot, dot, ".unique()")]
    elif isinstance(result, ast.Await):
        edits = [ctx.insert_before(result, "("), ctx.insert_after(result, ").unique()")]
    else:
        edits = [ctx.insert_after(result, ".unique()")]
    yield ctx.finding(result, end=node if isinstance(node, ast.Call) else None, relation=relation,
                      fix=ctx.fix("Call `unique()`", *edits))  # fmt: skip
