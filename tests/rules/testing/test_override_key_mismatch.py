"""Which overrides of dependencies are never looked up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.harness import findings
from tests.rules.testing.real_pytest import run

FILES = {
    "shop/__init__.py": "",
    "shop/database.py": """
        def get_session():
            return "real"

        def get_user(): ...

        def get_shop(): ...

        def get_name(): ...

        def get_cache(): ...

        def wrapped(f):
            return f

        @wrapped
        def get_limits(): ...

        class Page: ...

        __all__ = ["get_session"]
    """,
    "shop/regions.py": "def get_region(): ...\n",
    "shop/space.py": """
        def get_planet(): ...
    """,
    "shop/dependencies.py": """
        from functools import partial
        from shop import database, regions
        from shop.database import get_user as current_user

        def get_session():
            return database.get_session()

        def get_shop():
            return database.get_shop

        CALLABLES = {"cache": "get_cache"}

        def named(name):
            return getattr(regions, "get_" + name)

        def get_token(): ...
    """,
    "shop/main.py": """
        from typing import Annotated
        from fastapi import Depends, FastAPI
        from shop.dependencies import get_session, current_user, get_shop, get_token, named
        from shop.space import *

        app = FastAPI()

        def get_copy(token: Annotated[str, Depends(get_token)]): ...

        @app.get("/planets")
        def planets(planet: Annotated[str, Depends(get_planet)], copy: Annotated[str, Depends(get_copy)]): ...

        @app.get("/regions")
        def regions(region: Annotated[str, Depends(named("region"))]): ...

        @app.get("/orders")
        def orders(session: Annotated[str, Depends(get_session)]):
            return session
    """,
}
HEADER = """
import os
from shop import database, dependencies
from shop.database import Page, get_cache, get_limits, get_session, get_shop, get_user
from shop.regions import get_region
from shop.space import get_planet
from shop import main
from shop.main import app

def fake(): ...

"""
SILENT = {
    "what the route depends on": "app.dependency_overrides[dependencies.get_session] = fake",
    "used under another name": "app.dependency_overrides[get_user] = fake",
    "handed on": "app.dependency_overrides[get_shop] = fake",
    "named in a text": "app.dependency_overrides[get_cache] = fake",
    "not said by its name": "app.dependency_overrides[get_region] = fake",
    "with all names of its module": "app.dependency_overrides[get_planet] = fake",
    "what a call gives": "app.dependency_overrides[get_session()] = fake",
    "chosen by the test": "app.dependency_overrides[get_session if app else get_user] = fake",
    "a copy that stands in Depends": "app.dependency_overrides[main.get_copy] = fake",
    "a dependency of a dependency": "app.dependency_overrides[dependencies.get_token] = fake",
    "decorated": "app.dependency_overrides[get_limits] = fake",
    "a class": "app.dependency_overrides[Page] = fake",
    "of the test itself": "app.dependency_overrides[fake] = fake",
    "of a library": "app.dependency_overrides[os.getcwd] = fake",
    "taken back": "app.dependency_overrides.pop(get_session, None)",
    "another dictionary": "app.overrides[get_session] = fake",
}
FOUND = {
    "subscript": "app.dependency_overrides[get_session] = fake",
    "of a module": "app.dependency_overrides[database.get_session] = fake",
    "update": "app.dependency_overrides.update({get_session: fake})",
    "dictionary": "app.dependency_overrides = {get_session: fake}",
    "monkeypatch": "monkeypatch.setitem(app.dependency_overrides, get_session, fake)",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silent(text: str) -> None:
    findings("PB801", f"{HEADER}def test_a(monkeypatch):\n    {text}\n", files=FILES, path="tests/test_a.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch):\n    {text}  # PB801\n"
    (found,) = findings("PB801", source, files=FILES, path="tests/test_a.py")
    assert [(r.path.rpartition("/")[2], r.start.row) for r in found.related] == [
        ("database.py", 1),
        ("main.py", 17),
    ]


CACHED = """
from functools import lru_cache

@lru_cache
def get_settings(): ...
"""


@pytest.mark.parametrize("used", [True, False])
def test_functions_that_are_cached(used: bool) -> None:
    depends = "\n@app.get('/settings')\ndef settings(s: Annotated[str, Depends(get_settings)]): ...\n"
    main = (
        "from typing import Annotated\nfrom fastapi import Depends, FastAPI\n"
        "from shop.settings import get_settings\napp = FastAPI()\nget_settings.cache_clear()\n"
    )
    source = (
        "from shop.main import app\nfrom shop.settings import get_settings\n"
        f"def test_a():\n    app.dependency_overrides[get_settings] = dict{'' if used else '  # PB801'}\n"
    )
    files = {"shop/__init__.py": "", "shop/settings.py": CACHED, "shop/main.py": main + depends * used}
    findings("PB801", source, files=files, path="tests/test_a.py")


def test_fastapi_does_not_use_the_override(tmp_path: Path) -> None:
    text = """
        from fastapi.testclient import TestClient
        from shop import database, dependencies
        from shop.main import app

        def test_copy():
            app.dependency_overrides = {database.get_session: lambda: "fake"}
            assert TestClient(app).get("/orders").json() == "real"

        def test_dependency():
            app.dependency_overrides = {dependencies.get_session: lambda: "fake"}
            assert TestClient(app).get("/orders").json() == "fake"
    """
    assert run(tmp_path, {**FILES, "test_a.py": text}) == "2 passed"
