"""Findings as a JSON array, in the shape of ruff's, with rule names, severities and related places."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from pybackend_lint.finding import Finding, Fix, Position
from pybackend_lint.output import Outcome, documentation_url
from pybackend_lint.source import Source


def render(outcome: Outcome) -> Iterator[str]:
    """One array with an object for each finding."""
    separator = "["
    for finding in outcome.findings:
        text = json.dumps(_finding(finding, outcome), indent=2, ensure_ascii=False)
        yield separator + "\n  " + text.replace("\n", "\n  ")
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _finding(finding: Finding, outcome: Outcome) -> dict[str, Any]:
    source = outcome.source(finding.path) if finding.fix else None
    return {
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "severity": str(finding.severity),
        "filename": _filename(finding.path),
        "location": _location(finding.start),
        "end_location": _location(finding.end),
        "fix": _fix(finding.fix, source) if finding.fix and source else None,
        "url": documentation_url(finding.name),
        "related": [
            {
                "filename": _filename(related.path),
                "location": _location(related.start),
                "message": related.message,
            }
            for related in finding.related
        ],
    }


def _filename(path: str) -> str:
    return path if path == "-" else os.path.abspath(path)


def _location(position: Position) -> dict[str, int]:
    return {"row": position.row, "column": position.column}


def _fix(fix: Fix, source: Source) -> dict[str, Any]:
    return {
        "applicability": str(fix.applicability),
        "message": fix.message,
        "edits": [
            {
                "content": edit.text,
                "location": _location(source.position(edit.start)),
                "end_location": _location(source.position(edit.end)),
            }
            for edit in fix.edits
        ],
    }
