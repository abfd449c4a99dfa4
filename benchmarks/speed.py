"""What the linter costs, as ratios of times measured in one run on the downloaded projects.

The unit is one `ast.parse` of every file in one process with the garbage collector off.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import gc
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import ROOT, environment, linter, projects, python_files
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


def command_lines(folders: Sequence[Path], *, plugins: bool) -> Iterator[tuple[str, Run]]:
    """Run whole commands over the projects: what each is, and what it cost."""
    parent = folders[0].parent
    names = [folder.name for folder in folders]
    with tempfile.TemporaryDirectory() as cache:
        ours = linter("--extend-select=ALL", "--exit-zero", f"--cache-dir={cache}", *names)
        yield f"command line, cold, {os.cpu_count()} processors", command(ours, parent)
        yield "command line, warm, nothing changed", best(3, lambda: command(ours, parent))
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--isolated", "--no-cache", "--exit-zero"]
    ruff += ["--no-respect-gitignore", "--select=FAST,DJ,ASYNC,S608", *names]
    yield "ruff with FAST, DJ, ASYNC and S608", best(2, lambda: command(ruff, parent))
    if not plugins:
        return
    flake8 = ["--isolated", "-j2", "--select=PB,E9", *names]
    yield "flake8 without our plugin", command(program(_FLAKE8_ALONE, *flake8), parent)
    yield "flake8 with our plugin", command(program(_FLAKE8, *flake8), parent)
    pylint = ["--rcfile=", "-j2", "--recursive=y", "--disable=all"]
    alone = [*pylint, "--enable=syntax-error", *names]
    yield "pylint without any checker", command(program(_PYLINT, *alone), parent)
    plugged = [*pylint, "--load-plugins=pylint_pybackend", "--enable=syntax-error,pybackend-lint", *names]
    yield "pylint with our checkers only", command(program(_PYLINT, *plugged), parent)


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
    for package in ("pybackend_lint", "flake8_pybackend", "pylint_pybackend"):
        compileall.compile_dir(ROOT / package, quiet=1)  # what is installed has its bytecode
    # First the commands: on Linux a command's peak memory counts that of the process that started it.
    runs = dict(command_lines(folders, plugins=not arguments.no_plugins))
    unit = min(parse_seconds(files) for _ in range(2))
    checked = rule_seconds(folders)
    print(f"{len(files)} files, {lines} lines; parsing all of them once takes {unit:.2f} s, the unit below")
    print(f"all rules, one process, parsing excluded: {(checked - unit) / unit:.2f}")
    for name, run in runs.items():
        print(f"{name}: {run.seconds / unit:.3f}, {run.memory:.0f} MiB")
    for host in ("flake8", "pylint"):
        costs = [run.seconds for name, run in runs.items() if name.startswith(host)]
        if costs:
            print(f"{host}: our plugin adds {(costs[1] - costs[0]) / unit:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
