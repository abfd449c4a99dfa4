"""Diagnostics of unsaved buffers: when they come, what they say, and what they rest on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import PULL, editor

pytestmark = pytest.mark.asyncio

PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
BLOCKING = "import time\n\n\nasync def work() -> None:\n    time.sleep(1)\n"
HARMLESS = "import time\n\n\ndef work() -> None:\n    time.sleep(1)\n"
HELPER = "import time\n\n\ndef pause() -> None:\n    time.sleep(1)\n"
CALLER = "from helper import pause\n\n\nasync def work() -> None:\n    pause()\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "work.py").write_text(BLOCKING)
    (folder / "helper.py").write_text(HELPER)
    (folder / "caller.py").write_text(CALLER)
    return folder


async def test_findings_follow_what_is_typed(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        sync = client.answer.capabilities.text_document_sync
        assert isinstance(sync, types.TextDocumentSyncOptions)
        assert sync.change == types.TextDocumentSyncKind.Incremental
        client.open(path)
        (found,) = await client.diagnostics(path)
        assert (found.code, found.source, found.severity) == (
            "PB604",
            "pybackend-lint",
            types.DiagnosticSeverity.Warning,
        )
        assert client.marked(path, found) == "time.sleep"
        client.replace(path, "async def", "def")
        assert await client.codes(path) == []
        client.write(path, "\n" + BLOCKING)
        (found,) = await client.diagnostics(path)
        assert client.marked(path, found) == "time.sleep"
        client.close(path)
        await client.diagnostics(path, [])
    assert path.read_text() == BLOCKING


async def test_a_saved_document_counts_when_it_is_closed(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "caller.py")
        client.open(root / "helper.py")
        await client.diagnostics(root / "caller.py", ["PB600"])
        client.replace(root / "helper.py", "time.sleep(1)", "return")
        await client.diagnostics(root / "caller.py", [])
        client.save(root / "helper.py")
        client.close(root / "helper.py")
        client.write(root / "caller.py", "\n" + CALLER)
        assert await client.codes(root / "caller.py") == []
        client.open(root / "helper.py")
        client.replace(root / "helper.py", "return", "time.sleep(1)")
        await client.diagnostics(root / "caller.py", ["PB600"])


async def test_many_small_changes_arrive_as_one_text(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        client.open(path, HARMLESS)
        for piece in "async ":
            text = client.texts[path]
            client.replace(path, "def", piece + "\0def")
            client.replace(path, "\0", "")
            assert client.texts[path] == text.replace("def", piece + "def")
        assert await client.codes(path) == ["PB604"]


async def test_unsaved_buffers_of_other_files_count(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "caller.py")
        (found,) = await client.diagnostics(root / "caller.py", ["PB600"])
        (related,) = found.related_information or ()
        assert related.location.uri == (root / "helper.py").as_uri()
        assert related.location.range.start == types.Position(4, 4)
        assert "time.sleep" in related.message
        client.open(root / "helper.py")
        client.replace(root / "helper.py", "time.sleep(1)", "return")
        await client.diagnostics(root / "caller.py", [])
        client.replace(root / "helper.py", "return", "time.sleep(2)")
        await client.diagnostics(root / "caller.py", ["PB600"])
        client.replace(root / "helper.py", "time.sleep(2)", "return")
        await client.diagnostics(root / "caller.py", [])
        client.close(root / "helper.py")  # without saving: the file counts again
        await client.diagnostics(root / "caller.py", ["PB600"])


BASE = "from pydantic import BaseModel\n\n\nclass Base(BaseModel):\n    pass\n"
ITEM = "from base import Base\n\n\nclass Item(Base):\n    name: str\n\n\ndef dump(item: Item) -> object:\n    return item.dict()\n"


async def test_a_base_class_in_another_buffer(root: Path) -> None:
    (root / "pyproject.toml").write_text(PROJECT + 'dependencies = ["pydantic>=2"]\n')
    (root / "base.py").write_text(BASE)
    (root / "item.py").write_text(ITEM)
    (root / "other.py").write_text(ITEM.replace("Item", "Other"))
    async with editor(root) as client:
        for name in ("item.py", "other.py", "base.py"):
            client.open(root / name)
        (deprecated,) = await client.codes(root / "item.py")
        for _ in range(3):
            client.replace(root / "base.py", "(BaseModel)", "")
            await client.diagnostics(root / "item.py", [])
            await client.diagnostics(root / "other.py", [])
            client.replace(root / "base.py", "class Base", "class Base(BaseModel)")
            await client.diagnostics(root / "item.py", [deprecated])
            await client.diagnostics(root / "other.py", [deprecated])


AUDIT = """
import os, sys
notes = open(sys.argv[1], "a", buffering=1)

