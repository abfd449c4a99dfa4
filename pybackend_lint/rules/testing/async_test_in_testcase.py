"""Rule PB803: async-test-in-testcase."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB803",
    "async-test-in-testcase",
    "Derive `{cls}` from `IsolatedAsyncioTestCase`: `{test}` is never awaited",
    nodes=(ast.AsyncFunctionDef,),
    words=("TestCase",),
    fix=SAFE,
    severity="error",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A `unittest.TestCase` has a coroutine as a test or as `setUp`, which it calls and does not await.

    ## Why
    Calling a coroutine function runs nothing of it. The test passes, whatever it asserts, and only a
    `RuntimeWarning` says that the coroutine was never awaited.

    ## Bad
    ```python file=tests/test_orders.py check
    import unittest

    from shop.orders import place_order


    class OrderTests(unittest.TestCase):
        async def test_places_order(self):
            self.assertEqual(await place_order("anna"), "placed")
    ```
    ```python file=shop/orders.py
    async def place_order(name):
        return "placed"
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import unittest

    from shop.orders import place_order


    class OrderTests(unittest.IsolatedAsyncioTestCase):
        async def test_places_order(self):
            self.assertEqual(await place_order("anna"), "placed")
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    import unittest

    from tests.base import AsyncTests

    from shop.orders import place_order


    class OrderTests(AsyncTests):
        async def test_places_order(self):
            self.assertEqual(await place_order("anna"), "placed")


    # Nobody collects it: the name does not begin with `test`.
    class Helpers(unittest.TestCase):
        async def place(self):
            await place_order("anna")
    ```
    ```python file=tests/base.py
    import unittest


    class AsyncTests(unittest.IsolatedAsyncioTestCase): ...
    ```
    ```python file=shop/orders.py
    async def place_order(name):
        return "placed"
    ```
    Test classes of Django run coroutine tests themselves.

    ## Fix safety
    The fix changes the base, where it is `unittest.TestCase` itself, so that the tests run from then on.
    It is safe: what fails then was never tested.

    ## When not to use it
    When another runner awaits the coroutines.

    ## References
    - Python documentation, unittest: `IsolatedAsyncioTestCase`
    - https://docs.python.org/3/library/unittest.html#unittest.IsolatedAsyncioTestCase
    """
    cls = ctx.enclosing_class(node)
    if cls is None or ctx.parent(node) is not cls or node.decorator_list:
        return
    info = ctx.class_info(cls)
    if not testing.drops_coroutines(info, node.name):
        return
    base = next((base for base in cls.bases if ctx.qualified_name(base) == "unittest.TestCase"), None)
    fix = None
    if isinstance(base, ast.Attribute):
        fix = ctx.fix("Change the base", ctx.edit(base, f"{ctx.text(base.value)}.IsolatedAsyncioTestCase"))
    elif base is not None:
        name, imports = add_import(ctx.source, "unittest.IsolatedAsyncioTestCase")
        fix = ctx.fix("Change the base", ctx.edit(base, name), *imports)
    bases = [base for base in info.mro[1:] if isinstance(base, ClassInfo)]
    yield ctx.finding(
        node,
        end=node.args.args[0] if node.args.args else None,
        fix=fix,
        related=[ctx.definition(base, f"`{base.node.name}` awaits nothing") for base in bases],
        cls=cls.name,
        test=node.name,
    )
