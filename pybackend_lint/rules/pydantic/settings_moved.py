"""Rule PB420: settings-moved."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import pydantic
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import replace_imports


@rule(
    "PB420",
    "settings-moved",
    "Import `BaseSettings` from `pydantic_settings`: Pydantic 2 raises here",
    nodes=(ast.ImportFrom, ast.Attribute),
    words=("BaseSettings",),
    applies="pydantic>=2.0",
    bound="upper",
    fix=UNSAFE,
    severity="error",
    tags=("deprecation", "correctness"),
    tests="both",
)
def check(node: ast.ImportFrom | ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """`BaseSettings` is no part of Pydantic 2: it has a distribution of its own.

    ## Why
    The import raises `PydanticImportError`, so the application does not start.

    ## Bad
    ```python
    from pydantic import BaseSettings, Field

    class Settings(BaseSettings):
        database_url: str = Field(default="sqlite://")
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.11"
    dependencies = ["pydantic>=2.7"]
    ```
    ## Good
    ```python
    from pydantic import Field
    from pydantic_settings import BaseSettings

    class Settings(BaseSettings):
        database_url: str = Field(default="sqlite://")
    ```
    ## Not reported
    ```python
    try:
        from pydantic_settings import BaseSettings
    except ImportError:
        from pydantic import BaseSettings  # runs with Pydantic 1 only

    class Settings(BaseSettings):
        debug: bool = False
    ```
    ```python
    from pydantic.v1 import BaseSettings  # the old generation, which Pydantic 2 ships

    class Settings(BaseSettings):
        debug: bool = False
    ```
    ## Fix safety
    The project needs the distribution `pydantic-settings`. Where it is among the project's
    dependencies the fix is safe.

    ## When not to use it
    In a project that still runs with Pydantic 1 and does not say so in its dependencies.

    ## References
    - Pydantic: "Migration Guide", "BaseSettings has moved to pydantic-settings"
    """
    alias = pydantic.settings_import(node, ctx.module) if isinstance(node, ast.ImportFrom) else None
    if alias is None and not (
        isinstance(node, ast.Attribute) and pydantic.is_moved_settings(node, ctx.module)
    ):
        return
    if ctx.version("pydantic") is None and not pydantic.shows_second_generation(ctx.module):
        return
    removed = [(node, alias)] if isinstance(node, ast.ImportFrom) and alias is not None else []
    names, edits = replace_imports(ctx.source, ["pydantic_settings.BaseSettings"], removed)
    if isinstance(node, ast.Attribute):
        edits = (ctx.edit(node, names[0]), *edits)
    is_plain = alias is None or (alias.asname is None and names[0] == alias.name)
    applicability = SAFE if ctx.project.versions.declares("pydantic-settings") else UNSAFE
    title = "Import it from `pydantic_settings`"
    fix = ctx.fix(title, *edits, applicability=applicability) if is_plain else None
    yield ctx.finding(alias or node, fix=fix)
