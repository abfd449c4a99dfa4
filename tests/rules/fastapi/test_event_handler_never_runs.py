"""Traps of event-handler-never-runs, and what FastAPI runs at the start."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings

APP = """
from contextlib import asynccontextmanager
from fastapi import APIRouter, FastAPI
ran = []
@asynccontextmanager
async def lifespan(app):
    ran.append("lifespan")
    {}
    yield
app = FastAPI({})
router = APIRouter()
"""
HANDLER = """
@{}.on_event("startup"){}
def started():
    ran.append("handler")
"""


def test_the_handler_never_runs() -> None:
    source = APP.format("", "lifespan=lifespan") + HANDLER.format("app", "")
    findings("PB301", APP.format("", "lifespan=lifespan") + HANDLER.format("app", "  # PB301"))
    assert findings("PB300", source) == []
    names = executed(source)
    with TestClient(names["app"]):
        assert names["ran"] == ["lifespan"]


def test_an_argument_is_ignored_too() -> None:
    arguments = "lifespan=lifespan, on_startup=[lambda: ran.append('handler')]"
    findings("PB301", APP.format("", arguments + "  # PB301\n"))
    names = executed(APP.format("", arguments))
    with TestClient(names["app"]):
        assert names["ran"] == ["lifespan"]


def test_from_another_file() -> None:
    handler = "from main import app\n" + HANDLER.format("app", "  # PB301")
    (found,) = findings("PB301", handler, files={"main.py": APP.format("", "lifespan=lifespan")})
    assert found.related[0].path.endswith("main.py")


FACTORY = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
import plugins
@asynccontextmanager
async def lifespan(app):
    yield
def create_app() -> FastAPI:
    app = FastAPI({})
    plugins.register(app)
    app.add_event_handler("shutdown", plugins.close)
    return app
"""
PLUGINS = """
from fastapi import FastAPI
def close(): ...
def register(app: FastAPI) -> None:
    @app.on_event("startup")
    def load(): ...
"""


def test_an_application_that_a_function_makes() -> None:
    source = FACTORY.format("lifespan=lifespan").replace("plugins.close)", "plugins.close)  # PB301")
    findings("PB301", source, files={"plugins.py": PLUGINS})
    handler = "from main import create_app\napp = create_app()\n" + HANDLER.format("app", "  # PB301")
    files = {"main.py": FACTORY.format("lifespan=lifespan"), "plugins.py": PLUGINS}
    (found,) = findings("PB301", handler, files=files)
    assert found.related[0].path.endswith("main.py")


def test_an_application_that_a_function_gets() -> None:
    source = PLUGINS.replace('"startup")', '"startup")  # PB301')
    findings("PB301", source, path="plugins.py", files={"main.py": FACTORY.format("lifespan=lifespan")})
    without = FACTORY.format("").replace("create_app", "create_other_app")
    both = {"main.py": FACTORY.format("lifespan=lifespan"), "other.py": without}
    assert findings("PB301", PLUGINS, path="plugins.py", files=both) == []


SILENT = {
    "no lifespan": APP.format("", "") + HANDLER.format("app", ""),
    "None": APP.format("", "lifespan=None") + HANDLER.format("app", ""),
    "a router, whose handlers do run": APP.format("", "lifespan=lifespan") + HANDLER.format("router", ""),
    "a lifespan that runs the handlers": APP.format("await app.router.startup()", "lifespan=lifespan")
    + HANDLER.format("app", ""),
    "a lifespan that is not known": APP.format("", "lifespan=library.lifespan") + HANDLER.format("app", ""),
    "an application that is not known": APP.format("", "lifespan=lifespan")
    + HANDLER.format("library.app", ""),
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB301", source) == []


def test_the_handlers_of_a_router_run() -> None:
    source = SILENT["a router, whose handlers do run"] + "app.include_router(router)\n"
    names = executed(source)
    with TestClient(names["app"]):
        assert sorted(names["ran"]) == ["handler", "lifespan"]


LATER = APP.format("", "") + "app.router.lifespan_context = {}\n"


def test_a_lifespan_that_is_set_later() -> None:
    source = LATER.format("lifespan") + HANDLER.format("app", "")
    findings("PB301", LATER.format("lifespan") + HANDLER.format("app", "  # PB301"))
    assert findings("PB300", source) == []
    names = executed(source)
    with TestClient(names["app"]):
        assert names["ran"] == ["lifespan"]


@pytest.mark.parametrize(
    "later",
    [
        "@asynccontextmanager\nasync def both(app, former=app.router.lifespan_context):\n"
        "    async with former(app): yield\napp.router.lifespan_context = both",
        "other = FastAPI()\nother.router.lifespan_context = lifespan",
        "if ran:\n    app.router.lifespan_context = lifespan",
        "app.router.lifespan_context = unknown",
    ],
)
def test_a_lifespan_that_may_run_the_handlers(later: str) -> None:
    assert findings("PB301", APP.format("", "") + later + "\n" + HANDLER.format("app", "")) == []
