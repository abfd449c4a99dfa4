"""Runs the front-ends as their users do: real processes in a small project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What tells pytest or a continuous integration service apart from a user's terminal.
_LEFT_OUT = ("FORCE_COLOR", "NO_COLOR", "PYTHONWARNINGS", "COLUMNS")

JOBS = """\
import time


async def wait() -> None:
    time.sleep(1)
"""
SCHEMAS = """\
from pydantic import BaseModel


class Item(BaseModel):
    name: str

    class Config:
        frozen = True
"""
PYPROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["pydantic>=2.5,<3"]
"""


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write the files of a small project."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def shop(root: Path) -> Path:
    """A project with one finding that has an unsafe fix (`PB604`) and one that has a safe one (`PB400`)."""
    write(root, {"pyproject.toml": PYPROJECT, "shop/jobs.py": JOBS, "shop/schemas.py": SCHEMAS})
    return root


@dataclass(frozen=True)
class Run:
    """What a process left behind."""

    code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The output, which must be JSON."""
        return json.loads(self.output)

    @property
    def places(self) -> list[tuple[str, int, int, str]]:
        """Of findings in JSON: the name of the file, row, column and code."""
        return [
            (Path(f["filename"]).name, f["location"]["row"], f["location"]["column"], f["code"])
            for f in self.json
        ]


def run(
    module: str,
    *arguments: str | Path,
    cwd: Path,
    stdin: str | bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Run:
    """Run a module of this Python as a process."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**kept, "PYTHONPATH": os.getcwd(), "PYTHONIOENCODING": "utf-8", **(environment or {})},
        timeout=600,  # a busy machine is no failure
        check=False,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def lint(*arguments: str | Path, cwd: Path, **more: Any) -> Run:
    """Run `pybackend-lint`."""
    return run("pybackend_lint", *arguments, cwd=cwd, **more)
