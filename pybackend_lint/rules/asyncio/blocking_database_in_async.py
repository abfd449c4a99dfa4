"""Rule PB602: blocking-database-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import event_loop
from pybackend_lint.frameworks.data.blocking import Sort
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB602",
    "blocking-database-in-async",
    "Use `{twin}` in coroutines: `{call}` blocks the event loop",
    nodes=(ast.AsyncFunctionDef,),
    words=("async def",),
    fix=UNSAFE,
    tags=("correctness", "performance"),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine asks a database, cache or broker through a driver that waits for the answer.

    ## Why
    One thread runs all coroutines of a worker. While `redis.Redis.get`, a `psycopg2` cursor or `pymongo`
    waits for the answer, no other request of the worker goes on. With a fast database that shows as
    latency under load; when the database is slow or away, every request stands still, health checks too.

    ## Bad
    ```python
    from fastapi import APIRouter

    from shop.cache import cache

    router = APIRouter()


    @router.get("/stock/{sku}")
    async def stock(sku: str) -> int:
        return int(cache.get(f"stock:{sku}") or 0)
    ```
    ```python file=shop/cache.py
    import redis

    cache = redis.Redis(host="cache.internal", decode_responses=True)
    ```
    ```python
    import psycopg2
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/orders/{number}")
    async def order(number: int) -> dict[str, str]:
        with psycopg2.connect("dbname=shop") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT state FROM orders WHERE number = %s", (number,))
            return {"state": cursor.fetchone()[0]}
    ```

    ## Good
    ```python
    from fastapi import APIRouter

    from shop.cache import cache

    router = APIRouter()


    @router.get("/stock/{sku}")
    def stock(sku: str) -> int:
        return int(cache.get(f"stock:{sku}") or 0)
    ```
    ```python
    import psycopg2
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/orders/{number}")
    def order(number: int) -> dict[str, str]:
        with psycopg2.connect("dbname=shop") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT state FROM orders WHERE number = %s", (number,))
            return {"state": cursor.fetchone()[0]}
    ```

    ## Not reported
    ```python
    import asyncio

    import redis
    from pymongo import AsyncMongoClient

    cache = redis.Redis()
    database = AsyncMongoClient().shop


    async def sku(number: int) -> str:
        found = await asyncio.to_thread(cache.get, f"sku:{number}")  # waits in another thread
        return found or (await database.products.find_one({"number": number}))["sku"]


    async def setting(store, name: str) -> str:
        return store.get(name)  # nothing says that this store is a Redis, so an alarm may be missed
    ```

    ## Fix safety
    A route or dependency of FastAPI that never awaits becomes a plain `def`, which FastAPI runs in a thread.
    The fix is unsafe because it then runs beside the event loop and other requests. Other coroutines need an
    asynchronous driver, which is left to their author.

    ## When not to use it
    In coroutines that run alone, such as those of a command-line program with a single task. Sessions of
    SQLAlchemy have the rule PB537, and Django's ORM has PB134.

    ## References
    - Python documentation, "Developing with asyncio", section "Running Blocking Code"
    - redis-py documentation, "Asyncio Examples"
    - PyMongo documentation, "Async Tutorial"
    """
    for first, *others in event_loop.direct_calls(ctx.function_info(node), ctx.project, Sort.DATABASE):
        edit = event_loop.plain_function_edit(node, ctx)
        yield ctx.finding(
            first.site.node,
            end=first.func,
            fix=ctx.fix("Let FastAPI run it in a thread", edit) if edit is not None else None,
            related=[ctx.related(other.site.node, "blocks as well") for other in others],
            twin=first.entry.twin,
            call=event_loop.short_name(first),
        )
