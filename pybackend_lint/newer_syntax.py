"""Which Python a file needs that this Python cannot parse."""

from __future__ import annotations

import re
import sys

# Syntax by the release that added it, as it looks on the line where an older parser stops.
# Sources: PEP 695 and PEP 701 (3.12), PEP 696 (3.13), PEP 750 and PEP 758 (3.14).
_ADDED: tuple[tuple[tuple[int, int], re.Pattern[str]], ...] = (
    ((3, 14), re.compile(r"(?<![\w'\"])(t|tr|rt)['\"]", re.IGNORECASE)),
    ((3, 14), re.compile(r"^\s*except\*?\s+[\w.]+\s*,\s*[\w.]+[^:]*:")),
    ((3, 13), re.compile(r"^\s*(class|def|async\s+def|type)\s+\w+\s*\[[^\]]*=[^\]]*\]")),
    ((3, 12), re.compile(r"^\s*type\s+\w+\s*(\[[^\]]*\])?\s*=")),
    ((3, 12), re.compile(r"^\s*(class|def|async\s+def)\s+\w+\s*\[")),
)
_F_STRING = re.compile(r"(?<![\w'\"])(f|fr|rf)('''|\"\"\"|'|\")", re.IGNORECASE)


def needed_python(line: str, reason: str) -> tuple[int, int] | None:
    """The release whose syntax a line uses, when it is newer than the Python that failed to parse it.

    `reason` is the message of the `SyntaxError`.
    """
    running = sys.version_info[:2]
    for release, pattern in _ADDED:
        if release > running and pattern.search(line):
            return release
    if running < (3, 12) and _F_STRING.search(line) and _is_new_f_string(line, reason):
        return (3, 12)
    return None


def _is_new_f_string(line: str, reason: str) -> bool:
    """Whether a replacement field reuses the quotes or holds a backslash, allowed by PEP 701."""
    if "f-string expression part cannot include a backslash" in reason:
        return True
    for match in _F_STRING.finditer(line):
        quote = match.group(2)
        field = re.match(r"(?:[^{\\]|\{\{|\\.)*?\{([^{}]*)\}", line[match.end() :])
        if field is not None and quote in field.group(1):
            return True
    return False
