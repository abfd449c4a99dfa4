"""Traps of duplicate-route, router-included-twice and route-shadowed through routers, and FastAPI's answers."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.rules.harness import findings, fix

HEAD = """
from fastapi import APIRouter, FastAPI
import settings
app = FastAPI()
one, two = APIRouter(), APIRouter()
first = APIRouter(prefix="/orders")
second = APIRouter()
@first.get("/{number}")
def order() -> str: return "first"
@second.get("/orders/{key}")
def other() -> str: return "second"
"""
FILES = {
    "settings.py": 'import os\nAPI = os.environ.get("API", "/api")\nOTHER = os.environ.get("OTHER", "/o")\n',
    "items.py": """
        from fastapi import APIRouter
        router = APIRouter(prefix="/items")
        @router.get("/{key}")
        def item() -> str: return "items"
    """,
    "extra.py": """
        from fastapi import APIRouter
        router = APIRouter()
        @router.get("/items/{name}")
        def extra() -> str: return "extra"
        @router.get("/items/top")
        def top() -> str: return "top"
    """,
    "api.py": """
        from fastapi import APIRouter
        import extra, items
        api = APIRouter(prefix="/v1")
        api.include_router(items.router)
        late = APIRouter()
        late.include_router(items.router)
        class Own(APIRouter):
            pass
        class Other(APIRouter):
            def __init__(self, **options):
                super().__init__(prefix="/other", **options)
        own = Own(prefix="/v1")
        @own.get("/items/{id}")
        def owned() -> str: return "own"
        changed = Other()
        @changed.get("/v1/items/{id}")
        def moved() -> str: return "moved"
    """,
}

DUPLICATES = {
    "two routers of one file": """
        app.include_router(first)
        app.include_router(second)  # PB310
    """,
    "a loop over routers": """
        for router in (first, second):
            app.include_router(router)  # PB310
    """,
    "in a function": """
        def create() -> FastAPI:
            application = FastAPI()
            application.include_router(first, prefix="/api")
            application.include_router(second, prefix="/api")  # PB310
            return application
    """,
    "the same prefix, whatever it is": """
        app.include_router(first, prefix=settings.API)
        app.include_router(second, prefix=f"{settings.API}")  # PB310
    """,
    "through a router of another file": """
        from api import api
        app.include_router(api)
        @app.get("/v1/items/{any}")  # PB310
        def mine() -> str: return "mine"
    """,
    "an own class of routers": """
        from api import api, own
        app.include_router(api)
        app.include_router(own)  # PB310
    """,
    "several methods": """
        @app.api_route("/x", methods=["GET", "POST"])
        def both() -> str: return "both"
        @app.post("/x")  # PB310
        def post() -> str: return "post"
    """,
    "registered by calls": """
        def page() -> str: return "page"
        app.add_api_route("/x", page, methods=["GET"])
        app.add_api_route("/x", settings.page, methods=["GET"])  # PB310
    """,
    "a router that is included twice, which another rule reports": """
        router = APIRouter()
        @router.get("/{key}")
        def any_key() -> str: return "any"
        @router.get("/{name}")  # PB310
        def any_name() -> str: return "name"
        app.include_router(router, prefix="/twice")
        app.include_router(router, prefix="/twice")
    """,
    "two WebSockets": """
        @app.websocket("/x")
        async def one_socket(socket): ...
        @app.websocket("/x")  # PB310
        async def other_socket(socket): ...
    """,
}
NO_DUPLICATES = {
    "prefixes that may differ": """
        app.include_router(first, prefix=settings.API)
        app.include_router(second, prefix=settings.OTHER)
    """,
    "a prefix against none": """
        app.include_router(first, prefix=settings.API)
        app.include_router(second)
    """,
    "two applications": """
        another = FastAPI()
        app.include_router(first)
        another.include_router(second)
    """,
    "branches": """
        if settings.API:
            app.include_router(first)
        else:
            app.include_router(second)
    """,
    "calls in a loop, and one function for two methods": """
        def page() -> str: return "page"
        for path in ("/x", "/x"):
            app.add_api_route(path, page)
        app.add_api_route("/y", page, methods=["GET"])
        app.add_api_route("/y", page, methods=["POST"])
    """,
    "one function under two paths and methods": """
        @app.get("/a")
        @app.get("/b")
        @app.post("/a")
        def both() -> str: return "both"
    """,
    "a WebSocket and a request": """
        @app.websocket("/x")
        async def socket(socket): ...
        @app.get("/x")
        def page() -> str: return "page"
    """,
    "another converter": """
        @app.get("/x/{number:int}")
        def number() -> str: return "number"
        @app.get("/x/{name}")
        def name() -> str: return "name"
    """,
    "a slash at the end": """
        @app.get("/x")
        def page() -> str: return "page"
        @app.get("/x/")
        def folder() -> str: return "folder"
    """,
    "a loop over prefixes": """
        for prefix in ("/a", "/b"):
            app.include_router(first, prefix=prefix)
    """,
    "arguments that are not known": """
        app.include_router(first, **settings.OPTIONS)
        app.include_router(second)
    """,
    "a class of routers with a constructor of its own": """
        from api import api, changed
        app.include_router(api)
        app.include_router(changed)
    """,
    "an unknown prefix of a parameter": """
        def mount(application: FastAPI, prefix: str) -> None:
            application.include_router(first, prefix=prefix)
            application.include_router(second)
    """,
}


def source(code: str) -> str:
    """A module of routers and what a case does with them."""
    return HEAD + textwrap.dedent(code)


@pytest.mark.parametrize("code", DUPLICATES.values(), ids=DUPLICATES)
def test_duplicates(code: str) -> None:
    findings("PB310", source(code), files=FILES)


@pytest.mark.parametrize("code", NO_DUPLICATES.values(), ids=NO_DUPLICATES)
def test_no_duplicates(code: str) -> None:
    findings("PB310", source(code), files=FILES)
    findings("PB311", source(code), files=FILES)


ROUTERS = """
    from fastapi import APIRouter
    import extra, items
    api_router = APIRouter()
    api_router.include_router(items.router)
    api_router.include_router(extra.router)  {}
