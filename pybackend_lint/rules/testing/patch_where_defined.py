"""Rule PB819: patch-where-defined."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import patch_targets
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB819",
    "patch-where-defined",
    "Patch `{user}`: it was imported by value there, so this replaces nothing that runs",
    nodes=(ast.Call,),
    names=("patch", "object", "setattr"),
    fix=UNSAFE,
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A test replaces a name in the module that defines it, but the code under test holds a copy.

    ## Why
    `from shop.mails import send` gives the importing module a name of its own. To replace
    `shop.mails.send` afterwards changes nothing for it: the test sends the mail, charges the card or
    writes to the database that it meant to spare, and often passes.

    ## Bad
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.mails.send_receipt")
    def test_places_order(send):
        assert place_order("anna") == "placed"
    ```
    ```python file=shop/orders.py
    from shop.mails import send_receipt


    def place_order(name):
        send_receipt(name)
        return "placed"
    ```
    ```python file=shop/mails.py
    def send_receipt(name): ...
    ```

    ## Good
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    @patch("shop.orders.send_receipt")
    def test_places_order(send):
        assert place_order("anna") == "placed"
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from unittest.mock import patch

    from shop.orders import place_order


    # `shop.orders` reads it from its module at every call.
    @patch("shop.mails.send_receipt")
    # `shop.prices` uses it itself.
    @patch("shop.prices.tax")
    def test_places_order(*mocks):
        assert place_order("anna") == "placed"
    ```
    ```python file=shop/orders.py
    from shop import mails
    from shop.prices import tax, total


    def place_order(name):
        mails.send_receipt(name)
        return "placed" if tax(total(1)) else ""
    ```
    ```python file=shop/mails.py
    def send_receipt(name): ...
    ```
    ```python file=shop/prices.py
    def tax(price):
        return price


    def total(price):
        return tax(price)
    ```

    ## Fix safety
    The fix changes the path to the one module that has copied the name. It is unsafe because the test
    starts to replace something, so what it asserts may turn out to be wrong. Where several modules have
    copied the name, there is no fix.

    ## When not to use it
    When a replacement is only there in case somebody imports the name later.

    ## References
    - Python documentation, unittest.mock: "Where to patch"
    - https://docs.python.org/3/library/unittest.mock.html#where-to-patch
    """
    target = patch_targets.target(node, ctx.module)
    copies = patch_targets.copies(target, ctx.module) if target is not None else None
    if target is None or copies is None:
        return
    related = [place for _, place in copies.users]
    (user, _), *others = copies.users
    if not others:
        yield ctx.finding(target.node, fix=_fix(target, user, ctx), related=related, user=user)
    else:
        message = "Patch `{name}` where it is used: {number} modules imported it by value"
        yield ctx.finding(
            target.node, related=related, message=message, name=target.names[0], number=len(related)
        )


def _fix(target: patch_targets.Target, user: str, ctx: Context) -> Fix | None:
    written = ctx.text(target.node)
    if target.path is None or written[1:-1] != target.path:
        return None
    return ctx.fix(f"Patch `{user}`", ctx.edit(target.node, f"{written[0]}{user}{written[-1]}"))
