"""Apply fixes to a file until nothing changes, and write the result without risk.

A fix is applied whole or not at all, and never so that the file no longer parses.
"""

from __future__ import annotations

import bisect
import contextlib
import difflib
import errno
import os
import re
import stat
import tempfile
import tomllib
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pybackend_lint.edits import apply
from pybackend_lint.finding import Applicability, Edit, Finding
from pybackend_lint.semantic.import_edits import unused_since
from pybackend_lint.source import Source, SourceError

_LINE_END = re.compile(r"\r\n|\r|\n")
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))


@dataclass(slots=True)
class FixResult:
    """What became of one file.

    `data` is the file's new content, `applied` counts the applied fixes by code, `remaining` are
    the findings of the new content, `dropped` has one line for every fix that could not be applied.
    """

    data: bytes
    applied: Counter[str] = field(default_factory=Counter)
    remaining: list[Finding] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A fix that may be applied, with the place of its finding as an offset in the text."""

    finding: Finding
    edits: tuple[Edit, ...]
    place: int

    @property
    def sort_key(self) -> tuple[int, str, int, tuple[Edit, ...]]:
        return (self.edits[0].start, self.finding.code, self.place, self.edits)

    @property
    def identity(self) -> tuple[str, int]:
        return (self.finding.code, self.place)


def fix_source(
    source: Source, check: Callable[[Source], list[Finding]], *, unsafe: bool, max_rounds: int = 20
) -> FixResult:
    """Apply the fixes of a file's findings, round after round, until no fix is left.

    `check` gives the findings of a source; `unsafe` also applies unsafe fixes. A fix whose result
    would not parse, could not be encoded or would undo an earlier one is dropped and named.
    """
    result = FixResult(source.data)
    rejected: set[tuple[str, int]] = set()
    seen = {source.text}
    compiles: bool | None = None
    for _ in range(max_rounds):
        result.remaining = check(source)
        candidates = _candidates(source, result.remaining, unsafe, rejected)
        if compiles is None and candidates:
            try:
                compiles = _compile_error(source) is None
            except SourceError:
                return result  # there is nothing to compare a result with
        changed = None
        while chosen := _compatible(source.text, candidates):
            edits = _edits(chosen)
            changed, reason = _changed(source, edits, compiles=bool(compiles))
            if changed is not None and changed.text not in seen:
                break
            if changed is not None:
                guilty, reason = chosen, "it undoes an earlier one"
            else:
                one, reason = _guilty(source, chosen, compiles=bool(compiles))
                guilty = [one]
            candidates = [one for one in candidates if one not in guilty]
            if reason is not None:
                for one in guilty:
                    rejected.add(one.identity)
                    result.dropped.append(_dropped(one.finding, reason))
        if not chosen or changed is None:
            return result
        result.applied.update(one.finding.code for one in chosen)
        rejected = {(code, _moved(place, edits)) for code, place in rejected}
        leftover = () if _is_toml(source) else unused_since(source, changed, with_comments=unsafe)
        if leftover:
            cleaned, _ = _changed(changed, leftover, compiles=bool(compiles))
            if cleaned is not None and cleaned.text not in seen:
                rejected = {(code, _moved(place, leftover)) for code, place in rejected}
                changed = cleaned
        seen.add(changed.text)
        source = changed
        result.data = changed.data
    result.remaining = check(source)
    if _candidates(source, result.remaining, unsafe, rejected):
        result.dropped.append(f"{source.path}: fixes still change the file after {max_rounds} rounds")
    return result


def _candidates(
    source: Source, findings: Iterable[Finding], unsafe: bool, rejected: set[tuple[str, int]]
) -> list[_Candidate]:
    """The fixes that may be applied, in the order in which they are tried."""
    text = source.text
    candidates = []
    for finding in findings:
        fix = finding.fix
        if fix is None or (fix.applicability is Applicability.UNSAFE and not unsafe):
            continue
        written = {Edit(e.start, e.end, _LINE_END.sub(source.newline, e.text)) for e in fix.edits}
        edits = tuple(sorted(edit for edit in written if text[edit.start : edit.end] != edit.text))
        place = source.line_starts[finding.start.row - 1] + finding.start.column - 1
        candidate = _Candidate(finding, edits, place)
        if edits and candidate.identity not in rejected:
            candidates.append(candidate)
    return sorted(candidates, key=lambda candidate: candidate.sort_key)


def _compatible(text: str, candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """The fixes that can be applied together: each, unless it touches an edit of one before it.

    Two fixes may share an edit, such as the import that both need.
    """
    chosen: list[_Candidate] = []
    taken: set[Edit] = set()
    spans: list[tuple[int, int]] = []

    def touches(edit: Edit) -> bool:
        at = bisect.bisect_left(spans, (edit.start, 0))
        return (at > 0 and spans[at - 1][1] >= edit.start) or (at < len(spans) and spans[at][0] <= edit.end)

    for candidate in candidates:
        own = [edit for edit in candidate.edits if edit not in taken or not _shareable(text, edit)]
        if not any(map(touches, own)):
            chosen.append(candidate)
            taken.update(own)
            for edit in own:
                bisect.insort(spans, (edit.start, edit.end))
    return chosen


def _shareable(text: str, edit: Edit) -> bool:
    """Whether doing an edit once serves two fixes; a bracket would lack its partner."""
    pieces = (edit.text, text[edit.start : edit.end])
    return all(piece.count(left) == piece.count(right) for piece in pieces for left, right in _BRACKETS)


def _edits(chosen: Sequence[_Candidate]) -> tuple[Edit, ...]:
    return tuple(sorted({edit for candidate in chosen for edit in candidate.edits}))


def _changed(source: Source, edits: Sequence[Edit], *, compiles: bool) -> tuple[Source | None, str | None]:
    """The source after edits, or None and the reason why they must not be made.

    `compiles` says that the source compiles, so that the result has to.
    """
    try:
        text = apply(source.text, edits)
        changed = Source(source.path, source.encode(text))
        if changed.text != text:
            return None, "its result would be decoded differently"
        error = _compile_error(changed) if compiles else None
        if not compiles:
            changed.tree  # noqa: B018
    except UnicodeEncodeError:
        return None, f"its result cannot be written in the file's encoding, {source.encoding}"
    except SourceError as failure:
        return None, f"its result would not parse: {failure.reason}"
    except ValueError as failure:
        return None, str(failure)
    return (changed, None) if error is None else (None, f"its result would not compile: {error}")


def _compile_error(source: Source) -> str | None:
    """What the compiler objects to in a tree that parses, such as a late `__future__` import.

    Compiling executes nothing. Raises `SourceError` when the source does not even parse. Of a project
    file it is what makes it no valid TOML.
    """
    if _is_toml(source):
        try:
            tomllib.loads(source.text)
        except tomllib.TOMLDecodeError as error:
            return str(error)
        return None
    tree = source.tree
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, source.path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.msg
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return None


def _is_toml(source: Source) -> bool:
    return source.path.endswith(".toml")


def _guilty(source: Source, chosen: Sequence[_Candidate], *, compiles: bool) -> tuple[_Candidate, str | None]:
    """The fix that spoils the result, and why; no reason when it does so only beside the others."""
    good, bad = 0, len(chosen)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _changed(source, _edits(chosen[:middle]), compiles=compiles)[0] is None:
            bad = middle
        else:
            good = middle
    guilty = chosen[bad - 1]
    return guilty, _changed(source, guilty.edits, compiles=compiles)[1]


def _dropped(finding: Finding, reason: str) -> str:
    start = finding.start
    return f"{finding.path}:{start.row}:{start.column}: fix of {finding.code} dropped: {reason}"


def _moved(place: int, edits: Iterable[Edit]) -> int:
    """Where an offset lies after edits."""
    return place + sum(len(edit.text) - (edit.end - edit.start) for edit in edits if edit.end <= place)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content so that a reader sees the old or the new one, never a part.

    Permissions are kept, and a symbolic link keeps pointing to the file that is written. Raises
    `OSError` when the file does not exist, is read-only, or its directory cannot be written to.
    """
    target = Path(os.path.realpath(path))
    status = target.stat()
    if not status.st_mode & stat.S_IWUSR or not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only", str(path))
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):  # only the superuser gives files away
                os.chown(name, status.st_uid, status.st_gid)
        os.chmod(name, stat.S_IMODE(status.st_mode))
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def diff(source: Source, data: bytes, display: str) -> str:
    """The unified diff from a source to its new content, empty when they are the same.

    `display` names the file in the header.
    """
    old = source.text.split("\n")
    new = Source(source.path, data).text.split("\n")
    lines = difflib.unified_diff(_terminated(old), _terminated(new), display, display)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _terminated(lines: list[str]) -> list[str]:
    """The lines of a text that was split at line feeds, each with its line feed again."""
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
