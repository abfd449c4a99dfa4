"""Rule PB910: http-error-below-boundary."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import errors
from pybackend_lint.project.callers import callers
from pybackend_lint.project.data_flow import place_of
from pybackend_lint.rule import Context, rule

_MOST_CALLS = 3  # that are named with a finding


@rule(
    "PB910",
    "http-error-below-boundary",
    "Raise an error of the domain in place of `{error}`, and map it in an exception handler",
    nodes=(ast.Raise, ast.Call),
    names=("abort",),
    words=("HTTPException", "Http404", "abort"),
    default=False,
    tags=("style",),
)
def check(node: ast.Raise | ast.Call, ctx: Context) -> Iterator[Finding]:
    """A service or repository raises an error of HTTP.

    ## Why
    A task, a command or another service that calls the same function has no request to answer: it catches an
    error of a web framework, or dies of it. Status codes spread through the code, and a change of the API
    becomes a change of the business rules.

    ## Bad
    ```python file=shop/services/orders.py check
    from fastapi import HTTPException

    ORDERS = {1: 100}


    def total(number: int) -> int:
        if number not in ORDERS:
            raise HTTPException(status_code=404, detail="No such order")
        return ORDERS[number]
    ```
    ```python file=shop/web.py
    from fastapi import FastAPI

    from shop.services.orders import total

    app = FastAPI()


    @app.get("/orders/{number}")
    def show(number: int) -> int:
        return total(number)
    ```
    ## Good
    ```python file=shop/services/orders.py check
    ORDERS = {1: 100}


    class OrderMissing(LookupError):
        pass


    def total(number: int) -> int:
        if number not in ORDERS:
            raise OrderMissing(number)
        return ORDERS[number]
    ```
    ## Not reported
    ```python file=shop/services/access.py check
    from typing import Annotated

    from fastapi import APIRouter, Depends, Header, HTTPException

    router = APIRouter()


    def signed_in(token: Annotated[str, Header()]) -> str:
        if not token:
            raise HTTPException(status_code=401)  # a dependency is part of the boundary
        return token


    @router.get("/me")
    def me(token: Annotated[str, Depends(signed_in)]) -> str:
        return token
    ```
    Services and repositories are known by their folders and modules: `services`, `domain`, `use_cases`,
    `repositories`, `crud`.
    ## When not to use it
    In small applications where nothing but routes calls the services; so it is off by default.
    ## References
    - FastAPI documentation, "Handling Errors: Install custom exception handlers"
    """
    found = errors.http_error_below(node, ctx)
    if found is not None:
        error, function = found
        name = f"`{function.node.name}`"
        calls = [place_of(caller.call, caller.module, f"calls {name}") for caller in callers(function)]
        related = calls[:_MOST_CALLS] or [ctx.definition(function, f"{name} stands below the boundary")]
        yield ctx.finding(node, related=related, error=error)
