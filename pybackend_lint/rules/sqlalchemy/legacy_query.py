"""Rule PB500: legacy-query."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_queries
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB500",
    "legacy-query",
    "Use `{construct}({entities})` with `{session}.{method}()`: `Query` is legacy",
    nodes=(ast.Call,),
    names=("query",),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    tags=("deprecation",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`Session.query()` is the legacy query interface; `select()` is the one of SQLAlchemy 2.0.

    ## Why
    `Query` still works and gives no warning, but it gets no new features, has no asynchronous form and its
    results cannot be typed. Rewriting it by hand changes results silently: `Query` drops repeated objects
    after a join, `Query.first()` adds `LIMIT 1` and `Query.scalar()` refuses several rows, while a
    `select()` does none of these by itself.

    ## Bad
    ```python
    from sqlalchemy.orm import Session

    from shop.models import Order, User


    def first_buyer(session: Session) -> User | None:
        return (
            session.query(User)
            .join(User.orders)
            .filter(Order.paid)  # not only placed
            .order_by(User.id)
            .first()
        )
    ```
    ```python file=shop/models.py
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        orders: Mapped[list[Order]] = relationship(back_populates="user")


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        paid: Mapped[bool]
        user: Mapped[User] = relationship(back_populates="orders")
    ```
    ```python
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        paid: Mapped[bool]


    def count_paid(session: Session) -> int:
        return session.query(Order).filter_by(paid=True).count()
    ```

    ## Good
    ```python
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from shop.models import Order, User


    def first_buyer(session: Session) -> User | None:
        return (
            session.scalars(
                select(User)
                .join(User.orders)
                .where(Order.paid)  # not only placed
                .order_by(User.id)
                .limit(1)
            )
            .unique()
            .first()
        )
    ```
    ```python
    from sqlalchemy import func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        paid: Mapped[bool]


    def count_paid(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(select(Order).filter_by(paid=True).subquery()))
    ```

    ## Not reported
    ```python
    from pandas import DataFrame
    from sqlalchemy.orm import Session

    from shop.models import Order


    def cheap(frame: DataFrame) -> DataFrame:
        return frame.query("price < 10")  # not a session


    def visible_orders(session: Session) -> list[Order]:
        return session.query(Order).visible_to("staff").all()  # a query class of the project's own
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
    ```

    ## Fix safety
    The statement is the same and the rows are, too: `unique()` is added where a join may repeat objects,
    `limit(1)` for `first()`. `all()` of a query over columns returns `Row` objects as before; to a type
    checker `all()` of a result is a `Sequence`, not a `list`. The fix is
    unsafe because events and extensions may treat a `Query` in a way of their own, and because subclasses of
    `Session` may override `query()`. There is no fix for a chain that is split over statements or uses a
    method that `select()` does not have.

    ## When not to use it
    Not while the project supports SQLAlchemy 1.3, or where a query class of your own filters every query.

    ## References
    - SQLAlchemy 2.0, Migration Guide: "ORM Usage Migration"
    - SQLAlchemy 2.0, Migration Guide: "ORM Rows not uniquified by default"
    """
    chain = sqlalchemy_queries.chain_of(call, ctx)
    if chain is None or (chain.end is not None and sqlalchemy_queries.get_by_key(chain.end, ctx) is not None):
        return
    edits = sqlalchemy_queries.modern(chain, ctx)
    fix = ctx.fix("Use a `select()` statement", *edits) if edits is not None else None
    yield ctx.finding(
        call,
        fix=fix,
        entities=", ".join(ctx.text(argument) for argument in call.args),
        session=ctx.text(chain.session),
        construct=sqlalchemy_queries.construct_for(chain),
        method=sqlalchemy_queries.method_for(chain, ctx),
    )
