"""Edits of a text: applying them, and finding those that lead from one text to another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pybackend_lint.finding import Edit


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, all of which refer to `text`.

    Raises `ValueError` when edits overlap or lie outside the text. Of several insertions at one
    place the first in `edits` comes first.
    """
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not at <= edit.start <= edit.end <= len(text):
            raise ValueError(f"{edit} overlaps another edit or lies outside the text")
        pieces += (text[at : edit.start], edit.text)
        at = edit.end
    pieces.append(text[at:])
    return "".join(pieces)


def line_edits(old: str, new: str) -> tuple[Edit, ...]:
    """Edits of whole lines that turn one text into another."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return tuple(
        Edit(starts[start], starts[end], "".join(after[first:last]))
        for tag, start, end, first, last in changes
        if tag != "equal"
    )
