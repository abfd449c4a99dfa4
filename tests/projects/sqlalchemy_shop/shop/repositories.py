"""Queries for orders and customers."""

from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from shop.models import Customer, Order, Status


def open_orders() -> Select[tuple[Order]]:
    return select(Order).where(Order.status == Status.OPEN).order_by(Order.id)


class OrderRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def with_lines(self, order_id: int) -> Order | None:
        statement = select(Order).where(Order.id == order_id).options(selectinload(Order.lines))
        return (await self._session.scalars(statement)).one_or_none()

    async def open(self) -> Sequence[Order]:
        return (await self._session.scalars(open_orders())).all()

    async def count(self, customer: Customer) -> int:
        statement = select(func.count()).select_from(Order).where(Order.customer_id == customer.id)
        return await self._session.scalar(statement) or 0
