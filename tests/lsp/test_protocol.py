"""The session itself: its end, what is no message, cancelled requests, failing rules, memory."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from tests.lsp.editor import editor
from tests.lsp.test_diagnostics import AUDIT, BLOCKING, HARMLESS, SERVE

pytestmark = pytest.mark.asyncio
REPOSITORY = Path(__file__).parents[2]


def message(**content: Any) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


INITIALIZE = message(
    id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}}
)
SHUTDOWN = message(id=9, method="shutdown")
EXIT = message(method="exit")


def talk(*messages: bytes) -> tuple[int, list[dict[str, Any]]]:
    """What the server answers to these bytes before it ends, and its exit code."""
    result = subprocess.run(
        [sys.executable, "-m", "pybackend_lint", "server"],
        input=b"".join(messages),
        capture_output=True,
        timeout=300,
        check=False,
        cwd=REPOSITORY,
    )
    rest = result.stdout
    answers = []
    while rest:
        header, _, rest = rest.partition(b"\r\n\r\n")
        length = int(header.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        answers.append(json.loads(rest[:length]))
        rest = rest[length:]
    return result.returncode, answers


async def test_exit_codes() -> None:
    assert talk(INITIALIZE, SHUTDOWN, EXIT)[0] == 0
    assert talk(INITIALIZE, EXIT)[0] == 1
    assert talk(EXIT)[0] == 1
    assert talk(INITIALIZE)[0] == 1  # the client is gone
    assert talk()[0] == 1
    assert talk(INITIALIZE, SHUTDOWN[:-5])[0] == 1  # in the middle of a message


CLIENT = """
import subprocess, sys, time
server = subprocess.Popen([sys.executable, "-m", "pybackend_lint", "server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
server.stdin.write(bytes.fromhex(sys.argv[1]))
server.stdin.flush()
server.stdout.readline()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs to see another process end")
async def test_the_server_ends_when_its_client_is_killed(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"module{number}.py").write_text(BLOCKING * 20)
    root = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
    command = {"command": "pybackend-lint.checkWorkspace", "arguments": []}
    busy = [
        message(id=1, method="initialize", params=root),
        message(method="initialized", params={}),
        message(id=2, method="workspace/executeCommand", params=command),
    ]
    for sent in (INITIALIZE, b"".join(busy)):
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT, sent.hex()], stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        assert client.stdout is not None
        server = int(client.stdout.readline())
        client.kill()
        client.wait()
        client.stdout.close()
        async with asyncio.timeout(20):
            while is_running(server):
                await asyncio.sleep(0.05)


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
async def test_the_server_ends_in_order_when_it_is_told_by_a_signal(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pybackend_lint", "server",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=REPOSITORY,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stderr is not None
    links = {"textDocument": {"publishDiagnostics": {"codeDescriptionSupport": True}}}
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": BLOCKING}
    server.stdin.write(
        message(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": links})
        + message(method="initialized", params={})
        + message(method="textDocument/didOpen", params={"textDocument": document})
    )
    told = (await asyncio.wait_for(server.stdout.readuntil(b"PB604-"), 20)).decode()
    pages = Path(told.rpartition("file://")[2]).parent
    assert pages.is_dir()
    server.terminate()
    assert await asyncio.wait_for(server.wait(), 20) == 1
    assert await server.stderr.read() == b""
    assert not pages.exists()


def errors(answers: list[dict[str, Any]]) -> dict[Any, int]:
    return {answer["id"]: answer["error"]["code"] for answer in answers if "error" in answer}


async def test_the_end_gives_up_requests_without_answer() -> None:
    command = {"command": "pybackend-lint.checkWorkspace", "arguments": []}
    busy = [message(id=number, method="workspace/executeCommand", params=command) for number in range(2, 6)]
    code, answers = talk(INITIALIZE, message(method="initialized", params={}), *busy, SHUTDOWN, EXIT)
    assert code == 0
    (last,) = (answer for answer in answers if answer.get("id") == 9)
    assert last.get("error") is None


async def test_requests_at_the_wrong_time() -> None:
    hover = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}
    early = message(id=5, method="textDocument/hover", params=hover)
    late = message(id=6, method="textDocument/hover", params=hover)
    code, answers = talk(early, INITIALIZE, INITIALIZE.replace(b'"id": 1', b'"id": 2'), SHUTDOWN, late, EXIT)
    assert code == 0
    assert errors(answers) == {5: -32002, 2: -32600, 6: -32600}
    assert [answer["id"] for answer in answers if "result" in answer] == [1, 9]


async def test_what_is_no_message() -> None:
    nonsense = [
        framed(b"{"),
        framed(b"[]"),
        framed(b"\xff\xfe"),
        framed(b'{"jsonrpc": "1.0", "id": 3, "method": "shutdown"}'),
        framed(b"[" * 100_000),
        framed(b'{"jsonrpc": "2.0", "id": 3, "method": ["shutdown"]}'),
        framed(b'{"jsonrpc": "2.0", "id": {}, "method": "shutdown"}'),
        b"nonsense\r\n\r\n",
        b"Content-Length: many\r\n\r\n{}",
        b"content-length: 2\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n{}",
        message(method="textDocument/didOpen", params={"textDocument": 3}),
        message(
            method="textDocument/didChange",
            params={"textDocument": {"uri": "file:///x.py", "version": 1}, "contentChanges": []},
        ),
        message(method="textDocument/didOpen", params=None),
        message(method="no/such/notification", params=[1]),
        message(method="$/no/such", params={}),
        message(id="a", result=None),
        message(id="b", error={"code": 1, "message": "no"}),
        message(method="$/cancelRequest", params={"id": 77}),
        message(id=4, method="no/such/request"),
        message(id=5, method="textDocument/hover", params={"position": "here"}),
    ]
    code, answers = talk(INITIALIZE, *nonsense, SHUTDOWN, EXIT)
    assert code == 0
    assert errors(answers) == {None: -32600, 4: -32601, 5: -32602}
    assert [answer["id"] for answer in answers if "result" in answer] == [1, 9]


@pytest.mark.parametrize("command", ["no.such", "pybackend-lint.openDocumentation"])
async def test_commands_that_cannot_be_run(command: str) -> None:
    async with editor() as client:
        with pytest.raises(JsonRpcInvalidParams):
            await client.workspace_execute_command_async(types.ExecuteCommandParams(command, []))


async def test_positions_outside_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    async with editor(tmp_path) as client:
        client.open(path, BLOCKING)
        far = types.Range(types.Position(4_000, 7), types.Position(5_000, 9))
        assert await client.actions(path, far) is not None
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(2, path.as_uri()),
                [types.TextDocumentContentChangePartial(far, "\nx = 1\n")],
            )
        )
        client.versions[path] = 2
        client.texts[path] = BLOCKING + "\nx = 1\n"
        assert await client.codes(path) == ["PB604"]
        client.replace(path, "async def", "def")
        assert await client.codes(path) == []


