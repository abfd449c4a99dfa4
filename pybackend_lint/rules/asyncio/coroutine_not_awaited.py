"""Rule PB607: coroutine-not-awaited."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio
from pybackend_lint.rule import UNSAFE, Context, rule

_ACCEPTED = "[unused-coroutine]"  # of `# type: ignore[unused-coroutine]`, which answers mypy about the same


@rule(
    "PB607",
    "coroutine-not-awaited",
    "Await `{callee}()`: the coroutine is created and never run",
    nodes=(ast.Module,),
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """The coroutine that a call returns is dropped, tested or taken apart instead of awaited.

    ## Why
    Calling an `async def` function runs none of its body. A call without `await` therefore does nothing:
    the mail is not sent, the row is not written, and all that tells is a `RuntimeWarning` in a log when
    the object is collected. A test such as `if is_allowed(user):` is worse: a coroutine is always true.

    ## Bad
    ```python
    from shop.mail import Mailer


    class Checkout:
        def __init__(self) -> None:
            self.mailer = Mailer("shop@example.com")

        async def finish(self, order_id: str, address: str) -> str:
            self.mailer.send_receipt(order_id, address)
            return order_id
    ```
    ```python file=shop/mail.py
    import asyncio


    class Sender:
        async def send_receipt(self, order_id: str, address: str) -> None:
            reader, writer = await asyncio.open_connection("mail.example.com", 25)
            writer.write(f"{order_id} {address}".encode())
            await writer.drain()


    class Mailer(Sender):
        def __init__(self, sender: str) -> None:
            self.sender = sender
    ```
    ```python
    from shop.access import may_refund


    async def refund(user: str, order_id: str) -> str:
        if not may_refund(user):
            return "refused"
        return order_id
    ```
    ```python file=shop/access.py
    async def may_refund(user: str) -> bool:
        return user in {"ada", "grace"}
    ```

    ## Good
    ```python
    from shop.mail import Mailer


    class Checkout:
        def __init__(self) -> None:
            self.mailer = Mailer("shop@example.com")

        async def finish(self, order_id: str, address: str) -> str:
            await self.mailer.send_receipt(order_id, address)
            return order_id
    ```
    ```python
    from shop.access import may_refund


    async def refund(user: str, order_id: str) -> str:
        if not await may_refund(user):
            return "refused"
        return order_id
    ```

    ## Not reported
    ```python
    import asyncio

    from shop.plugins import traced


    async def ping(host: str) -> bool:
        return bool(host)


    @traced  # what the decorator returns is not known
    async def report(host: str) -> None:
        print(host)


    async def watch(hosts: list[str]) -> list[bool]:
        report("started")
        ping("nobody")  # type: ignore[unused-coroutine]
        pending = [ping(host) for host in hosts]
        pending.append(ping("localhost"))
        return await asyncio.gather(*pending)
    ```

    ## Fix safety
    The fix inserts `await`, in coroutines only. It is unsafe because code that never ran now runs.

    ## When not to use it
    Never with intent: a coroutine that should run in the background belongs into `asyncio.create_task`.

    ## References
    - Python documentation, "Developing with asyncio", section "Detect never-awaited coroutines"
    - Python documentation, "Coroutines and Tasks"
    """
    for call in asyncio.unawaited_candidates(ctx.module):
        name = asyncio.coroutine_of(call, ctx.module)
        if name is None:
            continue
        if _ACCEPTED in ctx.source.line(call.end_lineno or call.lineno):
            continue
        fix = None
        if asyncio.can_await(call, ctx):
            fix = ctx.fix("Await the coroutine", *asyncio.await_edits(call, ctx))
        function = ctx.module.modules.function_info(name)
        related = [ctx.definition(function, "defines the coroutine function")] if function is not None else []
        yield ctx.finding(call, end=call.func, fix=fix, related=related, callee=ctx.text(call.func))
