"""Rule PB613: unbounded-gather."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks.concurrency import unbounded_start
from pybackend_lint.rule import Context, rule


@rule(
    "PB613",
    "unbounded-gather",
    "Bound the concurrency: `{call}` runs `{coroutine}` for all of {iterable} at once",
    nodes=(ast.Call,),
    names=("gather", "create_task", "ensure_future"),
    words=("async def",),
    default=False,
    tags=("performance",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """One request or query is started for each element of something, all at the same time.

    ## Why
    `asyncio.gather` and `create_task` start everything that they are given. Ten elements are fine; with ten
    thousand, as many connections are opened at once: the other side answers with 429 or not at all, httpx
    raises `PoolTimeout`, SQLAlchemy's pool runs dry and other requests of the worker wait for a connection.
    A semaphore around the request keeps the gain and bounds the load.

    The coroutine is followed across files, up to eight calls deep, to a call of httpx, aiohttp, asyncpg or
    an `AsyncSession`. A coroutine that waits for a semaphore, a limiter, a lock or an event on its way is
    silent, and so are requests of a shared client where some file of the project limits connections.

    ## Bad
    ```python
    import asyncio

    from shop.prices import price_of


    async def prices(skus: list[str]) -> list[float]:
        return await asyncio.gather(*[price_of(sku) for sku in skus])
    ```
    ```python file=shop/prices.py
    import httpx

    client = httpx.AsyncClient(base_url="https://prices.example", timeout=5)


    async def price_of(sku: str) -> float:
        answer = await client.get(f"/prices/{sku}")
        return float(answer.json()["price"])
    ```
    ```python
    import asyncio

    import httpx


    async def notify(client: httpx.AsyncClient, url: str) -> None:
        await client.post(url, json={"event": "closed"})


    async def notify_all(client: httpx.AsyncClient, urls: list[str]) -> None:
        async with asyncio.TaskGroup() as group:
            for url in urls:
                group.create_task(notify(client, url))
    ```

    ## Good
    ```python
    import asyncio

    from shop.prices import price_of

    semaphore = asyncio.Semaphore(10)


    async def bounded_price(sku: str) -> float:
        async with semaphore:
            return await price_of(sku)


    async def prices(skus: list[str]) -> list[float]:
        return await asyncio.gather(*[bounded_price(sku) for sku in skus])
    ```
    ```python
    import asyncio

    import httpx


    async def notify(client: httpx.AsyncClient, url: str, semaphore: asyncio.Semaphore) -> None:
        async with semaphore:
            await client.post(url, json={"event": "closed"})


    async def notify_all(client: httpx.AsyncClient, urls: list[str]) -> None:
        semaphore = asyncio.Semaphore(10)
        async with asyncio.TaskGroup() as group:
            for url in urls:
                group.create_task(notify(client, url, semaphore))
    ```

    ## Not reported
    ```python
    import asyncio

    import httpx

    MIRRORS = ("https://one.example", "https://two.example")


    async def status(client: httpx.AsyncClient, url: str) -> int:
        return (await client.get(url)).status_code


    async def mirrors(client: httpx.AsyncClient, urls: list[str], settings) -> list[int]:
        known = await asyncio.gather(*[status(client, url) for url in MIRRORS])
        first = await asyncio.gather(*[status(client, url) for url in urls[:5]])
        # settings hold few of a thing; an alarm is missed where they hold many
        return known + first + await asyncio.gather(*[status(client, url) for url in settings.mirrors])


    async def in_turns(client: httpx.AsyncClient, urls: list[str]) -> None:
        for start in range(0, len(urls), 20):
            part = urls[start : start + 20]
            await asyncio.gather(*[status(client, url) for url in part])
    ```

    ## When not to use it
    Where what is iterated is known to be short for a reason that the code does not show. The rule is off by
    default for that reason.

    ## References
    - Python documentation, "Synchronization Primitives", section "Semaphore"
    - HTTPX documentation, "Resource Limits" and "Timeouts", section "pool"
    - SQLAlchemy documentation, "QueuePool limit of size <x> overflow <y> reached"
    """
    found = unbounded_start(node, ctx.module)
    if found is None:
        return
    iterable = ctx.text(found.iterable)
    yield ctx.finding(
        node.func,
        related=[step.related() for step in found.chain],
        call=ctx.text(node.func) if len(ctx.text(node.func)) <= 30 else "create_task",
        coroutine=ctx.text(found.coroutine.func),
        iterable=f"`{iterable}`" if len(iterable) <= 40 and "\n" not in iterable else "its elements",
    )
