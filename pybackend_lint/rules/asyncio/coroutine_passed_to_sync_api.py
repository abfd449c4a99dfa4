"""Rule PB635: coroutine-passed-to-sync-api."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix, Related
from pybackend_lint.frameworks import asyncio, awaiting
from pybackend_lint.frameworks.awaiting import CALLBACK_NAMES, THREADED, Callback
from pybackend_lint.rule import UNSAFE, Context, rule

_TASK = "Make `{callback}` a plain function: Celery calls a task and drops the coroutine that it returns"


@rule(
    "PB635",
    "coroutine-passed-to-sync-api",
    "Give `{api}` a plain function: it calls `{callback}` and drops the coroutine, which never runs",
    nodes=(ast.Call, ast.AsyncFunctionDef),
    names=(*sorted(CALLBACK_NAMES), "shared_task", "task"),
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine function is handed to something that calls plain functions only.

    ## Why
    A thread, a timer, an executor, a signal or exit handler and a callback of the event loop call what they
    are given and ignore, or pass on, what comes back. From a coroutine function a coroutine comes back, and
    none of its body has run: the work is silently not done.

    ## Bad
    ```python
    import asyncio

    from shop.reports import write_report


    async def month_end(month: str) -> None:
        await asyncio.to_thread(write_report, month)
    ```
    ```python file=shop/reports.py
    import asyncio


    async def write_report(month: str) -> None:
        await asyncio.sleep(1)
        print("report", month)
    ```

    ## Good
    ```python
    from shop.reports import write_report


    async def month_end(month: str) -> None:
        await write_report(month)
    ```

    ## Not reported
    ```python
    import asyncio
    import threading

    from fastapi import BackgroundTasks


    async def write_report(month: str) -> None:
        await asyncio.sleep(1)


    def in_thread(month: str) -> None:
        asyncio.run(write_report(month))


    async def month_end(month: str, tasks: BackgroundTasks) -> None:
        tasks.add_task(write_report, month)  # takes coroutine functions as well
        threading.Thread(target=in_thread, args=(month,)).start()
        await asyncio.gather(*map(write_report, [month]))
    ```

    ## Fix safety
    `await asyncio.to_thread(function, ...)` becomes `await function(...)`. It is unsafe because the body runs
    for the first time, in the event loop. The other forms get no fix.

    ## When not to use it
    Never.

    ## References
    - Python documentation, "asyncio.to_thread" and "loop.call_soon"
    - Celery documentation, "Tasks"
    """
    if isinstance(node, ast.AsyncFunctionDef):
        if node.decorator_list and awaiting.is_task(ctx.function_info(node)):
            start = ctx.source.start(node)
            yield ctx.finding_at(start, start + len("async def"), message=_TASK, callback=node.name)
        return
    found = awaiting.dropped_callback(node, ctx.module)
    if found is None:
        return
    home = found.function.module.source
    place = home.position(home.start(found.function.node))
    related = Related(home.path, place, f"`{found.function.node.name}` is a coroutine function")
    yield ctx.finding(
        found.given,
        fix=_fix(node, found, ctx),
        related=[related],
        api=".".join(found.api.split(".")[-2:]),
        callback=found.function.node.name,
    )


def _fix(node: ast.Call, found: Callback, ctx: Context) -> Fix | None:
    awaited = isinstance(ctx.parent(node), ast.Await) and asyncio.can_await(node, ctx)
    if found.api not in THREADED or not awaited or not node.args or node.args[0] is not found.given:
        return None
    source = ctx.source
    if not isinstance(found.given, (ast.Name, ast.Attribute)) or source.text[source.end(node) - 1] != ")":
        return None
    start, end = source.outer_range(found.given)
    after = source.outer_range(node.args[1])[0] if len(node.args) > 1 else None
    if after is None:
        after = end
        if node.keywords:
            after = source.text.index(",", after) + 1
            after += len(source.text[after:]) - len(source.text[after:].lstrip())
    return ctx.fix(
        "Await the coroutine",
        Edit(source.start(node), start, ""),
        Edit(end, after, "("),
    )
