"""Rule PB302: removed-starlette-api."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import starlette_removals
from pybackend_lint.rule import Context, rule


@rule(
    "PB302",
    "removed-starlette-api",
    "Use {instead}: Starlette 1 has no `{name}`",
    nodes=(ast.Call,),
    names=(*starlette_removals.METHODS, *starlette_removals.CLASSES),
    applies="starlette>=1.0",
    bound="upper",
    severity="error",
    tags=("deprecation",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A decorator or argument that Starlette 1 has removed.

    ## Why
    The import of the module fails: `AttributeError: 'Starlette' object has no attribute 'route'`, or
    `TypeError` for an argument. FastAPI has kept copies of most of these for its own classes, but not
    of all, so that an update of FastAPI, which brings Starlette, breaks them.

    ## Bad
    ```python
    from starlette.responses import PlainTextResponse
    from shop.application import app

    @app.route("/health")
    async def health(request):
        return PlainTextResponse("ok")
    ```
    ```python file=shop/application.py
    from starlette.applications import Starlette

    app = Starlette()
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["starlette>=1.0"]
    ```
    ## Good
    ```python
    from starlette.responses import PlainTextResponse

    async def health(request):
        return PlainTextResponse("ok")
    ```
    ```python file=shop/application.py
    from starlette.applications import Starlette
    from starlette.routing import Route
    from shop.pages import health

    app = Starlette(routes=[Route("/health", health)])
    ```
    ## Not reported
    ```python
    from fastapi import FastAPI

    app = FastAPI()

    @app.middleware("http")  # FastAPI has kept this one
    async def measured(request, call_next):
        return await call_next(request)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi>=0.135", "starlette>=1.0"]
    ```
    ## When not to use it
    In a project that pins Starlette below 1.0; there the rule is silent.

    ## References
    - Starlette: "Release Notes", 1.0
    - Starlette: "Lifespan", "Routing", "Middleware"
    """
    found = starlette_removals.removed_use(node, ctx.module)
    if found is not None:
        place, name, instead = found
        yield ctx.finding(place, name=name, instead=instead)
