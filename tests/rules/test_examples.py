"""Every example in a rule's documentation does what the documentation says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.registry import ENTRIES
from pybackend_lint.rule_entry import Entry
from tests.rules.harness import (
    Example,
    check,
    default_codes,
    documentation,
    examples,
    fixed,
    markers,
    settings_for,
    write,
)

RULES = [entry for entry in ENTRIES if entry.module.startswith("pybackend_lint.rules.")]


def cases(title: str) -> list[object]:
    """One parameter for each example of a section, over all rules."""
    return [
        pytest.param(entry, number, example, id=f"{entry.code}-{entry.name}-{number}")
        for entry in RULES
        for number, example in enumerate(examples(documentation(entry), title))
    ]


def write_example(root: Path, entry: Entry, number: int, example: Example) -> None:
    """Write an example's project; a Good example uses the files of the Bad one it belongs to."""
    files = dict(example.files)
    if example.section == "Good":
        bad = examples(documentation(entry), "Bad")
        if number < len(bad):
            files = {**bad[number].files, **files}
    write(root, {**files, example.path: example.text})


@pytest.mark.parametrize("entry", RULES, ids=lambda entry: entry.code)
def test_has_examples(entry: Entry) -> None:
    bad = examples(documentation(entry), "Bad")
    good = examples(documentation(entry), "Good")
    assert bad
    assert good
    assert entry.fix == "" or len(good) >= len(bad)
    texts = [
        (e.path, e.text, tuple(e.files.items()))
        for title in ("Bad", "Good")
        for e in examples(documentation(entry), title)
    ]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("entry", "number", "example"), cases("Bad"))
def test_bad(entry: Entry, number: int, example: Example, tmp_path: Path) -> None:
    write_example(tmp_path, entry, number, example)
    settings = settings_for(tmp_path, entry.name)
    found = check(tmp_path, example.path, settings)
    assert found
    assert {finding.code for finding in found} == {entry.code}
    marked = markers(example.text)
    if marked:
        assert sorted((finding.start.row, finding.code) for finding in found) == marked
    else:
        assert len(found) == 1
    if entry.fix:
        good = examples(documentation(entry), "Good")[number]
        after = fixed(tmp_path, example.path, settings, [entry.code])
        assert after == good.text
        if example.path.endswith(".py"):
            ast.parse(after)
        (tmp_path / example.path).write_bytes(after.encode())
        assert check(tmp_path, example.path, settings) == []


@pytest.mark.parametrize(("entry", "number", "example"), [*cases("Good"), *cases("Not reported")])
def test_silent(entry: Entry, number: int, example: Example, tmp_path: Path) -> None:
    write_example(tmp_path, entry, number, example)
    found = check(tmp_path, example.path, settings_for(tmp_path, entry.name))
    assert [finding for finding in found if finding.code in default_codes() | {entry.code}] == []


MULTI_FILE = [case for case in cases("Bad") if case.values[2].files]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("entry", "number", "example"), MULTI_FILE)
def test_order_of_files_does_not_matter(entry: Entry, number: int, example: Example, tmp_path: Path) -> None:
    write_example(tmp_path, entry, number, example)
    settings = settings_for(tmp_path, entry.name)
    paths = [path for path in (example.path, *example.files) if path.endswith((".py", "pyproject.toml"))]
    forward, backward = Engine(settings), Engine(settings)
    one = {path: check(tmp_path, path, settings, forward) for path in paths}
    other = {path: check(tmp_path, path, settings, backward) for path in reversed(paths)}
    assert one == other
    assert one[example.path] == check(tmp_path, example.path, settings)
