"""Traps of list-query-becomes-body, and where FastAPI really takes the values from."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = """
import enum, uuid
from typing import Annotated, Any, List, Optional, Sequence
from fastapi import Body, Depends, FastAPI, Query, Request
from pydantic import BaseModel
app = FastAPI()
class Colour(enum.Enum):
    RED = "red"
class Model(BaseModel):
    id: int = 1
Tags = Annotated[list[str], Query()]
"""
ROUTE = "@app.{}('/x')\ndef route(ids: {}):{} return ids\n"
LISTS = ("list[int]", "set[str]", "tuple[int, ...]", "List[str]", "Optional[List[int]]", "list[int] | None",
         "Sequence[int]", "frozenset[int]", "list[Colour]", "list[uuid.UUID]", "tuple[int, str]")  # fmt: skip


@pytest.mark.parametrize("default", ["", " = None"])
@pytest.mark.parametrize("annotation", LISTS)
def test_lists(annotation: str, default: str) -> None:
    source = HEAD + ROUTE.format("get", annotation + default, "")
    findings("PB326", HEAD + ROUTE.format("get", annotation + default, "  # PB326\n   "))
    before, after = executed(source)["app"], executed(fix("PB326", source))["app"]
    assert "requestBody" in before.openapi()["paths"]["/x"]["get"]
    operation = after.openapi()["paths"]["/x"]["get"]
    assert "requestBody" not in operation
    assert [item["in"] for item in operation["parameters"]] == ["query"]


def test_the_filter_works_with_a_marker() -> None:
    source = HEAD + ROUTE.format("get", "list[int] | None = None", "")
    assert TestClient(executed(source)["app"]).get("/x?ids=1&ids=2").json() is None
    assert TestClient(executed(fix("PB326", source))["app"]).get("/x?ids=1&ids=2").json() == [1, 2]


SILENT = {
    "another method": ROUTE.format("post", "list[int]", ""),
    "a bulk delete": ROUTE.format("delete", "list[int]", ""),
    "a marker": ROUTE.format("get", "Annotated[list[int], Query()]", ""),
    "a marker in a default": ROUTE.format("get", "list[int] = Query()", ""),
    "a body on purpose": ROUTE.format("get", "list[int] = Body()", ""),
    "an alias": ROUTE.format("get", "Tags", ""),
    "a single value": ROUTE.format("get", "int", ""),
    "models": ROUTE.format("get", "list[Model]", ""),
    "a dictionary": ROUTE.format("get", "dict[str, int]", ""),
    "a dependency": ROUTE.format("get", "list[int] = Depends(list)", ""),
    "values that are not known": "import library\n" + ROUTE.format("get", "list[library.Thing]", ""),
    "GET among others": "@app.api_route('/x', methods=['GET', 'POST'])\ndef route(ids: list[int]): return ids\n",
    "no route": "def route(ids: list[int]): return ids\n",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings("PB326", HEAD + code) == []


DEPENDENCIES = {
    "function": "def wanted(ids: list[int] = []):{} return ids\n",
    "class": "class wanted:\n    def __init__(self, ids: Sequence[int] = ()):{} self.ids = ids\n",
    "callable": "class Wanted:\n    def __call__(self, ids: set[int] = set()):{} return ids\nwanted = Wanted()\n",
    "dependency of a dependency": "def ids(ids: list[int] | None = None):{} return ids\n"
    "def wanted(ids: Annotated[Any, Depends(ids)]): return ids\n",
}
USE = "@app.{}('/x')\ndef route(ids: Annotated[Any, Depends(wanted)]): return list(ids or [])\n"
MARK = "  # PB326\n       "


@pytest.mark.parametrize("code", DEPENDENCIES.values(), ids=DEPENDENCIES)
def test_dependencies(code: str) -> None:
    findings("PB326", HEAD + code.format(MARK) + USE.format("get") + USE.format("head"))
    assert findings("PB326", HEAD + code.format("") + USE.format("post")) == []
    source = HEAD + code.format("") + USE.format("get")
    before, after = executed(source)["app"], executed(fix("PB326", source))["app"]
    assert "requestBody" in before.openapi()["paths"]["/x"]["get"]
    assert "requestBody" not in after.openapi()["paths"]["/x"]["get"]


FIELDS = {
    "model": "class wanted(BaseModel):\n    ids: list[int] = []{}\n    model: Model | None = None\n",
    "dataclass": "from dataclasses import dataclass\n@dataclass\n"
    "class wanted:\n    ids: list[int] | None = None{}\n",
}


@pytest.mark.parametrize("code", FIELDS.values(), ids=FIELDS)
def test_fields_of_classes_that_are_injected(code: str) -> None:
    use = "@app.get('/x')\ndef route(wanted: wanted = Depends()): return 1\n"
    findings("PB326", HEAD + code.format("  # PB326") + use)
    assert "requestBody" in executed(HEAD + code.format("") + use)["app"].openapi()["paths"]["/x"]["get"]


def test_dependencies_of_other_files() -> None:
    files = {"wanted.py": "def wanted(ids: list[int] = []): return ids\n"}
    use = (
        USE.format("get")
        .replace("(ids: Annotated", "(\n    ids: Annotated")
        .replace(")]):", ")],  # PB326\n):")
    )
    findings("PB326", HEAD + "from wanted import wanted\n" + use + USE.format("get"), files=files)


SILENT_DEPENDENCIES = {
    "a marker": "def wanted(ids: Annotated[list[int], Query()]): return ids\n",
    "a marker in a default": "def wanted(ids: list[int] = Query([])): return ids\n",
    "a field with a marker": "class wanted(BaseModel):\n    ids: list[int] = Field(Query([]))\n",
    "a scheme": "from fastapi.security import OAuth2\nwanted = OAuth2()\n",
    "one that something else calls": "def load(ids: list[int]): return ids\ndef wanted(): return load([1])\n",
}


@pytest.mark.parametrize("code", SILENT_DEPENDENCIES.values(), ids=SILENT_DEPENDENCIES)
def test_silent_dependencies(code: str) -> None:
    source = HEAD + "from pydantic import Field\n" + code + USE.format("get")
    assert findings("PB326", source) == []
    assert "requestBody" not in executed(source)["app"].openapi()["paths"]["/x"]["get"]
