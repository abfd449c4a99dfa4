"""Traps of yield-dependency-swallows, and the status that FastAPI answers with."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

APP = """
from contextlib import contextmanager
from typing import Annotated
from fastapi import Depends, FastAPI, HTTPException
import logging

app = FastAPI()
log = []

def fail(error):
    raise error

{}
@app.get("/")
def route(value: Annotated[int, Depends(dependency)]):
    raise HTTPException(404)
"""
FOUND = {
    "everything": "def dependency():\n    try:\n        yield 1\n    except Exception:  # PB321\n        pass\n",
    "in a coroutine": (
        "async def dependency():\n    try:\n        yield 1\n"
        "    except HTTPException as e:  # PB321\n        log.append(e)\n"
    ),
    "without a type": "def dependency():\n    try:\n        yield 1\n    except:  # PB321\n        log.append(1)\n",
}
SILENT = {
    "raised again": "def dependency():\n    try:\n        yield 1\n    except Exception:\n        raise\n",
    "raised by a helper": (
        "def dependency():\n    try:\n        yield 1\n    except Exception as e:\n        fail(e)\n"
    ),
    "another error": "def dependency():\n    try:\n        yield 1\n    except KeyError:\n        pass\n",
    "only what is before the yield": (
        "def dependency():\n    try:\n        log.append(1)\n    except Exception:\n        pass\n    yield 1\n"
    ),
}


@pytest.mark.parametrize("dependency", FOUND.values(), ids=FOUND)
def test_the_status_is_lost_until_it_is_fixed(dependency: str) -> None:
    source = APP.format(dependency)
    assert len(findings("PB321", source)) == 1
    before, after = executed(source), executed(fix("PB321", source))
    assert TestClient(before["app"], raise_server_exceptions=False).get("/").status_code == 500
    assert TestClient(after["app"], raise_server_exceptions=False).get("/").status_code == 404


@pytest.mark.parametrize("dependency", SILENT.values(), ids=SILENT)
def test_the_status_arrives(dependency: str) -> None:
    source = APP.format(dependency)
    assert findings("PB321", source) == []
    assert TestClient(executed(source)["app"], raise_server_exceptions=False).get("/").status_code == 404


def test_generators_that_nobody_injects_are_silent() -> None:
    assert findings("PB321", FOUND["everything"].replace("  # PB321", "")) == []


def test_injected_in_another_file() -> None:
    files = {
        "routes.py": "from fastapi import Depends\nfrom example import dependency\nd = Depends(dependency)\n"
    }
    assert len(findings("PB321", f"import logging\n{FOUND['everything']}", files=files)) == 1
