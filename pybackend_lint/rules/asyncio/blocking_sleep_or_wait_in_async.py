"""Rule PB604: blocking-sleep-or-wait-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio, event_loop
from pybackend_lint.frameworks.data.blocking import Sort
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB604",
    "blocking-sleep-or-wait-in-async",
    "Use `{twin}` in coroutines: `{call}` stops every other task",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("correctness", "performance"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine sleeps or waits for a process, thread or queue in a way that stops the event loop.

    ## Why
    One thread runs all coroutines of a worker. While `time.sleep`, `subprocess.run`,
    `threading.Event.wait`, `queue.Queue.get` or `concurrent.futures.Future.result` waits, that thread
    waits, and with it every other request of the worker, its health check and its timeouts. A future
    whose work needs the same loop never finishes: the worker hangs for good.

    ## Bad
    ```python
    import time

    from billing.gateway import Gateway


    async def capture(gateway: Gateway, payment_id: str) -> bool:
        for delay in (0.5, 1, 2):
            if await gateway.is_settled(payment_id):
                return True
            time.sleep(delay)
        return False
    ```
    ```python file=billing/gateway.py
    class Gateway:
        async def is_settled(self, payment_id: str) -> bool:
            return payment_id.startswith("settled-")
    ```

    ## Good
    ```python
    import asyncio

    from billing.gateway import Gateway


    async def capture(gateway: Gateway, payment_id: str) -> bool:
        for delay in (0.5, 1, 2):
            if await gateway.is_settled(payment_id):
                return True
            await asyncio.sleep(delay)
        return False
    ```

    ## Not reported
    ```python
    import asyncio
    import queue
    import subprocess
    import time
    from concurrent.futures import Future


    def render(path: str) -> None:
        subprocess.run(["wkhtmltopdf", path], check=True)  # a plain function blocks its own thread only


    async def invoice(path: str) -> None:
        await asyncio.to_thread(render, path)
        await asyncio.to_thread(time.sleep, 0.1)


    async def drain(jobs: queue.Queue[str]) -> list[str]:
        found = []
        while not jobs.empty():
            found.append(jobs.get(block=False))
        return found


    async def collect(result: Future[int]) -> int | None:
        return result.result() if result.done() else None  # does not wait
    ```

    ## Fix safety
    `time.sleep` is rewritten to `await asyncio.sleep`. The fix is unsafe because other tasks run during the
    sleep, so state that the coroutine shares with them may have changed behind it. A route or dependency of
    FastAPI that never awaits and waits in another way becomes a plain `def`, which FastAPI runs in a thread:
    unsafe, because it then runs beside the event loop.

    ## When not to use it
    In programs whose event loop never has more than one thing to do.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - Python documentation, "asyncio.sleep"
    """
    for blocking in event_loop.blocking_calls(ctx.function_info(node), ctx.project):
        if not blocking.is_direct(Sort.SLEEP, Sort.PROCESS, Sort.LOCK, Sort.JOIN, Sort.CONFIGURED):
            continue
        fix = None
        plain = event_loop.plain_function_edit(node, ctx)
        if blocking.entry.sort is Sort.SLEEP and asyncio.can_await(blocking.site.node, ctx):
            module, imports = add_import(ctx.source, "asyncio", from_import=False)
            edit = ctx.edit(blocking.func, f"await {module}.sleep")
            fix = ctx.fix("Sleep without stopping the event loop", edit, *imports)
        elif plain is not None:
            fix = ctx.fix("Let FastAPI run it in a thread", plain)
        yield ctx.finding(
            blocking.site.node,
            end=blocking.func,
            fix=fix,
            twin=blocking.entry.twin,
            call=ctx.text(blocking.func),
        )
