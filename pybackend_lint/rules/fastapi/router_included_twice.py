"""Rule PB311: router-included-twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi_routing
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import delete_lines
from pybackend_lint.semantic.import_removal import orphaned, remove_names


@rule(
    "PB311",
    "router-included-twice",
    "Include `{router}` once, or under another prefix: `{path}` is served already",
    nodes=(ast.Module,),
    words=("include_router",),
    applies="fastapi",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A router is included under the same path a second time, directly or within another router.

    ## Why
    The second set of routes is never reached. FastAPI warns of duplicate operation IDs only when the
    OpenAPI document is asked for, and generated clients get methods with clashing names. Dependencies
    of the second include, such as those that check permissions, never run.

    ## Bad
    ```python
    from fastapi import FastAPI
    from shop.api import api
    from shop.orders import router as orders

    app = FastAPI()
    app.include_router(api)
    app.include_router(orders)
    ```
    ```python file=shop/api.py
    from fastapi import APIRouter
    from shop.orders import router as orders

    api = APIRouter()
    api.include_router(orders)
    ```
    ```python file=shop/orders.py
    from fastapi import APIRouter

    router = APIRouter(prefix="/orders")

    @router.get("/")
    def orders() -> list[int]:
        return []
    ```
    ## Good
    ```python
    from fastapi import FastAPI
    from shop.api import api

    app = FastAPI()
    app.include_router(api)
    ```
    ## Not reported
    ```python
    from fastapi import FastAPI
    from shop.orders import router as orders

    app = FastAPI()
    app.include_router(orders)
    app.include_router(orders, prefix="/v1")  # a path of its own
    ```
    ```python file=shop/orders.py
    from fastapi import APIRouter

    router = APIRouter(prefix="/orders")

    @router.get("/")
    def orders() -> list[int]:
        return []
    ```
    ## Fix safety
    The second include goes away, and imports that only it uses. Names in the OpenAPI document change
    with it. Where the second one was the include that should count, remove the first by hand.

    ## When not to use it
    There is no reason to include a router under the same path twice.

    ## References
    - FastAPI: "Bigger Applications - Multiple Files"
    """
    for earlier, later in fastapi_routing.repeated_inclusions(ctx.module):
        fix = None
        if later.statement is ctx.parent(later.place) and len(later.body) > 1:
            deletion = delete_lines(ctx.source, later.statement)
            unused = remove_names(ctx.source, orphaned(ctx.source, [later.statement]))
            fix = ctx.fix("Remove the second include", deletion, *unused) if deletion is not None else None
        router = later.place.args[0] if later.place.args else later.place.keywords[0].value
        yield ctx.finding(
            later.place,
            fix=fix,
            related=[ctx.related(earlier.place, "included here first"), *earlier.related],
            router=ctx.text(router),
            path=later.shown,
        )
