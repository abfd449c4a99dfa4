"""Rule PB305: depends-on-call-result."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import fastapi
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB305",
    "depends-on-call-result",
    "Pass `{function}` itself to `{marker}`: this calls it once, when the module is imported",
    nodes=(ast.Call,),
    names=("Depends", "Security"),
    applies="fastapi",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`Depends(get_session())` injects what one call gave at import time, not what a request needs.

    ## Why
    FastAPI calls what it is given for every request. The result of a call is seldom callable, and then
    the application does not start: `TypeError: ... is not a callable object`.

    ## Bad
    ```python
    from fastapi import APIRouter, Depends
    from shop.settings import Settings, get_settings

    router = APIRouter(dependencies=[Depends(get_settings())])
    ```
    ```python file=shop/settings.py
    class Settings:
        debug = False

    def get_settings() -> Settings:
        return Settings()
    ```
    ## Good
    ```python
    from fastapi import APIRouter, Depends
    from shop.settings import Settings, get_settings

    router = APIRouter(dependencies=[Depends(get_settings)])
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter, Depends
    from shop.limits import RateLimit, require

    by_role = Depends(require("admin"))  # a factory: what it returns is called
    limited = Depends(RateLimit(10))  # an instance with `__call__`
    router = APIRouter(dependencies=[by_role, limited])
    ```
    ```python file=shop/limits.py
    class RateLimit:
        def __init__(self, number: int) -> None:
            self.number = number

        def __call__(self) -> None:
            self.number -= 1

    def require(role: str):
        def check() -> str:
            return role

        return check
    ```
    ## Fix safety
    The dependency runs for every request instead of once. The fix is offered where the call has no
    arguments.

    ## When not to use it
    There is no reason to inject something that cannot be called.

    ## References
    - FastAPI: "Dependencies", "First Steps"
    """
    if not fastapi.is_injection(node, ctx.module):
        return
    given = fastapi.argument(node, 0, "dependency")
    if not isinstance(given, ast.Call) or not fastapi.is_uncallable(given, ctx.module):
        return
    fix = None
    if not given.args and not given.keywords:
        fix = ctx.fix("Pass the function itself", ctx.edit(given, ctx.text(given.func)))
    yield ctx.finding(given, fix=fix, function=ctx.text(given.func), marker=ctx.text(node.func))
