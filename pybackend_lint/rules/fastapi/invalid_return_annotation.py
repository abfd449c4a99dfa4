"""Rule PB331: invalid-return-annotation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi, fastapi_responses
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB331",
    "invalid-return-annotation",
    "Set `response_model=None` or return a schema: Pydantic cannot serialise `{type}`",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route"),
    applies="fastapi>=0.89",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """The return annotation of a route is a class that Pydantic has no schema for.

    ## Why
    FastAPI takes the annotation for the response model. With a class mapped by SQLAlchemy, a class of
    your own or a mixture of a response and something else, the import of the module fails:
    `FastAPIError: Invalid args for response field!`

    ## Bad
    ```python
    from fastapi import APIRouter
    from shop.models import Order

    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}")
    def read_order(order_id: int) -> Order:
        return Order(id=order_id)
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
    ```
    ## Good
    ```python
    from fastapi import APIRouter
    from shop.models import Order

    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}", response_model=None)
    def read_order(order_id: int) -> Order:
        return Order(id=order_id)
    ```
    ## Not reported
    ```python
    from dataclasses import dataclass
    from fastapi import APIRouter
    from fastapi.responses import FileResponse
    from pydantic import BaseModel

    router = APIRouter(prefix="/orders")

    class OrderRead(BaseModel):
        id: int

    @dataclass
    class Total:
        amount: int

    @router.get("/total")
    def total() -> Total | None:
        return Total(1)

    @router.get("/{order_id}", response_model=OrderRead)
    def read_order(order_id: int) -> object:  # `response_model` counts
        return {"id": order_id}

    @router.get("/{order_id}/invoice")
    def invoice(order_id: int) -> FileResponse:
        return FileResponse(f"{order_id}.pdf")
    ```
    ## Fix safety
    The module can be imported again; the value is then serialised as it is, without a model that
    filters it. Prefer a schema for classes with columns that clients must not see.

    ## When not to use it
    There is no reason to keep a module that cannot be imported.

    ## References
    - FastAPI: "Response Model - Return Type", "Invalid Return Type Annotations"
    """
    for route in fastapi.routes(ctx.module):
        function, call = route.function, route.call
        if function is None or function.module is not ctx.module or not route.methods:
            continue
        given = {keyword.arg for keyword in call.keywords}
        if given & {None, "response_model"} or function.node.decorator_list[-1:] != [call]:
            continue
        place = fastapi_responses.invalid_return_annotation(function)
        if place is None:
            continue
        fix = None
        if call.args or call.keywords:
            last = max([*call.args, *(keyword.value for keyword in call.keywords)], key=ctx.source.end)
            fix = ctx.fix("Set `response_model=None`", ctx.insert_after(last, ", response_model=None"))
        info = ctx.module.class_named(place)
        related = [ctx.definition(info, f"defines `{info.node.name}`")] if info is not None else []
        yield ctx.finding(place, fix=fix, related=related, type=ctx.text(place))
