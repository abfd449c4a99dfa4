"""Rule PB914: caught-too-late."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.project.raises import hidden_handlers
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB914",
    "caught-too-late",
    "Move `except {late}` above `except {early}`: it can never run",
    nodes=(ast.Try,),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(block: ast.Try, ctx: Context) -> Iterator[Finding]:
    """A handler stands below one that catches the same exception already.

    ## Why
    Python takes the first handler that fits. The special answer, such as a 404 for a missing row or a retry
    after a lost connection, is written but never given, and the general one hides it. The classes are often
    in another file or in a library, so that the order looks right.

    ## Bad
    ```python
    from shop.errors import OutOfStock, ShopError


    def order(basket):
        try:
            basket.check_out()
        except ShopError:
            return "failed"
        except OutOfStock as error:
            return f"only {error.left} left"
        return "ordered"
    ```
    ```python file=shop/errors.py
    class ShopError(Exception):
        pass


    class StockError(ShopError):
        pass


    class OutOfStock(StockError):
        left = 0
    ```
    ## Good
    ```python
    from shop.errors import OutOfStock, ShopError


    def order(basket):
        try:
            basket.check_out()
        except OutOfStock as error:
            return f"only {error.left} left"
        except ShopError:
            return "failed"
        return "ordered"
    ```
    ## Not reported
    ```python
    import payments


    def pay(basket):
        try:
            basket.pay()
        except payments.PaymentError:
            return "failed"
        except payments.Declined:  # the library's classes are not known, so an alarm may be missed
            return "declined"
        except (KeyError, ValueError):
            return "invalid"
        return "paid"
    ```
    ## Fix safety
    The fix swaps the two handlers where one stands directly below the other. It is unsafe because the other
    branch runs now.
    ## When not to use it
    Where a later handler is kept on purpose for another version of a library.
    ## References
    - Python documentation, "Handling Exceptions"
    """
    if len(block.handlers) < 2:
        return
    for late, name, early, caught in hidden_handlers(block, ctx.module):
        header = late.type if late.type is not None else late
        last, first = name.rpartition(".")[2], caught.rpartition(".")[2]
        if last == first and name != caught:
            last, first = name, caught  # such as the two `HTTPException`
        related = [ctx.related(early, f"catches `{first}` before")]
        yield ctx.finding(
            header,
            late=last,
            early=first,
            related=related,
            fix=_swapped(early, late, block, ctx),
        )


def _swapped(early: ast.ExceptHandler, late: ast.ExceptHandler, block: ast.Try, ctx: Context) -> Fix | None:
    """The fix that puts a handler above the one directly before it."""
    handlers = block.handlers
    if handlers.index(late) != handlers.index(early) + 1 or handlers[handlers.index(early) :] != [
        early,
        late,
    ]:
        return None
    if ast.dump(early.type or early) == ast.dump(late.type or late):
        return None
    start, middle, end = ctx.source.start(early), ctx.source.start(late), ctx.source.end(late)
    text = ctx.source.text
    between = text[ctx.source.end(early) : middle]
    swapped = text[middle:end] + between + text[start : ctx.source.end(early)]
    if between.strip():
        return None  # a comment may belong to either
    return ctx.fix("Swap the two handlers", ctx.replace_range(start, end, swapped))
