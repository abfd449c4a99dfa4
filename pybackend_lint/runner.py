"""Runs: find the files, check or fix them in one or many processes, keep the results."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pybackend_lint.cache import DIRECTORY, Cache, Trace
from pybackend_lint.finding import Applicability, Finding
from pybackend_lint.globs import Patterns, git_globs, git_lines
from pybackend_lint.settings import (
    PROJECT_FILES,
    Resolver,
    Settings,
    SettingsError,
    display_path,
)

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkContext, SpawnContext

    from pybackend_lint.worker import Checked, Task

    Done = tuple[list[Checked], Trace]

# Starting processes takes as long as checking about this many bytes.
_WORTH_PROCESSES = 400_000
_TASKS_PER_PROCESS = 12
_MAX_FIX_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Target:
    """A file to check: its absolute path, the path to show, its settings, its size in bytes."""

    path: str
    display: str
    settings: Settings
    size: int


@dataclass
class Targets:
    """What discovery found: the files, each once, and one line for each path that is of no use."""

    files: list[Target] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass
class Result:
    """What a run gave.

    - `findings`: of all files, sorted; `errors`: one line each.
    - `fixed`: applied fixes by code; `dropped`: one line for each fix that was given up.
    - `changes`: path to the content that fixes lead to, for files that differ.
    """

    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    fixed: Counter[str] = field(default_factory=Counter)
    dropped: list[str] = field(default_factory=list)
    changes: dict[str, bytes] = field(default_factory=dict)


# Discovery


def _is_name(glob: str) -> bool:
    """Whether a glob is the name of a file or directory, at whatever depth."""
    return not set(glob) & set("*?[{/\\")


class _Excluded:
    """Which paths some settings exclude."""

    def __init__(self, settings: Settings) -> None:
        globs = (*settings.exclude, *settings.extend_exclude)
        self._root = settings.root
        # Which of them comes last counts only where one takes back what another one excludes.
        ordered = any(glob.startswith("!") for glob in globs)
        self.names = frozenset() if ordered else frozenset(filter(_is_name, globs))
        others = git_globs(settings.root, (glob for glob in globs if glob not in self.names))
        self._patterns = Patterns(others) if others else None

    def entry(self, name: str, path: str, is_directory: bool) -> bool:
        """Whether an entry of a directory that is not excluded itself is."""
        if name in self.names:
            return True
        if self._patterns is None:
            return False
        try:
            relative = Path(path).relative_to(self._root)
        except ValueError:
            return False
        return bool(self._patterns.verdict(relative.as_posix(), is_directory))

    def path(self, path: str) -> bool:
        """Whether a path or a directory above it, below the root of the settings, is excluded."""
        try:
            parts = Path(path).relative_to(self._root).parts
        except ValueError:
            return False
        current = str(self._root)
        for depth, name in enumerate(parts, 1):
            current = os.path.join(current, name)
            if self.entry(name, current, depth < len(parts)):
                return True
        return False


class _Ignored:
    """What git ignores: the patterns of the directories from the repository's root downwards."""

    def __init__(self, specs: tuple[tuple[str, Patterns], ...] = ()) -> None:
        self._specs = specs

    def below(self, directory: str, names: Iterable[str]) -> _Ignored:
        """What is ignored in a directory with these names."""
        specs = () if ".git" in names else self._specs
        if ".git" in names:
            specs = _read_patterns(directory, os.path.join(directory, ".git", "info", "exclude"))
        if ".gitignore" in names:
            specs = (*specs, *_read_patterns(directory, os.path.join(directory, ".gitignore")))
        return _Ignored(specs) if specs != self._specs else self

    def entry(self, path: str, is_directory: bool) -> bool:
        """Whether an entry is ignored; the nearest file of patterns with an opinion decides."""
        for base, spec in reversed(self._specs):
            verdict = spec.verdict(path[len(base) + 1 :].replace(os.sep, "/"), is_directory)
            if verdict is not None:
                return verdict
        return False


def _read_patterns(base: str, file: str) -> tuple[tuple[str, Patterns], ...]:
    try:
        with open(file, encoding="utf-8", errors="replace", newline="") as lines:
            patterns = list(git_lines(lines.read()))
    except OSError:
        return ()
    return ((base.rstrip(os.sep), Patterns(patterns)),) if patterns else ()


