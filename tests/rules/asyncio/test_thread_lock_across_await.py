"""Traps of thread-lock-across-await, and a proof that such a lock stops the event loop."""

from __future__ import annotations

import asyncio
import textwrap
import threading
from contextlib import AbstractContextManager

import pytest

from tests.rules.harness import findings, fix

RULE = "thread-lock-across-await"
HEADER = """
import asyncio
import threading
from shop.state import guard, table_lock

lock = threading.Lock()
slots = threading.Semaphore(2)
turns = asyncio.Lock()
again = threading.RLock()
"""
FILES = {
    "shop/state.py": """
        import threading
        from contextlib import contextmanager
        guard = threading.Lock()
        _locks: dict[str, threading.Lock] = {}
        def table_lock(table: str) -> threading.Lock:
            return _locks.setdefault(table, threading.Lock())
    """,
}

SILENT = {
    "nothing is awaited": """
        async def f():
            with lock:
                print("x")
            await asyncio.sleep(1)
    """,
    "awaited before": """
        async def f():
            value = await asyncio.sleep(1, "x")
            with lock:
                print(value)
    """,
    "a lock of asyncio": """
        async def f():
            async with turns:
                await asyncio.sleep(1)
    """,
    "a function of a thread": """
        def f():
            with lock:
                asyncio.run(asyncio.sleep(1))
    """,
    "only an inner coroutine awaits": """
        async def f(jobs):
            with lock:
                async def job():
                    await asyncio.sleep(1)
                jobs.append(job)
    """,
    "made by the call itself": """
        async def f():
            mine = threading.Lock()
            with mine:
                await asyncio.sleep(1)
    """,
    "something unknown": """
        async def f(resource):
            with resource.lock:
                await asyncio.sleep(1)
    """,
    "another context manager": """
        async def f(path):
            with open(path) as file:
                await asyncio.sleep(1)
    """,
}

FOUND = {
    "of another module": """
        async def f():
            with guard:  # PB620
                await asyncio.sleep(1)
    """,
    "from a function": """
        async def f(table):
            with table_lock(table):  # PB620
                await asyncio.sleep(1)
    """,
    "beside another": """
        async def f(path):
            with open(path) as file, slots:  # PB620
                await asyncio.sleep(1)
    """,
    "an asynchronous loop": """
        async def f(rows):
            with lock:  # PB620
                async for row in rows:
                    print(row)
    """,
    "an asynchronous block in a branch": """
        async def f(session, ready):
            with lock:  # PB620
                if ready:
                    async with session.begin():
                        print("x")
    """,
    "in a comprehension": """
        async def f(jobs):
            with lock:  # PB620
                return [await job for job in jobs]
    """,
    "a parameter": """
        async def f(given: threading.Lock):
            with given:  # PB620
                await asyncio.sleep(1)
    """,
    "of an instance, made by a dataclass": """
        from dataclasses import dataclass, field
        @dataclass
        class Cache:
            lock: threading.Lock = field(default_factory=threading.Lock)
            async def f(self):
                with self.lock:  # PB620
                    await asyncio.sleep(1)
    """,
    "entered again by its thread": """
        async def f():
            with again:  # PB620
                await asyncio.sleep(1)
    """,
    "of the function around": """
        def make():
            inner = threading.Lock()
            async def f():
                with inner:  # PB620
                    await asyncio.sleep(1)
            return f
    """,
}

UNFIXED = {
    "a thread uses it too": """
        import threading
        _lock = threading.Lock()
        def g():
            with _lock:
                pass
        async def f(job):
            with _lock:  # PB620
                await job
    """,
    "given away": """
        import threading
        _lock = threading.Lock()
        async def f(job):
            with _lock:  # PB620
                await job(_lock)
    """,
    "asked for by name": """
        import threading
        class Shop:
            def __init__(self):
                self._lock = threading.Lock()
            async def f(self, job):
                if self._lock.locked():
                    return
                with self._lock:  # PB620
                    await job
    """,
    "may be entered again": """
        import threading
        _lock = threading.RLock()
        async def f(job):
            with _lock:  # PB620
                await job
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings(RULE, HEADER + textwrap.dedent(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings(RULE, HEADER + textwrap.dedent(source), files=FILES)


@pytest.mark.parametrize("source", UNFIXED.values(), ids=UNFIXED)
def test_found_without_fix(source: str) -> None:
    assert [finding.fix for finding in findings(RULE, source)] == [None]


def test_no_fix_where_another_file_uses_it() -> None:
    source = """
        import threading
        stock_lock = threading.Lock()
        async def f(job):
            with stock_lock:  # PB620
                await job
    """
    assert findings(RULE, source)[0].fix is not None
    other = {"other.py": "from example import stock_lock\nstock_lock.acquire()\n"}
    assert findings(RULE, source, files=other)[0].fix is None


def test_all_uses_are_fixed() -> None:
    source = """
        from threading import Lock, Thread

        _lock = Lock()


        async def f(job: Thread) -> None:
            with _lock:
                await job


        async def g() -> None:
            with _lock:
                pass
    """
    assert fix(RULE, source) == textwrap.dedent("""\
        from asyncio import Lock
        from threading import Thread

        _lock = Lock()


        async def f(job: Thread) -> None:
            async with _lock:
                await job


        async def g() -> None:
            async with _lock:
                pass
    """)


def entered(lock: AbstractContextManager[object]) -> tuple[bool, int]:
    """Whether two coroutines that hold a lock while they wait come to an end, and how many got in at once."""
    inside: list[int] = []
    most = 0

    async def use(number: int) -> None:
        nonlocal most
        with lock:
            inside.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(0.01)
            inside.remove(number)

    async def both() -> None:
        await asyncio.gather(use(1), use(2))

    thread = threading.Thread(target=lambda: asyncio.run(both()), daemon=True)
    thread.start()
    thread.join(1)
    return not thread.is_alive(), most


def test_what_locks_of_threads_do_to_coroutines() -> None:
    assert entered(threading.Lock()) == (False, 1)  # nothing runs any more
    assert entered(threading.RLock()) == (True, 2)  # both at once
