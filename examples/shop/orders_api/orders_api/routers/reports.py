from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from orders_api.models import Coupon
from orders_api.security import customer_of

router = APIRouter(prefix="/reports", tags=["reports"])


@lru_cache
def reporting() -> sessionmaker[Session]:
    return sessionmaker(create_engine("postgresql://reporting:Hn7-wq2RtLz@db.shop.internal/orders"))


def get_reporting_session() -> Iterator[Session]:
    with reporting()() as session:
        yield session


ReportingSession = Annotated[Session, Depends(get_reporting_session)]


@router.get("/coupons")
async def read_coupons(session: ReportingSession) -> list[str]:
    return list(session.scalars(select(Coupon.code)))


@router.get("/coupons/active")
def read_active_coupons(session: ReportingSession) -> list[str]:
    return list(session.scalars(select(Coupon.code).where(Coupon.active.is_(True))))


@router.get("/customer")
def read_customer(token: str) -> str:
    return customer_of(token)
