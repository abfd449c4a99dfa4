from __future__ import annotations

import asyncio
import textwrap
import time

import httpx
import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "blocking-dependency-in-async-route"

HEAD = """
import asyncio
import requests
import time
from fastapi import Depends, FastAPI, Request, Security
from shop.tokens import user_of

app = FastAPI()
"""
FILES = {
    "shop/__init__.py": "",
    "shop/tokens.py": """
        import bcrypt

        def user_of(token: str) -> bool:
            return check(token)

        def check(token: str) -> bool:
            return bcrypt.checkpw(token.encode(), b"")
    """,
    "shop/jobs.py": """
        from example import rate_of_file

        async def warm():
            return await rate_of_file()
    """,
}

FOUND = {
    "direct call": """
        async def rate():  # PB633
            return requests.get("https://rates.example").text

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "generator": """
        async def rate():  # PB633
            yield requests.get("https://rates.example").text

        @app.get("/")
        def route(rate: str = Depends(rate)):
            return rate
    """,
    "through helpers of another file": """
        async def user(token: str):  # PB633
            return user_of(token)

        @app.get("/", dependencies=[Depends(user)])
        async def route():
            return 1
    """,
    "dependency of a dependency": """
        async def user(token: str):  # PB633
            return user_of(token)

        async def admin(user: bool = Security(user)):
            return user

        @app.get("/")
        async def route(admin: bool = Depends(admin)):
            return 1
    """,
}

SILENT = {
    "it awaits": """
        async def rate():
            await asyncio.sleep(0)
            return requests.get("https://rates.example").text

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "it waits in a block": """
        async def rate(lock: asyncio.Lock = Depends(asyncio.Lock)):
            async with lock:
                return requests.get("https://rates.example").text

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "it waits in a loop": """
        async def rate(request: Request):
            async for chunk in request.stream():
                print(chunk)
            return requests.get("https://rates.example").text

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "it waits in a comprehension": """
        async def rate(request: Request):
            chunks = [chunk async for chunk in request.stream()]
            return requests.post("https://rates.example", b"".join(chunks)).text

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "a coroutine of another file calls it": """
        async def rate_of_file():
            return requests.get("https://rates.example").text

        @app.get("/")
        async def route(rate: str = Depends(rate_of_file)):
            return rate
    """,
    "a method that an override of the project extends": """
        class Rates:
            async def rate(self):
                return requests.get("https://rates.example").text

        class Doubled(Rates):
            async def rate(self):
                return 2 * await super().rate()

        rates = Rates()

        @app.get("/")
        async def route(rate: str = Depends(rates.rate)):
            return rate
    """,
    "a method that an override of the project awaits in": """
        class Rates:
            async def rate(self):
                return requests.get("https://rates.example").text

        class Remote(Rates):
            async def rate(self):
                await asyncio.sleep(0)
                return "1"

        async def shown(rates: Rates):
            return await rates.rate()

        rates = Rates()

        @app.get("/")
        async def route(rate: str = Depends(rates.rate)):
            return rate
    """,
    "an override of the dependency awaits it": """
        async def rate():
            return requests.get("https://rates.example").text

        async def doubled():
            return 2 * await rate()

        app.dependency_overrides[rate] = doubled

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "it runs in a thread": """
        async def rate():
            return asyncio.get_running_loop().run_in_executor(None, requests.get, "https://rates.example")

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "it is computed once": """
        import functools

        @functools.cache
        def table():
            return requests.get("https://rates.example").json()

        async def rate():
            return table()

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "a coroutine of the project calls it": """
        async def rate():
            return requests.get("https://rates.example").text

        async def warm():
            await rate()

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "plain": """
        def rate():
            return requests.get("https://rates.example").text

        @app.get("/")
        async def route(rate: str = Depends(rate)):
            return rate
    """,
    "nothing blocks": """
        async def page(number: int = 1):
            return max(number, 1)

        @app.get("/")
        async def route(page: int = Depends(page)):
            return page
    """,
    "no dependency": """
        async def rate():
            return requests.get("https://rates.example").text

        @app.get("/")
        async def route():
            return requests.get("https://rates.example").text
    """,
}


def text(source: str) -> str:
    return HEAD.lstrip() + textwrap.dedent(source)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found_and_fixed(source: str) -> None:
    findings(RULE, text(source), files=FILES)
    after = fix(RULE, text(source), files=FILES)
    row = next(row for row in text(source).split("\n") if "PB633" in row)
    assert after == text(source).replace(row, row.replace("async ", ""))
    assert findings("blocking-call-through-helper", text(source), files=FILES) == []


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, text(source), files=FILES) == []


def test_calls_of_other_coroutines_are_reported_where_they_stand() -> None:
    source = text(SILENT["it awaits"]).replace(").text", ").text  # PB601")
    findings("blocking-http-in-async", source, files=FILES)


def test_the_chain_is_told() -> None:
    (finding,) = findings(RULE, text(FOUND["through helpers of another file"]), files=FILES)
    assert [place.message for place in finding.related] == [
        "calls `user_of`",
        "calls `check`",
        "calls `bcrypt.checkpw`",
    ]


def test_requests_wait_for_each_other_until_the_dependency_is_plain() -> None:
    bad = """
        import time
        from typing import Annotated
        from fastapi import Depends, FastAPI

        app = FastAPI()

        async def user():
            time.sleep(0.2)

        @app.get("/")
        async def route(user: Annotated[None, Depends(user)]):
            return 1
    """

    async def seconds(code: str) -> float:
        app = executed(code)["app"]
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            before = time.perf_counter()
            await asyncio.gather(*(client.get("/") for _ in range(4)))
            return time.perf_counter() - before

    assert asyncio.run(seconds(bad)) > 0.75
    assert asyncio.run(seconds(bad.replace("async def user", "def user"))) < 0.75
