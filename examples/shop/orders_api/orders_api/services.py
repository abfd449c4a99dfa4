from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, joinedload, selectinload

from orders_api.events import publish
from orders_api.models import Coupon, Customer, Line, Order
from orders_api.payments import charge
from orders_api.schemas import OrderEvent, OrderIn


async def place_order(session: AsyncSession, data: OrderIn) -> Order:
    order = Order(customer_id=data.customer_id)
    order.lines = [Line(sku=line.sku, quantity=line.quantity) for line in data.lines]
    session.add(order)
    await session.commit()
    charge(order.reference, sum(line.quantity for line in data.lines))
    publish(OrderEvent(order_id=order.id, kind="placed"))
    return order


async def cancel_order(session: AsyncSession, order: Order) -> None:
    order.status = "cancelled"
    await session.commit()
    await publish(OrderEvent(order_id=order.id, kind="cancelled"))


async def packing_list(session: AsyncSession, status: str) -> list[str]:
    orders = (await session.scalars(select(Order).where(Order.status == status))).all()
    return [f"{order.reference}: {len(order.lines)} lines" for order in orders]


async def picking_list(session: AsyncSession) -> list[str]:
    statement = select(Order).options(selectinload(Order.lines)).where(Order.status == "paid")
    orders = (await session.scalars(statement)).all()
    return [f"{line.sku} x {line.quantity}" for order in orders for line in order.lines]


async def customers_with_orders(session: AsyncSession) -> list[Customer]:
    result = await session.scalars(select(Customer).options(joinedload(Customer.orders)))
    return list(result.all())


async def customers_of_orders(session: AsyncSession) -> list[Order]:
    result = await session.scalars(select(Order).options(joinedload(Order.customer)))
    return list(result.all())


async def last_lines(session: AsyncSession) -> dict[str, list[str]]:
    lines = {}
    for order in (await session.scalars(select(Order).order_by(Order.id.desc()).limit(50))).all():
        found = await session.scalars(select(Line).where(Line.order_id == order.id))
        lines[order.reference] = [line.sku for line in found]
    return lines


async def open_orders(session: AsyncSession, customer_id: int) -> list[Order]:
    statement = select(Order).where(Order.customer_id == customer_id and Order.status == "new")
    return list(await session.scalars(statement))


async def urgent_orders(session: AsyncSession) -> list[Order]:
    statement = select(Order).where(or_(Order.status == "late", Order.status == "returned"))
    return list(await session.scalars(statement))


async def find_reference(session: AsyncSession, reference: str) -> int | None:
    return await session.scalar(text(f"SELECT id FROM 'order' WHERE reference = '{reference}'"))


async def find_coupon(session: AsyncSession, code: str) -> int | None:
    return await session.scalar(text("SELECT percent FROM coupon WHERE code = :code"), {"code": code})


def active_coupons(session: Session) -> list[Coupon]:
    return session.query(Coupon).filter(Coupon.active.is_(True)).order_by(Coupon.code).all()


def coupon(session: Session, pk: int) -> Coupon | None:
    return session.query(Coupon).get(pk)


def coupon_percent(session: Session, pk: int) -> int:
    found = session.get(Coupon, pk)
    return found.percent if found else 0
