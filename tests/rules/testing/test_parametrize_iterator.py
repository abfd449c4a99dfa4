"""Traps of parametrize-iterator, and what pytest does with iterators."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

HEAD = """
import itertools
import pytest

def numbers():
    yield 1
    yield 2

def listed():
    return [1, 2]
"""
NEW = '[project]\nname = "shop"\ndependencies = ["pytest>=9.1"]\n'
OLD = '[project]\nname = "shop"\ndependencies = ["pytest>=8,<9"]\n'
SILENT = {
    "collections": """
        @pytest.mark.parametrize("x", range(2))
        @pytest.mark.parametrize("y", {1: 2}.items())
        @pytest.mark.parametrize("z", {1, 2})
        @pytest.mark.parametrize("u", sorted(map(str, [1])))
        @pytest.mark.parametrize("v", [*map(str, [1])])
        @pytest.mark.parametrize("w", listed())
        def test_a(x, y, z, u, v, w): ...
    """,
    "parameters of a fixture": """
        @pytest.fixture(params=map(str, [1]))
        def x(request): return request.param
        def test_a(x): ...
    """,
    "another function of the name": """
        def zip(*values): return list(values)
        @pytest.mark.parametrize("x", zip([1], [2]))
        def test_a(x): ...
    """,
    "what is not known": """
        CASES = globals().get("CASES", [1])
        @pytest.mark.parametrize("x", CASES)
        def test_a(x): ...
    """,
}
FOUND = {
    "a generator expression": "(n + 1 for n in [1, 2])",
    "map": "map(str, [1, 2])",
    "zip": "zip([1, 2], [3, 4])",
    "filter": "filter(None, [1, 2])",
    "enumerate": "enumerate([1, 2])",
    "reversed": "reversed([1, 2])",
    "of itertools": "itertools.chain([1], [2])",
    "a generator": "numbers()",
}
TEST = '@pytest.mark.parametrize("x", {cases})  # PB827\ndef test_a(x): ...\n'
CLASS = (
    '@pytest.mark.parametrize("x", {cases})  # PB827\n'
    "class TestA:\n    def test_a(self, x): ...\n    def test_b(self, x): ...\n"
)


def program(body: str) -> str:
    return HEAD.lstrip() + textwrap.dedent(body)


def refused(root: Path, cases: Iterable[str]) -> int:
    """How many files pytest refuses when its warnings about the next version are errors."""
    root.mkdir()
    for number, source in enumerate(cases):
        (root / f"test_{number}.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "-W"]
    done = subprocess.run(
        [*command, "error::pytest.PytestRemovedIn10Warning"], cwd=root, capture_output=True, text=True
    )
    return done.stdout.count("\nERROR test_")


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB827", program(source), path="tests/test_a.py", files={"pyproject.toml": NEW})


@pytest.mark.parametrize("cases", FOUND.values(), ids=FOUND)
def test_found_by_version(cases: str) -> None:
    source = program(TEST.format(cases=cases))
    findings("PB827", source, path="tests/test_a.py", files={"pyproject.toml": NEW})
    findings("PB827", source.replace("# PB827", ""), path="tests/test_a.py", files={"pyproject.toml": OLD})


def test_tests_of_a_class_share_the_iterator(tmp_path: Path) -> None:
    old = {"pyproject.toml": OLD}
    before = [program(CLASS.format(cases=cases)) for cases in FOUND.values()]
    for source in before:
        findings("PB827", source, path="tests/test_a.py", files=old)
    after = [fix("PB827", source, path="tests/test_a.py", files=old) for source in before]
    number = len(FOUND)
    for folder, sources, expected in (
        ("before", before, f"{2 * number} passed, {number} skipped"),
        ("after", after, f"{4 * number} passed"),
    ):
        files = {f"test_{index}.py": source for index, source in enumerate(sources)}
        assert run(tmp_path / folder, files) == expected


def test_pytest_warns_until_it_is_fixed(tmp_path: Path) -> None:
    new = {"pyproject.toml": NEW}
    bad = [program(TEST.format(cases=cases)) for cases in FOUND.values()]
    good = [fix("PB827", source, path="tests/test_a.py", files=new) for source in bad]
    assert refused(tmp_path / "bad", bad) == len(FOUND)
    assert refused(tmp_path / "good", [*good, *map(program, SILENT.values())]) == 0


def test_a_variable_is_found_and_not_changed() -> None:
    source = program("CASES = (n for n in [1])\n" + TEST.format(cases="CASES"))
    found = findings("PB827", source, path="tests/test_a.py", files={"pyproject.toml": NEW})
    assert found[0].fix is None
