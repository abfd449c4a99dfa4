"""Rule PB308: path-parameter-mismatch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi, fastapi_requests
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB308",
    "path-parameter-mismatch",
    "Rename `{{{name}}}` in the path to `{parameter}`, which reads the query string now",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route", "websocket", "add_api_route"),
    applies="fastapi",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A parameter of a route has nearly the name of one in its path, and so reads the query string.

    ## Why
    FastAPI takes a parameter from the path only where the names are the same. Otherwise it expects
    `?item_id=` behind the path: clients are answered with 422, or silently get the default.

    ## Bad
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")

    @router.get("/{id}")
    def read_item(item_id: int) -> int:
        return item_id
    ```
    ## Good
    ```python
    from fastapi import APIRouter

    router = APIRouter(prefix="/items")

    @router.get("/{item_id}")
    def read_item(item_id: int) -> int:
        return item_id
    ```
    ## Not reported
    ```python
    from typing import Annotated
    from fastapi import APIRouter, Depends, Path
    from shop.items import get_item

    router = APIRouter(prefix="/items")

    @router.get("/{id}")
    def read_item(item_id: Annotated[int, Path(alias="id")]) -> int:
        return item_id

    @router.get("/{id}/similar", dependencies=[Depends(get_item)])
    def similar(id_of: int = 0) -> int:  # a dependency takes what is in the path
        return id_of
    ```
    ```python file=shop/items.py
    def get_item(id: int) -> int:
        return id
    ```
    ## Fix safety
    The path gets the name of the parameter. Clients see no difference but that the route works;
    code that builds its URL by `url_path_for(..., id=1)` must use the new name.

    ## When not to use it
    There is no reason to keep a path parameter that nothing reads.

    ## References
    - FastAPI: "Query Parameters"
    - FastAPI: "Path Parameters"
    """
    for route in fastapi.routes(ctx.module):
        if route.path is None or "{" not in route.path:
            continue
        for name in fastapi_requests.untaken_path_parameters(route):
            parameter = fastapi_requests.similar_query_parameter(route, name)
            if parameter is None:
                continue
            path = fastapi.argument(route.call, 0, "path") or route.call
            fix = None
            text = ctx.text(path)
            for written in (f"{{{name}}}", f"{{{name}:"):
                if isinstance(path, ast.Constant) and text.count(written) == 1:
                    renamed = text.replace(written, written.replace(name, parameter.arg))
                    fix = ctx.fix(f"Rename it to `{parameter.arg}`", ctx.edit(path, renamed))
            function = route.function
            related = [] if function is None else [ctx.definition(function, f"has `{parameter.arg}`")]
            yield ctx.finding(path, fix=fix, related=related, name=name, parameter=parameter.arg)
