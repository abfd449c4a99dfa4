"""Traps of route-shadowed, and the answers of Starlette's router."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

PAIRS = {
    ("/users/{id}", "/users/me"): True,
    ("/users/{id}", "/users/{name:int}"): True,
    ("/{path:path}", "/users/me"): True,
    ("/files/{path:path}", "/files/a/{b}"): True,
    ("/users/{id}/orders", "/users/me/orders"): True,
    ("/users/{id:int}", "/users/7"): True,
    ("/users/{id}", "/users/{id}.json"): True,
    ("/users/me", "/users/{id}"): False,
    ("/users/{id:int}", "/users/me"): False,
    ("/users/{id}", "/users/me/orders"): False,
    ("/users/{id}", "/users/"): False,
    ("/users/{id}", "/users/{path:path}"): False,
    ("/users/{id}", "/users/{name}"): False,
    ("/users/{id}.json", "/users/me"): False,
    ("/{kind}/me", "/users/{id}"): False,
}
TWO = """
from fastapi import APIRouter, FastAPI
app = FastAPI()
@app.get("{}")
def first() -> str: return "first"
@app.get("{}"){}
def second() -> str: return "second"
"""


@pytest.mark.parametrize(("pair", "shadowed"), PAIRS.items(), ids=str)
def test_pairs(pair: tuple[str, str], shadowed: bool) -> None:
    findings("PB309", TWO.format(*pair, "  # PB309" if shadowed else ""))


@pytest.mark.parametrize("pair", [pair for pair, shadowed in PAIRS.items() if shadowed], ids=str)
def test_no_request_reaches_the_second_until_they_are_exchanged(pair: tuple[str, str]) -> None:
    request = pair[1].replace("{name:int}", "7").replace("{id}", "x").replace("{b}", "c")
    source = TWO.format(*pair, "")
    assert TestClient(executed(source)["app"]).get(request).json() == "first"
    assert TestClient(executed(fix("PB309", source))["app"]).get(request).json() == "second"


SILENT = {
    "another method": TWO.format("/{a}", "/b", "").replace('@app.get("/b")', '@app.post("/b")'),
    "another router": TWO.format("/{a}", "/b", "")
    .replace("app = FastAPI()", "app = FastAPI()\nother = APIRouter(prefix='/x')")
    .replace('@app.get("/b")', '@other.get("/b")'),
    "one of two branches": """
        from fastapi import FastAPI
        app = FastAPI()
        if DEBUG:
            @app.get("/{a}")
            def first(): ...
        else:
            @app.get("/b")
            def second(): ...
    """,
    "a prefix that is not known": """
        from fastapi import FastAPI
        from shop import items
        app = FastAPI()
        @app.get("/{a}")
        def first(): ...
        app.include_router(items.router, prefix=PREFIX)
    """,
    "a name that is bound again": """
        from fastapi import APIRouter
        router = APIRouter(prefix="/one")
        @router.get("/{a}")
        def first(): ...
        router = APIRouter(prefix="/two")
        @router.get("/b")
        def second(): ...
    """,
}
ITEMS = {
    "shop/__init__.py": "",
    "shop/items.py": """
        from fastapi import APIRouter
        from shop.more import more
        router = APIRouter(prefix="/items")
        router.include_router(more, prefix="/more")
        @router.get("/list")
        def listed(): ...
    """,
    "shop/more.py": """
        from fastapi import APIRouter
        more = APIRouter()
        @more.get("/top")
        def top(): ...
    """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB309", source, files=ITEMS) == []


def test_through_routers_of_other_files() -> None:
    source = """
        from fastapi import FastAPI
        from shop.items import router
        app = FastAPI()
        @app.get("/api/items/more/{name}")
        def first(): ...
        app.include_router(router, prefix="/api")  # PB309
    """
    (found,) = findings("PB309", source, files=ITEMS)
    assert "`/api/items/more/top`" in found.message
    assert [Path(related.path).name for related in found.related] == ["example.py", "items.py", "more.py"]