def _repository_above(directory: str) -> _Ignored:
    """What is ignored below a directory by the files of patterns above it."""
    above = []
    while True:
        parent = os.path.dirname(directory)
        if os.path.exists(os.path.join(directory, ".git")) or parent == directory:
            break
        above.append(parent)
        directory = parent
    if not os.path.exists(os.path.join(directory, ".git")):
        return _Ignored()
    ignored = _Ignored()
    for ancestor in reversed(above):
        names = [name for name in (".git", ".gitignore") if os.path.exists(os.path.join(ancestor, name))]
        ignored = ignored.below(ancestor, names)
    return ignored


def is_excluded(path: str, settings: Settings) -> bool:
    """Whether settings exclude a file, given by its absolute path, or a directory above it."""
    return _Excluded(settings).path(path)


def discover(paths: Sequence[str], resolver: Resolver, *, force_exclude: bool = False) -> Targets:
    """The files to check in some files and directories.

    Files and directories that are named are taken even when they are excluded or ignored, unless
    `force_exclude`. Below directories: Python files and the project files that rules check.
    """
    found = Targets()
    seen: set[str] = set()
    excluded: dict[int, _Excluded] = {}
    broken: set[str] = set()

    def settings_of(directory: str) -> Settings | None:
        try:
            return resolver.for_directory(directory)
        except SettingsError as error:
            if str(error) not in broken:
                broken.add(str(error))
                found.errors.append(str(error))
            return None

    def excluded_by(settings: Settings) -> _Excluded:
        return excluded.setdefault(id(settings), _Excluded(settings))

    def add(path: str, settings: Settings, size: int) -> None:
        if path not in seen:
            seen.add(path)
            found.files.append(Target(path, display_path(path), settings, size))

    def walk(directory: str, settings: Settings, ignored: _Ignored) -> None:
        try:
            with os.scandir(directory) as scan:
                entries = {entry.name: entry for entry in scan}
        except OSError as error:
            reason = error.strerror or str(error)
            found.errors.append(f"{display_path(directory)}: {reason}")
            return
        if "pyproject.toml" in entries:
            nearest = settings_of(directory)
            if nearest is None:
                return
            settings = nearest
        if settings.respect_gitignore and (".gitignore" in entries or ".git" in entries):
            ignored = ignored.below(directory, entries)
        exclusion = excluded_by(settings)
        directories = []
        for name, entry in sorted(entries.items()):
            if name.endswith((".py", ".pyi")) or name in PROJECT_FILES:
                if (
                    entry.is_file()
                    and not exclusion.entry(name, entry.path, False)
                    and not (settings.respect_gitignore and ignored.entry(entry.path, False))
                ):
                    add(entry.path, settings, entry.stat().st_size)
            elif "." in name[1:] and entry.is_file(follow_symlinks=False):
                continue
            elif (
                entry.is_dir(follow_symlinks=False)
                and not exclusion.entry(name, entry.path, True)
                and not (settings.respect_gitignore and ignored.entry(entry.path, True))
            ):
                directories.append(entry.path)
        for path in directories:
            walk(path, settings, ignored)

    for given in paths:
        path = os.path.abspath(given)
        is_directory = os.path.isdir(path)
        if not is_directory and not os.path.exists(path):
            found.errors.append(f"{given}: No such file or directory")
            continue
        settings = settings_of(path if is_directory else os.path.dirname(path))
        if settings is None:
            continue
        if force_exclude and excluded_by(settings).path(path):
            continue
        if is_directory:
            above = _repository_above(path) if settings.respect_gitignore else _Ignored()
            if above.entry(path, True):
                above = _Ignored()
            walk(path, settings, above)
        else:
            add(path, settings, os.path.getsize(path))
    return found


# Runs


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_directory(settings: Settings) -> Path:
    """Where the results of some settings are kept."""
    return settings.cache_dir or settings.root / DIRECTORY


