"""Traps of invalid-router-prefix and route-after-include, and what FastAPI says."""

from __future__ import annotations

import pytest
from fastapi.exceptions import FastAPIError

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

ROUTER = """
from fastapi import APIRouter, FastAPI
app = FastAPI()
{}
"""
PREFIXES = {"users": "/users", "/users/": "/users", "/": "", "a/b/": "/a/b"}
VALID = ("/users", "", "/a/b", "//a", "/{shop}")


@pytest.mark.parametrize("call", ["APIRouter(prefix='{}')", "app.include_router(APIRouter(), prefix='{}')"])
@pytest.mark.parametrize(("prefix", "right"), PREFIXES.items())
def test_invalid(call: str, prefix: str, right: str) -> None:
    source = ROUTER.format(call.format(prefix))
    findings("PB313", source.rstrip() + "  # PB313\n")
    with pytest.raises(AssertionError, match="A path prefix must"):
        executed(source)
    fixed = fix("PB313", source)
    assert f'"{right}"' in fixed
    executed(fixed)


@pytest.mark.parametrize("prefix", VALID)
def test_valid(prefix: str) -> None:
    source = ROUTER.format(f"app.include_router(APIRouter(prefix='{prefix}'), prefix='{prefix}')")
    assert findings("PB313", source) == []
    executed(source)


def test_other_arguments_and_libraries() -> None:
    source = "import library\nlibrary.APIRouter(prefix='x')\nlibrary.include_router(1, prefix='x/')\n"
    assert findings("PB313", source) == []


EMPTY = {
    "no prefix": ("APIRouter()", "app.include_router(router)", True),
    "a router around it, whose prefix comes too late": (
        "APIRouter()",
        "outer = APIRouter(prefix='/x')\nouter.include_router(router)",
        True,
    ),
    "a prefix of its own": ("APIRouter(prefix='/x')", "app.include_router(router)", False),
    "a prefix of the include": ("APIRouter()", "app.include_router(router, prefix='/x')", False),
}


@pytest.mark.parametrize(("router", "include", "fails"), EMPTY.values(), ids=EMPTY)
def test_neither_prefix_nor_path(router: str, include: str, fails: bool) -> None:
    marked = include + ("  # PB313" if fails else "")
    code = f"router = {router}\n@router.get('')\ndef root(): return 1\n"
    findings("PB313", ROUTER.format(code + marked))
    other = f"from fastapi import APIRouter\n{code}"
    findings("PB313", ROUTER.format("from shop import router\n" + marked), files={"shop.py": other})
    if fails:
        with pytest.raises(FastAPIError, match="cannot be both empty"):
            executed(ROUTER.format(code + include))
    else:
        executed(ROUTER.format(code + include))


OLD = {"pyproject.toml": '[project]\ndependencies = ["fastapi==0.120.0"]\n'}
LATE = """
from fastapi import APIRouter, FastAPI
app = FastAPI()
router = APIRouter()
@router.get("/early")
def early(): ...
app.include_router(router)
@router.get("/late"){}
def late(): ...
"""


def test_late_routes_by_version() -> None:
    findings("PB312", LATE.format("  # PB312"), files=OLD)
    assert findings("PB312", LATE.format("")) == []
    newer = {"pyproject.toml": '[project]\ndependencies = ["fastapi>=0.120"]\n'}
    assert findings("PB312", LATE.format(""), files=newer) == []


SILENT = {
    "included again": LATE.format("") + "app.include_router(router, prefix='/v2')\n",
    "under a condition": LATE.format("").replace(
        "app.include_router(router)", "if True:\n    app.include_router(router)"
    ),
    "another router": LATE.format("").replace('@router.get("/late")', '@app.get("/late")'),
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_no_late_route(source: str) -> None:
    assert findings("PB312", source, files=OLD) == []
