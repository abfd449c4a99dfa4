"""Where orders are kept."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends

from orders_api.schemas import OrderOut


class Store:
    def __init__(self) -> None:
        self.orders: dict[int, OrderOut] = {}


def get_store() -> Iterator[Store]:
    yield Store()


StoreDep = Annotated[Store, Depends(get_store)]
