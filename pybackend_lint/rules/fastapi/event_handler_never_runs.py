"""Rule PB301: event-handler-never-runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import fastapi_lifespan
from pybackend_lint.rule import Context, rule


@rule(
    "PB301",
    "event-handler-never-runs",
    "Move `{handler}` into `{lifespan}`: it never runs, because the application has a lifespan",
    nodes=(ast.Module,),
    words=("on_event", "add_event_handler", "on_startup", "on_shutdown"),
    applies="fastapi>=0.93",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """An application with `lifespan=` never runs its handlers of `startup` and `shutdown`.

    ## Why
    The lifespan replaces the events, without an error or a warning: the connection is not opened, the
    cache is not filled. It is often set in one file, and the handler is in another.

    ## Bad
    ```python
    from shop.main import app

    @app.on_event("startup")
    async def warm_cache() -> None:
        print("filling the cache")
    ```
    ```python file=shop/main.py
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from fastapi import FastAPI

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        print("opening the pool")
        yield

    app = FastAPI(lifespan=lifespan)
    ```
    ## Good
    ```python
    async def warm_cache() -> None:
        print("filling the cache")
    ```
    ```python file=shop/main.py
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    from shop.cache import warm_cache

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        print("opening the pool")
        await warm_cache()
        yield

    app = FastAPI(lifespan=lifespan)
    ```
    ## Not reported
    ```python
    from shop.main import app, bus

    @bus.on_event("startup")  # not an application
    async def warm_cache() -> None:
        print("filling the cache")
    ```
    ```python file=shop/main.py
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from fastapi import FastAPI
    from shop.bus import Bus

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield

    app = FastAPI(lifespan=lifespan)
    bus = Bus()
    ```
    ```python file=shop/bus.py
    class Bus:
        def on_event(self, name: str):
            return lambda handler: handler
    ```
    A lifespan that calls `app.router.startup()` runs the handlers itself, and is left alone. An application
    is followed through the functions that make it and those that get it, where all of their callers give it
    a lifespan; not through classes of your own that set one.

    ## When not to use it
    There is no reason to keep a handler that never runs.

    ## References
    - FastAPI: "Lifespan Events", "Alternative Events (deprecated)"
    """
    for place, name, lifespan in fastapi_lifespan.replaced_handlers(ctx.module):
        source = lifespan.module.source
        set_here = Related(
            source.path, source.position(source.start(lifespan.place)), "the lifespan is set here"
        )
        yield ctx.finding(place, related=[set_here], handler=name, lifespan=source.segment(lifespan.place))
