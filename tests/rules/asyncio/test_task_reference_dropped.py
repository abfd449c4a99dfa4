from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from tests.rules.harness import findings, fix

RULE = "task-reference-dropped"

FILES = {
    "jobs/__init__.py": "from jobs.start import spawn as begin",
    "jobs/start.py": """
        import asyncio

        _kept = set()

        async def job(): ...

        def spawn(coro):
            return asyncio.create_task(coro)

        def spawn_kept(coro):
            task = asyncio.create_task(coro)
            _kept.add(task)
            return task
    """,
}

FOUND = {
    "a callback alone keeps no task": """
        import asyncio

        from jobs import begin
        from jobs.start import job

        async def f(shops):
            asyncio.create_task(job()).add_done_callback(print)  # PB609
            [asyncio.create_task(job()) for _ in shops]  # PB609
            begin(job())  # PB609
    """,
    "functions of asyncio": """
        import asyncio
        from asyncio import create_task, ensure_future as start

        from jobs.start import job

        async def f():
            asyncio.create_task(job())  # PB609
            create_task(job())  # PB609
            start(job())  # PB609
            asyncio.ensure_future(job())  # PB609
    """,
    "methods of the loop": """
        import asyncio

        from jobs.start import job

        async def f(loop: asyncio.AbstractEventLoop):
            asyncio.get_event_loop().create_task(job())  # PB609
            running = asyncio.get_running_loop()
            running.create_task(job())  # PB609
            loop.create_task(job())  # PB609
    """,
    "local that nobody reads": """
        import asyncio

        from jobs.start import job

        async def f():
            task = asyncio.create_task(job())  # PB609
            for _ in range(3):
                other = asyncio.create_task(job())  # PB609
    """,
    "function of the project that returns the task": """
        from jobs.start import job, spawn

        async def f():
            spawn(job())  # PB609
    """,
}

SILENT = {
    "a task that exists already": """
        import asyncio

        tasks = set()

        async def f(context, coro):
            task = context.run(asyncio.get_running_loop().create_task, coro)
            tasks.add(task)
            asyncio.ensure_future(task).add_done_callback(tasks.discard)
    """,
    "kept": """
        import asyncio

        from jobs.start import job

        tasks = set()
        by_name = {}

        class C:
            async def f(self):
                self.task = asyncio.create_task(job())
                tasks.add(asyncio.create_task(job()))
                by_name["a"] = asyncio.create_task(job())
                task = asyncio.create_task(job())
                task.add_done_callback(tasks.discard)
                await asyncio.create_task(job())
                pending = [asyncio.create_task(job()) for _ in range(3)]
                await asyncio.wait(pending)
                return asyncio.create_task(job())
    """,
    "task groups": """
        import asyncio

        import anyio

        from jobs.start import job

        async def f(group: asyncio.TaskGroup):
            group.create_task(job())
            async with asyncio.TaskGroup() as other:
                other.create_task(job())
            async with anyio.create_task_group() as third:
                third.start_soon(job)
    """,
    "function of the project that keeps the task": """
        from jobs.start import job, spawn_kept

        async def f():
            spawn_kept(job())
    """,
    "create_task of something else": """
        class Board:
            def create_task(self, name: str) -> None: ...

        async def f(board: Board, client):
            board.create_task("a")
            client.create_task("b")
    """,
    "global name and inner function": """
        import asyncio

        from jobs.start import job

        async def f():
            global running
            running = asyncio.create_task(job())
            other = asyncio.create_task(job())

            def stop():
                other.cancel()

            return stop
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_fix_serves_all_tasks_of_a_file() -> None:
    before = (
        "import asyncio  # the loop\n\n\nasync def f(job, task=None):\n"
        "    asyncio.create_task(job())  # one\n    if job:\n        asyncio.create_task(job())\n"
    )
    assert fix(RULE, before) == (
        "import asyncio  # the loop\n\n_background_tasks: set[asyncio.Task[object]] = set()\n\n\n"
        "async def f(job, task=None):\n"
        "    background_task = asyncio.create_task(job())  # one\n"
        "    _background_tasks.add(background_task)\n"
        "    background_task.add_done_callback(_background_tasks.discard)\n"
        "    if job:\n"
        "        background_task = asyncio.create_task(job())\n"
        "        _background_tasks.add(background_task)\n"
        "        background_task.add_done_callback(_background_tasks.discard)\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\n\n\nasync def f(job):\n    asyncio.create_task(job()); print(1)\n",
        "async def f(job):\n    import asyncio\n\n    asyncio.create_task(job())\n",
        "import asyncio\n\n\nasync def f(job):\n    asyncio.create_task(job()).add_done_callback(print)\n",
        "import asyncio\n\n\nasync def f(jobs):\n    [asyncio.create_task(job()) for job in jobs]\n",
        "import asyncio\n\n_background_tasks = []\n\n\nasync def f(job):\n    asyncio.create_task(job())\n",
    ],
)
def test_no_fix(source: str) -> None:
    assert fix(RULE, source) == source


def test_the_loop_forgets_a_task_that_waits() -> None:
    """A task that waits for a future which nobody else holds is collected, unless somebody keeps the task."""

    async def waits_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    async def alive(kept: set[asyncio.Task[None]] | None) -> bool:
        task = asyncio.create_task(waits_for_ever())
        if kept is not None:
            kept.add(task)
        reference = weakref.ref(task)
        del task
        await asyncio.sleep(0)
        gc.collect()
        found = reference() is not None
        for other in kept or ():
            other.cancel()
        return found

    assert asyncio.run(alive(None)) is False
    assert asyncio.run(alive(set())) is True


def test_the_function_that_makes_the_task_is_told() -> None:
    source = """
        from jobs.start import job, spawn

        async def run():
            spawn(job())  # PB609
    """
    (found,) = findings(RULE, source, files=FILES)
    assert [(place.path.endswith("jobs/start.py"), place.start.row) for place in found.related] == [(True, 7)]
