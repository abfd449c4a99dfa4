"""Rule PB605: blocking-file-io-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import

_THROUGH = "Call `{call}` in a thread: it reaches `{sink}`, which blocks the event loop, via {path}"

# These give something back that reads the disk when it is read itself.
_READ_LATER = ("open", "os.walk", "Path.iterdir", "Path.glob", "Path.rglob")


@rule(
    "PB605",
    "blocking-file-io-in-async",
    "Use `{twin}` in coroutines: `{call}` blocks the event loop",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    default=False,
    tags=("performance",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine reads or writes files, itself or in a function of the project that it calls.

    ## Why
    The event loop has no asynchronous files: `open`, `Path.read_text` and `shutil` wait in its thread. On a
    local disk with warm caches that takes microseconds. On a network file system, with large files or a
    throttled cloud disk it takes as long as it takes, and every other request of the worker waits.

    ## Bad
    ```python
    from pathlib import Path


    async def terms(folder: Path, language: str) -> str:
        return (folder / f"{language}.md").read_text()
    ```
    ```python
    from shop.exports import write_export


    async def export(rows: list[list[str]], name: str) -> str:
        write_export(name, rows)
        return name
    ```
    ```python file=shop/exports.py
    import csv


    def write_export(name: str, rows: list[list[str]]) -> None:
        with open(f"/srv/exports/{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)
    ```

    ## Good
    ```python
    import asyncio
    from pathlib import Path


    async def terms(folder: Path, language: str) -> str:
        return await asyncio.to_thread((folder / f"{language}.md").read_text)
    ```
    ```python
    import asyncio

    from shop.exports import write_export


    async def export(rows: list[list[str]], name: str) -> str:
        await asyncio.to_thread(write_export, name, rows)
        return name
    ```

    ## Not reported
    ```python
    import asyncio
    from pathlib import Path


    def load(path: Path) -> bytes:
        return path.read_bytes()


    async def logo(path: Path) -> bytes:
        return await asyncio.to_thread(load, path.with_suffix(".png"))  # paths themselves touch no disk


    async def copy(source, path: Path) -> None:
        source.copy_to(path)  # we do not know what this is
    ```

    ## Fix safety
    The fix moves the call into a thread with `asyncio.to_thread` when its arguments are plain data. It is
    unsafe because the file is then read beside the event loop. No fix is offered for `open` itself, and
    for `os.walk` and the like, which read on while their result is read.

    ## When not to use it
    Where all files are small and on a local disk. The rule is off by default for that reason.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - Starlette documentation, "Requests: Request Files"
    """
    for blocking in event_loop.file_calls(ctx.function_info(node), ctx.project):
        fix = None
        call = blocking.site.node
        reads_later = not blocking.chain and blocking.site.name.endswith(_READ_LATER)
        if isinstance(call, ast.Call) and not reads_later and event_loop.can_move_to_thread(blocking, ctx):
            module, imports = add_import(ctx.source, "asyncio", from_import=False)
            fix = ctx.fix("Run it in a thread", *event_loop.thread_edits(call, module, ctx), *imports)
        yield ctx.finding(
            call,
            end=blocking.func,
            fix=fix,
            related=[step.related() for step in blocking.chain],
            message=_THROUGH if blocking.chain else None,
            twin=blocking.entry.twin,
            call=event_loop.short_name(blocking),
            sink=blocking.chain[-1].name if blocking.chain else "",
            path=" → ".join(event_loop.places(blocking.chain)),
        )
