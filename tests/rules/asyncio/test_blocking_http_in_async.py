from __future__ import annotations

import asyncio
import textwrap

import httpx
import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "blocking-http-in-async"

FILES = {
    "partner/__init__.py": "from partner.api import Api, session\n",
    "partner/api.py": """
        import requests

        session = requests.session()

        class Api(requests.Session):
            def __init__(self, token: str) -> None:
                super().__init__()
                self.headers["Authorization"] = token
    """,
}

FOUND = {
    "a client that may be given": """
        import requests

        class Billing:
            def __init__(self, session=None):
                self.session = session or requests.Session()

            async def bill(self):
                self.session.post("https://example.org")  # PB601
    """,
    "functions": """
        import urllib.request

        import httpx
        import requests
        from requests import get as fetch

        async def f(url: str):
            requests.post(url)  # PB601
            fetch(url)  # PB601
            httpx.get(url)  # PB601
            urllib.request.urlopen(url)  # PB601
            return sorted([url], key=lambda one: requests.get(one).text)  # PB601
            with httpx.stream("GET", url) as response:  # PB601
                return response
    """,
    "client of the next generation": """
        import httpx2

        async def f(url: str):
            httpx2.get(url)  # PB601
            httpx2.Client().get(url)  # PB601
    """,
    "sessions": """
        import requests
        import urllib3
        from requests.sessions import Session

        async def f(url: str, given: Session):
            requests.Session().get(url)  # PB601
            given.request("GET", url)  # PB601
            with requests.Session() as session:
                session.put(url)  # PB601
            urllib3.PoolManager().request("GET", url)  # PB601
    """,
    "sub-class and session of another file": """
        from partner import Api, session

        async def f(url: str):
            session.get(url)  # PB601
            Api("token").get(url)  # PB601
    """,
}

SILENT = {
    "asynchronous clients": """
        import aiohttp
        import httpx

        async def f(url: str, client: httpx.AsyncClient):
            await client.get(url)
            async with httpx.AsyncClient() as other:
                await other.post(url)
            async with aiohttp.ClientSession() as session:
                async with session.get(url) as response:
                    return await response.json()
    """,
    "get of other things": """
        import requests

        async def f(settings: dict, session, request):
            response = requests.Response()
            session.get("a")
            request.get("b")
            return settings.get("c"), response.headers.get("d")
    """,
    "thread": """
        import asyncio

        import requests

        async def f(url: str):
            await asyncio.to_thread(requests.get, url)
            await asyncio.to_thread(lambda: requests.get(url))
    """,
    "plain function": """
        import requests

        def f(url: str):
            return requests.get(url)

        async def g():
            pass
    """,
    "name of the project": """
        from partner import requests

        async def f(url: str):
            requests.get(url)
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files={**FILES, "partner/requests.py": "def get(url): ...\n"}) == []


PLAIN = {
    "a route": """
        @app.get("/")
        async def route():
            return requests.get("https://rates.example").text
    """,
    "a route that another call adds": """
        async def route():
            return requests.get("https://rates.example").text

        app.add_api_route("/", route)
    """,
    "a route with a coroutine inside": """
        @app.get("/")
        async def route():
            async def unused():
                await asyncio.sleep(0)
            return requests.get("https://rates.example").text
    """,
}
COROUTINES = {
    "it awaits": """
        @app.get("/")
        async def route():
            await asyncio.sleep(0)
            return requests.get("https://rates.example").text
    """,
    "it uses the event loop": """
        @app.get("/")
        async def route():
            asyncio.get_running_loop()
            return requests.get("https://rates.example").text
    """,
    "it forgets to await": """
        async def save(): ...

        @app.get("/")
        async def route():
            save()
            return requests.get("https://rates.example").text
    """,
    "a helper": """
        async def fetch():
            return requests.get("https://rates.example").text
    """,
    "a WebSocket": """
        @app.websocket("/")
        async def route(socket: WebSocket):
            requests.get("https://rates.example")
    """,
    "another decorator": """
        @app.get("/")
        @library.cached
        async def route():
            return requests.get("https://rates.example").text
    """,
    "somebody awaits it": """
        @app.get("/")
        async def route():
            return requests.get("https://rates.example").text

        async def warm():
            return await route()
    """,
    "something else runs it": """
        @app.get("/")
        async def route():
            return requests.get("https://rates.example").text

        library.every(60, route)
    """,
    "a method": """
        class Rate:
            async def __call__(self):
                return requests.get("https://rates.example").text

        @app.get("/")
        def route(rate: str = Depends(Rate())):
            return rate
    """,
}
HEAD = """
import asyncio
import library
import requests
from fastapi import Depends, FastAPI, WebSocket

app = FastAPI()
"""


@pytest.mark.parametrize("source", PLAIN.values(), ids=PLAIN)
def test_routes_that_never_await_become_plain(source: str) -> None:
    before = HEAD.lstrip() + textwrap.dedent(source)
    after = fix(RULE, before)
    assert after == before.replace("async def r", "def r", 1)
    assert findings(RULE, after) == []


@pytest.mark.parametrize("source", COROUTINES.values(), ids=COROUTINES)
def test_other_coroutines_stay(source: str) -> None:
    before = HEAD.lstrip() + textwrap.dedent(source)
    assert fix(RULE, before) == before


def test_a_route_that_another_file_awaits_stays() -> None:
    before = HEAD.lstrip() + textwrap.dedent(PLAIN["a route"])
    other = "from example import route\n\n\nasync def warm():\n    await route()\n"
    assert fix(RULE, before, files={"warm.py": other}) == before


def test_a_plain_route_leaves_the_event_loop_free() -> None:
    async def answered(code: str) -> bool:
        """Whether another task runs while a request of the route waits."""
        app = executed(code)["app"]
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            request = asyncio.create_task(client.get("/"))
            await asyncio.sleep(0.05)
            free = not request.done()
            assert (await request).status_code == 200
        return free

    code = """
        import subprocess, sys
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/")
        async def route() -> int:
            return subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)"]).returncode
    """
    after = fix("PB604", code)
    assert not asyncio.run(answered(code))
    assert asyncio.run(answered(after))
