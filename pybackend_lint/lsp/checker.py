"""Checks documents with engines that are kept and follow every change; used by one thread only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pybackend_lint.engine import Engine, Report, syntax_error
from pybackend_lint.finding import Finding
from pybackend_lint.lsp.configuration import Folder
from pybackend_lint.runner import is_excluded
from pybackend_lint.settings import PROJECT_FILES, SYNTAX_ERROR, Settings, SettingsError
from pybackend_lint.source import Source, SourceError


@dataclass(frozen=True)
class Outcome:
    """What checking one document gave; `errors` has one line for each rule that failed."""

    findings: Sequence[Finding] = ()
    errors: Sequence[str] = field(default_factory=tuple)


class Checker:
    """The engines of all workspace folders, one for each settings, over the same unsaved buffers."""

    def __init__(self) -> None:
        self._folders: tuple[Folder, ...] = ()
        self._engines: dict[int, tuple[Settings, Engine]] = {}
        self._buffers: dict[str, bytes] = {}  # the last contents of open documents that could be parsed
        self._excluded: dict[str, bool] = {}
        self.problems: list[str] = []

    def configure(self, folders: Iterable[Folder]) -> None:
        """Use these folders and read all settings again."""
        # The innermost folder of a file decides.
        self._folders = tuple(sorted(folders, key=lambda folder: -len(folder.path)))
        self._engines.clear()
        self._excluded.clear()

    def folder_of(self, path: str) -> Folder:
        """The workspace folder that a file lies in; a folder of its own for files outside of all."""
        for folder in self._folders:
            if folder.contains(path):
                return folder
        outside = Folder(os.path.dirname(path), self._folders[-1].options if self._folders else None)
        self._folders = (*self._folders, outside)
        return outside

    def settings_of(self, path: str) -> Settings:
        """The settings for a file; the default ones where those that are written cannot be used."""
        folder = self.folder_of(path)
        try:
            return folder.settings_for(os.path.dirname(path))
        except SettingsError as error:
            if str(error) not in self.problems:
                self.problems.append(str(error))
            return folder.default

    def engine_of(self, path: str) -> Engine:
        """The engine that checks a file."""
        settings = self.settings_of(path)
        known = self._engines.get(id(settings))
        if known is None:
            overlay = {Path(other): data for other, data in self._buffers.items()}
            known = self._engines[id(settings)] = settings, Engine(settings, overlay)
        return known[1]

    def change(self, path: str, data: bytes | None) -> set[str]:
        """Follow the change of a file: an open document's text, or None when the disk tells it.

        A text that cannot be parsed changes nothing. Returns the paths of files whose findings may be
        other ones now.
        """
        if os.path.basename(path) in PROJECT_FILES or self._buffers.get(path) == data is not None:
            return set()
        source = Source(path, data) if data is not None else None
        if source is not None:
            try:
                source.tree  # noqa: B018  (raises where the text cannot be parsed)
            except SourceError:
                return set()
        appeared = False
        if data is None:
            self._buffers.pop(path, None)
        else:
            appeared = path not in self._buffers and not os.path.exists(path)
            self._buffers[path] = data
        affected: set[str] = set()
        for _, engine in self._engines.values():
            if data is None:
                engine.files.overlay.pop(path, None)
            else:
                engine.files.overlay[path] = data
            if appeared:
                affected |= engine.index.appear(path)
            affected |= engine.index.change(path, source)
            # Only the first engine may have this very tree, since nodes are numbered for their module.
            source = Source(path, source.data) if source is not None else None
        return affected

    def check(self, path: str, data: bytes, interrupted: Callable[[], bool] = lambda: False) -> Outcome:
        """The findings in a document; `change` must have been told of its text.

        Raises `Interrupted` when `interrupted` says so.
        """
        if self.is_excluded(path):
            return Outcome()
        engine = self.engine_of(path)
        if os.path.basename(path) in PROJECT_FILES:
            report = engine.check_project_file(Path(path), path, data)
            return Outcome(report.findings)
        source = Source(path, data)
        if self._buffers.get(path) != data:
            try:
                source.tree  # noqa: B018
            except SourceError as error:
                selected = SYNTAX_ERROR in engine.settings.rules_for(Path(path))
                return Outcome([syntax_error(error, path)] if selected else [])
        report = engine.check(source, Path(path), interrupted)
        if report.errors:
            # What failed may have rested on something that is out of date.
            report = self._check_anew(path, source, interrupted)
        return Outcome(report.findings, report.errors)

    def _check_anew(self, path: str, source: Source, interrupted: Callable[[], bool]) -> Report:
        self._engines.pop(id(self.settings_of(path)))
        return self.engine_of(path).check(source, Path(path), interrupted)

    def is_excluded(self, path: str) -> bool:
        """Whether the settings exclude a file."""
        known = self._excluded.get(path)
        if known is None:
            known = self._excluded[path] = is_excluded(path, self.settings_of(path))
        return known
