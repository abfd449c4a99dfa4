"""Rule PB603: blocking-sdk-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.frameworks.data.blocking import Sort
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB603",
    "blocking-sdk-in-async",
    "Use `{twin}` in coroutines: `{call}` waits for the network and blocks the event loop",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("correctness", "performance"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine calls a service (object store, mail, payment, language model) through a blocking client.

    ## Why
    The clients of cloud providers hide HTTP requests behind method calls. `boto3`, `smtplib`, `stripe` or
    `openai.OpenAI` wait for the answer in the thread of the event loop, often for seconds, and retry there
    as well. Until they return, the worker answers no other request.

    ## Bad
    ```python
    from shop.storage import storage


    async def save_invoice(number: int, content: bytes) -> None:
        storage.put_object(Bucket="invoices", Key=f"{number}.pdf", Body=content)
    ```
    ```python file=shop/storage.py
    import boto3

    storage = boto3.client("s3")
    ```
    ```python
    from fastapi import FastAPI
    from openai import OpenAI

    app = FastAPI()
    client = OpenAI()


    @app.get("/summaries/{article}")
    async def summary(article: str) -> str:
        answer = client.responses.create(model="gpt-5", input=f"Sum up {article}")
        return answer.output_text
    ```

    ## Good
    ```python
    import asyncio

    from shop.storage import storage


    async def save_invoice(number: int, content: bytes) -> None:
        await asyncio.to_thread(storage.put_object, Bucket="invoices", Key=f"{number}.pdf", Body=content)
    ```
    ```python
    import asyncio

    from fastapi import FastAPI
    from openai import OpenAI

    app = FastAPI()
    client = OpenAI()


    @app.get("/summaries/{article}")
    async def summary(article: str) -> str:
        answer = await asyncio.to_thread(client.responses.create, model="gpt-5", input=f"Sum up {article}")
        return answer.output_text
    ```

    ## Not reported
    ```python
    import boto3

    s3 = boto3.client("s3")


    async def link(number: int) -> str:
        # signs with the keys at hand, without a request
        return s3.generate_presigned_url("get_object", Params={"Bucket": "invoices", "Key": f"{number}.pdf"})


    def send(number: int) -> None:
        s3.head_object(Bucket="invoices", Key=f"{number}.pdf")  # a plain function blocks its own thread only


    async def check(client, number: int) -> None:
        client.head_object(Bucket="invoices", Key=f"{number}.pdf")  # we do not know this client
    ```

    ## Fix safety
    Calls of clients that threads may share are wrapped in `await asyncio.to_thread(...)` when
    their arguments are plain data; a route or dependency of FastAPI that never awaits becomes a plain `def`.
    Both are unsafe because the code then runs beside the event loop.

    ## When not to use it
    In coroutines that run alone, such as those of a command-line program with a single task.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - Boto3 documentation, "Clients: Multithreading or multiprocessing with clients"
    - OpenAI Python library, "Async usage"
    """
    for first, *others in event_loop.direct_calls(ctx.function_info(node), ctx.project, Sort.SDK):
        call, fix = first.site.node, None
        plain = event_loop.plain_function_edit(node, ctx)
        if isinstance(call, ast.Call) and event_loop.can_move_to_thread(first, ctx):
            module, imports = add_import(ctx.source, "asyncio", from_import=False)
            fix = ctx.fix("Run it in a thread", *event_loop.thread_edits(call, module, ctx), *imports)
        elif plain is not None:
            fix = ctx.fix("Let FastAPI run it in a thread", plain)
        yield ctx.finding(
            call,
            end=first.func,
            fix=fix,
            related=[ctx.related(other.site.node, "blocks as well") for other in others],
            twin=first.entry.twin,
            call=event_loop.short_name(first),
        )
