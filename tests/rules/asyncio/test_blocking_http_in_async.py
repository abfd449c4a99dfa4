from __future__ import annotations

import pytest

from tests.rules.harness import findings

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
