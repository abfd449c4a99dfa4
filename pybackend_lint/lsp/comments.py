"""The codes and names in `noqa` comments: what they mean, and which ones can be written there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from lsprotocol import types

from pybackend_lint.registry import ENTRIES
from pybackend_lint.registry_lookup import find
from pybackend_lint.rule_entry import Entry

_NOQA = re.compile(r"#\s*(?:(?:flake8|pybackend-lint)\s*[:=]\s*)?noqa\b\s*:", re.IGNORECASE)
_WORD = re.compile(r"[^,\s#]+")
_TYPED = re.compile(r"[\w-]*")


def _words(line: str) -> Iterator[re.Match[str]]:
    """The words behind the colons of `noqa` comments in a line, up to the next `#`."""
    for comment in _NOQA.finditer(line):
        end = line.find("#", comment.end())
        yield from _WORD.finditer(line, comment.end(), end if end >= 0 else len(line))


def entry_at(line: str, column: int) -> tuple[Entry, int, int] | None:
    """The rule whose code or name stands in a `noqa` comment at a column, and from where to where."""
    for word in _words(line):
        text = word.group().rstrip(".:;")
        if word.start() <= column <= word.start() + len(text):
            entry = find(text.upper()) or find(text.lower())
            return (entry, word.start(), word.start() + len(text)) if entry is not None else None
    return None


def place_to_complete(line: str, column: int) -> tuple[int, int] | None:
    """From where to where the word reaches that is being written in a `noqa` comment at a column.

    None outside of such comments and in the reason behind the codes.
    """
    comments = list(_NOQA.finditer(line, 0, column))
    if not comments:
        return None
    before = line[comments[-1].end() : column]
    if "#" in before:
        return None
    *earlier, typed = re.split(r"[,\s]+", before)
    if not _TYPED.fullmatch(typed) or any(
        word and not find(word.upper()) and not find(word.lower()) and not re.fullmatch(r"[A-Z]+\d+", word)
        for word in earlier
    ):
        return None
    rest = _TYPED.match(line, column)
    return column - len(typed), rest.end() if rest else column


def completions(place: types.Range, first: Collection[str]) -> list[types.CompletionItem]:
    """All codes and names; those of the codes in `first` come first."""
    items = []
    for entry in ENTRIES:
        rank = "0" if entry.code in first else "1"
        for label, detail in ((entry.code, entry.name), (entry.name, entry.code)):
            items.append(
                types.CompletionItem(
                    label=label,
                    kind=types.CompletionItemKind.Constant,
                    detail=detail,
                    documentation=entry.summary,
                    sort_text=rank + label,
                    text_edit=types.TextEdit(place, label),
                )
            )
    return items
