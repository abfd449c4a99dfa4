"""Rule PB608: await-on-sync."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix, Related
from pybackend_lint.frameworks import asyncio, awaiting
from pybackend_lint.frameworks.awaiting import Misuse, Misused
from pybackend_lint.frameworks.data import blocking
from pybackend_lint.rule import SAFE, Context, rule

_MESSAGES = {
    Misuse.AWAIT: None,
    Misuse.AWAIT_GENERATOR: "Use `async for`: `{callee}` is an asynchronous generator, so `await` raises "
    "`TypeError`",
    Misuse.ASYNC_FOR: "Use `for`: `{callee}` is no asynchronous iterable, so `async for` raises `TypeError`",
    Misuse.ASYNC_WITH: "Use `with`: `{callee}` is no asynchronous context manager, and `async with` raises",
    Misuse.FOR: "Use `async for`: `{callee}` is an asynchronous generator, so `for` raises `TypeError`",
    Misuse.WITH: "Use `async with`: `{callee}` is an asynchronous context manager, and `with` raises",
}


@rule(
    "PB608",
    "await-on-sync",
    "Remove `await`: `{callee}` gives nothing that can be awaited, and `await` raises `TypeError`",
    nodes=(ast.Await, ast.AsyncFor, ast.AsyncWith, ast.For, ast.With, ast.comprehension),
    words=("async def",),
    fix=SAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """`await`, `async for` or `async with` is used with something plain, or the other way round.

    ## Why
    The line raises `TypeError` each time it runs. Often a function was made asynchronous, or plain again,
    and a caller in another file was forgotten; without a test that runs the line it fails in production.
    `await` runs the plain function first, so that its effects have happened when the error comes.

    ## Bad
    ```python
    from shop.prices import net_price


    async def quote(sku: str, amount: int) -> float:
        return await net_price(sku) * amount
    ```
    ```python file=shop/prices.py
    PRICES = {"tea": 3.5, "cup": 8.0}


    def net_price(sku: str) -> float:
        return round(PRICES.get(sku, 1.0) / 1.19, 2)
    ```
    ```python
    import httpx


    async def rates(client: httpx.AsyncClient) -> dict[str, float]:
        response = await client.get("https://rates.example/latest")
        return await response.json()
    ```
    ```python
    from shop.export import rows


    async def lines() -> list[str]:
        found = []
        for row in rows():
            found.append(",".join(row))
        return found
    ```
    ```python file=shop/export.py
    import asyncio
    from collections.abc import AsyncIterator


    async def rows() -> AsyncIterator[list[str]]:
        for page in range(3):
            await asyncio.sleep(0.1)
            yield [str(page)]
    ```

    ## Good
    ```python
    from shop.prices import net_price


    async def quote(sku: str, amount: int) -> float:
        return net_price(sku) * amount
    ```
    ```python
    import httpx


    async def rates(client: httpx.AsyncClient) -> dict[str, float]:
        response = await client.get("https://rates.example/latest")
        return response.json()
    ```
    ```python
    from shop.export import rows


    async def lines() -> list[str]:
        found = []
        async for row in rows():
            found.append(",".join(row))
        return found
    ```

    ## Not reported
    ```python
    import inspect

    from shop.hooks import Hooks, load


    async def run(hooks: Hooks) -> None:
        await hooks.before()  # subclasses elsewhere may be asynchronous
        result = load()
        if inspect.isawaitable(result):
            await result
        await hooks.registry["after"]()  # nobody knows what is stored there
    ```
    ```python file=shop/hooks.py
    class Hooks:
        registry: dict = {}

        def before(self):
            raise NotImplementedError


    def load(name: str = "default") -> object:
        return Hooks.registry.get(name)
    ```

    ## Fix safety
    Safe: the line could only raise. `async` is added inside of coroutines only. A call that blocks the event
    loop, such as `await time.sleep(1)`, gets no fix: it needs another function.

    ## When not to use it
    Never.

    ## References
    - Python documentation, "Await expression"
    - Python documentation, "The async for statement" and "The async with statement"
    """
    for found in awaiting.misused(node, ctx.module):
        callee = ctx.text(found.value.func if isinstance(found.value, ast.Call) else found.value)
        yield ctx.finding(
            found.value,
            fix=_fix(node, found, ctx),
            related=list(_definition(found)),
            message=_MESSAGES[found.misuse],
            callee=callee if len(callee) <= 40 and "\n" not in callee else found.misuse.value,
        )


def _definition(found: Misused) -> Iterator[Related]:
    if found.function is not None:
        source = found.function.module.source
        start = source.position(source.start(found.function.node))
        yield Related(source.path, start, f"`{found.function.node.name}` is defined here")


def _fix(node: ast.AST, found: Misused, ctx: Context) -> Fix | None:
    source, call = ctx.source, found.value
    match found.misuse:
        case Misuse.AWAIT:
            name = ctx.qualified_name(call.func) if isinstance(call, ast.Call) else None
            if name is not None and blocking.find(name) is not None:
                return None
            return ctx.fix("Remove `await`", Edit(source.start(node), source.outer_range(call)[0], ""))
        case Misuse.FOR | Misuse.WITH if not isinstance(node, ast.comprehension):
            if not asyncio.can_await(node, ctx) or len(getattr(node, "items", ())) > 1:
                return None
            return ctx.fix("Make it asynchronous", ctx.insert_before(node, "async "))
        case Misuse.ASYNC_FOR | Misuse.ASYNC_WITH if not isinstance(node, ast.comprehension):
            start = source.start(node)
            plain = source.text.startswith("async ", start) and len(getattr(node, "items", ())) <= 1
            return ctx.fix("Make it plain", Edit(start, start + len("async "), "")) if plain else None
    return None
