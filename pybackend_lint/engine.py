"""The engine: which rules apply to a file, run them, honour suppressions and the selection."""

from __future__ import annotations

import ast
import os
import platform
import re
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pybackend_lint.finding import Finding, Position, Severity
from pybackend_lint.frameworks.libraries import libraries
from pybackend_lint.newer_syntax import needed_python
from pybackend_lint.project.files import Files
from pybackend_lint.project.index import Index, Postponed
from pybackend_lint.project.layout import Layout
from pybackend_lint.project.project import Project, folders_with_requirements
from pybackend_lint.registry import ENTRIES
from pybackend_lint.registry_lookup import load
from pybackend_lint.rule import Context, ProjectFile, Rule
from pybackend_lint.rule_entry import Entry
from pybackend_lint.semantic.module import Module
from pybackend_lint.settings import SYNTAX_ERROR, Settings
from pybackend_lint.source import Source, SourceError, words
from pybackend_lint.suppression import Suppressions

_PACKAGE = re.compile(r"[A-Za-z][\w.-]*")


class Interrupted(Exception):
    """A check was given up, because nobody needs its result any more or something else is more urgent."""


@dataclass(frozen=True, slots=True)
class Report:
    """What checking one file gave.

    - `findings`: sorted, selected and not suppressed.
    - `errors`: one line for each rule that failed; the other rules went on.
    - `complete`: whether no question was postponed, as happens only when `Index.most_files` is set.
    """

    findings: list[Finding]
    errors: list[str] = field(default_factory=list)
    complete: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """The selected rules that look at a kind of file, by what a file must hold for them to run.

    - `by_name`: rules about calls of these names; `by_word`: the others that need one of some words.
    - `always`: those for which neither decides.
    """

    by_name: dict[str, list[_Runnable]] = field(default_factory=dict)
    by_word: dict[bytes, list[_Runnable]] = field(default_factory=dict)
    always: list[_Runnable] = field(default_factory=list)

    def add(self, runnable: _Runnable) -> None:
        for name in runnable.only_calls:
            self.by_name.setdefault(name, []).append(runnable)
        if not runnable.only_calls and runnable.words and not runnable.parts:
            for word in runnable.words:
                self.by_word.setdefault(word, []).append(runnable)
        elif not runnable.only_calls:
            self.always.append(runnable)

    def candidates(self, called: Iterable[str], words: Iterable[bytes]) -> list[_Runnable]:
        """The rules that a file with calls of these names and with these words may concern, by code."""
        found = {*self.always}
        found.update(*map(self.by_name.__getitem__, self.by_name.keys() & called))
        found.update(*map(self.by_word.__getitem__, self.by_word.keys() & words))
        return sorted(found, key=lambda runnable: runnable.entry.code)


@dataclass(frozen=True, slots=True, eq=False)
class _Runnable:
    """A rule's entry with what is needed to decide quickly whether a file can concern it."""

    entry: Entry
    nodes: tuple[type[ast.AST], ...]
    only_calls: frozenset[str]
    words: frozenset[bytes]
    parts: tuple[bytes, ...]
    packages: tuple[str, ...]


def _runnable(entry: Entry) -> _Runnable:
    packages = (
        match.group() for match in map(_PACKAGE.match, entry.applies.replace(" ", "").split(",")) if match
    )
    nodes = tuple(getattr(ast, name) for name in entry.nodes)
    only_calls = frozenset(entry.names) if nodes == (ast.Call,) else frozenset()
    texts = entry.words or (() if only_calls or ast.Module in nodes else entry.names)
    whole = frozenset(text.encode() for text in texts if words(text.encode()) == {text.encode()})
    return _Runnable(
        entry,
        nodes,
        only_calls,
        whole,
        tuple(text.removeprefix("*").encode() for text in texts if text.encode() not in whole),
        tuple(package for package in packages if package != "python"),
    )


