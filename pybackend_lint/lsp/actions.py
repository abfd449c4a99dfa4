"""Code actions: fixes, suppressions and documentation."""

from __future__ import annotations

from lsprotocol import types

from pybackend_lint.finding import Applicability, Finding
from pybackend_lint.lsp.documents import Text


def touches(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges have a place in common, be it an end."""
    return (one.start.line, one.start.character) <= (other.end.line, other.end.character) and (
        other.start.line,
        other.start.character,
    ) <= (one.end.line, one.end.character)


def quick_fix(finding: Finding, shown: types.Diagnostic, uri: str, text: Text) -> types.CodeAction:
    """The action that applies the fix of a finding."""
    fix = finding.fix
    assert fix is not None
    safe = fix.applicability is Applicability.SAFE
    edits = [
        types.TextEdit(text.range(edit.start + text.shift, edit.end + text.shift), edit.text)
        for edit in fix.edits
    ]
    return types.CodeAction(
        title=f"{fix.message} ({finding.code}{'' if safe else ', unsafe'})",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[shown],
        is_preferred=safe or None,
        edit=types.WorkspaceEdit(changes={uri: edits}),
    )
