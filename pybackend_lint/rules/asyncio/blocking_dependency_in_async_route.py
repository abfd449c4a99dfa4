"""Rule PB633: blocking-dependency-in-async-route."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB633",
    "blocking-dependency-in-async-route",
    "Declare `{dependency}` as `def`, which FastAPI runs in a thread: it blocks in `{sink}`",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("correctness", "performance"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A dependency of FastAPI is a coroutine that awaits nothing and blocks the event loop.

    ## Why
    FastAPI awaits `async def` dependencies in the event loop and runs plain ones in a thread. A dependency
    that asks Redis, hashes a password or calls an HTTP service without awaiting anything therefore stops
    all requests of the worker, once for every request of every route that depends on it. The word `async`
    is the only thing wrong with it.

    ## Bad
    ```python
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header

    from shop.sessions import user_of

    app = FastAPI()


    async def current_user(x_session: Annotated[str, Header()]) -> str | None:
        return user_of(x_session)


    @app.get("/cart")
    async def cart(user: Annotated[str | None, Depends(current_user)]) -> dict[str, str | None]:
        return {"user": user}
    ```
    ```python file=shop/sessions.py
    import redis

    sessions = redis.Redis(decode_responses=True)


    def user_of(session: str) -> str | None:
        return sessions.hget("sessions", session)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi>=0.110"]
    ```

    ## Good
    ```python
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header

    from shop.sessions import user_of

    app = FastAPI()


    def current_user(x_session: Annotated[str, Header()]) -> str | None:
        return user_of(x_session)


    @app.get("/cart")
    async def cart(user: Annotated[str | None, Depends(current_user)]) -> dict[str, str | None]:
        return {"user": user}
    ```

    ## Not reported
    ```python
    from typing import Annotated

    import redis.asyncio as redis
    from fastapi import Depends, FastAPI, Header

    app = FastAPI()
    sessions = redis.Redis(decode_responses=True)


    async def current_user(x_session: Annotated[str, Header()]) -> str | None:
        return await sessions.hget("sessions", x_session)


    async def page(number: int = 1) -> int:
        return max(number, 1)  # does not block, so that a thread would only cost time


    @app.get("/cart")
    async def cart(
        user: Annotated[str | None, Depends(current_user)], number: Annotated[int, Depends(page)]
    ) -> dict[str, str | None]:
        return {"user": user, "page": str(number)}
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi>=0.110"]
    ```

    ## Fix safety
    The fix removes `async`. It is unsafe because the function then runs in a thread, beside the event loop
    and other requests. Dependencies that some code of the project calls itself are not reported here: for
    them and for those that await something, PB600 to PB606 name the blocking call.

    ## When not to use it
    Never.

    ## References
    - FastAPI documentation, "Concurrency and async / await", section "Dependencies"
    """
    found = event_loop.needless_coroutine(ctx.function_info(node), ctx.project)
    if not found:
        return
    edit = event_loop.without_async(node, ctx)
    first = found[0]
    related = [ctx.related(first.site.node, f"calls `{event_loop.short_name(first)}`")]
    start = ctx.source.start(node)
    yield ctx.finding_at(
        start,
        start + len("async def"),
        fix=ctx.fix("Let FastAPI run it in a thread", edit) if edit is not None else None,
        related=[*related, *(step.related() for step in first.chain)],
        dependency=node.name,
        sink=first.chain[-1].name if first.chain else first.site.name,
    )
