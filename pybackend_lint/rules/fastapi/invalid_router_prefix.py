"""Rule PB313: invalid-router-prefix."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi, fastapi_routing
from pybackend_lint.rule import UNSAFE, Context, rule

_NO_PATH = "Give `{router}` a prefix here: its route `{function}` has an empty path"


@rule(
    "PB313",
    "invalid-router-prefix",
    "Write the prefix as `{prefix}`: one must begin with `/` and must not end with it",
    nodes=(ast.Module,),
    words=("prefix", "include_router"),
    applies="fastapi",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A router has a prefix that FastAPI refuses, or none although a route of it has an empty path.

    ## Why
    The application does not start: `AssertionError: A path prefix must start with '/'`, or
    `FastAPIError: Prefix and path cannot be both empty`. Where the router is included only under a
    condition, production is the first to find out.

    ## Bad
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="orders/")
    ```
    ## Good
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/orders")
    ```
    ## Not reported
    ```python
    import os
    from fastapi import APIRouter, FastAPI

    PREFIX = os.environ["PREFIX"]
    router = APIRouter(prefix=PREFIX)  # not known

    @router.get("")
    def orders() -> list[int]:
        return []

    app = FastAPI(root_path="shop/")  # no prefix of a router
    app.include_router(router, prefix="")
    ```
    ## Fix safety
    The prefix gets its `/` at the beginning and loses the one at the end. A prefix `/` becomes empty.
    A prefix that is missing is reported at the include, also for a router of another file, and left to
    you.

    ## When not to use it
    There is no reason to keep a router that cannot be included.

    ## References
    - FastAPI: "Bigger Applications - Multiple Files"
    """
    for name in ("APIRouter", "include_router"):
        for call in ctx.source.calls.get(name, ()):
            prefix = fastapi.argument(call, None, "prefix")
            if not isinstance(prefix, ast.Constant) or not isinstance(prefix.value, str):
                continue
            text = prefix.value.rstrip("/")
            right = text if text.startswith("/") or not text else f"/{text}"
            if prefix.value != right and _is_of_fastapi(call, ctx):
                edit = ctx.edit(prefix, f'"{right}"')
                fix = ctx.fix(f'Write "{right}"', edit) if ctx.text(prefix)[0] in "\"'" else None
                yield ctx.finding(prefix, fix=fix, prefix=right)
    for entry in fastapi_routing.routes_without_path(ctx.module):
        yield ctx.finding(
            entry.place,
            message=_NO_PATH,
            related=entry.related,
            router=ctx.text(entry.added),
            function=entry.name,
        )


def _is_of_fastapi(call: ast.Call, ctx: Context) -> bool:
    """Whether a call makes or includes a router of FastAPI."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "include_router":
        return fastapi.is_router(call.func.value, ctx.module)
    return ctx.qualified_name(call.func) == fastapi.ROUTER
