"""What one process of a run does: check or fix a few files with an engine that it keeps."""

from __future__ import annotations

import gc
import os
import signal
import threading
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pybackend_lint.cache import Trace, content_hash, important
from pybackend_lint.engine import Engine, Report
from pybackend_lint.finding import Finding
from pybackend_lint.fixer import fix_source
from pybackend_lint.settings import PROJECT_FILES, Settings, display_path
from pybackend_lint.source import Source

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_local = threading.local()  # an engine serves one thread


@dataclass(frozen=True, slots=True)
class Task:
    """Some files to check or to fix with the same settings.

    - `run`: a name of the run; another one means that files may have changed, so that a new engine
      is needed.
    - `files`: pairs of absolute path and path to show.
    - `contents`: what to take instead of the content on disk, by absolute path.
    - `fix`: None to check, else whether unsafe fixes are wanted too.
    """

    run: str
    settings: Settings
    files: tuple[tuple[str, str], ...]
    contents: Mapping[str, bytes] = field(default_factory=dict)
    fix: bool | None = None


@dataclass(slots=True)
class Checked:
    """What came of one file.

    `digest` is the hash of the content that was read. After fixing, `data` is the new content when
    it differs, `applied` counts fixes by code, `dropped` has a line for each fix that was given up.
    """

    path: str
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    digest: str = ""
    data: bytes | None = None
    applied: Counter[str] = field(default_factory=Counter)
    dropped: list[str] = field(default_factory=list)


def prepare() -> None:
    """Make a process ready to work: what was imported so far is never garbage."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end silently; the parent process reports
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back while it was started
    gc.freeze()
    gc.disable()


def serve(connection: Connection, inherited: Sequence[Connection]) -> None:
    """Do the tasks that a connection brings until its other end is closed, and send back what came of each.

    `inherited` are ends of connections that belong to the parent process; they are closed here.
    """
    for other in inherited:
        other.close()
    prepare()
    with suppress(EOFError, OSError):
        while True:
            connection.send(work(connection.recv()))


def work(task: Task) -> tuple[list[Checked], Trace]:
    """Do a task; a file that fails becomes an error, the others are done all the same."""
    engine = _engine(task)
    results = []
    for path, display in task.files:
        try:
            results.append(_do(task, engine, path, display))
        except OSError as error:
            results.append(Checked(path, errors=[f"{display}: {error.strerror or error}"]))
        except Exception as error:  # whatever fails concerns this file only
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
            reason = f"internal error at {place}: {type(error).__name__}: {error}"
            results.append(Checked(path, errors=[f"{display}: {' '.join(reason.split())}"]))
    trace = _trace(engine)
    trace.workspaces = {engine.index.layout.workspace_root(os.path.dirname(path)) for path, _ in task.files}
    return results, trace


def _engine(task: Task) -> Engine:
    if getattr(_local, "key", None) != (task.run, task.settings):
        _local.engine = Engine(task.settings, {Path(path): data for path, data in task.contents.items()})
        _local.key = (task.run, task.settings)
        _local.told = {}
    engine: Engine = _local.engine
    return engine


def _do(task: Task, engine: Engine, path: str, display: str) -> Checked:
    data = task.contents.get(path)
    if data is None:
        with open(path, "rb") as file:
            data = file.read()
    checked = Checked(path, digest=content_hash(data))
    report = _check(engine, path, display, data)
    checked.findings = [_shown(finding) for finding in report.findings]
    checked.errors = report.errors
    if task.fix is None:
        return checked

    def again(source: Source) -> list[Finding]:
        if source.data == data:
            return checked.findings
        # What other modules know about this one has changed with it.
        fresh = Engine(task.settings, {**engine_overlay, Path(path): source.data})
        return _check(fresh, path, display, source.data).findings

    engine_overlay = {Path(other): content for other, content in task.contents.items()}
    result = fix_source(Source(display, data), again, unsafe=task.fix)
    if result.data != data:
        checked.data = result.data
    checked.applied = result.applied
    checked.dropped = result.dropped
    checked.findings = [_shown(finding) for finding in result.remaining]
    return checked


def _check(engine: Engine, path: str, display: str, data: bytes) -> Report:
    if os.path.basename(path) in PROJECT_FILES:
        return engine.check_project_file(Path(path), display, data)
    return engine.check(Source(display, data), Path(path))


def _shown(finding: Finding) -> Finding:
    """The finding with related places as the user sees paths."""
    if not finding.related:
        return finding
    related = tuple(replace(item, path=display_path(item.path)) for item in finding.related)
    return replace(finding, related=related)


def _trace(engine: Engine) -> Trace:
    """What the engine has learnt since the last task."""
    trace = Trace()
    told: dict[tuple[str, str], int] = _local.told
    for kind, seen, new in (
        ("consulted", engine.index.consulted, trace.consulted),
        ("missed", engine.index.missed, trace.missed),
    ):
        for module, paths in seen.items():
            if told.get((kind, module)) != len(paths):
                told[kind, module] = len(paths)
                new[module] = set(paths)
    for path in engine.files.reads:
        if ("read", path) not in told and (not path.endswith(".py") or path.endswith(f"{os.sep}setup.py")):
            told["read", path] = 1
            trace.reads.add(path)
    for directory, listing in engine.files.listings.items():
        if ("listing", directory) not in told:
            told["listing", directory] = 1
            trace.listings[directory] = important(listing)
    return trace
