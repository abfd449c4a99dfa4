from __future__ import annotations

from pathlib import Path

import pytest

from pybackend_lint.settings import Settings
from tests.rules.harness import check, findings, fix, write

RULE = "blocking-sleep-or-wait-in-async"

FOUND = {
    "sleep under another name": """
        from time import sleep as pause

        async def f():
            pause(0)  # PB604
    """,
    "measuring over a while": """
        import psutil

        async def f(seconds: float, process: psutil.Process):
            psutil.cpu_percent(interval=0.5)  # PB604
            process.cpu_percent(seconds)  # PB604
            process.wait()  # PB604
    """,
    "processes": """
        import os
        import subprocess

        async def f(command: list[str]):
            subprocess.run(command, check=True)  # PB604
            subprocess.check_output(command)  # PB604
            os.system("sync")  # PB604
            process = subprocess.Popen(command)
            process.communicate()  # PB604
            with subprocess.Popen(command) as other:
                other.wait()  # PB604
    """,
    "threads": """
        import threading

        class Worker:
            def __init__(self):
                self.ready = threading.Event()
                self.thread = threading.Thread(target=self.ready.set)

            async def stop(self, lock: threading.Lock):
                self.ready.wait(5)  # PB604
                self.thread.join()  # PB604
                lock.acquire()  # PB604
    """,
    "queues": """
        import queue

        jobs = queue.Queue()
        limited = queue.Queue(maxsize=10)

        async def f():
            jobs.get()  # PB604
            limited.put(1)  # PB604
            jobs.get(timeout=3)  # PB604
    """,
    "futures of other threads": """
        import asyncio
        from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait

        async def f(pool: ThreadPoolExecutor, others: list[Future]):
            pool.submit(print).result()  # PB604
            other = asyncio.run_coroutine_threadsafe(asyncio.sleep(1), asyncio.get_running_loop())
            other.result()  # PB604
            wait(others)  # PB604
            for future in as_completed(others):  # PB604
                print(future.result())
    """,
    "session of another module's thread": """
        from workers import events

        async def f():
            events.stopped.wait()  # PB604
    """,
    "sync context manager and comprehension": """
        import time

        async def f(lock):
            with lock:
                return [time.sleep(x) for x in range(3)]  # PB604
    """,
}
WORKERS = {
    "workers/__init__.py": "",
    "workers/events.py": "import threading\n\nstopped = threading.Event()\n",
}

SILENT = {
    "measuring since the last time": """
        import psutil

        async def f():
            return psutil.cpu_percent(), psutil.cpu_percent(interval=None), psutil.Process().cpu_percent(0)
    """,
    "answers at a terminal": """
        async def f() -> str:
            return input("Token: ")
    """,
    "end of a thread that has done its work": """
        import asyncio
        import threading

        async def render(done: asyncio.Event):
            thread = threading.Thread(target=done.set)
            try:
                thread.start()
                await done.wait()
            finally:
                thread.join()
    """,
    "plain functions, lambdas and classes inside": """
        import time

        async def f():
            def g():
                time.sleep(1)

            class C:
                time.sleep(0)

            return g, lambda: time.sleep(1), C
    """,
    "asyncio's own": """
        import asyncio

        async def f(task: asyncio.Task, future: asyncio.Future, lock: asyncio.Lock, jobs: asyncio.Queue):
            event = asyncio.Event()
            await event.wait()
            await lock.acquire()
            await jobs.get()
            process = await asyncio.create_subprocess_exec("ls")
            await process.wait()
            await process.communicate()
            return task.result(), future.result()
    """,
    "forms that do not wait": """
        import queue
        import threading

        async def f(lock: threading.Lock, jobs: queue.Queue, event: threading.Event, thread: threading.Thread):
            jobs.get(False)
            jobs.get(block=False)
            jobs.get_nowait()
            jobs.put(1)
            event.wait(0)
            event.wait(timeout=0)
            lock.acquire(False)
            lock.acquire(blocking=False)
            thread.join(timeout=0)
    """,
    "unlimited queue": """
        import queue

        jobs = queue.Queue()
        other = queue.Queue(maxsize=0)

        async def f():
            jobs.put(1)
            other.put(1)
    """,
    "finished futures": """
        from concurrent.futures import Future

        async def f(future: Future, other: Future):
            if future.done():
                print(future.result())
            if not other.done():
                return None
            return other.result()
    """,
    "receiver of unknown type": """
        async def f(event, queue, thread):
            event.wait()
            queue.get()
            thread.join()
            return ", ".join(["a"]), {}.get(1)
    """,
    "name that means something else": """
        import time

        async def f(time):
            time.sleep(1)
    """,
    "start of a script": """
        import asyncio
        import subprocess

        async def main():
            subprocess.run(["alembic", "upgrade", "head"])
            await serve()

        async def serve():
            await asyncio.sleep(1)

        if __name__ == "__main__":
            asyncio.run(main())
    """,
    "shutdown": """
        import subprocess

        from quart import Quart

        app = Quart(__name__)

        async def shutdown():
            subprocess.run(["sync"])
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=WORKERS)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source) == []


FIXED = {
    "imports asyncio, drops time": (
        "import time\n\n\nasync def f():\n    time.sleep(1)  # wait\n",
        "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)  # wait\n",
    ),
    "uses the name the file has": (
        "import asyncio as aio\nimport time\n\n\nasync def f():\n    time.sleep(1)\n    return aio, time.time()\n",
        "import asyncio as aio\nimport time\n\n\nasync def f():\n    await aio.sleep(1)\n    return aio, time.time()\n",
    ),
    "not in a generator expression": (
        "import time\n\n\nasync def f():\n    return any(time.sleep(x) for x in (1, 2))\n",
        None,
    ),
    "not for processes": ("import os\n\n\nasync def f():\n    os.system('ls')\n", None),
}


@pytest.mark.parametrize(("source", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(source: str, expected: str | None) -> None:
    assert fix(RULE, source) == (source if expected is None else expected)


def test_calls_that_the_settings_name(tmp_path: Path) -> None:
    write(tmp_path, {"example.py": "import legacy\n\n\nasync def f():\n    legacy.charge()\n"})
    settings = Settings(root=tmp_path, extra_blocking=("legacy.charge",))
    (found,) = check(tmp_path, "example.py", settings)
    assert (found.code, found.start.row) == ("PB604", 5)
    assert found.message == "Use `asyncio.to_thread()` in coroutines: `legacy.charge` stops every other task"
