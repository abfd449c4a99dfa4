"""Rule PB620: thread-lock-across-await."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import locks
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB620",
    "thread-lock-across-await",
    "Use `asyncio.{kind}` here: `{lock}` is held across an `await`",
    nodes=(ast.With,),
    words=("await", "async for", "async with"),
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.With, ctx: Context) -> Iterator[Finding]:
    """A coroutine holds a lock of threads while it waits.

    ## Why
    At the `await` other coroutines run, in the same thread. The first of them that wants a `Lock` or
    `Semaphore` which is held does not wait like a coroutine: it stops the thread, and with it the event
    loop. The coroutine that holds the lock never goes on, and the process hangs for good. An `RLock`, or the
    `Condition` that is made of one, does the opposite: it belongs to the thread, so it lets all coroutines
    in and protects nothing. Tests with one request at a time show neither.

    ## Bad
    ```python
    import asyncio
    import threading

    _lock = threading.Lock()
    _stock: dict[str, int] = {}


    async def reserve(sku: str) -> int:
        with _lock:
            left = _stock.get(sku, 0) - 1
            await asyncio.sleep(0.01)
            _stock[sku] = left
        return left
    ```
    ```python
    from threading import Semaphore

    from shop.gateway import Gateway


    class Payments:
        def __init__(self, gateway: Gateway) -> None:
            self._gateway = gateway
            self._slots = Semaphore(4)

        async def charge(self, order_id: int) -> bool:
            with self._slots:
                return await self._gateway.charge(order_id)
    ```
    ```python file=shop/gateway.py
    import asyncio


    class Gateway:
        async def charge(self, order_id: int) -> bool:
            await asyncio.sleep(0.1)
            return order_id > 0
    ```

    ## Good
    ```python
    import asyncio

    _lock = asyncio.Lock()
    _stock: dict[str, int] = {}


    async def reserve(sku: str) -> int:
        async with _lock:
            left = _stock.get(sku, 0) - 1
            await asyncio.sleep(0.01)
            _stock[sku] = left
        return left
    ```
    ```python
    from asyncio import Semaphore

    from shop.gateway import Gateway


    class Payments:
        def __init__(self, gateway: Gateway) -> None:
            self._gateway = gateway
            self._slots = Semaphore(4)

        async def charge(self, order_id: int) -> bool:
            async with self._slots:
                return await self._gateway.charge(order_id)
    ```

    ## Not reported
    ```python
    from shop.state import lock, totals
    from shop.storage import load


    async def add(day: str) -> int:
        amount = await load(day)
        with lock:  # held for a moment, while nothing else can run in this thread
            totals[day] = totals.get(day, 0) + amount
            return totals[day]
    ```
    ```python file=shop/state.py
    import threading

    lock = threading.Lock()
    totals: dict[str, int] = {}
    ```
    ```python file=shop/storage.py
    import asyncio


    async def load(day: str) -> int:
        await asyncio.sleep(0.1)
        return len(day)
    ```

    ## Fix safety
    There is a fix where the lock is private to the file and all that uses it are `with` statements of
    coroutines. It is unsafe because a lock of asyncio does not keep threads apart: where the coroutines run
    in event loops of several threads, another remedy is needed, such as to wait outside of the lock.

    ## When not to use it
    Where each thread runs an event loop of its own with a single coroutine that takes the lock.

    ## References
    - Python documentation, "Synchronization Primitives" of asyncio
    - Python documentation, "Developing with asyncio", "Concurrency and Multithreading"
    """
    for lock, kind in locks.held_across_await(node, ctx):
        edits = locks.asyncio_edits(lock, kind, ctx)
        fix = ctx.fix("Make it a lock of asyncio", *edits) if edits else None
        yield ctx.finding(lock, fix=fix, kind=kind, lock=ctx.text(lock))
