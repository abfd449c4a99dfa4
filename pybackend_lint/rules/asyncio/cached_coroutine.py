"""Rule PB629: cached-coroutine."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import caching
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB629",
    "cached-coroutine",
    "Cache the result of `{function}`, not its coroutine: the second `await` fails",
    nodes=(ast.AsyncFunctionDef,),
    words=("*cache",),
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A cache for plain functions decorates a coroutine function.

    ## Why
    Calling an `async def` gives a coroutine, and that is what `lru_cache` keeps. A coroutine can be awaited
    once: the second caller gets the same object, and `RuntimeError: cannot reuse already awaited coroutine`.
    A test that calls the function once per argument passes.

    ## Bad
    ```python
    import asyncio
    from functools import lru_cache


    @lru_cache(maxsize=256)
    async def rate(currency: str) -> float:
        await asyncio.sleep(0.1)
        return 1.0 if currency == "EUR" else 1.1
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.11"
    dependencies = ["async-lru>=2.0"]
    ```

    ## Good
    ```python
    import asyncio

    from async_lru import alru_cache


    @alru_cache(maxsize=256)
    async def rate(currency: str) -> float:
        await asyncio.sleep(0.1)
        return 1.0 if currency == "EUR" else 1.1
    ```

    ## Not reported
    ```python
    import asyncio
    from functools import cache, lru_cache

    from shop.caching import reusable


    @lru_cache
    def settings() -> dict[str, str]:  # a plain function
        return {"currency": "EUR"}


    @cache
    def warm_up() -> asyncio.Task[None]:  # a task can be awaited again
        return asyncio.create_task(asyncio.sleep(1))


    @cache
    @reusable  # what this makes of the coroutine function is not known
    async def currencies() -> list[str]:
        return ["EUR", "USD"]
    ```
    ```python file=shop/caching.py
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any


    def reusable(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., asyncio.Task[Any]]:
        return lambda *args: asyncio.ensure_future(function(*args))
    ```

    ## Fix safety
    Where the project depends on async-lru, `lru_cache` and `cache` become `alru_cache`. The fix is unsafe
    because what is kept is now the result, also for callers that relied on a fresh one, and because a cache
    of async-lru belongs to one event loop. Without async-lru, and for `cached_property` and cachetools, there
    is no fix: keep the result in a variable of your own, under an `asyncio.Lock`.

    ## When not to use it
    There is no reason to turn it off: what is cached cannot be used again.

    ## References
    - Python documentation, "functools.lru_cache"
    - Python documentation, "Coroutines and Tasks", "Awaitables"
    """
    decorator = caching.cache_of(node, ctx)
    if decorator is None:
        return
    edits = caching.asynchronous_edits(decorator, ctx)
    fix = ctx.fix("Cache the result with async-lru", *edits) if edits else None
    yield ctx.finding(decorator, fix=fix, function=node.name)
