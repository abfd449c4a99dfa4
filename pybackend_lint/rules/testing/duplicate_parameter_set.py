"""Rule PB825: duplicate-parameter-set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from textwrap import shorten

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import parametrization
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.code_edits import remove_element


@rule(
    "PB825",
    "duplicate-parameter-set",
    "Remove the repeated case `{case}`",
    nodes=(ast.Call,),
    names=("parametrize",),
    fix=SAFE,
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A parametrised test has the same case twice, or cases that do not fit its names.

    ## Why
    pytest runs a repeated case twice and calls it `[open-1_0]` and `[open-1_1]`: it costs time, and
    the case that was meant (another status, the boundary of a limit) is missing. A case with another
    number of values than there are names, or a name that the test does not take, ends the collection of
    the whole run; in a file that few people run it stays for long.

    ## Bad
    ```python file=tests/test_orders.py check
    import pytest

    from shop.orders import Status, may_cancel


    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (Status.OPEN, True),
            (Status.PAID, True),
            (Status.PAID, True),
        ],
    )
    def test_may_cancel(status, expected):
        assert may_cancel(status) is expected
    ```
    ```python file=shop/orders.py
    import enum


    class Status(enum.Enum):
        OPEN = "open"
        PAID = "paid"
        SENT = "sent"


    def may_cancel(status: Status) -> bool:
        return status is not Status.SENT
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import pytest

    from shop.orders import Status, may_cancel


    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (Status.OPEN, True),
            (Status.PAID, True),
        ],
    )
    def test_may_cancel(status, expected):
        assert may_cancel(status) is expected
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from uuid import uuid4

    import pytest


    @pytest.mark.parametrize("number", [1, True, 1.0])  # equal, but not the same
    @pytest.mark.parametrize("key", [uuid4(), uuid4()])
    @pytest.mark.parametrize("_", [None, None])  # run again on purpose
    @pytest.mark.parametrize("side", ["a", "a"], ids=["first", "second"])
    @pytest.mark.parametrize("text", [pytest.param("x"), pytest.param("x", marks=pytest.mark.slow)])
    def test_order(number, key, _, side, text):
        assert (number, key, side, text)
    ```
    Where a project has Ruff's PT014 switched on, repeated cases are left to it.

    ## Fix safety
    Safe: the repeated case goes with its comma. Where a comment stands beside it there is no fix, and
    none for what pytest refuses.

    ## When not to use it
    For tests that are repeated to find out whether they are stable; a plugin for that says so.

    ## References
    - pytest documentation, "How to parametrize fixtures and test functions"
    """
    if not ctx.project.ruff_selects("PT014"):
        for repeated in parametrization.repeated_cases(node, ctx.module):
            edit = remove_element(ctx.source, repeated.case)
            yield ctx.finding(
                repeated.case,
                case=shorten(ctx.text(repeated.case), 60, placeholder=" ..."),
                related=(ctx.related(repeated.first, "the same case"),),
                fix=ctx.fix("Remove the repeated case", edit) if edit is not None else None,
            )
    for wrong in parametrization.wrong_lengths(node, ctx.module):
        message = "Give this case {names} values: it has {values}, and pytest stops"
        yield ctx.finding(wrong.case, message=message, names=wrong.names, values=wrong.values)
    for name in parametrization.unused_names(node, ctx.module):
        message = "Let the test take `{name}`: pytest stops on a parameter that nothing uses"
        yield ctx.finding(node.args[0], message=message, name=name)
