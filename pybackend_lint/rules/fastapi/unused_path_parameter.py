"""Rule PB306: unused-path-parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import fastapi, fastapi_requests
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.scopes import Function


@rule(
    "PB306",
    "unused-path-parameter",
    "Declare `{name}` in `{function}`, or take it out of the path: nothing reads it",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route", "websocket", "add_api_route"),
    applies="fastapi",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A route has a parameter in its path that neither it nor any of its dependencies takes.

    ## Why
    Whatever the client puts there makes no difference: the route answers for every order with the
    same one, or checks the rights for another object than it returns.

    ## Bad
    ```python
    from fastapi import APIRouter
    from shop.dependencies import CurrentUser

    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}/invoice")
    def invoice(user: CurrentUser) -> str:
        return f"Invoice for {user}"
    ```
    ```python file=shop/dependencies.py
    from typing import Annotated
    from fastapi import Depends, Header

    def current_user(token: Annotated[str, Header()]) -> str:
        return token

    CurrentUser = Annotated[str, Depends(current_user)]
    ```
    ## Good
    ```python
    from fastapi import APIRouter
    from shop.dependencies import CurrentUser

    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}/invoice")
    def invoice(user: CurrentUser, order_id: str) -> str:
        return f"Invoice for {user}"
    ```
    ## Not reported
    ```python
    from typing import Annotated
    from fastapi import APIRouter, Depends, Path, Request
    from shop.orders import Order, OrderPage, get_order, member_of_shop

    router = APIRouter(prefix="/shops")

    @router.get("/{shop}/orders/{order_id}", dependencies=[Depends(member_of_shop)])
    def read(order: Annotated[Order, Depends(get_order)]) -> int:  # two dependencies take them
        return order.number

    @router.get("/{shop}/orders")
    def listed(page: Annotated[OrderPage, Depends()]) -> str:  # a field of the class
        return page.shop

    @router.get("/{shop}/owner")
    def owner(name: Annotated[str, Path(alias="shop")]) -> str:
        return name

    @router.get("/{shop}/logo")
    def logo(request: Request) -> str:  # reads it from the request
        return request.path_params["shop"]
    ```
    ```python file=shop/orders.py
    from dataclasses import dataclass

    @dataclass
    class Order:
        number: int

    @dataclass
    class OrderPage:
        shop: str
        size: int = 20

    def get_order(order_id: int) -> Order:
        return Order(order_id)

    def member_of_shop(shop: str) -> None: ...
    ```
    ## Fix safety
    The new parameter is a `str`, and nothing uses it yet. Code that calls the route like a function
    must pass it.

    ## When not to use it
    For routes that must keep a path for old clients and ignore a part of it.

    ## References
    - FastAPI: "Path Parameters"
    - FastAPI: "Dependencies", "Sub-dependencies"
    """
    for route in fastapi.routes(ctx.module):
        function = route.function
        if route.path is None or "{" not in route.path or function is None:
            continue
        for name in fastapi_requests.untaken_path_parameters(route):
            if fastapi_requests.similar_query_parameter(route, name) is None:
                edit = _declared(function.node, name, ctx) if function.module is ctx.module else None
                fix = ctx.fix(f"Declare `{name}`", edit) if edit is not None else None
                place = fastapi.argument(route.call, 0, "path") or route.call
                elsewhere = (
                    [] if function.module is ctx.module else [ctx.definition(function, "is the route")]
                )
                yield ctx.finding(place, fix=fix, related=elsewhere, name=name, function=function.node.name)


def _declared(function: Function, name: str, ctx: Context) -> Edit | None:
    """The edit that adds a parameter behind the last one without default; None where it has no place."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    if required and arguments.args:
        last = required[-1]
        line = ctx.source.line(last.lineno)
        before = line[: ctx.source.position(ctx.source.start(last)).column - 1]
        separator = f",\n{before}" if before and before.isspace() else ", "
        return ctx.insert_after(last, f"{separator}{name}: str") if last in arguments.args else None
    if arguments.args and not arguments.posonlyargs:
        return ctx.insert_before(arguments.args[0], f"{name}: str, ")
    bare = f"def {function.name}()"
    start = ctx.source.start(function)
    if ctx.text(function).removeprefix("async ").startswith(bare):
        return ctx.insert_at(ctx.text(function).index(")") + start, f"{name}: str")
    return None
