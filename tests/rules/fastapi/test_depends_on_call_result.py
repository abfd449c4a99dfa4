"""Traps of depends-on-call-result, and what FastAPI says about it."""

from __future__ import annotations

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = """
from functools import partial
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

class Settings: ...

class Limit:
    def __call__(self) -> int: return 1

def number() -> int: return 5
def settings(): return Settings()
def limit(): return Limit()
def factory():
    def inner() -> int: return 5
    return inner
def chosen(flag: bool = True): return number if flag else None
async def later() -> int: return 5

app = FastAPI()
"""
SILENT = [
    "Limit()",
    "limit()",
    "factory()",
    "chosen()",
    "partial(number)",
    "OAuth2PasswordBearer('t')",
    "number",
]
FOUND = ["number()", "settings()", "Settings()", "later()"]


@pytest.mark.parametrize("given", SILENT)
def test_silent(given: str) -> None:
    source = f"{HEAD}@app.get('/', dependencies=[Depends({given})])\ndef route(): ...\n"
    assert findings("PB305", source) == []
    executed(source)


@pytest.mark.parametrize("given", FOUND)
def test_found(given: str) -> None:
    source = f"{HEAD}@app.get('/', dependencies=[Depends({given})])  # PB305\ndef route(): ...\n"
    assert len(findings("PB305", source)) == 1
    with pytest.raises((TypeError, AssertionError)):
        executed(source)
    executed(fix("PB305", source))
