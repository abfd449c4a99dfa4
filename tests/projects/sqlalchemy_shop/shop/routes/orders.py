"""Routes for orders."""

from decimal import Decimal

from fastapi import APIRouter, HTTPException

from shop.database import SessionDep
from shop.repositories import OrderRepository

router = APIRouter(prefix="/orders")


@router.get("/{order_id}/total")
async def total(order_id: int, session: SessionDep) -> Decimal:
    order = await OrderRepository(session).with_lines(order_id)
    if order is None:
        raise HTTPException(404)
    return sum((line.price for line in order.lines), Decimal(0))


@router.get("/open")
async def open_order_ids(session: SessionDep) -> list[int]:
    return [order.id for order in await OrderRepository(session).open()]
