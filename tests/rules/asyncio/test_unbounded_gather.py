from __future__ import annotations

import asyncio
import textwrap

import pytest

from tests.rules.harness import findings

RULE = "unbounded-gather"

FILES = {
    "net/__init__.py": "",
    "net/requests.py": """
        import asyncio
        from enum import Enum

        import aiohttp
        import asyncpg
        import httpx
        from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

        from net.turns import wait_for_turn

        HOSTS = ["a", "b", "c"]
        sem = asyncio.Semaphore(5)
        sessions: async_sessionmaker[AsyncSession]

        class Region(Enum):
            EAST = 1
            WEST = 2

        async def fetch(url):
            async with httpx.AsyncClient() as client:
                return await client.get(url)

        async def through(url):
            return await fetch(url)

        async def scrape(url):
            async with aiohttp.ClientSession() as session:
                async with session.get(url) as answer:
                    return await answer.text()

        async def query(number):
            connection = await asyncpg.connect()
            return await connection.fetchrow("SELECT $1", number)

        async def pooled(pool: asyncpg.Pool, number):
            return await pool.fetchrow("SELECT $1", number)

        async def stored(number):
            async with sessions() as session:
                return await session.execute("SELECT 1")

        async def shares(session: AsyncSession, number):
            return await session.execute("SELECT 1")

        async def bounded(url):
            async with sem:
                return await fetch(url)

        async def outer(url):
            return await bounded(url)

        async def takes_turns(url):
            await wait_for_turn()
            return await fetch(url)

        async def acquires(url):
            await sem.acquire()
            try:
                return await fetch(url)
            finally:
                sem.release()

        async def waits_for_event(event, url):
            await event.wait()
            return await fetch(url)

        async def watches(url):
            while True:
                await fetch(url)

        async def computes(number):
            await asyncio.sleep(0)
            return number * 2

        async def stream(url):
            yield await fetch(url)

        def hosts():
            return ["a", "b"]

        def limited(function):
            async def run(*args):
                async with sem:
                    return await function(*args)
            return run

        @limited
        async def decorated(url):
            return await fetch(url)
    """,
    "net/tuned.py": """
        import httpx

        client = httpx.AsyncClient(limits=httpx.Limits(max_connections=5), timeout=None)

        async def fetch_slowly(url):
            return await client.get(url)
    """,
    "net/turns.py": """
        import asyncio

        gate = asyncio.Semaphore(3)

        async def wait_for_turn():
            await gate.acquire()
    """,
}

HEADER = """\
import asyncio
from asyncio import create_task, gather

from net.requests import (
    HOSTS, Region, acquires, bounded, computes, decorated, fetch, hosts, outer, pooled, query, scrape, sem,
    shares, stored, stream, takes_turns, through, waits_for_event,
    watches,
)
from net.tuned import fetch_slowly
"""

FOUND = {
    "list, generator and name": """
        async def f(urls):
            await asyncio.gather(*[fetch(url) for url in urls])  # PB613
            await gather(*(fetch(url) for url in urls), return_exceptions=True)  # PB613
            waiting = [fetch(url) for url in urls]
            await gather(*waiting)  # PB613
    """,
    "tasks in a comprehension": """
        async def f(urls):
            await gather(*[create_task(fetch(url)) for url in urls])  # PB613
    """,
    "coroutines appended in a loop": """
        async def f(urls):
            waiting = []
            for url in urls:
                waiting.append(fetch(url))
            await gather(*waiting)  # PB613
    """,
    "tasks started in a loop": """
        async def f(urls):
            tasks = []
            for url in urls:
                tasks.append(asyncio.create_task(fetch(url)))  # PB613
            await gather(*tasks)
    """,
    "task group": """
        async def f(urls):
            async with asyncio.TaskGroup() as tg:
                for url in urls:
                    tg.create_task(fetch(url))  # PB613
    """,
    "libraries": """
        async def f(values: list[str]):
            await gather(*[scrape(value) for value in values])  # PB613
            await gather(*[query(value) for value in values])  # PB613
            await gather(*[stored(value) for value in values])  # PB613
    """,
    "through another coroutine": """
        async def f(urls):
            await gather(*[through(url) for url in urls])  # PB613
    """,
    "sizes that are no bound": """
        async def f(urls: list[str], body):
            if len(urls) == 0:
                return
            await gather(*[fetch(url) for url in urls])  # PB613
            await gather(*[fetch(url) for url in sorted(set(body.urls))])  # PB613
            await gather(*[fetch(urls[i]) for i in range(len(urls))])  # PB613
            await gather(*[fetch(i) for i in range(1000)])  # PB613
            await gather(*[fetch(url) for name, url in body.links.items()])  # PB613
    """,
    "bounded by one of two callers": """
        async def f(urls):
            return await gather(*[fetch(url) for url in urls])  # PB613

        async def g(images):
            return await f(images[:4])

        async def h(images):
            return await f(images)
    """,
    "collected in a loop": """
        async def f(rows):
            urls = []
            for row in rows:
                urls.append(row.url)
            await gather(*[fetch(url) for url in urls])  # PB613
    """,
}

