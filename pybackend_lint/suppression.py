"""Suppressions: the `noqa` comments of a file, what they hide and which of them hide nothing."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Edit, Finding, Position
from pybackend_lint.registry_lookup import find
from pybackend_lint.source import Source

# The forms of flake8, and ours for a whole file. What follows the colon is read word by word.
_NOQA = re.compile(
    r"#\s*(?:(?P<tool>flake8|pybackend-lint)\s*[:=]\s*)?noqa\b(?:\s*:(?P<words>[^#]*))?", re.IGNORECASE
)
_CODE = re.compile(r"[A-Za-z]+[0-9]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)+")
_OURS = re.compile(r"PB[0-9]{1,3}")
_WORD = re.compile(r"[^,\s]+")
# What the grammar of TOML knows of lines: strings may hold `#` and, with three quotes, line breaks.
_TOML = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<text>
    "{3}(?:\\.|[^\\])*?"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' | [^\s"'\#]+)""",
    re.DOTALL | re.VERBOSE,
)
_TOML_KINDS = {"comment": tokenize.COMMENT, "newline": tokenize.NEWLINE, "text": tokenize.STRING}


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
            self._read(source)

    def _read(self, source: Source) -> None:
        for group in _groups(source):
            if group.comment is None:
                continue
            for item in _parse(group.comment, alone=group.alone):
                if item.whole_file:
                    self._file.append(item)
                else:
                    for row in range(group.first, group.last + 1):
                        self._rows.setdefault(row, []).append(item)

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


def suppressing_edit(source: Source, finding: Finding, reason: str) -> Edit | None:
    """The edit after which a comment hides a finding, or None where there is no place for one.

    It goes behind the line that the comment has to stand on: the last one of a multi-line string, the
    one after the backslashes. A comment with codes that is there gets one more; `reason` stands behind a
    new one.
    """
    row = finding.start.row
    group = next((group for group in _groups(source) if group.first <= row <= group.last), None)
    if group is None:
        return None
    if group.comment is not None:
        start = source.line_starts[group.comment.start[0] - 1] + group.comment.start[1]
        for match in _noqa_comments(group.comment, alone=group.alone):
            ends = [end for _, _, end in _selectors(match)]
            if ends and not (match["tool"] and group.alone):
                return Edit(start + ends[-1], start + ends[-1], f", {finding.code}")
    start, line = source.line_starts[group.last - 1], source.line(group.last)
    return Edit(start + len(line.rstrip()), start + len(line), f"  # noqa: {finding.code}  ({reason})")


@dataclass(slots=True)
class _Group:
    """Lines that no line break of the grammar parts; `alone` when there is nothing but the comment."""

    first: int
    last: int
    comment: tokenize.TokenInfo | None
    alone: bool


def _groups(source: Source) -> Iterator[_Group]:
    group = _Group(0, 0, None, False)
    for token in _toml_tokens(source.text) if source.path.endswith(".toml") else _tokens(source.text):
        if token.type in (tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT):
            continue
        if token.type == tokenize.COMMENT:
            group.comment, group.alone = token, not group.first
        group.first = group.first or token.start[0]
        group.last = max(group.last, token.end[0])
        if token.type in (tokenize.NEWLINE, tokenize.NL):
            yield group
            group = _Group(0, 0, None, False)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a text, up to the first that is not valid."""
    lines = io.StringIO(text, newline=None)
    try:
        yield from tokenize.generate_tokens(lines.readline)
    except (tokenize.TokenError, SyntaxError):
        return


def _toml_tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The comments, line breaks and other parts of a TOML file as Python's tokens."""
    text = text.replace("\r\n", "\n")
    row, line_start = 1, 0
    for match in _TOML.finditer(f"{text}\n"):
        first = row, match.start() - line_start
        row += match["text"].count("\n") if match["text"] else 0
        if "\n" in match.group():
            line_start = match.start() + match.group().rindex("\n") + 1
        yield tokenize.TokenInfo(_TOML_KINDS[match.lastgroup or ""], match.group(), first, (row, 0), "")
        row += match.lastgroup == "newline"


def _noqa_comments(token: tokenize.TokenInfo, *, alone: bool) -> Iterator[re.Match[str]]:
    for match in _NOQA.finditer(token.string):
        if (match["tool"] or "").lower() != "flake8" or alone:  # flake8 ignores its own behind code
            yield match


def _selectors(match: re.Match[str]) -> Iterator[tuple[str, bool, int]]:
    """The codes and names behind the colon up to the reason, whether it is a code, and where it ends."""
    at = match.start("words")
    for part in _WORD.finditer(match["words"] or ""):
        word = part.group().rstrip(".:;")
        is_code = _CODE.fullmatch(word) is not None
        if not is_code and not _NAME.fullmatch(word) and not find(word.lower()):
            return  # the reason starts here
        yield word, is_code, at + part.start() + len(word)


def _parse(token: tokenize.TokenInfo, *, alone: bool) -> Iterator[Suppression]:
    row, column = token.start
    for match in _noqa_comments(token, alone=alone):
        words = list(_selectors(match))
        yield Suppression(
            start=Position(row, column + 1 + match.start()),
            end=Position(row, column + 1 + match.end()),
            codes=frozenset(word.upper() for word, is_code, _ in words if is_code),
            names=frozenset(word.lower() for word, is_code, _ in words if not is_code),
            whole_file=bool(match["tool"]) and alone,
        )
