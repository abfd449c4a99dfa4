"""Rule PB573: non-null-column-without-default."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import alembic
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB573",
    "non-null-column-without-default",
    "Give `{column}` a `server_default`: existing rows cannot satisfy NOT NULL",
    nodes=(ast.Call,),
    names=("add_column",),
    applies="alembic",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
    migrations="only",
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A revision adds a `NOT NULL` column that has no value for the rows that exist.

    ## Why
    `alembic revision --autogenerate` writes it that way, and it works on an empty database: that of the
    developer and that of the tests. The first table with rows refuses it (`column "status" of relation
    "orders" contains null values`), so the deploy fails where it matters. A `default=` does not help: it is
    applied by Python when the application inserts a row, and is no part of the `ALTER TABLE`.

    ## Bad
    ```python check file=migrations/versions/4f1c_order_paid.py
    import sqlalchemy as sa
    from alembic import op

    revision = "4f1c"
    down_revision = None


    def upgrade() -> None:
        op.add_column(
            "orders",
            sa.Column("paid", sa.Boolean(), nullable=False, default=False),
        )


    def downgrade() -> None:
        op.drop_column("orders", "paid")
    ```
    ```python check file=migrations/versions/9a2e_customer_note.py
    import sqlalchemy as sa
    from alembic import op

    revision = "9a2e"
    down_revision = None


    def upgrade() -> None:
        with op.batch_alter_table("customers") as batch_op:
            batch_op.add_column(sa.Column("note", sa.Text(), default="", nullable=False))


    def downgrade() -> None:
        with op.batch_alter_table("customers") as batch_op:
            batch_op.drop_column("note")
    ```

    ## Good
    ```python check file=migrations/versions/4f1c_order_paid.py
    import sqlalchemy as sa
    from alembic import op

    revision = "4f1c"
    down_revision = None


    def upgrade() -> None:
        op.add_column(
            "orders",
            sa.Column("paid", sa.Boolean(), nullable=False, default=False, server_default=sa.false()),
        )


    def downgrade() -> None:
        op.drop_column("orders", "paid")
    ```
    ```python check file=migrations/versions/9a2e_customer_note.py
    import sqlalchemy as sa
    from alembic import op

    revision = "9a2e"
    down_revision = None


    def upgrade() -> None:
        with op.batch_alter_table("customers") as batch_op:
            batch_op.add_column(sa.Column("note", sa.Text(), default="", server_default="", nullable=False))


    def downgrade() -> None:
        with op.batch_alter_table("customers") as batch_op:
            batch_op.drop_column("note")
    ```

    ## Not reported
    ```python check file=migrations/versions/77b0_invoices.py
    import sqlalchemy as sa
    from alembic import op

    revision = "77b0"
    down_revision = None


    def upgrade() -> None:
        op.add_column("customers", sa.Column("email", sa.String(254), nullable=True))
        op.execute("UPDATE customers SET email = login || '@shop.example'")
        op.alter_column("customers", "email", nullable=False)

        op.create_table("invoices", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("invoices", sa.Column("number", sa.String(20), nullable=False))  # has no rows yet
        op.add_column("orders", sa.Column("total", sa.Integer(), sa.Computed("price * 2"), nullable=False))


    def downgrade() -> None:
        op.add_column("orders", sa.Column("state", sa.String(20), nullable=False))  # not looked at
        op.drop_column("orders", "total")
        op.drop_table("invoices")
        op.drop_column("customers", "email")
    ```
    A revision that deletes rows anywhere in the same function is left alone, and so are revisions of MySQL,
    which fills in `0` or an empty text: revisions that mention `mysql`, and projects whose only driver is
    one for MySQL.

    ## Fix safety
    The default stays in the database. Where only the rows that exist shall get it, remove it in the same
    revision with `alter_column(..., server_default=None)`. Numbers, texts and booleans that stand as
    `default=` of a column of such a type are taken over; what else the rows should hold only you know.

    ## When not to use it
    Where no table has rows when its revisions run. Revisions that have run everywhere are not worth a
    change: exclude them with `per-file-ignores`.

    ## References
    - Alembic: "Operation Reference", `Operations.add_column`
    - PostgreSQL: "ALTER TABLE", Notes
    """
    column = alembic.required_column(call, ctx)
    if column is None:
        return
    default = alembic.default_for_rows(column, ctx)
    fix = None
    if default is not None:
        value, text = default
        fix = ctx.fix("Give the rows the same default", ctx.insert_after(value, f", server_default={text}"))
    name = column.args[0] if column.args else None
    yield ctx.finding(
        column,
        fix=fix,
        column=name.value if isinstance(name, ast.Constant) else "the column",
    )
