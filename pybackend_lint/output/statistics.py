"""How many findings each rule has, the most frequent rule first."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from pybackend_lint.output import Outcome


def rows(outcome: Outcome) -> list[tuple[int, str, str, bool]]:
    """Count, code, name and whether all its findings can be fixed, for each rule that has findings."""
    counts = Counter((finding.code, finding.name) for finding in outcome.findings)
    stuck = {finding.code for finding in outcome.findings if not outcome.fixable(finding)}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(count, code, name, code not in stuck) for (code, name), count in ordered]


def render(outcome: Outcome) -> Iterator[str]:
    """A table; `[*]` marks the rules whose findings `--fix` repairs."""
    table = rows(outcome)
    width = max((len(str(count)) for count, *_ in table), default=0)
    for count, code, name, fixable in table:
        mark = f"[{outcome.paint('*', 'cyan')}]" if fixable else "   "
        number = outcome.paint(f"{count:>{width}}", "bold")
        yield f"{number}  {outcome.paint(code, 'bold red')}  {mark}  {name}\n"


def render_json(outcome: Outcome) -> Iterator[str]:
    """The same as a JSON array."""
    items = [
        {"code": code, "name": name, "count": count, "fixable": fixable}
        for count, code, name, fixable in rows(outcome)
    ]
    yield f"{json.dumps(items, indent=2)}\n"
