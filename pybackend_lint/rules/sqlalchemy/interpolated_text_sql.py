"""Rule PB511: interpolated-text-sql."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_text
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB511",
    "interpolated-text-sql",
    "Bind `{name}` as a parameter: this SQL is built by string interpolation",
    nodes=(ast.Call,),
    names=("text", "literal_column", "execute", "scalar", "scalars", "exec", "exec_driver_sql"),
    applies="sqlalchemy",
    fix=UNSAFE,
    severity="error",
    tags=("security",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A value is written into the text of a SQL statement instead of being bound as a parameter.

    ## Why
    Whoever controls the value controls the statement: `x' OR '1'='1` reads other people's rows. A bound
    parameter is sent apart from the statement, is never parsed as SQL, and lets the database reuse its plan.

    ## Bad
    ```python
    from sqlalchemy import text
    from sqlalchemy.orm import Session


    def find_user(session: Session, email: str) -> int | None:
        return session.execute(text(f"SELECT id FROM users WHERE email = '{email}'")).scalar()
    ```

    ## Good
    ```python
    from sqlalchemy import text
    from sqlalchemy.orm import Session


    def find_user(session: Session, email: str) -> int | None:
        return session.execute(text("SELECT id FROM users WHERE email = :email"), {"email": email}).scalar()
    ```

    ## Not reported
    ```python
    from sqlalchemy import text
    from sqlalchemy.orm import Session

    STATES = "'open', 'paid'"


    def counts(session: Session, table: str, limit: int, keys: list[str]) -> list[int]:
        places = ", ".join(f":p{index}" for index in range(len(keys)))
        statement = text(
            f"SELECT count(*) FROM {table} "  # a name cannot be bound
            f"WHERE state IN ({STATES}) AND key IN ({places}) "  # constants, and parameters already
            f"LIMIT {limit}"  # a number is harmless
        )
        return list(session.scalars(statement, {f"p{index}": key for index, key in enumerate(keys)}))
    ```

    ## Fix safety
    The database now receives a parameter with the type of the value; where it was quoted, a number becomes a
    number. The fix is offered for `execute(text(f"..."))` without other parameters; a text that another
    function makes is left to its author.

    ## When not to use it
    Names of tables and columns cannot be bound and are not reported; check them against a list of known ones.

    ## References
    - SQLAlchemy: `sqlalchemy.sql.expression.text`, "bind parameters"
    - OWASP: "SQL Injection Prevention Cheat Sheet"
    """
    text = sqlalchemy_text.sql_text(call, ctx)
    if text is None:
        return
    values = sqlalchemy_text.interpolated_values(text, ctx)
    if not values:
        return
    edits = sqlalchemy_text.bound(call, values, ctx)
    fix = ctx.fix("Bind the values", *edits) if edits is not None else None
    yield ctx.finding(text, name=ast.unparse(values[0].value), fix=fix, related=values[0].related())
