from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.harness import documentation, entry_of, examples, findings, fix, write

RULE = "coroutine-not-awaited"

FILES = {
    "shop/__init__.py": "",
    "shop/mail.py": """
        import abc

        class Sender(abc.ABC):
            @abc.abstractmethod
            async def send(self, to: str) -> bool: ...

        class Mailer(Sender):
            async def send(self, to: str) -> bool:
                return True

            async def rows(self):
                yield 1

            def flush(self) -> None: ...

        mailer = Mailer()

        def make() -> Mailer:
            return Mailer()

        async def ping() -> bool:
            return True

        def later():
            return ping()
    """,
    "shop/bag.py": """
        from shop.mail import Mailer

        class Bag:
            def __init__(self) -> None:
                self.mailer = Mailer()

            @property
            def sender(self) -> Mailer:
                return self.mailer
    """,
    "shop/api/__init__.py": """
        from ..mail import ping as check
        from .calls import retried, sometimes
    """,
    "shop/api/calls.py": """
        from functools import wraps

        def retry(times):
            def decorate(func):
                @wraps(func)
                async def inner(*args):
                    for _ in range(times):
                        try:
                            return await func(*args)
                        except OSError:
                            continue
                return inner
            return decorate

        def in_background(func):
            def inner(*args):
                return jobs.append(func(*args))
            return inner

        @retry(3)
        async def retried(): ...

        @in_background
        async def sometimes(): ...
    """,
}

