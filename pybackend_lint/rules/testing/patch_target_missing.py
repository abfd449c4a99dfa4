"""Rule PB818: patch-target-missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import patch_targets
from pybackend_lint.rule import Context, rule


@rule(
    "PB818",
    "patch-target-missing",
    "Patch an existing name: `{path}` does not exist",
    nodes=(ast.Call,),
    names=("patch", "object", "setattr"),
    severity="error",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A test replaces a name that the project's module or class does not have.

    ## Why
    The name was renamed or moved, and the text in the test was not. `patch` and `monkeypatch.setattr`
    raise `AttributeError` when the test runs; where the test is skipped on most machines, or expects an
    exception, nobody sees it.

    ## Bad
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.mails.send_reciept")
    def test_sends_a_receipt(send):
        place_order("anna")
        send.assert_called_once()
    ```
    ```python file=shop/orders.py
    from shop import mails


    def place_order(name):
        mails.send_receipt(name)
    ```
    ```python file=shop/mails.py
    def send_receipt(name): ...
    ```

    ## Good
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.mails.send_receipt")
    def test_sends_a_receipt(send):
        place_order("anna")
        send.assert_called_once()
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from unittest.mock import patch


    # Made up on purpose.
    @patch("shop.mails.outbox", [], create=True)
    # Built-in names are made up by `patch` itself.
    @patch("shop.mails.open")
    # A name of a library.
    @patch("smtplib.SMTP.no_such_name")
    # The module makes its names when they are asked for.
    @patch("shop.lazy.client")
    def test_orders(*mocks):
        assert mocks
    ```
    ```python file=shop/mails.py
    def send_receipt(name): ...
    ```
    ```python file=shop/lazy.py
    def __getattr__(name): ...
    ```

    ## When not to use it
    When names are put into modules from outside, by an extension or at start.

    ## References
    - Python documentation, unittest.mock: patch
    - https://docs.python.org/3/library/unittest.mock.html#patch
    - pytest documentation, "How to monkeypatch/mock modules and environments"
    """
    target = patch_targets.target(node, ctx.module)
    missing = patch_targets.missing(target) if target is not None else None
    if target is None or missing is None:
        return
    path = target.path or f"{ctx.text(node.args[0])}.{target.names[-1]}"
    if missing.near is None:
        yield ctx.finding(target.node, related=[missing.where], path=path)
    else:
        message = "Patch `{near}`: `{path}` does not exist"
        yield ctx.finding(target.node, related=[missing.where], message=message, near=missing.near, path=path)
