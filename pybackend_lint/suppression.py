"""Suppressions: the `noqa` comments of a file, what they hide and which of them hide nothing."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Finding, Position
from pybackend_lint.registry_lookup import find
from pybackend_lint.source import Source

# The forms of flake8, and ours for a whole file. What follows the colon is read word by word.
_NOQA = re.compile(
    r"#\s*(?:(?P<tool>flake8|pybackend-lint)\s*[:=]\s*)?noqa\b(?:\s*:(?P<words>[^#]*))?", re.IGNORECASE
)
_CODE = re.compile(r"[A-Za-z]+[0-9]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)+")
_OURS = re.compile(r"PB[0-9]{1,3}")
_SEPARATOR = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment.

    - `start`, `end`: where the comment is; `end` is exclusive.
    - `codes`: codes or beginnings of codes in upper case, `names`: names of rules in lower case, of any
      tool; both empty when the comment hides every finding.
    - `whole_file`: whether it speaks for the file, else only for its line.
    """

    start: Position
    end: Position
    codes: frozenset[str]
    names: frozenset[str]
    whole_file: bool

    @property
    def blanket(self) -> bool:
        """Whether it hides every finding."""
        return not self.codes and not self.names

    def hides(self, finding: Finding) -> bool:
        """Whether it speaks about this finding; where the comment stands is not asked here."""
        return self.blanket or finding.name in self.names or finding.code.startswith(tuple(self.codes))


class Suppressions:
    """The suppressions of one file, by line.

    A comment speaks for the lines that no line break of the grammar parts from its own, as in
    flake8: behind a multi-line string it speaks for all lines of the string.
    """

    def __init__(self, source: Source) -> None:
        self._file: list[Suppression] = []
        self._rows: dict[int, list[Suppression]] = {}
        if b"noqa" in source.data.lower():
            self._read(source.text)

    def _read(self, text: str) -> None:
        first, last = 0, 0
        group: list[Suppression] = []
        for token in _tokens(text):
            if token.type in (tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT):
                continue
            if token.type == tokenize.COMMENT:
                group += _parse(token, alone=not first)
            first = first or token.start[0]
            last = max(last, token.end[0])
            if token.type in (tokenize.NEWLINE, tokenize.NL):
                for row in range(first, last + 1) if group else ():
                    self._rows.setdefault(row, []).extend(item for item in group if not item.whole_file)
                self._file += (item for item in group if item.whole_file)
                first, last, group = 0, 0, []

    def _for(self, finding: Finding) -> Iterator[Suppression]:
        for suppression in (*self._file, *self._rows.get(finding.start.row, ())):
            if suppression.hides(finding):
                yield suppression

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
        """The findings that stay and those that are hidden, each in the order given."""
        kept: list[Finding] = []
        hidden: list[Finding] = []
        for finding in findings:
            (hidden if any(self._for(finding)) else kept).append(finding)
        return kept, hidden

    def unused(
        self, hidden: Iterable[Finding], checked: Collection[str]
    ) -> list[tuple[Suppression, frozenset[str]]]:
        """Suppressions with those of their codes and names that hide nothing.

        `hidden` are the findings that `split` took away, `checked` the codes of the rules that ran:
        only these are judged, never another tool's codes nor a comment that hides everything.
        """
        used: dict[Suppression, list[Finding]] = {}
        for finding in hidden:
            for suppression in self._for(finding):
                used.setdefault(suppression, []).append(finding)
        suppressions = {item for items in self._rows.values() for item in items} | set(self._file)
        unused = []
        for suppression in sorted(suppressions, key=lambda item: item.start):
            findings = used.get(suppression, ())
            names = {finding.name for finding in findings}
            idle = {
                code
                for code in suppression.codes
                if _OURS.fullmatch(code)
                and any(known.startswith(code) for known in checked)
                and not any(finding.code.startswith(code) for finding in findings)
            }
            for name in suppression.names - names:
                entry = find(name)
                if entry is not None and entry.code in checked:
                    idle.add(name)
            if idle:
                unused.append((suppression, frozenset(idle)))
        return unused


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a text, up to the first that is not valid."""
    lines = io.StringIO(text, newline=None)
    try:
        yield from tokenize.generate_tokens(lines.readline)
    except (tokenize.TokenError, SyntaxError):
        return


def _parse(token: tokenize.TokenInfo, *, alone: bool) -> Iterator[Suppression]:
    row, column = token.start
    for match in _NOQA.finditer(token.string):
        tool = (match["tool"] or "").lower()
        if tool == "flake8" and not alone:
            continue  # flake8 ignores it behind code
        codes: set[str] = set()
        names: set[str] = set()
        for word in _SEPARATOR.split((match["words"] or "").strip()):
            word = word.rstrip(".:;")
            if _CODE.fullmatch(word):
                codes.add(word.upper())
            elif _NAME.fullmatch(word) or find(word.lower()):
                names.add(word.lower())
            else:
                break  # the reason starts here
        yield Suppression(
            start=Position(row, column + 1 + match.start()),
            end=Position(row, column + 1 + match.end()),
            codes=frozenset(codes),
            names=frozenset(names),
            whole_file=bool(tool) and alone,
        )