def note(event, arguments):
    if event == "compile" and arguments[1] == "<unknown>":  # a tree is made
        notes.write("parsed\\n")
    elif event == "open" and str(arguments[0]).startswith(sys.argv[2]):
        notes.write(f"read {os.path.basename(arguments[0])}\\n")

sys.addaudithook(note)
"""
SERVE = """
from pybackend_lint.cli import main
sys.exit(main(["server"]))
"""


async def test_what_is_known_of_the_project_is_kept_while_one_types(root: Path, tmp_path: Path) -> None:
    (tmp_path / "audited.py").write_text(AUDIT + SERVE)
    notes = tmp_path / "notes.txt"
    modules = 100
    for number in range(modules):
        (root / f"module{number}.py").write_text(
            f"from caller import work\n\n\ndef run{number}() -> None:\n    pass\n"
        )
    command = (str(tmp_path / "audited.py"), str(notes), f"{root}/")
    async with editor(root, command=command) as client:
        client.open(root / "caller.py")
        client.open(root / "work.py")
        client.open(root / "helper.py")
        await client.diagnostics(root / "caller.py", ["PB600"])
        await client.diagnostics(root / "work.py", ["PB604"])  # who calls it? the whole project is read
        await client.diagnostics(root / "helper.py", [])
        before = notes.read_text().splitlines()
        assert {f"read module{number}.py" for number in range(modules)} <= set(before)
        rounds = 10
        for _ in range(rounds):
            client.replace(root / "helper.py", "time.sleep(1)", "return")
            await client.diagnostics(root / "caller.py", [])
            client.replace(root / "helper.py", "return", "time.sleep(1)")
            await client.diagnostics(root / "caller.py", ["PB600"])
            client.write(root / "work.py", "\n" + client.texts[root / "work.py"])
            await client.diagnostics(root / "work.py", ["PB604"])
        since = notes.read_text().splitlines()[len(before) :]
        assert [line for line in since if line.startswith("read") and line.endswith(".py")] == []
        assert 3 * rounds <= since.count("parsed") <= 2 * 3 * rounds


async def test_a_new_buffer_is_a_module(root: Path) -> None:
    (root / "helper.py").unlink()
    async with editor(root) as client:
        client.open(root / "caller.py")
        await client.diagnostics(root / "caller.py", [])
        client.open(root / "helper.py", HELPER)
        await client.diagnostics(root / "caller.py", ["PB600"])
        client.close(root / "helper.py")
        await client.diagnostics(root / "caller.py", [])


async def test_a_buffer_that_does_not_parse_keeps_its_last_facts(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "caller.py")
        client.open(root / "helper.py")
        await client.diagnostics(root / "caller.py", ["PB600"])
        client.replace(root / "helper.py", "time.sleep(1)", "time.sleep(")
        (found,) = await client.diagnostics(root / "helper.py", ["PB000"])
        assert found.severity == types.DiagnosticSeverity.Error
        client.write(root / "caller.py", "\n" + CALLER)
        await client.diagnostics(root / "caller.py", ["PB600"])
        client.replace(root / "helper.py", "time.sleep(", "return")
        await client.diagnostics(root / "helper.py", [])
        await client.diagnostics(root / "caller.py", [])


async def test_a_buffer_that_never_parsed(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "work.py", "def f(:\n")
        assert await client.codes(root / "work.py") == ["PB000"]
        client.open(root / "helper.py", "\udcff = 1\n".encode("utf-8", "replace").decode() + "x = (\n")
        assert await client.codes(root / "helper.py") == ["PB000"]
        client.open(root / "caller.py")  # what the file on disk says holds for others
        assert await client.codes(root / "caller.py") == ["PB600"]
        client.close(root / "helper.py")
        client.write(root / "caller.py", "\n" + CALLER)
        assert await client.codes(root / "caller.py") == ["PB600"]


DIFFICULT = {
    "deep brackets": "x = " + "[" * 5_000 + "]" * 5_000 + "\n",
    "a deep expression": "x = " + "-" * 20_000 + "1\n",
    "a long sum": "x = " + " + ".join(["y"] * 5_000) + "\n",
    "long attributes": "x = y" + ".z" * 5_000 + "\n",
    "deep blocks": "".join(" " * level + "if x:\n" for level in range(99)) + " " * 99 + "pass\n",
    "a null character": "x = '\0'\n",
    "a lonely surrogate": "x = '\ud83d'\n",
    "a byte order mark": "\ufeffx = 1\n",
    "a wrong encoding": "# coding: nonsense\nx = 1\n",
    "form feeds and separators": "x = 1\f\n\f\ny = '\x1c\u2028'\n",
    "nothing": "",
}


async def test_difficult_texts_do_not_end_the_session(root: Path) -> None:
    path = root / "work.py"
    async with editor(root) as client:
        client.open(path, HARMLESS)
        for text in DIFFICULT.values():
            client.write(path, text + HARMLESS)
            await client.diagnostics(path)
            client.write(path, BLOCKING)
            await client.diagnostics(path, ["PB604"])
        assert client.messages == []


async def test_pyproject_toml_has_findings_of_its_own(root: Path) -> None:
    path = root / "pyproject.toml"
    async with editor(root) as client:
        client.open(path, language="toml")
        assert await client.codes(path) == []
        client.replace(path, 'requires-python = ">=3.11"\n', "")
        (found,) = await client.diagnostics(path, ["PB002"])
        assert client.marked(path, found)
        client.write(path, "[project\n")
        assert await client.codes(path) == []


async def test_excluded_and_foreign_documents_have_no_findings(root: Path) -> None:
    (root / "venv").mkdir()
    (root / "notes.txt").write_text(BLOCKING)
    async with editor(root) as client:
        client.open(root / "venv" / "work.py", BLOCKING)
        assert await client.codes(root / "venv" / "work.py") == []
        client.open(root / "notes.txt", language="plaintext")
        client.open(root / "work.py")
        assert await client.codes(root / "work.py") == ["PB604"]
        assert (root / "notes.txt").as_uri() not in client.published


async def test_suppressions_and_settings_hold(root: Path) -> None:
    (root / "pyproject.toml").write_text(PROJECT + '[tool.pybackend-lint]\nignore = ["PB600"]\n')
    async with editor(root) as client:
        client.open(root / "caller.py")
        assert await client.codes(root / "caller.py") == []
        client.open(root / "work.py", BLOCKING.replace("sleep(1)", "sleep(1)  # noqa: PB604"))
        assert await client.codes(root / "work.py") == []


DEPRECATED = """\
from pydantic import BaseModel


