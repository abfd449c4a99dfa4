"""What plugins of other linters share: engines for the files they hand over, one after another."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pybackend_lint import garbage_collection
from pybackend_lint.engine import Engine
from pybackend_lint.finding import Finding, Position
from pybackend_lint.project.index import Index
from pybackend_lint.registry import ENTRIES
from pybackend_lint.settings import PROJECT_FILES, Resolver, Settings
from pybackend_lint.source import Source

_ENTRY_FILES = ("manage.py", "main.py", "app.py", "wsgi.py", "asgi.py")


class Host:
    """Another linter that calls us file by file, with defaults and suppressions of its own.

    Rules that are off by default run too, unless our settings say otherwise: whether they are shown
    is for the other linter to say. `respect_noqa` tells whether `noqa` comments suppress.
    """

    def __init__(self, *, respect_noqa: bool = True) -> None:
        self._resolver = Resolver(lambda settings: replace(settings, opt_in=True, respect_noqa=respect_noqa))
        self._engines: dict[int, Engine] = {}
        self._aside = garbage_collection.Aside(Index.keep)

    def check(self, path: str, data: bytes, tree: ast.Module | None = None) -> list[Finding]:
        """The findings in a file, and, at the top of a project's first file, in its project files.

        `tree` is the tree of `data`, where the other linter has parsed it already. A rule that fails
        is named on standard error. Raises `SettingsError`.
        """
        absolute = Path(os.path.abspath(path))
        settings = self._resolver.for_directory(str(absolute.parent))
        engine = self._engines.get(id(settings))
        if engine is None:
            engine = self._engines[id(settings)] = Engine(settings)
        if tree is not None:
            source = engine.index.add(str(absolute), data).source
            vars(source).setdefault("tree", tree)  # unless a module that imports this one was first
        with garbage_collection.paused():  # also for what the other linter keeps in memory
            report = engine.check(Source(path, data), absolute)
            findings = [*report.findings, *_project_findings(engine, absolute, path)]
        self._aside.add(len(data))
        for error in report.errors:
            print(f"pybackend-lint: {error}", file=sys.stderr)
        return findings


def opt_in_codes() -> list[str]:
    """The codes of the rules that the settings of the working directory leave off.

    Raises `SettingsError`.
    """
    settings: Settings = Resolver().for_directory(os.getcwd())
    return [entry.code for entry in ENTRIES if not entry.default and entry.code not in settings.rules]


def _project_findings(engine: Engine, path: Path, display: str) -> Iterator[Finding]:
    """Findings in project files, moved to the first line of the file that stands for the project.

    The other linter hands over Python files only, and cannot report on any other file.
    """
    root = engine.index.layout.project_root(str(path.parent))
    if _first_file(engine, root) != str(path):
        return
    for name in sorted(PROJECT_FILES):
        file = os.path.join(root, name)
        data = engine.files.read(file)
        if data is not None:
            for finding in engine.check_project_file(Path(file), file, data).findings:
                message = f"{finding.message} ({name}:{finding.start.row})"
                top = Position(1, 1)
                yield replace(finding, message=message, path=display, start=top, end=top, fix=None)


def _first_file(engine: Engine, root: str) -> str | None:
    """The `__init__.py` of a project's first package, else its entry point."""
    for directory in (os.path.join(root, "src"), root):
        for name, is_directory in sorted(engine.files.listing(directory).items()):
            if is_directory and not name.startswith((".", "test", "doc", "example")):
                init = os.path.join(directory, name, "__init__.py")
                if engine.files.is_file(init):
                    return init
    for name in _ENTRY_FILES:
        if engine.files.is_file(os.path.join(root, name)):
            return os.path.join(root, name)
    return None
