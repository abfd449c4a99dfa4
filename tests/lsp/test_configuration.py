"""Configuration: the client's settings, pyproject.toml, several roots, and changes of files on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.lsp.editor import editor
from tests.lsp.test_diagnostics import BLOCKING, CALLER, DEPRECATED, HARMLESS, HELPER, PROJECT
from tests.processes import write

pytestmark = pytest.mark.asyncio

CHANGED, CREATED, DELETED = (
    types.FileChangeType.Changed,
    types.FileChangeType.Created,
    types.FileChangeType.Deleted,
)
NO_CONFIGURATION: dict[str, Any] = {
    "workspace": {"configuration": False, "didChangeWatchedFiles": {"dynamicRegistration": False}}
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path / "shop")


def project(folder: Path, table: str = "") -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT + table)
    (folder / "work.py").write_text(BLOCKING)
    (folder / "helper.py").write_text(HELPER)
    (folder / "caller.py").write_text(CALLER)
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        {"ignore": ["PB604"]},
        {"extendIgnore": ["blocking-sleep-or-wait-in-async"]},
        {"select": ["PB1"]},
        {"perFileIgnores": {"work.py": ["PB6"]}},
        {"pybackend-lint": {"extend-exclude": ["work.py"]}},
    ],
    ids=str,
)
async def test_settings_of_the_client(root: Path, settings: dict[str, Any]) -> None:
    async with editor(root, options=settings, capabilities=NO_CONFIGURATION) as client:
        client.open(root / "work.py")
        assert await client.codes(root / "work.py") == []
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams({}))
        await client.diagnostics(root / "work.py", ["PB604"])
        client.workspace_did_change_configuration(
            types.DidChangeConfigurationParams({"pybackend-lint": settings})
        )
        await client.diagnostics(root / "work.py", [])


@pytest.mark.parametrize("asked", [True, False])
async def test_settings_of_the_client_without_a_folder(root: Path, *, asked: bool) -> None:
    (root / "pyproject.toml").unlink()
    settings = {"ignore": ["PB604"]}
    async with editor(
        options=None if asked else settings,
        settings={"": settings} if asked else None,
        capabilities=None if asked else NO_CONFIGURATION,
    ) as client:
        client.open(root / "work.py")
        await client.diagnostics(root / "work.py", [])


async def test_settings_are_asked_for(root: Path) -> None:
    async with editor(root, settings={"": {"ignore": ["PB604"]}}) as client:
        client.open(root / "work.py")
        await client.diagnostics(root / "work.py", [])
        client.settings[""] = {"severity": {"PB6": "hint", "PB604": "error"}}
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
        (found,) = await client.diagnostics(root / "work.py", ["PB604"])
        assert found.severity == types.DiagnosticSeverity.Error
        client.open(root / "caller.py")
        (found,) = await client.diagnostics(root / "caller.py", ["PB600"])
        assert found.severity == types.DiagnosticSeverity.Hint


async def test_wrong_settings_are_told_once_and_the_others_hold(root: Path) -> None:
    settings = {"ignore": ["PB604"], "select": ["nonsense"], "severity": {"PB1": "grave"}}
    async with editor(root, options=settings, capabilities=NO_CONFIGURATION) as client:
        client.open(root / "work.py")
        assert await client.codes(root / "work.py") == []
        assert len(client.messages) == 2
        assert any("nonsense" in line for line in client.messages)


async def test_two_roots_have_settings_of_their_own(tmp_path: Path) -> None:
    one = project(tmp_path / "one", '[tool.pybackend-lint]\nignore = ["PB604"]\n')
    two, three = project(tmp_path / "two"), project(tmp_path / "three")
    (two / "helper.py").write_text("def pause() -> None:\n    pass\n")
    settings = {str(three): {"ignore": ["PB600"]}}
    async with editor(one, two, settings=settings) as client:
        for folder in (one, two, three):
            for name in ("work.py", "caller.py"):
                client.open(folder / name)
        await client.diagnostics(one / "work.py", [])
        await client.diagnostics(one / "caller.py", ["PB600"])
        await client.diagnostics(two / "work.py", ["PB604"])
        await client.diagnostics(two / "caller.py", [])
        await client.diagnostics(three / "caller.py", ["PB600"])
        added = types.WorkspaceFolder(three.as_uri(), "three")
        removed = types.WorkspaceFolder(two.as_uri(), "two")
        client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(types.WorkspaceFoldersChangeEvent([added], [removed]))
        )
        await client.diagnostics(three / "caller.py", [])
        await client.diagnostics(two / "work.py", ["PB604"])


async def test_a_new_root_counts_for_what_is_open(tmp_path: Path) -> None:
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    (two / "lint.toml").write_text('[tool.pybackend-lint]\nignore = ["PB604"]\n')
    (two / "sub").mkdir()
    async with editor(one, options={"configuration": "lint.toml"}) as client:
        client.open(two / "sub" / "work.py", BLOCKING)
        await client.diagnostics(two / "sub" / "work.py", ["PB604"])
        added = types.WorkspaceFolder(two.as_uri(), "two")
        client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(types.WorkspaceFoldersChangeEvent([added], []))
        )
        await client.diagnostics(two / "sub" / "work.py", [])


async def test_the_innermost_root_counts(tmp_path: Path) -> None:
    outer = project(tmp_path / "outer")
    inner = project(outer / "inner", '[tool.pybackend-lint]\nextend-ignore = ["PB600"]\n')
    settings = {str(outer): {"severity": {"PB6": "hint"}}, str(inner): {"severity": {"PB6": "error"}}}
    async with editor(outer, inner, settings=settings) as client:
        for folder in (outer, inner):
            client.open(folder / "work.py")
        client.open(inner / "caller.py")

        def severities(folder: Path) -> list[types.DiagnosticSeverity | None]:
            told = client.published.get((folder / "work.py").as_uri())
            return [item.severity for item in told[-1].diagnostics] if told else []

        await client.until(lambda: severities(outer) == [types.DiagnosticSeverity.Hint])
        await client.until(lambda: severities(inner) == [types.DiagnosticSeverity.Error])
        await client.diagnostics(inner / "caller.py", [])


async def test_files_are_watched(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "caller.py")
        client.open(root / "work.py")
        await client.diagnostics(root / "caller.py", ["PB600"])
        (watched,) = await client.until(
            lambda: [
                item for item in client.registrations if item.method == "workspace/didChangeWatchedFiles"
            ]
        )
        options = client.protocol._converter.unstructure(watched.register_options)
        assert any("pyproject.toml" in str(watcher) for watcher in options["watchers"])
        (root / "helper.py").write_text("def pause() -> None:\n    pass\n")
        client.touch((root / "helper.py", CHANGED))
        await client.diagnostics(root / "caller.py", [])
        (root / "helper.py").write_text(HELPER)
        client.touch((root / "helper.py", CHANGED))
        await client.diagnostics(root / "caller.py", ["PB600"])
        (root / "helper.py").unlink()
        client.touch((root / "helper.py", DELETED))
        await client.diagnostics(root / "caller.py", [])
        (root / "helper.py").write_text(HELPER)
        client.touch((root / "helper.py", CREATED))
        await client.diagnostics(root / "caller.py", ["PB600"])
        (root / "helper").mkdir()
        (root / "helper" / "__init__.py").write_text("def pause() -> None:\n    pass\n")
        client.touch((root / "helper" / "__init__.py", CREATED))
        await client.diagnostics(root / "caller.py", [])
        client.touch(*((root / f"{number}.py", CREATED) for number in range(500)))
        await client.diagnostics(root / "work.py", ["PB604"])


async def test_configuration_is_read_again(root: Path) -> None:
    async with editor(root) as client:
        client.open(root / "work.py")
        await client.diagnostics(root / "work.py", ["PB604"])
        (root / "pyproject.toml").write_text(PROJECT + '[tool.pybackend-lint]\nignore = ["PB6"]\n')
        client.touch((root / "pyproject.toml", CHANGED))
        await client.diagnostics(root / "work.py", [])
        (root / "pyproject.toml").write_text(PROJECT + '[tool.pybackend-lint]\nignored = ["PB6"]\n')
        client.touch((root / "pyproject.toml", CHANGED))
        await client.diagnostics(root / "work.py", ["PB604"])
        assert await client.until(lambda: [line for line in client.messages if "'ignored'" in line])


async def test_configuration_is_read_again_when_it_is_saved_in_the_editor(root: Path) -> None:
    async with editor(root, capabilities=NO_CONFIGURATION) as client:
        client.open(root / "work.py")
        client.open(root / "pyproject.toml", language="toml")
        await client.diagnostics(root / "work.py", ["PB604"])
        client.write(root / "pyproject.toml", PROJECT + '[tool.pybackend-lint]\nignore = ["PB6"]\n')
        client.save(root / "pyproject.toml")
        await client.diagnostics(root / "work.py", [])


async def test_versions_come_from_the_lock_file(root: Path) -> None:
    path = root / "models.py"
    (root / "pyproject.toml").write_text(PROJECT + 'dependencies = ["pydantic"]\n')
    lock = 'version = 1\n[[package]]\nname = "pydantic"\nversion = "%s"\n'
    (root / "uv.lock").write_text(lock % "1.10.0")
    async with editor(root) as client:
        client.open(path, DEPRECATED)
        assert await client.codes(path) == []
        (root / "uv.lock").write_text(lock % "2.9.0")
        client.touch((root / "uv.lock", CHANGED))
        await client.until(lambda: client.published[path.as_uri()][-1].diagnostics)


async def test_a_named_configuration_file(root: Path) -> None:
    (root / "lint.toml").write_text('[tool.pybackend-lint]\nignore = ["PB604"]\n')
    async with editor(root, options={"configuration": "lint.toml"}, capabilities=NO_CONFIGURATION) as client:
        client.open(root / "work.py")
        assert await client.codes(root / "work.py") == []
    async with editor(
        root, options={"configuration": "absent.toml"}, capabilities=NO_CONFIGURATION
    ) as client:
        client.open(root / "work.py")
        assert await client.codes(root / "work.py") == ["PB604"]
        assert any("absent.toml" in line for line in client.messages)


async def test_the_whole_workspace(root: Path) -> None:
    (root / ".gitignore").write_text("ignored.py\n")
    (root / ".git").mkdir()
    (root / "ignored.py").write_text(BLOCKING)
    async with editor(root) as client:
        client.open(root / "work.py", HARMLESS)
        await client.diagnostics(root / "work.py", [])
        result = await client.workspace_execute_command_async(
            types.ExecuteCommandParams("pybackend-lint.checkWorkspace")
        )
        assert (result["files"], result["findings"], result["cancelled"]) == (4, 1, False)
        await client.diagnostics(root / "caller.py", ["PB600"])
        begin, *reports, end = map(client.protocol._converter.unstructure, client.progress)
        assert (begin["kind"], begin["cancellable"], end["kind"]) == ("begin", True, "end")
        assert {report["kind"] for report in reports} == {"report"}
        assert reports[0]["message"] == "0 of 4 files"
        assert end["message"] == "1 finding in 4 files"
        # Files that were told of stay up to date.
        client.open(root / "helper.py")
        client.replace(root / "helper.py", "time.sleep(1)", "return")
        await client.diagnostics(root / "caller.py", [])
        client.close(root / "helper.py")
        await client.diagnostics(root / "caller.py", ["PB600"])
        (root / "helper.py").write_text(HARMLESS)
        client.touch((root / "helper.py", CHANGED))
        await client.diagnostics(root / "caller.py", [])


async def test_files_of_libraries_do_not_belong_to_the_workspace(root: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    for name in ("looked_at.py", "beside.py"):
        (library / name).write_text(BLOCKING)
    async with editor(root) as client:
        client.open(library / "looked_at.py")
        assert await client.codes(library / "looked_at.py") == ["PB604"]
        result = await client.workspace_execute_command_async(
            types.ExecuteCommandParams("pybackend-lint.checkWorkspace")
        )
        assert result["files"] == 4


async def test_the_check_of_the_workspace_can_be_cancelled(root: Path) -> None:
    for number in range(300):
        (root / f"module{number}.py").write_text(BLOCKING * 20)
    async with editor(root) as client:
        client.cancel_progress = True
        result = await client.workspace_execute_command_async(
            types.ExecuteCommandParams("pybackend-lint.checkWorkspace")
        )
        assert result["cancelled"]
        assert result["files"] < 300
        client.open(root / "work.py")
        await client.diagnostics(root / "work.py", ["PB604"])
        # The request itself can be cancelled as well; then the progress ends, too.
        client.cancel_progress = False
        client.progress.clear()
        request = client.protocol.send_request(
            "workspace/executeCommand",
            types.ExecuteCommandParams("pybackend-lint.checkWorkspace"),
            msg_id="to-cancel",
        )
        await client.until(lambda: client.progress)
        client.cancel_request(types.CancelParams("to-cancel"))
        with pytest.raises(Exception, match="cancel"):
            await asyncio.wait_for(asyncio.wrap_future(request), 20)
        last = await client.until(
            lambda: [
                value
                for value in map(client.protocol._converter.unstructure, client.progress)
                if value["kind"] == "end"
            ]
        )
        assert len(last) == 1
        assert int(last[0]["message"].split()[-2]) < 300  # files


SHOP = {
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["django>=5"]\n',
    "shop/__init__.py": "",
    "shop/models.py": (
        "from django.db import models\n\n\nclass Customer(models.Model):\n"
        "    name = models.CharField(max_length=9)\n\n\nclass Order(models.Model):\n"
        "    customer = models.ForeignKey(Customer, models.CASCADE)\n"
    ),
    "shop/views.py": (
        "from django.shortcuts import render\n\nfrom shop.models import Order\n\n\ndef orders(request):\n"
        "    return render(request, 'orders.html', {'orders': Order.objects.all()})\n"
    ),
    "shop/templates/orders.html": "{% for order in orders %}{{ order.customer.name }}{% endfor %}",
}


async def test_templates_are_followed(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    view, template = tmp_path / "shop/views.py", tmp_path / "shop/templates/orders.html"
    async with editor(tmp_path) as client:
        client.open(view)
        await client.diagnostics(view, ["PB148"])
        template.write_text("{% for order in orders %}{{ order.customer_id }}{% endfor %}")
        client.touch((template, CHANGED))
        await client.diagnostics(view, [])
        template.write_text(SHOP["shop/templates/orders.html"])
        client.touch((template, CHANGED))
        await client.diagnostics(view, ["PB148"])
        template.unlink()
        client.touch((template, DELETED))
        await client.diagnostics(view, [])
        template.write_text(SHOP["shop/templates/orders.html"])
        client.touch((template, CREATED))
        await client.diagnostics(view, ["PB148"])
