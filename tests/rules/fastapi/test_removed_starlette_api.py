"""Traps of removed-starlette-api, and what the installed Starlette has."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.routing import Router

from tests.rules.execution import executed
from tests.rules.harness import findings

NEW = {"pyproject.toml": '[project]\ndependencies = ["fastapi>=0.135", "starlette>=1.0"]\n'}
HEAD = """
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.routing import Router
class Own(Starlette): pass
class Kept(Starlette):
    def route(self, path): return lambda function: function
"""
CLASSES = {"FastAPI": FastAPI, "APIRouter": APIRouter, "Starlette": Starlette, "Router": Router}
NAMES = (
    "on_event",
    "add_event_handler",
    "route",
    "websocket_route",
    "middleware",
    "exception_handler",
    "add_route",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cls", CLASSES)
def test_what_is_reported_is_what_the_classes_lack(cls: str, name: str) -> None:
    exists = hasattr(CLASSES[cls](), name)
    expected = not exists and not (cls == "Router" and name in {"middleware", "exception_handler"})
    expected = expected and cls != "APIRouter"
    findings("PB302", f"{HEAD}app = {cls}()\napp.{name}('x'){'  # PB302' if expected else ''}\n", files=NEW)


@pytest.mark.parametrize("cls", ["Starlette", "Router"])
def test_arguments(cls: str) -> None:
    findings("PB302", f"{HEAD}app = {cls}(on_startup=[print])  # PB302\n", files=NEW)
    with pytest.raises(TypeError, match="on_startup"):
        executed(f"{HEAD}app = {cls}(on_startup=[print])\n")


def test_classes_of_the_project() -> None:
    findings("PB302", f"{HEAD}Own().route('/x')  # PB302\nKept().route('/x')\n", files=NEW)


def test_versions() -> None:
    old = {"pyproject.toml": '[project]\ndependencies = ["starlette>=0.40,<1.0"]\n'}
    assert findings("PB302", f"{HEAD}Own().route('/x')\n", files=old) == []
