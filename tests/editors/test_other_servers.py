"""Through python-lsp-server, nvim-lint and ALE, set up by docs/editors/other-servers.md."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from tests.editors.pages import blocks
from tests.editors.test_neovim import CURRENT, NEOVIMS, home
from tests.processes import JOBS, PYPROJECT, SCHEMAS, write

PAGE = "other-servers.md"
ALE = Path("/usr/share/vim-ale")
NVIM_LINT = os.environ.get("NVIM_LINT", "")


@pytest.mark.skipif(importlib.util.find_spec("pylsp") is None, reason="python-lsp-server is not installed")
@pytest.mark.parametrize(
    ("position", "source", "code"),
    [(0, "flake8", "PB604"), (1, "pylint", "W9604")],
    ids=["flake8", "pylint"],
)
def test_python_lsp_server(tmp_path: Path, position: int, source: str, code: str) -> None:
    from pylsp_jsonrpc.endpoint import Endpoint
    from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

    settings: dict[str, Any] = json.loads(blocks(PAGE, "json")[position])
    write(tmp_path, {"pyproject.toml": PYPROJECT, "shop/jobs.py": JOBS})
    document = {"uri": (tmp_path / "shop" / "jobs.py").as_uri()}
    told: Queue[list[dict[str, Any]]] = Queue()

    def until(condition: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        while True:
            found = [item for item in told.get(timeout=60) if item["code"] == code]
            if condition(found):
                return found

    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # it looks for flake8 there
    server = subprocess.Popen(
        [sys.executable, "-m", "pylsp"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        handlers = {
            "textDocument/publishDiagnostics": lambda params: told.put(params["diagnostics"]),
            "window/workDoneProgress/create": lambda params: None,
            "workspace/configuration": lambda params: [settings["pylsp"]],
        }
        client = Endpoint(handlers, JsonRpcStreamWriter(server.stdin).write)
        reader = JsonRpcStreamReader(server.stdout)
        Thread(target=reader.listen, args=(client.consume,), daemon=True).start()
        client.request("initialize", {"rootUri": tmp_path.as_uri(), "capabilities": {}}).result(60)
        client.notify("initialized", {})
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        opened = {**document, "languageId": "python", "version": 1, "text": JOBS}
        client.notify("textDocument/didOpen", {"textDocument": opened})
        client.notify("textDocument/didSave", {"textDocument": document})
        (found,) = until(bool)
        assert found["source"] == source
        assert found["range"]["start"] == {"line": 4, "character": 4}
        if source == "flake8":  # the text in the editor, not the saved one
            change = {
                "textDocument": {**document, "version": 2},
                "contentChanges": [{"text": JOBS.replace("time.sleep(1)", "pass")}],
            }
            client.notify("textDocument/didChange", change)
            until(lambda found: not found)
        client.request("shutdown").result(60)
        client.notify("exit")
        assert server.wait(60) == 0
    finally:
        server.kill()


def seen_in(program: str, folder: Path, setup: list[str], findings: str) -> Any:
    """What an expression says about the findings in an open file, when there are any."""
    write(folder, {"pyproject.toml": PYPROJECT, "shop/schemas.py": SCHEMAS, "shop/jobs.py": JOBS})
    script = folder / "wait.lua"
    script.write_text(
        f"vim.wait(30000, function() return #({findings}) > 0 end, 50)\n"
        f'vim.fn.writefile({{ vim.fn.json_encode({findings}) }}, "seen.json")\nvim.cmd("qall!")\n'
    )
    command = [program, "--headless", *setup, "shop/jobs.py", "-S", str(script)]
    subprocess.run(command, cwd=folder, env=home(folder), timeout=120, check=True)
    return json.loads((folder / "seen.json").read_text())


@pytest.mark.skipif(not NEOVIMS or not ALE.exists(), reason="Neovim and Debian's vim-ale are not installed")
def test_ale(tmp_path: Path) -> None:
    (configuration,) = blocks(PAGE, "vim")
    (tmp_path / "ale.vim").write_text(f"set runtimepath+={ALE}\nfiletype plugin on\n{configuration}")
    setup = ["-u", "ale.vim"]
    findings = "vim.fn['ale#engine#GetLoclist'](vim.api.nvim_get_current_buf())"
    (found,) = seen_in(NEOVIMS[min(NEOVIMS)], tmp_path, setup, findings)
    assert (found["code"], found["lnum"], found["col"], found["end_col"]) == ("PB604", 5, 5, 14)
    assert found["linter_name"] == "pybackend_lint"


@pytest.mark.skipif(
    not CURRENT or not NVIM_LINT, reason="needs Neovim, and nvim-lint in the folder NVIM_LINT"
)
def test_nvim_lint(tmp_path: Path) -> None:
    (configuration,) = blocks(PAGE, "lua")
    (tmp_path / "lint.lua").write_text(configuration)
    setup = ["--cmd", f"set runtimepath+={NVIM_LINT}", "-u", "lint.lua"]
    (found,) = seen_in(CURRENT[max(CURRENT)], tmp_path, setup, "vim.diagnostic.get(0)")
    assert (found["code"], found["lnum"], found["col"], found["end_col"]) == ("PB604", 4, 4, 14)


def test_the_blocks_are_on_the_page() -> None:
    assert [len(blocks(PAGE, language)) for language in ("json", "lua", "vim")] == [2, 1, 1]
