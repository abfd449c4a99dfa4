"""Rule PB601: blocking-http-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.frameworks.data.blocking import Sort
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB601",
    "blocking-http-in-async",
    "Use an asynchronous client such as `{client}`: `{call}` blocks the event loop",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("correctness", "performance"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine sends an HTTP request with a client that blocks the event loop until the answer is there.

    ## Why
    `requests`, `urllib`, `urllib3` and the plain functions and `Client` of `httpx` wait in the thread that
    calls them. In a coroutine that is the thread of the event loop: while one slow partner answers, the
    worker serves nobody. The client may be a session that another module made, on `self` or at module level.

    ## Bad
    ```python
    from fastapi import APIRouter

    from billing.rates import session

    router = APIRouter()


    @router.get("/rates/{currency}")
    async def current_rate(currency: str) -> float:
        response = session.get(f"https://rates.example/{currency}", timeout=5)
        return float(response.json()["rate"])
    ```
    ```python file=billing/rates.py
    import requests

    session = requests.Session()
    session.headers["Accept"] = "application/json"
    ```

    ## Good
    ```python
    from fastapi import APIRouter

    from billing.rates import session

    router = APIRouter()


    @router.get("/rates/{currency}")
    def current_rate(currency: str) -> float:
        response = session.get(f"https://rates.example/{currency}", timeout=5)
        return float(response.json()["rate"])
    ```

    ## Not reported
    ```python
    import httpx


    class RateClient:
        def __init__(self) -> None:
            self.client = httpx.AsyncClient(base_url="https://rates.example", timeout=5)

        async def rate(self, currency: str) -> float:
            return float((await self.client.get(f"/{currency}")).json()["rate"])
    ```
    ```python
    import asyncio

    import requests


    def fetch(url: str) -> bytes:
        return requests.get(url, timeout=5).content


    async def logo(url: str) -> bytes:
        return await asyncio.to_thread(fetch, url)  # waits in another thread


    async def setting(session, name: str) -> str:
        return session.get(name)  # nothing says that this session speaks HTTP
    ```

    ## Fix safety
    A route or dependency of FastAPI that never awaits becomes a plain `def`, which FastAPI runs in a thread.
    The fix is unsafe because it then runs beside the event loop and other requests. Other coroutines need an
    asynchronous client, which is left to their author.

    ## When not to use it
    In coroutines that run alone, such as those of a command-line program with a single task.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - HTTPX documentation, "Async Support"
    """
    for blocking in event_loop.blocking_calls(ctx.function_info(node), ctx.project):
        if blocking.is_direct(Sort.HTTP):
            edit = event_loop.plain_function_edit(node, ctx)
            yield ctx.finding(
                blocking.site.node,
                end=blocking.func,
                fix=ctx.fix("Let FastAPI run it in a thread", edit) if edit is not None else None,
                client=blocking.entry.twin,
                call=ctx.text(blocking.func),
            )
