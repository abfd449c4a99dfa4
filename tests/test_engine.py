"""The engine: files that cannot be checked, the kind of a file, what a file's answers rest on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine, Report
from pybackend_lint.project.files import is_group
from pybackend_lint.settings import Settings
from pybackend_lint.source import Source


def check(root: Path, name: str, data: bytes) -> Report:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Engine(Settings(root=root)).check(Source(name, data), path)


UNPARSABLE = {
    "statement": (b"x = 1\nclass\n", 2, "invalid syntax"),
    "encoding": (b"x = '\xff'\n", 1, "cannot be decoded as utf-8"),
    "null byte": (b"x = 1\0", 1, "null bytes"),
    "indentation": (b"if x:\npass\n", 2, "expected an indented block"),
}


@pytest.mark.parametrize(("data", "row", "reason"), UNPARSABLE.values(), ids=UNPARSABLE)
def test_one_finding_for_a_file_that_does_not_parse(
    data: bytes, row: int, reason: str, tmp_path: Path
) -> None:
    report = check(tmp_path, "broken.py", data)
    (finding,) = report.findings
    assert (finding.code, finding.path, finding.start.row) == ("PB000", "broken.py", row)
    assert reason in finding.message
    assert report.errors == []


NEWER = {
    "type parameter": ("def first[T](items: list[T]) -> T: ...\n", (3, 12)),
    "type alias": ("type Pair = tuple[int, int]\n", (3, 12)),
    "quotes in an f-string": ('x = f"{data["key"]}"\n', (3, 12)),
    "default of a type parameter": ("class Box[T = int]: ...\n", (3, 13)),
    "exceptions without parentheses": ("try:\n    x()\nexcept A, B:\n    pass\n", (3, 14)),
    "template string": ('x = t"{name}"\n', (3, 14)),
}


@pytest.mark.parametrize(("text", "needed"), NEWER.values(), ids=NEWER)
def test_names_the_python_that_is_needed(text: str, needed: tuple[int, int], tmp_path: Path) -> None:
    messages = [finding.message for finding in check(tmp_path, "newer.py", text.encode()).findings]
    if sys.version_info >= needed:
        assert messages == []
    else:
        assert [f"(needs Python {needed[0]}.{needed[1]}, this is" in message for message in messages] == [
            True
        ]


NOT_NEWER = ["x = f'{a'\n", "def f(\n", "except A: pass\n", "x = 't'' '1\n"]


@pytest.mark.parametrize("text", NOT_NEWER)
def test_other_errors_name_no_python(text: str, tmp_path: Path) -> None:
    (finding,) = check(tmp_path, "broken.py", text.encode()).findings
    assert "needs Python" not in finding.message


def test_dependencies_are_what_the_answers_came_from(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "base.py").write_text("import time\ndef pause():\n    time.monotonic()\n")
    (tmp_path / "middle.py").write_text("from base import pause\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    path = tmp_path / "work.py"
    path.write_bytes(
        b"from middle import pause\nimport absent\nasync def work():\n    pause()\n    absent.call()\n"
    )
    engine = Engine(Settings(root=tmp_path))
    engine.check(Source("work.py", path.read_bytes()), path)
    dependencies, missed = engine.index.dependencies(str(path))
    files = {path for path in dependencies if not is_group(path)}
    assert files == {str(tmp_path / "base.py"), str(tmp_path / "middle.py")}
    assert str(tmp_path / "absent") in missed
