"""What helpers read of an object before and after they await something that gets it (PB521)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.rules.execution import imported
from tests.rules.harness import findings
from tests.rules.sqlalchemy.test_lazy_load_in_async import is_missing_greenlet

FILES = {
    "shop/models.py": """
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

        class Base(DeclarativeBase):
            pass

        class Order(Base):
            __tablename__ = "orders"
            id: Mapped[int] = mapped_column(primary_key=True)
            lines: Mapped[list["Line"]] = relationship()

        class Line(Base):
            __tablename__ = "lines"
            id: Mapped[int] = mapped_column(primary_key=True)
            order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    """,
    "shop/helpers.py": """
        from shop.models import Order

        async def noted(order: Order) -> None: ...

        async def before(order: Order) -> int:
            number = len(order.lines)
            await noted(order)
            return number

        async def after(order: Order) -> int:
            await noted(order)
            return len(order.lines)

        async def inside(order: Order) -> int:
            return await doubled(len(order.lines))

        async def doubled(number: int) -> int:
            return 2 * number

        async def handed_on(order: Order) -> int:
            return await before(order)

        async def handed_on_later(order: Order) -> int:
            await noted(order=order)
            return await before(order)

        async def again(order: Order) -> int:
            number = 0
            for _ in range(2):
                number += len(order.lines)
                await noted(order)
            return number

        async def of_part(order: Order) -> int:
            await doubled(order.id)
            return len(order.lines)
    """,
}
SOURCE = """
from shop import helpers
from shop.models import Order
from sqlalchemy.ext.asyncio import AsyncSession

async def load(session: AsyncSession) -> int:
    order = await session.get_one(Order, 1)
    return await helpers.{}(order){}
"""


@pytest.mark.parametrize("helper", ["before", "inside", "handed_on"])
def test_read_before_anything_is_awaited(helper: str) -> None:
    findings("PB521", SOURCE.format(helper, "  # PB521"), files=FILES)


@pytest.mark.parametrize("helper", ["after", "handed_on_later", "again", "of_part"])
def test_read_after_what_may_load_it(helper: str) -> None:
    assert findings("PB521", SOURCE.format(helper, ""), files=FILES) == []


@pytest.mark.parametrize("helper", ["before", "inside", "handed_on"])
def test_the_read_raises(helper: str) -> None:
    async def run() -> None:
        names = {path.removesuffix(".py").replace("/", "."): text for path, text in FILES.items()}
        with imported({**names, "shop.views": SOURCE.format(helper, "")}) as modules:
            models, views = modules["shop.models"], modules["shop.views"]
            engine = create_async_engine("sqlite+aiosqlite://")
            async with engine.begin() as connection:
                await connection.run_sync(models.Base.metadata.create_all)
            factory = async_sessionmaker(engine)
            async with factory.begin() as session:
                session.add(models.Order(id=1))
            async with factory() as session:
                with pytest.raises((MissingGreenlet, StatementError)) as caught:
                    await views.load(session)
                assert is_missing_greenlet(caught.value)
            await engine.dispose()

    asyncio.run(run())
