"""Rule PB814: mock-assertion-not-called."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB814",
    "mock-assertion-not-called",
    "Call `{mock}.{name}()`: this line checks nothing",
    nodes=(ast.Attribute,),
    names=tuple(sorted(testing.ASSERTIONS)),
    words=(".assert_",),
    fix=SAFE,
    severity="error",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """An assertion of a mock is named, but not called.

    ## Why
    `send.assert_called_once` is a method, and to name it does nothing. `assert send.assert_called_once`
    checks that the method exists. The test passes whatever the code did.

    ## Bad
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.orders.send_receipt")
    def test_sends_one_receipt(send_receipt):
        place_order("anna")
        send_receipt.assert_called_once
    ```
    ```python file=shop/orders.py
    def send_receipt(name): ...


    def place_order(name):
        send_receipt(name)
    ```

    ## Good
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.orders.send_receipt")
    def test_sends_one_receipt(send_receipt):
        place_order("anna")
        send_receipt.assert_called_once()
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from unittest.mock import Mock

    import pytest


    @pytest.mark.parametrize("times", [1, 2])
    def test_counts(times):
        send = Mock()
        # Chosen here, called below.
        verify = send.assert_called_once if times == 1 else send.assert_called
        for _ in range(times):
            send("anna")
        verify()
    ```

    ## Fix safety
    The fix adds the parentheses, and takes away an `assert` in front. It is safe: a test that fails from
    then on has checked nothing before. There is no fix for assertions that take arguments.

    ## When not to use it
    There is no reason to keep such a line.

    ## References
    - Python documentation, unittest.mock: the Mock class
    - https://docs.python.org/3/library/unittest.mock.html#unittest.mock.Mock.assert_called
    """
    parent = ctx.parent(node)
    if not (isinstance(parent, ast.Expr) or (isinstance(parent, ast.Assert) and parent.test is node)):
        return
    if ctx.project.ruff_selects("PGH005"):
        return
    takes_none = testing.takes_no_arguments(node.attr)
    has_message = isinstance(parent, ast.Assert) and parent.msg is not None
    replaced = node if isinstance(parent, ast.Expr) else parent
    fix = ctx.fix("Call it", ctx.edit(replaced, f"{ctx.text(node)}()"))
    yield ctx.finding(
        node,
        fix=fix if takes_none and not has_message else None,
        mock=ctx.text(node.value).partition("\n")[0],
        name=node.attr,
    )
