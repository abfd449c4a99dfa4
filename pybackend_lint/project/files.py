"""The files of the workspace, as they are on disk or in an editor's unsaved buffers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

from pybackend_lint.project.import_statements import import_statements
from pybackend_lint.source import mentions, words

_EVERYTHING = "**"


def entries_of(directory: str) -> dict[str, bool]:
    """The entries of a directory: name to whether it is a directory; empty when it cannot be read.

    Pipes, sockets and devices are left out: reading one may never end. Dangling links are kept.
    """
    found = {}
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                is_directory = entry.is_dir()
                if is_directory or entry.is_file() or not os.path.exists(entry.path):
                    found[entry.name] = is_directory
    except OSError:
        pass
    return found


class Files:
    """Reads files and lists directories, each once.

    `overlay` holds contents that replace or add to what is on disk, by absolute path. `reads` and
    `listings` remember what was asked for, found or not: what answers about the workspace rest on.
    `frequent` are words that every file is searched for.
    """

    def __init__(self, overlay: Mapping[Path, bytes] | None = None) -> None:
        self.overlay = {str(path): data for path, data in (overlay or {}).items()}
        self.reads: set[str] = set()
        self.listings: dict[str, dict[str, bool]] = {}
        self.frequent: frozenset[bytes] = frozenset()
        self._frequent: dict[str, tuple[int, frozenset[bytes]]] = {}  # those of a file, by its content's hash
        self._hashes: dict[str, str | None] = {}

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None when there is none that can be read."""
        if path not in self.overlay:
            self.reads.add(path)
        return self.content(path)

    def content(self, path: str) -> bytes | None:
        """What `read` gives, without remembering that it was asked for."""
        if path in self.overlay:
            return self.overlay[path]
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def words(self, path: str) -> set[bytes]:
        """The words of a file; empty when it cannot be read."""
        data = self.read(path) or b""
        found = words(data)
        self._frequent[path] = hash(data), self.frequent & found
        return found

    def frequent_words(self, path: str, data: bytes) -> frozenset[bytes]:
        """Which frequent words a file has with a content; not searched where `words` was asked before."""
        known = self._frequent.get(path)
        return known[1] if known is not None and known[0] == hash(data) else self.frequent & words(data)

    def listing(self, directory: str) -> dict[str, bool]:
        """The entries of a directory: name to whether it is a directory; empty when it cannot be read."""
        found = self.listings.get(directory)
        if found is None:
            found = entries_of(directory)
            prefix = directory.rstrip(os.sep) + os.sep
            for path in self.overlay:
                if path.startswith(prefix):
                    name, _, rest = path.removeprefix(prefix).partition(os.sep)
                    found[name] = bool(rest)
            self.listings[directory] = found
        return found

    def is_file(self, path: str) -> bool:
        """Whether there is a file of this path."""
        directory, name = os.path.split(path)
        return self.listing(directory).get(name) is False

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory of this path."""
        directory, name = os.path.split(path)
        return self.listing(directory).get(name) is True

    def content_hash(self, path: str) -> str | None:
        """The hash of a file's content, or None when there is no such file."""
        if path not in self._hashes:
            data = self.read(path)
            self._hashes[path] = hash_of(data) if data is not None else None
        return self._hashes[path]


def hash_of(data: bytes) -> str:
    """The hash under which results about a content are kept."""
    return blake2b(data, digest_size=16).hexdigest()


def everything_below(directory: str) -> str:
    """A name, which is no path of a file, for all files of a directory tree."""
    return os.path.join(directory, _EVERYTHING)


def folders_below(directory: str) -> str:
    """A name, which is no path of a file, for the folders and modules of a directory tree, by their names."""
    return os.path.join(directory, f"{_EVERYTHING}folders")


def mentions_below(directory: str, text: bytes) -> str:
    """A name, which is no path of a file, for the files of a directory tree that mention a text."""
    return f"{everything_below(directory)}?{os.fsdecode(text)}"


def is_group(name: str) -> bool:
    """Whether a name is one made by the functions above and below, not the path of a file."""
    return f"{os.sep}{_EVERYTHING}" in name


def words_of(name: str) -> set[bytes] | None:
    """The words that a file has to hold to be in a group, where `mentions_below` made its name, else None."""
    _, separator, text = name.partition(f"{os.sep}{_EVERYTHING}?")
    if not separator:
        return None
    return set() if text.startswith("*") else words(os.fsencode(text))


def is_below(directory: str, group: str) -> bool:
    """Whether a directory lies in the tree of a group, a name made by one of the functions above."""
    root, separator, _ = group.partition(f"{os.sep}{_EVERYTHING}")
    return bool(separator) and f"{directory}{os.sep}".startswith(f"{root}{os.sep}")


def imports_of(path: str) -> str:
    """A name, which is no path of a file, for what a file and those that it imports import."""
    return os.path.join(path, f"{_EVERYTHING}imports")


def imports_as_in(path: str, data: bytes) -> str:
    """A name, which is no path of a file, for the import statements that a file has with a content."""
    statements = b"\n".join(match.group() for match in import_statements(data))
    return f"{imports_of(path)}={hash_of(statements)}"


def outdated(path: str, data: bytes, known: set[bytes], groups: Iterable[str]) -> set[str]:
    """Those of some groups that a file's new content makes it one of, if `mentions_below` made their names,
    and those that stand for other import statements of it, if `imports_as_in` did.

    `known` are the words of the content.
    """
    found: set[str] = set()
    for group in groups:
        place, _, kind = group.partition(f"{os.sep}{_EVERYTHING}")
        if kind.startswith("?"):
            if path.startswith(f"{place}{os.sep}") and mentions(data, os.fsencode(kind[1:]), known):
                found.add(group)
        elif path == place and kind.startswith("imports=") and group != imports_as_in(path, data):
            found.add(group)
    return found
