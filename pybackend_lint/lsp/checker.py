"""Checks documents with engines that are kept and follow every change; used by one thread only."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pybackend_lint.engine import Engine, syntax_error
from pybackend_lint.finding import Finding
from pybackend_lint.lsp.configuration import Folder, Options
from pybackend_lint.runner import discover, is_excluded
from pybackend_lint.settings import PROJECT_FILES, SYNTAX_ERROR, Settings, SettingsError
from pybackend_lint.source import Source, SourceError

# So many changes at once, as a change of the branch makes them, are not followed one by one.
_MANY = 200
# The first check of a document reads no more files than this for one question.
_FEW = 100
_STRUCTURAL = frozenset({"__init__.py", "manage.py", "setup.py"})
TEMPLATES = (".html", ".jinja", ".jinja2", ".j2")
_FAILURE = re.compile(r": internal error in (PB\d{3}) ")


def failed_rule(error: str) -> str | None:
    """The code of the rule that failed, where an error of a check says so."""
    found = _FAILURE.search(error)
    return found[1] if found is not None else None


class FileChange(NamedTuple):
    """A change of a file on disk."""

    path: str
    is_new: bool
    is_gone: bool


@dataclass(frozen=True)
class Outcome:
    """What checking one document gave.

    `errors` has one line for each rule that failed; `complete` tells whether all questions were asked.
    """

    findings: Sequence[Finding] = ()
    errors: Sequence[str] = ()
    complete: bool = True


class Checker:
    """The engines of all workspace folders, one for each settings, over the same unsaved buffers.

    `report` is told of settings that cannot be used, one line each.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._folders: tuple[Folder, ...] = ()
        self._outside: tuple[Folder, ...] = ()  # those of open files that lie in none of them
        self._options = Options()
        self._engines: dict[int, tuple[Settings, Engine]] = {}  # by identity of the settings
        self._buffers: dict[str, bytes] = {}  # the last contents of open documents that could be parsed
        self._excluded: dict[str, bool] = {}
        self._outcomes: dict[str, Outcome] = {}  # of files that are not open
        self._problems: set[str] = set()
        self._failing: set[str | None] = set()  # the codes of rules that fail with a new index as well

    # Settings

    def configure(self, folders: Iterable[Folder], options: Options) -> None:
        """Use these folders, whose settings are not read yet, and these options for files outside of them."""
        self._options = options
        # The innermost folder of a file decides.
        self._folders = tuple(sorted(folders, key=lambda folder: -len(folder.path)))
        self._outside = ()
        self._engines.clear()
        self._excluded.clear()
        self._outcomes.clear()
        self._problems.clear()

    def folder_of(self, path: str) -> Folder:
        """The workspace folder that a file lies in; a folder of its own for files outside of all."""
        for folder in (*self._folders, *self._outside):
            if folder.contains(path):
                return folder
        outside = Folder(os.path.dirname(path), self._options)
        self._outside = (*self._outside, outside)
        return outside

    def settings_of(self, path: str) -> Settings:
        """The settings for a file; the default ones where those that are written cannot be used."""
        folder = self.folder_of(path)
        try:
            return folder.settings_for(os.path.dirname(path))
        except SettingsError as error:
            self._complain(str(error))
            return folder.default

    def _complain(self, line: str) -> None:
        if line not in self._problems:
            self._problems.add(line)
            self._report(line)

    def is_excluded(self, path: str) -> bool:
        """Whether the settings exclude a file."""
        known = self._excluded.get(path)
        if known is None:
            known = self._excluded[path] = is_excluded(path, self.settings_of(path))
        return known

    def engine_of(self, path: str) -> Engine:
        """The engine that checks a file."""
        settings = self.settings_of(path)
        known = self._engines.get(id(settings))
        if known is None:
            overlay = {Path(other): data for other, data in self._buffers.items()}
            known = self._engines[id(settings)] = settings, Engine(settings, overlay)
            for line in settings.warnings:
                self._complain(line)
        return known[1]

    # Changes

    def change(self, path: str, data: bytes | None) -> set[str]:
        """Follow the change of a file: an open document's text, or None when the disk tells it again.

        A text that cannot be parsed changes nothing. Returns the paths of files whose findings may be
        other ones now.
        """
        if os.path.basename(path) in PROJECT_FILES:
            return set()
        before = self._buffers.get(path)
        source: Source | None = None
        if data is None:
            on_disk = _read(path)
            appeared, same = on_disk is None, before is None or on_disk == before
            self._buffers.pop(path, None)
        else:
            if data == before:
                return set()
            source = Source(path, data)
            if _error(source) is not None:
                return set()
            appeared, same = before is None and not os.path.exists(path), False
            self._buffers[path] = data
        affected: set[str] = set()
        for _, engine in self._engines.values():
            if data is None:
                engine.files.overlay.pop(path, None)
            else:
                engine.files.overlay[path] = data
            if appeared:
                affected |= engine.index.appear(path)
            if not same:
                affected |= engine.index.change(path, source)
                source = Source(path, data) if data is not None else None  # an index owns its trees
        return self._forget_outcomes(path, affected)

    def follow(self, changes: Sequence[FileChange]) -> set[str] | None:
        """Follow changes on disk; None when so much may be different that `configure` has to be called.

        Otherwise returns the paths of changed files and of those whose findings may be other ones now.
        """
        if len(changes) > _MANY or any(map(self._decides, changes)):
            return None
        affected: set[str] = set()
        for path, is_new, is_gone in changes:
            if path in self._buffers:
                continue
            is_module = not path.endswith(TEMPLATES)
            if is_module:
                affected.add(path)
            for _, engine in self._engines.values():
                affected |= engine.index.change(path, None)
                if is_module and (is_new or is_gone):
                    affected |= engine.index.appear(path)
        return self._forget_outcomes("", affected)

    def _decides(self, change: FileChange) -> bool:
        """Whether settings, versions or the roots of imports may be other ones after a change."""
        directory, name = os.path.split(change.path)
        if name.endswith(TEMPLATES):
            return False
        if not name.endswith((".py", ".pyi")) or name == "setup.py":
            return True
        if not (change.is_new or change.is_gone):
            return False
        known = all(directory in engine.files.listings for _, engine in self._engines.values())
        return name in _STRUCTURAL or not known

    def _forget_outcomes(self, path: str, affected: set[str]) -> set[str]:
        for other in (path, *affected):
            self._outcomes.pop(other, None)
        return affected

    # Checks

    def check(
        self, path: str, data: bytes, interrupted: Callable[[], bool], *, quick: bool = False
    ) -> Outcome:
        """The findings in a document; `change` must have been told of its text.

        A quick check leaves out rules that would have to read a large project first.
        Raises `Interrupted` when `interrupted` says so.
        """
        if self.is_excluded(path):
            return Outcome()
        if os.path.basename(path) not in PROJECT_FILES and self._buffers.get(path) != data:
            # It could not be parsed; what other files know about it stays as it was.
            error = _error(Source(path, data))
            if error is not None:
                selected = SYNTAX_ERROR in self.settings_of(path).rules_for(Path(path))
                return Outcome([syntax_error(error, path)] if selected else [])
        return self._run(path, data, interrupted, quick=quick)

    def check_changed(self, path: str, data: bytes, interrupted: Callable[[], bool]) -> list[Finding]:
        """The findings in a document if it had another content; `change` has to tell its real one again."""
        self.change(path, data)
        return list(self.check(path, data, interrupted).findings)

    def check_file(self, path: str, interrupted: Callable[[], bool]) -> Outcome | None:
        """The findings in a file as it is on disk; None when it cannot be read.

        Raises `Interrupted` when `interrupted` says so.
        """
        known = self._outcomes.get(path)
        if known is None:
            data = _read(path)
            if data is None:
                return None
            known = self._outcomes[path] = self._run(path, data, interrupted)
        return known

    def discover(self) -> list[str]:
        """The files to check in all workspace folders; where there are none, beside the open files."""
        found: dict[str, None] = {}
        for folder in reversed(self._folders or self._outside):
            targets = discover([folder.path], folder.resolver)
            for problem in targets.errors:
                self._complain(problem)
            found |= {target.path: None for target in targets.files if self.folder_of(target.path) is folder}
        return list(found)

    def _run(
        self, path: str, data: bytes, interrupted: Callable[[], bool], *, quick: bool = False
    ) -> Outcome:
        engine = self.engine_of(path)
        engine.index.most_files = _FEW if quick else None
        if os.path.basename(path) in PROJECT_FILES:
            report = engine.check_project_file(Path(path), path, data)
            # That it is no TOML is not told: it is not while one types.
            return Outcome(report.findings, list(filter(failed_rule, report.errors)), report.complete)
        report = engine.check(Source(path, data), Path(path), interrupted)
        if not self._failing.issuperset(map(failed_rule, report.errors)):
            # What failed may have rested on something that is out of date: once more with a new index.
            self._engines.pop(id(engine.settings))
            report = self.engine_of(path).check(Source(path, data), Path(path), interrupted)
            self._failing.update(map(failed_rule, report.errors))
        return Outcome(report.findings, report.errors, report.complete)


def _read(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def _error(source: Source) -> SourceError | None:
    """Why a source cannot be parsed."""
    try:
        source.tree  # noqa: B018
    except SourceError as error:
        return error
    return None