class _Text:
    """The bytes of a file, searched for the texts of many rules; what was found is kept.

    `frequent` are the words of rules that the file holds.
    """

    def __init__(self, data: bytes, frequent: frozenset[bytes]) -> None:
        self._data = data
        self._words = frequent
        self._parts: dict[bytes, bool] = {}

    def holds_any(self, runnable: _Runnable) -> bool:
        if not self._words.isdisjoint(runnable.words):
            return True
        for part in runnable.parts:
            found = self._parts.get(part)
            if found is None:
                found = self._parts[part] = part in self._data
            if found:
                return True
        return False


class Engine:
    """Checks files of one workspace; keeps what it learnt about modules between files.

    `overlay` holds unsaved contents by absolute path.
    """

    def __init__(self, settings: Settings, overlay: Mapping[Path, bytes] | None = None) -> None:
        self.settings = settings
        self.files = Files(overlay)
        self.index = Index(self.files, Layout(self.files), libraries(settings.extra_base_classes))
        self._projects: dict[tuple[str, tuple[str, ...]], Project] = {}
        self._projects_by_directory: dict[str, Project] = {}
        self._python = [
            _runnable(entry) for entry in ENTRIES if entry.file == "python" and entry.code != SYNTAX_ERROR
        ]
        self.files.frequent = frozenset().union(*(runnable.words for runnable in self._python))
        self._others = [entry for entry in ENTRIES if entry.file != "python"]
        self._rules: dict[str, Rule] = {}
        self._by_kind: dict[tuple[frozenset[str], str, tuple[bool, bool]], _Kind] = {}

    def project_of(self, path: Path) -> Project:
        """The project that a file belongs to."""
        directory = str(path.parent)
        project = self._projects_by_directory.get(directory)
        if project is not None:
            return project
        root = self.index.layout.project_root(directory)
        folders = folders_with_requirements(self.index, directory, root)
        project = self._projects.get((root, folders))
        if project is None:
            project = self._projects[root, folders] = Project(
                root,
                self.index,
                versions=self.settings.versions,
                extra_blocking=self.settings.extra_blocking,
                allowed_blocking=self.settings.allowed_blocking,
                folders=folders,
            )
        self._projects_by_directory[directory] = project
        return project

    def check(self, source: Source, path: Path, interrupted: Callable[[], bool] = lambda: False) -> Report:
        """Check one Python file.

        `source.path` is the path to report; `path`, absolute, decides project, module and kind of file.
        Raises `Interrupted` when `interrupted`, which is asked between two rules, says so.
        """
        selected = self.settings.rules_for(path)
        display = source.path
        module = self.index.add(str(path), source.data)
        source = module.source
        try:
            source.tree  # noqa: B018  (raises where the file is not valid Python)
        except SourceError as error:
            self.index.discard(str(path))
            return Report(self._selected([syntax_error(error, display)], selected))
        project = self.project_of(path)
        findings: list[Finding] = []
        errors: list[str] = []
        complete = True
        for rule in self._rules_for(source, path, project, selected):
            if interrupted():
                raise Interrupted
            context = Context(rule, module, project, display)
            try:
                for node in _candidates(rule, source):
                    findings.extend(rule.check(node, context))
            except Postponed:
                complete = False
            except Exception as error:  # a rule that fails must not stop the others
                errors.append(_internal_error(rule, display, error))
        if findings and self.settings.respect_noqa and b"noqa" in source.data.lower():
            findings, _ = Suppressions(source).split(findings)
        self.index.trim()
        return Report(self._selected(findings, selected), errors, complete)

    def check_project_file(self, path: Path, display: str, data: bytes) -> Report:
        """Check a project file such as `pyproject.toml`; `path` is absolute, `display` is reported."""
        selected = self.settings.rules_for(path)
        try:
            text = data.decode("utf-8-sig")
            values = tomllib.loads(text)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            return Report([], [f"{display}: not valid TOML: {error}"])
        file = ProjectFile(display, text, values)
        module = Module(path.name, Source(str(path), data), self.index, is_package=False)
        self.index.begin(str(path))
        findings: list[Finding] = []
        errors: list[str] = []
        complete = True
        for entry in self._others:
            if entry.code in selected and entry.file == path.name:
                rule = self._load(entry)
                try:
                    findings.extend(rule.check(file, Context(rule, module, self.project_of(path), display)))
                except Postponed:
                    complete = False
                except Exception as error:  # a rule that fails must not stop the others
                    errors.append(_internal_error(rule, display, error))
        if self.settings.respect_noqa:
            findings, _ = Suppressions(module.source).split(findings)
        return Report(self._selected(findings, selected), errors, complete)

    def _load(self, entry: Entry) -> Rule:
        rule = self._rules.get(entry.code)
        if rule is None:
            rule = self._rules[entry.code] = load(entry)
        return rule

    def _rules_for(
        self, source: Source, path: Path, project: Project, selected: frozenset[str]
    ) -> Iterator[Rule]:
        """The rules that can find something in a file; the cheap tests come first."""
        data = source.data
        words = self.files.frequent_words(str(path), data)
        text = _Text(data, words)
        concerned: dict[tuple[str, ...], bool] = {(): True}
        types = source.types
        has_imports = not types.isdisjoint((ast.Import, ast.ImportFrom))
        kind = self._kind(selected, project, str(path))
        for runnable in kind.candidates(source.calls.keys(), words):
            if not runnable.only_calls and types.isdisjoint(runnable.nodes):
                continue
            packages = runnable.packages
            concerns = concerned.get(packages)
            if concerns is None:
                concerns = concerned[packages] = project.concerns(packages, data, has_imports=has_imports)
            if not concerns:
                continue
            if (runnable.words or runnable.parts) and not text.holds_any(runnable):
                continue
            yield self._load(runnable.entry)

    def _kind(self, selected: frozenset[str], project: Project, path: str) -> _Kind:
        """The selected rules that look at files of the kind of this one."""
        kind = (project.is_test(path), project.is_migration(path))
        key = (selected, project.root, kind)
        known = self._by_kind.get(key)
        if known is None:
            in_tests, in_migrations = ("skip" if flag else "only" for flag in kind)
            known = self._by_kind[key] = _Kind()
            for runnable in self._python:
                entry = runnable.entry
                if (
                    entry.code not in selected
                    or entry.tests == in_tests
                    or entry.migrations == in_migrations
                    or not (entry.applies == "" or project.satisfies(entry.applies, entry.bound))
                ):
                    continue
                known.add(runnable)
        return known

    def _selected(self, findings: Iterable[Finding], selected: frozenset[str]) -> list[Finding]:
        unique = {(f.code, f.start, f.end, f.message): f for f in findings if f.code in selected}
        return sorted(unique.values(), key=lambda finding: finding.sort_key)


def _candidates(rule: Rule, source: Source) -> Iterator[ast.AST]:
    names = rule.names
    for cls in rule.nodes:
        if cls is ast.Call and names:
            for name in names:
                yield from source.calls.get(name, ())
        elif cls is ast.Attribute and names:
            for name in names:
                yield from source.attributes.get(name, ())
        else:
            yield from source.nodes(cls)


def syntax_error(error: SourceError, path: str) -> Finding:
    """The finding about a file that cannot be decoded or parsed; `path` is reported."""
    start = error.start
    message = error.reason
    needed = needed_python(error.line, error.reason)
    if needed is not None:
        message += f" (needs Python {needed[0]}.{needed[1]}, this is {platform.python_version()})"
    return Finding(
        code=SYNTAX_ERROR,
        name="syntax-error",
        message=message,
        path=path,
        start=start,
        end=Position(start.row, start.column + 1),
        severity=Severity.ERROR,
    )


def _internal_error(rule: Rule, path: str, error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    return f"{path}: internal error in {rule.code} ({rule.name}) at {place}: {type(error).__name__}: {error}"
