"""Helix in a terminal, set up by docs/editors/helix.md."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.pages import blocks
from tests.editors.test_neovim import home
from tests.processes import PYPROJECT, SCHEMAS, write

HELIX = shutil.which("hx") or shutil.which("helix")
LEGACY = SCHEMAS + "\n\ndef plain(item: Item) -> dict[str, object]:\n    return item.dict()\n"
pytestmark = [
    pytest.mark.skipif(HELIX is None or shutil.which("tmux") is None, reason="needs Helix and tmux"),
    pytest.mark.skipif(
        importlib.util.find_spec("pygls") is None, reason="the server's extra is not installed"
    ),
]


class Terminal:
    """A terminal of a user who has only a folder, with Helix in it."""

    def __init__(self, folder: Path) -> None:
        environment = home(folder) | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "terminal")]
        size = ["-x", "120", "-y", "30"]
        start = [*self._tmux, "new-session", "-d", *size, f"exec {HELIX} shop/schemas.py"]
        subprocess.run(start, cwd=folder, env=environment, timeout=60, check=True)

    def type(self, *keys: str) -> None:
        """Press keys."""
        subprocess.run([*self._tmux, "send-keys", *keys], timeout=60, check=True)

    def screen(self) -> str:
        """What the terminal shows."""
        show = [*self._tmux, "capture-pane", "-p"]
        return subprocess.run(show, capture_output=True, text=True, timeout=60, check=True).stdout

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait; fails after a minute."""
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, self.screen()
            time.sleep(0.05)

    def close(self) -> None:
        """End it."""
        subprocess.run([*self._tmux, "kill-server"], timeout=60, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    server, settings = blocks("helix.md", "toml")
    configuration = server + settings.replace("PB106", "PB425")
    write(
        tmp_path,
        {
            ".config/helix/languages.toml": configuration,
            "pyproject.toml": PYPROJECT,
            "shop/schemas.py": LEGACY,
        },
    )
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


def test_findings_settings_and_actions(tmp_path: Path, terminal: Terminal) -> None:
    terminal.until(lambda: "●" in terminal.screen())
    terminal.type("Space", "d")
    terminal.until(lambda: "PB400" in terminal.screen())
    assert "PB425" not in terminal.screen()
    terminal.type("Enter")
    terminal.type("Space", "a")
    terminal.until(lambda: "Use `ConfigDict`" in terminal.screen())
    assert "Disable PB400" in terminal.screen()
    terminal.type("Enter")
    terminal.until(lambda: "model_config" in terminal.screen())
    terminal.type(":w", "Enter")
    text = tmp_path / "shop" / "schemas.py"
    terminal.until(lambda: "    model_config = ConfigDict(frozen=True)" in text.read_text())
