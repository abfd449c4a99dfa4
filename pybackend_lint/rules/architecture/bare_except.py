"""Rule PB900: bare-except."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import errors
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB900",
    "bare-except",
    "Catch `{exception}` instead of everything: bare `except` also catches `SystemExit`",
    nodes=(ast.ExceptHandler,),
    words=("except:", "except :"),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """A handler without exception type catches what is meant to end the process.

    ## Why
    `except:` catches `SystemExit`, `KeyboardInterrupt` and `GeneratorExit` besides errors: a worker that
    is told to stop goes on, Ctrl-C does nothing, and a typo in the block looks like a failed request.
    Where the calls in the block are the project's own, the message names what they raise.

    ## Bad
    ```python
    from shop.rates import convert


    def price_in(currency: str, cents: int) -> int | None:
        try:
            return convert(cents, currency)
        except:
            return None
    ```
    ```python file=shop/rates.py
    class UnknownCurrency(Exception):
        pass


    def convert(cents: int, currency: str) -> int:
        if currency != "EUR":
            raise UnknownCurrency(currency)
        return cents
    ```

    ## Good
    ```python
    from shop.rates import convert


    def price_in(currency: str, cents: int) -> int | None:
        try:
            return convert(cents, currency)
        except Exception:
            return None
    ```

    ## Not reported
    ```python
    import tempfile


    def store(data: bytes) -> str:
        file = tempfile.NamedTemporaryFile(delete=False)
        try:
            file.write(data)
        except:
            file.close()
            raise
        return file.name
    ```
    A handler that raises again on every path only watches the exception pass. Coroutines with an `await`
    in the block are the matter of `cancellation-swallowed`. A `# noqa: E722` is respected.

    ## Fix safety
    Unsafe: `except Exception:` catches less, which is the point.

    ## When not to use it
    Where another linter already reports bare handlers (E722) and you do not want the exceptions named.

    ## References
    - PEP 8, "Programming Recommendations"
    - Python documentation, "Exception hierarchy"
    """
    if node.type is not None or errors.always_raises(node.body) or ctx.project.ruff_selects("E722"):
        return
    if errors.is_accepted(node, "E722", ctx):
        return
    body = errors.enclosing_try(node, ctx).body
    if ctx.in_coroutine(node) and any(isinstance(item, ast.Await) for item in errors.nodes_of(body)):
        return
    escapes = errors.raised_by(body, ctx)
    raised = [escape.name.rpartition(".")[2] for escape in escapes]
    steps = tuple(step for escape in escapes for step in escape.steps)
    start = ctx.source.start(node)
    header = ctx.source.text[start : ctx.source.start(node.body[0])]
    fix = None
    if header.startswith("except"):
        place = start + len("except")
        fix = ctx.fix("Catch `Exception`", ctx.insert_at(place, " Exception"))
    named = ", ".join(raised) or "Exception"
    yield ctx.finding(node, end_offset=start + len("except"), exception=named, fix=fix, related=steps)
