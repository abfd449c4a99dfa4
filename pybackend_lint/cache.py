"""Results kept between runs, valid as long as everything they rest on is what it was.

One JSON file holds what one combination of settings, versions and working directory gave: the
findings of each file, which files each module consulted, which modules were looked for in vain,
the files that tell versions, and the names in the directories that were listed. A file is known by
its modification time and size, else by the hash of its content. When anything cannot be read, the
cache is empty.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pybackend_lint import __version__
from pybackend_lint.finding import Applicability, Edit, Finding, Fix, Position, Related, Severity
from pybackend_lint.project.files import entries_of, is_below, is_group, outdated
from pybackend_lint.source import words

DIRECTORY = ".pybackend_lint_cache"

_FORMAT = 1
_KEPT = 16  # files of other settings or working directories; the oldest go
# What was changed less than this before the run may have been changed during it as well.
_GRANULARITY_NS = 10_000_000
_ABSENT = ""
_FOLDER = "folder"
_UNSURE = "unsure"

# Names that decide where projects and import roots are, and which versions they use.
_PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_STRUCTURAL = frozenset(
    {
        *_PROJECT_FILES,
        "__init__.py",
        "manage.py",
        "alembic.ini",
        "Pipfile",
        "Pipfile.lock",
        "Dockerfile",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "pylock.toml",
        ".python-version",
        "environment.yml",
        "environment.yaml",
        ".git",
        ".hg",
        ".svn",
        "src",
    }
)
_UNIMPORTANT = frozenset({"__pycache__", DIRECTORY})

_State = tuple[int, int, str]  # modification time in nanoseconds, size, hash


@dataclass
class Trace:
    """What the results of some checks rest on, all by absolute path.

    - `consulted`: module to the modules it asked; `missed`: module to the paths, without ending, of
      modules that it did not find.
    - `reads`: other files that were read or looked for; `listings`: directories and their names.
    - `workspaces`: the roots below which neighbouring projects are looked for.
    """

    consulted: dict[str, set[str]] = field(default_factory=dict)
    missed: dict[str, set[str]] = field(default_factory=dict)
    reads: set[str] = field(default_factory=set)
    listings: dict[str, frozenset[str]] = field(default_factory=dict)
    workspaces: set[str] = field(default_factory=set)


def important(listing: Mapping[str, bool]) -> frozenset[str]:
    """The names of a directory that can change what is found; directories end in a slash."""
    names = set()
    for name, is_directory in listing.items():
        if is_directory:
            if name not in _UNIMPORTANT:
                names.add(f"{name}/")
        elif name.endswith(".py") or name in _STRUCTURAL or name.startswith("requirements"):
            names.add(name)
    return frozenset(names)


def _structural(names: Iterable[str]) -> bool:
    return any(name.rstrip("/") in _STRUCTURAL or name.startswith("requirements") for name in names)


def _has_project(directory: str, names: Iterable[str], depth: int) -> bool:
    """Whether one of some subdirectories, or one below them down to a depth, is a project."""
    for name in names:
        if name.endswith("/"):
            below = os.path.join(directory, name)
            inside = _names(below)
            if not inside.isdisjoint(_PROJECT_FILES) or (
                depth > 1 and _has_project(below, inside, depth - 1)
            ):
                return True
    return False


class Cache:
    """The results of one combination of settings.

    `directory` is where the cache lies; `key` tells everything besides the files that decides about
    findings, as values that JSON can hold.
    """

    def __init__(self, directory: Path, key: list[object]) -> None:
        self._directory = directory
        self._start = time.time_ns() - _GRANULARITY_NS
        text = json.dumps([_FORMAT, __version__, _program(), platform.python_version(), os.getcwd(), key])
        self._path = directory / f"{blake2b(text.encode(), digest_size=16).hexdigest()}.json"
        self._files: dict[str, _State] = {}
        self._reads: set[str] = set()
        self._workspaces: set[str] = set()
        self._listings: dict[str, tuple[int, frozenset[str]]] = {}
        self._consulted: dict[str, set[str]] = {}
        self._missed: dict[str, set[str]] = {}
        self._results: dict[str, tuple[str, list[Any]]] = {}
        self._changed = False
        self._invalid: set[str] = set()

    def load(self) -> None:
        """Read what the last run kept, and find out what is still valid."""
        try:
            self._decode(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            self._forget()
            return
        if not self._verify():
            self._forget()

    def _forget(self) -> None:
        for kept in (self._files, self._listings, self._consulted, self._missed, self._results):
            kept.clear()
        self._reads.clear()
        self._workspaces.clear()
        self._invalid.clear()

    def get(self, path: str, display: str) -> list[Finding] | None:
        """The findings in a file, or None when it has to be checked."""
        result = self._results.get(path)
        if result is None or path in self._invalid or self._files[path][2] != result[0]:
            return None
        return [_decode_finding(item, display) for item in result[1]]

    def _verify(self) -> bool:
        """Compare with the disk; False when so much is different that nothing is valid."""
        added: dict[str, frozenset[str]] = {}
        for directory, (modified, names) in self._listings.items():
            now = _modified(directory)
            if now == modified:
                continue
            current = _names(directory)
            if _structural(current ^ names):
                return False
            for depth, root in ((2, directory), (1, os.path.dirname(directory))):
                if root in self._workspaces and _has_project(directory, current - names, depth):
                    return False  # another project to import from
            if current - names:
                added[directory] = current - names
            self._listings[directory] = (now, current)
            self._changed = True
        invalid: set[str] = set()
        groups = {group: paths for group, paths in self._consulted.items() if is_group(group)}
        for path, state in self._files.items():
            current_state = _state(path, state)
            if current_state is state:
                continue
            if current_state[2] != state[2]:
                if path in self._reads:
                    return False
                invalid.add(path)
                others = (group for group, paths in groups.items() if path not in paths)
                data = _content(path)
                invalid |= outdated(path, data, words(data), others)
            self._files[path] = current_state
            self._changed = True
        for directory, names in added.items():
            # A new module may be what a dotted name meant all the time.
            invalid |= {directory, os.path.join(directory, "__init__.py")}
            found = {os.path.join(directory, name.removesuffix("/").removesuffix(".py")) for name in names}
            invalid |= {module for module, missed in self._missed.items() if not found.isdisjoint(missed)}
            # What rests on all files of a tree, or on those that mention a text, may rest on the new one too.
            invalid |= {group for group in groups if is_below(directory, group)}
        if invalid:
            changed = set(invalid)
            self._invalid = self._dependents(invalid)
            for module in changed:
                self._consulted.pop(module, None)
                self._missed.pop(module, None)
        return True

    def _dependents(self, changed: set[str]) -> set[str]:
        """The modules that asked one of these, directly or not, and these themselves."""
        readers: dict[str, list[str]] = {}
        for module, consulted in self._consulted.items():
            for path in consulted:
                readers.setdefault(path, []).append(module)
        found = set(changed)
        pending = list(changed)
        while pending:
            for module in readers.get(pending.pop(), ()):
                if module not in found:
                    found.add(module)
                    pending.append(module)
        return found

    def put(self, path: str, digest: str, findings: Iterable[Finding]) -> None:
        """Keep the findings in a file whose content has this hash."""
        self._results[path] = (digest, [_encode_finding(finding) for finding in findings])
        self._files[path] = (0, 0, digest)
        self._invalid.discard(path)
        self._changed = True

    def add(self, trace: Trace) -> None:
        """Keep what the findings given to `put` rest on."""
        for module, paths in trace.consulted.items():
            self._consulted.setdefault(module, set()).update(paths)
        for module, paths in trace.missed.items():
            self._missed.setdefault(module, set()).update(paths)
        self._reads |= trace.reads
        self._workspaces |= trace.workspaces
        self._listings |= {directory: (0, names) for directory, names in trace.listings.items()}

    def save(self) -> None:
        """Write everything, when anything changed; a directory that cannot be written is left alone."""
        if not self._changed:
            return
        with contextlib.suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            for name, text in _MARKERS.items():
                if not (self._directory / name).exists():
                    (self._directory / name).write_text(text)
            for path in self._invalid:
                self._results.pop(path, None)
            self._refresh()
            data = json.dumps(self._encode(), separators=(",", ":")).encode()
            descriptor, name = tempfile.mkstemp(dir=self._directory, suffix=".tmp")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(name, self._path)
            self._prune()

    def _refresh(self) -> None:
        """Bring the states of files and directories up to date with what was checked."""
        paths = {*self._results, *self._reads}
        for consulted in self._consulted.values():
            paths |= consulted
        files: dict[str, _State] = {}
        for path in paths:
            known = self._files.get(path)
            try:
                status = os.stat(path)
            except OSError:
                files[path] = (0, 0, _ABSENT)
                continue
            if known is not None and (status.st_mtime_ns, status.st_size) == known[:2]:
                files[path] = known
            elif status.st_mtime_ns >= self._start:
                files[path] = (0, 0, _UNSURE)  # which content was read is not known
            else:
                digest = known[2] if known is not None and not known[0] else _hash(path)
                files[path] = (status.st_mtime_ns, status.st_size, digest)
        for path in [path for path in self._results if files[path][2] == _ABSENT]:
            del self._results[path]
        self._files = files
        for directory, (modified, names) in self._listings.items():
            now = _modified(directory)
            if modified != now and (now < self._start or _names(directory) == names):
                self._listings[directory] = (now, names)

    def _prune(self) -> None:
        kept = sorted(self._directory.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in kept[_KEPT:]:
            path.unlink()

    def _encode(self) -> dict[str, Any]:
        numbers: dict[str, int] = {}

        def number(path: str) -> int:
            return numbers.setdefault(path, len(numbers))

        return {
            "files": [[number(path), *state] for path, state in self._files.items()],
            "reads": [number(path) for path in self._reads],
            "workspaces": [number(path) for path in self._workspaces],
            "listings": [[number(path), now, list(names)] for path, (now, names) in self._listings.items()],
            "consulted": [[number(m), [number(p) for p in ps]] for m, ps in self._consulted.items()],
            "missed": [[number(m), [number(p) for p in ps]] for m, ps in self._missed.items()],
            "results": [[number(path), *result] for path, result in self._results.items()],
            "paths": list(numbers),
        }

    def _decode(self, data: dict[str, Any]) -> None:
        paths: list[str] = data["paths"]
        self._files = {paths[n]: (modified, size, digest) for n, modified, size, digest in data["files"]}
        self._reads = {paths[n] for n in data["reads"]}
        self._workspaces = {paths[n] for n in data["workspaces"]}
        self._listings = {paths[n]: (now, frozenset(names)) for n, now, names in data["listings"]}
        self._consulted = {paths[n]: {paths[p] for p in numbers} for n, numbers in data["consulted"]}
        self._missed = {paths[n]: {paths[p] for p in numbers} for n, numbers in data["missed"]}
        self._results = {paths[n]: (digest, findings) for n, digest, findings in data["results"]}
        if not self._results.keys() <= self._files.keys():
            raise ValueError("a result without its file")


_MARKERS = {
    ".gitignore": "*\n",
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
}


def _program() -> list[list[object]]:
    """What tells this version of the linter from one that is being worked on: its files."""
    found: list[list[object]] = []
    pending = [os.path.dirname(os.path.abspath(__file__))]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        pending.append(entry.path)
                else:
                    status = entry.stat()
                    found.append([entry.path, status.st_mtime_ns, status.st_size])
    return [[sys.implementation.name], *sorted(found, key=str)]


def _modified(directory: str) -> int:
    try:
        return os.stat(directory).st_mtime_ns
    except OSError:
        return -1


def _names(directory: str) -> frozenset[str]:
    return important(entries_of(directory))


def _state(path: str, known: _State) -> _State:
    """The state of a file now; `known` itself when that holds still."""
    try:
        status = os.stat(path)
    except OSError:
        return known if known[2] == _ABSENT else (0, 0, _ABSENT)
    if (status.st_mtime_ns, status.st_size) == known[:2]:
        return known
    return (status.st_mtime_ns, status.st_size, _hash(path))


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _hash(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return content_hash(file.read())
    except IsADirectoryError:
        return _FOLDER
    except OSError:
        return _ABSENT


def content_hash(data: bytes) -> str:
    """The hash by which a content is known."""
    return blake2b(data, digest_size=16).hexdigest()


def _encode_finding(finding: Finding) -> list[Any]:
    fix = finding.fix
    return [
        finding.code,
        finding.name,
        finding.message,
        finding.start.row,
        finding.start.column,
        finding.end.row,
        finding.end.column,
        finding.severity,
        fix and [fix.message, fix.applicability, [[edit.start, edit.end, edit.text] for edit in fix.edits]],
        [[item.path, item.start.row, item.start.column, item.message] for item in finding.related],
    ]


def _decode_finding(item: list[Any], path: str) -> Finding:
    code, name, message, row, column, end_row, end_column, severity, fix, related = item
    return Finding(
        code=code,
        name=name,
        message=message,
        path=path,
        start=Position(row, column),
        end=Position(end_row, end_column),
        severity=Severity(severity),
        fix=Fix(fix[0], tuple(Edit(*edit) for edit in fix[2]), Applicability(fix[1])) if fix else None,
        related=tuple(Related(place, Position(r, c), text) for place, r, c, text in related),
    )
