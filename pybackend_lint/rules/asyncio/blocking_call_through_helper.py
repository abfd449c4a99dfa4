"""Rule PB600: blocking-call-through-helper."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB600",
    "blocking-call-through-helper",
    "Call `{callee}` in a thread: it reaches blocking `{sink}` via {path}",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("correctness", "performance"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine calls a function of the project that, somewhere below, blocks the event loop.

    ## Why
    The call looks harmless: the `requests.get`, `time.sleep`, database query or password hash stands two
    files away. It still runs in the thread of the event loop, and until it returns the worker answers
    no other request. Such calls show up in production only, as latency that rises for every endpoint.

    The chain of calls is followed across files, through functions, methods, properties, constructors,
    generators that a loop runs and objects that modules share, up to eight calls deep. Calls that run in a
    thread are not followed.

    ## Bad
    ```python
    from billing.invoices import Invoices


    async def create_invoice(customer: str, cents: int) -> dict[str, int]:
        total = Invoices().total_in_euro(customer, cents)
        return {"total": total}
    ```
    ```python file=billing/invoices.py
    from billing.rates import rate_for


    class Invoices:
        def total_in_euro(self, customer: str, cents: int) -> int:
            return round(cents * rate_for(customer))
    ```
    ```python file=billing/rates.py
    import requests


    def rate_for(customer: str) -> float:
        answer = requests.get("https://rates.example/latest", params={"customer": customer}, timeout=5)
        return float(answer.json()["rate"])
    ```

    ## Good
    ```python
    import asyncio

    from billing.invoices import Invoices


    async def create_invoice(customer: str, cents: int) -> dict[str, int]:
        total = await asyncio.to_thread(Invoices().total_in_euro, customer, cents)
        return {"total": total}
    ```

    ## Not reported
    ```python
    import asyncio
    from contextlib import asynccontextmanager
    from functools import cache

    import requests
    from fastapi import BackgroundTasks, FastAPI


    def notify(order_id: str) -> None:
        requests.post("https://hooks.example/orders", json={"id": order_id}, timeout=5)


    @cache
    def public_key() -> str:
        return requests.get("https://id.example/key", timeout=5).text


    @asynccontextmanager
    async def lifespan(app: FastAPI):
        notify("started")  # nobody is served yet
        yield


    async def place(order_id: str, tasks: BackgroundTasks) -> str:
        tasks.add_task(notify, order_id)  # runs in a thread
        await asyncio.get_running_loop().run_in_executor(None, notify, order_id)
        return public_key()  # waits once, then never again
    ```

    ## Fix safety
    The fix wraps the call in `await asyncio.to_thread(...)`. It is unsafe because the function then runs
    in another thread, beside the event loop. No fix is offered where an argument is not known to be
    plain data: sessions, requests and connections must not change threads; nor where the function sets a
    context variable, which the thread would set for itself alone. There, a route or dependency
    of FastAPI that never awaits becomes a plain `def`, which FastAPI runs in a thread as a whole.

    ## When not to use it
    In coroutines that have the event loop for themselves. Single functions are exempted with the setting
    `allowed-blocking`; functions of libraries that block are added with `extra-blocking`.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - Python documentation, "asyncio.to_thread"
    """
    for blocking in event_loop.blocking_calls(ctx.function_info(node), ctx.project):
        if not blocking.chain:
            continue
        site, steps = blocking.site, blocking.chain
        fix, plain = None, event_loop.plain_function_edit(node, ctx)
        if isinstance(site.node, ast.Call) and event_loop.can_move_to_thread(blocking, ctx):
            module, imports = add_import(ctx.source, "asyncio", from_import=False)
            fix = ctx.fix("Run it in a thread", *event_loop.thread_edits(site.node, module, ctx), *imports)
        elif plain is not None:
            fix = ctx.fix("Let FastAPI run it in a thread", plain)
        yield ctx.finding(
            site.node,
            end=blocking.func,
            fix=fix,
            related=[step.related() for step in steps],
            callee=event_loop.short_name(blocking),
            sink=steps[-1].name,
            path=" → ".join(event_loop.places(steps)),
        )
