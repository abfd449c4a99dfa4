"""Rule PB558: default-called-at-import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_defaults
from pybackend_lint.rule import UNSAFE, Context, rule

_MADE = "Pass a function that gives `{callable}`: every row gets the value from the import"


@rule(
    "PB558",
    "default-called-at-import",
    "Pass `{callable}` without calling it: every row gets the value from the import",
    nodes=(ast.Call,),
    names=("Column", "mapped_column"),
    words=("default", "insert_default", "onupdate"),
    applies="sqlalchemy",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The default of a column is computed once, when the module is imported.

    ## Why
    `default=datetime.now()` stores the time at which the process started in every row until the next deploy;
    `default=uuid4()` gives every row the same key. SQLAlchemy calls a callable for each row, so the function
    itself has to be passed.

    ## Bad
    ```python
    import uuid
    from datetime import UTC, datetime

    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        placed_at: Mapped[datetime] = mapped_column(default=datetime.now(UTC))
    ```
    ```python
    from sqlalchemy import String
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    from shop.tokens import new_token


    class Base(DeclarativeBase):
        pass


    class Invitation(Base):
        __tablename__ = "invitations"

        token: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_token())
    ```
    ```python file=shop/tokens.py
    import secrets


    def new_token() -> str:
        return secrets.token_urlsafe(32)
    ```

    ## Good
    ```python
    import uuid
    from datetime import UTC, datetime

    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        placed_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    ```
    ```python
    from sqlalchemy import String
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    from shop.tokens import new_token


    class Base(DeclarativeBase):
        pass


    class Invitation(Base):
        __tablename__ = "invitations"

        token: Mapped[str] = mapped_column(String(64), primary_key=True, default=new_token)
    ```

    ## Not reported
    ```python
    from datetime import datetime

    from sqlalchemy import func
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    from shop.regions import default_region


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        placed_at: Mapped[datetime] = mapped_column(default=func.now())  # computed by the database
        region: Mapped[str] = mapped_column(default=default_region())  # always the same
    ```
    ```python file=shop/regions.py
    def default_region() -> str:
        return "eu"
    ```

    ## Fix safety
    The values now differ from row to row, which is what was meant but changes what is stored.

    ## When not to use it
    There is hardly a reason to turn it off: a default that is meant to be the time of the import can be
    computed in a variable of that name.

    ## References
    - SQLAlchemy: "Column INSERT/UPDATE Defaults", "Python-Executed Functions"
    """
    for value in sqlalchemy_defaults.computed_at_import(call, ctx):
        plain = isinstance(value, ast.Call) and not value.args and not value.keywords
        name = value.func if isinstance(value, ast.Call) and plain else None
        if name is not None and ctx.qualified_name(name) is None:
            name = None
        new = ctx.text(name) if name is not None else f"lambda: {ctx.text(value)}"
        fix = ctx.fix("Pass the function", ctx.edit(value, new)) if "#" not in ctx.text(value) else None
        message = _MADE if name is None else None
        text = " ".join(ctx.text(name or value).split())
        yield ctx.finding(value, message=message, callable=text, fix=fix)
