"""Rule PB904: log-without-traceback."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import errors
from pybackend_lint.frameworks.logging import logging_method
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB904",
    "log-without-traceback",
    "Use `{logger}.exception(...)`: `{logger}.{method}(...)` drops the traceback of `{error}`",
    nodes=(ast.Call,),
    names=("error", "critical"),
    fix=SAFE,
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """An unexpected error is logged by its text alone, without the traceback.

    ## Why
    `logger.error(f"sync failed: {error}")` in a handler for any exception leaves one line such as
    `sync failed: 'id'`: nobody can tell which of the calls in the block raised `KeyError('id')`.
    `logger.exception` writes the same message at the same level, and the traceback below it.

    ## Bad
    ```python
    import logging

    from shop.stock import reserve

    logger = logging.getLogger(__name__)


    def reserve_all(skus: list[str]) -> None:
        for sku in skus:
            try:
                reserve(sku)
            except Exception as error:
                logger.error(f"cannot reserve {sku}: {error}")
    ```
    ```python file=shop/stock.py
    def reserve(sku: str) -> None:
        print(sku)
    ```

    ## Good
    ```python
    import logging

    from shop.stock import reserve

    logger = logging.getLogger(__name__)


    def reserve_all(skus: list[str]) -> None:
        for sku in skus:
            try:
                reserve(sku)
            except Exception as error:
                logger.exception(f"cannot reserve {sku}: {error}")
    ```

    ## Not reported
    ```python
    import logging

    logger = logging.getLogger(__name__)


    def amount(text: str) -> int:
        try:
            return int(text)
        except ValueError as error:  # an expected error: the text says it all
            logger.error("not an amount: %s", error)
            return 0


    def charge(amount: int) -> None:
        try:
            print(1 // amount)
        except Exception as error:
            logger.error("charging failed: %s", error)
            raise  # whoever handles the error logs the traceback
    ```
    An error of HTTP with a status from 500 is an answer that nobody logs: handlers that raise one are
    reported. Blocks that make one call of a library or of a parser and nothing else are left alone: there
    is only one place the error can come from. So are handlers that log the traceback by other means,
    `exc_info=...`, those that count attempts, records that name the class by `type(error)`, and loggers of
    other libraries.

    ## Fix safety
    Safe: `error` becomes `exception`, which logs at the same level; `critical` gets `exc_info=True`.

    ## When not to use it
    Where log lines must stay single lines because the collector cannot join them.

    ## References
    - Python documentation, `logging.Logger.exception`
    """
    handler = _handler(node, ctx)
    if handler is None or handler.name is None or not _tells_of(node, handler.name, handler):
        return
    if any(keyword.arg in {"exc_info", None} for keyword in node.keywords):
        return
    if errors.is_accepted(node, "TRY400", ctx) or errors.names_class(handler, handler.name):
        return
    if not errors.is_broad(handler, ctx) or errors.passes_error_on(handler.body, ctx):
        return
    if errors.tells_of_retry(handler):
        return
    if errors.guards_one_library_call(errors.enclosing_try(handler, ctx), ctx):
        return
    method = logging_method(node, ctx)
    if (
        method not in {"error", "critical"}
        or ctx.project.ruff_selects("TRY400")
        or _logs_traceback(handler, ctx)
    ):
        return
    assert isinstance(node.func, ast.Attribute)
    logger = ctx.text(node.func.value)
    if method == "error":
        place = ctx.source.end(node.func)
        fix = ctx.fix("Log the traceback", ctx.replace_range(place - len("error"), place, "exception"))
    else:
        last = (*node.args, *(keyword.value for keyword in node.keywords))[-1]
        fix = ctx.fix("Log the traceback", ctx.insert_after(last, ", exc_info=True"))
    yield ctx.finding(node.func, logger=logger, method=method, error=handler.name, fix=fix)


def _handler(node: ast.AST, ctx: Context) -> ast.ExceptHandler | None:
    """The handler in whose body a call stands, not in the body of another `try` inside it."""
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, ast.ExceptHandler):
            return ancestor
        if isinstance(ancestor, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            return None
    return None


def _tells_of(call: ast.Call, error: str, handler: ast.ExceptHandler) -> bool:
    """Whether a record holds an error, or a text that the handler has made of it before."""
    told = {error}
    for statement in handler.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=text)], value=value) if _mentions(value, told):
                told.add(text)
    return any(_mentions(value, told) for value in (*call.args, *(item.value for item in call.keywords)))


def _mentions(value: ast.expr, names: set[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for node in errors.nodes_of([ast.Expr(value)]))


def _logs_traceback(handler: ast.ExceptHandler, ctx: Context) -> bool:
    for node in errors.nodes_of(handler.body):
        match node:
            case ast.keyword(arg="exc_info") | ast.Call(func=ast.Attribute(attr="exception")):
                return True
            case ast.Call(func=func):
                if errors.keeps_traceback(ctx.qualified_name(func)):
                    return True
    return False
