"""Rule PB002: missing-requires-python."""

from __future__ import annotations

from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import project_metadata
from pybackend_lint.rule import UNSAFE, Context, ProjectFile, rule


@rule(
    "PB002",
    "missing-requires-python",
    "Set `{key}` in `[{table}]`: nothing says which Python versions the project supports",
    fix=UNSAFE,
    tags=("correctness",),
    file="pyproject.toml",
)
def check(file: ProjectFile, ctx: Context) -> Iterator[Finding]:
    """The project does not say which Python versions it runs on.

    ## Why
    Installers pick releases for the Python at hand: without `requires-python` they install the project
    on one where it cannot start, and resolvers such as uv lock for versions that nobody wanted. Ruff,
    type checkers and this linter derive from it which syntax and which APIs may be used.

    ## Bad
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    classifiers = [
      "Programming Language :: Python :: 3.12",
      "Programming Language :: Python :: 3.13",
    ]
    dependencies = ["fastapi>=0.115"]
    ```

    ## Good
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    classifiers = [
      "Programming Language :: Python :: 3.12",
      "Programming Language :: Python :: 3.13",
    ]
    dependencies = ["fastapi>=0.115"]
    ```

    ## Not reported
    ```toml file=pyproject.toml check
    [tool.uv.workspace]
    members = ["services/*"]

    [tool.ruff]
    line-length = 110
    ```
    A file without project is not reported, nor is one whose build backend computes the versions
    (`dynamic = ["requires-python"]`).

    ## Fix safety
    Unsafe: the oldest version is taken from `.python-version`, a Dockerfile or the classifiers, and
    keeps older ones out. Where nothing names a version, there is no fix.

    ## When not to use it
    For scripts that are never installed or locked.

    ## References
    - Python Packaging User Guide, "`pyproject.toml` specification", `requires-python`
    """
    missing = project_metadata.missing_python(file)
    place = project_metadata.header_range(file, missing) if missing is not None else None
    if missing is None or place is None:
        return
    oldest = project_metadata.oldest_python(file, ctx.version("python"))
    fix = None
    if oldest is not None:
        edit = project_metadata.requirement_edit(file, missing, oldest)
        fix = ctx.fix(f"Require Python {oldest} or newer", edit)
    yield ctx.finding_at(*place, key=missing.key, table=missing.header, fix=fix)
