"""Rule PB627: async-generator-not-closed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix, Related
from pybackend_lint.frameworks import async_generators
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import put_below
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB627",
    "async-generator-not-closed",
    "Iterate `{call}()` under `contextlib.aclosing()`: leaving the loop early delays its clean-up",
    nodes=(ast.AsyncFor,),
    words=("async for",),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.AsyncFor, ctx: Context) -> Iterator[Finding]:
    """An `async for` is left early, and the generator it read has something to clean up.

    ## Why
    Leaving an `async for` does not close the generator, as closing it would have to be awaited. The event
    loop does that later, in a task of its own: when the function goes on, the `finally` of the generator has
    not run and its `async with` blocks are still open. Sessions keep their connection and their
    transaction, locks stay locked, and what is bound to the task (context variables, spans, task groups
    and timeouts) is left in another one, which is an error of its own.

    The generator may be a function or method of any file of the project in which every `yield` stands in a
    `try` with `finally` or in a `with` block. A dependency that yields a session is often read so in scripts.

    ## Bad
    ```python
    from shop.orders import unpaid_orders


    async def first_unpaid(customer: str) -> int | None:
        async for order in unpaid_orders():
            if order.customer == customer:
                return order.number
        return None
    ```
    ```python file=shop/orders.py
    from collections.abc import AsyncIterator
    from dataclasses import dataclass

    from shop.database import pool


    @dataclass
    class Order:
        number: int
        customer: str


    async def unpaid_orders() -> AsyncIterator[Order]:
        connection = await pool.acquire()
        try:
            for number, customer in await connection.rows("unpaid"):
                yield Order(number, customer)
        finally:
            await pool.release(connection)
    ```
    ```python file=shop/database.py
    class Connection:
        async def rows(self, view: str) -> list[tuple[int, str]]:
            return [(1, "ada"), (2, "grace")] if view == "unpaid" else []


    class Pool:
        def __init__(self) -> None:
            self.used = 0

        async def acquire(self) -> Connection:
            self.used += 1
            return Connection()

        async def release(self, connection: Connection) -> None:
            self.used -= 1


    pool = Pool()
    ```

    ## Good
    ```python
    from contextlib import aclosing

    from shop.orders import unpaid_orders


    async def first_unpaid(customer: str) -> int | None:
        async with aclosing(unpaid_orders()) as orders:
            async for order in orders:
                if order.customer == customer:
                    return order.number
        return None
    ```

    ## Not reported
    ```python
    from shop.feed import events, numbered


    async def total() -> int:
        found = 0
        async for event in events():  # runs to its end, which closes the generator
            found += event
        return found


    async def first() -> int | None:
        async for number in numbered():  # has nothing to clean up
            return number
        return None


    async def any_large() -> bool:
        feed = events()
        try:
            async for event in feed:  # a generator that has a name may be closed elsewhere
                if event > 100:
                    return True
        finally:
            await feed.aclose()
        return False
    ```
    ```python file=shop/feed.py
    import asyncio
    from collections.abc import AsyncGenerator

    _lock = asyncio.Lock()


    async def events() -> AsyncGenerator[int, None]:
        async with _lock:
            for number in range(200):
                yield number


    async def numbered() -> AsyncGenerator[int, None]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    ```

    ## Fix safety
    The fix puts the loop below `async with aclosing(...)`. It is unsafe because the clean-up then runs before
    the code behind the loop does. It is offered where Python 3.10 is the oldest, and the loop has no string
    over several lines.

    ## When not to use it
    Where it does not matter when the generator cleans up, such as in a script that ends behind the loop:
    `asyncio.run` closes the generators that are left.

    ## References
    - PEP 525, "Asynchronous Generators", section "Finalization"
    - Python documentation, `contextlib.aclosing`
    """
    if not isinstance(node.iter, ast.Call):
        return
    left = async_generators.early_exit(node)
    generator = async_generators.generator_of(node.iter, ctx.module) if left is not None else None
    late = async_generators.clean_up(generator) if generator is not None else None
    if left is None or generator is None or late is None:
        return
    source = generator.module.source
    path = ctx.path if generator.module is ctx.module else source.path
    related = (
        ctx.related(left, "leaves the loop early"),
        Related(path, source.position(source.start(late)), f"`{generator.node.name}` cleans up later"),
    )
    yield ctx.finding(node.iter, fix=_fix(node, ctx), related=related, call=ctx.text(node.iter.func))


def _fix(node: ast.AsyncFor, ctx: Context) -> Fix | None:
    names = [f"{node.target.id}s"] if isinstance(node.target, ast.Name) else []
    name = next((one for one in [*names, "iterator"] if ctx.module.lookup(one, node) is None), None)
    made = ctx.text(node.iter)
    if name is None or "\n" in made or not ctx.project.satisfies("python>=3.10", "lower"):
        return None
    closing, imports = add_import(ctx.source, "contextlib.aclosing")
    edits = put_below(ctx.source, f"async with {closing}({made}) as {name}:", node, node)
    return ctx.fix("Close it behind the loop", *edits, ctx.edit(node.iter, name), *imports) if edits else None
