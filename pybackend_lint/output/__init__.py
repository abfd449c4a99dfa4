"""What a run prints: one module per format, each with a function `render`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import cast

from pybackend_lint.finding import Applicability, Finding
from pybackend_lint.source import Source

FORMATS = ("text", "json", "github", "sarif")

# Where the rule pages are published, up to the name of the rule; empty as long as they are not.
DOCUMENTATION_URL = ""


def _plain(text: str, style: str) -> str:
    return text


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    - `findings`: what is left to print, sorted; `fixed`: how many fixes of each rule were applied.
    - `errors`: one line for each file that could not be checked.
    - `source`: the text behind a finding's path as it is now, or None when it cannot be read.
    - `unsafe_fixes`: whether the user accepts unsafe fixes.
    - `quiet`: whether to leave out the summary.
    - `paint`: applies a style (`"bold red"`) to a text; returns the text itself without colours.
    """

    findings: Sequence[Finding]
    source: Callable[[str], Source | None]
    errors: Sequence[str] = ()
    fixed: Counter[str] = field(default_factory=Counter)
    unsafe_fixes: bool = False
    quiet: bool = False
    paint: Callable[[str, str], str] = _plain

    def fixable(self, finding: Finding) -> bool:
        """Whether `--fix` with the options of this run repairs the finding."""
        fix = finding.fix
        return fix is not None and (self.unsafe_fixes or fix.applicability is Applicability.SAFE)


def documentation_url(name: str) -> str | None:
    """The address of a rule's page, or None when the pages are not published."""
    return f"{DOCUMENTATION_URL}{name}/" if DOCUMENTATION_URL else None


def render(output_format: str, outcome: Outcome) -> Iterator[str]:
    """The text to print, piece by piece, in one of `FORMATS` or `statistics`."""
    module = import_module(f"{__name__}.{output_format}")
    return cast("Iterator[str]", module.render(outcome))
