"""Rule PB810: async-client-app-argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import
from pybackend_lint.source import is_none


@rule(
    "PB810",
    "async-client-app-argument",
    "Pass `transport={transport}(app={app})`: httpx 0.28 has no argument `app`",
    nodes=(ast.Call,),
    names=("AsyncClient", "Client"),
    applies="httpx>=0.27",
    bound="upper",
    fix=SAFE,
    severity="error",
    tags=("deprecation",),
    tests="both",
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """An httpx client gets the application by an argument that httpx has removed.

    ## Why
    `AsyncClient(app=app)` warned in httpx 0.27 and raises `TypeError` since 0.28. Tests that pin an
    old httpx for it also keep the old FastAPI and Starlette that go with it. `proxies=` went the
    same way.

    ## Bad
    ```python file=tests/test_orders.py check
    import pytest
    from httpx import AsyncClient

    from shop.main import app


    @pytest.mark.asyncio
    async def test_lists_orders():
        async with AsyncClient(app=app, base_url="http://shop") as client:
            response = await client.get("/orders")
        assert response.status_code == 200
    ```
    ```python file=shop/main.py
    from fastapi import FastAPI

    app = FastAPI()
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import pytest
    from httpx import ASGITransport, AsyncClient

    from shop.main import app


    @pytest.mark.asyncio
    async def test_lists_orders():
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://shop") as client:
            response = await client.get("/orders")
        assert response.status_code == 200
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from fastapi.testclient import TestClient

    from shop.main import app


    # Starlette's own client takes the application itself.
    def test_lists_orders():
        assert TestClient(app=app).get("/orders").status_code == 200
    ```

    ## Fix safety
    The fix builds the transport that the argument stood for, `ASGITransport` or `WSGITransport`, and
    leaves everything else as it is. It is safe: with httpx 0.28 the call can only raise, and 0.27
    did the same with a warning. There is no fix where the call has a `transport` already or passes
    `proxies` that are no single address.

    ## When not to use it
    When the project pins httpx below 0.27.

    ## References
    - httpx changelog, 0.27.0 and 0.28.0
    - https://www.python-httpx.org/advanced/transports/
    """
    client = testing.http_client(node, ctx.module)
    if client is None:
        return
    given = {keyword.arg: keyword for keyword in node.keywords}
    app, proxies = given.get("app"), given.get("proxies")
    if app is not None:
        edits: list[Edit] = []
        if is_none(app.value):
            edits = _without(node, app, ctx)
        elif not {"transport", None} & given.keys():
            name, imports = add_import(ctx.source, f"{client.package}.{client.transport}")
            if isinstance(node.func, ast.Attribute):
                name, imports = f"{ctx.text(node.func.value)}.{client.transport}", ()
            edits = [ctx.edit(app, f"transport={name}(app={ctx.text(app.value)})"), *imports]
        yield ctx.finding(
            app,
            fix=ctx.fix("Pass the transport", *edits) if edits else None,
            transport=client.transport,
            app=ctx.text(app.value).partition("\n")[0],
        )
    if proxies is not None:
        edits = []
        if is_none(proxies.value):
            edits = _without(node, proxies, ctx)
        elif isinstance(proxies.value, ast.Constant) and not {"proxy", None} & given.keys():
            edits = [ctx.edit(proxies, f"proxy={ctx.text(proxies.value)}")]
        yield ctx.finding(
            proxies,
            message="Pass `proxy` or `mounts`: httpx 0.28 has no argument `proxies`",
            fix=ctx.fix("Pass the proxy", *edits) if edits else None,
        )


def _without(node: ast.Call, keyword: ast.keyword, ctx: Context) -> list[Edit]:
    """The edit that drops a keyword with one of the commas around it."""
    source = ctx.source
    arguments = sorted([*node.args, *node.keywords], key=source.start)
    index = arguments.index(keyword)
    if index + 1 < len(arguments):
        return [Edit(source.start(keyword), source.start(arguments[index + 1]), "")]
    start = source.end(arguments[index - 1]) if index else source.start(keyword)
    between = source.text[start : source.start(keyword)]
    return [] if "#" in between else [Edit(start, source.end(keyword), "")]
