"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from pybackend_lint.finding import Finding, Position
from pybackend_lint.settings import from_table
from pybackend_lint.source import Source
from pybackend_lint.suppression import Suppressions

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def test_the_output_is_real() -> None:
    (shown,) = blocks("text")
    command = [sys.executable, "-P", "-m", "pybackend_lint", "check", "--no-cache", "examples/shop"]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    for finding in shown.rstrip("\n").split("\n\n"):
        assert finding in run.stdout


def test_the_checks_run_the_second_command() -> None:
    commands = [block for block in blocks("console") if block.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_settings_are_valid() -> None:
    (text,) = [block for block in blocks("toml") if "tool.pybackend-lint" in block]
    table = tomllib.loads(text)["tool"]["pybackend-lint"]
    settings = from_table(table, ROOT / "pyproject.toml", ROOT)
    assert settings.warnings == ()


def test_the_comments_suppress() -> None:
    lines = [line for block in blocks("python") for line in block.splitlines()]
    assert len(lines) == 3
    for line in lines:
        source = Source("a.py", f"{line}\n".encode())
        finding = Finding("PB100", "n-plus-one-forward-relation", "", "a.py", Position(1, 9), Position(1, 28))
        assert Suppressions(source).split([finding]) == ([], [finding])
