"""What concerns the whole workspace: checking all files, pulled diagnostics, showing documentation."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from lsprotocol import types

from pybackend_lint.lsp.diagnostics import SOURCE
from pybackend_lint.lsp.jobs import WORKSPACE
from pybackend_lint.lsp.session import Checked, Session
from pybackend_lint.registry_lookup import page
from pybackend_lint.rule_entry import Entry

CHECK_WORKSPACE = "pybackend-lint.checkWorkspace"
_TITLE = "Checking the workspace"
_STEP = 0.1  # seconds between two reports of progress
_PAUSE = 0.5  # seconds without a change, after which an open question about the workspace is looked at again


def add_features(session: Session) -> None:
    """Add what concerns the whole workspace to a session."""

    @session.command(CHECK_WORKSPACE)
    async def check_workspace() -> dict[str, Any]:
        return await _check_workspace(session)


def add_pull_features(session: Session) -> None:
    """Add the answers to requests for diagnostics, for a client that sends such requests."""
    options = types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=True, identifier=SOURCE
    )

    @session.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def document_diagnostic(
        params: types.DocumentDiagnosticParams,
    ) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
        document = session.documents.get(params.text_document.uri)
        if document is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        checked = await session.checked(document)
        if checked.result_id == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(checked.result_id)
        return types.RelatedFullDocumentDiagnosticReport(checked.diagnostics, result_id=checked.result_id)

    @session.feature(types.WORKSPACE_DIAGNOSTIC)
    async def workspace_diagnostic(
        params: types.WorkspaceDiagnosticParams,
    ) -> types.WorkspaceDiagnosticReport:
        session.files_are_pulled()
        known = {item.uri: item.value for item in params.previous_result_ids}
        while True:
            changed = session.changed
            reports = await _reports(session, known, params.partial_result_token)
            if reports or not known:
                done = reports if params.partial_result_token is None else []
                return types.WorkspaceDiagnosticReport(done)
            await _next_change(session, changed)  # as long as nothing is new, the question stays open


async def _next_change(session: Session, changed: asyncio.Event) -> None:
    """Wait for a change and for a pause in typing behind it."""
    await changed.wait()
    with suppress(TimeoutError):
        while True:
            await asyncio.wait_for(session.changed.wait(), _PAUSE)


async def _reports(
    session: Session, known: dict[str, str], token: types.ProgressToken | None
) -> list[types.WorkspaceDocumentDiagnosticReport]:
    """What is new in the files of the workspace, also told as partial results when there is a token."""
    reports: list[types.WorkspaceDocumentDiagnosticReport] = []
    paths = await _discover(session)
    missing = dict(known)
    for path in paths:
        document = session.document_at(path)
        uri = document.uri if document is not None else Path(path).as_uri()
        missing.pop(uri, None)
        checked = await (session.checked(document) if document is not None else session.checked_file(path))
        if checked is None or known.get(uri) == checked.result_id:
            continue
        if uri not in known and not checked.diagnostics:
            continue
        version = document.version if document is not None else None
        report = types.WorkspaceFullDocumentDiagnosticReport(
            uri, checked.diagnostics, version=version, result_id=checked.result_id
        )
        reports.append(report)
        if token is not None:
            partial = types.WorkspaceDiagnosticReportPartialResult([report])
            session.protocol.notify(types.PROGRESS, types.ProgressParams(token, partial))
    reports += [
        types.WorkspaceFullDocumentDiagnosticReport(uri, []) for uri in missing
    ]  # files that are gone
    return reports


async def _discover(session: Session) -> list[str]:
    return await session.ask(lambda interrupted: session.checker.discover(), WORKSPACE)


async def _check_workspace(session: Session) -> dict[str, Any]:
    """Check all files, tell the client what is found, and return how much that was."""
    paths = await _discover(session)
    progress = await _Progress.begin(session, len(paths))
    findings = files = 0
    try:
        for done, path in enumerate(paths):
            if progress.cancelled:
                break
            progress.report(done)
            document = session.document_at(path)
            checked: Checked | None
            if document is not None:
                checked = await session.checked(document)
            else:
                checked = await session.checked_file(path)
                session.show_file(path, checked)
            if checked is not None:
                files += 1
                findings += len(checked.diagnostics)
                session.tell_all(checked.outcome.errors)
    finally:
        progress.end(f"{findings} finding{'s' * (findings != 1)} in {files} files")
    return {"files": files, "findings": findings, "cancelled": progress.cancelled}


class _Progress:
    """A progress bar of the client, if it has such a thing."""

    def __init__(self, session: Session, total: int, token: str | None) -> None:
        self._session = session
        self._total = total
        self._token = token
        self._next = 0.0

    @classmethod
    async def begin(cls, session: Session, total: int) -> _Progress:
        """Show a progress bar that can be cancelled."""
        window = session.client_capabilities.window
        if window is None or not window.work_done_progress:
            return cls(session, total, None)
        token = f"{SOURCE}-{uuid.uuid4()}"
        await session.work_done_progress.create_async(token)
        session.work_done_progress.begin(
            token, types.WorkDoneProgressBegin(title=_TITLE, cancellable=True, percentage=0)
        )
        return cls(session, total, token)

    @property
    def cancelled(self) -> bool:
        """Whether the user has given it up."""
        return self._token is not None and self._session.work_done_progress.tokens[self._token].cancelled()

    def report(self, done: int) -> None:
        """Tell how many files are done, not too often."""
        now = self._session.loop.time()
        if self._token is not None and now >= self._next:
            self._next = now + _STEP
            self._session.work_done_progress.report(
                self._token,
                types.WorkDoneProgressReport(
                    message=f"{done} of {self._total} files", percentage=100 * done // max(1, self._total)
                ),
            )

    def end(self, message: str) -> None:
        """Take the progress bar away."""
        if self._token is not None:
            self._session.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=message))


async def show_documentation(session: Session, entry: Entry) -> str:
    """Let the client show the page about a rule, and return it as Markdown."""
    window = session.client_capabilities.window
    if window is not None and window.show_document is not None and window.show_document.support:
        url = session.page_address(entry)
        await session.window_show_document_async(
            types.ShowDocumentParams(url, external=not url.startswith("file:"), take_focus=True)
        )
    else:
        session.window_show_message(
            types.ShowMessageParams(types.MessageType.Info, f"{entry.code} ({entry.name}): {entry.summary}")
        )
    return page(entry)