"""
MAIN = "from fastapi import FastAPI\nfrom {} import {}\napp = FastAPI()\napp.include_router({})\n"
ALL_SERVED = {
    "included": {"main.py": MAIN.format("routers", "api_router", "api_router")},
    "without an application": {},
    "loaded by name": {
        "main.py": """
            import importlib
            from fastapi import FastAPI
            app = FastAPI()
            app.include_router(importlib.import_module("routers").api_router)
        """,
    },
}
LEFT_OVER = {
    "named nowhere": {"main.py": MAIN.format("items", "router", "router")},
    "a name that only its own package has": {
        "main.py": MAIN.format("others", "api_router", "api_router"),
        "others/__init__.py": "from fastapi import APIRouter\napi_router = APIRouter()\n",
    },
    "loaded by name in tests only": {
        "main.py": MAIN.format("items", "router", "router"),
        "tests/test_all.py": "import importlib\nimportlib.import_module('items')\n",
    },
}


@pytest.mark.parametrize("files", ALL_SERVED.values(), ids=ALL_SERVED)
def test_routers_that_may_be_served(files: dict[str, str]) -> None:
    findings("PB310", ROUTERS.format("# PB310"), files=FILES | files, path="routers/__init__.py")


@pytest.mark.parametrize("files", LEFT_OVER.values(), ids=LEFT_OVER)
def test_routers_that_are_left_over(files: dict[str, str]) -> None:
    findings("PB310", ROUTERS.format(""), files=FILES | files, path="routers/__init__.py")
    findings("PB309", ROUTERS.format(""), files=FILES | files, path="routers/__init__.py")


TWICE = {
    "the same include again": "app.include_router(first)\napp.include_router(first)  # PB311\n",
    "equal prefixes": """
        app.include_router(first, prefix=settings.API)
        app.include_router(prefix=settings.API, router=first)  # PB311
    """,
    "inside another router": """
        from api import late
        import items
        app.include_router(late)
        app.include_router(items.router, tags=["items"])  # PB311
    """,
    "the prefix that a function is given": """
        def build(prefix: str) -> APIRouter:
            whole = APIRouter()
            whole.include_router(first, prefix=prefix)
            whole.include_router(first, prefix=prefix)  # PB311
            return whole
    """,
}
ONCE = {
    "a prefix that changes": """
        def build(prefix: str) -> APIRouter:
            whole = APIRouter()
            whole.include_router(first, prefix=prefix)
            prefix = prefix + "/v2"
            whole.include_router(first, prefix=prefix)
            return whole
    """,
    "another prefix": "app.include_router(first)\napp.include_router(first, prefix='/v2')\n",
    "inside a router with a prefix": """
        from api import api
        import items
        app.include_router(api)
        app.include_router(items.router)
    """,
    "a router of which no route is known": "app.include_router(one)\napp.include_router(one)\n",
}


@pytest.mark.parametrize("code", [*TWICE.values(), *ONCE.values()], ids=[*TWICE, *ONCE])
def test_includes(code: str) -> None:
    findings("PB311", source(code), files=FILES)
    findings("PB310", source(code), files=FILES)


def test_shadowed_through_routers_of_other_files() -> None:
    code = """
        import extra, items
        app.include_router(items.router, prefix=settings.API)
        app.include_router(extra.router, prefix=settings.API)  # PB309
    """
    (found,) = findings("PB309", source(code), files=FILES)
    assert "`settings.API/items/top`" in found.message
    assert [Path(step.path).name for step in found.related] == ["example.py", "items.py", "extra.py"]
    findings("PB309", source(code.replace("settings.API)  # PB309", "settings.OTHER)")), files=FILES)


def answers(tmp_path: Path, text: str, *paths: str) -> list[str]:
    """What an application answers, run in a process of its own next to the other files."""
    for name, content in {**FILES, "main.py": text}.items():
        (tmp_path / name).write_text(textwrap.dedent(content))
    asked = ", ".join(f"client.get({path!r}).json()" for path in paths)
    code = f"from main import app\nfrom starlette.testclient import TestClient\nclient = TestClient(app)\nprint({asked})"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_no_request_reaches_the_duplicate(tmp_path: Path) -> None:
    assert answers(tmp_path, source(DUPLICATES["two routers of one file"]), "/orders/1") == ["first"]
    assert answers(tmp_path, source(DUPLICATES["an own class of routers"]), "/v1/items/1") == ["items"]
    shadowed = "app.include_router(items.router)\napp.include_router(extra.router)\n"
    text = f"{HEAD}import extra, items\n{shadowed}"
    assert answers(tmp_path, text, "/items/top") == ["items"]


def test_removing_the_second_include_changes_no_answer(tmp_path: Path) -> None:
    before = source(TWICE["inside another router"])
    after = fix("PB311", before, files=FILES)
    assert "items" not in after.partition("app.include_router(late)")[2]
    assert answers(tmp_path, before, "/items/1") == answers(tmp_path, after, "/items/1") == ["items"]
