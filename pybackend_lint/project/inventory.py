"""Which files of a project mention a word: for the few questions that look backward, built when asked."""

from __future__ import annotations

import os

from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module

_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env"})
_MOST_FILES = 20_000


def files_with(index: Index, asker: Module, word: bytes) -> list[str]:
    """The paths of the Python files in the project of `asker` whose text contains a word, sorted.

    Hidden folders, virtual environments and build results are left out. The answer rests on every
    file of the project, and is recorded so.
    """
    own = index.path_of(asker)
    root = index.layout.project_root(os.path.dirname(own))
    everything = os.path.join(root, "**")
    index.consulted.setdefault(own, set()).add(everything)
    texts = index.fact(("texts", root), lambda: _texts(index, root, everything))
    return index.fact(
        ("files with", root, word), lambda: [path for path, text in texts.items() if word in text]
    )


def _texts(index: Index, root: str, everything: str) -> dict[str, bytes]:
    paths = _python_files(index, root)
    index.consulted[everything] = set(paths)
    return {path: index.files.read(path) or b"" for path in paths}


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
