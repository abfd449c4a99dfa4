"""Which faults that projects have repaired themselves were findings before: what a rule finds in real life.

`python benchmarks/repaired.py shop.git --grep "missing await" PB607` looks at the commits of a git directory
whose message matches a regular expression. For each it prints the findings that stood on changed lines, or
are gone afterwards.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import ALL_RULES, findings

# what the linter looks at
_READ = ("*.py", "*.toml", "*requirements*.txt", "*setup.cfg", "templates/**", "jinja2/**")
_HUNK = re.compile(r"^(?:--- a/(?P<path>.*)|@@ -(?P<row>\d+)(?:,(?P<rows>\d+))? )", re.MULTILINE)


def git(repository: Path, *arguments: str) -> bytes:
    """The output of a command of git; empty when it fails."""
    command = ["git", f"--git-dir={repository}", *arguments]
    return subprocess.run(command, capture_output=True, check=False).stdout


def commits(repository: Path, expression: str, most: int) -> list[tuple[str, str]]:
    """The newest commits of any branch whose message matches, as hash and first line."""
    form = ["--format=%h %s", f"--max-count={most}", "--no-merges"]
    lines = git(repository, "log", "--all", "-i", "-E", f"--grep={expression}", *form).decode(
        errors="replace"
    )
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines.splitlines()]


def changed_rows(repository: Path, commit: str) -> dict[str, set[int]]:
    """The rows of Python files, as they were before a commit, that it changes or writes beside."""
    rows: dict[str, set[int]] = {}
    path = None
    diff = git(repository, "diff", "-U0", f"{commit}^", commit, "--", "*.py").decode(errors="replace")
    for match in _HUNK.finditer(diff):
        if match["path"] is not None:
            path = match["path"]
        elif path is not None:
            first, count = int(match["row"]), int(match["rows"] or 1)
            rows.setdefault(path, set()).update(range(first, first + (count or 2)))
    return rows


def extract(repository: Path, revision: str, folder: Path) -> None:
    """Write the files of a revision that the linter reads."""
    for pattern in _READ:
        archive = git(repository, "archive", revision, "--", f":(glob)**/{pattern}")
        if archive:
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(folder, filter="data")


def repaired(repository: Path, commit: str, selection: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The findings before a commit that it has done away with, or on lines that it changes."""
    rows = changed_rows(repository, commit)
    states = []
    for revision in (f"{commit}^", commit):
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory).resolve()
            extract(repository, revision, folder)
            states.append(findings(folder, *selection))
    before, after = states
    left = {(finding["filename"], finding["message"]) for finding in after}
    for finding in before:
        touched = rows.get(finding["filename"], set())
        own = range(finding["location"]["row"], finding["end_location"]["row"] + 1)
        if (finding["filename"], finding["message"]) not in left or not touched.isdisjoint(own):
            yield finding


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("repository", type=Path, help="a git directory")
    parser.add_argument("rules", nargs="*", help="codes or names; all rules when left out")
    parser.add_argument("--grep", required=True, help="what the messages of the commits match")
    parser.add_argument("-n", type=int, default=20, help="how many commits at most (default: 20)")
    arguments = parser.parse_intermixed_args()
    rules = f"--select={','.join(arguments.rules)}" if arguments.rules else ALL_RULES[0]
    selection = ["--isolated", rules, *ALL_RULES[1:]]
    found = 0
    listed = commits(arguments.repository, arguments.grep, arguments.n)
    for commit, subject in listed:
        lines = [
            f"    {finding['filename']}:{finding['location']['row']}: {finding['code']} {finding['message']}"
            for finding in repaired(arguments.repository, commit, selection)
        ]
        found += bool(lines)
        print(f"{commit} {subject}", *lines, sep="\n", flush=True)
    print(f"{len(listed)} commits, findings before {found} of them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