class Item(BaseModel):
    name: str


def dump(item: Item) -> dict[str, str]:
    return item.dict()
"""


async def test_tags(root: Path) -> None:
    path = root / "models.py"
    async with editor(root) as client:
        client.open(path, DEPRECATED)
        found = await client.diagnostics(path)
        assert [list(item.tags or ()) for item in found] == [[types.DiagnosticTag.Deprecated]]
        (root / "pyproject.toml").write_text(PROJECT + 'dependencies = ["django>=5.2"]\n')
        client.touch((root / "pyproject.toml", types.FileChangeType.Changed))
        settings = root / "settings.py"
        client.open(
            settings, 'INSTALLED_APPS = ["django.contrib.auth"]\nROOT_URLCONF = "urls"\nUSE_L10N = True\n'
        )
        (found,) = await client.diagnostics(settings, ["PB254"])
        assert set(found.tags or ()) == {types.DiagnosticTag.Deprecated, types.DiagnosticTag.Unnecessary}
        assert client.marked(settings, found) == "USE_L10N"


async def test_codes_are_links_to_the_pages_of_their_rules(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "caller.py")
        (found,) = await client.diagnostics(root / "caller.py", ["PB600"])
        assert found.code_description is not None
        page = Path(found.code_description.href.removeprefix("file://"))
        assert page.read_text().startswith("# PB600: ")
    assert not page.exists()
    plain = {
        "textDocument": {"publishDiagnostics": {"relatedInformation": False, "codeDescriptionSupport": False}}
    }
    async with editor(root, capabilities=plain) as client:
        client.open(root / "caller.py")
        (found,) = await client.diagnostics(root / "caller.py", ["PB600"])
        assert (found.code_description, found.related_information) == (None, None)


async def test_documents_outside_of_all_folders(root: Path, tmp_path: Path) -> None:
    async with editor(root) as client:
        client.open(tmp_path / "alone.py", BLOCKING)
        assert await client.codes(tmp_path / "alone.py") == ["PB604"]
    async with editor() as client:
        client.open(tmp_path / "alone.py", BLOCKING)
        assert await client.codes(tmp_path / "alone.py") == ["PB604"]


async def test_a_file_of_ten_thousand_lines(root: Path) -> None:
    path = root / "long.py"
    filler = "".join(f"def f{n}(a: int) -> int:\n    return a + {n}\n\n\n" for n in range(2_500))
    async with editor(root) as client:
        client.open(path, filler + BLOCKING)
        (found,) = await client.diagnostics(path)
        assert found.range.start == types.Position(10_004, 4)
        for number in range(20):  # each supersedes the check of the one before it
            client.replace(path, f"def f{number}(a: int)", f"def g{number}(a: int)")
        client.replace(path, "async def work", "def work")
        assert await client.codes(path) == []
        checked = [item.version for item in client.published[path.as_uri()]]
        assert checked[-1] == 22
        assert len(checked) < 15


async def test_pulled_diagnostics(root: Path) -> None:
    path = root / "caller.py"
    async with editor(root, capabilities=PULL) as client:
        provider = client.answer.capabilities.diagnostic_provider
        assert provider is not None
        assert provider.inter_file_dependencies
        client.open(path)

        async def pull(previous: str | None = None) -> object:
            params = types.DocumentDiagnosticParams(client.identity(path), previous_result_id=previous)
            return await client.text_document_diagnostic_async(params)

        full = await pull()
        assert isinstance(full, types.RelatedFullDocumentDiagnosticReport)
        assert [item.code for item in full.items] == ["PB600"]
        same = await pull(full.result_id)
        assert isinstance(same, types.RelatedUnchangedDocumentDiagnosticReport)
        client.replace(path, "async def", "def")
        changed = await pull(full.result_id)
        assert isinstance(changed, types.RelatedFullDocumentDiagnosticReport)
        assert not changed.items
        client.replace(path, "def work", "async def work")
        await pull()
        client.open(root / "helper.py")
        client.replace(root / "helper.py", "time.sleep(1)", "return")
        await client.until(lambda: client.refreshes)
        other = await pull()
        assert isinstance(other, types.RelatedFullDocumentDiagnosticReport)
        assert not other.items
        assert all(not item.diagnostics for told in client.published.values() for item in told)


async def test_pulled_diagnostics_of_the_workspace(root: Path) -> None:
    async with editor(root, capabilities=PULL) as client:

        async def pull(known: list[types.PreviousResultId]) -> list[types.WorkspaceDocumentDiagnosticReport]:
            report = await client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(known))
            return list(report.items)

        reports = await pull([])
        assert {Path(item.uri).name for item in reports} == {"caller.py", "work.py"}
        known = [types.PreviousResultId(item.uri, item.result_id or "") for item in reports]
        waiting = asyncio.ensure_future(pull(known))
        await asyncio.sleep(0.3)
        assert not waiting.done()  # nothing is new
        client.open(root / "helper.py")
        client.replace(root / "helper.py", "time.sleep(1)", "return")
        (changed,) = await asyncio.wait_for(waiting, 20)
        assert changed.uri == (root / "caller.py").as_uri()
        assert isinstance(changed, types.WorkspaceFullDocumentDiagnosticReport)
        assert not changed.items


async def test_no_file_is_both_told_of_and_pulled(root: Path) -> None:
    check = types.ExecuteCommandParams("pybackend-lint.checkWorkspace")
    caller = (root / "caller.py").as_uri()
    async with editor(root, capabilities=PULL) as client:
        await client.workspace_execute_command_async(check)
        assert [bool(told.diagnostics) for told in client.published[caller]] == [True]
        await client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams([]))
        await client.workspace_execute_command_async(check)
        assert [bool(told.diagnostics) for told in client.published[caller]] == [True, False]


async def test_a_pulled_workspace_comes_in_parts(root: Path) -> None:
    async with editor(root, capabilities=PULL) as client:
        params = types.WorkspaceDiagnosticParams([], partial_result_token="parts")
        report = await client.workspace_diagnostic_async(params)
        assert not report.items  # all of them were in the parts
        told = [client.protocol._converter.unstructure(value) for value in client.progress]
        uris = [item["uri"] for part in told for item in part["items"]]
        assert sorted(uris) == [(root / name).as_uri() for name in ("caller.py", "work.py")]


async def test_the_first_findings_do_not_wait_for_the_whole_project(root: Path) -> None:
    for number in range(150):
        (root / f"module{number}.py").write_text(HARMLESS)
    async with editor(root) as client:
        client.open(root / "work.py", BLOCKING + "\n\nasync def other() -> None:\n    work()\n")
        await client.until(lambda: len(client.published.get((root / "work.py").as_uri(), [])) > 1)
        first, second = client.published[(root / "work.py").as_uri()]
        assert [found.code for found in first.diagnostics] == ["PB607"]
        assert sorted(str(found.code) for found in second.diagnostics) == ["PB604", "PB607"]
        client.close(root / "work.py")
        client.open(root / "caller.py")
        await client.diagnostics(root / "caller.py", ["PB600"])
        assert len(client.published[(root / "caller.py").as_uri()]) == 1  # the project is known by now
