"""Rule PB836: fixture-mutates-shared-state."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import shared_fixtures
from pybackend_lint.rule import Context, rule


@rule(
    "PB836",
    "fixture-mutates-shared-state",
    "Copy `{fixture}` first or give it to each test anew: `{function}` changes it for all tests",
    nodes=(ast.Module,),
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A test changes a list, dict or set that other tests get too.

    ## Why
    A fixture of the scope `module` or `session` is made once, and so is a constant that a fixture
    returns. What one test puts into it is there for all that run later: they pass or fail by their order,
    alone they behave differently from the whole run, and with tests spread over processes nobody can tell
    why.

    ## Bad
    ```python file=tests/test_orders.py check
    from shop.orders import total


    def test_discount(order):
        order["discount"] = 10
        assert total(order) == 90


    def test_total(order):
        assert total(order) == 100
    ```
    ```python file=tests/conftest.py
    import pytest


    @pytest.fixture(scope="session")
    def order():
        return {"number": 1, "amount": 100}
    ```
    ```python file=shop/orders.py
    def total(order):
        return order["amount"] - order.get("discount", 0)
    ```

    ## Good
    ```python file=tests/test_orders.py check
    from shop.orders import total


    def test_discount(order):
        assert total({**order, "discount": 10}) == 90


    def test_total(order):
        assert total(order) == 100
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    import pytest


    @pytest.fixture
    def order():
        return {"number": 1}  # made for each test


    @pytest.fixture(scope="module")
    def created():
        return []  # starts empty: there to be filled


    @pytest.fixture(scope="module")
    def numbers():
        return [1, 2]


    def test_order(order, created, numbers):
        order["amount"] = 100
        created.append(order)
        numbers.append(3)
        assert numbers.pop() == 3  # taken out again


    def test_numbers(numbers, created):
        numbers = list(numbers)
        numbers.append(len(created))
    ```
    Objects of classes are not followed, nor what a function does to a value that the test hands to it.

    ## When not to use it
    For tests that build on each other in one file, on purpose.

    ## References
    - pytest documentation, "How to use fixtures": Scope
    """
    for changed in shared_fixtures.changed_fixtures(ctx.module):
        fixture = changed.fixture
        related = [ctx.definition(fixture.function, f"made once for each {fixture.scope}")]
        if changed.origin is not None:
            related = [ctx.definition(fixture.function, "gives every test the same value"), changed.origin]
        yield ctx.finding(
            changed.change, related=related, fixture=fixture.name, function=changed.function.name
        )
