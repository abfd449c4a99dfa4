"""The import statements at the top level of a file, found in its text without parsing it.

Statements inside `if TYPE_CHECKING`, `try`, functions and classes are indented, and left out. What is found
at the start of a line is only a candidate: it may stand in a text of several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FROM = re.compile(
    rb"from +(?P<base>[.\w]+)[ \t]+import\b[ \t]*"
    rb"(?:\((?P<block>[^)]*)\)|(?P<line>[^\n;#\\]*(?:\\\r?\n[^\n;#\\]*)*))"
)
_IMPORT = re.compile(rb"import +(?P<modules>[^\n;#\\]+(?:\\\r?\n[^\n;#\\]*)*)")


def import_statements(data: bytes) -> Iterator[re.Match[bytes]]:
    """The candidates in the order of lines.

    Of `from` statements the groups `base` and one of `block` and `line` hold something, of others `modules`.
    """
    starts: list[tuple[int, re.Pattern[bytes]]] = []
    data = b"\n" + data
    for word, pattern in ((b"\nfrom ", _FROM), (b"\nimport ", _IMPORT)):
        start = data.find(word)
        while start >= 0:
            starts.append((start + 1, pattern))
            start = data.find(word, start + 1)
    for start, pattern in sorted(starts, key=lambda found: found[0]):
        match = pattern.match(data, start)
        if match is not None:
            yield match
