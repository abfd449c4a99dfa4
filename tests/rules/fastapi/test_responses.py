"""Traps of invalid-return-annotation and no-content-with-body, and what FastAPI does."""

from __future__ import annotations

import pytest
from fastapi.exceptions import FastAPIError
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

TYPES = """
import abc, dataclasses, datetime, enum
from http import HTTPStatus
from typing import Any, Generic, NamedTuple, Optional, TypeVar, Union
from fastapi import FastAPI, Request, Response, status
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from sqlmodel import Field, SQLModel
T = TypeVar("T")
class Plain:
    pass
class Sub(Plain, abc.ABC):
    pass
class Problem(Exception):
    pass
class Base(DeclarativeBase):
    pass
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
class DataBase(MappedAsDataclass, DeclarativeBase):
    pass
class Card(DataBase):
    __tablename__ = "cards"
    id: Mapped[int] = mapped_column(primary_key=True)
class Table(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int = Field(primary_key=True)
class Schema(BaseModel):
    id: int = 1
class Page(BaseModel, Generic[T]):
    items: list[T] = []
class Own(JSONResponse):
    pass
@dataclasses.dataclass
class Data:
    id: int = 1
class Row(NamedTuple):
    id: int
class Colour(enum.Enum):
    RED = 1
class Known:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return handler(int)
app = FastAPI()
"""
ROUTE = """
@app.get("/")
def route() -> {}:{}
    return None
"""
INVALID = ("Plain", "Sub", "Problem", "Order", "Card", "list[Order]", "dict[str, Plain]", "Plain | None", "Response | dict",
           "Union[JSONResponse, Schema]", "Optional[Response]", "list[Response]", "Own | None")  # fmt: skip
VALID = ("Table", "Schema", "Page[Schema]", "Own", "Response", "Data", "Row", "Colour", "Known", "dict[str, Any]", "Any",
         "object", "None", "datetime.datetime", "list[Data] | None")  # fmt: skip


@pytest.mark.parametrize("annotation", INVALID)
def test_invalid(annotation: str) -> None:
    findings("PB331", TYPES + ROUTE.format(annotation, "  # PB331"))
    source = TYPES + ROUTE.format(annotation, "")
    with pytest.raises(FastAPIError, match="Invalid args for response field"):
        executed(source)
    executed(fix("PB331", source))


@pytest.mark.parametrize("annotation", VALID)
def test_valid(annotation: str) -> None:
    source = TYPES + ROUTE.format(annotation, "")
    assert findings("PB331", source) == []
    executed(source)


NO_ANNOTATION_COUNTS = {
    "a response model": "@app.get('/', response_model=Schema)\ndef route() -> Order: ...",
    "none wanted": "@app.get('/', response_model=None)\ndef route() -> Order: ...",
    "hidden arguments": "@app.get('/', **options)\ndef route() -> Order: ...",
    "a WebSocket": "@app.websocket('/')\nasync def route() -> Order: ...",
    "no route": "def route() -> Order: ...",
    "a decorator between": "@app.get('/')\n@other\ndef route() -> Order: ...",
    "an unknown base": "import library\nclass Far(library.Base): ...\n@app.get('/')\ndef route() -> Far: ...",
}


@pytest.mark.parametrize("code", NO_ANNOTATION_COUNTS.values(), ids=NO_ANNOTATION_COUNTS)
def test_no_annotation_counts(code: str) -> None:
    assert findings("PB331", TYPES + code) == []


MAPPED = """
from fastapi import FastAPI
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
app = FastAPI()
class Base(DeclarativeBase):
    pass
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
STATUS = """
@app.get("/", status_code={})
def route(){}:
    {}
"""
CODES = ("204", "status.HTTP_204_NO_CONTENT", "HTTPStatus.NO_CONTENT", "304", "205")


@pytest.mark.parametrize("code", CODES)
def test_the_value_is_dropped(code: str) -> None:
    source = TYPES + STATUS.format(code, "", "return {'message': 'gone'}{}")
    findings("PB332", source.replace("{}", "  # PB332"))
    before, after = source.replace("{}", ""), fix("PB332", source.replace("{}", ""))
    assert after.endswith("    return\n")
    for text in (before, after):
        assert TestClient(executed(text)["app"]).get("/").content == b""


@pytest.mark.parametrize("annotation", ["Schema", "dict", "list[int]", "Data"])
def test_a_declared_body_is_refused(annotation: str) -> None:
    findings(
        "PB332",
        TYPES + STATUS.format(204, f" -> {annotation}", "...").replace(":\n    ...", ":  # PB332\n    ..."),
    )
    with pytest.raises(AssertionError, match="must not have a response body"):
        executed(TYPES + STATUS.format(204, f" -> {annotation}", "..."))


def test_a_response_model_is_refused() -> None:
    findings(
        "PB332", TYPES + "@app.get('/', status_code=204, response_model=Schema)  # PB332\ndef route(): ..."
    )


def test_a_row_that_may_be_missing_is_dropped_too() -> None:
    route = STATUS.format(204, "", "return session.get(Order, 1)  # PB332")
    findings("PB332", MAPPED + route.replace("route()", "route(session: Session)"))


SILENT = {
    "another status": STATUS.format("201", "", "return {'message': 'there'}"),
    "a response": STATUS.format("204", "", "return Response(status_code=204)"),
    "a response by annotation": STATUS.format("204", " -> Response", "return Response(status_code=204)"),
    "an empty value, which says nothing": STATUS.format("204", "", "return {}"),
    "nothing": STATUS.format("204", " -> None", "return None"),
    "a value that is not known": STATUS.format("204", "", "return unknown()"),
    "a value that may be None": STATUS.format("204", "", "return {1: 2}.get(1)"),
    "a status that the function sets": STATUS.format(
        "204", "", "response.status_code = 200\n    return {'message': 'there'}"
    ).replace("route()", "route(response: Response)"),
    "a status that is not known": STATUS.format("unknown", "", "return {'message': 'there'}"),
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings("PB332", TYPES + code) == []
