"""Traps of on-event-handler, and the order in which handlers run before and after its fix."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

APP = """
    from fastapi import FastAPI

    events = []
    # the application
    app = FastAPI(
        title="Shop",
    )

    @app.on_event("startup")
    async def open_database():
        events.append("open")

    @app.on_event("shutdown")
    def close_database():
        events.append("close")

    @app.on_event("startup")
    def warm_cache():
        events.append("warm")

    @app.on_event("shutdown")
    async def say_bye():
        events.append("bye")

    @app.get("/")
    def index() -> list[str]:
        return events
"""
SILENT = {
    "another object": """
        class Bus:
            def on_event(self, name): return lambda handler: handler
        bus = Bus()
        @bus.on_event("startup")
        def started(): ...
    """,
    "another event": """
        from fastapi import FastAPI
        app = FastAPI()
        app.add_event_handler("tick", print)
    """,
    "old versions": "",
}
KEPT = {
    "an argument": "other = FastAPI(on_startup=[print])  # PB300",
    "an argument of a router": "router = APIRouter(on_shutdown=[print])  # PB300",
    "a router": "router = APIRouter()\n@router.on_event('startup')  # PB300\ndef f(): ...",
    "a decorator that changes the handler": (
        "app = FastAPI()\n@app.on_event('startup')  # PB300\n@every(seconds=3)\ndef f(): ..."
    ),
    "a lifespan": "app = FastAPI(lifespan=g)\n@app.on_event('startup')  # PB300\ndef f(): ...",
    "arguments that may hold a lifespan": (
        "app = FastAPI(**options)\n@app.on_event('startup')  # PB300\ndef f(): ..."
    ),
    "a condition": "app = FastAPI()\nif DEBUG:\n    @app.on_event('startup')  # PB300\n    def f(): ...",
    "a call": "app = FastAPI()\napp.add_event_handler('startup', connect)  # PB300",
}
HEAD = "from fastapi import APIRouter, FastAPI\nfrom shop import *\n"


def served(names: dict[str, Any]) -> list[str]:
    """What happened once an application has started, answered and stopped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with TestClient(names["app"]) as client:
            client.get("/").raise_for_status()
    return list(names["events"])


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB300", source) == []


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_found_without_fix(source: str) -> None:
    (found,) = findings("PB300", HEAD + source + "\n")
    assert found.fix is None


def test_the_lifespan_runs_the_handlers_in_the_same_order() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = executed(APP)
    fixed = fix("PB300", APP)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        after = executed(fixed)
    assert "on_event" not in fixed
    assert '# the application\napp = FastAPI(\n    title="Shop",\n    lifespan=lifespan,\n)' in fixed
    assert served(before) == served(after) == ["open", "warm", "close", "bye"]


def test_handlers_in_other_files_would_be_lost() -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\n@app.on_event('startup')  # PB300\ndef f(): ...\n"
    files = {"jobs.py": "from example import app\n@app.on_event('startup')\ndef g(): ...\n"}
    (alone,) = findings("PB300", source)
    (shared,) = findings("PB300", source, files=files)
    assert alone.fix is not None
    assert shared.fix is None


def test_code_that_gets_the_application_may_add_handlers() -> None:
    source = HEAD + "app = FastAPI()\nregister(app)\n@app.on_event('startup')  # PB300\ndef f(): ...\n"
    (found,) = findings("PB300", source)
    assert found.fix is not None
    assert found.fix.applicability == "unsafe"


def test_what_starlette_has_removed_is_left_to_another_rule() -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\napp.add_event_handler('startup', print){}\n"
    project = '[project]\ndependencies = ["fastapi>=0.135", "starlette>={}"]\n'
    findings("PB300", source.format("  # PB300"), files={"pyproject.toml": project.format("0.40")})
    assert findings("PB300", source.format(""), files={"pyproject.toml": project.format("1.0")}) == []
