"""What FastAPI's names mean: routers, routes, and what is injected."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.frameworks import fastapi, fastapi_requests
from pybackend_lint.frameworks.fastapi import Route
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.settings import Settings
from tests.rules.harness import PROJECTS
from tests.semantic.modules import module_of, types

DATABASE = """
from typing import Annotated
from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

async def get_session():
    async with AsyncSession() as session:
        yield session

class Paging:
    def __init__(self, page: int = 1) -> None:
        self.page = page

class Limit:
    def __call__(self) -> int:
        return 3

Session = Annotated[AsyncSession, Depends(get_session)]
"""


def paths(module: Module) -> list[tuple[str | None, list[str] | None, str | None]]:
    """The routes of a module: path, methods, function."""
    return [
        (
            route.path,
            None if route.methods is None else sorted(route.methods),
            None if route.function is None else route.function.name,
        )
        for route in fastapi.routes(module)
    ]


def dependencies(module: Module) -> set[str]:
    """The functions of a module that are dependencies."""
    functions = (node for name in module.scope.bindings for node in module.scope.bindings[name])
    infos = [module.function_info(b.node) for b in functions if b.kind == "function"]  # type: ignore[arg-type]
    return {info.node.name for info in infos if fastapi.is_dependency(info)}


def test_routes_by_decorator_whatever_the_router_is_called(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        {
            "main.py": """
                import fastapi
                from routing import TenantRouter, make

                ITEMS = "/items"
                app = fastapi.FastAPI()
                tenants = TenantRouter()
                made = make()

                @app.get(ITEMS)
                async def items(): ...

                @tenants.api_route(ITEMS + "/{id}", methods=["get", "POST"])
                def item(): ...

                @made.websocket("/live")
                async def live(): ...

                @app.get(f"/{app}")
                async def unknown(): ...

                def added(): ...
                app.add_api_route("/added", added, methods=["PUT"])
            """,
            "routing.py": """
                from fastapi import APIRouter

                class TenantRouter(APIRouter):
                    pass

                def make() -> APIRouter:
                    return APIRouter()
            """,
        },
    )
    assert paths(module) == [
        ("/items", ["GET"], "main.items"),
        ("/items/{id}", ["GET", "POST"], "main.item"),
        ("/live", [], "main.live"),
        (None, ["GET"], "main.unknown"),
        ("/added", ["PUT"], "main.added"),
    ]
    assert all(route.function is not None for route in fastapi.routes(module))


def test_a_router_kept_by_an_object(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        {
            "main.py": """
                from fastapi import APIRouter

                class Server:
                    def __init__(self):
                        self.router = APIRouter()

                        @self.router.get("/health")
                        def health(): ...
            """
        },
    )
    assert paths(module) == [("/health", ["GET"], "main.Server.__init__.health")]


def test_no_routes_of_clients_and_dictionaries(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        {
            "main.py": """
                import requests
                from flask import Flask

                app = Flask(__name__)

                @app.get("/x")
                def view(): ...

                client = requests.Session()
                client.get("/x")
                {}.get("/x")
            """
        },
    )
    assert fastapi.routes(module) == []


def test_parameters_have_the_type_of_what_is_injected(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        {
            "database.py": DATABASE,
            "main.py": """
                from functools import partial
                from fastapi import Depends, Query
                from database import Limit, Paging, Session, get_session

                def five() -> int:
                    return 5

                def route(
                    one: Session,
                    two=Depends(get_session),
                    three=Depends(Paging),
                    four: Paging = Depends(),
                    five=Depends(five),
                    six=Depends(Limit()),
                    seven=Depends(partial(five)),
                    eight=Query(),
                ):
                    probe(one, two, three, four, five, six, seven, eight)
            """,
        },
    )
    session = "sqlalchemy.ext.asyncio.AsyncSession"
    assert types(module) == [
        session, session, "database.Paging", "database.Paging", "builtins.int", "builtins.int",
        "builtins.int", None,
    ]  # fmt: skip


def test_dependencies_are_found_in_every_file(tmp_path: Path) -> None:
    files = {
        "database.py": DATABASE,
        "security.py": """
            def current_user(): ...
            def get_settings(): ...
            def by_decorator(): ...
            def helper(): ...
        """,
        "api/routes.py": """
            import security
            from fastapi import APIRouter, Depends, Security
            from fastapi.params import Depends as Inject

            router = APIRouter(dependencies=[Depends(security.by_decorator)])

            @router.get("/me")
            def me(user=Security(security.current_user), settings=Inject(security.get_settings)):
                return security.helper()
        """,
    }
    assert dependencies(module_of(tmp_path, files, "security.py")) == {
        "current_user",
        "get_settings",
        "by_decorator",
    }
    assert dependencies(module_of(tmp_path, files, "database.py")) == {"get_session"}


ORDERS = PROJECTS / "fastapi_orders"
FILES = ("routers/orders.py", "routers/admin.py", "routers/webhooks.py", "routers/stock.py", "main.py")


def kinds(route: Route) -> dict[str, str | None]:
    """The kinds of a route's parameters."""
    assert route.function is not None
    path = fastapi_requests.path_parameters(route)
    found = {
        parameter.arg: fastapi_requests.parameter_kind(parameter, default, route.function.module, path)
        for parameter, default in route.function.parameters()
    }
    return {name: kind.value if kind is not None else None for name, kind in found.items()}


