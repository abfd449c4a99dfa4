"""Traps of unhandled-domain-error, and the answer of FastAPI."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import imported
from tests.rules.harness import findings

ERRORS = """
class ShopError(Exception): ...
class Missing(ShopError): ...
class Unpaid(Exception): ...
class MissingBug(ShopError): ...
"""
SERVICE = """
from shop.errors import Missing, MissingBug, Unpaid

def find(number):
    if number > 3:
        raise Missing(number)
    return number

def careful(number):
    try:
        return find(number)
    except Missing:
        return None

def logged(number):
    try:
        return find(number)
    except Missing:
        print("missing")
        raise

def pay(number):
    raise Unpaid

def broken(number):
    raise MissingBug
"""
HEAD = """
from fastapi import FastAPI, HTTPException
from shop.errors import Missing, ShopError
from shop.service import broken, careful, find, logged, pay
app = FastAPI()

@app.get("/first")
def first(number: int):
    try:
        return find(number)
    except Missing:
        raise HTTPException(404)
"""
SILENT = {
    "an error of HTTP": """
        class Gone(HTTPException): ...
        @app.get("/second")
        def second(number: int):
            if number == 3:
                raise Gone(410)
            return find(0) if number < 0 else 1
        @app.exception_handler(Missing)
        def answer(request, error): ...
    """,
    "caught by the service": """
        @app.get("/a")
        def a(number: int):
            return careful(number)
    """,
    "caught by its base": """
        @app.get("/a")
        def a(number: int):
            try:
                return find(number)
            except ShopError:
                raise HTTPException(404)
    """,
    "nobody answers it": """
        @app.get("/a")
        def a(number: int):
            return pay(number)
    """,
    "a bug by its name": """
        @app.get("/a")
        def a(number: int):
            return broken(number)
    """,
    "a handler for its base": """
        @app.exception_handler(ShopError)
        def answer(request, error): ...

        @app.get("/a")
        def a(number: int):
            return find(number)
    """,
    "middleware that may answer": """
        @app.middleware("http")
        async def answer(request, call_next): ...

        @app.get("/a")
        def a(number: int):
            return find(number)
    """,
    "not a route": """
        def a(number: int):
            return find(number)
    """,
}
FOUND = {
    "directly": """
        @app.get("/a")
        def a(number: int):
            return find(number)  # PB911
    """,
    "raised again on the way": """
        @app.get("/a")
        def a(number: int):
            return logged(number)  # PB911
    """,
    "another error is caught": """
        @app.get("/a")
        def a(number: int):
            try:
                return find(number)  # PB911
            except KeyError:
                return None
    """,
}
FILES = {"shop/errors.py": ERRORS, "shop/service.py": SERVICE}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB911", HEAD + textwrap.dedent(SILENT[name]), files=FILES)


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB911", HEAD + textwrap.dedent(FOUND[name]), files=FILES)


def test_the_client_gets_a_500() -> None:
    from fastapi.testclient import TestClient

    texts = {
        "shop.errors": ERRORS,
        "shop.service": SERVICE,
        "main": HEAD + textwrap.dedent(FOUND["directly"]),
    }
    with imported(texts) as modules:
        client = TestClient(modules["main"].app, raise_server_exceptions=False)
        assert client.get("/first?number=4").status_code == 404
        assert client.get("/a?number=4").status_code == 500
