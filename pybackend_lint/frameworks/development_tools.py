"""Facts about distributions that only tests and developers use, and whether a project's code needs one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pybackend_lint.frameworks import project_metadata
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.project import Project
from pybackend_lint.rule import ProjectFile
from pybackend_lint.semantic.module import Module

# Distributions and the packages that they are imported as. Not what packages ship helpers for (factory-boy),
# nor IPython, which Django's shell starts when it is there.
_TOOLS = {
    "black": "black",
    "coverage": "coverage",
    "flake8": "flake8",
    "isort": "isort",
    "mypy": "mypy",
    "pylint": "pylint",
    "pyright": "pyright",
    "pytest": "pytest",
    "pytest-asyncio": "pytest_asyncio",
    "pytest-cov": "pytest_cov",
    "pytest-django": "pytest_django",
    "pytest-mock": "pytest_mock",
    "pytest-xdist": "xdist",
    "ruff": "ruff",
    "tox": "tox",
}


def tools_at_run_time(
    file: ProjectFile, module: Module, project: Project
) -> Iterator[project_metadata.Dependency]:
    """The dependencies of a `pyproject.toml` that install a tool wherever the project runs.

    Not those that the project's own code imports, tests aside, nor those of plugins for pytest and
    of projects in a folder for tests. `module` stands for the file.
    """
    index = module.modules
    path = module.source.path
    if not isinstance(index, Index) or "pytest11" in file.text:
        return
    if project.is_test(path) or os.path.dirname(path).endswith("_tests"):
        return
    for found in project_metadata.dependencies(file):
        package = _TOOLS.get(found.name)
        if package is not None and not _is_imported(package, module, index, project):
            yield found


def _is_imported(package: str, module: Module, index: Index, project: Project) -> bool:
    statement = re.compile(rf"^[ \t]*(?:from|import)[ \t]+{package}\b".encode(), re.MULTILINE)
    return any(
        not project.is_test(path)
        and os.path.basename(path) != "conftest.py"
        and statement.search(index.content(path)) is not None
        for path in files_with(index, module, package.encode())
    )
