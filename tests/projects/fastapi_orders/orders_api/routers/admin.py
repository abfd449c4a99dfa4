"""For the people who run the shop."""

from fastapi import APIRouter, Depends

from orders_api.paging import Paging
from orders_api.security import Allowed
from orders_api.store import StoreDep

only_admins = Depends(Allowed("root"))
router = APIRouter(dependencies=[only_admins])


def export_name(tenant: str, day: str = "today") -> str:
    return f"{tenant}-{day}"


@router.get("/orders", dependencies=[Depends(Paging)])
def all_orders(tenant: str, store: StoreDep, name: str = Depends(export_name)) -> int:  # PB303
    return len(store.orders)


def close(tenant: str) -> str:
    return tenant


router.add_api_route("/close", close, methods=["POST"])
