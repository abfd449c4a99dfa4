"""Read and extend the table of `docs/precision.md`: what reading findings on real code has shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "precision.md"
NOT_MEASURED = "not measured yet"

_ROW = re.compile(r"^\| (PB\d{3}) \| ([a-z0-9-]+) \| (\d+) \| (\d+) \| (\d+) \| (.*) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Row:
    """How many findings a rule has on the corpus, how many were read, and how many of those are right."""

    code: str
    name: str
    found: int
    read: int
    right: int
    remarks: str

    def __str__(self) -> str:
        return f"| {self.code} | {self.name} | {self.found} | {self.read} | {self.right} | {self.remarks} |"


def read_rows(text: str) -> list[Row]:
    """The rows of the page's table, in its order."""
    return [
        Row(code, name, int(found), int(read), int(right), remarks)
        for code, name, found, read, right, remarks in _ROW.findall(text)
    ]


def with_row(text: str, row: Row) -> str:
    """The page with one row more, or the row of the same code replaced; rows stay sorted by code."""
    rows = {known.code: known for known in read_rows(text)} | {row.code: row}
    table = "".join(f"{rows[code]}\n" for code in sorted(rows))
    header = text.index("|---|---|---:|---:|---:|---|\n") + len("|---|---|---:|---:|---:|---|\n")
    rest = _ROW.sub("", text[header:]).lstrip("\n")
    return text[:header] + table + (f"\n{rest}" if rest else "")
