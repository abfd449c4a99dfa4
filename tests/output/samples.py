"""Findings in small files, to be rendered."""

from __future__ import annotations

from collections.abc import Mapping

from pybackend_lint.finding import Applicability, Edit, Finding, Fix, Position, Related, Severity
from pybackend_lint.output import Outcome, render
from pybackend_lint.source import Source


def finding(
    text: str,
    marked: str,
    *,
    path: str = "shop/jobs.py",
    code: str = "PB604",
    name: str = "blocking-sleep-or-wait-in-async",
    message: str = "Use `asyncio.sleep` in coroutines",
    severity: Severity = Severity.WARNING,
    applicability: Applicability | None = None,
    replacement: str = "",
    related: tuple[Related, ...] = (),
) -> Finding:
    """A finding at the place of `marked` in a text; its fix replaces the marked text."""
    source = Source(path, text.encode())
    start = source.text.index(marked)
    end = start + len(marked)
    fix = None
    if applicability is not None:
        fix = Fix("Sleep without blocking", (Edit(start, end, replacement),), applicability)
    return Finding(
        code, name, message, path, source.position(start), source.position(end), severity, fix, related
    )


def outcome(texts: Mapping[str, str], *findings: Finding, **more: object) -> Outcome:
    """The outcome of a run over files with these texts."""
    sources = {path: Source(path, text.encode()) for path, text in texts.items()}
    return Outcome(findings=findings, source=sources.get, **more)  # type: ignore[arg-type]


def rendered(output_format: str, result: Outcome) -> str:
    """What is printed."""
    return "".join(render(output_format, result))


__all__ = ["Applicability", "Position", "Related", "Severity", "finding", "outcome", "rendered"]
