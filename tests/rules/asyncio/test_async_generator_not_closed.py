"""Traps of async-generator-not-closed, and a proof of when such a generator cleans up."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest

from tests.rules.harness import findings, fix

RULE = "async-generator-not-closed"
HEADER = """
import asyncio
import contextlib
from contextlib import aclosing, asynccontextmanager
from shop import feed
from shop.feed import Feed, events, locked, rows
"""
FILES = {
    "shop/feed.py": """
        import asyncio
        import contextlib
        import threading
        from collections.abc import AsyncIterator
        from contextlib import asynccontextmanager, suppress
        from shop.tools import retrying, traced
        lock = asyncio.Lock()
        guard = threading.Lock()
        async def events(limit: int = 3) -> AsyncIterator[int]:
            try:
                for number in range(limit):
                    yield number
            finally:
                print("closed")
        async def locked():
            async with lock:
                yield 1
        async def guarded():
            with guard:
                yield 1
        async def rows(path: str):
            with open(path) as file:
                for line in file:
                    yield line
        async def numbers():
            for number in range(3):
                yield number
        async def behind():
            try:
                print("opened")
            finally:
                print("closed")
            yield 1
        async def at_the_end():
            try:
                print("opened")
            finally:
                yield 1
        async def caught():
            try:
                yield 1
            except ValueError:
                yield 2
        async def in_handler():
            try:
                print("opened")
            except ValueError:
                yield 2
            finally:
                print("closed")
        async def either(stream: bool):
            if stream:
                async with lock:
                    yield 1
            else:
                yield 2
        async def lines(response):
            async with response as body:
                yield body
        async def quiet():
            with suppress(ValueError):
                yield 1
        async def tried():
            for attempt in retrying():
                with attempt:
                    yield 1
        @traced
        async def decorated():
            async with lock:
                yield 1
        @asynccontextmanager
        async def opened():
            async with lock:
                yield 1
        async def listed():
            async with lock:
                return [1, 2]
        async def inner():
            async def other():
                async with lock:
                    yield 1
            yield other
        def plain():
            return events()
        class Feed:
            async def follow(self):
                async with lock:
                    yield 1
            @staticmethod
            async def of():
                async with lock:
                    yield 1
    """,
}

SILENT = {
    "runs to its end": """
        async def f():
            async for event in events():
                print(event)
    """,
    "goes on": """
        async def f():
            async for event in events():
                if event:
                    continue
                print(event)
    """,
    "closed by aclosing": """
        async def f():
            async with aclosing(events()) as numbers:
                async for event in numbers:
                    return event
    """,
    "closed by hand": """
        async def f():
            numbers = events()
            async for event in numbers:
                break
            await numbers.aclose()
    """,
    "only an inner loop is left": """
        async def f():
            async for event in events():
                for number in range(event):
                    break
                while True:
                    break
    """,
    "only an inner function returns": """
        async def f(jobs):
            async for event in events():
                def job():
                    return event
                jobs.append(job)
                jobs.append(lambda: event)
    """,
    "an error that the loop catches": """
        async def f():
            async for event in events():
                try:
                    if event:
                        raise ValueError
                except ValueError:
                    print(event)
    """,
    "left when it has ended": """
        async def f():
            async for event in events():
                print(event)
            else:
                return
    """,
    "nothing to clean up": """
        async def f():
            async for event in feed.numbers():
                return event
    """,
    "cleaned up before it yields": """
        async def f():
            async for event in feed.behind():
                return event
    """,
    "the clean-up itself yields": """
        async def f():
            async for event in feed.at_the_end():
                return event
    """,
    "nothing is open at one of its values": """
        async def f():
            async for event in feed.either(False):
                return event
    """,
    "only errors are handled": """
        async def f():
            async for event in feed.caught():
                return event
    """,
    "a block that gives nothing back": """
        async def f():
            async for event in feed.quiet():
                return event
    """,
    "a block of what its caller gave it": """
        async def f(response):
            async with response:
                async for event in feed.lines(response):
                    return event
    """,
    "a block of something unknown": """
        async def f():
            async for event in feed.tried():
                return event
    """,
    "what a decorator makes of it is unknown": """
        async def f():
            async for event in feed.decorated():
                return event
    """,
    "a context manager": """
        async def f():
            async with feed.opened() as event:
                return event
            async for event in feed.opened():
                return event
    """,
    "a coroutine": """
        async def f():
            for event in await feed.listed():
                return event
    """,
    "an inner generator cleans up": """
        async def f():
            async for other in feed.inner():
                return other
    """,
    "wrapped by a helper": """
        async def f(buffered):
            async for event in buffered(events()):
                return event
            async for event in aiter(events()):
                return event
    """,
    "something unknown": """
        async def f(stream):
            async for event in stream.events():
                return event
    """,
    "defined twice": """
        try:
            from shop.fast import other
        except ImportError:
            async def other():
                async with asyncio.Lock():
                    yield 1
        async def f():
            async for event in other():
                return event
    """,
    "a comprehension": """
        async def f():
            return [event async for event in events() if event]
    """,
}

FOUND = {
    "break": """
        async def f():
            async for event in events():  # PB627
                if event:
                    break
    """,
    "return": """
        async def f():
            async for event in locked():  # PB627
                return event
    """,
    "raise": """
        async def f():
            async for event in events(5):  # PB627
                if event > 3:
                    raise ValueError(event)
    """,
    "raised anew": """
        async def f():
            async for event in events(5):  # PB627
                try:
                    print(event)
                except ValueError:
                    raise
    """,
    "an error that nothing in the loop catches": """
        async def f():
            async for event in events(5):  # PB627
                try:
                    raise ValueError
                finally:
                    print(event)
    """,
    "by its module": """
        async def f():
            async for event in feed.events():  # PB627
                break
    """,
    "an open file": """
        async def f():
            async for line in rows("x"):  # PB627
                return line
    """,
    "a lock of threads": """
        async def f():
            async for line in feed.guarded():  # PB627
                return line
    """,
    "a yield in a handler": """
        async def f():
            async for line in feed.in_handler():  # PB627
                return line
    """,
    "a method": """
        class Shop:
            def __init__(self):
                self.feed = Feed()
            async def f(self):
                async for event in self.feed.follow():  # PB627
                    return event
    """,
    "a static method": """
        async def f():
            async for event in Feed.of():  # PB627
                return event
    """,
    "of the same class": """
        class Shop:
            async def rows(self):
                async with asyncio.Lock():
                    yield 1
            async def first(self):
                async for row in self.rows():  # PB627
                    return row
    """,
    "in a block and a case": """
        async def f(path):
            async for event in events():  # PB627
                async with path.open() as file:
                    match event:
                        case 1:
                            break
    """,
    "a break of the loop behind an inner one": """
        async def f():
            async for event in events():  # PB627
                for number in range(event):
                    if number > 7:
                        break
                else:
                    break
    """,
    "a return of an inner loop": """
        async def f():
            async for event in events():  # PB627
                while event:
                    return event
    """,
    "a generator of another": """
        async def f():
            async for event in events():  # PB627
                yield event
                if event:
                    return
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings(RULE, HEADER + textwrap.dedent(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings(RULE, HEADER + textwrap.dedent(source), files=FILES)


FIXED = {
    "the loop goes below": (
        "async def f():\n    # first\n    async for event in events(3):  # why\n        if event:\n\n            return event\n",
        "async def f():\n    # first\n    async with aclosing(events(3)) as iterator:\n"
        "        async for event in iterator:  # why\n            if event:\n\n                return event\n",
    ),
    "with its own name and tabs": (
        "async def f():\n\tasync for number in events():\n\t\tbreak\n\telse:\n\t\tprint(1)\n",
        "async def f():\n\tasync with aclosing(events()) as numbers:\n\t\tasync for number in numbers:\n\t\t\tbreak\n"
        "\t\telse:\n\t\t\tprint(1)\n",
    ),
    "no simple target": (
        "async def f(a):\n    async for a.b in (events()):\n        break\n",
        "async def f(a):\n    async with aclosing(events()) as iterator:\n        async for a.b in (iterator):\n"
        "            break\n",
    ),
    "not with a text over several lines": (
        'async def f():\n    async for event in events():\n        print("""\n""")\n        break\n', None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), FIXED.values(), ids=FIXED)
def test_fix(body: str, expected: str | None) -> None:
    head = "from contextlib import aclosing\nfrom shop.feed import events\n"
    assert fix(RULE, head + body, files=FILES) == head + (expected or body)


def test_the_places_that_prove_it() -> None:
    source = (HEADER + textwrap.dedent(FOUND["break"])).lstrip()
    (finding,) = findings(RULE, source, files=FILES)
    left, late = finding.related
    assert source.splitlines()[left.start.row - 1].strip() == "break"
    assert late.path.endswith("feed.py")
    assert FILES["shop/feed.py"].lstrip().splitlines()[late.start.row - 1].strip() == 'print("closed")'


class Generator:
    """A generator that knows whether, and in which task, it has cleaned up."""

    def __init__(self) -> None:
        self.closed_by: asyncio.Task[object] | None = None

    async def numbers(self) -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            self.closed_by = asyncio.current_task()


async def breaks(numbers: AsyncGenerator[int, None]) -> None:
    async for _ in numbers:
        break


async def returns(numbers: AsyncGenerator[int, None]) -> None:
    async for _ in numbers:
        return


async def raises(numbers: AsyncGenerator[int, None]) -> None:
    try:
        async for _ in numbers:
            raise ValueError
    except ValueError:
        pass


async def ends(numbers: AsyncGenerator[int, None]) -> None:
    async for _ in numbers:
        pass


@pytest.mark.parametrize("leave", [breaks, returns, raises])
def test_it_cleans_up_later_and_in_another_task(
    leave: Callable[[AsyncGenerator[int, None]], Awaitable[None]],
) -> None:
    async def main() -> None:
        generator = Generator()
        await leave(generator.numbers())
        assert generator.closed_by is None
        await asyncio.sleep(0.01)
        assert generator.closed_by not in {None, asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.parametrize("leave", [breaks, returns, raises, ends])
def test_aclosing_cleans_up_at_once(leave: Callable[[AsyncGenerator[int, None]], Awaitable[None]]) -> None:
    async def main() -> None:
        generator = Generator()
        async with aclosing(generator.numbers()) as numbers:
            await leave(numbers)
        assert generator.closed_by is asyncio.current_task()

    asyncio.run(main())


def test_at_its_end_it_has_cleaned_up() -> None:
    async def main() -> None:
        generator = Generator()
        await ends(generator.numbers())
        assert generator.closed_by is asyncio.current_task()

    asyncio.run(main())
