"""Findings as SARIF 2.1.0, the OASIS format of static analysis results, which code hosts import."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pybackend_lint import __version__
from pybackend_lint.finding import Finding, Fix, Position, Severity
from pybackend_lint.output import Outcome, documentation_url
from pybackend_lint.registry_lookup import documentation, find
from pybackend_lint.source import Source

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "%SRCROOT%"


def render(outcome: Outcome) -> Iterator[str]:
    """One log with one run."""
    codes = sorted({finding.code for finding in outcome.findings})
    indexes = {code: index for index, code in enumerate(codes)}
    seen: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "pybackend-lint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not outcome.errors,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": error}} for error in outcome.errors
                ],
            }
        ],
        "results": [_result(finding, indexes, outcome, seen) for finding in outcome.findings],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    yield f"{json.dumps(log, indent=2, ensure_ascii=False)}\n"


def _rule(code: str) -> dict[str, Any]:
    entry = find(code)
    assert entry is not None, f"a finding of the unknown rule {code}"
    text = documentation(entry)
    rule = {
        "id": code,
        "name": entry.name,
        "shortDescription": {"text": entry.summary},
        "fullDescription": {"text": entry.summary},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"enabled": entry.default, "level": _LEVELS[Severity(entry.severity)]},
        "properties": {"tags": list(entry.tags)},
    }
    if url := documentation_url(entry.name):
        rule["helpUri"] = url
    return rule


def _result(
    finding: Finding, indexes: dict[str, int], outcome: Outcome, seen: Counter[str]
) -> dict[str, Any]:
    source = outcome.source(finding.path)
    line = source.line(finding.start.row) if source else ""
    # Line numbers are left out, so that a finding stays the same one when lines above it change.
    content = "\0".join((finding.code, _uri(finding.path)["uri"], "".join(line.split())))
    digest = hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    seen[digest] += 1
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": indexes[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _uri(finding.path),
                    "region": _region(finding.start, finding.end),
                }
            }
        ],
        "partialFingerprints": {"findingHash/v1": f"{digest}:{seen[digest]}"},
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": related.message},
                "physicalLocation": {
                    "artifactLocation": _uri(related.path),
                    "region": {"startLine": related.start.row, "startColumn": related.start.column},
                },
            }
            for number, related in enumerate(finding.related)
        ]
    if finding.fix and source:
        result["fixes"] = [_fix(finding.fix, finding.path, source)]
    return result


def _fix(fix: Fix, path: str, source: Source) -> dict[str, Any]:
    return {
        "description": {"text": fix.message},
        "artifactChanges": [
            {
                "artifactLocation": _uri(path),
                "replacements": [
                    {
                        "deletedRegion": _region(source.position(edit.start), source.position(edit.end)),
                        "insertedContent": {"text": edit.text},
                    }
                    for edit in fix.edits
                ],
            }
        ],
    }


def _region(start: Position, end: Position) -> dict[str, int]:
    return {
        "startLine": start.row,
        "startColumn": start.column,
        "endLine": end.row,
        "endColumn": end.column,
    }


def _uri(path: str) -> dict[str, str]:
    """Relative to the working directory where possible, so that the log fits every checkout."""
    relative = os.path.relpath(path)
    if relative.startswith(os.pardir):
        return {"uri": Path(os.path.abspath(path)).as_uri()}
    return {"uri": quote(Path(relative).as_posix()), "uriBaseId": _ROOT}
