"""Traps of raw-dict-body, and the status that such a route answers with."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import PROJECTS, findings

HEAD = """
from typing import Annotated, Any, Dict, Optional
from fastapi import Body, Depends, FastAPI, Request
from pydantic import BaseModel, TypeAdapter

app = FastAPI()

class Order(BaseModel):
    name: str

def parsed() -> dict: return {}

def place(name: str) -> str: return name

def keep(**fields: str) -> dict: return fields

async def signed(request: Request) -> str: return str(await request.body())

@app.post("/")
"""
FOUND = {
    "a dictionary": "def route(body: dict):  # PB325\n    return body['name']\n",
    "of anything": "def route(body: Dict[str, Any]):  # PB325\n    return body['name']\n",
    "optional": "def route(body: Optional[dict] = None):  # PB325\n    return body['name']\n",
    "marked": "def route(body: Annotated[Any, Body()]):  # PB325\n    return body['name']\n",
    "unpacked into a function": "def route(body: dict):  # PB325\n    return place(**body)\n",
    "read by hand": (
        "async def route(request: Request):\n"
        "    body = await request.json()  # PB325\n    return body['name']\n"
    ),
}
SILENT = {
    "values of one type": "def route(body: dict[str, int]):\n    return body['name']\n",
    "not a body": "def route(body: Annotated[dict, Depends(parsed)]):\n    return body['name']\n",
    "validated": "def route(body: dict):\n    return Order.model_validate(body).name\n",
    "validated by construction": "def route(body: dict):\n    return Order(**body).name\n",
    "validated first": (
        "def route(body: dict):\n    TypeAdapter(Order).validate_python(body)\n    return body['name']\n"
    ),
    "unpacked into what takes everything": "def route(body: dict):\n    return keep(**body)\n",
    "handed on": "def route(body: dict):\n    print(body)\n    return forward(body)\n",
    "a key that the configuration names": (
        "async def route(request: Request):\n"
        "    body = await request.json()\n    return body.get(app.state.event_key)\n"
    ),
    "every key": "def route(body: dict):\n    return [key for key in body]\n",
    "a dependency reads the bytes too": (
        "def route(body: dict, key: str = Depends(signed)):\n    return body['name']\n"
    ),
    "anything is a query parameter": "def route(body: Any):\n    return body['name']\n",
}


@pytest.mark.parametrize("route", FOUND.values(), ids=FOUND)
def test_a_missing_key_is_a_server_error(route: str) -> None:
    assert len(findings("PB325", HEAD + route)) == 1
    client = TestClient(executed(HEAD + route)["app"], raise_server_exceptions=False)
    assert client.post("/", json={}).status_code == 500


@pytest.mark.parametrize("route", SILENT.values(), ids=SILENT)
def test_silent(route: str) -> None:
    assert findings("PB325", HEAD + route) == []


def test_functions_that_are_no_routes_are_silent() -> None:
    assert findings("PB325", "def total(order: dict):\n    return order['total']\n") == []


def test_webhooks_whose_router_checks_the_signature_are_silent() -> None:
    path = "orders_api/routers/webhooks.py"
    text = (PROJECTS / "fastapi_orders" / path).read_text()
    assert findings("PB325", text, project="fastapi_orders", path=path) == []
    unsigned = text.replace(", dependencies=[Depends(signed)]", "").replace("-> str:", "-> str:  # PB325")
    assert len(findings("PB325", unsigned, project="fastapi_orders", path=path)) == 2
