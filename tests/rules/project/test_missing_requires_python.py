"""Traps of missing-requires-python."""

from __future__ import annotations

import tomllib

import pytest

from tests.rules.harness import findings, fix

SILENT = {
    "it is there": '[project]\nname = "shop"\nrequires-python = ">=3.11"\n',
    "Poetry's dependency": '[tool.poetry]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.12"\n',
    "Poetry beside the project": '[project]\nname = "shop"\n[tool.poetry.dependencies]\npython = "^3.12"\n',
    "the backend computes it": '[project]\nname = "shop"\ndynamic = ["version", "requires-python"]\n',
    "settings of tools only": "[tool.ruff]\nline-length = 100\n",
    "a workspace": '[tool.uv.workspace]\nmembers = ["a"]\n',
    "an empty file": "",
    "written as keys": 'project.name = "shop"\n',
}
FOUND = {
    "nothing known": '[project]  # PB002\nname = "shop"\n',
    "with spaces": '[ project ]  # PB002\nname = "shop"\n',
    "Poetry": '[tool.poetry]\nname = "shop"\n\n[tool.poetry.dependencies]  # PB002\ndjango = "*"\n',
    "not the first table": '[build-system]\nrequires = ["hatchling"]\n\n[project]  # PB002\nname = "shop"\n',
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB002", source, path="pyproject.toml")


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("PB002", source, path="pyproject.toml")[0].fix is None


@pytest.mark.parametrize(
    ("name", "text"), [(".python-version", "3.12.4\n"), ("Dockerfile", "FROM python:3.12-slim\n")]
)
def test_version_comes_from_other_files(name: str, text: str) -> None:
    fixed = fix("PB002", '[project]\nname = "shop"\n', files={name: text}, path="pyproject.toml")
    assert fixed == '[project]\nname = "shop"\nrequires-python = ">=3.12"\n'


def test_fix_keeps_comments_and_text_of_several_lines() -> None:
    source = (
        '[project]  # the shop\nname = "shop"  # short\ndescription = """\nA shop\n"""\n[tool.x]\na = 1\n'
    )
    fixed = fix("PB002", source, files={".python-version": "3.13\n"}, path="pyproject.toml")
    assert fixed == source.replace("# short\n", '# short\nrequires-python = ">=3.13"\n')
    assert tomllib.loads(fixed)["project"]["requires-python"] == ">=3.13"


def test_fix_for_poetry() -> None:
    source = "[tool.poetry.dependencies]\ndjango = '*'\n"
    fixed = fix("PB002", source, files={".python-version": "3.13\n"}, path="pyproject.toml")
    assert tomllib.loads(fixed)["tool"]["poetry"]["dependencies"] == {"python": ">=3.13", "django": "*"}
