"""Rule PB303: depends-without-annotated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import fastapi
from pybackend_lint.frameworks.fastapi import Marked
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import
from pybackend_lint.semantic.scopes import Function, parameters


@rule(
    "PB303",
    "depends-without-annotated",
    "Write `{parameter}: Annotated[{type}, {marker}(...)]`: the marker is no default value",
    nodes=(ast.FunctionDef, ast.AsyncFunctionDef),
    words=("Depends", "Security", "Query", "Path", "Header", "Cookie", "Body", "Form", "File"),
    applies="fastapi>=0.95",
    fix=SAFE,
    tags=("style",),
)
def check(node: Function, ctx: Context) -> Iterator[Finding]:
    """A marker such as `Depends(...)` or `Query(...)` stands where the default value belongs.

    ## Why
    The default is a lie: who calls the function, in a test or from other code, gets the marker object
    instead of a session or a number. Type checkers do not see it either. In `Annotated` the marker is
    metadata, the default is a real one, and the whole annotation can be given a name and reused.

    ## Bad
    ```python
    from fastapi import APIRouter, Depends, Query
    from shop.database import Session, get_session

    router = APIRouter()

    @router.get("/orders")
    def orders(
        status: str,
        session: Session = Depends(get_session),  # PB303
        limit: int = Query(50, ge=1, le=200),  # PB303
    ) -> list[str]:
        return session.orders(status, limit)
    ```
    ```python file=shop/database.py
    class Session:
        def orders(self, status: str, limit: int) -> list[str]:
            return []

    def get_session() -> Session:
        return Session()
    ```
    ## Good
    ```python
    from typing import Annotated

    from fastapi import APIRouter, Depends, Query
    from shop.database import Session, get_session

    router = APIRouter()

    @router.get("/orders")
    def orders(
        status: str,
        session: Annotated[Session, Depends(get_session)],  # PB303
        limit: Annotated[int, Query(ge=1, le=200)] = 50,  # PB303
    ) -> list[str]:
        return session.orders(status, limit)
    ```
    ## Not reported
    ```python
    from typing import Annotated

    from fastapi import Depends, Query
    from shop.injection import Depends as Inject

    def page(number=Query(1), size: Annotated[int, Query()] = 20) -> int:
        return number * size  # without annotation there is no type to write into `Annotated`

    def report(pages: int = Inject(page)) -> int:
        return pages  # the marker of another framework
    ```
    ```python file=shop/injection.py
    def Depends(function):
        return function
    ```
    ## Fix safety
    FastAPI reads the same parameters with the same defaults, and the OpenAPI schema stays the same. All
    markers of a function change together, because a parameter without default cannot follow one with
    default. Where it would, the fix makes the parameters keyword-only, which is unsafe: other code must
    not pass them by position. There is no fix for a dependency without annotation, because its type has
    to be written first. A function that its own file calls without the parameter is not reported.

    ## When not to use it
    In a project that supports FastAPI before 0.95.

    ## References
    - FastAPI: "Query Parameters and String Validations", "Advantages of Annotated"
    - FastAPI: "Dependencies", "Share Annotated dependencies"
    """
    marked = fastapi.marked_parameters(ctx.function_info(node))
    if not marked:
        return
    movable = [item for item in marked if item.is_movable]
    fix = _fix(node, movable, ctx) if movable else None
    for item in marked:
        known = item.parameter.annotation
        yield ctx.finding(
            item.parameter,
            end=item.marker,
            fix=fix if item.is_movable else None,
            parameter=item.parameter.arg,
            type=ctx.text(known) if known is not None else "...",
            marker=ctx.text(item.marker.func),
        )


def _fix(node: Function, marked: list[Marked], ctx: Context) -> Fix | None:
    source = ctx.source
    annotated, imports = ctx.project.index.fact(
        ("import of Annotated", ctx.module.name, id(source)), lambda: add_import(source, "typing.Annotated")
    )
    edits = list(imports)
    by_name = {item.parameter.arg: item for item in marked}
    for item in marked:
        annotation = item.parameter.annotation
        assert annotation is not None
        start, end = source.outer_range(annotation)[0], source.outer_range(item.marker)[1]
        if source.comments(start, end):
            return None
        default = f" = {ctx.text(item.default)}" if item.default is not None else ""
        marker = ctx.text(item.marker)
        if item.has_default_argument:
            kept = ", ".join(ctx.text(part) for part in item.arguments)
            marker = f"{ctx.text(item.marker.func)}({kept})"
        edits.append(Edit(start, end, f"{annotated}[{ctx.text(annotation)}, {marker}]{default}"))
    keyword_only = {argument.arg for argument in node.args.kwonlyargs}
    first: ast.arg | None = None  # the first parameter that keeps a default
    for argument, default_node in parameters(node.args):
        moved = by_name.get(argument.arg)
        has_default = moved.default is not None if moved is not None else default_node is not None
        if argument.arg in keyword_only:
            break
        if has_default:
            first = first or argument
        elif first is not None:
            if node.args.vararg or keyword_only or fastapi.is_called_directly(ctx.function_info(node)):
                return None
            if first in node.args.posonlyargs:
                return None
            own_line = ctx.source.line(first.lineno)[: first.col_offset]
            star = ctx.insert_before(first, "*, " if own_line.strip() else f"*,\n{own_line}")
            return ctx.fix("Use `Annotated`", star, *edits, applicability=UNSAFE)
    return ctx.fix("Use `Annotated`", *edits, applicability=SAFE)
