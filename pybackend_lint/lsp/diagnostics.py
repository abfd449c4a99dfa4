"""Findings as the diagnostics of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lsprotocol import types

from pybackend_lint.finding import Finding, Severity
from pybackend_lint.lsp.configuration import Options
from pybackend_lint.lsp.documents import Text
from pybackend_lint.registry_lookup import find
from pybackend_lint.rule_entry import Entry

SOURCE = "pybackend-lint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_BY_NAME = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


def diagnostic(
    finding: Finding,
    text: Text,
    options: Options,
    text_of: Callable[[str], Text] | None,
    page_address: Callable[[Entry], str] | None,
) -> types.Diagnostic:
    """The diagnostic of a finding in a text.

    `text_of` gives the text of another file by its path, for related places; `page_address` gives the
    address of the page about a rule. Each is None when the client does not want what it is for.
    """
    entry = find(finding.code)
    link = types.CodeDescription(page_address(entry)) if page_address is not None and entry else None
    severity = options.severity(finding.code)
    return types.Diagnostic(
        range=types.Range(text.at(finding.start), text.at(finding.end)),
        message=finding.message,
        severity=_BY_NAME[severity] if severity is not None else _SEVERITIES[finding.severity],
        code=finding.code,
        code_description=link,
        source=SOURCE,
        tags=list(_tags(finding, entry, text)) or None,
        related_information=_related(finding, text_of) if finding.related and text_of else None,
        data={"name": finding.name},
    )


def _tags(finding: Finding, entry: Entry | None, text: Text) -> Iterator[types.DiagnosticTag]:
    if entry is not None and "deprecation" in entry.tags:
        yield types.DiagnosticTag.Deprecated
    if finding.fix is not None:
        start, end = text.offset_at(finding.start), text.offset_at(finding.end)
        shift = text.shift
        if any(
            not edit.text.strip() and edit.start + shift <= start and end <= edit.end + shift
            for edit in finding.fix.edits
        ):
            yield types.DiagnosticTag.Unnecessary  # the fix takes away what is marked


def _related(finding: Finding, text_of: Callable[[str], Text]) -> list[types.DiagnosticRelatedInformation]:
    found = []
    for related in finding.related:
        place = text_of(related.path).at(related.start)
        location = types.Location(Path(related.path).as_uri(), types.Range(place, place))
        found.append(types.DiagnosticRelatedInformation(location, related.message))
    return found
