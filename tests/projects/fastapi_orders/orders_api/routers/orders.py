"""Orders of a customer."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Body, Cookie, Depends, File, Form, Response, UploadFile

from orders_api.config import CUSTOMERS
from orders_api.paging import Paging
from orders_api.schemas import Address, Line, OrderIn, OrderOut, State
from orders_api.security import Auditor, CurrentUser
from orders_api.store import StoreDep

router = APIRouter(prefix=CUSTOMERS + "/orders", tags=["orders"])


@router.get("")
def orders(
    customer_id: int,
    store: StoreDep,
    user: CurrentUser,
    paging: Annotated[Paging, Depends()],
    state: State | None = None,
    since: date | None = None,
) -> list[OrderOut]:
    return list(store.orders.values())


@router.post("", status_code=201)
async def add_order(
    customer_id: int,
    order: OrderIn,
    store: StoreDep,
    user: CurrentUser,
    tasks: BackgroundTasks,
    response: Response,
    region: Annotated[str, Body(embed=True)] = "eu",
    session: Annotated[str | None, Cookie()] = None,
) -> OrderOut:
    added = OrderOut(id=len(store.orders) + 1, state=State.OPEN, **order.model_dump())
    store.orders[added.id] = added
    tasks.add_task(print, user.name, region, session)
    response.headers["Location"] = f"/orders/{added.id}"
    return added


@router.put("/{order_id}/lines")
def replace_lines(customer_id: int, order_id: int, lines: list[Line], auditor: Auditor) -> int:
    return len(lines)


@router.put("/{order_id}/address")  # PB938
def move(customer_id: int, order_id: int, address: Address | None = None) -> Address | None:
    return address


@router.post("/{order_id}/invoice")  # PB938
def attach(
    order_id: int,
    invoice: UploadFile,
    copies: list[UploadFile],
    checksum: Annotated[bytes, File()],
    title: str = Form("invoice"),  # PB303
) -> str:
    return title
