"""Rule PB325: raw-dict-body."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi, fastapi_requests
from pybackend_lint.rule import Context, rule


@rule(
    "PB325",
    "raw-dict-body",
    "Declare a Pydantic model for the body of `{route}`: `{source}` is not validated",
    nodes=(ast.FunctionDef, ast.AsyncFunctionDef),
    applies="fastapi",
    tags=("correctness",),
)
def check(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A route takes the body of a request as a plain dictionary and reads keys from it.

    ## Why
    A missing key is a `KeyError`, or a `TypeError` where the dictionary is unpacked into arguments, and a
    status 500 instead of a 422 that names the field; wrong types travel on into the database; and the
    OpenAPI schema says nothing about what clients have to send.

    ## Bad
    ```python
    from fastapi import APIRouter
    from shop.orders import place

    router = APIRouter()

    @router.post("/orders")
    def create(order: dict) -> int:
        return place(order["customer"], order["items"])
    ```
    ```python file=shop/orders.py
    def place(customer: int, items: list[int]) -> int:
        return len(items)
    ```
    ```python
    from fastapi import FastAPI, Request

    app = FastAPI()

    @app.post("/login")
    async def login(request: Request) -> str:
        data = await request.json()
        return data["name"]
    ```
    ## Good
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel
    from shop.orders import place

    router = APIRouter()

    class NewOrder(BaseModel):
        customer: int
        items: list[int]

    @router.post("/orders")
    def create(order: NewOrder) -> int:
        return place(order.customer, order.items)
    ```
    ## Not reported
    ```python
    import hmac

    import httpx
    from fastapi import APIRouter, Request
    from pydantic import BaseModel

    router = APIRouter()

    class Event(BaseModel):
        kind: str

    @router.post("/translations")
    def translate(texts: dict[str, str]) -> int:  # any key, but the values are validated
        return len(texts["en"])

    @router.post("/proxy")
    async def proxy(payload: dict) -> None:  # forwarded unread
        async with httpx.AsyncClient() as client:
            await client.post("https://backend.example", json=payload)

    @router.post("/webhook")
    async def webhook(request: Request, secret: str) -> str:
        signed = hmac.digest(secret.encode(), await request.body(), "sha256")
        data = await request.json()  # the sender's format, whose signature was checked
        return data["kind"] + signed.hex()

    @router.post("/events")
    async def events(request: Request) -> str:
        data = await request.json()
        return Event.model_validate(data).kind
    ```
    ## When not to use it
    For bodies whose shape is only known to the sender, and is checked by other means.

    ## References
    - FastAPI: "Request Body"
    - FastAPI: "Body, Nested Models", "Bodies of arbitrary dicts"
    """
    info = ctx.function_info(node)
    if not fastapi.is_route(info):
        return
    for place, source in fastapi_requests.unvalidated_bodies(info):
        yield ctx.finding(place, route=node.name, source=source)
