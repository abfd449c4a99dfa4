"""Rule PB522: expire-on-commit-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import sqlalchemy_expiry
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB522",
    "expire-on-commit-async",
    "Pass `expire_on_commit=False`: the project reads objects of asynchronous sessions after a commit",
    nodes=(ast.Call,),
    names=("async_sessionmaker", "sessionmaker", "AsyncSession"),
    words=("async_sessionmaker", "AsyncSession"),
    applies="sqlalchemy>=1.4",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Asynchronous sessions expire their objects on commit, and the project reads such objects afterwards.

    ## Why
    A commit expires every attribute of every object of the session, the primary key included. The next read
    sends a query; with an `AsyncSession` there is nothing to await at that point, so SQLAlchemy raises
    `MissingGreenlet`. The documentation of SQLAlchemy makes its asynchronous sessions with
    `expire_on_commit=False` for this reason. A rollback expires all objects whatever the flag says. The read
    may be that of a Pydantic model, or of a caller that gets the object back.

    ## Bad
    ```python
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine)
    ```
    ```python file=shop/orders.py
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int]


    async def create_order(session: AsyncSession, customer_id: int) -> int:
        order = Order(customer_id=customer_id)
        session.add(order)
        await session.commit()
        return order.id
    ```

    ## Good
    ```python
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine, expire_on_commit=False)
    ```

    ## Not reported
    ```python
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    factory = async_sessionmaker(engine)  # nothing is read after a commit without a refresh
    ```
    ```python file=shop/orders.py
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer_id: Mapped[int]


    async def create_order(session: AsyncSession, customer_id: int) -> int:
        order = Order(customer_id=customer_id)
        session.add(order)
        await session.commit()
        await session.refresh(order)
        return order.id
    ```

    ## Fix safety
    Objects then keep the values they had before the commit, also where another transaction, a trigger or a
    default of the database has changed the row.

    ## When not to use it
    Where every object is refreshed after each commit.

    ## References
    - SQLAlchemy, Asynchronous I/O: "Synopsis - ORM", "Preventing Implicit IO when Using AsyncSession"
    """
    if not sqlalchemy_expiry.is_expiring_factory(node, ctx.module):
        return
    found = sqlalchemy_expiry.first_read_after_commit(ctx.module)
    if found is None:
        return
    source, read = found.module.source, found.read
    last = node.keywords[-1].value if node.keywords else node.args[-1] if node.args else None
    edit = (
        ctx.insert_after(last, ", expire_on_commit=False")
        if last is not None
        else ctx.insert_at(ctx.source.end(node) - 1, "expire_on_commit=False")
    )
    yield ctx.finding(
        node.func,
        fix=ctx.fix("Keep objects as they are on commit", edit),
        related=[
            Related(source.path, source.position(source.start(read.ended)), "expires the object"),
            Related(source.path, source.position(source.start(read.node)), f"reads `{read.attribute}` of it"),
            *read.places,
        ],
    )
