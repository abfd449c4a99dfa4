"""What a change of the rules changes on real projects: the base revision against the working tree.

Prints every finding and every fix that appeared, went or changed, and every file that the working
tree's fixes break. Look at it before a change of a rule lands.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.apply_fixes import fixed_copy
from benchmarks.projects import ALL_RULES, ROOT, findings, projects

Key = tuple[str, int, int, str]


def by_place(report: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Findings by file, row, column and code."""
    return {
        (
            finding["filename"],
            finding["location"]["row"],
            finding["location"]["column"],
            finding["code"],
        ): finding
        for finding in report
    }


def changes(project: str, old: dict[Key, dict[str, Any]], new: dict[Key, dict[str, Any]]) -> Iterator[str]:
    """One line for each finding or fix that is not the same in both reports."""
    for key in sorted(old.keys() | new.keys()):
        path, row, column, code = key
        place = f"{project}/{path}:{row}:{column}: {code}"
        before, after = old.get(key), new.get(key)
        if before is None and after is not None:
            yield f"+ {place} {after['message']}"
        elif after is None and before is not None:
            yield f"- {place} {before['message']}"
        elif before is not None and after is not None:
            if before["message"] != after["message"]:
                yield f"~ {place} {before['message']}\n    now: {after['message']}"
            if before["fix"] != after["fix"]:
                yield f"f {place} {json.dumps(before['fix'])}\n    now: {json.dumps(after['fix'])}"


def main() -> int:
    """The command line; returns 1 when a fixed file no longer compiles."""
    parser = argparse.ArgumentParser(
        description="Compare a base revision with the working tree on real projects."
    )
    parser.add_argument("projects", nargs="*", help="all projects when left out")
    parser.add_argument("--base", default="HEAD", help="the revision to compare with (default: HEAD)")
    arguments = parser.parse_args()
    broken: list[str] = []
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(base), arguments.base], check=True)
        try:
            for project in projects(arguments.projects):
                old = by_place(findings(project, *ALL_RULES, package_root=base))
                new = by_place(findings(project, *ALL_RULES))
                for line in changes(project.name, old, new):
                    count += 1
                    print(line)
                broken += fixed_copy(project, Path(folder) / project.name)[1]
        finally:
            subprocess.run([*git, "remove", "--force", str(base)], check=True)
    for line in broken:
        print(line)
    print(f"{count} changes, {len(broken)} files broken by fixes")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
