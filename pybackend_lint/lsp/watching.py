"""Following the configuration: settings of the client, workspace folders, and files on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pybackend_lint.lsp.checker import TEMPLATES, FileChange
from pybackend_lint.lsp.configuration import SECTION, Folder, Options, read_options
from pybackend_lint.lsp.diagnostics import SOURCE
from pybackend_lint.lsp.documents import path_of
from pybackend_lint.lsp.jobs import EDITED, Interruption
from pybackend_lint.lsp.session import Session
from pybackend_lint.lsp.workspace import add_pull_features

_WATCHED = (
    "**/*.{py,pyi}",
    f"**/{{templates,jinja2}}/**/*{{{','.join(TEMPLATES)}}}",
    "**/{pyproject.toml,setup.cfg,uv.lock,poetry.lock,pdm.lock,pylock.toml,Pipfile,Pipfile.lock}",
    "**/{requirements*.txt,alembic.ini,ruff.toml,.ruff.toml,.python-version,pytest.ini,tox.ini}",
)


def configure(session: Session) -> None:
    """Read all settings again, and check everything again."""
    _use_settings(session)
    session.everything_changed()


def _use_settings(session: Session) -> None:
    folders, options = list(session.folders.items()), session.options

    def run(interrupted: Interruption) -> None:
        session.checker.configure((Folder(path, own) for path, own in folders), options)

    session.jobs.submit("configure", run, priority=EDITED)


def add_features(session: Session) -> None:
    """Add what follows the configuration to a session."""

    @session.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        session.initial_options, problems = read_options(params.initialization_options)
        session.options = session.initial_options
        session.startup_problems += problems
        folders = [folder.uri for folder in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [params.root_uri]
        elif not folders and params.root_path:
            folders = [Path(params.root_path).as_uri()]
        _set_folders(session, folders)
        _use_settings(session)
        document = params.capabilities.text_document
        if document is not None and document.diagnostic is not None:
            session.pull = True
            add_pull_features(session)

    @session.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        session.tell_all(session.startup_problems)
        await _watch(session)
        if await _fetch(session):
            configure(session)

    @session.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        changed = await _fetch(session)
        if changed is None:
            session.options, problems = read_options(_plain(params.settings))
            session.tell_all(problems)
            session.folders = dict.fromkeys(session.folders, session.options)
        if changed is not False:
            configure(session)

    @session.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        _set_folders(session, list(session.workspace.folders))
        await _fetch(session)
        configure(session)

    @session.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        changes = [
            FileChange(
                path,
                change.type == types.FileChangeType.Created,
                change.type == types.FileChangeType.Deleted,
            )
            for change in params.changes
            if (path := path_of(change.uri)) is not None
        ]

        def run(interrupted: Interruption) -> None:
            affected = session.checker.follow(changes)
            if affected is None:
                session.call(configure, session)
            else:
                session.call(session.affect, affected)

        session.jobs.submit(object(), run, priority=EDITED)


def _set_folders(session: Session, uris: Iterable[str]) -> None:
    old = session.folders
    paths = [path for uri in uris if (path := path_of(uri)) is not None]
    session.folders = {path: old.get(path, session.options) for path in paths}


async def _watch(session: Session) -> None:
    """Ask the client to tell of changes of files and settings."""
    workspace = session.client_capabilities.workspace
    if workspace is None:
        return
    registrations: list[types.Registration] = []
    watched, settings = workspace.did_change_watched_files, workspace.did_change_configuration
    if watched is not None and watched.dynamic_registration:
        options = types.DidChangeWatchedFilesRegistrationOptions(
            [types.FileSystemWatcher(glob) for glob in _WATCHED]
        )
        registrations.append(
            types.Registration(f"{SOURCE}.files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        )
    if settings is not None and settings.dynamic_registration:
        registrations.append(
            types.Registration(
                f"{SOURCE}.settings",
                types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                types.DidChangeConfigurationRegistrationOptions(section=SECTION),
            )
        )
    if registrations:
        try:
            await session.client_register_capability_async(types.RegistrationParams(registrations))
        except JsonRpcException as error:
            session.log(f"the client does not tell of changes: {error}")


async def _fetch(session: Session) -> bool | None:
    """Ask the client for the settings of each folder: whether they are other ones; None without an answer."""
    workspace = session.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return None
    paths = [*session.folders, ""]  # the last one stands for files outside of all folders
    items = [
        types.ConfigurationItem(scope_uri=Path(path).as_uri() if path else None, section=SECTION)
        for path in paths
    ]
    try:
        answers: Sequence[object] = await session.workspace_configuration_async(
            types.ConfigurationParams(items)
        )
    except JsonRpcException as error:
        session.log(f"the client does not tell its settings: {error}")
        return None
    changed = False
    for path, answer in zip(paths, answers, strict=False):
        options, problems = read_options(_plain(answer))
        session.tell_all(problems)
        if options == Options():
            options = session.initial_options
        before = session.folders.get(path) if path else session.options
        if before is None or options == before:  # None: the folder was removed meanwhile
            continue
        changed = True
        if path:
            session.folders[path] = options
        else:
            session.options = options
    return changed


def _plain(value: object) -> object:
    """A value as JSON has it; the protocol library makes named tuples of what it does not know."""
    if hasattr(value, "_asdict"):
        return {key: _plain(content) for key, content in value._asdict().items()}
    return [_plain(content) for content in value] if isinstance(value, list) else value
