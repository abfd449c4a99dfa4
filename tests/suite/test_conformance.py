"""Command line, flake8 and pylint find the same: over the shipped examples and every rule's own."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

from pybackend_lint.registry import ENTRIES
from pybackend_lint.settings import SYNTAX_ERROR
from tests.processes import lint, run
from tests.rules.harness import documentation, examples, write

ROOT = Path(__file__).resolve().parents[2]
TITLES = ("Bad", "Good", "Not reported")
# flake8 and pylint report syntax errors themselves, and cannot report on project files.
FOREIGN = frozenset(entry.code for entry in ENTRIES if entry.file != "python") | {SYNTAX_ERROR}

Place = tuple[str, int, int, str]

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Project:
    """A directory with all examples, and the Python files in it that parse."""

    root: Path
    files: tuple[str, ...]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Every example as a small project of its own, in one repository.

    They lie so deep that none is taken for a neighbour whose packages another one may import.
    """
    assert distribution("pybackend-lint").entry_points.select(group="flake8.extension")
    root = tmp_path_factory.mktemp("conformance")
    (root / ".git").mkdir()
    below = root / "all" / "rules"
    for entry in ENTRIES:
        if entry.code == SYNTAX_ERROR:
            continue
        for title in TITLES:
            for number, example in enumerate(examples(documentation(entry), title)):
                folder = f"{entry.code}-{title.replace(' ', '-').lower()}-{number}"
                write(below / folder, {**example.files, example.path: example.text})
    shutil.copytree(ROOT / "examples", below / "shipped", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    files = []
    for path in sorted(root.rglob("*.py")):
        try:
            compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
        except SyntaxError:
            continue
        files.append(str(path.relative_to(root)))
    return Project(root, tuple(files))


def by_command_line(project: Project, *options: str) -> set[Place]:
    done = lint(
        "check",
        "--no-cache",
        "--isolated",
        "--output-format",
        "json",
        *options,
        *project.files,
        cwd=project.root,
    )
    assert done.errors == ""
    return {
        (
            str(Path(found["filename"]).relative_to(project.root)),
            found["location"]["row"],
            found["location"]["column"],
            found["code"],
        )
        for found in done.json
        if found["code"] not in FOREIGN
    }


def by_flake8(project: Project, *options: str) -> set[Place]:
    done = run("flake8", "--isolated", *options, *project.files, cwd=project.root)
    assert done.errors == ""
    found = set()
    for line in done.output.splitlines():
        match = re.fullmatch(r"(?:\./)?(.+?):(\d+):(\d+): ([A-Z]+\d+) .*", line)
        assert match is not None, line
        if match[4].startswith("PB") and match[4] not in FOREIGN:
            found.add((match[1], int(match[2]), int(match[3]), match[4]))
    return found


def by_pylint(project: Project, *options: str) -> set[Place]:
    done = run(
        "pylint",
        "--rcfile=",
        "--load-plugins=pylint_pybackend",
        "--output-format=json2",
        "--disable=all",
        *options,
        *project.files,
        cwd=project.root,
    )
    assert done.errors == ""
    found = set()
    for message in json.loads(done.output)["messages"]:
        code = "PB" + message["messageId"][2:]
        if code not in FOREIGN:
            found.add((message["path"], message["line"], message["column"] + 1, code))
    return found


def test_all_rules(project: Project) -> None:
    expected = by_command_line(project, "--select", "ALL")
    checked = {entry.code for entry in ENTRIES} - FOREIGN
    assert {code for *_, code in expected} == checked, "every rule reports in its own examples"
    assert by_flake8(project, "--select", "PB") == expected
    assert by_flake8(project, "--select", "PB", "--jobs", "2") == expected
    assert by_pylint(project, "--enable=pybackend-lint") == expected


def test_default_rules(project: Project) -> None:
    expected = by_command_line(project)
    assert expected
    assert by_flake8(project) == expected
