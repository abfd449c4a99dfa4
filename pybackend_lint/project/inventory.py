"""Which files of a project mention a text: for the few questions that look backward, built when asked."""

from __future__ import annotations

import os
from collections.abc import Container

from pybackend_lint.project.files import everything_below
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module
from pybackend_lint.source import words

_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env"})
_MOST_FILES = 20_000


def files_with(index: Index, asker: Module, text: bytes) -> list[str]:
    """The paths of the Python files in the project of `asker` that contain a text, sorted.

    The text begins and ends where words begin and end. Hidden folders, virtual environments and build
    results are left out. The answer rests on every file of the project, and is recorded so.
    """
    root = index.layout.project_root(os.path.dirname(index.path_of(asker)))
    by_word = index.fact(("words of files", root), lambda: _files_by_word(index, root))
    wanted = words(text)
    found = set.intersection(*(set(by_word.get(word, ())) for word in wanted))
    if wanted != {text}:
        found = {path for path in found if text in (index.files.read(path) or b"")}
    return sorted(found)


def _files_by_word(index: Index, root: str) -> dict[bytes, list[str]]:
    found: dict[bytes, list[str]] = {}
    paths = files_below(index, root)
    index.rest_on(everything_below(root), paths)
    for path in paths:
        for word in words(index.files.read(path) or b""):
            found.setdefault(word, []).append(path)
    return found


def files_below(index: Index, root: str, also: Container[str] = ()) -> list[str]:
    """The Python files below a directory and those with a name in `also`, folder by folder.

    Hidden folders, virtual environments and build results are left out.
    """
    found: list[str] = []
    pending = [root]
    while pending and len(found) < _MOST_FILES:
        directory = pending.pop()
        for name, is_directory in sorted(index.files.listing(directory).items()):
            if is_directory:
                if name[0] not in "._" and name not in _SKIPPED:
                    pending.append(os.path.join(directory, name))
            elif name.endswith(".py") or name in also:
                found.append(os.path.join(directory, name))
    return found
