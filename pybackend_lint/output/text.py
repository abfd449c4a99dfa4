"""Findings for people: the place, the message, the source lines with a caret, and how to fix it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from pybackend_lint.finding import Applicability, Finding
from pybackend_lint.output import Outcome
from pybackend_lint.source import Source

_CONTEXT = 2
_MAX_WIDTH = 160
_TAB = "    "


def render(outcome: Outcome) -> Iterator[str]:
    """Every finding with its source lines, then the summary."""
    for finding in outcome.findings:
        yield from _finding(finding, outcome)
    if not outcome.quiet:
        yield f"{summary(outcome)}\n"


def summary(outcome: Outcome) -> str:
    """One line: how many findings there are and how many of them can be fixed."""
    remaining = len(outcome.findings)
    fixed = outcome.fixed.total()
    if not remaining and not fixed:
        return outcome.paint("No findings", "bold green") if not outcome.errors else "No findings"
    safe = sum(_applicability(finding) is Applicability.SAFE for finding in outcome.findings)
    unsafe = sum(_applicability(finding) is Applicability.UNSAFE for finding in outcome.findings)
    if outcome.unsafe_fixes:
        safe, unsafe = safe + unsafe, 0
    notes = []
    if fixed:
        notes.append(f"{fixed} fixed, {remaining} remaining")
    elif safe:
        notes.append(f"{safe} fixable with --fix")
    if unsafe:
        notes.append(f"{unsafe}{' more' if safe else ''} with --unsafe-fixes")
    total = remaining + fixed
    explained = f" ({', '.join(notes)})" if notes else ""
    return f"Found {total} finding{'s' * (total != 1)}{explained}"


def _applicability(finding: Finding) -> Applicability | None:
    return finding.fix.applicability if finding.fix else None


def _finding(finding: Finding, outcome: Outcome) -> Iterator[str]:
    paint = outcome.paint
    colon = paint(":", "cyan")
    place = f"{paint(finding.path, 'bold')}{colon}{finding.start.row}{colon}{finding.start.column}{colon}"
    mark = f" [{paint('*', 'cyan')}]" if outcome.fixable(finding) else ""
    code = paint(finding.code, "bold red")
    yield f"{place} {code}{mark} {finding.message} {paint(f'({finding.name})', 'dim')}\n"
    source = outcome.source(finding.path)
    if source is not None:
        yield from _excerpt(finding, source, outcome)
    for depth, related in enumerate(finding.related):
        row, column = related.start.row, related.start.column
        where = f"{paint(related.path, 'bold')}{colon}{row}{colon}{column}{colon}"
        yield f"{'  ' * (depth + 1)}{paint('->', 'bold blue')} {where} {related.message}\n"
    if finding.fix is not None:
        flag = "" if outcome.fixable(finding) else " (with --unsafe-fixes)"
        yield f"{paint('help', 'bold cyan')}: {finding.fix.message}{flag}\n"
    yield "\n"


def _excerpt(finding: Finding, source: Source, outcome: Outcome) -> Iterator[str]:
    paint = outcome.paint
    row = finding.start.row
    rows = list(range(max(1, row - _CONTEXT), row + _CONTEXT + 1))
    while rows[0] < row and not source.line(rows[0]).strip():
        del rows[0]
    while rows[-1] > row and not source.line(rows[-1]).strip():
        del rows[-1]
    margin = len(str(rows[-1]))
    bar = paint("|", "bold blue")
    line = source.line(row)
    first = finding.start.column - 1
    end = finding.end.column - 1 if finding.end.row == row else len(line.rstrip())
    # A window of very long lines is shown, the same for the lines around.
    shift = max(0, first - _MAX_WIDTH // 2) if len(line) > _MAX_WIDTH else 0
    yield f"{' ' * margin} {bar}\n"
    for number in rows:
        text = _visible(_window(source.line(number), shift))
        yield f"{paint(f'{number:>{margin}}', 'bold blue')} {bar} {text}".rstrip() + "\n"
        if number == row:
            indent = " " * _width(_visible(line[shift:first]))
            marked = _visible(line[first : min(end, shift + _MAX_WIDTH)])
            carets = "^" * max(1, _width(marked))
            yield f"{' ' * margin} {bar} {indent}{paint(carets, 'bold red')}\n"
    yield f"{' ' * margin} {bar}\n"


def _window(line: str, shift: int) -> str:
    cut = line[shift : shift + _MAX_WIDTH]
    return f"{cut}..." if len(line) > shift + _MAX_WIDTH else cut


def _visible(text: str) -> str:
    """The text as it can be printed: tabs as blanks, other control characters as their pictures."""
    if text.isprintable():
        return text
    return "".join(
        _TAB if char == "\t" else chr(0x2400 + ord(char)) if ord(char) < 32 else _or_mark(char)
        for char in text
    )


def _or_mark(char: str) -> str:
    return (
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char
    )


def _width(text: str) -> int:
    """How many columns a terminal needs for the text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