FOUND = {
    "conditions of comprehensions and cases": """
        from shop.mail import ping

        async def f(names: list[str], name: str):
            match name:
                case "a" if ping():  # PB607
                    return 1
            if any(ping() for _ in names):  # PB607
                return all([ping() for _ in names])  # PB607
            return [name for name in names if ping()]  # PB607
    """,
    "arguments that are taken apart": """
        import json
        from shop.mail import ping

        async def f():
            print(len(ping()))  # PB607
            print(list(ping()))  # PB607
            return json.dumps(ping())  # PB607
    """,
    "values of libraries": """
        import httpx
        import redis.asyncio as redis
        from sqlalchemy.ext.asyncio import AsyncSession

        client = httpx.AsyncClient()
        cache = redis.Redis()

        async def f(session: AsyncSession, query):
            if cache.get("a"):  # PB607
                return client.get("https://shop.example").json()  # PB607
            rows = session.execute(query)  # PB607
            if await session.scalar(query):
                return session.execute(query).scalars().all()  # PB607
            return rows.all()
    """,
    "functions that run in a thread": """
        from asgiref.sync import sync_to_async

        @sync_to_async
        def count() -> int:
            return 1

        @sync_to_async(thread_sensitive=False)
        def total() -> int:
            return 1

        async def f():
            count()  # PB607
            if total():  # PB607
                return await count()
    """,
    "a function that says what it returns": """
        from collections.abc import Awaitable

        async def ping() -> bool:
            return True

        def soon() -> Awaitable[bool]:
            return ping()

        async def f():
            soon()  # PB607
            await soon()
    """,
    "under another name than it is defined by, and from a package that hands it on": """
        from shop.api import check, retried, sometimes
        from shop.mail import ping as pong

        async def f(names: list[str]):
            check()  # PB607
            if pong():  # PB607
                retried()  # PB607
                sometimes()
            [check() for _ in names]  # PB607
            if not (known := check()):  # PB607
                return known
    """,
    "variable that is only asked whether it is true": """
        from shop.mail import ping

        async def f():
            answer = ping()  # PB607
            if not answer:
                return f"{answer}"
    """,
    "files that a library reads and writes in threads": """
        import aiofiles
        from anyio import open_file

        async def f(path, text):
            async with await open_file(path, "w") as file:
                file.write(text)  # PB607
                await file.flush()
            async with aiofiles.open(path, "w") as file:
                file.write(text)  # PB607
                await file.flush()
            file = await open_file(path)
            file.close()
            file.aclose()  # PB607
    """,
    "a decorator of the project that waits for it": """
        from functools import wraps

        def timed(func):
            @wraps(func)
            async def wrapper(*args, **kwargs):
                return await func(*args, **kwargs)
            return wrapper

        class Orders:
            @timed
            async def ship(self): ...

            async def close(self):
                self.ship()  # PB607
    """,
    "arithmetic": """
        from shop.mail import ping

        async def f(total):
            return total + ping()  # PB607
    """,
    "variable whose attribute is read": """
        from shop.mail import ping

        async def f():
            answer = ping()  # PB607
            return answer.real
    """,
    "variable that is compared": """
        from shop.mail import ping

        async def f(limit):
            answer = ping()  # PB607
            if answer < limit:
                return answer
    """,
    "variable that is iterated, read and counted": """
        from shop.mail import ping

        async def f():
            one = ping()  # PB607
            two = ping()  # PB607
            three = ping()  # PB607
            return [item for item in one], two[0], three * 2
    """,
    "function": """
        from shop.mail import ping

        def f():
            ping()  # PB607

        async def g():
            ping()  # PB607
    """,
    "function without any other coroutine in the file": """
        from shop.mail import mailer, ping as check

        def f():
            mailer.flush()
            check()  # PB607
    """,
    "methods through self, bases, attributes and factories": """
        from shop import mail
        from shop.bag import Bag

        class Special(mail.Mailer):
            async def g(self):
                self.send("a")  # PB607
                super().send("a")  # PB607

        async def f(sender: mail.Sender, bag: Bag):
            sender.send("a")  # PB607
            bag.mailer.send("a")  # PB607
            bag.sender.send("a")  # PB607
            mail.make().send("a")  # PB607
            mail.mailer.send("a")  # PB607
            Bag().mailer.send("a")  # PB607
    """,
    "function that returns a coroutine": """
        from shop.mail import later

        async def f():
            later()  # PB607
    """,
    "static and class methods, callable objects": """
        class Jobs:
            @staticmethod
            async def one(): ...

            @classmethod
            async def two(cls): ...

            async def __call__(self): ...

        class Runner:
            def __init__(self):
                self.jobs = Jobs()

            async def f(self):
                Jobs.one()  # PB607
                Jobs.two()  # PB607
                self.jobs()  # PB607
    """,
    "value is tested": """
        from shop.mail import mailer, ping

        async def f():
            if ping():  # PB607
                return 1
            while not mailer.send("a"):  # PB607
                pass
            assert ping()  # PB607
            return 1 if ping() else 2  # PB607
    """,
    "value is taken apart": """
        from shop.mail import ping

        async def f():
            ping().bit_length()  # PB607
            ping()[0]  # PB607
            for x in ping():  # PB607
                print(x)
            a, b = ping()  # PB607
            return f"{ping()}", ping() == 1, ping() and True, a, b  # PB607 # PB607 # PB607
    """,
    "never read": """
        from shop.mail import ping

        async def f():
            result = ping()  # PB607
    """,
    "library": """
        import asyncio

        import httpx

        class Client:
            def __init__(self):
                self.http = httpx.AsyncClient()

            async def stop(self, event: asyncio.Event):
                asyncio.sleep(1)  # PB607
                self.http.aclose()  # PB607
                event.wait()  # PB607
    """,
}

