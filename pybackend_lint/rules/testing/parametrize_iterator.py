"""Rule PB827: parametrize-iterator."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import parametrization
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB827",
    "parametrize-iterator",
    "Pass a list to `parametrize`: pytest 10 refuses an iterator",
    nodes=(ast.Call,),
    names=("parametrize",),
    fix=SAFE,
    tags=("deprecation", "correctness"),
    tests="only",
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The cases of a parametrised test are an iterator, which can be read only once.

    ## Why
    Whoever reads an iterator first gets its items. On a class with two tests the first test gets all
    cases, the second none: pytest skips it as an "empty parameter set", and nobody looks at one more
    skipped test. Since 9.1 pytest warns about every iterator, and version 10 will refuse them.

    ## Bad
    ```python file=tests/test_orders.py check
    import pytest

    from shop.samples import order_numbers


    @pytest.mark.parametrize("number", order_numbers())
    class TestOrders:
        def test_is_positive(self, number):
            assert number > 0

        def test_has_four_digits(self, number):
            assert len(str(number)) == 4
    ```
    ```python file=shop/samples.py
    def order_numbers():
        for year in (2023, 2024):
            yield year
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import pytest

    from shop.samples import order_numbers


    @pytest.mark.parametrize("number", list(order_numbers()))
    class TestOrders:
        def test_is_positive(self, number):
            assert number > 0

        def test_has_four_digits(self, number):
            assert len(str(number)) == 4
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    import pytest

    NAMES = {"anna": 1, "bert": 2}


    @pytest.fixture(params=(number for number in (1, 2)))  # pytest makes a list of it at once
    def number(request):
        return request.param


    @pytest.mark.parametrize("limit", range(3))
    @pytest.mark.parametrize("name", NAMES.items())
    @pytest.mark.parametrize("order", sorted(map(len, NAMES)))
    def test_orders(number, limit, name, order):
        assert (number, limit, name, order)
    ```
    A single test with an iterator is reported where the project may run with pytest 9.1 or newer.

    ## Fix safety
    Safe: the fix makes a list of the iterator where it is passed; of a generator expression it makes a
    list comprehension. A variable that holds an iterator is not changed.

    ## When not to use it
    Never: a list has the same cases.

    ## References
    - pytest documentation, "Deprecations and Removals": non-Collection iterables for `parametrize`
    """
    values = parametrization.iterator(node, ctx.module)
    if values is None:
        return
    if parametrization.parametrizes_several(node, ctx.module):
        message = "Pass a list to `parametrize`: the first test uses up the iterator, others are skipped"
        yield ctx.finding(values, message=message, fix=_fix(values, ctx))
    elif ctx.project.satisfies("pytest>=9.1", "upper"):
        yield ctx.finding(values, fix=_fix(values, ctx))


def _fix(values: ast.expr, ctx: Context) -> Fix | None:
    if isinstance(values, ast.GeneratorExp):
        return ctx.fix("Make it a list", ctx.edit(values, f"[{ctx.text(values)[1:-1]}]"))
    if not isinstance(values, ast.Call) or ctx.module.name_of("list", values) != "builtins.list":
        return None
    return ctx.fix("Make it a list", ctx.insert_before(values, "list("), ctx.insert_after(values, ")"))
