"""Rule PB816: sync-mock-of-async-function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix, Related
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB816",
    "sync-mock-of-async-function",
    "Use `AsyncMock` for `{target}`: it is `async def`, and what this gives cannot be awaited",
    nodes=(ast.Call, ast.Assign),
    names=("patch", "object", "setattr"),
    words=("*Mock", "lambda"),
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Call | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """A test replaces an asynchronous function by something that cannot be awaited.

    ## Why
    The code under test awaits the call. `MagicMock()` and a `lambda` give back a plain value, so the
    test ends with `TypeError: object MagicMock can't be used in 'await' expression`, or, where the
    code catches exceptions, it tests the error path without saying so.

    ## Bad
    ```python file=tests/test_orders.py check
    from unittest.mock import MagicMock, patch

    from shop.orders import place_order


    async def test_places_order():
        with patch("shop.orders.reserve", MagicMock(return_value=True)):
            assert await place_order("anna") == "placed"
    ```
    ```python file=shop/orders.py
    from shop.stock import reserve


    async def place_order(name):
        return "placed" if await reserve(name) else "sold out"
    ```
    ```python file=shop/stock.py
    async def reserve(name): ...
    ```

    ## Good
    ```python file=tests/test_orders.py check
    from unittest.mock import AsyncMock, patch

    from shop.orders import place_order


    async def test_places_order():
        with patch("shop.orders.reserve", AsyncMock(return_value=True)):
            assert await place_order("anna") == "placed"
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from unittest.mock import MagicMock, patch

    from shop.orders import place_order


    async def test_places_order():
        # `patch` chooses AsyncMock itself.
        with patch("shop.orders.reserve", return_value=True):
            assert await place_order("anna") == "placed"
        # Raises before anything is awaited.
        with patch("shop.orders.reserve", MagicMock(side_effect=KeyError)):
            assert await place_order("anna") == "sold out"
    ```
    ```python file=shop/orders.py
    async def reserve(name): ...


    async def place_order(name):
        try:
            return "placed" if await reserve(name) else "sold out"
        except KeyError:
            return "sold out"
    ```

    Left alone are mocks whose result the test sets in a statement of its own, those that it expects to be
    never called (`assert_not_called()`, `call_count == 0`), and those that return something of which it is
    not known whether it can be awaited.

    ## Fix safety
    The fix replaces the mock by `AsyncMock` with the same arguments, a `lambda` by an `AsyncMock` that
    returns its value. It is unsafe because the test takes another path from then on.

    ## When not to use it
    When the replaced function is never awaited in the test, only handed on.

    ## References
    - Python documentation, unittest.mock: the AsyncMock class
    - https://docs.python.org/3/library/unittest.mock.html#unittest.mock.AsyncMock
    """
    found = testing.replacement(node, ctx.module)
    if found is None or not testing.is_plain_coroutine(found.function):
        return
    if not testing.gives_no_awaitable(found, ctx.module) or testing.is_settled(node, ctx.module):
        return
    target = found.function
    source = target.module.source
    start = source.position(source.start(target.node))
    yield ctx.finding(
        found.value,
        fix=_fix(found.value, ctx),
        related=[Related(source.path, start, f"`{target.node.name}` is `async def`")],
        target=target.node.name,
    )


def _fix(value: ast.expr, ctx: Context) -> Fix:
    mock = value.func if isinstance(value, ast.Call) else value
    if isinstance(mock, ast.Attribute):
        return ctx.fix("Use `AsyncMock`", ctx.edit(mock, f"{ctx.text(mock.value)}.AsyncMock"))
    name, imports = add_import(ctx.source, "unittest.mock.AsyncMock")
    if isinstance(value, ast.Lambda):
        result = f"{name}(return_value={ctx.text(value.body)})"
        return ctx.fix("Use `AsyncMock`", ctx.edit(value, result), *imports)
    return ctx.fix("Use `AsyncMock`", ctx.edit(mock, name), *imports)
