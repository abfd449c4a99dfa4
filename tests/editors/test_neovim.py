"""Every Neovim of this machine, without a screen: findings, an action from the menu, the text after it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.editors.newcomer import ROOT, copy_repository, steps
from tests.editors.pages import blocks
from tests.processes import PYPROJECT, SCHEMAS, write

LEGACY = """\
from pydantic import BaseModel, constr


class Item(BaseModel):
    name: constr(min_length=1)


def plain(item: Item) -> dict[str, object]:
    return item.dict()
"""
SESSION = ROOT / "tests" / "editors" / "session.lua"
PROGRAMS = Path(sys.executable).parent


def neovims() -> dict[tuple[int, int], str]:
    """Every Neovim on the path: version to executable."""
    folders = [str(PROGRAMS), *os.environ.get("PATH", "").split(os.pathsep)]
    found: dict[tuple[int, int], str] = {}
    for path in filter(None, (shutil.which("nvim", path=folder) for folder in folders)):
        run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if version := re.match(r"NVIM v(\d+)\.(\d+)", run.stdout):
            found.setdefault((int(version[1]), int(version[2])), path)
    return found


NEOVIMS = neovims()
CURRENT = {version: path for version, path in NEOVIMS.items() if version >= (0, 11)}
pytestmark = [
    pytest.mark.skipif(not NEOVIMS, reason="Neovim is not installed"),
    pytest.mark.skipif(
        importlib.util.find_spec("pygls") is None, reason="the server's extra is not installed"
    ),
]


def home(folder: Path) -> dict[str, str]:
    """The environment of a user who has only this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "NVIM", "VIM"))}
    return {**kept, "HOME": str(folder), "PATH": f"{PROGRAMS}{os.pathsep}{kept['PATH']}"}


def report(
    folder: Path, environment: dict[str, str], code: str, action: str, *command: str
) -> dict[str, Any]:
    """Run a command that opens Neovim with the session's script; what the script has seen."""
    wish = {"WISH": json.dumps({"code": code, "action": action}), "REPORT": str(folder / "report.json")}
    run = subprocess.run(
        command, cwd=folder, env=environment | wish, capture_output=True, text=True, timeout=240, check=False
    )
    assert (folder / "report.json").exists(), run.stdout + run.stderr
    seen: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert seen["waited"] == {"finding": True, "action": True, "gone": True}, seen
    return seen


@pytest.mark.parametrize("path", NEOVIMS.values(), ids=lambda path: str(path))
def test_findings_and_actions(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"pyproject.toml": PYPROJECT, "shop/schemas.py": SCHEMAS})
    configuration = tmp_path / ".config" / "nvim"
    if path in CURRENT.values():
        (configuration / "lsp").mkdir(parents=True)
        shutil.copy(ROOT / "editors/neovim/lsp/pybackend_lint.lua", configuration / "lsp")
        (configuration / "init.lua").write_text('vim.lsp.enable("pybackend_lint")\n')
    else:
        (configuration / "lua").mkdir(parents=True)
        shutil.copy(ROOT / "editors/neovim/pybackend_lint.lua", configuration / "lua")
        (configuration / "init.lua").write_text('require("pybackend_lint").setup()\n')
    open_file = (path, "--headless", "shop/schemas.py", "-S", str(SESSION))
    seen = report(tmp_path, home(tmp_path), "PB400", "Use `ConfigDict`", *open_file)
    assert seen["server"] == "pybackend_lint"
    ((code, row),) = [(found["code"], found["row"]) for found in seen["findings"]]
    assert (code, row) == ("PB400", 7)
    assert "    model_config = ConfigDict(frozen=True)" in seen["lines"]
    assert "class Config" not in "\n".join(seen["lines"])
    assert any("Disable PB400" in title for title in seen["titles"])


@pytest.mark.skipif(not CURRENT, reason="Neovim 0.11 or newer is not installed")
def test_settings_and_repair_on_save(tmp_path: Path) -> None:
    enable, settings, _, on_save = blocks("neovim.md", "lua")
    write(tmp_path, {"pyproject.toml": PYPROJECT, "shop/items.py": LEGACY})
    configuration = tmp_path / ".config" / "nvim"
    (configuration / "lsp").mkdir(parents=True)
    shutil.copy(ROOT / "editors/neovim/lsp/pybackend_lint.lua", configuration / "lsp")
    ignored = settings.replace("PB106", "PB429")
    (configuration / "init.lua").write_text(enable + ignored + on_save)
    (tmp_path / "save.lua").write_text(
        "vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 20)\n"
        'vim.cmd("write")\nvim.cmd("qall!")\n'
    )
    command = [CURRENT[max(CURRENT)], "--headless", "shop/items.py", "-S", "save.lua"]
    subprocess.run(command, cwd=tmp_path, env=home(tmp_path), timeout=120, check=True)
    assert (tmp_path / "shop" / "items.py").read_text() == LEGACY.replace("item.dict()", "item.model_dump()")


@pytest.mark.slow
@pytest.mark.skipif(not CURRENT, reason="Neovim 0.11 or newer is not installed")
def test_the_steps_for_newcomers(tmp_path: Path) -> None:
    copy_repository(tmp_path)
    shim = tmp_path / ".local" / "bin" / "nvim"
    shim.parent.mkdir(parents=True)
    shim.write_text(f'#!/bin/sh\nexec "{CURRENT[max(CURRENT)]}" --headless "$@" -S "{SESSION}"\n')
    shim.chmod(0o755)
    environment = home(tmp_path)
    environment["PATH"] = os.pathsep.join([str(shim.parent), environment["PATH"]])
    install, configure, open_file = steps("Neovim")
    for commands in (install, configure):
        subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, env=environment, timeout=600, check=True)
    seen = report(tmp_path, environment, "PB501", "Use `Session.get()`", "sh", "-e", "-c", open_file)
    assert {"PB501", "PB600"} <= {found["code"] for found in seen["findings"]}
    assert "    return session.get(Coupon, pk)" in seen["lines"]
