from __future__ import annotations

import asyncio
import threading
import warnings

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "coroutine-passed-to-sync-api"

FILES = {
    "shop/__init__.py": "",
    "shop/jobs.py": """
        async def sync_stock(shop="main"):
            print(shop)

        def start(shop="main"):
            return sync_stock(shop)

        class Worker:
            async def run(self):
                print("run")
    """,
}

FOUND = {
    "threads and processes": """
        import multiprocessing
        import threading
        from concurrent.futures import ThreadPoolExecutor

        from shop.jobs import Worker, sync_stock

        def main(worker: Worker):
            threading.Thread(target=sync_stock).start()  # PB635
            threading.Timer(5, worker.run).start()  # PB635
            multiprocessing.Process(None, sync_stock).start()  # PB635
            with ThreadPoolExecutor() as pool:
                pool.submit(sync_stock, "a")  # PB635
    """,
    "callbacks of the event loop": """
        import asyncio
        import signal
        from functools import partial

        from shop.jobs import Worker, start, sync_stock

        async def main(worker: Worker):
            loop = asyncio.get_running_loop()
            loop.call_soon(sync_stock)  # PB635
            loop.call_later(5, lambda: sync_stock("a"))  # PB635
            loop.call_soon_threadsafe(start, "a")  # PB635
            loop.add_signal_handler(signal.SIGTERM, worker.run)  # PB635
            asyncio.create_task(worker.run()).add_done_callback(partial(sync_stock, "a"))  # PB635
            await loop.run_in_executor(None, sync_stock)  # PB635
    """,
    "exit and signals": """
        import atexit
        import signal

        from shop.jobs import sync_stock

        atexit.register(sync_stock)  # PB635
        signal.signal(signal.SIGTERM, sync_stock)  # PB635
    """,
    "keys and filters": """
        from shop.jobs import sync_stock

        def main(shops):
            return sorted(shops, key=sync_stock), list(filter(sync_stock, shops))  # PB635 # PB635
    """,
    "tasks of Celery": """
        from celery import Celery, shared_task

        app = Celery("shop")

        @shared_task
        async def one():  # PB635
            pass

        @app.task(bind=True)
        async def two(self):  # PB635
            pass
    """,
}

SILENT = {
    "coroutines that run after all": """
        import asyncio

        from shop.jobs import sync_stock

        async def main(loop: asyncio.AbstractEventLoop):
            await (await asyncio.to_thread(sync_stock))
            coroutine = await loop.run_in_executor(None, sync_stock)
            await coroutine
            await asyncio.gather(*map(sync_stock, "ab"))
    """,
    "plain functions": """
        import asyncio
        import threading

        from shop.jobs import sync_stock

        def run(shop):
            asyncio.run(sync_stock(shop))

        async def main():
            threading.Thread(target=run, args=("a",)).start()
            threading.Thread(target=asyncio.run, args=(sync_stock(),)).start()
            asyncio.get_running_loop().call_soon(lambda: asyncio.create_task(sync_stock()))
            await asyncio.to_thread(run, "a")
    """,
    "what takes both": """
        from fastapi import BackgroundTasks, FastAPI

        from shop.jobs import sync_stock

        app = FastAPI()
        app.add_event_handler("startup", sync_stock)

        def main(tasks: BackgroundTasks):
            tasks.add_task(sync_stock)
    """,
    "things of other names": """
        from shop.jobs import sync_stock

        class Scheduler:
            def call_later(self, delay, callback): ...
            def submit(self, callback): ...

        def main(scheduler: Scheduler, pool):
            scheduler.call_later(1, sync_stock)
            scheduler.submit(sync_stock)
            pool.submit(sync_stock)
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


FIXED = {
    "no arguments": ("await asyncio.to_thread(run)", "await run()"),
    "arguments": ("await asyncio.to_thread(run, 1, b=2)", "await run(1, b=2)"),
    "keywords": ("await asyncio.to_thread(run, b=2)", "await run(b=2)"),
    "not awaited": ("task = asyncio.to_thread(run)", None),
    "lambda": ("await asyncio.to_thread(lambda: run())", None),
}


@pytest.mark.parametrize(("line", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(line: str, expected: str | None) -> None:
    head = (
        "import asyncio\n\n\nasync def run(a=1, b=1):\n    await asyncio.sleep(a)\n\n\nasync def f():\n    "
    )
    assert fix(RULE, f"{head}{line}\n") == f"{head}{expected or line}\n"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_coroutine_never_runs() -> None:
    names = executed(
        """
        import asyncio

        done = []

        async def report(month):
            done.append(month)

        async def bad():
            await asyncio.to_thread(report, "bad")

        async def good():
            await report("good")
        """
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(names["bad"]())
        thread = threading.Thread(target=names["report"], args=("thread",))
        thread.start()
        thread.join()
    assert names["done"] == []
    assert any("was never awaited" in str(warning.message) for warning in caught)
    asyncio.run(names["good"]())
    assert names["done"] == ["good"]
