"""Rule PB609: task-reference-dropped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB609",
    "task-reference-dropped",
    "Keep the task of `{call}`: the event loop holds it weakly and it can vanish",
    nodes=(ast.Module,),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A task is started and nothing keeps a reference to it.

    ## Why
    The event loop itself holds tasks by weak references. A task that waits for something that nobody else
    refers to can be collected in the middle of its work, now and then, without an exception: "Task was
    destroyed but it is pending". Nobody sees its errors either until it is collected. A callback for its end
    does not keep it: the task refers to the callback, not the other way round.

    ## Bad
    ```python
    import asyncio

    from shop.mail import send_receipt


    async def finish(order_id: str) -> str:
        asyncio.create_task(send_receipt(order_id))
        return order_id
    ```
    ```python file=shop/mail.py
    import asyncio


    async def send_receipt(order_id: str) -> None:
        reader, writer = await asyncio.open_connection("mail.example.com", 25)
        writer.write(order_id.encode())
        await writer.drain()
    ```

    ## Good
    ```python
    import asyncio

    from shop.mail import send_receipt

    _background_tasks: set[asyncio.Task[object]] = set()


    async def finish(order_id: str) -> str:
        task = asyncio.create_task(send_receipt(order_id))
        _background_tasks.add(task)
        task.add_done_callback(_background_tasks.discard)
        return order_id
    ```

    ## Not reported
    ```python
    import asyncio


    async def sync(shop: str) -> None:
        await asyncio.sleep(1)


    class Worker:
        async def run(self, shops: list[str]) -> None:
            self.task = asyncio.create_task(sync("main"))
            async with asyncio.TaskGroup() as group:
                for shop in shops:
                    group.create_task(sync(shop))  # the group keeps it and waits for it
            pending = asyncio.create_task(sync("last"))
            await pending
    ```

    ## Fix safety
    The fix keeps the task in a set of the module until it is done. It is unsafe because it chooses where
    the tasks live; an attribute of an object or a task group may suit the program better.

    ## When not to use it
    In short programs that end before anything is collected.

    ## References
    - Python documentation, "asyncio.create_task", the note on saving a reference
    """
    for call in asyncio.dropped_tasks(ctx.module):
        fix = None
        edits = asyncio.kept_task_edits(call, ctx)
        if edits:
            fix = ctx.fix("Keep the task until it is done", *edits)
        made_by = ctx.module.modules.function_info(asyncio.task_factory(call, ctx.module) or "")
        related = [ctx.definition(made_by, "makes the task and keeps none")] if made_by is not None else []
        yield ctx.finding(call, end=call.func, fix=fix, related=related, call=ctx.text(call.func))
