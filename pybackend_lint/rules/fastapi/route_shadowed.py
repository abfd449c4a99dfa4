"""Rule PB309: route-shadowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix, Related
from pybackend_lint.frameworks import fastapi_routing
from pybackend_lint.frameworks.fastapi_routing import Entry
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB309",
    "route-shadowed",
    "Declare `{path}` before `{earlier}`, which matches first: no request gets here",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route", "websocket", "include_router"),
    applies="fastapi",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """An earlier route of the same router matches every path of a later one.

    ## Why
    Routes are tried in the order of their declaration, and the types of the parameters do not take
    part: `/users/{user_id}` matches `/users/me` too, and the request for `me` is answered with 422
    because it is no number.

    Routers that are left over, which no other file names, are not looked at.

    ## Bad
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/users")

    @router.get("/{user_id}")
    def user(user_id: int) -> int:
        return user_id

    @router.get("/me")
    def me() -> str:
        return "you"
    ```
    ```python
    from fastapi import FastAPI
    from shop import archive

    app = FastAPI()

    @app.get("/orders/{number}")
    def order(number: int) -> int:
        return number

    app.include_router(archive.router, prefix="/orders")
    ```
    ```python file=shop/archive.py
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/archive")
    def archived() -> list[int]:
        return []
    ```
    ## Good
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/users")

    @router.get("/me")
    def me() -> str:
        return "you"

    @router.get("/{user_id}")
    def user(user_id: int) -> int:
        return user_id
    ```
    ```python
    from fastapi import FastAPI
    from shop import archive

    app = FastAPI()

    app.include_router(archive.router, prefix="/orders")

    @app.get("/orders/{number}")
    def order(number: int) -> int:
        return number
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/users/{user_id:int}")  # the converter lets only digits through
    def user(user_id: int) -> int:
        return user_id

    @router.get("/users/me")
    def me() -> str:
        return "you"

    @router.post("/users/{action}")  # another method
    def act(action: str) -> str:
        return action
    ```
    ## Fix safety
    The two neighbours change places: requests that the first one has answered reach the other one.

    ## When not to use it
    There is no reason to keep a route that no request can reach.

    ## References
    - FastAPI: "Path Parameters", "Order matters"
    - Starlette: "Routing", "Route priority"
    """
    for earlier, later in fastapi_routing.shadowed_routes(ctx.module):
        fix = _swapped(earlier, later, ctx)
        related = [*_places(earlier, ctx), *later.related]
        yield ctx.finding(later.place, fix=fix, related=related, path=later.shown, earlier=earlier.shown)


def _places(earlier: Entry, ctx: Context) -> list[Related]:
    """Where the earlier route is added to the router, and where it comes from."""
    return [ctx.related(earlier.place, f"`{earlier.shown}` is added here"), *earlier.related]


def _swapped(earlier: Entry, later: Entry, ctx: Context) -> Fix | None:
    """The fix that exchanges two statements which follow each other."""
    source = ctx.source
    first, second = earlier.statement, later.statement
    if not earlier.precedes(later):
        return None
    starts = []
    for statement in (first, second):
        row = min([statement.lineno, *(item.lineno for item in getattr(statement, "decorator_list", ()))])
        starts.append(source.line_starts[row - 1] + statement.col_offset)
    spans = list(zip(starts, (source.end(first), source.end(second)), strict=True))
    texts = [source.text[start:end] for start, end in spans]
    edits = [Edit(*span, text) for span, text in zip(spans, reversed(texts), strict=True)]
    return ctx.fix("Exchange the two", *edits)
