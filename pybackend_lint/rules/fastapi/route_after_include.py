"""Rule PB312: route-after-include."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi_routing
from pybackend_lint.rule import Context, rule


@rule(
    "PB312",
    "route-after-include",
    "Declare `{function}` before `{include}`: the route is answered with 404",
    nodes=(ast.Module,),
    words=("include_router",),
    applies="fastapi<0.137",
    bound="upper",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A route is added to a router after the router was included.

    ## Why
    Before FastAPI 0.137 `include_router` copied the routes that the router had at that moment. What is
    added later is never served, and nothing says so.

    ## Bad
    ```python
    from fastapi import APIRouter, FastAPI

    app = FastAPI()
    router = APIRouter(prefix="/orders")
    app.include_router(router)

    @router.get("/")
    def orders() -> list[int]:
        return []
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi==0.115.0"]
    ```
    ## Good
    ```python
    from fastapi import APIRouter, FastAPI

    app = FastAPI()
    router = APIRouter(prefix="/orders")

    @router.get("/")
    def orders() -> list[int]:
        return []

    app.include_router(router)
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter, FastAPI

    app = FastAPI()
    router = APIRouter(prefix="/orders")

    def start() -> None:
        app.include_router(router)  # runs when the module is complete

    @router.get("/")
    def orders() -> list[int]:
        return []
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi==0.115.0"]
    ```
    ## When not to use it
    From FastAPI 0.137 on the order does not matter, and the rule is silent.

    ## References
    - FastAPI: "Bigger Applications - Multiple Files"
    """
    for entry, include in fastapi_routing.late_routes(ctx.module):
        yield ctx.finding(
            entry.place,
            related=[ctx.related(include, "the router is included here")],
            function=entry.name,
            include=ctx.text(include),
        )
