"""Print findings of the downloaded projects for reading: up to N of each rule, always the same ones."""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import ALL_RULES, findings, projects

CONTEXT = 8


def excerpt(path: Path, row: int, context: int) -> str:
    """The lines around a row, each with its number; the row itself is marked."""
    lines = path.read_text("utf-8", errors="replace").splitlines()
    first = max(1, row - context)
    return "\n".join(
        f"{'>' if number == row else ' '} {number:5} {line}"
        for number, line in enumerate(lines[first - 1 : row + context], start=first)
    )


def show(folder: Path, finding: dict[str, Any], context: int) -> str:
    """A finding with its source, the places that prove it and its fix."""
    row, column = finding["location"]["row"], finding["location"]["column"]
    parts = [f"{folder.name}/{finding['filename']}:{row}:{column}: {finding['code']} {finding['message']}"]
    parts.append(excerpt(folder / finding["filename"], row, context))
    for place in finding["related"]:
        where = place["location"]["row"]
        parts.append(f"  see {place['filename']}:{where}: {place['message']}")
        parts.append(excerpt(folder / place["filename"], where, 1))
    if finding["fix"]:
        parts.append(f"  {finding['fix']['applicability']} fix: {finding['fix']['message']}")
        for edit in finding["fix"]["edits"]:
            place = edit["location"]
            parts.append(f"    {place['row']}:{place['column']}: {edit['content']!r}")
    return "\n".join(parts)


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Print findings of the downloaded projects for reading.")
    parser.add_argument("rules", nargs="*", help="codes or names; all rules when left out")
    parser.add_argument("-n", type=int, default=30, help="how many findings of each rule (default: 30)")
    parser.add_argument("--project", action="append", default=[], help="only this project; may be repeated")
    parser.add_argument("--context", type=int, default=CONTEXT, help="lines around each finding")
    parser.add_argument("--counts", action="store_true", help="only count the findings of each rule")
    arguments = parser.parse_args()
    selection = [f"--select={','.join(arguments.rules)}"] if arguments.rules else [ALL_RULES[0]]
    by_rule: dict[tuple[str, str], list[tuple[Path, dict[str, Any]]]] = defaultdict(list)
    for folder in projects(arguments.project):
        for finding in findings(folder, *selection, *ALL_RULES[1:]):
            by_rule[finding["code"], finding["name"]].append((folder, finding))
    for (code, name), found in sorted(by_rule.items()):
        print(f"{'' if arguments.counts else '=== '}{code} {name}: {len(found)}")
        if arguments.counts:
            continue
        chosen = random.Random(code).sample(range(len(found)), min(arguments.n, len(found)))
        for index in sorted(chosen):
            print(f"\n{show(*found[index], arguments.context)}")
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
