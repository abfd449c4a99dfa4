"""Which assertions of mocks are named without being called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

SILENT = {
    "called": "m.assert_called_once()",
    "given away": "verify(m.assert_called_once)",
    "kept": "check = m.assert_called",
    "awaited": "check = [m.assert_awaited]",
    "compared": "assert m.assert_called == m.assert_called",
    "another name": "m.assert_nothing",
    "an attribute": "m.called",
}
FOUND = {
    "statement": "m.assert_called_once",
    "with arguments to come": "m.assert_called_once_with",
    "of an attribute": "m.send.assert_not_called",
    "asserted": "assert m.assert_called",
    "asserted with a message": 'assert m.assert_called, "not called"',
    "asynchronous": "m.assert_awaited_once",
}
FIXED = {
    "statement": ("m.assert_called_once", "m.assert_called_once()"),
    "asserted": ("assert m.send.assert_called  # why", "m.send.assert_called()  # why"),
    "needs arguments": ("m.assert_called_with", "m.assert_called_with"),
    "has a message": ('assert m.assert_called, "no"', 'assert m.assert_called, "no"'),
}
HEAD = "def test_a(m, verify):\n    "


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silent(text: str) -> None:
    findings("PB814", f"{HEAD}{text}\n", path="tests/test_a.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    findings("PB814", f"{HEAD}{text}  # PB814\n", path="tests/test_a.py")


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_fix(before: str, after: str) -> None:
    assert fix("PB814", f"{HEAD}{before}\n", path="tests/test_a.py") == f"{HEAD}{after}\n"


def test_left_to_ruff_where_it_reports_the_same() -> None:
    files = {"pyproject.toml": '[tool.ruff.lint]\nselect = ["PGH"]\n'}
    findings("PB814", f"{HEAD}m.assert_called\n", files=files, path="tests/test_a.py")


def test_pytest_does_not_notice_before_the_fix(tmp_path: Path) -> None:
    text = "from unittest.mock import Mock\n\ndef test_a():\n    m = Mock()\n    m.assert_called_once\n"
    assert run(tmp_path, {"test_a.py": text}) == "1 passed"
    assert run(tmp_path, {"test_a.py": fix("PB814", text, path="test_a.py")}) == "1 failed"
