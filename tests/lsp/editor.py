"""An editor for tests: a real client of the protocol that starts the server as a process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, Union

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 20.0
Value = TypeVar("Value")
CAPABILITIES: dict[str, Any] = {
    "workspace": {
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "workspaceFolders": True,
        "workspaceEdit": {"documentChanges": True},
        "diagnostics": {"refreshSupport": True},
    },
    "textDocument": {"publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True}},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
}
PULL: dict[str, Any] = {"textDocument": {"diagnostic": {"relatedInformation": True}}}
LAZY_EDITS: dict[str, Any] = {
    "textDocument": {"codeAction": {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}}
}


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables, the second one on top of the first."""
    result = dict(one)
    for key, value in other.items():
        result[key] = merged(result[key], value) if isinstance(result.get(key), Mapping) else value
    return result


class Editor(LanguageClient):
    """One session with a server over pipes.

    Texts of documents are kept as an editor does; positions are counted by encoding every line, on
    purpose in another way than the server does it.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__("tests", "1")
        self.settings = dict(settings)  # by folder path, or "" for all
        self.texts: dict[Path, str] = {}
        self.versions: dict[Path, int] = {}
        self.published: dict[str, list[types.PublishDiagnosticsParams]] = {}
        self.logged: list[str] = []
        self.messages: list[str] = []
        self.registrations: list[types.Registration] = []
        self.progress: list[Any] = []
        self.shown: list[types.ShowDocumentParams] = []
        self.refreshes = 0
        self.cancel_progress = False
        self.news = asyncio.Condition()
        self.answer: types.InitializeResult
        self._add_features()
        converter = self.protocol._converter

        def action(value: dict[str, Any], _: object) -> types.CodeAction | types.Command:
            # The library takes an action that has a command for a mere command.
            kind = types.Command if isinstance(value.get("command"), str) else types.CodeAction
            return converter.structure(value, kind)

        converter.register_structure_hook(types.Command | types.CodeAction, action)
        converter.register_structure_hook(Union[types.Command, types.CodeAction], action)  # noqa: UP007

    def _add_features(self) -> None:
        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: types.PublishDiagnosticsParams) -> None:
            self.published.setdefault(params.uri, []).append(params)
            await self._notify()

        @self.feature(types.WINDOW_LOG_MESSAGE)
        async def logged(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)
            await self._notify()

        @self.feature(types.WINDOW_SHOW_MESSAGE)
        async def showed(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            await self._notify()

        @self.feature(types.CLIENT_REGISTER_CAPABILITY)
        async def register(params: types.RegistrationParams) -> None:
            self.registrations += params.registrations
            await self._notify()

        @self.feature(types.WORKSPACE_CONFIGURATION)
        def configuration(params: types.ConfigurationParams) -> list[Any]:
            scopes = [
                item.scope_uri.removeprefix("file://") if item.scope_uri else "" for item in params.items
            ]
            return [self.settings.get(scope, self.settings.get("")) for scope in scopes]

        @self.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        def create(params: types.WorkDoneProgressCreateParams) -> None:
            return None

        @self.feature(types.PROGRESS)
        async def report(params: types.ProgressParams) -> None:
            self.progress.append(params.value)
            if self.cancel_progress:
                self.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(params.token))
            await self._notify()

        @self.feature(types.WINDOW_SHOW_DOCUMENT)
        def show(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            self.shown.append(params)
            return types.ShowDocumentResult(True)

        @self.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)
        async def refresh(params: Any) -> None:
            self.refreshes += 1
            await self._notify()

    async def _notify(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def until(self, condition: Callable[[], Value | None]) -> Value:
        """Wait until something is true of what the server has told."""
        async with asyncio.timeout(PATIENCE), self.news:
            while not (value := condition()):
                await self.news.wait()
            return value

    # Documents

    def open(self, path: Path, text: str | None = None, language: str = "python") -> None:
        """Open a document, by default with the text of its file."""
        self.texts[path] = path.read_bytes().decode() if text is None else text
        self.versions[path] = 1
        item = types.TextDocumentItem(path.as_uri(), language, 1, self.texts[path])
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def replace(self, path: Path, old: str, new: str) -> None:
        """Change one place of a document, which `old` stands at once, and tell where."""
        text = self.texts[path]
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        start = text.index(old)
        self.texts[path] = text.replace(old, new)
        change = types.TextDocumentContentChangePartial(self.range(text, start, start + len(old)), new)
        self._changed(path, [change])

    def splice(self, path: Path, changes: Iterable[Callable[[str], tuple[int, int, str]]]) -> None:
        """Make changes, each from where to where and what, and tell all of them at once."""
        told = []
        for change in changes:
            text = self.texts[path]
            start, end, new = change(text)
            told.append(types.TextDocumentContentChangePartial(self.range(text, start, end), new))
            self.texts[path] = text[:start] + new + text[end:]
        self._changed(path, told)

    def write(self, path: Path, text: str) -> None:
        """Change a whole document."""
        self.texts[path] = text
        self._changed(path, [types.TextDocumentContentChangeWholeDocument(text)])

    def _changed(self, path: Path, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        self.versions[path] += 1
        identity = types.VersionedTextDocumentIdentifier(self.versions[path], path.as_uri())
        self.text_document_did_change(types.DidChangeTextDocumentParams(identity, list(changes)))

    def close(self, path: Path) -> None:
        """Close a document without saving it."""
        del self.texts[path], self.versions[path]
        self.text_document_did_close(types.DidCloseTextDocumentParams(self.identity(path)))

    def save(self, path: Path) -> None:
        """Write a document to disk and tell so."""
        path.write_bytes(self.texts[path].encode())
        self.text_document_did_save(types.DidSaveTextDocumentParams(self.identity(path)))

    def touch(self, *changes: tuple[Path, types.FileChangeType]) -> None:
        """Tell that files were changed on disk."""
        events = [types.FileEvent(path.as_uri(), kind) for path, kind in changes]
        self.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(events))

    def identity(self, path: Path) -> types.TextDocumentIdentifier:
        """A document as requests name it."""
        return types.TextDocumentIdentifier(path.as_uri())

    # Diagnostics

    async def diagnostics(self, path: Path, codes: Iterable[str] | None = None) -> list[types.Diagnostic]:
        """The diagnostics of the document as it is now, once they are these codes when any are given."""
        wanted = sorted(codes) if codes is not None else None

        def arrived() -> list[types.PublishDiagnosticsParams] | None:
            told = self.published.get(path.as_uri(), [])
            version = self.versions.get(path)
            fits = bool(told) and (version is None or told[-1].version == version)
            found = sorted(str(item.code) for item in told[-1].diagnostics) if told else []
            return told if fits and wanted in (None, found) else None

        try:
            return list((await self.until(arrived))[-1].diagnostics)
        except TimeoutError:
            told = [
                (item.version, [shown.code for shown in item.diagnostics])
                for item in self.published.get(path.as_uri(), [])
            ]
            raise AssertionError(f"{path.name}: wanted {wanted}, was told {told}; {self.logged}") from None

    async def codes(self, path: Path) -> list[str]:
        """The codes of the diagnostics of the document as it is now, sorted."""
        return sorted(str(found.code) for found in await self.diagnostics(path))

    # Positions

    @property
    def encoding(self) -> str:
        """The encoding that was agreed upon."""
        return str(self.answer.capabilities.position_encoding or "utf-16").lower()

    def position(self, text: str, offset: int) -> types.Position:
        """The position of an offset."""
        before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
        codec, size = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[
            self.encoding
        ]
        return types.Position(len(before) - 1, len(before[-1].encode(codec)) // size)

    def range(self, text: str, start: int, end: int) -> types.Range:
        """The range between two offsets."""
        return types.Range(self.position(text, start), self.position(text, end))

    def offset(self, text: str, position: types.Position) -> int:
        """The offset of a position, found by looking at all of them."""
        for offset in range(len(text) + 1):
            if not text[:offset].endswith("\r") and self.position(text, offset) == position:
                return offset
            if text[offset : offset + 1] == "\r" and self.position(text, offset) == position:
                return offset
        raise AssertionError(f"{position} is not in the text")

    def place(self, path: Path, piece: str, shift: int = 0) -> types.Position:
        """The position of a piece of text that is there once, and some characters further."""
        text = self.texts[path]
        assert text.count(piece) == 1
        return self.position(text, text.index(piece) + shift)

    def marked(self, path: Path, found: types.Diagnostic) -> str:
        """The text under a diagnostic."""
        text = self.texts[path]
        return text[self.offset(text, found.range.start) : self.offset(text, found.range.end)]

    # Actions

    async def actions(
        self, path: Path, place: types.Range | None = None, only: list[str] | None = None
    ) -> dict[str, types.CodeAction]:
        """The code actions at a place, by default at any, by title."""
        context = types.CodeActionContext([], only)
        whole = self.range(self.texts[path], 0, len(self.texts[path]))
        params = types.CodeActionParams(self.identity(path), place or whole, context)
        async with asyncio.timeout(PATIENCE):
            found = await self.text_document_code_action_async(params) or []
        return {action.title: action for action in found if isinstance(action, types.CodeAction)}

    def edited(self, path: Path, edit: types.WorkspaceEdit | None) -> str:
        """The text of a document after an edit, which must be of this document only."""
        assert edit is not None
        edits: Sequence[Any]
        if edit.document_changes is not None:
            (change,) = edit.document_changes
            assert isinstance(change, types.TextDocumentEdit)
            assert change.text_document.version == self.versions[path]
            assert change.text_document.uri == path.as_uri()
            edits = change.edits
        else:
            assert edit.changes is not None
            ((uri, edits),) = edit.changes.items()
            assert uri == path.as_uri()
        text = self.texts[path]
        places = sorted(
            (self.offset(text, one.range.start), self.offset(text, one.range.end), one.new_text)
            for one in edits
        )
        for start, end, new in reversed(places):
            text = text[:start] + new + text[end:]
        return text


@asynccontextmanager
async def editor(
    *roots: Path,
    capabilities: Mapping[str, Any] | None = None,
    options: object = None,
    settings: Mapping[str, Any] | None = None,
    command: Sequence[str] = ("-m", "pybackend_lint", "server"),
) -> AsyncIterator[Editor]:
    """A session with workspace folders, which ends as it should, with exit code 0."""
    client = Editor(settings or {})
    await client.start_io(
        sys.executable, *command, cwd=os.fspath(roots[0]) if roots else None, env=_environment()
    )
    folders = [types.WorkspaceFolder(root.as_uri(), root.name) for root in roots]
    params = {
        "processId": os.getpid(),
        "rootUri": roots[0].as_uri() if roots else None,
        "capabilities": merged(CAPABILITIES, capabilities or {}),
        "initializationOptions": options,
        "workspaceFolders": [{"uri": folder.uri, "name": folder.name} for folder in folders],
    }
    typed = client.protocol._converter.structure(params, types.InitializeParams)
    try:
        async with asyncio.timeout(PATIENCE):
            client.answer = await client.initialize_async(typed)
        client.initialized(types.InitializedParams())
        yield client
        async with asyncio.timeout(PATIENCE):
            await client.shutdown_async(None)
            client.exit(None)
            assert client._server is not None
            assert await client._server.wait() == 0
    finally:
        server = client._server
        if server is not None and server.returncode is None:
            server.kill()
        await client.stop()


def _environment() -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
