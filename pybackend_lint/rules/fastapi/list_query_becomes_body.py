"""Rule PB326: list-query-becomes-body."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Related
from pybackend_lint.frameworks import fastapi, fastapi_requests
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import replace_imports


@rule(
    "PB326",
    "list-query-becomes-body",
    "Mark `{name}` with `Query()`: FastAPI reads a list from the body of this {method} request",
    nodes=(ast.Module,),
    words=("get", "head", "api_route", "add_api_route"),
    applies="fastapi>=0.95",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A list of plain values without marker is the body of a GET request, which clients do not send.

    ## Why
    FastAPI reads single values from the query string, but lists, sets and tuples from the body.
    `GET /orders?status=open` then gets the default, so the filter has no effect, or 422 where there
    is no default. Browsers and many proxies cannot send a body with GET at all. The same holds for
    parameters of the dependencies of a route, and for the fields of a class that `Depends()` makes.

    ## Bad
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/orders")

    @router.get("/")
    def orders(status: list[str] | None = None) -> list[str]:
        return status or []
    ```
    ## Good
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Query

    router = APIRouter(prefix="/orders")

    @router.get("/")
    def orders(status: Annotated[list[str] | None, Query()] = None) -> list[str]:
        return status or []
    ```
    ## Not reported
    ```python
    from typing import Annotated
    from fastapi import APIRouter, Query
    from shop.filters import Tags

    router = APIRouter(prefix="/orders")

    @router.get("/")
    def orders(tags: Tags, status: Annotated[list[str] | None, Query()] = None) -> int:
        return len(status or tags)

    @router.post("/bulk")  # a body is what this is about
    def bulk(numbers: list[int]) -> int:
        return len(numbers)
    ```
    ```python file=shop/filters.py
    from typing import Annotated
    from fastapi import Query

    Tags = Annotated[list[str], Query(alias="tag")]
    ```
    ## Fix safety
    The values come from the query string, as `?status=open&status=paid`. Clients that did send a body
    must change.

    ## When not to use it
    For an API whose clients send bodies with GET on purpose, as some search engines do.

    ## References
    - FastAPI: "Query Parameters and String Validations", "Query parameter list / multiple values"
    """
    for route in fastapi.routes(ctx.module):
        for parameter in fastapi_requests.lists_in_bodies(route):
            function = route.function
            if function is None or function.module is not ctx.module or parameter.annotation is None:
                continue
            edits = _marked(parameter.annotation, ctx)
            fix = ctx.fix("Read it from the query string", *edits) if edits else None
            yield ctx.finding(parameter, fix=fix, name=parameter.arg, method=_method(route))
    yield from _in_dependencies(ctx)


def _in_dependencies(ctx: Context) -> Iterator[Finding]:
    """Lists that dependencies of routes ask for: in this file where they are, else where they are wanted."""
    seen: set[ast.AST] = set()
    for route in fastapi.routes(ctx.module):
        for wanted, hidden in fastapi_requests.lists_of_dependencies(route):
            if hidden.place in seen or route.function is None or route.function.module is not ctx.module:
                continue
            seen.add(hidden.place)
            if hidden.module is ctx.module:
                edits = _marked(hidden.annotation, ctx) if isinstance(hidden.place, ast.arg) else []
                fix = ctx.fix("Read it from the query string", *edits) if edits else None
                yield ctx.finding(hidden.place, fix=fix, name=hidden.name, method=_method(route))
            else:
                source = hidden.module.source
                place = Related(source.path, source.position(source.start(hidden.place)), "asked for here")
                yield ctx.finding(wanted, related=[place], name=hidden.name, method=_method(route))


def _method(route: fastapi.Route) -> str:
    return min(route.methods or ("GET",))


def _marked(annotation: ast.expr, ctx: Context) -> list[Edit]:
    """The edits that put an annotation into `Annotated` with a marker."""
    (annotated, query), imports = replace_imports(ctx.source, ["typing.Annotated", "fastapi.Query"], ())
    return [*imports, ctx.edit(annotation, f"{annotated}[{ctx.text(annotation)}, {query}()]")]
