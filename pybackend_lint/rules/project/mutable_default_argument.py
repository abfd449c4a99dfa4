"""Rule PB023: mutable-default-argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks.shared_defaults import shared_defaults
from pybackend_lint.rule import Context, rule


@rule(
    "PB023",
    "mutable-default-argument",
    "Use `None` and make the {kind} inside: all calls share the default of `{name}`, which changes",
    nodes=(ast.FunctionDef, ast.AsyncFunctionDef),
    tags=("correctness",),
)
def check(node: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A function changes the object that is the default of its parameter.

    ## Why
    A default is evaluated once, when the function is defined. What one request puts into it is still
    there for the next one, of another user. Linters warn about `={}`; they do not see that a constant of
    another module is such an object, nor that a function that is called for the default makes one.

    ## Bad
    ```python
    from shop.config import DEFAULT_HEADERS


    def request_headers(token: str, headers: dict[str, str] = DEFAULT_HEADERS) -> dict[str, str]:
        headers["Authorization"] = f"Bearer {token}"
        return headers
    ```
    ```python file=shop/config.py
    DEFAULT_HEADERS = {"Accept": "application/json"}
    ```

    ## Good
    ```python
    from shop.config import DEFAULT_HEADERS


    def request_headers(token: str, headers: dict[str, str] | None = None) -> dict[str, str]:
        return {**(headers or DEFAULT_HEADERS), "Authorization": f"Bearer {token}"}
    ```

    ## Not reported
    ```python
    from shop.config import DEFAULT_HEADERS


    def accepts(kind: str, headers: dict[str, str] = DEFAULT_HEADERS) -> bool:
        return headers["Accept"] == kind  # only read


    def request_headers(token: str, headers: dict[str, str] = DEFAULT_HEADERS) -> dict[str, str]:
        headers = dict(headers)
        headers["Authorization"] = f"Bearer {token}"  # a copy is changed
        return headers
    ```
    Defaults such as `=[]` and `=dict()` are the matter of other linters (B006). Fields of models and
    dataclasses are not judged.

    ## When not to use it
    Where the shared object is meant to be a cache; a module's variable says so more clearly.

    ## References
    - Python tutorial, "Default Argument Values"
    """
    if not node.args.defaults and not any(node.args.kw_defaults):
        return
    for shared in shared_defaults(node, ctx.module):
        related = [ctx.related(shared.change, "this changes it")]
        if shared.origin is not None:
            related.append(shared.origin)
        yield ctx.finding(
            shared.parameter, end=shared.default, kind=shared.kind, name=shared.parameter.arg, related=related
        )
