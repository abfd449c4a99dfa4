"""Rule PB625: cancellation-swallowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB625",
    "cancellation-swallowed",
    "Re-raise `CancelledError`: `{function}` goes on after it was cancelled",
    nodes=(ast.ExceptHandler,),
    words=("CancelledError", "BaseException", "except:"),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """A coroutine catches the exception that cancels it and goes on as if nothing had happened.

    ## Why
    Cancelling is how asyncio stops work: `task.cancel()`, `asyncio.timeout`, a task group whose other
    task failed, a client that disconnects, a server that shuts down. All of them raise `CancelledError`
    at the `await` and rely on it to come out again. A coroutine that catches it and goes on makes
    timeouts vanish and shutdowns hang. `except Exception` does not catch it and is fine.

    ## Bad
    ```python
    import logging

    from shop.stock import Stock

    logger = logging.getLogger(__name__)


    async def reserve(stock: Stock, sku: str) -> int:
        try:
            return await stock.reserve(sku)
        except BaseException:
            logger.exception("cannot reserve %s", sku)
        return 0
    ```
    ```python file=shop/stock.py
    import asyncio


    class Stock:
        async def reserve(self, sku: str) -> int:
            await asyncio.sleep(1)
            return len(sku)
    ```
    ```python
    import asyncio


    async def poll(queue: asyncio.Queue[str]) -> None:
        while True:
            try:
                print(await queue.get())
            except asyncio.CancelledError:
                print("interrupted")
    ```

    ## Good
    ```python
    import logging

    from shop.stock import Stock

    logger = logging.getLogger(__name__)


    async def reserve(stock: Stock, sku: str) -> int:
        try:
            return await stock.reserve(sku)
        except Exception:
            logger.exception("cannot reserve %s", sku)
        return 0
    ```
    ```python
    import asyncio


    async def poll(queue: asyncio.Queue[str]) -> None:
        while True:
            try:
                print(await queue.get())
            except asyncio.CancelledError:
                print("interrupted")
                raise
    ```

    ## Not reported
    ```python
    import asyncio


    async def stop(task: asyncio.Task[None]) -> None:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass  # the other task's cancellation, which was asked for


    async def worker(queue: asyncio.Queue[str]) -> None:
        try:
            while True:
                print(await queue.get())
        except asyncio.CancelledError:
            print("stopped")  # ends with its last act: nothing goes on
    ```

    ## Fix safety
    `except BaseException` and a bare `except` become `except Exception`; to a handler of
    `CancelledError` a `raise` is added. Both are unsafe: the coroutine now ends where it went on.

    ## When not to use it
    In the outermost coroutine of a program, which nobody awaits.

    ## References
    - Python documentation, "Task Cancellation"
    - Python documentation, "asyncio.CancelledError"
    """
    swallowed = asyncio.swallowed_cancellation(node, ctx)
    if swallowed is None:
        return
    edits = asyncio.reraising_edits(node, ctx)
    fix = ctx.fix("Let the cancellation through", *edits) if edits else None
    yield ctx.finding(node, end=node.type, fix=fix, function=swallowed)
