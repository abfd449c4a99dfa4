"""Code actions: fixes, suppressions and documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lsprotocol import types

from pybackend_lint import edits
from pybackend_lint.finding import Applicability, Edit, Finding
from pybackend_lint.fixer import fix_source
from pybackend_lint.lsp.documents import Text
from pybackend_lint.source import Source
from pybackend_lint.suppression import suppressing_edit

FIX_ALL = "source.fixAll.pybackend-lint"
KINDS = (types.CodeActionKind.QuickFix, FIX_ALL)
OPEN_DOCUMENTATION = "pybackend-lint.openDocumentation"
_REASON = "why?"


@dataclass(frozen=True)
class Plan:
    """An action without its edit, which takes a while to find.

    `code` is the rule whose findings are to be fixed, or None for all; of a single finding `number` is
    its place among the findings.
    """

    code: str | None = None
    number: int | None = None
    unsafe: bool = False


def wants(only: Iterable[str] | None, kind: str) -> bool:
    """Whether a client that asks for some kinds of actions wants this kind."""
    return only is None or any(kind == wanted or kind.startswith(f"{wanted}.") for wanted in only)


def touches(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges have a place in common, be it an end."""
    return _pair(one.start) <= _pair(other.end) and _pair(other.start) <= _pair(one.end)


def _pair(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def is_safe(finding: Finding) -> bool:
    """Whether a finding has a safe fix."""
    return finding.fix is not None and finding.fix.applicability is Applicability.SAFE


def quick_fix_title(finding: Finding) -> str:
    """What the action says that fixes one finding."""
    assert finding.fix is not None
    return f"{finding.fix.message} ({finding.code}{'' if is_safe(finding) else ', unsafe fix: review it'})"


def fix_rule_title(code: str, count: int, *, unsafe: bool) -> str:
    """What the action says that fixes all findings of a rule."""
    return f"Fix all {code} in this file ({count} findings{', unsafe fixes: review them' if unsafe else ''})"


def edits_of(
    plan: Plan, path: str, text: Text, findings: list[Finding], check: Callable[[bytes], list[Finding]]
) -> list[types.TextEdit]:
    """The edits of a planned action; none where the fixes cannot be applied.

    `findings` are those of the text, `check` gives those of a changed content.
    """
    source = Source(path, text.data)
    if plan.number is not None:
        one = findings[plan.number]
        result = fix_source(
            source, lambda changed: [one] if changed is source else [], unsafe=plan.unsafe, max_rounds=2
        )
        assert one.fix is not None
        own = list(one.fix.edits)
        if result.data == source.data:
            return []
        changed = Source(path, result.data).text
        if "\r" not in source.text and _result(source.text, own) == changed:
            return _text_edits(own, text)
    else:

        def wanted(changed: Source) -> list[Finding]:
            found = findings if changed is source else check(changed.data)
            return [finding for finding in found if plan.code in (None, finding.code)]

        changed = Source(path, fix_source(source, wanted, unsafe=plan.unsafe).data).text
    return _text_edits(edits.line_edits(source.text, changed), text)


def _result(text: str, own: list[Edit]) -> str | None:
    try:
        return edits.apply(text, own)
    except ValueError:
        return None


def suppression(path: str, text: Text, finding: Finding) -> list[types.TextEdit]:
    """The edits after which a `noqa` comment hides a finding; none where there is no place for one."""
    edit = suppressing_edit(Source(path, text.data), finding, _REASON)
    return _text_edits([edit], text) if edit is not None else []


def _text_edits(changes: Iterable[Edit], text: Text) -> list[types.TextEdit]:
    shift = text.shift
    return [types.TextEdit(text.range(e.start + shift, e.end + shift), e.text) for e in changes]
