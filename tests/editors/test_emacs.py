"""Emacs with Eglot, without a screen, set up by docs/editors/emacs.md."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editors.newcomer import ROOT
from tests.editors.pages import blocks
from tests.editors.test_neovim import home
from tests.processes import PYPROJECT, SCHEMAS, write


def has_eglot() -> bool:
    """Whether this machine has an Emacs that has Eglot."""
    if shutil.which("emacs") is None:
        return False
    question = ["emacs", "--batch", "--eval", '(unless (locate-library "eglot") (kill-emacs 1))']
    return subprocess.run(question, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(not has_eglot(), reason="Emacs with Eglot is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("pygls") is None, reason="the server's extra is not installed"
    ),
]


def test_findings_and_actions(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": PYPROJECT, "shop/schemas.py": SCHEMAS})
    configuration, _ = blocks("emacs.md", "elisp")
    (tmp_path / "init.el").write_text(configuration)
    environment = home(tmp_path)
    environment |= {"OPEN": "shop/schemas.py", "CODE": "PB400", "ACTION": "Use `ConfigDict`"}
    command = ["emacs", "--batch", "-l", "init.el", "-l", str(ROOT / "tests/editors/session.el")]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout[run.stdout.index("{") :])
    assert "Replace `class Config` of `Item`" in seen["text"]
    assert "    model_config = ConfigDict(frozen=True)" in (tmp_path / "shop" / "schemas.py").read_text()
    assert any("Disable PB400" in title for title in seen["titles"])
