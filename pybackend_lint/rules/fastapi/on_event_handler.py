"""Rule PB300: on-event-handler."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import shorten

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import fastapi, fastapi_lifespan, starlette_removals
from pybackend_lint.frameworks.fastapi import EventHandlers
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import delete_lines, has_own_lines
from pybackend_lint.semantic.import_edits import replace_imports


@rule(
    "PB300",
    "on-event-handler",
    "Call `{handler}` in a `lifespan` context manager: `{way}` is deprecated",
    nodes=(ast.Module,),
    words=("on_event", "add_event_handler", "on_startup", "on_shutdown"),
    applies="fastapi>=0.93",
    fix=SAFE,
    tags=("deprecation",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Handlers of the events `startup` and `shutdown` are deprecated in favour of one `lifespan`.

    ## Why
    FastAPI warns about them and Starlette 1 has removed them. They share nothing: what one opens, the
    other finds only in a global variable. And as soon as the application gets a `lifespan`, no handler
    runs any more, without a word.

    ## Bad
    ```python
    from fastapi import FastAPI
    from shop.database import connect, disconnect

    app = FastAPI(title="Shop")

    @app.on_event("startup")  # PB300
    async def open_database() -> None:
        await connect()

    @app.on_event("shutdown")  # PB300
    async def close_database() -> None:
        await disconnect()
    ```
    ```python file=shop/database.py
    async def connect() -> None: ...

    async def disconnect() -> None: ...
    ```
    ## Good
    ```python
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from shop.database import connect, disconnect


    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await open_database()
        try:
            yield
        finally:
            await close_database()


    app = FastAPI(title="Shop", lifespan=lifespan)

    async def open_database() -> None:
        await connect()

    async def close_database() -> None:
        await disconnect()
    ```
    ## Not reported
    ```python
    class Bus:
        def on_event(self, name: str):
            return lambda handler: handler

    bus = Bus()

    @bus.on_event("startup")  # not an application
    def started() -> None: ...
    ```
    ## Fix safety
    The handlers run in the same order, at the same moments, and the last ones also after an error. The
    fix is safe where all handlers of the project are in this file; it is unsafe where the application is
    handed to other code, which may add handlers of its own. There is none for routers, for handlers with
    other decorators, and for those that depend on a condition.

    ## When not to use it
    In a project that supports FastAPI before 0.93.

    ## References
    - FastAPI: "Lifespan Events"
    - Starlette: "Lifespan"
    """
    dead = {place for place, _, _ in fastapi_lifespan.replaced_handlers(ctx.module)}
    for found in fastapi.event_handlers(ctx.module):
        fix = _fix(found, ctx) if found.constructor is not None and found.is_complete else None
        for handler in found.handlers:
            if handler.place in dead or _is_gone(handler.place, ctx):
                continue  # PB301 says that it never runs, PB302 that it fails
            way = ctx.text(handler.function_name)
            yield ctx.finding(handler.place, fix=fix, handler=handler.name, way=way)
    for _, keyword in fastapi.event_arguments(ctx.module):
        if keyword.value not in dead:
            given = shorten(ctx.text(keyword.value).strip("[]()"), 60, placeholder=" ...")
            yield ctx.finding(keyword, handler=given, way=f"{keyword.arg}=")


def _is_gone(registering: ast.expr, ctx: Context) -> bool:
    if not isinstance(registering, ast.Call) or not ctx.project.satisfies("starlette>=1.0", "lower"):
        return False
    return starlette_removals.removed_use(registering, ctx.module) is not None


def _fix(found: EventHandlers, ctx: Context) -> Fix | None:
    source, call = ctx.source, found.constructor
    assert call is not None
    statement = ctx.statement(call)
    if ctx.module.scope.bindings.get("lifespan"):
        return None
    wanted = ("contextlib.asynccontextmanager", "collections.abc.AsyncIterator")
    (manager, iterator), imports = replace_imports(source, wanted, ())
    lines = [f"@{manager}", f"async def lifespan(app: {ctx.text(call.func)}) -> {iterator}[None]:"]
    startup = [handler.call_text for handler in found.handlers if handler.event == "startup"]
    shutdown = [handler.call_text for handler in found.handlers if handler.event == "shutdown"]
    step = source.indentation_step
    lines += [f"{step}{text}" for text in startup]
    if shutdown:
        lines += [f"{step}try:", f"{step * 2}yield", f"{step}finally:"]
        lines += [f"{step * 2}{text}" for text in shutdown]
    else:
        lines.append(f"{step}yield")
    row = statement.lineno
    while source.line(row - 1).startswith("#"):
        row -= 1
    blank = 0
    while row - blank > 1 and not source.line(row - blank - 1).strip():
        blank += 1
    at = source.line_starts[row - 1]
    text = "\n" * max(0, 2 - blank) + "\n".join(lines) + "\n\n\n"
    edits = [Edit(at, at, text), *imports]
    written: list[ast.expr | ast.keyword] = sorted([*call.args, *call.keywords], key=source.end)
    if not written:
        edits.append(Edit(source.end(call.func), source.end(call), "(lifespan=lifespan)"))
    elif source.position(source.start(written[-1])).row > call.lineno:
        indentation = source.indentation(written[-1])
        edits.append(ctx.insert_after(written[-1], f",\n{indentation}lifespan=lifespan"))
    else:
        edits.append(ctx.insert_after(written[-1], ", lifespan=lifespan"))
    deletions = [delete_lines(source, handler.place) for handler in found.handlers]
    edits += [edit for edit in deletions if edit is not None]
    if None in deletions or not has_own_lines(source, statement):
        return None
    applicability = UNSAFE if found.is_handed_on else SAFE
    return ctx.fix("Use a `lifespan` context manager", *edits, applicability=applicability)
