import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy.ext.asyncio import AsyncSession

from orders_api import services
from orders_api.database import DbSession, get_session
from orders_api.events import deliver_until_cancelled
from orders_api.models import Order
from orders_api.schemas import OrderIn, OrderOut
from orders_api.security import CurrentCustomer

router = APIRouter(prefix="/orders", tags=["orders"])


@router.post("", status_code=201)
async def create_order(data: OrderIn, session: DbSession) -> OrderOut:
    return OrderOut.model_validate(await services.place_order(session, data))


@router.get("/{order_id}")
async def read_order(order_id: int, session: DbSession) -> OrderOut:
    order = await session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return OrderOut.model_validate(order)


@router.get("/open")
async def read_open_orders(customer: CurrentCustomer, session: DbSession) -> list[OrderOut]:
    return [OrderOut.model_validate(order) for order in await services.open_orders(session, customer)]


@router.get("/{order_id}/lines")
async def read_lines(order_id: int, session: AsyncSession = Depends(get_session)) -> dict[str, list[str]]:
    return await services.last_lines(session)


@router.get("/reports/packing")
async def read_packing_list(session: DbSession, status: str = Query("paid", max_length=20)) -> list[str]:
    return await services.packing_list(session, status)


@router.get("/reports/picking")
async def read_picking_list(session: DbSession, limit: Annotated[int, Query(le=100)] = 50) -> list[str]:
    return (await services.picking_list(session))[:limit]


@router.post("/hooks/payment")
async def payment_hook(payload: dict, session: DbSession) -> dict[str, str]:
    order = await session.get(Order, payload["order"])
    if order is not None:
        order.status = payload["status"]
        await session.commit()
    return {"result": "ok"}


@router.post("/events/deliver")
async def start_delivery() -> dict[str, str]:
    asyncio.create_task(deliver_until_cancelled())
    return {"result": "started"}