SILENT = {
    "a function that returns a coroutine on some paths only": """
        from shop.mail import ping

        def soon(now: bool):
            if now:
                return ping()
            else:
                print("later")

        async def f():
            soon(False)
    """,
    "values of libraries that are awaited later, and of other classes": """
        import asyncio

        import httpx

        client = httpx.AsyncClient()

        async def f(headers: dict[str, str]):
            answer = client.get("https://shop.example")
            if headers.get("a"):
                return len(headers.get("b")), await answer
            return any(await client.get(url) for url in headers), await asyncio.gather(
                *[client.get(url) for url in headers]
            )
    """,
    "variable that an inner function awaits": """
        from shop.mail import ping

        async def f():
            later = ping()

            async def wait():
                return await later

            return wait if later else None
    """,
    "variable that is awaited, tested, compared for identity or handed on": """
        import asyncio
        from shop.mail import ping

        async def f(known):
            later = ping()
            other = ping()
            last = ping()
            if later is not None and other and known:
                last.close()
            return await later, await asyncio.gather(other)
    """,
    "variable with another value": """
        from shop.mail import ping

        async def f(slow):
            answer = ping()
            if slow:
                answer = await answer
            return answer.real
    """,
    "awaited or handed on": """
        import asyncio
        import contextlib

        from shop.mail import mailer, ping

        async def f(tasks: list, group: asyncio.TaskGroup):
            await ping()
            await asyncio.gather(ping(), mailer.send("a"))
            ping().__await__()
            await asyncio.wait_for(ping(), 1)
            group.create_task(ping())
            task = asyncio.create_task(ping())
            tasks.append(ping())
            pending = [ping() for _ in range(3)]
            later = ping()
            yield ping()
            ping().close()
            await later
            await task

        def g():
            asyncio.run(ping())
            return ping()

        class C:
            def __init__(self):
                self.pending = ping()
                self.all = {"a": ping()}
    """,
    "asynchronous generators": """
        from shop.mail import mailer

        async def f():
            mailer.rows()
            async for row in mailer.rows():
                print(row)
            return [row async for row in mailer.rows()]
    """,
    "plain methods": """
        from shop.mail import mailer

        async def f():
            mailer.flush()
    """,
    "decorators that may run it": """
        from somewhere import task

        @task
        async def job(): ...

        async def f():
            job()
            job.delay()
    """,
    "defined both ways": """
        import sys

        if sys.platform == "win32":
            def ping(): ...
        else:
            async def ping(): ...

        async def f():
            ping()
    """,
    "method of the same name elsewhere": """
        from shop.mail import Mailer

        class Memory:
            def send(self, to: str) -> bool:
                return True

        async def f(memory: Memory, unknown, either: Memory | Mailer):
            memory.send("a")
            unknown.send("a")
            either.send("a")
            if memory.send("a"):
                pass
    """,
    "override that is plain": """
        from shop.mail import Mailer

        class Memory(Mailer):
            def send(self, to: str) -> bool:
                return True

        async def f(memory: Memory):
            memory.send("a")
    """,
    "starts without being awaited": """
        import asyncio
        from collections.abc import Awaitable

        from shop.mail import ping

        def start() -> Awaitable[bool]:
            return asyncio.ensure_future(ping())

        async def f():
            start()
            asyncio.gather(ping(), ping())
            asyncio.get_running_loop().run_in_executor(None, print)
    """,
    "read in an inner function or through a global name": """
        from shop.mail import ping

        def f():
            global job
            job = ping()
            inner = ping()

            async def wait():
                await inner

            return wait
    """,
    "tests of the coroutine object": """
        import inspect

        from shop.mail import ping

        def f():
            result = ping()
            if inspect.isawaitable(result):
                return result
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


FIXED = {
    "statement": ("async def f():\n    ping(1)\n", "async def f():\n    await ping(1)\n"),
    "attribute": (
        "async def f():\n    return ping(1).real\n",
        "async def f():\n    return (await ping(1)).real\n",
    ),
    "item": ("async def f():\n    return ping(1)[0]\n", "async def f():\n    return (await ping(1))[0]\n"),
    "negation": (
        "async def f():\n    if not ping(1):\n        return\n",
        "async def f():\n    if not await ping(1):\n        return\n",
    ),
    "comparison": (
        "async def f():\n    return ping(1) == 1\n",
        "async def f():\n    return await ping(1) == 1\n",
    ),
    "formatted": (
        "async def f():\n    return f'{ping(1)}'\n",
        "async def f():\n    return f'{await ping(1)}'\n",
    ),
    "plain function": ("def f():\n    ping(1)\n", None),
    "generator expression": ("async def f(xs):\n    return any(not ping(x) for x in xs)\n", None),
}


@pytest.mark.parametrize(("source", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(source: str, expected: str | None) -> None:
    head = "async def ping(x): ...\n\n\n"
    assert fix(RULE, head + source) == head + (source if expected is None else expected)


def test_python_never_runs_the_coroutine(tmp_path: Path) -> None:
    """The documented Bad example, run: everybody may refund, and Python warns when it collects the coroutine."""
    bad, good = (examples(documentation(entry_of(RULE)), title)[1] for title in ("Bad", "Good"))
    program = "import asyncio, example; print(asyncio.run(example.refund('mallory', 'order-1')))"
    outcome = {}
    for name, example in {"bad": bad, "good": good}.items():
        root = tmp_path / name
        write(root, {**bad.files, example.path: example.text})
        run = subprocess.run(
            [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
        )
        outcome[name] = (
            run.stdout.strip(),
            "RuntimeWarning: coroutine 'may_refund' was never awaited" in run.stderr,
        )
    assert outcome == {"bad": ("order-1", True), "good": ("refused", False)}
