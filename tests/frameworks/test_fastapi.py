"""What FastAPI's names mean: routers, routes, and what is injected."""

from __future__ import annotations

from pathlib import Path

from pybackend_lint.frameworks import fastapi
from pybackend_lint.semantic.module import Module
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
