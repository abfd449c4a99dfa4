"""The text of open documents, and positions in the units that the client counts."""

from __future__ import annotations

import bisect
import io
import os
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from lsprotocol import types
from pygls.uris import to_fs_path

from pybackend_lint.finding import Position
from pybackend_lint.settings import PROJECT_FILES

_NEWLINE = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


def path_of(uri: str) -> str | None:
    """The absolute path of a `file:` address, or None for other ones."""
    path = to_fs_path(uri)
    return os.path.normpath(path) if path else None


@dataclass(frozen=True)
class Text:
    """A text at one moment, with the units in which the client counts columns.

    Offsets count characters (code points) from 0, as everywhere in the linter.
    """

    text: str
    encoding: str

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    @property
    def rows(self) -> int:
        """How many lines there are."""
        return len(self._starts)

    def line(self, row: int) -> str:
        """The text of a line (from 0) without its line ending; empty beyond the last line."""
        if not 0 <= row < len(self._starts):
            return ""
        end = self._starts[row + 1] if row + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[row] : end].rstrip("\r\n")

    def offset(self, position: types.Position) -> int:
        """The offset of a position; positions outside the text are taken for the nearest inside."""
        row = position.line
        if row < 0:
            return 0
        if row >= len(self._starts):
            return len(self.text)
        line = self.line(row)
        return self._starts[row] + self._column(line, max(0, position.character))

    def _column(self, line: str, units: int) -> int:
        if self._ascii or self.encoding == "utf-32" or line.isascii():
            return min(units, len(line))
        codec, size = ("utf-8", 1) if self.encoding == "utf-8" else ("utf-16-le", 2)
        encoded = line.encode(codec, "surrogatepass")[: units * size]
        return len(encoded.decode(codec, "ignore"))

    def _units(self, piece: str) -> int:
        if self._ascii or self.encoding == "utf-32" or piece.isascii():
            return len(piece)
        if self.encoding == "utf-8":
            return len(piece.encode("utf-8", "surrogatepass"))
        return len(piece.encode("utf-16-le", "surrogatepass")) // 2

    def position(self, offset: int) -> types.Position:
        """The position of an offset."""
        row = bisect.bisect_right(self._starts, offset) - 1
        start = self._starts[row]
        return types.Position(row, self._units(self.text[start:offset]))

    def range(self, start: int, end: int) -> types.Range:
        """The range between two offsets."""
        return types.Range(self.position(start), self.position(end))

    def at(self, position: Position) -> types.Position:
        """The position of a finding (row and column from 1, in characters) as the client counts."""
        row = min(position.row, len(self._starts)) - 1
        return types.Position(row, self._units(self.line(row)[: self._character(position)]))

    def offset_at(self, position: Position) -> int:
        """The offset of a finding's row and column."""
        return self._starts[min(position.row, len(self._starts)) - 1] + self._character(position)

    def _character(self, position: Position) -> int:
        return position.column - 1 + (self.shift if position.row == 1 else 0)

    @property
    def shift(self) -> int:
        """How many characters stand before the text that the linter sees: a byte order mark."""
        return int(self.text.startswith(_BOM))

    def changed(self, changes: Iterable[types.TextDocumentContentChangeEvent]) -> Text:
        """The text after changes, each of which refers to the text after the one before it."""
        current = self
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                start, end = current.offset(change.range.start), current.offset(change.range.end)
                start, end = min(start, end), max(start, end)
                text = current.text[:start] + change.text + current.text[end:]
            else:
                text = change.text
            current = Text(text, self.encoding)
        return current

    @cached_property
    def data(self) -> bytes:
        """The bytes that an editor would write, in the encoding that the text declares.

        A character that this encoding does not have becomes one question mark, so that columns stay right.
        """
        head = "".join(self.line(row) + "\n" for row in range(2)).encode("utf-8", "replace")
        try:
            declared = tokenize.detect_encoding(io.BytesIO(head).readline)[0].removesuffix("-sig")
            return self.text.encode(declared, "replace")
        except (SyntaxError, LookupError):
            return self.text.encode("utf-8", "replace")


class Document:
    """An open document: its address, the path of its file, and its version and text now."""

    def __init__(self, uri: str, path: str, language: str, version: int, text: Text) -> None:
        self.uri = uri
        self.path = path
        self.language = language
        self.state = (version, text)  # replaced as a whole: another thread reads it

    @property
    def version(self) -> int:
        """The number that the client gave to the text."""
        return self.state[0]

    @property
    def text(self) -> Text:
        """The text now."""
        return self.state[1]

    def change(self, version: int, changes: Iterable[types.TextDocumentContentChangeEvent]) -> None:
        """Follow changes, each of which refers to the text after the one before it."""
        self.state = (version, self.text.changed(changes))

    @cached_property
    def kind(self) -> str:
        """What rules may check it: `"python"`, the name of a project file, or empty for anything else."""
        name = os.path.basename(self.path)
        if name in PROJECT_FILES:
            return name
        return "python" if self.language == "python" or name.endswith((".py", ".pyi")) else ""
