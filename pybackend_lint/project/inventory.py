"""Which files of a project mention a word: for the few questions that look backward, built when asked."""

from __future__ import annotations

import os

from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module

_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env"})
_MOST_FILES = 20_000


def files_with(index: Index, asker: Module, word: bytes) -> list[str]:
    """The paths of the Python files in the project of `asker` whose text contains a word, sorted.

    Hidden folders, virtual environments and build results are left out.
    """
    root = index.layout.project_root(os.path.dirname(index.path_of(asker)))
    return index.fact(("files with", root, word), lambda: _files_with(index, root, word))


def _files_with(index: Index, root: str, word: bytes) -> list[str]:
    paths = index.fact(("python files", root), lambda: _python_files(index, root))
    return [path for path in paths if word in (index.files.read(path) or b"")]


def _python_files(index: Index, root: str) -> list[str]:
    found: list[str] = []
    pending = [root]
    while pending and len(found) < _MOST_FILES:
        directory = pending.pop()
        for name, is_directory in index.files.listing(directory).items():
            if is_directory:
                if name[0] not in "._" and name not in _SKIPPED:
                    pending.append(os.path.join(directory, name))
            elif name.endswith(".py"):
                found.append(os.path.join(directory, name))
    return sorted(found)
