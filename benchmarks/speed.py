"""What the linter costs, as ratios of times measured in one run on the downloaded projects.

The unit is one `ast.parse` of every file in one process with the garbage collector off.
"""

from __future__ import annotations

import argparse
import ast
import gc
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import environment, linter, projects, python_files
from pybackend_lint.engine import Engine
from pybackend_lint.settings import Settings
from pybackend_lint.source import Source, SourceError

_FLAKE8 = "import sys; from flake8.main.cli import main; sys.exit(main())"
_FLAKE8_ALONE = f"""
import importlib.metadata as metadata
installed = metadata.distributions
metadata.distributions = lambda: (found for found in installed() if found.name != "pybackend-lint")
{_FLAKE8}
"""
_PYLINT = "import sys; from pylint import run_pylint; sys.exit(run_pylint())"


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds on the clock, and the memory in MiB that the largest process of a command needed."""

    seconds: float
    memory: float


def parse_seconds(files: Sequence[Path]) -> float:
    """The unit: parse every file once, with the collector off."""
    texts = []
    for path in files:
        try:
            texts.append(Source(str(path), path.read_bytes()).text)
        except SourceError:
            continue
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    trees = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in texts:
            try:
                trees.append(ast.parse(text))
            except (SyntaxError, ValueError):
                continue
    seconds = time.perf_counter() - start
    gc.enable()
    return seconds


def rule_seconds(folders: Sequence[Path]) -> float:
    """Check every file with all rules, parsing included, in this process with the collector off."""
    contents = {folder: [(path, path.read_bytes()) for path in python_files(folder)] for folder in folders}
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    for folder, files in contents.items():
        engine = Engine(Settings(root=folder, opt_in=True))
        for path, data in files:
            engine.check(Source(str(path), data), path)
    seconds = time.perf_counter() - start
    gc.enable()
    return seconds


def command(arguments: Sequence[str], folder: Path) -> Run:
    """Run a command that may report findings; raises `RuntimeError` when it ends in a crash."""
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if "Traceback" in errors or process.returncode < 0:
        raise RuntimeError(f"{' '.join(arguments)}\n{errors}")
    return Run(seconds, usage.ru_maxrss / 1024)


def best(times: int, measure: Callable[[], Run]) -> Run:
    """The quickest of several runs."""
    return min((measure() for _ in range(times)), key=lambda run: run.seconds)


def program(code: str, *arguments: str) -> list[str]:
    """The command that runs a program of another linter in this Python."""
    return [sys.executable, "-P", "-c", code, *arguments]


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure what the linter costs.")
    parser.add_argument("projects", nargs="*", help="all projects when left out")
    parser.add_argument(
        "--no-plugins", action="store_true", help="leave flake8 and pylint out: they take minutes"
    )
    arguments = parser.parse_args()
    folders = projects(arguments.projects)
    files = [path for folder in folders for path in python_files(folder)]
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    unit = min(parse_seconds(files) for _ in range(2))
    print(f"{len(files)} files, {lines} lines; one parse of all of them: {unit:.2f} s (the unit below)")
    checked = rule_seconds(folders)
    print(f"all rules, one process, without parsing: {(checked - unit) / unit:.2f}")

    parent = folders[0].parent
    names = [folder.name for folder in folders]
    with tempfile.TemporaryDirectory() as cache:
        options = ["--extend-select=ALL", "--exit-zero", f"--cache-dir={cache}"]
        cold = command(linter(*options, *names), parent)
        warm = best(3, lambda: command(linter(*options, *names), parent))
    print(f"command line, cold, {os.cpu_count()} processes: {cold.seconds / unit:.2f}, {cold.memory:.0f} MiB")
    print(f"command line, warm, nothing changed: {warm.seconds / unit:.3f}, {warm.memory:.0f} MiB")
    start_up = best(
        3, lambda: command([sys.executable, "-P", "-m", "pybackend_lint", "--version"], parent)
    )
    print(f"command line, --version: {start_up.seconds * 1000:.0f} ms")

    ruff = ["ruff", "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--exit-zero"]
    peer = best(2, lambda: command([*ruff, "--select=FAST,DJ,ASYNC,S608", *names], parent))
    print(f"ruff with FAST, DJ, ASYNC and S608: {peer.seconds / unit:.3f}, {peer.memory:.0f} MiB")
    if arguments.no_plugins:
        return 0

    isolated = ["--isolated", "-j2", "--select=PB,E9", *names]
    alone = command(program(_FLAKE8_ALONE, *isolated), parent)
    plugged = command(program(_FLAKE8, *isolated), parent)
    report_plugin("flake8", alone, plugged, unit)
    pylint = ["--rcfile=", "-j2", "--recursive=y", "--disable=all"]
    alone = command(program(_PYLINT, *pylint, "--enable=syntax-error", *names), parent)
    ours = ["--load-plugins=pylint_pybackend", "--enable=syntax-error,pybackend-lint"]
    plugged = command(program(_PYLINT, *pylint, *ours, *names), parent)
    report_plugin("pylint, all other checkers disabled", alone, plugged, unit)
    return 0


def report_plugin(name: str, alone: Run, plugged: Run, unit: float) -> None:
    """Print what a plugin adds to its host."""
    added = (plugged.seconds - alone.seconds) / unit
    print(
        f"{name}: {alone.seconds / unit:.2f} alone, {plugged.seconds / unit:.2f} with our plugin: "
        f"{added:+.2f}, {plugged.memory:.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main())
