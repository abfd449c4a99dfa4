"""Traps of depends-without-annotated, and the OpenAPI schema before and after its fix."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = """
from typing import Annotated, Optional
from fastapi import Body, Depends, FastAPI, File, Form, Header, Path, Query, Security, UploadFile
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
scheme = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)

class Paging:
    def __init__(self, page: int = 1) -> None:
        self.page = page

def five() -> int:
    return 5

"""
ROUTES = {
    "a dependency": '@app.get("/")\ndef route(n: int = Depends(five)): return n',
    "a class as its own dependency": '@app.get("/")\ndef route(p: Paging = Depends()): return p.page',
    "security": '@app.get("/")\ndef route(t: Optional[str] = Security(scheme, scopes=[])): return t',
    "a default value": '@app.get("/")\ndef route(q: int = Query(3, ge=1)): return q',
    "a default by name": '@app.get("/")\ndef route(q: int = Query(ge=1, default=3)): return q',
    "the default None": '@app.get("/")\ndef route(q: Optional[int] = Query(None)): return q',
    "required by dots": '@app.post("/")\ndef route(q: int = Body(..., embed=True)): return q',
    "required without": '@app.get("/")\ndef route(q: str = Header()): return q',
    "a factory": '@app.get("/")\ndef route(q: list[int] = Query(default_factory=list)): return q',
    "a path parameter": '@app.get("/{q}")\ndef route(q: int = Path(title="Q")): return q',
    "a form and a file": (
        '@app.post("/")\ndef route(n: str = Form("x"), f: UploadFile = File(...)): return n'
    ),
    "a parameter without default behind one with": (
        '@app.get("/")\ndef route(skip: int = 0, n: int = Depends(five), q: int = Query(...)): return n'
    ),
    "over several lines": (
        '@app.get("/")\nasync def route(\n    q: int = Query(\n        ...,\n        ge=1,\n    ),\n): return q'
    ),
    "a dependency of a dependency": (
        "def six(n: int = Depends(five)) -> int: return n + 1\n"
        '@app.get("/")\ndef route(n: Annotated[int, Depends(six)]): return n'
    ),
}
SILENT = {
    "no annotation and no dependency": "def f(q=Query(1)): ...",
    "already both, which FastAPI refuses": "def f(n: Annotated[int, Depends(five)] = Depends(five)): ...",
    "the file calls it without the parameter": "def f(n: int = Depends(five)): ...\nf()",
    "another framework": "from strawberry import Depends as D\ndef f(n: int = D(five)): ...",
    "the value is not a marker": "def f(n: int = five()): ...",
}
KEPT = {
    "no annotation": "def f(n=Depends(five)): ...  # PB303",
    "a list is no good default": "def f(n: list[int] = Query([])): ...  # PB303",
    "a name for type checkers only": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop import Session\n"
        "def f(n: 'Session' = Depends(five)): ...  # PB303"
    ),
    "it is called by position": "def f(a=1, n: int = Depends(five)): ...  # PB303\nf(1, 2)",
    "a comment inside": "def f(n: int = Query(  # PB303\n    1,  # one\n)): ...",
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_the_schema_stays_the_same(route: str) -> None:
    before = executed(HEAD + route)
    fixed = fix("PB303", HEAD + route + "\n")
    after = executed(fixed)
    assert "Annotated[" in fixed
    assert fix("PB303", fixed) == fixed
    assert findings("PB303", fixed) == []
    assert after["app"].openapi() == before["app"].openapi()
    answers = [TestClient(names["app"]).get("/") for names in (before, after)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("PB303", f"{HEAD}{source}\n") == []


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_found_without_fix(source: str) -> None:
    (found,) = findings("PB303", f"{HEAD}{source}\n")
    assert found.fix is None


def test_names_of_a_function_cannot_be_annotated_later() -> None:
    source = """
        from __future__ import annotations
        from fastapi import Depends, FastAPI
        def make() -> FastAPI:
            app = FastAPI()
            def five() -> int: return 5
            @app.get("/")
            def route(n: int = Depends(five)): return n  # PB303
            return app
    """
    (found,) = findings("PB303", source)
    assert found.fix is None


def test_keyword_only_parameters_are_unsafe() -> None:
    source = f"{HEAD}{ROUTES['a parameter without default behind one with']}  # PB303\n"
    fixes = [found.fix for found in findings("PB303", source.replace("q: int = Query(...)", "q: int = 1"))]
    assert [fix.applicability for fix in fixes if fix] == ["unsafe"]
