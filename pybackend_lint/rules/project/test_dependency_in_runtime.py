"""Rule PB013: test-dependency-in-runtime."""

from __future__ import annotations

from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import development_tools
from pybackend_lint.rule import Context, ProjectFile, rule


@rule(
    "PB013",
    "test-dependency-in-runtime",
    "Move `{package}` to a dependency group: only tests and developers use it",
    default=False,
    tags=("style",),
    file="pyproject.toml",
)
def check(file: ProjectFile, ctx: Context) -> Iterator[Finding]:
    """A tool for tests or development is installed wherever the project runs.

    ## Why
    What stands in the dependencies comes into every image, and for a library to everyone who installs
    it. Test runners and linters make images larger, bring dependencies of their own whose versions must
    fit those of the application, and are one more thing to patch when one of them has a vulnerability.

    ## Bad
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    dependencies = [
      "fastapi>=0.115",
      "pytest>=8",
    ]
    ```
    ```python file=tests/test_orders.py
    import pytest


    @pytest.mark.parametrize("number", [1, 2])
    def test_order(number):
        assert number
    ```

    ## Good
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    dependencies = [
      "fastapi>=0.115",
    ]

    [dependency-groups]
    dev = ["pytest>=8"]
    ```

    ## Not reported
    ```toml file=pyproject.toml check
    [project]
    name = "shop"
    version = "2.4.0"
    requires-python = ">=3.12"
    dependencies = ["factory-boy>=3.3", "ruff>=0.9"]
    ```
    ```python file=shop/format.py
    from ruff import find_ruff_bin

    BINARY = find_ruff_bin()
    ```
    Packages that the project's own code imports are left alone, and so are plugins for pytest and
    projects in a folder for tests. Libraries that help to write tests (factory-boy) are not judged: a
    package may ship such helpers. A tool that is only started as a program is reported.

    ## When not to use it
    For projects that start such a tool as a program when they run, and for those that consist of tests.

    ## References
    - Python Packaging User Guide, "Dependency Groups"
    - uv documentation, "Development dependencies"
    """
    for found in development_tools.tools_at_run_time(file, ctx.module, ctx.project):
        yield ctx.finding_at(found.start, found.end, package=found.name)
