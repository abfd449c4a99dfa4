"""Traps of future-annotations-breaks-runtime, and what FastAPI answers."""

from __future__ import annotations

import textwrap

import pytest
from fastapi.testclient import TestClient

from tests.rules.execution import executed
from tests.rules.harness import documentation, entry_of, examples, findings

HEAD = """
from __future__ import annotations
from typing import Annotated
from fastapi import Body, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, validate_call
"""
SILENT = {
    "bound in the module too": """
        def create_app():
            from fastapi import Request
            app = FastAPI()
            @app.get("/")
            def index(request: Request): return 1
            return app
    """,
    "a global of the function": """
        def create_app():
            global Order
            class Order(BaseModel):
                number: int = 1
            app = FastAPI()
            @app.get("/")
            def index() -> Order: return Order()
            return app
    """,
    "not evaluated": """
        def create_app():
            class User: ...
            app = FastAPI()
            def current() -> User: return User()
            @app.get("/")
            def index(user: User = Depends(current)):
                other: User = user
                def helper(user: User) -> User: return user
                return 1 if helper(other) else 0
            return app
    """,
    "sent as it is": """
        def create_app():
            from starlette.responses import PlainTextResponse
            app = FastAPI()
            @app.get("/")
            def index() -> PlainTextResponse: return PlainTextResponse("ok")
            return app
    """,
    "the response model is given": """
        def create_app():
            class Order(BaseModel):
                number: int = 1
            app = FastAPI()
            @app.get("/", response_model=Order)
            def index() -> Order: return Order()
            return app
    """,
    "found by Pydantic in the function": """
        def create_app():
            class Line(BaseModel):
                amount: int = 1
            class Order(BaseModel):
                lines: list[Line] = [Line()]
            @validate_call
            def total(order: Order) -> int: return len(order.lines)
            app = FastAPI()
            @app.get("/")
            def index() -> int: return total({})
            return app
    """,
    "a function that is no route": """
        def create_app():
            class Order(BaseModel): ...
            app = FastAPI()
            def show(order: Order) -> Order: return order
            @app.get("/")
            def index(): return show(Order())
            return app
    """,
    "names of a lambda": """
        def create_app():
            app = FastAPI()
            @app.get("/")
            def index(user: Annotated[int, Depends(lambda: [n for n in (1,)][0])]): return user
            return app
    """,
}
FOUND = {
    "a body model": """
        def create_app():
            class Order(BaseModel):
                number: int = 1
            app = FastAPI()
            @app.post("/")
            def index(order: Order): return 1  # PB017
            return app
    """,
    "imported in the function": """
        def create_app():
            from fastapi import BackgroundTasks
            app = FastAPI()
            @app.post("/")
            def index(tasks: BackgroundTasks): return 1  # PB017
            return app
    """,
    "a dependency": """
        def create_app():
            def current(): return 1
            app = FastAPI()
            @app.post("/")
            def index(user: Annotated[int, Depends(current)]): return 1  # PB017
            return app
    """,
    "of a dependency": """
        def create_app():
            from fastapi import WebSocket, BackgroundTasks
            def current(tasks: BackgroundTasks): return 1  # PB017
            app = FastAPI()
            @app.post("/")
            def index(user=Depends(current)): return 1
            return app
    """,
    "an alias with a dependency": """
        def create_app():
            def current(): return 1
            User = Annotated[int, Depends(current)]
            app = FastAPI()
            @app.post("/")
            def index(user: User): return 1  # PB017
            return app
    """,
    "a model that is sent": """
        def create_app():
            class Order(BaseModel):
                number: int = 1
            app = FastAPI()
            @app.post("/")
            def index() -> list[Order]: return [Order()]  # PB017
            return app
    """,
    "a model with a marker of the body": """
        def create_app():
            class Order(BaseModel):
                number: int = 1
            app = FastAPI()
            @app.post("/")
            def index(order: Order = Body()): return 1  # PB017
            return app
    """,
}


def program(body: str) -> str:
    return HEAD.lstrip() + textwrap.dedent(body)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_works(source: str) -> None:
    findings("PB017", program(source))
    app = executed(program(source))["create_app"]()
    assert TestClient(app).get("/").status_code == 200


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found_and_fails_only_with_the_import(source: str) -> None:
    text = program(source)
    assert all(len(finding.related) == 2 for finding in findings("PB017", text))
    answers = []
    for version in (text, text.replace("from __future__ import annotations\n", "")):
        client = TestClient(executed(version)["create_app"](), raise_server_exceptions=False)
        answers.append(client.post("/", json={"number": 1}).status_code)
    assert answers[0] in {422, 500}
    assert answers[1] == 200


def test_silent_without_the_import() -> None:
    findings("PB017", program(FOUND["a body model"]).partition("\n")[2].replace("# PB017", ""))


def test_a_class_that_is_its_own_dependency() -> None:
    source = program(
        """
        def create_app():
            class Page:
                def __init__(self, limit: int = 10): self.limit = limit
            app = FastAPI()
            @app.get("/")
            def index(page: Page = Depends()): return page.limit  # PB017
            return app
        """
    )
    findings("PB017", source)
    with pytest.raises(TypeError, match="not a callable"):
        executed(source)["create_app"]()


def test_documented_examples() -> None:
    schemas = "from pydantic import BaseModel\nclass Schema(BaseModel): ...\n"
    for title, expected in (("Bad", 422), ("Good", 200)):
        text = examples(documentation(entry_of("PB017")), title)[0].text
        whole = text.replace("from shop.schemas import Schema\n", schemas)
        client = TestClient(executed(whole)["create_app"]())
        assert client.post("/orders", json={"number": 1}).status_code == expected
