from __future__ import annotations

import asyncio
import importlib.util
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.settings import Selection, Settings
from tests.rules.harness import check, findings, fix, write

RULE = "blocking-call-through-helper"

FOUND = {
    "function that is tried again": """
        import requests
        from tenacity import retry, stop_after_attempt

        @retry(stop=stop_after_attempt(3))
        def rate(currency: str) -> float:
            return float(requests.get(f"https://rates.example/{currency}", timeout=5).text)

        async def price(cents: int) -> float:
            return cents * rate("USD")  # PB600
    """,
    "generator that is iterated": """
        import requests

        def pages(url: str):
            while page := requests.get(url, timeout=5).json():
                yield page

        def count(url: str) -> int:
            return sum(len(page) for page in pages(url))

        async def load(url: str) -> list:
            found = list(pages(url))  # PB600
            for page in pages(url):  # PB600
                found.append(page)
            return [found, count(url)]  # PB600
    """,
    "function two calls away": """
        from billing.invoices import total

        async def price(cents: int) -> int:
            return total(cents, "USD")  # PB600
    """,
    "object that another module shares": """
        from billing.rates import rates

        async def price(cents: int) -> float:
            return cents * rates.fetch("USD")  # PB600
    """,
    "property": """
        from billing.rates import rates

        async def base() -> float:
            return rates.base  # PB600
    """,
    "constructor": """
        from billing.rates import CheckedClient

        async def client() -> CheckedClient:
            return CheckedClient("https://rates.example")  # PB600
    """,
    "inherited method of an attribute": """
        from billing.rates import CheckedClient

        class Prices:
            def __init__(self, client: CheckedClient) -> None:
                self.client = client

            async def usd(self) -> float:
                return self.client.fetch("USD")  # PB600
    """,
    "generator as context manager": """
        from billing.invoices import numbered

        async def number() -> int:
            with numbered() as number:  # PB600
                return number
    """,
    "class as context manager": """
        from billing.rates import Exclusive

        async def alone() -> None:
            with Exclusive():  # PB600
                pass
    """,
    "functions that call each other": """
        from billing.invoices import Invoice
        from billing.rates import rates

        async def settle(cents: int) -> int:
            return Invoice(rates).settle(cents)  # PB600
    """,
    "eight calls deep": """
        from billing.invoices import step_1

        async def dollar() -> float:
            return step_1()  # PB600
    """,
    "as long as nobody asks otherwise": """
        from billing.rates import rates

        def report(background: bool = False, code: str | None = None) -> None:
            if not background:
                rates.fetch(code or "EUR")

        async def place() -> None:
            report()  # PB600
    """,
    "argument of another call": """
        import asyncio

        from billing.rates import rates

        async def wait() -> None:
            await asyncio.sleep(rates.fetch("USD"))  # PB600
    """,
    "helper of the same file, in an asynchronous generator": """
        import time

        def pause() -> None:
            time.sleep(1)

        async def ticks():
            while True:
                pause()  # PB600
                yield 1
    """,
}

FOUND |= {
    "decorators of the project that call the function": """
        import functools
        import time

        def logged(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                print(function.__name__)
                result = function(*args, **kwargs)
                return result
            return inner

        def named(name):
            def decorate(function):
                def inner(*args):
                    return function(name, *args)
                return inner
            return decorate

        @logged
        def wait() -> None:
            time.sleep(1)

        @named("rates")
        def wait_for(name: str, seconds: int) -> None:
            time.sleep(seconds)

        async def f() -> None:
            wait()  # PB600
            wait_for(3)  # PB600
    """,
    "coroutine that the command line calls as well": """
        import time
        import asyncio

        def wait() -> None:
            time.sleep(1)

        async def work() -> None:
            wait()  # PB600

        async def serve() -> None:
            await work()

        async def main() -> None:
            await work()

        asyncio.run(main())
    """,
}

