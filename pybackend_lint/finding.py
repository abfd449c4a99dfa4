"""What the linter reports: findings, the fixes they carry and the edits of a fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Applicability(StrEnum):
    """How far a fix can be trusted.

    A safe fix keeps the meaning of every program that worked; an unsafe fix is probably wanted
    and needs review.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"


class Severity(StrEnum):
    """How serious a finding is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters `start` to `end` of the decoded text by `text`.

    Offsets count characters (code points), from 0; an insertion has `start == end`.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together; all of them refer to the same original text."""

    message: str
    edits: tuple[Edit, ...]
    applicability: Applicability


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: row and column count from 1, columns in characters."""

    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Related:
    """A place, possibly in another file, that proves a finding."""

    path: str
    start: Position
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: what, where, why, and how to fix it.

    `path` is the path of the file as it was given to the engine; `end` is exclusive.
    """

    code: str
    name: str
    message: str
    path: str
    start: Position
    end: Position
    severity: Severity = Severity.WARNING
    fix: Fix | None = None
    related: tuple[Related, ...] = ()

    @property
    def sort_key(self) -> tuple[str, Position, str, str]:
        """Findings are reported by file, place, code and message."""
        return (self.path, self.start, self.code, self.message)