def described(route: Route) -> tuple[dict[str, str | None], list[str]]:
    """The kinds of a route's parameters and the names of its dependencies."""
    tree = fastapi_requests.route_dependencies(route)
    assert not tree.is_open
    return kinds(route), sorted(local(function) for function in tree.functions)


def local(function: FunctionInfo) -> str:
    """The name of a function as its own project imports it."""
    return f"orders_api.{function.name.rpartition('.orders_api.')[2]}"


def test_parameters_and_dependencies_are_those_that_fastapi_finds() -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fastapi_routes.py"))],
        cwd=ORDERS,
        env={**os.environ, "PYTHONPATH": str(ORDERS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    real = {key.split()[0]: tuple(value) for key, value in json.loads(done.stdout).items()}
    index = Engine(Settings(root=ORDERS)).index
    found = {}
    for name in FILES:
        module = index.at(str(ORDERS / "orders_api" / name))
        assert module is not None
        for route in fastapi.routes(module):
            assert route.function is not None
            found[local(route.function)] = described(route)
    assert len(found) == 17
    assert found == real


OPEN = {
    "an unknown dependency": "@router.get('/')\ndef route(user=Depends(library.current_user())): ...",
    "an unknown list": "@router.get('/', dependencies=library.defaults)\ndef route(): ...",
    "an unknown item": "@router.get('/', dependencies=[library.default])\ndef route(): ...",
    "unpacked arguments": "@router.get('/', **library.options)\ndef route(): ...",
    "a router of a loop": "@router.get('/')\ndef route(): ...\nfor each in (router,):\n    app.include_router(each)",
    "a router of a class of its own": "own = Own()\n@own.get('/')\ndef route(): ...",
}


@pytest.mark.parametrize("code", OPEN.values(), ids=OPEN)
def test_a_tree_with_an_unknown_member_is_open(tmp_path: Path, code: str) -> None:
    head = """
        import library
        from fastapi import APIRouter, Depends, FastAPI

        class Own(APIRouter):
            pass

        app = FastAPI()
        router = APIRouter()
    """
    lines = [line.removeprefix("        ") for line in head.splitlines()]
    module = module_of(tmp_path, {"main.py": "\n".join([*lines, code, ""])})
    (route,) = fastapi.routes(module)
    tree = fastapi_requests.route_dependencies(route)
    assert (tree.is_open, tree.functions) == (True, ())


def test_kinds_that_are_not_known(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        {
            "main.py": """
                import library
                from fastapi import APIRouter

                router = APIRouter(prefix=library.prefix())

                class Plain:
                    pass

                @router.get("/{key}")
                def route(key: str, plain: Plain, other: library.Thing, mixed: int | library.Thing, body: dict): ...
            """
        },
    )
    (route,) = fastapi.routes(module)
    assert fastapi_requests.path_parameters(route) is None
    assert list(kinds(route).values()) == [None, None, None, None, "body"]
    assert fastapi_requests.route_dependencies(route).is_open  # `library.Thing` may be an alias
