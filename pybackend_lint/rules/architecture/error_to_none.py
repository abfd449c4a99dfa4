"""Rule PB902: error-to-none."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.project.none_results import turning_errors_to_none, unchecked_uses
from pybackend_lint.rule import Context, rule
from pybackend_lint.semantic.scopes import FUNCTIONS


@rule(
    "PB902",
    "error-to-none",
    "Raise instead of returning `None`: `{caller}()` uses the result unchecked",
    nodes=(ast.ExceptHandler,),
    tags=("correctness",),
)
def check(node: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """A function turns an error into None, and a caller uses the result as if that never happened.

    ## Why
    The handler knows what went wrong, the caller does not: it asks `None` for an attribute or an item and
    fails with `'NoneType' object is not subscriptable`, in another file and without the error that caused
    it. The client gets a 500 where the error could have become a 404 or 503, and the log points to the wrong
    place.

    ## Bad
    ```python check file=shop/rates.py
    import logging

    import httpx

    logger = logging.getLogger(__name__)


    def exchange_rates(client: httpx.Client) -> dict[str, float] | None:
        try:
            answer = client.get("https://rates.example.com/latest")
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPError:
            logger.exception("no exchange rates")
            return None
    ```
    ```python file=shop/prices.py
    import httpx

    from shop.rates import exchange_rates


    def price_in(client: httpx.Client, currency: str, cents: int) -> int:
        rates = exchange_rates(client)
        return round(cents * rates[currency])
    ```

    ## Good
    ```python check file=shop/rates.py
    import httpx


    class RatesMissing(Exception):
        pass


    def exchange_rates(client: httpx.Client) -> dict[str, float]:
        try:
            answer = client.get("https://rates.example.com/latest")
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPError as error:
            raise RatesMissing from error
    ```

    ## Not reported
    ```python check file=shop/stock.py
    import httpx


    def stock_of(client: httpx.Client, article: int) -> dict[str, int] | None:
        try:
            answer = client.get(f"https://stock.example.com/{article}")
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPError:
            return None  # every caller asks whether there is a value
    ```
    ```python file=shop/page.py
    import httpx

    from shop.stock import stock_of


    def show(client: httpx.Client, article: int) -> str:
        stock = stock_of(client, article)
        if not stock:
            return "unknown"
        return str(stock["free"])
    ```
    A caller that looks at the result in any condition is taken to know of `None`, so is one that catches what
    the use raises, or that has looked at the same call before. Callers that return the result, and functions
    that they give it to, are followed, except where the handler tells that a row was not found. Handlers that
    raise on some path are left alone, as are those that only some arguments lead to, those that turn away
    arguments of a wrong type, and uses with `# type: ignore`. Callers that are not known are not judged.

    ## When not to use it
    Where `None` cannot come back because callers make sure of it in ways that are not seen.

    ## References
    - Python documentation, "Errors and Exceptions: Exception Chaining"
    - PEP 20, "Errors should never pass silently"
    """
    around = ctx.enclosing_function(node)
    if not isinstance(around, FUNCTIONS) or not any(
        isinstance(item.value, ast.expr) for item in ctx.source.in_scope(ast.Return, around)
    ):
        return
    function = ctx.function_info(around)
    if turning_errors_to_none(function) is not node:
        return
    uses = unchecked_uses(function)
    if uses:
        related = [step for use in uses for step in use.related()]
        yield ctx.finding(node, caller=uses[0].function.node.name, related=related)
