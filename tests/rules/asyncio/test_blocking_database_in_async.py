from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "blocking-database-in-async"

FILES = {
    "shop/__init__.py": "",
    "shop/stores.py": """
        import redis
        from elasticsearch import Elasticsearch
        from pymongo import MongoClient
        from supabase import create_client

        cache = redis.Redis()
        search = Elasticsearch("http://search:9200")
        orders = MongoClient().shop.orders
        remote = create_client("https://shop.supabase.co", "key")
    """,
    "shop/repository.py": """
        import psycopg2

        class Repository:
            def __init__(self):
                self.connection = psycopg2.connect("dbname=shop")
    """,
}

FOUND = {
    "clients of another module": """
        from shop.stores import cache, orders, remote, search

        async def f(key: str):
            cache.get(key)  # PB602
            search.search(index="orders")  # PB602
            orders.find_one({"key": key})  # PB602
            remote.table("orders").select("*").eq("key", key).execute()  # PB602
    """,
    "one finding for what is done with one driver": """
        import sqlite3

        async def f(name: str):
            connection = sqlite3.connect("shop.db")  # PB602
            rows = connection.execute("SELECT 1").fetchall()
            connection.commit()
            return rows
    """,
    "attribute of a class of the project": """
        from shop.repository import Repository

        async def f(repository: Repository):
            with repository.connection.cursor() as cursor:
                cursor.execute("SELECT 1")  # PB602
    """,
    "pipeline": """
        from shop.stores import cache

        async def f(key: str):
            pipe = cache.pipeline()
            pipe.incr(key)
            pipe.execute()  # PB602
    """,
}

SILENT = {
    "asynchronous clients": """
        import redis.asyncio as redis
        from elasticsearch import AsyncElasticsearch
        from pymongo import AsyncMongoClient

        cache = redis.Redis()

        async def f(key: str):
            await cache.get(key)
            await AsyncElasticsearch().search(index="orders")
            await AsyncMongoClient().shop.orders.find_one({"key": key})
    """,
    "what only builds a command": """
        from shop.stores import cache, remote

        async def f(key: str):
            remote.table("orders").select("*").eq("key", key)
            return cache.pipeline(), cache.lock(key)
    """,
    "in a thread": """
        import asyncio

        from shop.stores import cache

        async def f(key: str):
            def read():
                return cache.get(key)
            await asyncio.to_thread(read)
            return await asyncio.get_running_loop().run_in_executor(None, lambda: cache.get(key))
    """,
    "sessions of SQLAlchemy, which have a rule of their own": """
        from sqlalchemy import text
        from sqlalchemy.orm import Session

        async def f(session: Session):
            session.execute(text("SELECT 1"))
    """,
    "start-up": """
        from shop.stores import cache

        async def lifespan(app):
            cache.ping()
            yield
    """,
    "unknown stores": """
        async def f(cache, connection, key):
            connection.cursor().execute("SELECT 1")
            return cache.get(key)
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_the_other_calls_of_the_driver_are_told() -> None:
    (finding,) = findings(RULE, FOUND["one finding for what is done with one driver"])
    assert [place.start.row for place in finding.related] == [5, 5, 6]
    assert finding.message == "Use `aiosqlite` in coroutines: `sqlite3.connect` blocks the event loop"


def test_no_fix_outside_of_routes() -> None:
    source = "from shop.stores import cache\n\n\nasync def f():\n    return cache.get('a')\n"
    assert fix(RULE, source, files=FILES) == source


def test_a_locked_database_stops_every_coroutine(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    holder = sqlite3.connect(path)
    holder.execute("CREATE TABLE orders (number INTEGER)")
    holder.execute("BEGIN IMMEDIATE")  # another process writes
    names = executed(
        """
        import asyncio
        import sqlite3

        async def bad(path):
            with sqlite3.connect(path, timeout=0.3) as connection:
                connection.execute("INSERT INTO orders VALUES (1)")

        def write(path):
            with sqlite3.connect(path, timeout=0.3) as connection:
                connection.execute("INSERT INTO orders VALUES (1)")

        async def good(path):
            await asyncio.to_thread(write, path)
        """
    )

    async def longest_pause(name: str) -> float:
        pauses = []

        async def heartbeat() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.01)
                pauses.append(time.perf_counter() - before)

        task = asyncio.create_task(heartbeat())
        await asyncio.sleep(0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await names[name](path)
        await asyncio.sleep(0.02)
        task.cancel()
        return max(pauses)

    assert asyncio.run(longest_pause("bad")) > 0.25
    assert asyncio.run(longest_pause("good")) < 0.25
    holder.close()
