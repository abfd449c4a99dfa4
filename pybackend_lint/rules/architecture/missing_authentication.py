"""Rule PB938: missing-authentication."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi_security
from pybackend_lint.rule import Context, rule


@rule(
    "PB938",
    "missing-authentication",
    "Protect `{method} {path}`: nothing asks who the client is, unlike in most other routes that write",
    nodes=(ast.Module,),
    words=("post", "put", "patch", "delete", "api_route", "add_api_route"),
    applies="fastapi",
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A route that writes has no check of the client, while most of its neighbours have one.

    ## Why
    Everybody who finds the path can write. It is easily forgotten: the check is a parameter that the
    route does not use otherwise, or stands at a router that this route is not on.

    ## Bad
    ```python file=shop/routers/stock.py check
    from fastapi import APIRouter

    router = APIRouter(prefix="/stock")

    @router.put("/{article}")
    def set_stock(article: str, number: int) -> int:
        return number
    ```
    ```python file=shop/routers/orders.py
    from fastapi import APIRouter, Depends
    from shop.security import current_user

    router = APIRouter(prefix="/orders", dependencies=[Depends(current_user)])

    @router.post("/")
    def create_order(number: int) -> int:
        return number

    @router.put("/{order_id}")
    def change_order(order_id: int) -> int:
        return order_id

    @router.delete("/{order_id}")
    def delete_order(order_id: int) -> int:
        return order_id

    @router.post("/{order_id}/lines")
    def add_line(order_id: int) -> int:
        return order_id

    @router.delete("/{order_id}/lines/{line}")
    def delete_line(order_id: int, line: int) -> int:
        return line
    ```
    ```python file=shop/security.py
    from fastapi import HTTPException

    def current_user(authorization: str | None = None) -> str:
        if authorization is None:
            raise HTTPException(status_code=401)
        return authorization
    ```
    ```python file=shop/main.py
    from fastapi import FastAPI
    from shop.routers import orders, stock

    app = FastAPI()
    app.include_router(orders.router)
    app.include_router(stock.router)
    ```
    ## Good
    ```python file=shop/routers/stock.py check
    from fastapi import APIRouter, Depends
    from shop.security import current_user

    router = APIRouter(prefix="/stock", dependencies=[Depends(current_user)])

    @router.put("/{article}")
    def set_stock(article: str, number: int) -> int:
        return number
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/stock")

    @router.put("/{article}")
    def set_stock(article: str, number: int) -> int:  # no other route has a check either
        return number

    @router.post("/login")
    def log_in(name: str) -> str:  # clients that are not known yet
        return name
    ```
    Any dependency that can raise 401 or 403, is a scheme of `fastapi.security` or is named like a
    check counts, and so does a body that mentions one. Where a dependency is not known, or a middleware
    does it all, nothing is reported.

    ## When not to use it
    In services behind a gateway that checks clients, where only some routes check again.

    ## References
    - FastAPI: "Security"
    - OWASP API Security Top 10: "API2 Broken Authentication", "API5 Broken Function Level Authorization"
    """
    for route, usual in fastapi_security.unprotected(ctx.module):
        method = min(route.methods or ("POST",))
        yield ctx.finding(route.call, related=[usual], method=method, path=route.path or "/")
