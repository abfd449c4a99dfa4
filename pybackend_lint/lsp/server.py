"""The server: what it answers to the messages of the client."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from pybackend_lint import __version__
from pybackend_lint.lsp import actions
from pybackend_lint.lsp.checker import Checker, Outcome
from pybackend_lint.lsp.configuration import Folder, Options, read_options
from pybackend_lint.lsp.diagnostics import diagnostic
from pybackend_lint.lsp.documents import Document, Text, path_of
from pybackend_lint.lsp.jobs import DEPENDENT, EDITED, Interruption, Jobs
from pybackend_lint.lsp.transport import Protocol, serve

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Checked:
    """What is known about one version of a document."""

    version: int
    text: Text
    outcome: Outcome


class Server(LanguageServer):
    """The state of a session: open documents, their findings, and the thread that checks."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("pybackend-lint", __version__, protocol_cls=Protocol)
        self.documents: dict[str, Document] = {}
        self.checked: dict[str, Checked] = {}
        self.checker = Checker()
        self.jobs = Jobs()
        self.options = Options()
        self.told: set[str] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    # Documents

    def document_at(self, path: str) -> Document | None:
        """The open document of a file."""
        return next((document for document in self.documents.values() if document.path == path), None)

    def text_of(self, path: str) -> Text:
        """The text of a file, from the open document or from the disk; empty when it cannot be read."""
        document = self.document_at(path)
        if document is not None:
            return document.text
        try:
            content = Path(path).read_bytes().decode("utf-8-sig", "replace")
        except OSError:
            content = ""
        return Text(content, self.encoding)

    @property
    def encoding(self) -> str:
        """The units in which the client counts columns."""
        return str(self.server_capabilities.position_encoding or "utf-16")

    # Checks

    def check(self, document: Document, priority: int) -> Future[Checked]:
        """Check a document as it is when its turn comes."""

        def run(interrupted: Interruption) -> Checked:
            version, text = document.state
            affected = self.checker.change(document.path, text.data)
            if affected:
                self._call(self._check_dependents, affected)
            outcome = self.checker.check(document.path, text.data, interrupted)
            return Checked(version, text, outcome)

        future = self.jobs.submit(("check", document.uri), run, priority=priority)
        future.add_done_callback(lambda done: self._call(self._show, document, done))
        return future

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        assert self.loop is not None
        try:
            self.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the session is over
            return

    def _check_dependents(self, paths: Iterable[str]) -> None:
        wanted = set(paths)
        for document in self.documents.values():
            if document.path in wanted:
                self.check(document, DEPENDENT)

    def _show(self, document: Document, done: Future[Checked]) -> None:
        if done.cancelled() or self.documents.get(document.uri) is not document:
            return
        error = done.exception()
        if error is not None:
            self.tell(f"internal error: {type(error).__name__}: {error}")
            return
        checked = done.result()
        self.checked[document.uri] = checked
        for line in checked.outcome.errors:
            self.tell(line)
        if checked.version == document.version:
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(
                    uri=document.uri, version=checked.version, diagnostics=self.diagnostics(checked)
                )
            )

    def diagnostics(self, checked: Checked) -> list[types.Diagnostic]:
        """The diagnostics of what was found."""
        return [
            diagnostic(finding, checked.text, self.options, self.text_of)
            for finding in checked.outcome.findings
        ]

    def tell(self, line: str) -> None:
        """Log a problem, and show it the first time that it occurs."""
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, line))
        if line not in self.told:
            self.told.add(line)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, line))


def create() -> Server:
    """A server with its features."""
    server = Server()

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.options, _ = read_options(params.initialization_options)
        folders = [path_of(folder.uri) for folder in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [path_of(params.root_uri)]
        server.checker.configure(Folder(path, server.options) for path in folders if path)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        path = path_of(item.uri)
        if path is None:
            return
        document = Document(item.uri, path, item.language_id, item.version, Text(item.text, server.encoding))
        if document.kind:
            server.documents[item.uri] = document
            server.check(document, EDITED)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        if document is not None:
            document.change(params.text_document.version, params.content_changes)
            server.check(document, EDITED)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        pass

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        document = server.documents.pop(params.text_document.uri, None)
        if document is None:
            return
        server.checked.pop(document.uri, None)
        path = document.path

        def closed(interrupted: Interruption) -> None:
            affected = server.checker.change(path, None)
            server._call(server._check_dependents, affected)

        server.jobs.submit(("check", document.uri), closed, priority=EDITED)
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=document.uri, diagnostics=[])
        )

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        checked = server.checked.get(params.text_document.uri)
        if document is None or checked is None or checked.version != document.version:
            return []
        found = []
        for finding, shown in zip(checked.outcome.findings, server.diagnostics(checked), strict=True):
            if actions.touches(shown.range, params.range) and finding.fix is not None:
                found.append(actions.quick_fix(finding, shown, document.uri, checked.text))
        return found

    return server


def run() -> int:
    """Serve over standard input and output until the client ends the session; the exit code."""
    server = create()

    async def session() -> int:
        server.loop = asyncio.get_running_loop()
        return await serve(server.protocol, sys.stdin.buffer, sys.stdout.buffer)

    code = asyncio.run(session())
    server.jobs.stop()
    return code
