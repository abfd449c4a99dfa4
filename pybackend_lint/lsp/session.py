"""The state of a session: open documents, what was found in them, and telling the client about it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from lsprotocol import types
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer

from pybackend_lint import __version__
from pybackend_lint.lsp.checker import Checker, Outcome, failed_rule
from pybackend_lint.lsp.configuration import Options
from pybackend_lint.lsp.diagnostics import diagnostic
from pybackend_lint.lsp.documents import Document, Text
from pybackend_lint.lsp.jobs import ASKED, DEPENDENT, EDITED, WORKSPACE, Interruption, Jobs
from pybackend_lint.lsp.transport import Protocol
from pybackend_lint.output import documentation_url
from pybackend_lint.registry_lookup import page
from pybackend_lint.rule_entry import Entry

Result = TypeVar("Result")

# Seconds. A check that takes longer than the first waits for a pause in typing, at most the second;
# documents that rest on the edited one wait for a pause anyway, files that are not open for a longer one.
_QUICK = 0.05
_LONGEST_PAUSE = 0.3
_DEPENDENTS_PAUSE = 0.1
_FILES_PAUSE = 0.5

# After so many checks the garbage collector looks at what is new. It looks at everything, which takes half a
# second in a large project, when nothing was checked for some seconds, or after many checks without a pause.
_CHECKS_A_COLLECTION = 200
_CHECKS_A_FULL_COLLECTION = 2_000
_IDLE = 2.0
_WARM = 5


@dataclass(frozen=True)
class Checked:
    """What is known about one version of a document."""

    version: int
    text: Text
    outcome: Outcome
    options: Options
    text_of: Callable[[str], Text] | None
    page_address: Callable[[Entry], str] | None

    @cached_property
    def diagnostics(self) -> list[types.Diagnostic]:
        """The findings as the client knows them, in their order."""
        text_of = cache(self.text_of) if self.text_of is not None else None  # each file is read once
        return [
            diagnostic(finding, self.text, self.options, text_of, self.page_address)
            for finding in self.outcome.findings
        ]

    @cached_property
    def result_id(self) -> str:
        """A name of the diagnostics, the same for the same ones."""
        findings = repr(self.outcome.findings).encode("utf-8", "replace")
        starts = [(shown.range.start.line, shown.range.start.character) for shown in self.diagnostics]
        severities = [shown.severity for shown in self.diagnostics]
        return blake2b(findings + repr((starts, severities)).encode(), digest_size=8).hexdigest()


class Session(LanguageServer):
    """One client, its documents and the thread that checks them.

    All but the checks happens in the thread of the event loop.
    """

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("pybackend-lint", __version__, protocol_cls=Protocol)
        self.jobs = Jobs()
        self.checker = Checker(lambda line: self.call(self.tell, line))  # used by jobs only
        self.folders: dict[str, Options] = {}  # what the client wants, by path
        self.initial_options = Options()
        self.options = self.initial_options  # for files outside of all folders
        self.pull = False  # whether the client asks for diagnostics
        self.documents: dict[str, Document] = {}  # by address
        self._checked: dict[str, Checked] = {}  # by address
        self._pending: dict[str, Future[Checked]] = {}  # by address
        self._durations: dict[str, float] = {}
        self._pulls_files = False  # whether it also asks for those of files that are not open
        self.shown: set[str] = set()  # paths of files that are not open and were told of
        self._stale: set[str] = set()  # those of them whose findings may be other ones now
        self._told: set[str] = set()
        self.startup_problems: list[str] = []  # to be told as soon as the client listens
        self._pages: TemporaryDirectory[str] | None = None
        self._refresh: asyncio.TimerHandle | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._checks = 0
        self._checks_since_collection = 0
        self._idle: asyncio.TimerHandle | None = None
        self._typed = 0.0  # when a document was edited last, by the clock of the loop
        self.changed = asyncio.Event()  # set and replaced whenever findings may be other ones
        self.loop: asyncio.AbstractEventLoop

    # What the client can do

    @cached_property
    def encoding(self) -> str:
        """The units in which the client counts columns."""
        return types.PositionEncodingKind(self.server_capabilities.position_encoding or "utf-16").value

    @cached_property
    def _shown_with(
        self,
    ) -> list[types.PublishDiagnosticsClientCapabilities | types.DiagnosticClientCapabilities]:
        document = self.client_capabilities.text_document
        ways = (document.publish_diagnostics, document.diagnostic) if document is not None else ()
        return [way for way in ways if way is not None]

    @cached_property
    def _wants_related(self) -> bool:
        return any(way.related_information for way in self._shown_with)

    @cached_property
    def _wants_links(self) -> bool:
        return any(way.code_description_support for way in self._shown_with)

    @cached_property
    def resolves_edits(self) -> bool:
        """Whether the client asks for the edit of an action once the action is chosen."""
        document = self.client_capabilities.text_document
        support = document.code_action.resolve_support if document and document.code_action else None
        return support is not None and "edit" in support.properties

    def page_address(self, entry: Entry) -> str:
        """Where the page about a rule is: on the web, else in a file that lasts as long as the session."""
        url = documentation_url(entry.name)
        if url is None:
            self._pages = self._pages or TemporaryDirectory(prefix="pybackend-lint-")
            file = Path(self._pages.name, f"{entry.code}-{entry.name}.md")
            if not file.exists():
                file.write_text(page(entry), encoding="utf-8")
            url = file.as_uri()
        return url

    def remove_pages(self) -> None:
        """Remove the files that `page_address` wrote; call it at the end of the session."""
        if self._pages is not None:
            self._pages.cleanup()

    def workspace_edit(self, document: Document, edits: list[types.TextEdit]) -> types.WorkspaceEdit:
        """The edit of one document, tied to its version where the client knows such edits."""
        workspace = self.client_capabilities.workspace
        if workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes:
            identity = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
            return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identity, list(edits))])
        return types.WorkspaceEdit(changes={document.uri: edits})

    # Jobs

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the thread of the event loop, from any thread."""
        try:
            self.loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the session is over
            return

    def ask(self, run: Callable[[Interruption], Result], priority: int = ASKED) -> Awaitable[Result]:
        """Run a job that somebody waits for; it stops when nobody does any more."""
        return asyncio.wrap_future(self.jobs.submit(object(), run, priority=priority))

    # Documents

    def document_at(self, path: str) -> Document | None:
        """The open document of a file."""
        documents = list(self.documents.values())  # a job may ask while another document is opened
        return next((document for document in documents if document.path == path), None)

    def text_of(self, path: str) -> Text:
        """The text of a file, from the open document or from the disk; empty when it cannot be read."""
        document = self.document_at(path)
        if document is not None:
            return document.text
        try:
            content = Path(path).read_bytes().decode("utf-8", "replace")
        except OSError:
            content = ""
        return Text(content, self.encoding)

    def open(self, document: Document) -> None:
        """Take note of an open document, and check it."""
        self.documents[document.uri] = document
        if document.path in self.shown:
            self.shown.remove(document.path)
            if self.pull:
                self.publish(document.uri, [])  # from now on the client asks
        self.check(document)

    def close(self, document: Document) -> None:
        """Forget an open document; its file counts again."""
        self.documents.pop(document.uri)
        self._checked.pop(document.uri, None)
        self._pending.pop(document.uri, None)
        self._durations.pop(document.uri, None)
        path = document.path

        def closed(interrupted: Interruption) -> None:
            self.call(self.affect, self.checker.change(path, None))

        self.jobs.submit(("check", document.uri), closed, priority=EDITED)
        self.publish(document.uri, [])

    def check(self, document: Document, priority: int = EDITED) -> Future[Checked]:
        """Check a document as it is when its turn comes, and tell the client."""
        if priority == EDITED:
            self._typed = self.loop.time()
        needed = self._durations.get(document.uri, 0.0)
        delay = _DEPENDENTS_PAUSE if priority == DEPENDENT else 0.0
        if needed > _QUICK and document.uri in self._checked:
            delay = max(delay, min(needed, _LONGEST_PAUSE))

        def run(interrupted: Interruption) -> Checked:
            started = time.thread_time()  # not by the clock: a busy machine is no reason to wait longer
            version, text = document.state
            affected = self.checker.change(document.path, text.data)
            if affected:
                self.call(self.affect, affected)
            quick = document.uri not in self._checked
            outcome = self.checker.check(document.path, text.data, interrupted, quick=quick)
            self._durations[document.uri] = time.thread_time() - started
            return self._as_checked(document.path, version, text, outcome)

        future = self.jobs.submit(("check", document.uri), run, priority=priority, delay=delay)
        self._pending[document.uri] = future
        future.add_done_callback(lambda done: self.call(self._arrived, document, done))
        return future

    def _as_checked(self, path: str, version: int, text: Text, outcome: Outcome) -> Checked:
        options = self.checker.folder_of(path).options
        text_of = self.text_of if self._wants_related else None
        page_address = self.page_address if self._wants_links else None
        return Checked(version, text, outcome, options, text_of, page_address)

    def _arrived(self, document: Document, done: Future[Checked]) -> None:
        if self._pending.get(document.uri) is done:
            del self._pending[document.uri]
        if done.cancelled() or self.documents.get(document.uri) is not document:
            return
        error = done.exception()
        if error is not None:
            self._tell_failure(document.path, error)
            return
        checked = done.result()
        before = self._checked.get(document.uri)
        self._checked[document.uri] = checked
        if not checked.outcome.complete:
            self.check(document)
        self.tell_all(checked.outcome.errors)
        self._changed()
        if not self.pull:
            if checked.version == document.version:
                self.publish(document.uri, checked.diagnostics, checked.version)
        elif before is not None and before.version == checked.version:
            if before.result_id != checked.result_id:
                self._ask_for_refresh()
        self._collect()

    def _collect(self) -> None:
        """Look for garbage now and then, but not among what was there after the first checks."""
        self._checks += 1
        self._checks_since_collection += 1
        if self._checks == _WARM:
            gc.freeze()  # only once: what is frozen and becomes garbage in a cycle stays for ever
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._checks_since_collection >= _CHECKS_A_FULL_COLLECTION:
            self._collect_all()
        elif self._checks_since_collection % _CHECKS_A_COLLECTION == 0:
            gc.collect(1)
        if self._checks_since_collection >= _CHECKS_A_COLLECTION:
            self._idle = self.loop.call_later(_IDLE, self._collect_all)

    def _collect_all(self) -> None:
        self._checks_since_collection = 0
        gc.collect()

    async def checked(self, document: Document) -> Checked:
        """What is found in a document as it is now."""
        while True:
            known = self._checked.get(document.uri)
            pending = self._pending.get(document.uri)
            if pending is None and known is not None and known.version == document.version:
                return known
            future = pending or self.check(document)
            try:
                checked = await asyncio.shield(asyncio.wrap_future(future))
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not future.cancelled() or (task is not None and task.cancelling()):
                    raise
                if document.uri not in self.documents:
                    raise
            else:
                if checked.version == document.version:
                    return checked

    def codes_at(self, document: Document, row: int) -> frozenset[str]:
        """The codes of what was found last in a line (from 0)."""
        checked = self._checked.get(document.uri)
        found = checked.diagnostics if checked is not None else []
        return frozenset(str(shown.code) for shown in found if shown.range.start.line == row)

    # Files that are not open

    async def checked_file(self, path: str) -> Checked | None:
        """What is found in a file that is not open; None when it cannot be read or checked."""

        def run(interrupted: Interruption) -> Checked | None:
            outcome = self.checker.check_file(path, interrupted)
            if outcome is None:
                return None
            text = self.text_of(path) if outcome.findings else Text("", self.encoding)
            return self._as_checked(path, 0, text, outcome)

        try:
            checked = await self.ask(run, WORKSPACE)
        except Exception as error:
            self._tell_failure(path, error)
            return None
        self._collect()
        return checked

    def affect(self, paths: Iterable[str]) -> None:
        """Check again what was told of these files."""
        wanted = set(paths)
        if not wanted:
            return
        for document in self.documents.values():
            if document.path in wanted:
                self.check(document, DEPENDENT)
        stale = wanted & self.shown
        if stale:
            self._stale |= stale
            if self._refreshing is None or self._refreshing.done():
                self._refreshing = self.loop.create_task(self._refresh_files())
        self._changed()

    async def _refresh_files(self) -> None:
        while self._stale:
            pause = self._typed + _FILES_PAUSE - self.loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            path = self._stale.pop()
            checked = await self.checked_file(path)
            if path in self.shown:
                self.show_file(path, checked)

    def show_file(self, path: str, checked: Checked | None) -> None:
        """Tell the client what is found in a file that is not open, unless it asks for that itself."""
        if self._pulls_files:
            return
        found = checked.diagnostics if checked is not None else []
        if self.document_at(path) is None and (found or path in self.shown):
            self.shown.add(path)
            self.publish(Path(path).as_uri(), found)

    def files_are_pulled(self) -> None:
        """Take note that the client asks for what is found in files that are not open."""
        self._pulls_files = True
        for path in self.shown:
            self.publish(Path(path).as_uri(), [])
        self.shown.clear()

    def everything_changed(self) -> None:
        """Check everything again that was told of."""
        for document in self.documents.values():
            self.check(document)
        self.affect(list(self.shown))
        self._changed()

    def _changed(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    # Telling

    def publish(self, uri: str, found: list[types.Diagnostic], version: int | None = None) -> None:
        """Tell the client the diagnostics of a document or file."""
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=found)
        )

    def _ask_for_refresh(self) -> None:
        """Let the client ask for all diagnostics again, once for many changes."""
        workspace = self.client_capabilities.workspace
        if workspace and workspace.diagnostics and workspace.diagnostics.refresh_support:
            if self._refresh is None:
                self._refresh = self.loop.call_later(0.05, self._refresh_now)

    def _refresh_now(self) -> None:
        self._refresh = None
        self.workspace_diagnostic_refresh(None)

    def tell_all(self, lines: Iterable[str]) -> None:
        """Log problems; each is shown once, and that of a rule only for the first file."""
        for line in lines:
            self.tell(line)

    def log(self, line: str) -> None:
        """Write a problem into the client's log."""
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, line))

    def tell(self, line: str) -> None:
        """Log a problem, and show it the first time."""
        self.log(line)
        key = failed_rule(line) or line
        if key not in self._told:
            self._told.add(key)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, line))

    def _tell_failure(self, path: str, error: BaseException) -> None:
        self.tell(f"{path}: internal error: {type(error).__name__}: {error}")

    def report_server_error(self, error: Exception, source: type[Exception]) -> None:
        """Log what went wrong with a message of the client."""
        if source is not FeatureRequestError:  # the answer to a request says it
            self.window_log_message(
                types.LogMessageParams(types.MessageType.Error, f"{source.__name__}: {error}")
            )
