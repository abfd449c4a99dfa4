"""Code actions: the edits they make, in every encoding of positions."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lsprotocol import types

from pybackend_lint.source import Source
from pybackend_lint.suppression import Suppressions
from tests.lsp.editor import LAZY_EDITS, Editor, editor

pytestmark = pytest.mark.asyncio

PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["sqlalchemy>=2.0", "pydantic>=2.5"]\n'
TWO = """\
from sqlalchemy.orm import Session

from models import User


def load(session: Session, first: int, second: int) -> tuple[User | None, User | None]:
    return session.query(User).get(first), session.query(User).get(second)
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
FIXED = TWO.replace("session.query(User).get(first)", "session.get(User, first)").replace(
    "session.query(User).get(second)", "session.get(User, second)"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def encoding(name: str) -> dict[str, Any]:
    return {"general": {"positionEncodings": [name]}}


async def test_quick_fix_of_one_finding(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        client.open(path, TWO)
        first, second = await client.diagnostics(path)
        assert (first.code, second.code) == ("PB501", "PB501")
        actions = await client.actions(path, first.range, ["quickfix"])
        fixes = [action for action in actions.values() if action.is_preferred]
        (fix,) = fixes
        assert fix.kind == "quickfix"
        assert [item.range for item in fix.diagnostics or ()] == [first.range]
        assert client.edited(path, fix.edit) == TWO.replace(
            "session.query(User).get(first)", "session.get(User, first)"
        )
        (fix_all,) = [action for title, action in actions.items() if title.startswith("Fix all PB501")]
        assert client.edited(path, fix_all.edit) == FIXED
        assert not await client.actions(
            path, types.Range(types.Position(0, 0), types.Position(0, 0)), ["quickfix"]
        )


async def test_fix_all_on_save(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        client.open(path, TWO)
        for only in ("source.fixAll", "source.fixAll.pybackend-lint", "source"):
            (action,) = (await client.actions(path, None, [only])).values()
            assert action.kind == "source.fixAll.pybackend-lint"
            assert client.edited(path, action.edit) == FIXED
        assert not await client.actions(path, None, ["source.organizeImports"])
        client.write(path, FIXED)
        assert not await client.actions(path, None, ["source.fixAll"])


async def test_edits_that_are_asked_for_later(root: Path) -> None:
    path = root / "work.py"
    async with editor(root, capabilities=LAZY_EDITS) as client:
        client.open(path, TWO)
        actions = await client.actions(path)
        lazy = [action for action in actions.values() if action.edit is None and action.command is None]
        assert len(lazy) == 3  # the fix of the second finding has the title of the first
        (fix_all,) = [action for action in lazy if action.kind == "source.fixAll.pybackend-lint"]
        resolved = await client.code_action_resolve_async(fix_all)
        assert client.edited(path, resolved.edit) == FIXED
        client.write(path, "\n" + TWO)
        stale = await client.code_action_resolve_async(fix_all)
        assert stale.edit is None or client.edited(path, stale.edit) == "\n" + FIXED


ASTRAL = "# 😀🐍, ü\n"


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
async def test_positions_are_right_in_every_encoding(root: Path, name: str, newline: str) -> None:
    path = root / "work.py"
    text = (ASTRAL + TWO).replace("return session", 'return "😀ü", session').replace("\n", newline)
    fixed = (ASTRAL + FIXED).replace("return session", 'return "😀ü", session').replace("\n", newline)
    async with editor(root, capabilities=encoding(name)) as client:
        assert client.encoding == name
        client.open(path, newline)
        client.write(path, text.replace("return", "retürn"))
        client.replace(path, "retürn", "return")
        client.replace(path, '"😀ü", ', '"😀", "ü", ')
        client.replace(path, '"😀", "ü", ', '"😀ü", ')
        assert client.texts[path] == text
        found = await client.diagnostics(path, ["PB501", "PB501"])
        assert [client.marked(path, item) for item in found] == [
            "session.query(User).get(first)",
            "session.query(User).get(second)",
        ]
        (action,) = (await client.actions(path, None, ["source.fixAll"])).values()
        assert client.edited(path, action.edit) == fixed
        actions = await client.actions(path, found[0].range)
        (fix,) = [action for action in actions.values() if action.is_preferred]
        assert client.edited(path, fix.edit) == text.replace(
            "session.query(User).get(first)", "session.get(User, first)"
        )


FUNCTION = (
    "def load(session: Session, key: int) -> User | None:\n"
    '    "a😀b"; return session.query(User).get(key)\n\n\n'
)


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-32"])
async def test_many_changes_at_many_places_give_the_same_text(root: Path, name: str) -> None:
    path = root / "work.py"
    random = Random(name)
    header = "from sqlalchemy.orm import Session\nfrom models import User\n\n\n"
    async with editor(root, capabilities=encoding(name)) as client:
        client.open(path, header + FUNCTION * 9)

        def change(text: str) -> tuple[int, int, str]:
            if random.random() < 0.4:  # a new line between two functions
                at = random.choice([found.start() for found in re.finditer("def", text)])
                return at, at, random.choice(["\n", "\r\n", "\r", "\n\r", "# 🐍\r\n"])
            inside = random.choice([found.span(1) for found in re.finditer('"(.*?)"', text)])
            start, end = sorted(random.choices(range(inside[0], inside[1] + 1), k=2))
            return start, end, random.choice(["", "😀", "ü", "é🐍", "xyz", "\u2028"])

        for _ in range(60):
            client.splice(path, [change] * random.randint(1, 5))
        found = await client.diagnostics(path, ["PB501"] * 9)
        assert {client.marked(path, item) for item in found} == {"session.query(User).get(key)"}
        fixed = client.texts[path].replace("session.query(User).get(key)", "session.get(User, key)")
        (action,) = (await client.actions(path, None, ["source.fixAll"])).values()
        assert client.edited(path, action.edit) == fixed


async def test_the_default_encoding_is_utf_16(root: Path) -> None:
    async with editor(root) as client:
        assert client.answer.capabilities.position_encoding == types.PositionEncodingKind.Utf16
    async with editor(root, capabilities={"general": {"positionEncodings": ["utf-7", "utf-8"]}}) as client:
        assert client.encoding == "utf-8"


LINES = {
    "code": "    time.sleep(1)\n",
    "an end of the file": "    time.sleep(1)",
    "Windows": "    time.sleep(1)\r\n    return\r\n",
    "another tool's comment": "    time.sleep(1)  # type: ignore[x]\n",
    "a comment with codes": "    time.sleep(1)  # noqa: E501\n",
    "a comment with a reason": "    time.sleep(1)  # noqa: S101 (because)\n",
    "backslashes": "    time.sleep(1) or \\\n        None\n",
    "a string of many lines": '    time.sleep(len("""a\nb"""))\n',
    "inside of a string of many lines": '    print("""\n""", time.sleep(1), """\n""")\n',
    "brackets": "    print(\n        time.sleep(1),\n        2,\n    )\n",
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
async def test_disabling_a_finding_hides_it(root: Path, lines: str) -> None:
    path = root / "work.py"
    text = ("import time\n\n\nasync def wörk() -> None:\n" + lines).replace("\r\n", "\n")
    text = text.replace("\n", "\r\n") if "\r" in lines else text
    async with editor(root) as client:
        client.open(path, text)
        (found,) = await client.diagnostics(path, ["PB604"])
        actions = await client.actions(path, found.range)
        disable = actions["Disable PB604 for this line"]
        changed = client.edited(path, disable.edit)
        assert ("why?" in changed) == ("# noqa" not in text)
        client.write(path, changed)
        assert await client.codes(path) == []
        assert not Suppressions(Source("work.py", changed.encode())).unused([], {"PB600"})


FORGERY = """\
import httpx
from fastapi import FastAPI

app = FastAPI()


@app.get("/preview")
def preview(url: str) -> str:
    return httpx.get(url, timeout=3).text
"""


async def test_a_finding_without_a_fix_can_be_disabled(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        client.open(path, FORGERY)
        (found,) = await client.diagnostics(path, ["PB922"])
        disable, show = (await client.actions(path, found.range)).values()
        assert disable.title == "Disable PB922 for this line"
        assert show.title.startswith("Open the documentation of PB922")
        assert client.edited(path, disable.edit) == FORGERY.replace(").text", ").text  # noqa: PB922  (why?)")
        assert not await client.actions(path, None, ["source.fixAll"])


UNSAFE_PROJECT = '[project]\nname = "shop"\nversion = "1"\n'


async def test_unsafe_fixes_say_so_and_project_files_have_fixes(root: Path) -> None:
    path = root / "pyproject.toml"
    async with editor(root) as client:
        client.open(path, UNSAFE_PROJECT, language="toml")
        (found,) = await client.diagnostics(path, ["PB002"])
        actions = await client.actions(path, found.range)
        disable = actions.pop("Disable PB002 for this line")
        (fix,) = [action for action in actions.values() if action.edit is not None]
        assert "unsafe" in fix.title
        assert not fix.is_preferred
        for text in [client.edited(path, action.edit) for action in (disable, fix)]:
            client.write(path, text)
            assert await client.codes(path) == []
            client.write(path, UNSAFE_PROJECT)
            assert await client.codes(path) == ["PB002"]
        assert not await client.actions(path, None, ["source.fixAll"])


async def test_a_fix_removes_the_import_that_it_orphans(root: Path) -> None:
    path = root / "work.py"
    text = "import time\n\n\nasync def work() -> None:\n    time.sleep(1)\n"
    async with editor(root) as client:
        client.open(path, text)
        (found,) = await client.diagnostics(path, ["PB604"])
        fixes = [action for action in (await client.actions(path, found.range)).values() if action.edit]
        changed = client.edited(path, fixes[0].edit)
        assert "await asyncio.sleep(1)" in changed
        assert "import time" not in changed
        assert "import asyncio" in changed


async def test_documentation_is_opened(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        client.open(path, TWO)
        await client.diagnostics(path)
        show = (await client.actions(path))["Open the documentation of PB501 (query-get)"]
        assert show.command is not None
        text = await run(client, show.command)
        (shown,) = client.shown
        assert shown.take_focus
        assert text.startswith("# PB501: query-get")
        assert Path(shown.uri.removeprefix("file://")).read_text() == text
        assert (
            await client.workspace_execute_command_async(
                types.ExecuteCommandParams("pybackend-lint.openDocumentation", ["PB999"])
            )
            is None
        )
    no_documents = {"window": {"showDocument": {"support": False}}}
    async with editor(root, capabilities=no_documents) as client:
        await run(client, show.command)
        assert await client.until(lambda: [line for line in client.messages if "PB501 (query-get)" in line])


async def run(client: Editor, command: types.Command) -> str:
    params = types.ExecuteCommandParams(command.command, command.arguments)
    return str(await client.workspace_execute_command_async(params))
