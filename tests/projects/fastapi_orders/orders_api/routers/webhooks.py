"""What partners send."""

from typing import Any

from fastapi import APIRouter, Depends

from orders_api.security import signed

router = APIRouter(prefix="/webhooks", dependencies=[Depends(signed)])


@router.post("/payments")
async def payment(event: dict[str, Any]) -> str:
    return str(event["id"])


@router.post("/shipments")
async def shipment(event: dict[str, Any]) -> str:
    return str(event["id"])
