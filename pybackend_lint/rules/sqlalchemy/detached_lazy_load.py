"""Rule PB524: detached-lazy-load."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import sqlalchemy_expiry, sqlalchemy_loading
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after


@rule(
    "PB524",
    "detached-lazy-load",
    "Load `{entity}.{relation}` inside the session block: `{name}` is detached here",
    nodes=(ast.Module,),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A relationship, or what a commit has expired, is read after the session of its object was closed.

    The session is opened by a `with` block of the same function, or of the function that returned the
    object.

    ## Why
    The end of the block closes the session and detaches its objects. Columns that were loaded can still be
    read; a relationship that was not raises `DetachedInstanceError`. The code works in a test that keeps
    one session open, and fails in production.

    A commit expires every attribute, columns and primary key included, unless the session was made with
    `expire_on_commit=False`: behind a block that commits, nothing of its objects can be read.

    ## Bad
    ```python
    from sqlalchemy.orm import Session

    from shop.orders import Order, engine


    def print_order(order_id: int) -> None:
        with Session(engine) as session:
            order = session.get_one(Order, order_id)
        for line in order.lines:
            print(line.id)
    ```
    ```python file=shop/orders.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

    engine = create_engine("sqlite://")


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
    from sqlalchemy.orm import Session

    from shop.orders import Order, engine


    def create_order() -> int:
        order = Order()
        with Session(engine) as session:
            session.add(order)
            session.commit()
        return order.id
    ```
    ```python file=shop/orders.py
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    engine = create_engine("sqlite://")


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
    ```

    ## Good
    ```python
    from sqlalchemy.orm import Session, selectinload

    from shop.orders import Order, engine


    def print_order(order_id: int) -> None:
        with Session(engine) as session:
            order = session.get_one(Order, order_id, options=[selectinload(Order.lines)])
        for line in order.lines:
            print(line.id)
    ```
    ```python
    from sqlalchemy.orm import Session

    from shop.orders import Order, engine


    def create_order() -> int:
        order = Order()
        with Session(engine) as session:
            session.add(order)
            session.commit()
            session.refresh(order)
        return order.id
    ```

    ## Not reported
    ```python
    from sqlalchemy.orm import Session

    from shop.orders import Order


    def print_order(session: Session, order_id: int) -> None:
        with session.begin():
            order = session.get_one(Order, order_id)
        print(len(order.lines))  # the block ends a transaction, the session stays open
    ```
    ```python file=shop/orders.py
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

    ## Fix safety
    The fix adds a loader option to the statement in the same function; the relationship is then loaded
    wherever the statement runs. Where a commit has expired the object, it is loaded once more behind the
    commit, which is a query; reading before the end of the block, where nothing is closed, loads it too.

    ## When not to use it
    Where objects are attached to another session before they are read.

    ## References
    - SQLAlchemy, Session Basics: "Closing"
    - SQLAlchemy, Error Messages: "Parent instance is not bound to a Session; (lazy load/deferred
      load/refresh/etc.) operation cannot proceed"
    """
    reported: set[ast.Attribute] = set()
    for found in sqlalchemy_expiry.detached_reads(ctx):
        reported.add(found.node)
        source = found.home.source
        closed = Related(
            source.path, source.position(source.start(found.block)), "the end closes the session"
        )
        yield ctx.finding(
            found.node,
            entity=found.read.owner.rpartition(".")[2],
            relation=found.attribute,
            name=found.name,
            fix=sqlalchemy_loading.loading_fix(found.read, found.node, ctx),
            related=[closed, *sqlalchemy_loading.proof(found.read)],
        )
    for lost in sqlalchemy_expiry.lost_reads(ctx):
        if lost.node in reported:
            continue
        steps = [ctx.related(lost.ended, "commits, which expires every attribute")]
        if lost.ended is not lost.block:
            steps.append(ctx.related(lost.block, "the end closes the session"))
        fix = None
        if lost.refresh is not None:
            added = line_after(ctx.source, ctx.statement(lost.ended), lost.refresh)
            fix = ctx.fix(f"Add `{lost.refresh}`", added) if added is not None else None
        yield ctx.finding(
            lost.node,
            entity=lost.entity,
            relation=lost.node.attr,
            name=ctx.text(lost.node.value),
            fix=fix,
            related=steps,
        )
