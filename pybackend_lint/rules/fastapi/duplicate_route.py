"""Rule PB310: duplicate-route."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi_routing
from pybackend_lint.rule import Context, rule


@rule(
    "PB310",
    "duplicate-route",
    "Remove or rename `{function}`: `{other}` serves {methods} `{path}` already",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route", "websocket", "include_router"),
    applies="fastapi",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Two routes have the same path and method, so that no request reaches the second.

    ## Why
    The first route answers every request, without a warning. Often the two come from different files
    and meet where their routers are included: what was tested with its own router is dead in the
    application, and the OpenAPI document describes only one of them.

    Routers that are left over, which no other file names, are not looked at.

    ## Bad
    ```python
    from fastapi import FastAPI
    from shop.routers import carts, orders

    app = FastAPI()
    app.include_router(orders.router, prefix="/orders")
    app.include_router(carts.router)
    ```
    ```python file=shop/routers/orders.py
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/{order_id}")
    def order(order_id: int) -> int:
        return order_id
    ```
    ```python file=shop/routers/carts.py
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/orders/{number}")
    def ordered_cart(number: int) -> int:
        return number
    ```
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/orders")

    @router.post("/")
    def create_order(number: int) -> int:
        return number

    @router.post("/")
    def import_orders(numbers: list[int]) -> int:
        return len(numbers)
    ```
    ## Good
    ```python
    from fastapi import FastAPI
    from shop.routers import carts, orders

    app = FastAPI()
    app.include_router(orders.router, prefix="/orders")
    app.include_router(carts.router, prefix="/carts")
    ```
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/orders")

    @router.post("/")
    def create_order(number: int) -> int:
        return number

    @router.post("/import")
    def import_orders(numbers: list[int]) -> int:
        return len(numbers)
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter, FastAPI
    from shop.settings import LEGACY

    first, second = APIRouter(), APIRouter()
    app = FastAPI()

    @first.get("/orders")
    def orders() -> str:
        return "first"

    @second.get("/orders")  # each version has a prefix of its own
    def newer_orders() -> str:
        return "second"

    @first.post("/orders")  # another method
    def create_order() -> str:
        return "created"

    app.include_router(first, prefix="/v1")
    app.include_router(second, prefix="/v2")

    if LEGACY:
        @app.get("/health")
        def old_health() -> str:
            return "ok"
    else:
        @app.get("/health")  # only one of the branches runs
        def health() -> str:
            return "healthy"
    ```
    ```python file=shop/settings.py
    import os

    LEGACY = "LEGACY" in os.environ
    ```
    ## When not to use it
    There is no reason to keep a route that no request can reach.

    ## References
    - FastAPI: "Path Parameters", "Order matters"
    - FastAPI: "Bigger Applications - Multiple Files"
    """
    for earlier, later in fastapi_routing.duplicate_routes(ctx.module):
        yield ctx.finding(
            later.place,
            related=[
                ctx.related(earlier.place, f"`{earlier.name}` comes first"),
                *earlier.related,
                *later.related,
            ],
            function=later.name,
            other=earlier.name,
            methods=", ".join(sorted(earlier.methods & later.methods)),
            path=later.shown,
        )
