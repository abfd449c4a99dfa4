"""Rule PB606: cpu-bound-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.frameworks.data.blocking import Sort
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB606",
    "cpu-bound-in-async",
    "Run `{call}` in a thread: it computes for long, and the event loop stands still meanwhile",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine hashes a password, reads a table, changes an image or does other long work itself.

    ## Why
    Hashing a password takes 50 to 300 milliseconds, on purpose. Parsing a spreadsheet, resizing a photo or
    making an RSA key takes as long or longer. In a coroutine nobody else is served meanwhile: ten people who
    log in at once keep all others of the worker waiting for seconds. These calls release the global
    interpreter lock for most of their work, so that a thread is enough.

    ## Bad
    ```python
    from shop.security import hasher


    async def log_in(password: str, stored: str) -> bool:
        return hasher.verify(password, stored)
    ```
    ```python file=shop/security.py
    from pwdlib import PasswordHash

    hasher = PasswordHash.recommended()
    ```
    ```python
    import io

    import pandas
    from fastapi import FastAPI, UploadFile

    app = FastAPI()


    @app.post("/prices")
    async def import_prices(upload: UploadFile) -> int:
        table = pandas.read_excel(io.BytesIO(await upload.read()))
        return len(table)
    ```

    ## Good
    ```python
    import asyncio

    from shop.security import hasher


    async def log_in(password: str, stored: str) -> bool:
        return await asyncio.to_thread(hasher.verify, password, stored)
    ```
    ```python
    import asyncio
    import io

    import pandas
    from fastapi import FastAPI, UploadFile

    app = FastAPI()


    @app.post("/prices")
    async def import_prices(upload: UploadFile) -> int:
        table = await asyncio.to_thread(pandas.read_excel, io.BytesIO(await upload.read()))
        return len(table)
    ```

    ## Not reported
    ```python
    import asyncio
    import hashlib

    import bcrypt


    def store(password: bytes) -> bytes:
        return bcrypt.hashpw(password, bcrypt.gensalt())


    async def register(password: bytes) -> bytes:
        return await asyncio.to_thread(store, password)


    async def etag(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()  # fast by design


    async def total(prices: list[int]) -> int:
        return sum(price * price for price in prices)  # own loops are not timed, so an alarm may be missed
    ```

    ## Fix safety
    The fix wraps the call in `await asyncio.to_thread(...)` when its arguments are plain data. It is unsafe
    because other tasks run meanwhile.

    ## When not to use it
    In coroutines that run alone, such as those of a command-line program with a single task.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - OWASP, "Password Storage Cheat Sheet"
    """
    for blocking in event_loop.blocking_calls(ctx.function_info(node), ctx.project):
        if not blocking.is_direct(Sort.PASSWORD, Sort.COMPUTE):
            continue
        fix, call = None, blocking.site.node
        plain = event_loop.plain_function_edit(node, ctx)
        if isinstance(call, ast.Call) and event_loop.can_move_to_thread(blocking, ctx):
            module, imports = add_import(ctx.source, "asyncio", from_import=False)
            fix = ctx.fix("Run it in a thread", *event_loop.thread_edits(call, module, ctx), *imports)
        elif plain is not None:
            fix = ctx.fix("Let FastAPI run it in a thread", plain)
        yield ctx.finding(call, end=blocking.func, fix=fix, call=event_loop.short_name(blocking))
