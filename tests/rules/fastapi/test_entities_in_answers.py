"""Traps of response-model-missing and response-leaks-entity, and what clients really get."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings

MODELS = """
from typing import Generic, Optional, TypeVar
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, SecretStr
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel
class Base(DeclarativeBase):
    pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    password_hash: Mapped[str] = mapped_column(default="")
class Account(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
    hashed_password: str = ""
    name: str = ""
class AccountChild(Account):
    extra: str = ""
class Key(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
    api_key: str = ""
class Plain(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
    max_tokens: int = 1
    token_type: str = ""
    has_password: bool = True
class Hidden(SQLModel, table=True):
    __table_args__ = {"extend_existing": True}
    id: int | None = Field(default=None, primary_key=True)
    password: str = Field(default="", exclude=True)
class Login(BaseModel):
    password: str
class UserRead(BaseModel):
    id: int
app = FastAPI()
def load() -> User:
    return User(id=1, password_hash="secret")
def load_all() -> list[User]:
    return [load()]
"""
WITHOUT_MODEL = {
    "an object": "@app.get('/')\ndef read():\n    return User(id=1)  # PB327\n",
    "of a function": "@app.get('/')\ndef read():\n    return load()  # PB327\n",
    "a list": "@app.get('/')\nasync def read():\n    return load_all()  # PB327\n",
    "a variable": "@app.get('/')\ndef read():\n    user = load()\n    return user  # PB327\n",
    "in a dictionary": "@app.get('/')\ndef read():\n    return {'page': 1, 'users': load_all()}  # PB327\n",
    "in a dictionary of a dictionary": (
        "@app.get('/')\ndef read():\n    return {'data': {'user': load()}}  # PB327\n"
    ),
    "beside a number": "@app.get('/')\ndef read():\n    return load_all(), 2  # PB327\n",
    "by key": "@app.get('/')\ndef read():\n    return {user.id: user for user in load_all()}  # PB327\n",
    "one by one": "@app.get('/')\ndef read():\n    return (user for user in load_all())  # PB327\n",
    "in dictionaries of a list": (
        "@app.get('/')\ndef read():\n    return [{'user': user} for user in load_all()]  # PB327\n"
    ),
    "with keywords": "@app.get('/')\ndef read():\n    return dict(user=load(), page=1)  # PB327\n",
    "by a name": "@app.get('/')\ndef read():\n    answer = {'user': load()}\n    return answer  # PB327\n",
    "or nothing": "@app.get('/')\ndef read(deep: bool):\n    return load() if deep else {}  # PB327\n",
    "else nothing": "@app.get('/')\ndef read():\n    return load() or {}  # PB327\n",
    "encoded before": (
        "from fastapi.encoders import jsonable_encoder\n"
        "@app.get('/')\ndef read():\n    return jsonable_encoder(load())  # PB327\n"
    ),
    "without decorator": "def read():\n    return load()  # PB327\napp.add_api_route('/', read)\n",
    "a table of SQLModel as anything": (
        "from typing import Any\n@app.get('/')\ndef read() -> Any:\n    return Account(id=1)  # PB327\n"
    ),
    "a table of SQLModel": "@app.get('/')\ndef read():\n    return Account(id=1)  # PB327\n",
}
DECLARED = {
    "a response model": "@app.get('/', response_model=UserRead)\ndef read():\n    return load()\n",
    "on purpose": "@app.get('/', response_model=None)\ndef read():\n    return load()\n",
    "an annotation": "@app.get('/')\ndef read() -> UserRead:\n    return load()\n",
    "another class of response": "@app.get('/', response_class=PlainTextResponse)\ndef read():\n    return load()\n",
    "an answer without body": "@app.get('/', status_code=204)\ndef read():\n    return load()\n",
    "a dictionary of encoded objects": (
        "from typing import Any\nfrom fastapi.encoders import jsonable_encoder\n"
        "@app.get('/')\ndef read() -> dict[str, Any]:\n    return {'user': jsonable_encoder(load())}\n"
    ),
    "hidden arguments": "import library\n@app.get('/', **library.options)\ndef read():\n    return load()\n",
    "a dictionary of values": "@app.get('/')\ndef read():\n    return {'id': load().id, **vars(load())}\n",
    "registered with a model": "def read():\n    return load()\napp.add_api_route('/', read, response_model=UserRead)\n",
    "registered under a decorator": (
        "import library\n@library.cached\ndef read():\n    return load()\napp.add_api_route('/', read)\n"
    ),
    "a schema": "@app.get('/')\ndef read():\n    return UserRead.model_validate(load(), from_attributes=True)\n",
    "a value that is not known": "import library\n@app.get('/')\ndef read():\n    return library.load()\n",
    "a column of each": "@app.get('/')\ndef read():\n    return {user.id: user.id for user in load_all()}\n",
    "a column behind a test": "@app.get('/')\ndef read():\n    return load() and load().id\n",
    "encoded without some": (
        "from fastapi.encoders import jsonable_encoder\n"
        "@app.get('/')\ndef read():\n    return jsonable_encoder(load(), exclude={'password_hash'})\n"
    ),
    "a decorator between": "import library\n@app.get('/')\n@library.cached\ndef read():\n    return load()\n",
    "no route": "def read():\n    return load()\n",
}


@pytest.mark.parametrize("code", WITHOUT_MODEL.values(), ids=WITHOUT_MODEL)
def test_without_response_model(code: str) -> None:
    findings("PB327", MODELS + code)


@pytest.mark.parametrize("code", DECLARED.values(), ids=DECLARED)
def test_declared(code: str) -> None:
    assert findings("PB327", MODELS + code) == []


@pytest.mark.parametrize(
    "code",
    [code for name, code in WITHOUT_MODEL.items() if "load" in code and name != "without decorator"],
)
def test_clients_get_the_hash_without_a_model(code: str) -> None:
    answer = TestClient(executed(MODELS + code)["app"]).get("/?deep=1").text
    assert '{"id":1,"password_hash":"secret"}' in answer


def test_pydantic_serialises_dataclasses_as_anything() -> None:
    source = MODELS.replace("Base(DeclarativeBase)", "Base(MappedAsDataclass, DeclarativeBase)").replace(
        "import DeclarativeBase", "import MappedAsDataclass, DeclarativeBase"
    )
    route = "from typing import Any\n@app.get('/')\ndef read() -> Any:\n    return load()\n"
    assert findings("PB327", source + route) == []
    client = TestClient(executed(source + route)["app"])
    assert client.get("/").json() == {"id": 1, "password_hash": "secret"}


FAILING = ("Any", "dict", "dict[str, Any]", "list[Any]", "Dict[str, Any]")


@pytest.mark.parametrize("annotation", FAILING)
@pytest.mark.parametrize("value", ["load()", "{'user': load()}", "load_all()", "[{'user': load()}]"])
def test_pydantic_does_not_serialise_other_objects_as_anything(annotation: str, value: str) -> None:
    route = "from typing import Any, Dict\n@app.get('/')\ndef read() -> {}:\n    return {}  # PB327\n"
    source = MODELS + route.format(annotation, value)
    (found,) = findings("PB327", source)
    assert found.message == (
        f"Declare what `read` returns: it answers 500, `User` cannot be sent as `{annotation}`"
    )
    client = TestClient(executed(source)["app"], raise_server_exceptions=False)
    assert client.get("/").status_code == 500


def test_clients_get_what_a_model_says() -> None:
    assert TestClient(executed(MODELS + DECLARED["a response model"])["app"]).get("/").json() == {"id": 1}


LEAKS = ("Account", "list[Account]", "Account | None", "Optional[Account]", "AccountChild", "Key")
SAFE = ("Plain", "Hidden", "Login", "UserRead", "list[Plain]", "dict[str, str]")
ROUTE = (
    "@app.get('/', response_model={}){}\ndef read():\n    return Account(id=1, hashed_password='secret')\n"
)


@pytest.mark.parametrize("model", LEAKS)
def test_leaks(model: str) -> None:
    findings("PB328", MODELS + ROUTE.format(model, "  # PB328"))
    findings("PB328", MODELS + f"@app.get('/')\ndef read() -> {model}: ...  # PB328\n")


@pytest.mark.parametrize("model", SAFE)
def test_no_leak(model: str) -> None:
    assert findings("PB328", MODELS + ROUTE.format(model, "")) == []


@pytest.mark.parametrize(
    "code",
    [
        "@app.get('/', response_model=Account, response_model_exclude={'hashed_password'})\ndef read(): ...\n",
        "@app.get('/', response_model=Account, response_model_include={'id'})\ndef read(): ...\n",
        "@app.get('/', response_model=UserRead)\ndef read() -> Account: ...\n",
        "@app.post('/keys', response_model=Key)\ndef create(): ...\n",
    ],
)
def test_left_out_or_shown_once(code: str) -> None:
    assert findings("PB328", MODELS + code) == []


def test_clients_get_the_column_of_the_table() -> None:
    client = TestClient(executed(MODELS + ROUTE.format("Account", ""))["app"])
    assert client.get("/").json()["hashed_password"] == "secret"
