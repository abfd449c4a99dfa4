"""Rule PB571: multiple-migration-heads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import alembic
from pybackend_lint.rule import Context, rule


@rule(
    "PB571",
    "multiple-migration-heads",
    "Run `alembic merge {heads}`: `upgrade head` refuses to choose between them",
    nodes=(ast.Module,),
    words=("down_revision",),
    applies="alembic",
    severity="error",
    tags=("correctness",),
    migrations="only",
)
def check(module: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A revision has a place among the others that Alembic refuses.

    ## Why
    Two branches that each add a revision have no conflict in version control: the files are different.
    After the merge there are two heads, and `alembic upgrade head`, which is what deploys run, ends with
    `Multiple head revisions are present`. The same happens with a `down_revision` that no file has, as is
    left behind when a revision is renamed or not committed, and with two files of one name.

    ## Bad
    ```python check file=migrations/versions/c3_order_notes.py
    \"\"\"Notes on orders

    Revision ID: c3
    Revises: a1
    Create Date: 2026-05-04 09:12:44.000000
    \"\"\"

    import sqlalchemy as sa
    from alembic import op

    revision = "c3"
    down_revision = "a1"


    def upgrade() -> None:
        op.add_column("orders", sa.Column("notes", sa.Text()))


    def downgrade() -> None:
        op.drop_column("orders", "notes")
    ```
    ```python file=migrations/versions/b2_order_state.py
    \"\"\"State of orders

    Revision ID: b2
    Revises: a1
    Create Date: 2026-05-03 16:40:05.000000
    \"\"\"

    import sqlalchemy as sa
    from alembic import op

    revision = "b2"
    down_revision = "a1"


    def upgrade() -> None:
        op.add_column("orders", sa.Column("state", sa.Text()))


    def downgrade() -> None:
        op.drop_column("orders", "state")
    ```
    ```python file=migrations/versions/a1_orders.py
    \"\"\"Orders

    Revision ID: a1
    Revises:
    Create Date: 2026-05-01 11:00:00.000000
    \"\"\"

    import sqlalchemy as sa
    from alembic import op

    revision = "a1"
    down_revision = None


    def upgrade() -> None:
        op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade() -> None:
        op.drop_table("orders")
    ```
    ```python check file=migrations/versions/d4_customer_email.py
    import sqlalchemy as sa
    from alembic import op

    revision = "d4"
    down_revision = "b9"  # PB571


    def upgrade() -> None:
        op.add_column("customers", sa.Column("email", sa.Text()))


    def downgrade() -> None:
        op.drop_column("customers", "email")
    ```

    ## Good
    ```python check file=migrations/versions/c3_order_notes.py
    \"\"\"Notes on orders

    Revision ID: c3
    Revises: b2
    Create Date: 2026-05-04 09:12:44.000000
    \"\"\"

    import sqlalchemy as sa
    from alembic import op

    revision = "c3"
    down_revision = "b2"


    def upgrade() -> None:
        op.add_column("orders", sa.Column("notes", sa.Text()))


    def downgrade() -> None:
        op.drop_column("orders", "notes")
    ```
    ```python check file=migrations/versions/d4_customer_email.py
    import sqlalchemy as sa
    from alembic import op

    revision = "d4"
    down_revision = None


    def upgrade() -> None:
        op.add_column("customers", sa.Column("email", sa.Text()))


    def downgrade() -> None:
        op.drop_column("customers", "email")
    ```

    ## Not reported
    ```python check file=migrations/versions/r2_reports.py
    import sqlalchemy as sa
    from alembic import op

    revision = "r2"
    down_revision = None
    branch_labels = ("reports",)  # branches that are meant are brought up by `alembic upgrade heads`


    def upgrade() -> None:
        op.create_table("reports", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade() -> None:
        op.drop_table("reports")
    ```
    ```python file=migrations/versions/a1_orders.py
    import sqlalchemy as sa
    from alembic import op

    revision = "a1"
    down_revision = None


    def upgrade() -> None:
        op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade() -> None:
        op.drop_table("orders")
    ```
    Only the youngest head is reported, by its `Create Date`. Nothing is said of heads where a revision that
    they do not share has a label or a `depends_on`, of folders with other folders below them, of those whose
    configuration has `version_locations`, nor where a revision computes its name.

    ## When not to use it
    Where every place that runs migrations says `alembic upgrade heads`.

    ## References
    - Alembic: "Working with Branches"
    """
    fault = alembic.fault_of_revision(ctx.module)
    if fault is None:
        return
    for statement in module.body:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if isinstance(target, ast.Name) and target.id == fault.variable:
            heads = " ".join(fault.heads)
            yield ctx.finding(statement, message=fault.message, related=fault.related, heads=heads)
