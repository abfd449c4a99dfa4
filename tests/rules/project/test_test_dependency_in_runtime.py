"""Traps of test-dependency-in-runtime."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings

HEAD = '[project]\nname = "shop"\nrequires-python = ">=3.12"\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.12"\n'
TESTS = {"tests/test_a.py": "import pytest\n", "conftest.py": "import pytest\n"}
SILENT = {
    "in a group": f'{HEAD}dependencies = ["fastapi"]\n[dependency-groups]\ndev = ["pytest"]\n',
    "in an extra": f'{HEAD}dependencies = []\n[project.optional-dependencies]\ntest = ["pytest", "ruff"]\n',
    "a plugin for pytest": f'{HEAD}dependencies = ["pytest"]\n[project.entry-points.pytest11]\nshop = "shop"\n',
    "a group of Poetry": f'{POETRY}[tool.poetry.group.dev.dependencies]\npytest = "^8"\n',
    "optional in Poetry": f'{POETRY}pytest = {{ version = "^8", optional = true }}\n',
    "another package": f'{HEAD}dependencies = ["pytest-is-fun", "testing.postgresql"]\n',
    "no requirement": f'{HEAD}dependencies = ["pytest @"]\n',
    "written twice": f'{HEAD}dependencies = ["mypy"]\n[dependency-groups]\ndev = ["mypy"]\n',
}
FOUND = {
    "with a version": f'{HEAD}dependencies = ["pytest>=8,<9"]  # PB013\n',
    "with an extra and capitals": f'{HEAD}dependencies = ["Coverage[toml]"]  # PB013\n',
    "several": f'{HEAD}dependencies = [\n  "ruff",  # PB013\n  "fastapi",\n  "Pytest_Cov",  # PB013\n]\n',
    "of Poetry": f'{POETRY}pytest = "^8"  # PB013\n[tool.poetry.group.dev.dependencies]\nruff = "*"\n',
    "a table of Poetry": f'{POETRY}black = {{ version = "*", extras = ["d"] }}  # PB013\n',
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB013", source, files=TESTS, path="pyproject.toml")


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    findings("PB013", source, files=TESTS, path="pyproject.toml")


@pytest.mark.parametrize("text", ["import pytest\n", "def f():\n    from pytest import raises\n"])
def test_silent_where_the_code_imports_it(text: str) -> None:
    source = f'{HEAD}dependencies = ["pytest"]\n'
    findings("PB013", source, files={**TESTS, "shop/checks.py": text}, path="pyproject.toml")


def test_found_where_it_is_only_mentioned() -> None:
    source = f'{HEAD}dependencies = ["pytest"]  # PB013\n'
    files = {**TESTS, "shop/checks.py": "# pytest finds this\n"}
    findings("PB013", source, files=files, path="pyproject.toml")


def test_silent_in_a_folder_for_tests() -> None:
    source = f'{HEAD}dependencies = ["pytest"]\n'
    findings("PB013", source, files=TESTS, path="integration_tests/pyproject.toml")