async def test_requests_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    function = (
        "def f{0}(session: Session, key: int) -> User | None:\n    return session.query(User).get(key)\n\n\n"
    )
    text = "from sqlalchemy.orm import Session\nfrom models import User\n\n\n"
    text += "".join(function.format(number) for number in range(1_500))
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["sqlalchemy>=2"]\n')
    (tmp_path / "models.py").write_text(
        "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): pass\nclass User(Base): __tablename__ = 'u'\n"
    )
    async with editor(tmp_path) as client:
        client.open(path, text)
        params = types.CodeActionParams(
            client.identity(path),
            types.Range(types.Position(0, 0), types.Position(0, 0)),
            types.CodeActionContext([], ["source.fixAll"]),
        )
        request = client.protocol.send_request("textDocument/codeAction", params, msg_id="to-cancel")
        client.cancel_request(types.CancelParams("to-cancel"))
        with pytest.raises(Exception, match="cancel"):
            await asyncio.wait_for(asyncio.wrap_future(request), 20)
        client.write(path, BLOCKING)
        assert await client.codes(path) == ["PB604"]


async def test_fast_typing_never_queues_work(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    async with editor(tmp_path) as client:
        client.open(path, HARMLESS + "x = 0\n")
        await client.diagnostics(path)
        for number in range(500):
            client.write(path, HARMLESS + f"x = {number}\n")
        client.write(path, BLOCKING)
        assert await client.codes(path) == ["PB604"]
        versions = [told.version for told in client.published[path.as_uri()]]
        assert versions == sorted(set(versions), key=lambda version: version or 0)
        assert versions[-1] == 502
        assert len(versions) < 400


BROKEN_RULE = """
import sys
from dataclasses import replace
from pybackend_lint.rules.asyncio import await_on_sync as broken


def check(node, ctx):
    raise RuntimeError("out of order")


broken.check = replace(broken.check, check=check)
"""


async def test_a_rule_that_fails_is_told_once_and_the_others_go_on(tmp_path: Path) -> None:
    script = tmp_path / "broken_server.py"
    script.write_text(BROKEN_RULE + SERVE)
    text = "import time\n\n\nasync def work() -> None:\n    await print()\n    time.sleep(1)\n"
    async with editor(tmp_path, command=(os.fspath(script),)) as client:
        for name in ("one.py", "two.py"):
            client.open(tmp_path / name, text)
            assert "PB604" in await client.codes(tmp_path / name)
        client.write(tmp_path / "one.py", "\n" + text)
        assert "PB604" in await client.codes(tmp_path / "one.py")
        assert len(client.messages) == 1
        assert "out of order" in client.messages[0]
        assert len(client.logged) >= 3


async def test_a_rule_that_fails_costs_no_knowledge(tmp_path: Path) -> None:
    root, script, notes = tmp_path / "shop", tmp_path / "broken_server.py", tmp_path / "notes.txt"
    script.write_text(AUDIT + BROKEN_RULE + SERVE)
    root.mkdir()
    (root / "base.py").write_text("class Base:\n    pass\n")
    text = "from base import Base\n\n\nclass Item(Base):\n    async def work(self) -> None:\n        await print()\n"
    for number in range(20):
        (root / f"module{number}.py").write_text(text)
    async with editor(root, command=(os.fspath(script), os.fspath(notes), f"{root}/")) as client:
        command = types.ExecuteCommandParams("pybackend-lint.checkWorkspace")
        result = await client.workspace_execute_command_async(command)
        assert result["files"] == 21
        assert len(client.messages) == 1
    assert notes.read_text().count("read base.py") < 10  # not once for each file


def resident(process: int) -> int:
    """The memory of a process in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs the memory of another process")
async def test_memory_stays_flat_over_many_edits(tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    text = "from django.db import models\n\n\n" + "".join(
        f"class Model{number}(models.Model):\n    name = models.CharField(max_length=9)\n\n"
        f"    def other(self):\n        return Model{number}.objects.filter(name=self.name)\n\n\n"
        for number in range(40)
    )
    async with editor(tmp_path) as client:
        client.open(path, text)
        client.open(
            tmp_path / "views.py",
            "from models import Model1\n\n\ndef f():\n    return Model1.objects.all()\n",
        )
        assert client._server is not None
        sizes = []
        for number in range(400):
            client.write(path, text + f"x = {number}\n")
            await client.codes(path)
            if number >= 150 and number % 50 == 0:
                sizes.append(resident(client._server.pid))
        assert sizes[-1] < sizes[0] * 1.05 + 2_000_000, sizes


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs the memory of another process")
async def test_nothing_is_kept_of_ten_thousand_messages(tmp_path: Path) -> None:
    path = tmp_path / "work.py"
    async with editor(tmp_path) as client:
        client.open(path, HARMLESS)
        assert client._server is not None
        sizes = []
        for number in range(10_000):
            client.write(path, HARMLESS + f"x = {number % 9}\n")
            if number % 500 == 499:
                await client.codes(path)
                sizes.append(resident(client._server.pid))
        assert sizes[-1] < sizes[4] + 5_000_000, sizes


async def test_the_extra_is_named_when_it_is_missing(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError('no', name='pygls')\n")
    result = subprocess.run(
        [sys.executable, "-m", "pybackend_lint", "server"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: pygls is missing; install pybackend-lint[lsp]\n"
