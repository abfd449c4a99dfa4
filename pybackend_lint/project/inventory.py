"""Which files of a project mention a text: for the few questions that look backward, built when asked."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Container

from pybackend_lint.project.files import everything_below, mentions_below
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module
from pybackend_lint.source import mentions, words

_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env"})
_MOST_FILES = 20_000


class _FilesByWord:
    """The Python files of a directory tree, by the words in them."""

    def __init__(self, index: Index, root: str) -> None:
        self._paths = files_below(index, root)
        self._by_word: defaultdict[bytes, list[str]] = defaultdict(list)
        self._by_text: dict[bytes, set[str]] = {}  # texts that are more than one word
        index.know(everything_below(root), self._paths)
        for path in self._paths:
            for word in index.files.words(path):
                self._by_word[word].append(path)

    def files(self, text: bytes, index: Index) -> Collection[str]:
        """The files that hold a text."""
        if words(text) == {text}:
            return self._by_word.get(text, ())
        found = self._by_text.get(text)
        if found is None:
            candidates = set.intersection(*(set(self._by_word.get(word, ())) for word in words(text)))
            found = self._by_text[text] = {path for path in candidates if text in index.content(path)}
        return found

    def follow(self, path: str, old: bytes | None, new: bytes | None) -> bool:
        if new is None:
            return False
        if path in self._paths:
            after = words(new)
            before = (
                words(old) if old is not None else {w for w, paths in self._by_word.items() if path in paths}
            )
            for word in before - after:
                self._by_word[word].remove(path)
            for word in after - before:
                self._by_word[word].append(path)
            for text, found in self._by_text.items():
                if mentions(new, text):
                    found.add(path)
                else:
                    found.discard(path)
        return True


def files_with(index: Index, asker: Module, text: bytes) -> list[str]:
    """The paths of the Python files in the project of `asker` that contain a text, sorted.

    The text begins and ends where words begin and end. Hidden folders, virtual environments and build
    results are left out. The answer and what is made of it rest on these files, and on no other file
    beginning to mention the text.
    """
    root = index.layout.project_root(os.path.dirname(index.path_of(asker)))
    found = index.lasting_fact(("words of files", root), lambda: _FilesByWord(index, root)).files(text, index)
    index.rest_on(mentions_below(root, text), found)
    return sorted(found)


def files_below(index: Index, root: str, also: Container[str] = ()) -> list[str]:
    """The Python files below a directory and those with a name in `also`, folder by folder.

    Hidden folders, virtual environments and build results are left out.
    """
    found: list[str] = []
    pending = [root]
    while pending and len(found) < _MOST_FILES:
        index.may_read(len(found))
        directory = pending.pop()
        for name, is_directory in sorted(index.files.listing(directory).items()):
            if is_directory:
                if name[0] not in "._" and name not in _SKIPPED:
                    pending.append(os.path.join(directory, name))
            elif name.endswith(".py") or name in also:
                found.append(os.path.join(directory, name))
    index.may_read(len(found))
    return found
