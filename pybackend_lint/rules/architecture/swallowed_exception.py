"""Rule PB901: swallowed-exception."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import errors
from pybackend_lint.frameworks.logging import module_logger
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_before
from pybackend_lint.semantic.scopes import FUNCTIONS


@rule(
    "PB901",
    "swallowed-exception",
    "Handle or log the error: this `except {types}` hides that `{call}(...)` was not written",
    nodes=(ast.ExceptHandler,),
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
    """A handler for any error hides that something was not written to the database.

    ## Why
    The block writes to the database, the handler catches every error and says nothing: `pass`,
    `continue`, or a constant as result. When the database is down, a constraint is violated or a column
    was renamed, the data is lost, and no log line tells why.

    ## Bad
    ```python
    import logging

    from sqlalchemy import delete
    from sqlalchemy.orm import Session

    from shop.models import Order

    logger = logging.getLogger(__name__)


    def forget(session: Session, order_id: int) -> bool:
        try:
            session.execute(delete(Order).where(Order.id == order_id))
            session.commit()
            return True
        except Exception:
            return False
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "order"

        id: Mapped[int] = mapped_column(primary_key=True)
    ```

    ## Good
    ```python
    import logging

    from sqlalchemy import delete
    from sqlalchemy.orm import Session

    from shop.models import Order

    logger = logging.getLogger(__name__)


    def forget(session: Session, order_id: int) -> bool:
        try:
            session.execute(delete(Order).where(Order.id == order_id))
            session.commit()
            return True
        except Exception:
            logger.exception("forget failed")
            return False
    ```

    ## Not reported
    ```python
    import json

    import requests
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import Session


    def parse(text: str) -> dict[str, object]:
        try:
            return json.loads(text)
        except Exception:  # nothing is written: what can fail is the text
            return {}


    def is_up(url: str) -> bool:
        try:
            return requests.get(url, timeout=1).ok
        except Exception:
            return False


    def add_once(session: Session, row: object) -> bool:
        session.add(row)
        try:
            session.commit()
        except IntegrityError:
            return False
        return True
    ```
    Only blocks that write through SQLAlchemy or Django's ORM themselves are judged. A comment in the
    handler counts as a reason. Handlers that use the error, log, call anything or raise on some path,
    retries, clean-up in `finally` and in methods such as `close`, and specific errors are not reported.

    ## Fix safety
    Unsafe: it adds `logger.exception(...)`, which writes to the log. Offered where the module has one
    logger.

    ## When not to use it
    In code for which failing silently is the contract, such as telemetry.

    ## References
    - Python documentation, "Errors and Exceptions", and `logging.Logger.exception`
    """
    if not _is_silent(node) or not errors.is_broad(node, ctx) or errors.gives_reason(node, ctx):
        return
    function = ctx.enclosing_function(node)
    if isinstance(function, ast.Lambda) or errors.in_clean_up(node, ctx) or errors.retries(node, ctx):
        return
    call = errors.written_database(errors.enclosing_try(node, ctx).body, ctx)
    if call is None:
        return
    logger = module_logger(ctx)
    fix = None
    if logger is not None and isinstance(function, FUNCTIONS):
        first = node.body[0]
        line = f'{logger}.exception("{function.name} failed")'
        if isinstance(first, ast.Pass) or (
            isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        ):
            fix = ctx.fix("Log the error", ctx.edit(first, line))
        elif (edit := line_before(ctx.source, first, line)) is not None:
            fix = ctx.fix("Log the error", edit)
    types = ctx.text(node.type) if node.type is not None else "everything"
    header = node.type if node.type is not None else node
    end = None if node.type is not None else ctx.source.start(node) + len("except")
    yield ctx.finding(header, end_offset=end, types=types, call=call, fix=fix)


def _is_silent(handler: ast.ExceptHandler) -> bool:
    """Whether the body does nothing but leave: `pass`, `continue`, `...`, or an empty result."""
    if len(handler.body) != 1:
        return False
    match handler.body[0]:
        case ast.Pass() | ast.Continue() | ast.Return(value=None) | ast.Return(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Constant(value=value)):
            return value is Ellipsis
        case ast.Return(value=ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[])):
            return True
    return False
