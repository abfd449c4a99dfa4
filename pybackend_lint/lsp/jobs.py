"""The one thread that checks: at most one job runs, a newer job of the same kind replaces an older one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from pybackend_lint.engine import Interrupted

Result = TypeVar("Result")
Interruption = Callable[[], bool]

# Priorities: the smaller number first.
EDITED, ASKED, DEPENDENT, WORKSPACE = range(4)


@dataclass(eq=False)
class _Job:
    key: Hashable
    priority: int
    due: float
    number: int
    run: Callable[[Interruption], Any]
    future: Future[Any]
    superseded: bool = False


class Jobs:
    """Runs jobs one after another in a thread of its own.

    A job is a function that is given a test whether it should stop; to stop it raises `Interrupted`.
    That is so when a newer job has its key, when nobody waits for its result any more, or when a job
    that matters more is waiting: then it runs again later.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, _Job] = {}
        self._running: _Job | None = None
        self._count = 0
        self._thread = threading.Thread(target=self._work, name="checks", daemon=True)
        self._thread.start()

    def submit(
        self,
        key: Hashable,
        run: Callable[[Interruption], Result],
        *,
        priority: int,
        delay: float = 0.0,
    ) -> Future[Result]:
        """Run a job after a delay in seconds; the future of a job that it replaces is cancelled."""
        future: Future[Result] = Future()
        with self._changed:
            self._count += 1
            job = _Job(key, priority, time.monotonic() + delay, self._count, run, future)
            older = self._waiting.pop(key, None)
            if older is not None:
                if older.priority < priority:
                    job.priority, job.due = older.priority, older.due
                older.future.cancel()
            if self._running is not None and self._running.key == key:
                self._running.superseded = True
            self._waiting[key] = job
            self._changed.notify()
        return future

    def _interruption(self, job: _Job) -> Interruption:
        def interrupted() -> bool:
            if job.superseded or job.future.cancelled():
                return True
            now = time.monotonic()
            with self._changed:
                return any(
                    other.priority < job.priority and other.due <= now for other in self._waiting.values()
                )

        return interrupted

    def _next(self) -> _Job:
        with self._changed:
            while True:
                for job in [job for job in self._waiting.values() if job.future.cancelled()]:
                    del self._waiting[job.key]
                now = time.monotonic()
                ready = [job for job in self._waiting.values() if job.due <= now]
                if ready:
                    job = min(ready, key=lambda job: (job.priority, job.number))
                    del self._waiting[job.key]
                    self._running = job
                    return job
                nearest = min((job.due for job in self._waiting.values()), default=None)
                self._changed.wait(None if nearest is None else nearest - now)

    def _work(self) -> None:
        while True:
            job = self._next()
            try:
                result = job.run(self._interruption(job))
            except Interrupted:
                self._again(job)
            except BaseException as error:
                with suppress(InvalidStateError):  # it was cancelled, perhaps a moment ago
                    job.future.set_exception(error)
            else:
                with suppress(InvalidStateError):
                    job.future.set_result(result)
            with self._changed:
                self._running = None

    def _again(self, job: _Job) -> None:
        """Let an interrupted job wait for another turn, unless it is of no use any more."""
        with self._changed:
            if job.superseded or job.key in self._waiting:
                job.future.cancel()
            elif not job.future.cancelled():
                self._waiting[job.key] = job
