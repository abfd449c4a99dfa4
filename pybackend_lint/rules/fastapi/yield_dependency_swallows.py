"""Rule PB321: yield-dependency-swallows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after


@rule(
    "PB321",
    "yield-dependency-swallows",
    "Re-raise in this `except` of `{dependency}`: any error of a route becomes a bare 500",
    nodes=(ast.Try,),
    words=("yield",),
    applies="fastapi>=0.110",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Try, ctx: Context) -> Iterator[Finding]:
    """A dependency with `yield` catches the error of the route and does not raise it again.

    ## Why
    FastAPI throws the error of the route into the dependency at the `yield`. Where the dependency ends
    without it, FastAPI has no answer to send: even `HTTPException(404)` becomes a status 500 without a
    message, and no exception handler sees the error.

    ## Bad
    ```python
    from shop.database import Session

    def get_session():
        session = Session()
        try:
            yield session
            session.commit()
        except Exception:
            session.rollback()
        finally:
            session.close()
    ```
    ```python file=shop/database.py
    class Session:
        def commit(self) -> None: ...
        def rollback(self) -> None: ...
        def close(self) -> None: ...
    ```
    ```python file=shop/routes.py
    from typing import Annotated

    from example import get_session
    from fastapi import APIRouter, Depends
    from shop.database import Session

    router = APIRouter()

    @router.post("/orders")
    def create(session: Annotated[Session, Depends(get_session)]) -> None:
        session.commit()
    ```
    ## Good
    ```python
    from shop.database import Session

    def get_session():
        session = Session()
        try:
            yield session
            session.commit()
        except Exception:
            session.rollback()
            raise
        finally:
            session.close()
    ```
    ## Not reported
    ```python
    from contextlib import contextmanager

    @contextmanager
    def tolerant(log):
        try:
            yield log  # no dependency: who uses it may want errors to end here
        except ValueError:
            log.append("skipped")
    ```
    ## Fix safety
    `raise` is added to the end of the handler: errors that disappeared reach the exception handlers.

    ## When not to use it
    There is no reason to answer every error with an empty status 500.

    ## References
    - FastAPI: "Dependencies with yield", "Always raise in Dependencies with yield and except"
    - FastAPI: release notes of 0.110.0
    """
    if not any(isinstance(child, ast.Expr | ast.Assign) for child in node.body):
        return
    function = ctx.enclosing_function(node)
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    info = ctx.function_info(function)
    swallowing = fastapi.swallowing_handlers(node, info)
    if not swallowing or not fastapi.is_dependency(info):
        return
    for handler in swallowing:
        last = handler.body[-1]
        is_empty = isinstance(last, ast.Pass)
        edit = ctx.edit(last, "raise") if is_empty else line_after(ctx.source, last, "raise")
        fix = ctx.fix("Raise the error again", edit) if edit is not None else None
        yield ctx.finding(handler, end=handler.type or handler, fix=fix, dependency=function.name)
