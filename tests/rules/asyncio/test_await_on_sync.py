from __future__ import annotations

import asyncio
import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "await-on-sync"

FILES = {
    "shop/__init__.py": "from shop.stock import names as amounts",
    "shop/stock.py": """
        from contextlib import asynccontextmanager, contextmanager

        class Stock:
            amounts: dict = {}

            def count(self) -> int:
                return len(self.amounts)

            def reserve(self, sku):
                self.amounts[sku] = 1

            def anything(self):
                return self.amounts["a"]

            def later(self):
                return self.load()

            async def load(self):
                return 1

            def hook(self):
                pass

            def close(self):
                self.amounts.clear()

        class RemoteStock(Stock):
            async def close(self):
                self.amounts.clear()

        class Lock:
            def __enter__(self):
                return self
            def __exit__(self, *error):
                return None

        class AsyncLock:
            async def __aenter__(self):
                return self
            async def __aexit__(self, *error):
                return None

        class Both(Lock, AsyncLock):
            pass

        @contextmanager
        def opened():
            yield 1

        @asynccontextmanager
        async def connected():
            yield 1

        def pages():
            yield 1
            yield 2

        async def async_pages():
            yield 1

        def names() -> list[str]:
            return ["a", "b"]

        if True:
            def chosen():
                return 1
        else:
            async def chosen():
                return 1

        class Store:
            @contextmanager
            def opened(self):
                yield 1

            @asynccontextmanager
            async def connected(self):
                yield 1
    """,
}

FOUND = {
    "an asynchronous generator": """
        from shop.stock import async_pages

        async def f():
            for page in await async_pages():  # PB608
                print(page)
    """,
    "values that the standard library makes": """
        import json

        def text(value) -> str:
            return json.dumps(value)

        async def f(value):
            return await text(value)  # PB608
    """,
    "methods that are context managers, and functions under another name": """
        from shop import amounts
        from shop.stock import Store, async_pages as all_pages

        async def f(store: Store):
            with store.connected():  # PB608
                await amounts()  # PB608
            async with store.opened():  # PB608
                for _ in all_pages():  # PB608
                    pass
    """,
    "functions and methods": """
        from shop.stock import Stock, names

        async def f(stock: Stock):
            await names()  # PB608
            await stock.count()  # PB608
            await stock.reserve("tea")  # PB608
            return await Stock().count()  # PB608
    """,
    "libraries": """
        import asyncio
        import time

        import requests
        from sqlalchemy import select
        from sqlalchemy.ext.asyncio import AsyncSession

        async def f(session: AsyncSession, event: asyncio.Event):
            await time.sleep(1)  # PB608
            await requests.get("https://shop.example")  # PB608
            await session.add(object())  # PB608
            result = await session.execute(select(1))
            await event.set()  # PB608
            return await result.scalars()  # PB608
    """,
    "loops": """
        from shop.stock import async_pages, names, pages

        async def f():
            async for page in pages():  # PB608
                print(page)
            async for name in names():  # PB608
                print(name)
            async for number in range(3):  # PB608
                print(number)
            async for number in [1, 2]:  # PB608
                print(number)
            for page in async_pages():  # PB608
                print(page)
            return [page for page in async_pages()]  # PB608
    """,
    "context managers": """
        import asyncio
        import threading

        import httpx
        from shop.stock import AsyncLock, Lock, connected, opened

        lock = asyncio.Lock()

        async def f():
            async with opened() as one:  # PB608
                print(one)
            async with Lock():  # PB608
                pass
            async with threading.Lock():  # PB608
                pass
            async with open("a") as file:  # PB608
                print(file)
            with connected() as two:  # PB608
                print(two)
            with AsyncLock():  # PB608
                pass
            with lock:  # PB608
                pass
            with httpx.AsyncClient() as client:  # PB608
                print(client)
    """,
}

SILENT = {
    "what can be awaited": """
        import asyncio

        from shop.stock import Stock, async_pages, connected

        async def f(stock: Stock):
            await stock.load()
            await stock.later()
            await asyncio.sleep(1)
            async with connected():
                pass
            async for page in async_pages():
                print(page)
            return [page async for page in async_pages()]
    """,
    "results that are not known": """
        from shop.stock import Stock

        async def f(stock: Stock, other):
            await stock.anything()
            await other.count()
    """,
    "methods that a subclass makes asynchronous, or may": """
        from shop.stock import Stock

        async def f(stock: Stock):
            await stock.close()
            await stock.hook()
    """,
    "asked for before": """
        import inspect

        from shop.stock import Stock

        async def f(stock: Stock):
            if inspect.iscoroutinefunction(stock.count):
                return await stock.count()
            return stock.count()
    """,
    "one of two definitions": """
        from shop.stock import chosen

        async def f():
            return await chosen()
    """,
    "decorated": """
        from asgiref.sync import sync_to_async

        @sync_to_async
        def load():
            return 1

        async def f():
            return await load()
    """,
    "both kinds of context manager": """
        import contextlib
        from shop.stock import Both

        async def f(both: Both, other):
            with both:
                pass
            async with both:
                pass
            async with other, contextlib.AsyncExitStack():
                pass
            with contextlib.suppress(ValueError):
                pass
    """,
    "attribute that holds another function": """
        class Client:
            def __init__(self, fetch):
                self.fetch = fetch

            def fetch(self):
                return 1

        async def f(client: Client):
            await client.fetch()
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_where_it_is_defined_is_told() -> None:
    source = "from shop.stock import names\n\n\nasync def f():\n    await names()  # PB608\n"
    (finding,) = findings(RULE, source, files=FILES)
    (place,) = finding.related
    assert (place.path.rpartition("/")[2], place.start.row) == ("stock.py", 61)


FIXED = {
    "async for": ("    async for page in pages():\n", "    for page in pages():\n"),
    "async with": ("    async with opened():\n", "    with opened():\n"),
    "with": ("    with connected():\n", "    async with connected():\n"),
    "for": ("    for page in async_pages():\n", "    async for page in async_pages():\n"),
    "several managers": ("    async with opened(), other():\n", None),
}


@pytest.mark.parametrize(("line", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(line: str, expected: str | None) -> None:
    head = "from shop.stock import async_pages, connected, opened, pages\n\n\nasync def f(other):\n"
    after = fix(RULE, f"{head}{line}        pass\n", files=FILES)
    assert after == f"{head}{expected or line}        pass\n"


def test_blocking_calls_get_no_fix() -> None:
    source = "import time\n\n\nasync def f():\n    await time.sleep(1)\n"
    assert fix(RULE, source) == source


def test_what_is_found_raises_and_what_the_fix_makes_works() -> None:
    names = executed(FILES["shop/stock.py"])
    lines = {
        "await stock.count()": "stock.count()",
        "await stock.reserve('tea')": "stock.reserve('tea')",
        "async for page in pages(): pass": "for page in pages(): pass",
        "for page in async_pages(): pass": "async for page in async_pages(): pass",
        "async with opened(): pass": "with opened(): pass",
        "with connected(): pass": "async with connected(): pass",
        "with AsyncLock(): pass": "async with AsyncLock(): pass",
        "await asyncio.Event().set()": "asyncio.Event().set()",
    }
    for bad, good in lines.items():
        namespace = {**names, "asyncio": asyncio, "stock": names["Stock"]()}
        exec(textwrap.dedent(f"async def bad():\n    {bad}\n\nasync def good():\n    {good}\n"), namespace)
        with pytest.raises((TypeError, AttributeError)):
            asyncio.run(namespace["bad"]())
        asyncio.run(namespace["good"]())