SILENT = {
    "few by the code": """
        async def f(urls):
            await gather(*[fetch(url) for url in ["a", "b"]])
            await gather(*[fetch(url) for url in urls[:10]])
            await gather(*[fetch(i) for i in range(20)])
            await gather(*[fetch(host) for host in HOSTS])
            await gather(*[fetch(region) for region in Region])
            await gather(*[fetch(host) for host in hosts()])
            await gather(fetch("a"), fetch("b"))
    """,
    "a slice by name": """
        async def f(urls):
            for start in range(0, len(urls), 10):
                part = urls[start : start + 10]
                await gather(*[fetch(url) for url in part])
    """,
    "chunks": """
        from itertools import batched, islice

        async def f(urls, batch):
            for group in batched(urls, 10):
                await gather(*[fetch(url) for url in group])
            await gather(*[fetch(url) for url in islice(urls, 10)])
            await gather(*[fetch(url) for url in batch])

        async def fetch_batch(urls):
            await gather(*[fetch(url) for url in urls])
    """,
    "number of workers": """
        async def f(workers):
            await gather(*[fetch(i) for i in range(workers)])
    """,
    "constant of the module": """
        PAGES = ("a", "b")
        known = {"a": 1}

        async def f():
            await gather(*[fetch(url) for url in PAGES])
            await gather(*[fetch(url) for url in known.values()])
    """,
    "constant, settings and limits of a class": """
        from pydantic import BaseModel, Field

        class Body(BaseModel):
            urls: list[str] = Field(max_length=10)

        async def f(self, settings, body: Body):
            await gather(*[fetch(url) for url in self.HOSTS])
            await gather(*[fetch(url) for url in self._endpoints])
            await gather(*[fetch(url) for url in settings.hosts])
            await gather(*[fetch(url) for url in body.urls])
    """,
    "tuple of a size": """
        async def f(urls: tuple[str, str]):
            await gather(*[fetch(url) for url in urls])
    """,
    "length that is checked": """
        async def f(urls):
            if len(urls) > 50:
                raise ValueError
            await gather(*[fetch(url) for url in urls])
    """,
    "few by hand": """
        async def f(first, second):
            urls = []
            if first:
                urls.append(first)
            if second:
                urls.append(second)
            await gather(*[fetch(url) for url in urls])
    """,
    "query with a limit": """
        async def f(session, select):
            rows = (await session.scalars(select.limit(10))).all()
            await gather(*[fetch(row) for row in rows])
    """,
    "semaphores": """
        async def f(urls, slots):
            await gather(*[bounded(url) for url in urls])
            await gather(*[outer(url) for url in urls])
            await gather(*[acquires(url) for url in urls])
            await gather(*[takes_turns(url) for url in urls])
            await gather(*[decorated(url) for url in urls])
            await gather(*[waits_for_event(slots, url) for url in urls])

        async def g(urls):
            semaphore = asyncio.Semaphore(5)

            async def one(url):
                async with semaphore:
                    return await fetch(url)

            await gather(*[one(url) for url in urls])
    """,
    "semaphore around": """
        async def f(urls):
            async with sem:
                await gather(*[fetch(url) for url in urls])
    """,
    "pool that lets wait, connections that are limited": """
        async def f(pool, urls):
            await gather(*[pooled(pool, url) for url in urls])
            await gather(*[fetch_slowly(url) for url in urls])
    """,
    "session that is shared, which is another fault": """
        from sqlalchemy.ext.asyncio import AsyncSession

        async def f(session: AsyncSession, numbers):
            await gather(*[shares(session, number) for number in numbers])
    """,
    "work that does not go out": """
        async def f(numbers):
            await gather(*[computes(number) for number in numbers])
    """,
    "tasks that never end": """
        async def f(urls):
            for url in urls:
                asyncio.create_task(watches(url))
    """,
    "loop that waits or ends": """
        async def f(urls):
            for url in urls:
                task = asyncio.create_task(fetch(url))
                await asyncio.sleep(1)
            for url in urls:
                task = asyncio.create_task(fetch(url))
                if url:
                    break
    """,
    "unknown function or task factory": """
        async def f(urls, fetch, group):
            await gather(*[fetch(url) for url in urls])
            await group.gather(*[through(url) for url in urls])
            for url in urls:
                group.create_task(through(url))
    """,
    "bounded by every caller": """
        async def f(urls):
            return await gather(*[fetch(url) for url in urls])

        async def g(images):
            images = images[:4]
            return await f(images)
    """,
    "limits of the client in the same file": """
        import httpx

        async def read(client: httpx.AsyncClient, url):
            return await client.get(url)

        async def f(urls):
            async with httpx.AsyncClient(limits=httpx.Limits(max_connections=10)) as client:
                return await gather(*[read(client, url) for url in urls])
    """,
    "pages in turn": """
        async def f(self, parse, url):
            while url:
                await self._throttle()
                found, url = await parse(url)
                await gather(*[fetch(one) for one in found])
    """,
    "appended with a pause": """
        async def f(urls):
            waiting = []
            for url in urls:
                waiting.append(fetch(url))
                await asyncio.sleep(1)
            await gather(*waiting)
    """,
    "elements made of a constant": """
        async def f():
            urls = [f"https://shop.example/{page}" for page in range(10)]
            await gather(*[fetch(url) for url in urls])
    """,
    "plain call": """
        async def f(urls):
            asyncio.create_task(fetch(urls[0]))
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings(RULE, HEADER + textwrap.dedent(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    for finding in findings(RULE, HEADER + textwrap.dedent(source), files=FILES):
        assert finding.fix is None
        assert finding.related


def test_a_shared_client_may_be_tuned_elsewhere() -> None:
    source = """
        import asyncio

        import httpx

        from net.requests import fetch

        async def read(client: httpx.AsyncClient, url):
            return await client.get(url)

        async def f(client: httpx.AsyncClient, urls):
            await asyncio.gather(*[read(client, url) for url in urls]){}
            await asyncio.gather(*[fetch(url) for url in urls])  # PB613
    """
    untuned = {name: content for name, content in FILES.items() if name != "net/tuned.py"}
    findings(RULE, source.format(""), files=FILES)
    findings(RULE, source.format("  # PB613"), files=untuned)


def test_names_the_call_that_goes_out() -> None:
    (finding,) = findings(
        RULE,
        HEADER
        + textwrap.dedent("""
        async def f(urls):
            await gather(*[through(url) for url in urls])  # PB613
    """),
        files=FILES,
    )
    assert [related.message for related in finding.related] == [
        "calls `fetch`",
        "calls `httpx.AsyncClient.get`",
    ]


def test_everything_runs_at_once() -> None:
    running = most = 0

    async def request(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async def bounded(semaphore: asyncio.Semaphore, number: int) -> None:
        async with semaphore:
            await request(number)

    async def unbounded() -> None:
        await asyncio.gather(*[request(number) for number in range(500)])

    async def with_semaphore() -> None:
        semaphore = asyncio.Semaphore(10)
        await asyncio.gather(*[bounded(semaphore, number) for number in range(500)])

    asyncio.run(unbounded())
    assert most == 500
    most = 0
    asyncio.run(with_semaphore())
    assert most == 10
