"""Traps of dependency-called-directly, and what such a call really gets."""

from __future__ import annotations

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

FILES = {
    "shop.py": """
        from typing import Annotated
        from fastapi import Depends, Query
        from pydantic import BaseModel
        def session(): return "session"
        def read(key: int, db=Depends(session), limit: int = Query(20)): return db, limit, key
        def annotated(key: int, limit: Annotated[int, Query()] = 20): return limit
        def guarded(key: int, user=Depends(session)): return key
        def truthy(key: int, wait: bool = Query(True)): return 1 if wait else 0
        def falsy(key: int, wait: bool = Query(False)): return 1 if wait else 0
        def tested(limit: int = Query(20)): return limit if isinstance(limit, int) else 20
        def rebound(limit: int = Query(20)):
            limit = 20
            return limit
        class Service:
            def read(self, limit: int = Query(20)): return limit
        class Page:
            def __init__(self, number: int = Query(1), size: int = Query(20)) -> None:
                self.number = number
                self.size = size
        class Plain(BaseModel):
            number: int = 1
    """
}
FOUND = {
    "two are missing": ("shop.read(1)", "db"),
    "one is missing": ("shop.read(1, 'db')", "limit"),
    "a keyword": ("shop.read(1, limit=3)", "db"),
    "a constructor": ("shop.Page(3)", "size"),
    "a marker that counts as true": ("shop.falsy(1)", "wait"),
}
SILENT = {
    "all are given": "shop.read(1, 'db', 3)",
    "all are given to a constructor": "shop.Page(3, size=10)",
    "a constructor without markers": "shop.Plain()",
    "a constructor that FastAPI calls": "from fastapi import Depends\nDepends(shop.Page)",
    "all are given by name": "shop.read(1, limit=3, db='db')",
    "the default is a real one": "shop.annotated(1)",
    "nothing reads it": "shop.guarded(1)",
    "the marker counts as its default": "shop.truthy(1)",
    "the function tests for it": "shop.tested()",
    "the function binds it again": "shop.rebound()",
    "unpacked arguments": "shop.read(*values)",
    "unpacked keywords": "shop.read(1, **values)",
    "a function that another library binds": "import functools\nfunctools.partial(shop.read, 1)",
    "a function of the same name": "import library\nlibrary.read(1)",
}


@pytest.mark.parametrize(("call", "parameter"), FOUND.values(), ids=FOUND)
def test_found(call: str, parameter: str) -> None:
    (found,) = findings("PB304", f"import shop\n{call}  # PB304\n", files=FILES)
    assert f"`{parameter}`" in found.message
    assert found.related[0].path.endswith("shop.py")


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings("PB304", f"import shop\n{code}\n", files=FILES) == []


def test_in_its_own_file() -> None:
    findings("PB304", FILES["shop.py"] + "\n        def report(): return read(1)  # PB304\n")


def test_the_body_gets_the_marker() -> None:
    names = executed(FILES["shop.py"])
    db, limit, _ = names["read"](1)
    assert (type(db).__name__, type(limit).__name__) == ("Depends", "Query")
    assert names["falsy"](1) == names["truthy"](1) == 1
    assert type(names["Page"](3).size).__name__ == "Query"