def check(
    targets: Sequence[Target],
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    cache: Callable[[Settings], Path] | None = cache_directory,
    contents: Mapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Check files; the findings are the same whatever the order and the number of processes.

    - `jobs`: how many processes, by default one for each processor when there is enough to do.
    - `executor`: does the work instead of processes of our own.
    - `cache`: where the results of some settings are kept, or None to keep none.
    - `contents`: what to take instead of the content on disk, by absolute path.
    - `progress`: is told how many files are done, and of how many.
    """
    result = Result()
    caches: dict[int, Cache] = {}
    stale: list[Target] = []
    for target in targets:
        known = None
        if cache is not None and not contents:
            kept = caches.get(id(target.settings))
            if kept is None:
                kept = caches[id(target.settings)] = Cache(cache(target.settings), target.settings.key)
                kept.load()
            known = kept.get(target.path, target.display)
        if known is None:
            stale.append(target)
        else:
            result.findings += known
    if stale:
        for target, checked, trace in _checked(stale, jobs, executor, contents or {}, None, progress):
            kept = caches.get(id(target.settings))
            if kept is not None:
                if not checked.errors:
                    kept.put(target.path, checked.digest, checked.findings)
                if trace is not None:
                    kept.add(trace)
            result.findings += checked.findings
            result.errors += checked.errors
    for kept in caches.values():
        kept.save()
    result.findings.sort(key=lambda finding: finding.sort_key)
    result.errors.sort()
    return result


def fix(
    targets: Sequence[Target],
    *,
    unsafe: bool,
    write: bool = True,
    jobs: int | None = None,
    executor: Executor | None = None,
    cache: Callable[[Settings], Path] | None = cache_directory,
    contents: Mapping[str, bytes] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Fix files, then check them again, until no fix is left.

    All fixes of one round are made from the same state of the files, so that their order has no
    influence. Without `write` the files stay as they are, `changes` tells what they would become, and
    after the first round only files that changed are checked again. The other arguments are those of
    `check`.
    """
    overlay = dict(contents or {})
    total = Result()
    stuck: set[str] = set()
    affected = targets
    for remaining_rounds in reversed(range(_MAX_FIX_ROUNDS)):
        state = check(
            affected, jobs=jobs, executor=executor, cache=cache, contents=overlay, progress=progress
        )
        again = {target.display for target in affected}
        total.findings = [finding for finding in total.findings if finding.path not in again]
        total.findings += state.findings
        total.errors += [error for error in state.errors if error not in total.errors]
        fixable = {finding.path for finding in state.findings if _wanted(finding, unsafe)}
        todo = [target for target in affected if target.display in fixable and target.path not in stuck]
        if not todo or not remaining_rounds:
            break
        changed = []
        for target, checked, _ in list(_checked(todo, jobs, executor, overlay, unsafe, None)):
            total.dropped += [line for line in checked.dropped if line not in total.dropped]
            total.errors += [error for error in checked.errors if error not in total.errors]
            problem = _write(target, checked.data) if write and checked.data is not None else None
            if checked.data is None or problem is not None:
                stuck.add(target.path)
                total.errors += [problem] if problem is not None else []
                continue
            changed.append(target)
            total.fixed += checked.applied
            total.changes[target.path] = checked.data
            if not write:
                overlay[target.path] = checked.data
        if not write:
            affected = changed
    total.findings.sort(key=lambda finding: finding.sort_key)
    return total


def _wanted(finding: Finding, unsafe: bool) -> bool:
    return finding.fix is not None and (unsafe or finding.fix.applicability is Applicability.SAFE)


def _write(target: Target, data: bytes) -> str | None:
    from pybackend_lint.fixer import write_atomically  # only when something is fixed

    try:
        write_atomically(Path(target.path), data)
    except OSError as error:
        return f"{target.display}: cannot be written: {error.strerror or error}"
    return None


def _checked(
    targets: Sequence[Target],
    jobs: int | None,
    executor: Executor | None,
    contents: Mapping[str, bytes],
    fix: bool | None,
    progress: Callable[[int, int], None] | None,
) -> Iterator[tuple[Target, Checked, Trace | None]]:
    """Do the work; every file comes back once, with what its batch rests on at the last of a batch."""
    by_path = {target.path: target for target in targets}
    done = 0
    for results, trace in _results(targets, jobs, executor, contents, fix):
        for number, checked in enumerate(results, 1):
            yield by_path[checked.path], checked, trace if number == len(results) else None
        done += len(results)
        if progress is not None:
            progress(done, len(targets))


def _results(
    targets: Sequence[Target],
    jobs: int | None,
    executor: Executor | None,
    contents: Mapping[str, bytes],
    fix: bool | None,
) -> Iterator[Done]:
    from pybackend_lint import worker  # the engine; not needed when every result is known

    processes = jobs or processors()
    if executor is None and jobs is None and sum(target.size for target in targets) < _WORTH_PROCESSES:
        processes = 1
    run = f"{os.getpid()}-{time.monotonic_ns()}"
    tasks = _tasks(targets, processes, run, contents, fix)
    if executor is not None:
        for future in _completed([executor.submit(worker.work, task) for task in tasks]):
            yield future.result()
    elif processes == 1:
        for task in tasks:
            yield worker.work(task)
    else:
        yield from _in_processes(tasks, processes)


def _tasks(
    targets: Sequence[Target],
    processes: int,
    run: str,
    contents: Mapping[str, bytes],
    fix: bool | None,
) -> list[Task]:
    """Split files into tasks of neighbours, since neighbours consult the same modules."""
    groups: dict[int, list[Target]] = {}
    for target in targets:
        groups.setdefault(id(target.settings), []).append(target)
    tasks: list[Task] = []
    limit = sum(target.size for target in targets) // (processes * _TASKS_PER_PROCESS) + 1
    for group in groups.values():
        batch: list[Target] = []
        size = 0
        for target in sorted(group, key=lambda target: target.path):
            batch.append(target)
            size += target.size
            if size >= limit:
                tasks.append(_task(batch, run, contents, fix))
                batch, size = [], 0
        if batch:
            tasks.append(_task(batch, run, contents, fix))
    return tasks


def _task(batch: Sequence[Target], run: str, contents: Mapping[str, bytes], fix: bool | None) -> Task:
    from pybackend_lint.worker import Task

    files = tuple((target.path, target.display) for target in batch)
    return Task(run, batch[0].settings, files, contents, fix)


def _completed(futures: Sequence[Future[Done]]) -> Iterator[Future[Done]]:
    from concurrent.futures import as_completed

    return as_completed(futures)


def _in_processes(tasks: Sequence[Task], processes: int) -> Iterator[Done]:
    """Do tasks in processes that each work through their own neighbours, so that few modules are read twice.

    A process that has done its part takes the last task of the part that is longest then.
    """
    from multiprocessing.connection import Connection, wait

    from pybackend_lint import worker

    length = -(-len(tasks) // processes)
    parts = [deque(tasks[start : start + length]) for start in range(0, len(tasks), length)]
    lost: list[Task] = []
    with _processes(len(parts)) as connections:
        running: dict[Connection, tuple[deque[Task], Task]] = {}

        def give(connection: Connection, own: deque[Task]) -> None:
            part = own or max(parts, key=len)
            if part:
                task = part.popleft() if part is own else part.pop()
                running[connection] = own, task
                with suppress(OSError):  # it ended: receiving will tell
                    connection.send(task)

        for connection, part in zip(connections, parts, strict=True):
            give(connection, part)
        while running:
            for ready in wait([*running]):
                assert isinstance(ready, Connection)
                own, task = running.pop(ready)
                try:
                    done = ready.recv()
                except (EOFError, OSError):
                    lost.append(task)
                else:
                    give(ready, own)
                    yield done
    # Something ended a process. If it was a file, a process for each file tells which.
    for task in (*lost, *(task for part in parts for task in part)):
        whole = _alone(task)
        if whole is not None:
            yield whole
            continue
        for path, display in task.files:
            reason = "internal error: the process that checked it ended abruptly"
            failed: Done = [worker.Checked(path, errors=[f"{display}: {reason}"])], Trace()
            yield _alone(replace(task, files=((path, display),))) or failed


def _alone(task: Task) -> Done | None:
    """Do a task in a process of its own; None when the process dies."""
    with _processes(1) as (connection,):
        try:
            connection.send(task)
            done: Done = connection.recv()
        except (EOFError, OSError):
            return None
    return done


@contextmanager
def _processes(count: int) -> Iterator[list[Connection]]:
    """Processes that do the tasks they are sent, one after the other; at the end they are stopped."""
    from pybackend_lint import worker

    context = _context()
    started = []
    connections: list[Connection] = []
    try:
        with _interrupts_held():
            for _ in range(count):
                ours, theirs = context.Pipe()
                # What a forked process has of the others' connections would keep them open.
                inherited = [*connections, ours] if context.get_start_method() == "fork" else []
                process = context.Process(target=worker.serve, args=(theirs, inherited), daemon=True)
                process.start()
                theirs.close()
                started.append(process)
                connections.append(ours)
        yield connections
    except BaseException:  # nobody wants the results any more: do not wait for what is under way
        for process in started:
            process.kill()
        raise
    finally:
        for connection in connections:
            connection.close()
        for process in started:
            process.join()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back an interrupt from the keyboard; one that arrives while Python forks would be lost."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> ForkContext | SpawnContext:
    """Forked processes share what is imported; elsewhere each has to import for itself."""
    from multiprocessing import get_all_start_methods, get_context

    if sys.platform.startswith("linux") and "fork" in get_all_start_methods():
        return get_context("fork")
    return get_context("spawn")
