"""Rule PB815: mock-assertion-misspelled."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule


@rule(
    "PB815",
    "mock-assertion-misspelled",
    "Use `{right}()`: `{mock}.{wrong}` is made up by the mock and checks nothing",
    nodes=(ast.Module,),
    words=("*mock", "*Mock"),
    fix=SAFE,
    severity="error",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A test asks a mock for an assertion that does not exist.

    ## Why
    A mock answers every attribute with another mock, and a mock is true. `assert mailer.called_once`
    and `mailer.called_once_with(order)` pass whatever the code did. From Python 3.12 on such names
    raise `AttributeError`; below, the test is green for ever.

    ## Bad
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.orders.send_receipt")
    def test_sends_one_receipt(send_receipt):
        place_order("anna")
        assert send_receipt.called_once
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

    from shop.orders import Receipts


    def test_counts():
        send = Mock()
        send("anna")
        assert send.called
        # No mock: the class has that attribute.
        receipts = Receipts()
        assert receipts.called_once
    ```
    ```python file=shop/orders.py
    class Receipts:
        called_once = True
    ```

    ## Fix safety
    The fix calls the assertion that was meant. On Python 3.12 and later it is safe: the attribute can
    only raise there. Below it is unsafe, because a test that passed may fail now. It is not offered
    for `assert not`, with a message, and where arguments are missing.

    ## When not to use it
    When a mock is given an attribute of that name on purpose.

    ## References
    - Python documentation, unittest.mock: the Mock class
    - https://docs.python.org/3/library/unittest.mock.html#unittest.mock.Mock.assert_called
    - What's New In Python 3.12: unittest.mock refuses misspelled assertions
    """
    for attribute in ctx.source.nodes(ast.Attribute):
        right = testing.misspelled_assertion(attribute.attr)
        if right is not None and isinstance(attribute.ctx, ast.Load):
            yield from _misspelled(attribute, right, ctx)


def _misspelled(node: ast.Attribute, right: str, ctx: Context) -> Iterator[Finding]:
    parent = ctx.parent(node)
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    used = ctx.parent(call) if call is not None else parent
    negated = isinstance(used, ast.UnaryOp) and isinstance(used.op, ast.Not)
    method = used if testing.is_truth_assertion(used) else None
    statement = ctx.parent(used) if used is not None and (negated or method is not None) else used
    if not isinstance(statement, ast.Assert) and not (
        isinstance(statement, ast.Expr) and (call or method) and not negated
    ):
        return
    mock = ctx.text(node.value).partition("\n")[0]
    if testing.is_call_record(node.value, ctx.module):
        yield ctx.finding(
            node,
            message="Compare `{mock}` with `call(...)`: `{wrong}` makes another record and checks nothing",
            mock=mock,
            wrong=node.attr,
        )
    if not testing.is_mock(node.value, ctx.module) or testing.is_assigned(node.attr, ctx.module):
        return
    edits: list[Edit] = []
    text = f"{ctx.text(node.value)}.{right}"
    asserted = statement if isinstance(statement, ast.Assert) else method
    if asserted is None:
        edits = [ctx.edit(node, text)]
    elif not negated and not testing.has_message(asserted) and (call or testing.takes_no_arguments(right)):
        edits = [ctx.edit(asserted, text + (ctx.text(call)[len(ctx.text(node)) :] if call else "()"))]
    newer = ctx.project.satisfies("python>=3.12", "lower")
    yield ctx.finding(
        node,
        fix=ctx.fix(f"Call `{right}`", *edits, applicability=SAFE if newer else UNSAFE) if edits else None,
        right=right,
        mock=mock,
        wrong=node.attr,
    )
