"""The steps of docs/editors/index.md, to be run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "editors" / "index.md"


def steps(heading: str) -> list[str]:
    """The commands of the three steps below a heading."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    found = re.findall(r"^    ```console\n(.*?)^    ```", section, re.M | re.S)
    assert len(found) == 3, found
    return [textwrap.dedent(commands) for commands in found]


def copy_repository(folder: Path) -> None:
    """Write the files of the work tree into a folder, without what they were built into."""
    listing = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
