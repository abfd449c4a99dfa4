"""Rule PB553: missing-asyncio-extra."""

from __future__ import annotations

from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio_extra
from pybackend_lint.rule import SAFE, Context, ProjectFile, rule


@rule(
    "PB553",
    "missing-asyncio-extra",
    "Depend on `sqlalchemy[asyncio]`: `sqlalchemy.ext.asyncio` cannot be imported without greenlet",
    fix=SAFE,
    tags=("correctness",),
    file="pyproject.toml",
)
def check(file: ProjectFile, ctx: Context) -> Iterator[Finding]:
    """The project uses SQLAlchemy with asyncio, and its requirement does not ask for what that needs.

    ## Why
    Up to 2.0 SQLAlchemy brought greenlet along on common platforms. Since 2.1 it does so only with the
    extra `asyncio`: the next fresh installation (a new image, a new lock file) has no greenlet, and the
    application ends with `ImportError` when it imports `sqlalchemy.ext.asyncio`.

    ## Bad
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    dependencies = [
      "asyncpg>=0.30",
      "sqlalchemy>=2.0.36",
    ]
    ```
    ```python file=shop/database.py
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine("postgresql+asyncpg://localhost/shop")
    ```

    ## Good
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    dependencies = [
      "asyncpg>=0.30",
      "sqlalchemy[asyncio]>=2.0.36",
    ]
    ```

    ## Not reported
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    dependencies = [
      "sqlalchemy>=2.0.36,<2.1",  # brings greenlet itself
    ]
    ```
    ```python file=shop/database.py
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine("postgresql+asyncpg://localhost/shop")
    ```
    Nor is a project whose lock file or other requirements have greenlet, or a package that brings it.

    ## Fix safety
    Safe: the extra adds greenlet and nothing else. In Poetry's tables, and beside other extras, there is
    no fix.

    ## When not to use it
    When greenlet comes with an image or with packages of the system.

    ## References
    - SQLAlchemy documentation, "Asynchronous I/O (asyncio)": Asyncio Platform Installation Notes
    - SQLAlchemy documentation, "What's New in SQLAlchemy 2.1?"
    """
    missing = asyncio_extra.missing_extra(file, ctx.module, ctx.project)
    if missing is not None:
        fix = ctx.fix("Add the extra `asyncio`", missing.edit) if missing.edit is not None else None
        yield ctx.finding_at(missing.start, missing.end, related=(missing.needed,), fix=fix)
