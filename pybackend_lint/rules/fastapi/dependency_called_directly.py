"""Rule PB304: dependency-called-directly."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import fastapi_direct_calls
from pybackend_lint.rule import Context, rule


@rule(
    "PB304",
    "dependency-called-directly",
    "Pass a value for `{parameter}`: here `{function}` gets the object `{marker}`",
    nodes=(ast.Module,),
    applies="fastapi",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A function or class made for FastAPI is called like any other, without what FastAPI would inject.

    ## Why
    The default of such a parameter is the marker itself, and only FastAPI replaces it. The called
    function works with a `Depends` or `Query` object instead of a session or a number: it fails with
    an `AttributeError`, or the object counts as true and a filter gets nonsense.

    ## Bad
    ```python
    from shop.orders import list_orders

    def report() -> int:
        return len(list_orders("open"))
    ```
    ```python file=shop/orders.py
    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/orders")
    NUMBERS = list(range(100))

    @router.get("/")
    def list_orders(status: str, limit: int = Query(20, le=100)):
        return NUMBERS[:limit]
    ```
    ## Good
    ```python
    from shop.orders import list_orders

    def report() -> int:
        return len(list_orders("open", limit=100))
    ```
    ```python file=shop/orders.py
    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/orders")
    NUMBERS = list(range(100))

    @router.get("/")
    def list_orders(status: str, limit: int = Query(20, le=100)):
        return NUMBERS[:limit]
    ```
    ## Not reported
    ```python
    from shop.orders import list_orders, list_users, older_orders

    def report() -> int:
        found = older_orders()  # a plain default, the marker stands in the annotation
        allowed = list_users()  # `user` is only there to check permissions: nothing reads it
        return len([*found, *allowed, *list_orders("open", **{"limit": 10})])
    ```
    ```python file=shop/orders.py
    from typing import Annotated
    from fastapi import Depends, Query

    def current_user() -> str:
        return "ann"

    def older_orders(limit: Annotated[int, Query(le=100)] = 20) -> list[int]:
        return list(range(limit))

    def list_users(user: str = Depends(current_user)) -> list[int]:
        return [1, 2]

    def list_orders(status: str, limit: int = Query(20)) -> list[int]:
        return list(range(limit))
    ```
    ## When not to use it
    For functions that replace markers by real defaults in a way that is not visible.

    ## References
    - FastAPI: "Dependencies"
    - FastAPI: "Query Parameters and String Validations", "Query as the default value or in Annotated"
    """
    for found in fastapi_direct_calls.direct_calls(ctx.module):
        function = found.function
        source = function.module.source
        declared = Related(source.path, source.position(source.start(found.parameter)), "its default")
        yield ctx.finding(
            found.call,
            related=[declared],
            parameter=found.parameter.arg,
            function=(function.owner or function).node.name,
            marker=f"{source.segment(found.marker.func)}(...)",
        )
