"""What is in the shop."""

from typing import Annotated

from fastapi import APIRouter, Depends

from orders_api.limits import Limiter, per_minute, slow_limit
from orders_api.store import StoreDep, get_store

router = APIRouter(prefix="/stock")


@router.get("/{article}")
def article(article: str) -> str:
    return article


@router.get("/count")  # PB309
def count(store: StoreDep) -> int:
    return len(store.orders)


@router.get("/rows/{id}")  # PB308
def row(row_id: str) -> str:
    return row_id


@router.get("/{article}/shelf/{shelf}")  # PB306
def shelf(article: str) -> str:
    return article


@router.get("/{article}/limited", dependencies=[Depends(Limiter)])
def limited(article: str) -> str:
    return article


@router.get("/{article}/slow")
async def slow(article: str, limit: Annotated[int, Depends(slow_limit)]) -> int:
    return limit


@router.get("/{article}/direct")
def direct(article: str) -> int:
    return len(next(get_store()).orders) + per_minute()  # PB304
