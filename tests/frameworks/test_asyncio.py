"""Types of asyncio and of clients; the tables of blocking calls and coroutine functions against the real things."""

from __future__ import annotations

import importlib
import inspect
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Queue

import pytest

from pybackend_lint.frameworks.data import blocking
from pybackend_lint.frameworks.data.blocking import Cost, Sort
from pybackend_lint.frameworks.data.coroutines import COROUTINES
from tests.semantic.modules import module_of, types

VALUES = {
    "import asyncio\nprobe(asyncio.get_running_loop())": "asyncio.AbstractEventLoop",
    "import asyncio\nprobe(asyncio.tasks.create_task(x()))": "asyncio.Task[None]",
    "import asyncio\nprobe(asyncio.get_event_loop().create_task(x()))": "asyncio.Task[None]",
    "import asyncio\nasync def f() -> int: ...\nasync def g():\n    probe(await asyncio.create_task(f()))": (
        "builtins.int"
    ),
    "import asyncio\nasync def f() -> int: ...\nasync def g():\n    probe(await asyncio.wait_for(f(), 1))": (
        "builtins.int"
    ),
    "import asyncio\ndef f() -> int: ...\nasync def g():\n    probe(await asyncio.to_thread(f))": "builtins.int",
    "import asyncio\nasync def f() -> int: ...\nasync def g():\n    a, b = await asyncio.gather(x(), f())\n    probe(b)": (
        "builtins.int"
    ),
    "import requests\nprobe(requests.session())": "requests.Session",
    "import requests\nprobe(requests.Session().get('a'))": "requests.Response",
    "from requests.sessions import Session\nprobe(Session())": "requests.Session",
    "import httpx2\nprobe(httpx2.get('a'))": "httpx.Response",
    "import httpx\nasync def f(c: httpx.AsyncClient):\n    probe(await c.get('a'))": "httpx.Response",
    "import sqlite3\nwith sqlite3.connect('a') as c:\n    probe(c.cursor())": "sqlite3.Cursor",
    "from concurrent.futures.thread import ThreadPoolExecutor as T\nprobe(T().submit(f))": (
        "concurrent.futures.Future"
    ),
    "import redis\nprobe(redis.StrictRedis().pipeline())": "redis.client.Pipeline",
    "import redis.asyncio as redis\nprobe(redis.from_url('a'))": "redis.asyncio.Redis",
    "import boto3\nprobe(boto3.client('s3'))": "botocore.client.BaseClient",
    "import boto3\nprobe(boto3.resource('s3').Bucket('a'))": "boto3.resources.base.ServiceResource",
    "from pymongo import MongoClient\nprobe(MongoClient().shop['orders'])": "pymongo.collection.Collection",
    "from pymongo import MongoClient\nprobe(MongoClient()['shop'].orders)": "pymongo.collection.Collection",
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_values(text: str, expected: str, tmp_path: Path) -> None:
    assert types(module_of(tmp_path, {"main.py": text})) == [expected]


def resolve(name: str) -> object:
    """The real thing of a qualified name; skips where its library is not installed."""
    parts = name.split(".")
    for taken in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:taken]))
        except ImportError:
            continue
        for part in parts[taken:]:
            found = getattr(found, part)
        return found
    pytest.skip(f"{parts[0]} is not installed")


@pytest.mark.parametrize("name", COROUTINES)
def test_coroutine_functions_are_coroutine_functions(name: str) -> None:
    assert inspect.iscoroutinefunction(resolve(name))


NAMES = [
    *blocking.FUNCTIONS,
    *(f"{owner}.{method}" for owner, (methods, _) in blocking.METHODS.items() for method in methods),
]
# `Lock` is a function of the standard library up to Python 3.12; what it returns has the method.
FACTORIES = ("threading.Lock", "threading.RLock", "multiprocessing.")
PLATFORM = ("os.wait3", "os.wait4")


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith((*FACTORIES, *PLATFORM))])
def test_blocking_calls_exist_and_are_not_coroutines(name: str) -> None:
    found = resolve(name)
    assert callable(found)
    assert not inspect.iscoroutinefunction(found)


def pauses() -> dict[str, Callable[[], object]]:
    """Calls of the table that wait for another thread, which acts a little later."""
    event, jobs, future = threading.Event(), Queue[int](), threading.Thread(target=time.sleep, args=(0.05,))
    future.start()

    def act() -> None:
        time.sleep(0.05)
        event.set()
        jobs.put(1)

    threading.Thread(target=act).start()
    return {
        "time.sleep": lambda: time.sleep(0.05),
        "subprocess.run": lambda: subprocess.run(["sleep", "0.05"], check=True),
        "threading.Event.wait": event.wait,
        "queue.Queue.get": jobs.get,
        "threading.Thread.join": future.join,
    }


@pytest.mark.parametrize("name", pauses())
def test_calls_of_the_table_stop_their_thread(name: str) -> None:
    assert blocking.find(name) is not None
    started = time.perf_counter(), time.thread_time()
    pauses()[name]()
    assert time.perf_counter() - started[0] >= 0.04
    assert time.thread_time() - started[1] < 0.04


def test_cost_classes() -> None:
    costs = {
        name: entry.cost
        for name in ("time.sleep", "requests.get", "builtins.open", "bcrypt.hashpw", "redis.Redis.get")
        if (entry := blocking.find(name)) is not None
    }
    assert costs == {
        "time.sleep": Cost.WAIT,
        "requests.get": Cost.WAIT,
        "builtins.open": Cost.DISK,
        "bcrypt.hashpw": Cost.CPU,
        "redis.Redis.get": Cost.WAIT,
    }


@pytest.mark.parametrize(
    "name",
    [
        "asyncio.sleep", "httpx.AsyncClient.get", "redis.asyncio.Redis.get", "redis.Redis.pipeline",
        "redis.Redis._private", "builtins.dict.get", "openai.AsyncOpenAI.chat.completions.create",
        "botocore.client.BaseClient.generate_presigned_url", "asyncio.Task.result",
    ],
)  # fmt: skip
def test_what_does_not_block_is_not_in_the_table(name: str) -> None:
    assert blocking.find(name) is None


def test_clients_with_resources() -> None:
    entry = blocking.find("openai.OpenAI.chat.completions.create")
    assert entry is not None
    assert (entry.sort, entry.twin) == (Sort.SDK, "openai.AsyncOpenAI")


def test_names_that_the_frameworks_give_are_those_of_the_libraries() -> None:
    assert type(sqlite3.connect(":memory:")) is sqlite3.Connection
    assert resolve("requests.session")().__class__ is resolve("requests.Session")  # type: ignore[operator]
    assert callable(socket.create_connection)
