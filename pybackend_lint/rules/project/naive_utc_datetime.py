"""Rule PB028: naive-utc-datetime."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import naive_time
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB028",
    "naive-utc-datetime",
    "Pass a function that calls `{instead}`: `{reference}` gives times without zone",
    nodes=(ast.Attribute,),
    names=("utcnow", "utcfromtimestamp"),
    fix=UNSAFE,
    tags=("correctness", "deprecation"),
)
def check(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """A default is taken from `datetime.utcnow`, which gives a time that does not know that it is UTC.

    ## Why
    A naive value is read as local time by `timestamp()`, `astimezone()` and many drivers, and comparing
    it with a time that has a zone raises `TypeError`. Python 3.12 deprecates both functions. Linters
    that look for calls do not see a function that is passed on as `default` or `default_factory`.

    ## Bad
    ```python
    from datetime import datetime

    from pydantic import BaseModel, Field


    class OrderPlaced(BaseModel):
        order_id: int
        placed_at: datetime = Field(default_factory=datetime.utcnow)
    ```
    ```python
    import datetime

    from sqlalchemy import DateTime
    from sqlalchemy.orm import Mapped, mapped_column

    from shop.base import Base


    class Order(Base):
        __tablename__ = "order"

        id: Mapped[int] = mapped_column(primary_key=True)
        placed_at: Mapped[datetime.datetime] = mapped_column(
            DateTime(timezone=True), default=datetime.datetime.utcnow
        )
    ```
    ```python file=shop/base.py
    from sqlalchemy.orm import DeclarativeBase


    class Base(DeclarativeBase):
        pass
    ```

    ## Good
    ```python
    from datetime import UTC, datetime

    from pydantic import BaseModel, Field


    class OrderPlaced(BaseModel):
        order_id: int
        placed_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    ```
    ```python
    import datetime

    from sqlalchemy import DateTime
    from sqlalchemy.orm import Mapped, mapped_column

    from shop.base import Base


    class Order(Base):
        __tablename__ = "order"

        id: Mapped[int] = mapped_column(primary_key=True)
        placed_at: Mapped[datetime.datetime] = mapped_column(
            DateTime(timezone=True), default=lambda: datetime.datetime.now(datetime.UTC)
        )
    ```

    ## Not reported
    ```python
    from datetime import datetime

    from shop.clock import utcnow


    def stamp() -> datetime:
        return datetime.utcnow()  # a call: other linters report it (DTZ003)


    class Clock:
        now = utcnow  # a function of the project
    ```

    ## Fix safety
    Unsafe: the values get a zone, and comparing them with naive ones then raises. Offered for factories
    of fields and for columns with `timezone=True`; other columns store naive values, which some drivers
    insist on.

    ## When not to use it
    Where all times are naive by convention and Python is older than 3.12.

    ## References
    - Python documentation, `datetime.datetime.utcnow` (deprecated since 3.12)
    - Python 3.12, "What's New", Deprecated
    """
    instead = naive_time.naive_reference(node, ctx.module)
    if instead is None:
        return
    fix = None
    has_constant = ctx.project.satisfies("python>=3.11", "lower")
    if instead == "now" and naive_time.accepts_aware(node, ctx.module):
        zone, edits = add_import(ctx.source, "datetime.UTC" if has_constant else "datetime.timezone")
        text = f"lambda: {ctx.text(node.value)}.now({zone if has_constant else f'{zone}.utc'})"
        fix = ctx.fix("Pass a function that gives the time with its zone", *edits, ctx.edit(node, text))
    argument = "UTC" if instead == "now" else "..., UTC"
    yield ctx.finding(node, instead=f"datetime.{instead}({argument})", reference=ctx.text(node), fix=fix)
