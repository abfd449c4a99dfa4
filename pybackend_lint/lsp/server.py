"""The server: what it answers to the messages of the client."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import NoReturn

from lsprotocol import types

from pybackend_lint.lsp import actions, watching, workspace
from pybackend_lint.lsp.actions import Plan
from pybackend_lint.lsp.comments import completions, entry_at, place_to_complete
from pybackend_lint.lsp.documents import Document, Text, path_of
from pybackend_lint.lsp.jobs import Interruption
from pybackend_lint.lsp.session import Checked, Session
from pybackend_lint.lsp.transport import serve
from pybackend_lint.registry_lookup import find, page
from pybackend_lint.rule_entry import Entry


def create() -> Session:
    """A session with its features."""
    session = Session()
    watching.add_features(session)
    workspace.add_features(session)
    _add_documents(session)
    _add_actions(session)
    _add_documentation(session)
    return session


def _add_documents(session: Session) -> None:
    @session.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        path = path_of(item.uri)
        if path is None:
            return
        document = Document(item.uri, path, item.language_id, item.version, Text(item.text, session.encoding))
        if document.kind:
            session.open(document)

    @session.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        document = session.documents.get(params.text_document.uri)
        if document is not None:
            document.change(params.text_document.version, params.content_changes)
            session.check(document)

    @session.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        document = session.documents.get(params.text_document.uri)
        if document is not None and document.kind != "python":
            watching.configure(session)

    @session.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        document = session.documents.get(params.text_document.uri)
        if document is not None:
            session.close(document)


def _add_actions(session: Session) -> None:
    @session.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=list(actions.KINDS), resolve_provider=True),
    )
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = session.documents.get(params.text_document.uri)
        if document is None:
            return []
        checked = await session.checked(document)
        found: list[types.CodeAction] = []
        if actions.wants(params.context.only, types.CodeActionKind.QuickFix):
            for number, shown in enumerate(checked.diagnostics):
                if actions.touches(shown.range, params.range):
                    found += await _actions_for(session, document, checked, number)
        if actions.wants(params.context.only, actions.FIX_ALL) and any(
            map(actions.is_safe, checked.outcome.findings)
        ):
            action = types.CodeAction("Fix all safe findings of pybackend-lint", kind=actions.FIX_ALL)
            found += await _with_edit(session, document, checked, action, Plan())
        return found

    @session.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        data = action.data if isinstance(action.data, dict) else {}
        document = session.documents.get(str(data.get("uri")))
        if document is None or action.edit is not None:
            return action
        checked = await session.checked(document)
        if checked.version == data.get("version"):
            plan = Plan(data.get("code"), data.get("number"), bool(data.get("unsafe")))
            action.edit = session.workspace_edit(document, await _edits(session, document, checked, plan))
        return action


async def _actions_for(
    session: Session, document: Document, checked: Checked, number: int
) -> list[types.CodeAction]:
    """The actions for one finding."""
    finding, shown = checked.outcome.findings[number], checked.diagnostics[number]
    found: list[types.CodeAction] = []

    def action(title: str) -> types.CodeAction:
        return types.CodeAction(title, kind=types.CodeActionKind.QuickFix, diagnostics=[shown])

    if finding.fix is not None:
        unsafe = not actions.is_safe(finding)
        fix = action(actions.quick_fix_title(finding))
        fix.is_preferred = True if not unsafe else None
        found += await _with_edit(session, document, checked, fix, Plan(finding.code, number, unsafe))
        same = [
            other
            for other in checked.outcome.findings
            if other.code == finding.code and other.fix is not None and (unsafe or actions.is_safe(other))
        ]
        if len(same) > 1:
            fix_all = action(actions.fix_rule_title(finding.code, len(same), unsafe=unsafe))
            plan = Plan(finding.code, None, unsafe)
            found += await _with_edit(session, document, checked, fix_all, plan)
    edits = actions.suppression(document.path, checked.text, finding)
    if edits:
        disable = action(f"Disable {finding.code} for this line")
        disable.edit = session.workspace_edit(document, edits)
        found.append(disable)
    show = action(f"Open the documentation of {finding.code} ({finding.name})")
    show.command = types.Command(show.title, actions.OPEN_DOCUMENTATION, arguments=[finding.code])
    found.append(show)
    return found


async def _with_edit(
    session: Session, document: Document, checked: Checked, action: types.CodeAction, plan: Plan
) -> list[types.CodeAction]:
    """The action with its edit, or with what is needed to find it later; none when there is no edit."""
    if session.resolves_edits:
        action.data = {
            "uri": document.uri,
            "version": checked.version,
            "code": plan.code,
            "number": plan.number,
            "unsafe": plan.unsafe,
        }
        return [action]
    edits = await _edits(session, document, checked, plan)
    if not edits:
        return []
    action.edit = session.workspace_edit(document, edits)
    return [action]


async def _edits(session: Session, document: Document, checked: Checked, plan: Plan) -> list[types.TextEdit]:
    path, text = document.path, checked.text

    def run(interrupted: Interruption) -> list[types.TextEdit]:
        try:
            return actions.edits_of(
                plan,
                path,
                text,
                list(checked.outcome.findings),
                lambda data: session.checker.check_changed(path, data, interrupted),
            )
        finally:
            session.checker.change(path, text.data)

    return await session.ask(run)


def _add_documentation(session: Session) -> None:
    @session.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        document = session.documents.get(params.text_document.uri)
        if document is None:
            return None
        text, row = document.text, params.position.line
        line = text.line(row)
        start = text.offset(types.Position(row, 0))
        written = entry_at(line, text.offset(params.position) - start)
        if written is not None:
            entry, first, last = written
            return types.Hover(_markdown([entry]), text.range(start + first, start + last))
        checked = await session.checked(document)
        here = types.Range(params.position, params.position)
        codes = {
            shown.code: shown.range for shown in checked.diagnostics if actions.touches(shown.range, here)
        }
        entries = [found for code in codes if (found := find(str(code))) is not None]
        if not entries:
            return None
        return types.Hover(_markdown(entries), codes[entries[0].code])

    @session.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[":", " ", ","])
    )
    def completion(params: types.CompletionParams) -> types.CompletionList | None:
        document = session.documents.get(params.text_document.uri)
        if document is None:
            return None
        text, row = document.text, params.position.line
        start = text.offset(types.Position(row, 0))
        place = place_to_complete(text.line(row), text.offset(params.position) - start)
        if place is None:
            return None
        first = session.codes_at(document, row)
        found = completions(text.range(start + place[0], start + place[1]), first)
        return types.CompletionList(is_incomplete=False, items=found)

    @session.command(actions.OPEN_DOCUMENTATION)
    async def open_documentation(code: str) -> str | None:
        entry = find(code)
        return await workspace.show_documentation(session, entry) if entry is not None else None


def _markdown(entries: list[Entry]) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(map(page, entries)))


def run() -> NoReturn:
    """Serve over standard input and output until the client ends the session, and end the process."""
    session = create()

    async def main() -> int:
        session.loop = asyncio.get_running_loop()
        return await serve(session.protocol, sys.stdin.buffer, sys.stdout.buffer)

    code = asyncio.run(main())
    session.remove_pages()
    sys.stderr.flush()
    # Freeing what is known of a large project would take seconds, in which clients lose their patience.
    os._exit(code)
