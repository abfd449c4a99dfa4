"""Apply every fix, unsafe ones too, to copies of the downloaded projects and check what comes out.

The result must compile where the original did, the fixed findings must be gone, and a second run must
change nothing.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import ALL_RULES, ROOT, environment, findings, linter, projects, python_files


def contents(folder: Path) -> dict[Path, bytes]:
    """The files that fixes may change."""
    return {path: path.read_bytes() for path in [*python_files(folder), *folder.rglob("pyproject.toml")]}


def compiles(data: bytes, path: Path) -> bool:
    """Whether this is a program; nothing is executed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def fix(folder: Path, package_root: Path) -> list[str]:
    """Apply all fixes below a folder; returns the lines that say which fixes were dropped."""
    command = linter("--fix", "--unsafe-fixes", "--output-format=json", *ALL_RULES, ".")
    run = subprocess.run(
        command, cwd=folder, env=environment(package_root), capture_output=True, text=True, check=True
    )
    return [line for line in run.stderr.splitlines() if "dropped" in line]


def fixed_copy(folder: Path, target: Path, package_root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Copy a project and fix the copy.

    Returns the lines about dropped fixes, and one line for each file that compiled before and no
    longer does.
    """
    shutil.copytree(folder, target)
    before = contents(target)
    dropped = fix(target, package_root)
    broken = [
        f"{folder.name}/{path.relative_to(target).as_posix()} no longer compiles"
        for path, data in contents(target).items()
        if path.suffix == ".py"
        and data != before.get(path)
        and not compiles(data, path)
        and (path not in before or compiles(before[path], path))
    ]
    return dropped, broken


def check_project(folder: Path, target: Path) -> list[str]:
    """Fix a copy of a project and return one line for each thing that is wrong with it."""
    before = Counter(finding["code"] for finding in findings(folder, *ALL_RULES) if finding["fix"])
    dropped, problems = fixed_copy(folder, target)
    fixed = contents(target)
    left = [finding for finding in findings(target, *ALL_RULES) if finding["fix"]]
    again = fix(target, ROOT)
    changed = [path for path, data in contents(target).items() if data != fixed[path]]
    print(f"{folder.name}: {sum(before.values())} fixes, {len(dropped)} dropped, {len(left)} left")
    for code, count in sorted(before.items()):
        print(f"  {code}: {count}")
    problems += [f"{folder.name}: {line}" for line in dropped]
    problems += [
        f"{folder.name}/{path.relative_to(target).as_posix()}: a second run changes it" for path in changed
    ]
    for finding in left:
        place = f"{finding['filename']}:{finding['location']['row']}:{finding['location']['column']}: "
        if not any(f"{place}fix of {finding['code']} dropped" in line for line in again):
            problems.append(f"{folder.name}/{place}{finding['code']} is still there")
    return problems


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Apply every fix to copies of the downloaded projects.")
    parser.add_argument("projects", nargs="*", help="all projects when left out")
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for project in projects(parser.parse_args().projects):
            problems += check_project(project, Path(folder) / project.name)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