FOUND |= {
    "the class of an argument only says how to ask": """
        import time

        def load(key: int | str) -> None:
            if isinstance(key, int):
                time.sleep(1)
            else:
                time.sleep(len(key))

        async def f(key: str) -> None:
            load(key)  # PB600
    """,
}

SILENT = {
    "generator that nobody iterates here": """
        import asyncio

        import requests

        def pages(url: str):
            while page := requests.get(url, timeout=5).json():
                yield page

        async def load(url: str) -> list:
            later = pages(url)
            return await asyncio.to_thread(list, later)
    """,
    "the class of an argument decides": """
        import time

        def save(image: object) -> None:
            if isinstance(image, Image):
                time.sleep(1)

        class Image: ...

        async def f(body: bytes) -> None:
            save(body)
    """,
    "the classes of two arguments decide": """
        import time

        def save(image: object, late: object) -> None:
            if isinstance(image, int):
                time.sleep(image)
            elif isinstance(late, int):
                time.sleep(late)

        async def f(body: bytes) -> None:
            save(body, None)
    """,
    "what making an object does in some cases": """
        import hashlib

        class Config:
            def __init__(self, values: dict) -> None:
                self.values = values
                reset = values.pop("reset", False)
                if reset and "password" in values:
                    self.reset()

            def reset(self) -> None:
                self.values["password"] = hashlib.pbkdf2_hmac("sha256", b"a", b"b", 600_000)

        async def f(values: dict) -> Config:
            return Config(values)
    """,
    "fixture of tests": """
        import time

        import pytest_asyncio

        def wait() -> None:
            time.sleep(1)

        @pytest_asyncio.fixture(scope="session")
        async def broker():
            wait()
            return "ready"
    """,
    "decorators that answer without the function, or later": """
        import functools
        import time
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor()
        answers = {}

        def in_pool(function):
            def inner(*args):
                return pool.submit(function, *args)
            return inner

        def kept(function):
            def inner(key):
                if key in answers:
                    return answers[key]
                answers[key] = function(key)
                return answers[key]
            return inner

        def threaded(function):
            async def inner(*args):
                return await asyncio.to_thread(function, *args)
            return inner

        @in_pool
        def wait() -> None:
            time.sleep(1)

        @kept
        def ask(key: str) -> None:
            time.sleep(1)

        @threaded
        def later() -> None:
            time.sleep(1)

        async def f() -> None:
            wait()
            ask("a")
            await later()
    """,
    "server that is started once": """
        import subprocess
        import time

        class Server:
            running = False

            def start(self) -> None:
                if not self.running:
                    try:
                        self.running = True
                        subprocess.Popen(["serve"])
                        time.sleep(1)
                    except OSError:
                        self.running = False

        async def f(server: Server) -> None:
            server.start()
    """,
    "thread that is started once": """
        import concurrent.futures
        import threading

        class Loop:
            def __init__(self) -> None:
                self.thread = threading.Thread(target=print)
                self.ready: concurrent.futures.Future[bool] = concurrent.futures.Future()
                self.loop = None

            def submit(self) -> None:
                if self.loop is None:
                    self.thread.start()
                    self.ready.result()

        async def f(loop: Loop) -> None:
            loop.submit()
    """,
    "waiting for a thread to end": """
        import threading

        class Observer:
            def __init__(self) -> None:
                self.thread = threading.Thread(target=print)

            def stop(self) -> None:
                self.thread.join()

        async def f(observer: Observer) -> None:
            observer.stop()
    """,
    "flag that the caller chooses": """
        import time

        def leave(wait: bool) -> None:
            if wait:
                time.sleep(1)

        async def f() -> None:
            leave(False)
    """,
    "result that may be a coroutine": """
        import inspect
        import time

        def drain(timeout=None):
            if timeout is None:
                return wait()
            time.sleep(timeout)

        async def wait() -> None: ...

        async def f() -> None:
            result = drain()
            if inspect.isawaitable(result):
                await result
    """,
    "coroutine that only the start of a program calls": """
        import asyncio
        import time

        def wait() -> None:
            time.sleep(1)

        async def prepare() -> None:
            wait()

        async def main() -> None:
            await prepare()

        if __name__ == "__main__":
            asyncio.run(main())
    """,
    "in a thread": """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor
        from functools import partial

        from anyio import to_thread
        from asgiref.sync import sync_to_async
        from billing.invoices import total
        from fastapi import BackgroundTasks
        from starlette.concurrency import run_in_threadpool

        async def price(cents: int, tasks: BackgroundTasks, pool: ThreadPoolExecutor) -> int:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, total, cents, "USD")
            await loop.run_in_executor(pool, partial(total, cents, "USD"))
            await loop.run_in_executor(pool, lambda: total(cents, "USD"))
            await to_thread.run_sync(total, cents, "USD")
            await run_in_threadpool(total, cents, "USD")
            await sync_to_async(total)(cents, "USD")
            pool.submit(total, cents, "USD")
            tasks.add_task(total, cents, "USD")
            return await asyncio.to_thread(total, cents, "USD")
    """,
    "nested function that a thread runs": """
        import asyncio

        from billing.invoices import total

        async def price(cents: int) -> int:
            def work() -> int:
                return total(cents, "USD")

            return await asyncio.to_thread(work)
    """,
    "plain function": """
        from billing.invoices import total

        def price(cents: int) -> int:
            return total(cents, "USD")
    """,
    "cached callee": """
        from billing.rates import rates, tax_table

        async def table() -> int:
            return len(tax_table()) + len(rates.currencies)
    """,
    "client that is made once": """
        from billing.invoices import store

        async def client() -> object:
            return store()
    """,
    "results kept by key": """
        from billing.invoices import known_total

        async def price(currency: str) -> int:
            return known_total(currency)
    """,
    "only when asked for": """
        import threading

        from billing.rates import rates

        def report(blocking: bool = False, background: bool = True) -> None:
            if blocking:
                rates.fetch("EUR")
            elif not background:
                rates.fetch("EUR")
            else:
                threading.Thread(target=rates.fetch, args=("EUR",)).start()

        async def place() -> None:
            report()
    """,
    "helper that computes": """
        from billing.invoices import vat
        from billing.rates import rates

        async def tax(cents: int) -> str:
            return f"{vat(cents)} {rates.describe()}"
    """,
    "start-up of the application": """
        from contextlib import asynccontextmanager

        from billing.rates import rates
        from fastapi import FastAPI

        @asynccontextmanager
        async def lifespan(app: FastAPI):
            rates.fetch("EUR")
            yield

        app = FastAPI(lifespan=lifespan)

        @app.on_event("startup")
        async def warm() -> None:
            rates.fetch("EUR")
    """,
    "start-up that is handed over by name": """
        from contextlib import asynccontextmanager

        from billing.rates import rates
        from fastapi import FastAPI

        async def warm() -> None:
            rates.fetch("EUR")

        async def fill() -> None:
            rates.fetch("USD")

        async def end() -> None:
            rates.fetch("CHF")

        app = FastAPI(on_startup=[warm], on_shutdown=[end])
        app.add_event_handler("startup", fill)
    """,
    "handler of a log": """
        import logging

        from billing.rates import rates

        class RateHandler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                rates.fetch("EUR")

        log = logging.getLogger("billing")
        log.addHandler(RateHandler())

        async def show() -> None:
            log.error("no rate")
    """,
    "subclasses that do otherwise": """
        from abc import ABC, abstractmethod

        from billing.rates import rates

        class Source(ABC):
            @abstractmethod
            def fetch(self) -> float: ...

        class Remote(Source):
            def fetch(self) -> float:
                return rates.fetch("EUR")

        class Fixed(Source):
            def fetch(self) -> float:
                return 1.0

        async def show(source: Source) -> float:
            return source.fetch()
    """,
    "function that is defined twice": """
        import sys

        from billing.rates import rates

        if sys.platform == "win32":
            def fetch() -> float:
                return rates.fetch("EUR")
        else:
            def fetch() -> float:
                return 1.0

        async def show() -> float:
            return fetch()
    """,
    "script": """
        import asyncio

        from billing.rates import rates

        async def main() -> None:
            print(rates.fetch("EUR"))

        asyncio.run(main())
    """,
    "command": """
        import typer
        from billing.rates import rates

        app = typer.Typer()

        @app.command()
        async def show() -> None:
            print(rates.fetch("EUR"))
    """,
    "decorator that may do anything": """
        from billing.rates import rates
        from somewhere import in_thread

        @in_thread
        def fetch() -> float:
            return rates.fetch("EUR")

        async def show() -> None:
            print(fetch())
    """,
    "receiver that may be one of two": """
        from billing.rates import RateClient

        class Fake:
            def fetch(self, currency: str) -> float:
                return 1.0

        async def show(test: bool, url: str) -> float:
            client = Fake() if test else RateClient(url)
            return client.fetch("EUR")
    """,
    "generator that runs later": """
        from billing.rates import rates

        def stream(currencies: list[str]):
            for currency in currencies:
                yield rates.fetch(currency)

        async def respond(currencies: list[str]) -> object:
            return stream(currencies)
    """,
    "disk": """
        from pathlib import Path

        def template(path: Path) -> str:
            return path.read_text()

        async def render(path: Path) -> str:
            return template(path)
    """,
    "lock that is held shortly": """
        import threading

        lock = threading.Lock()

        def count() -> None:
            lock.acquire()
            lock.release()

        async def hit() -> None:
            count()
    """,
    "few rounds of a hash": """
        import hashlib

        def key(data: bytes) -> bytes:
            return hashlib.pbkdf2_hmac("sha256", data, b"salt", 100)

        async def derive(data: bytes) -> bytes:
            return key(data)
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, project="async_billing")


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, project="async_billing") == []


@pytest.mark.parametrize(
    "path", ["billing/cli/rates.py", "billing/db/migration/rates.py", "billing/management/commands/rates.py"]
)
def test_commands_may_wait(path: str) -> None:
    source = """
        from billing.invoices import step_1

        async def dollar() -> float:
            return step_1()
    """
    assert findings(RULE, source, project="async_billing", path=path) == []


def test_tests_may_wait() -> None:
    source = """
        from billing.invoices import step_1

        async def test_dollar() -> None:
            assert step_1() == 1
    """
    assert findings(RULE, source, project="async_billing", path="tests/test_rates.py") == []


def test_nine_calls_deep_is_not_followed() -> None:
    source = """
        from billing.invoices import step_1

        def step_0() -> float:
            return step_1()

        async def dollar() -> float:
            return step_0()
    """
    assert findings(RULE, source, project="async_billing") == []


def test_the_chain_is_told() -> None:
    (finding,) = findings(RULE, FOUND["function two calls away"], project="async_billing")
    assert finding.message == (
        "Call `total` in a thread: it reaches blocking `requests.Session.get` "
        "via invoices.py:15 → invoices.py:19 → rates.py:15"
    )
    places = [(Path(place.path).name, place.start.row) for place in finding.related]
    assert places == [("invoices.py", 15), ("invoices.py", 19), ("rates.py", 15)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"extra_blocking": ("legacy.charge",)}, [6]),
        ({"extra_blocking": ("legacy.charge",), "allowed_blocking": ("billing.old.pay",)}, []),
        ({"extra_blocking": ("legacy",)}, [6]),
    ],
)
def test_settings_add_and_allow(
    settings: dict[str, tuple[str, ...]], expected: list[int], tmp_path: Path
) -> None:
    write(
        tmp_path,
        {
            "billing/old.py": "import legacy\n\n\ndef pay():\n    legacy.charge()\n",
            "example.py": "from billing.old import pay\n\n\n\nasync def f():\n    pay()\n",
        },
    )
    chosen = replace(Settings(root=tmp_path, selections=(Selection(select=("PB600",)),)), **settings)  # type: ignore[arg-type]
    assert [f.start.row for f in check(tmp_path, "example.py", chosen, Engine(chosen))] == expected


FIXED = {
    "value is used further": (
        "async def f() -> str:\n    return pause(1).strip()\n",
        "async def f() -> str:\n    return (await asyncio.to_thread(pause, 1)).strip()\n",
    ),
    "arguments on lines of their own": (
        "async def f() -> None:\n    pause(\n        1,\n    )\n",
        "async def f() -> None:\n    await asyncio.to_thread(pause,\n        1,\n    )\n",
    ),
    "no arguments": (
        "async def f() -> None:\n    pause()\n",
        "async def f() -> None:\n    await asyncio.to_thread(pause)\n",
    ),
    "argument of unknown type": ("async def f(x) -> None:\n    pause(x)\n", None),
    "database session": (
        "from sqlalchemy.orm import Session\n\n\nasync def f(session: Session) -> None:\n    pause(session)\n",
        None,
    ),
    "connection": (
        "import sqlite3\n\n\nasync def f(base: sqlite3.Connection) -> None:\n    pause(base)\n",
        None,
    ),
    "request": (
        "from fastapi import Request\n\n\nasync def f(request: Request) -> None:\n    pause(request)\n",
        None,
    ),
    "row of a database": (
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n\n\n"
        "class Base(DeclarativeBase): ...\n\n\n"
        'class Order(Base):\n    __tablename__ = "orders"\n    id: Mapped[int] = mapped_column(primary_key=True)\n\n\n'
        "async def f(order: Order) -> None:\n    pause(order)\n",
        None,
    ),
    "sets a context variable": (
        "from contextvars import ContextVar\n\nlast: ContextVar[str] = ContextVar('last')\n\n\n"
        "def remember() -> None:\n    last.set(pause())\n\n\nasync def f() -> None:\n    remember()\n",
        None,
    ),
    "object that holds a session": (
        "from dataclasses import dataclass\n\nfrom sqlalchemy.orm import Session\n\n\n"
        "@dataclass\nclass Unit:\n    session: Session\n\n\n"
        "async def f(unit: Unit) -> None:\n    pause(unit)\n",
        None,
    ),
    "in a comprehension": ("async def f() -> list:\n    return [pause(x) for x in (1, 2)]\n", None),
    "unpacked arguments": ("async def f() -> None:\n    pause(*(1, 2))\n", None),
}


@pytest.mark.parametrize(("source", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(source: str, expected: str | None) -> None:
    head = "import time\n\n\ndef pause(seconds: object = 1) -> str:\n    time.sleep(1)\n    return ''\n\n\n"
    after = fix(RULE, head + source)
    assert after == (head + source if expected is None else "import asyncio\n" + head + expected)


def test_the_event_loop_stands_still_until_the_helper_is_in_a_thread(tmp_path: Path) -> None:
    """The Bad shape, run: no other task gets a turn during the call; after the fix others do."""

    class Rates(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"rate": 1.5}')

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Rates)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bad = (
        "import requests\n\n\ndef fetch(url: str) -> float:\n"
        '    return float(requests.get(url, timeout=5).json()["rate"])\n\n\n'
        "async def price(url: str) -> float:\n    return fetch(url)\n"
    )
    turns = {}
    for name, text in {"bad": bad, "good": fix(RULE, bad)}.items():
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)

        async def measured(price: object) -> int:
            turn = 0

            async def other() -> None:
                nonlocal turn
                while True:
                    turn += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(other())
            await asyncio.sleep(0)
            before = turn
            assert await price(f"http://127.0.0.1:{server.server_port}") == 1.5  # type: ignore[operator]
            after = turn
            task.cancel()
            return after - before

        turns[name] = asyncio.run(measured(module.price))
    server.shutdown()
    server.server_close()
    assert turns["bad"] == 0
    assert turns["good"] > 0
