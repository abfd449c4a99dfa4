"""Which clients of httpx get an argument that is gone, and what takes its place."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.rules.harness import findings, fix

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["httpx{}"]\n'
SILENT = {
    "a transport": ("import httpx\nhttpx.AsyncClient(transport=t)\n", ">=0.28"),
    "httpx 0.26": ("import httpx\nhttpx.AsyncClient(app=a)\n", "==0.26.0"),
    "the client of Starlette": ("from starlette.testclient import TestClient\nTestClient(app=a)\n", ">=0.28"),
    "another package's client": ("from boto import Client\nimport httpx\nClient(app=a)\n", ">=0.28"),
    "a subclass": (
        "import httpx\nclass AsyncClient(httpx.AsyncClient):\n    def __init__(self, app): ...\nAsyncClient(app=a)\n",
        ">=0.28",
    ),
}
FOUND = {
    "asynchronous": ("import httpx\nhttpx.AsyncClient(app=a)  # PB810\n", ">=0.28"),
    "synchronous": ("from httpx import Client\nClient(base_url='', app=a)  # PB810\n", ">=0.27"),
    "no upper bound": ("import httpx\nhttpx.AsyncClient(app=a)  # PB810\n", ">=0.23"),
    "proxies": ("import httpx\nhttpx.Client(proxies=p)  # PB810\n", ">=0.28"),
    "httpx2": ("import httpx2\nimport httpx\nhttpx2.AsyncClient(app=a)  # PB810\n", ">=0.28"),
}


@pytest.mark.parametrize(("text", "version"), [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
@pytest.mark.parametrize("path", ["shop/client.py", "tests/test_client.py"])
def test_traps(text: str, version: str, path: str) -> None:
    findings("PB810", text, files={"pyproject.toml": PROJECT.format(version)}, path=path)


FIXED = {
    "by the package": (
        "import httpx\n\nc = httpx.AsyncClient(app=make(1, 2))\n",
        "import httpx\n\nc = httpx.AsyncClient(transport=httpx.ASGITransport(app=make(1, 2)))\n",
    ),
    "by name": (
        "from httpx import Client\n\nc = Client(app=a)\n",
        "from httpx import Client, WSGITransport\n\nc = Client(transport=WSGITransport(app=a))\n",
    ),
    "no application": ("import httpx\n\nc = httpx.Client(app=None, timeout=1)\n", "import httpx\n\nc = httpx.Client(timeout=1)\n"),
    "no application at the end": (
        "import httpx\n\nc = httpx.Client(timeout=1, app=None)\n", "import httpx\n\nc = httpx.Client(timeout=1)\n",
    ),
    "nothing else": ("import httpx\n\nc = httpx.Client(proxies=None)\n", "import httpx\n\nc = httpx.Client()\n"),
    "one proxy": (
        'import httpx\n\nc = httpx.Client(proxies="http://p")\n', 'import httpx\n\nc = httpx.Client(proxy="http://p")\n',
    ),
    "not several proxies": ("import httpx\n\nc = httpx.Client(proxies={'all://': p})\n", None),
    "not with a transport": ("import httpx\n\nc = httpx.AsyncClient(app=a, transport=t)\n", None),
    "not with unknown arguments": ("import httpx\n\nc = httpx.AsyncClient(app=a, **options)\n", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    files = {"pyproject.toml": PROJECT.format(">=0.28")}
    assert fix("PB810", text, files=files) == (text if expected is None else expected)


async def _application(scope: object, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


def test_httpx_refuses_the_argument_and_takes_the_transport() -> None:
    for argument in ("app", "proxies"):
        with pytest.raises(TypeError, match=argument):
            httpx.AsyncClient(**{argument: None})  # type: ignore[arg-type]

    async def status() -> int:
        transport = httpx.ASGITransport(app=_application)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return (await client.get("/")).status_code

    assert asyncio.run(status()) == 204
