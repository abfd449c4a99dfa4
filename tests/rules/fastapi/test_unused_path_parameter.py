"""Traps of unused-path-parameter and path-parameter-mismatch, and what FastAPI answers."""

from __future__ import annotations

import ast

import pytest
from starlette.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

HEAD = """
from dataclasses import dataclass
from functools import wraps
from typing import Annotated
import library
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Request, Security, WebSocket
from pydantic import BaseModel
app = FastAPI()
def dep(key: str) -> str: return key
def outer(inner: Annotated[str, Depends(dep)]) -> str: return inner
class Callable:
    def __call__(self, key: str) -> str: return key
class Base:
    def __init__(self, key: str) -> None: self.key = key
class Child(Base): pass
class Query(BaseModel):
    key: str
Alias = Annotated[str, Depends(dep)]
shared = Depends(dep)
"""

SILENT = {
    "its own parameter": "@app.get('/{key}')\ndef route(key: str): return key",
    "a converter": "@app.get('/{key:path}')\ndef route(key: str): return key",
    "an alias": "@app.get('/{key}')\ndef route(name: Annotated[str, Path(alias='key')]): return name",
    "an alias in a default": "@app.get('/{key}')\ndef route(name: str = Path(alias='key')): return name",
    "a dependency": "@app.get('/{key}')\ndef route(value: Annotated[str, Depends(dep)]): return value",
    "a dependency of a dependency": "@app.get('/{key}')\ndef route(value=Depends(outer)): return value",
    "an alias of a dependency": "@app.get('/{key}')\ndef route(value: Alias): return value",
    "a variable that holds a dependency": "@app.get('/{key}', dependencies=[shared])\ndef route(): ...",
    "a callable instance": "@app.get('/{key}')\ndef route(value=Depends(Callable())): return value",
    "an inherited constructor": "@app.get('/{key}')\ndef route(value: Annotated[Child, Depends()]): return value",
    "a field of a model": "@app.get('/{key}')\ndef route(value: Annotated[Query, Depends()]): return value.key",
    "a list in a variable": """
        guards = [Depends(dep)]
        @app.get('/{key}', dependencies=[*guards, Depends(outer)])
        def route(): ...
    """,
    "a list to which the module adds": """
        guards = [Depends(library.dep)]
        guards.append(Depends(dep))
        @app.get('/{key}', dependencies=guards)
        def route(): ...
    """,
    "a dependency of the router": """
        router = APIRouter(dependencies=[Depends(dep)])
        @router.get('/{key}')
        def route(): ...
    """,
    "a dependency of an included router": """
        router = APIRouter()
        @router.get('/{key}')
        def route(): ...
        app.include_router(router, dependencies=[Depends(dep)])
    """,
    "a dependency of the application": """
        guarded = FastAPI(dependencies=[Depends(dep)])
        router = APIRouter()
        @router.get('/{key}')
        def route(): ...
        def mount(application: FastAPI) -> None:
            application.include_router(router)
    """,
    "a dependency that is not known": "@app.get('/{key}')\ndef route(value=Depends(library.dep)): return value",
    "a list that is not known": "@app.get('/{key}', dependencies=library.all)\ndef route(): ...",
    "a route that gets the request": "@app.get('/{key}')\ndef route(request: Request): return request.url.path",
    "a dependency that reads the request": """
        def read(request: Request) -> str: return request.path_params["key"]
        @app.get('/{key}')
        def route(value: Annotated[str, Depends(read)]): return value
    """,
    "a function that the call of another makes": """
        from collections.abc import Awaitable, Callable
        def required(role: str) -> Callable[..., Awaitable[None]]:
            async def check(key: str) -> None: ...
            return check
        @app.get('/{key}', dependencies=[Depends(required("admin"))])
        def route(): ...
    """,
    "one of two functions that a call makes": """
        def required(role: str):
            def check() -> None: ...
            def other(key: str) -> None: ...
            return check if role else other
        @app.get('/{key}', dependencies=[Depends(required("admin"))])
        def route(): ...
    """,
    "a function that a decorated one makes": """
        @library.adapted
        def required(role: str):
            def check() -> None: ...
            return check
        @app.get('/{key}', dependencies=[Depends(required("admin"))])
        def route(): ...
    """,
    "a function that a call makes another of": """
        def required(role: str):
            def check() -> None: ...
            check = library.adapted(check)
            return check
        @app.get('/{key}', dependencies=[Depends(required("admin"))])
        def route(): ...
    """,
    "a decorator that changes the parameters": """
        def changed(function):
            def inner(key: str): return function(key)
            return inner
        @app.get('/{key}')
        @changed
        def route(): ...
    """,
    "another path without it": "@app.get('/x')\n@app.get('/{key}/x')\ndef route(): ...",
    "an annotation that may hold a dependency": "@app.get('/{key}')\ndef route(user: library.User): ...",
    "a path that is not known": "@app.get(library.path)\ndef route(): ...",
    "a function that is not known": "app.add_api_route('/{key}', library.route)",
    "a method of a class": """
        class Views:
            @app.get('/{key}')
            def route(self): ...
    """,
    "another framework": "@library.get('/{key}')\ndef route(): ...",
}
FOUND = {
    "nothing at all": "@app.get('/{key}')  # PB306\ndef route(): return 1",
    "a converter": "@app.get('/{key:int}')  # PB306\nasync def route(): return 1",
    "one of two": "@app.get('/{shop}/{key}')  # PB306\ndef route(*, key: str): return key",
    "a WebSocket": "@app.websocket('/{key}')  # PB306\nasync def route(socket: WebSocket): await socket.accept()",
    "a decorator that keeps the parameters": """
        def kept(function):
            @wraps(function)
            def inner(*args, **kwargs): return function(*args, **kwargs)
            return inner
        @app.get('/{key}')  # PB306
        @kept
        def route(): return 1
    """,
    "a function that the call of another makes": """
        from typing import Any
        def required(role: str) -> Any:
            def check(name: str) -> None: ...
            return check
        @app.get('/{key}', dependencies=[Depends(required("admin"))])  # PB306
        def route(): return 1
    """,
    "a call that adds the route": """
        def route(): return 1
        app.add_api_route('/{key}', route)  # PB306
    """,
}


