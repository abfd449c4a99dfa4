"""Rule PB501: query-get."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import sqlalchemy_queries
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB501",
    "query-get",
    "Use `{session}.get({entity}, ...)`: `Query.get()` is legacy",
    nodes=(ast.Call,),
    names=("get",),
    words=("query",),
    applies="sqlalchemy>=1.4",
    fix=SAFE,
    tags=("deprecation",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`Query.get()` is legacy since SQLAlchemy 2.0 and warns on every call; `Session.get()` does the same.

    ## Why
    SQLAlchemy 2.0 emits `LegacyAPIWarning` for `session.query(User).get(key)`. `Session.get()`, there since
    1.4, reads the same identity map, sends the same statement, and type checkers know what it returns.

    ## Bad
    ```python
    from sqlalchemy.orm import Session

    from shop.models import User


    def load_user(session: Session, user_id: int) -> User | None:
        return session.query(User).get(user_id)
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
    ```

    ## Good
    ```python
    from sqlalchemy.orm import Session

    from shop.models import User


    def load_user(session: Session, user_id: int) -> User | None:
        return session.get(User, user_id)
    ```

    ## Not reported
    ```python
    from search import Client


    def load_hit(client: Client, key: int) -> object:
        return client.query("users").get(key)  # another library's query
    ```

    ## Fix safety
    The fix moves loader options to the argument `options` of `Session.get()`, which since 1.4 runs the same
    code as `Query.get()`. There is none for `Model.query.get()` of Flask-SQLAlchemy, where the name of the
    session is not known, nor where a comment stands in between.

    ## When not to use it
    Not while the project supports SQLAlchemy 1.3, which has no `Session.get()`.

    ## References
    - SQLAlchemy 2.0, Migration Guide: "ORM Query - get() method moves to Session"
    """
    found = sqlalchemy_queries.get_by_key(call, ctx)
    if found is None:
        return
    session, entity, options = found
    fix: Fix | None = None
    if session is not None:
        key = call.args[0]
        start, end = ctx.source.outer_range(session)[1], ctx.source.outer_range(key)[0]
        tail = f", options=[{', '.join(ctx.text(option) for option in options)}]" if options else ""
        if "#" not in ctx.source.text[start:end]:
            edits = [Edit(start, end, f".get({ctx.text(entity)}, ")]
            edits += [ctx.insert_after(key, tail)] if tail else []
            fix = ctx.fix("Use `Session.get()`", *edits)
    shown = ctx.text(session) if session is not None else "db.session"
    yield ctx.finding(call, session=shown, entity=ctx.text(entity), fix=fix)
