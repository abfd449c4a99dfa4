"""What the pages below docs/editors tell their readers to write, to be tried as it stands there."""

from __future__ import annotations

import re

from tests.editors.newcomer import ROOT


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a language on a page, in order."""
    text = (ROOT / "docs" / "editors" / page).read_text()
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    return found