def source(code: str) -> str:
    """A module with a route below what all cases share."""
    return HEAD + "\n".join(line.removeprefix("        ") for line in code.splitlines()) + "\n"


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    findings("PB306", source(code))
    findings("PB308", source(code))


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND)
def test_found(code: str) -> None:
    findings("PB306", source(code))


def test_the_name_of_a_dependency_is_no_path_parameter() -> None:
    findings(
        "PB306",
        source("""
        def dep_of_nothing() -> int: return 1
        @app.get('/{value}')  # PB306
        def route(value: Annotated[int, Depends(dep_of_nothing)]): return value
        """),
    )


SIGNATURES = {
    "def f(): ...": "def f(key: str): ...",
    "async def f(): ...": "async def f(key: str): ...",
    "def f(a: int, b: int = 1): ...": "def f(a: int, key: str, b: int = 1): ...",
    "def f(b: int = 1): ...": "def f(key: str, b: int = 1): ...",
    "def f(\n    a: int,\n    b: int = 1,\n): ...": "def f(\n    a: int,\n    key: str,\n    b: int = 1,\n): ...",
    "def f(a: int, /, b: int = 1): ...": "def f(a: int, /, b: int = 1): ...",
    "def f(*, b: int): ...": "def f(*, b: int): ...",
}


@pytest.mark.parametrize(("before", "after"), SIGNATURES.items())
def test_the_new_parameter_has_a_valid_place(before: str, after: str) -> None:
    text = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/{key}')\n"
    fixed = fix("PB306", f"{text}{before}\n")
    ast.parse(fixed)
    assert fixed == f"{text}{after}\n"


MISMATCH = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/items/{%s}")%s
def read(%s: int) -> int: return %s
"""
SIMILAR = {
    ("id", "item_id"): True,
    ("item_id", "item"): True,
    ("itemId", "item_id"): True,
    ("itme_id", "item_id"): True,
    ("order", "customer"): False,
    ("id", "ip"): False,
}


@pytest.mark.parametrize(("names", "similar"), SIMILAR.items(), ids=str)
def test_similar_names(names: tuple[str, str], similar: bool) -> None:
    code = "PB308" if similar else "PB306"
    findings("PB308", MISMATCH % (names[0], "  # PB308" if similar else "", names[1], names[1]))
    findings(code, MISMATCH % (names[0], f"  # {code}", names[1], names[1]))


def test_a_mismatch_is_answered_with_422_until_it_is_fixed() -> None:
    text = MISMATCH % ("id", "", "item_id", "item_id")
    answer = TestClient(executed(text)["app"]).get("/items/7")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "item_id"])
    assert TestClient(executed(fix("PB308", text))["app"]).get("/items/7").json() == 7


@pytest.mark.parametrize(
    "parameters",
    ["a_id: int, b_id: int", "item_id: int, tem_id: int", "item_id: int = Query()", "item_id: Model"],
)
def test_no_mismatch(parameters: str) -> None:
    findings(
        "PB308",
        f"""
        from fastapi import FastAPI, Query
        from pydantic import BaseModel
        class Model(BaseModel):
            number: int
        app = FastAPI()
        @app.get("/{{iitem_id}}")
        def read({parameters}): ...
        """,
    )


def test_a_route_that_gets_the_request_and_requires_another_name() -> None:
    text = """
        from fastapi import FastAPI, Request
        app = FastAPI()
        @app.get("/items/{id}")MARK
        def read(item_id: int, request: Request) -> str: return f"{item_id} {request.method}"
    """
    findings("PB308", text.replace("MARK", "  # PB308"))
    findings(
        "PB308",
        text.replace("MARK", "").replace(
            "item_id: int, request: Request", "request: Request, item_id: int = 0"
        ),
    )


def test_routers_that_functions_make_are_known_and_those_of_tests_are_left_aside() -> None:
    text = """
        from fastapi import APIRouter
        router = APIRouter()
        @router.get("/{key}")MARK
        def read() -> int: return 1
    """
    files = {
        "main.py": """
            from fastapi import APIRouter, Depends, FastAPI
            from example import router
            def key_of(key: str) -> str: return key
            def build() -> APIRouter:
                whole = APIRouter()
                whole.include_router(router)
                return whole
            app = FastAPI()
            app.include_router(build())
        """,
        "tests/test_app.py": "def test_a(client, extra):\n    client.app.include_router(extra)\n",
    }
    findings("PB306", text.replace("MARK", "  # PB306"), files=files)
    files["main.py"] = files["main.py"].replace("build())", "build(), dependencies=[Depends(key_of)])")
    findings("PB306", text.replace("MARK", ""), files=files)


def test_a_name_of_the_prefix_is_no_mismatch() -> None:
    findings(
        "PB308",
        """
        from fastapi import APIRouter, FastAPI
        app = FastAPI()
        router = APIRouter()
        @router.get("/{id}")
        def read(shop_id: int): ...
        app.include_router(router, prefix="/shops/{shop_id}")
        """,
    )
