"""Findings as workflow commands, which GitHub Actions shows beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from pybackend_lint.finding import Finding, Severity
from pybackend_lint.output import Outcome

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(outcome: Outcome) -> Iterator[str]:
    """One command for each finding."""
    for finding in outcome.findings:
        yield _command(finding)


def _command(finding: Finding) -> str:
    properties = {
        "title": f"{finding.code} ({finding.name})",
        "file": finding.path,
        "line": finding.start.row,
        "endLine": finding.end.row,
    }
    if finding.start.row == finding.end.row:  # columns of different lines hide the annotation
        properties |= {"col": finding.start.column, "endColumn": finding.end.column}
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    place = f"{finding.path}:{finding.start.row}:{finding.start.column}"
    return (
        f"::{_COMMANDS[finding.severity]} {listed}::{_data(f'{place}: {finding.code} {finding.message}')}\n"
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
