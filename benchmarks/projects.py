"""The downloaded projects, and the linter's findings in them as its command line reports them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "benchmarks" / "corpus"
ALL_RULES = ("--extend-select=ALL", "--no-cache", "--exit-zero")


def projects(names: Sequence[str] = ()) -> list[Path]:
    """The folders of these projects, of all in corpus.toml when none is named.

    Raises `SystemExit` for an unknown project and for one that download.py has not fetched.
    """
    table = tomllib.loads((ROOT / "benchmarks" / "corpus.toml").read_text("utf-8"))
    for name in names:
        if name not in table["projects"]:
            raise SystemExit(f"{name} is not in benchmarks/corpus.toml")
    folders = [CORPUS / name for name in names or table["projects"]]
    for folder in folders:
        if not (folder / ".version").exists():
            raise SystemExit(f"{folder.name} is missing: run python benchmarks/download.py")
    return folders


def python_files(folder: Path) -> list[Path]:
    """All Python files below a folder, sorted."""
    return sorted(folder.rglob("*.py"))


def linter(*arguments: str) -> list[str]:
    """The command that runs the linter which `environment` chooses."""
    return [sys.executable, "-P", "-m", "pybackend_lint", "check", *arguments]


def environment(package_root: Path = ROOT) -> dict[str, str]:
    """The variables under which `linter` runs the packages of a checkout."""
    return os.environ | {"PYTHONPATH": str(package_root)}


def findings(folder: Path, *arguments: str, package_root: Path = ROOT) -> list[dict[str, Any]]:
    """What the linter reports below a folder, as its JSON output has it, file names relative to it.

    Raises `CalledProcessError` when the linter fails or reports an internal error.
    """
    command = linter("--output-format=json", *arguments, ".")
    run = subprocess.run(
        command, cwd=folder, env=environment(package_root), stdout=subprocess.PIPE, check=True, text=True
    )
    report: list[dict[str, Any]] = json.loads(run.stdout)
    for finding in report:
        for place in (finding, *finding["related"]):
            place["filename"] = Path(os.path.relpath(place["filename"], folder.resolve())).as_posix()
    return report
