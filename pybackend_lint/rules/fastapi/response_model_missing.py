"""Rule PB327: response-model-missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related, Severity
from pybackend_lint.frameworks import fastapi, fastapi_responses
from pybackend_lint.rule import Context, rule

_FAILS = "Declare what `{function}` returns: it answers 500, `{entity}` cannot be sent as `{annotation}`"


@rule(
    "PB327",
    "response-model-missing",
    "Declare what `{function}` returns: clients get every loaded column of `{entity}`",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route", "add_api_route"),
    applies="fastapi",
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A route without response model returns objects of a mapped class, alone, in a list or in a dictionary.

    ## Why
    FastAPI serialises whatever the object has loaded: password hashes, internal notes, and each column
    that is added later. The OpenAPI document says nothing about the answer, so generated clients have
    no type for it.

    Tables of SQLModel count as well, also with `Any` as the return annotation. With a mapped class of
    SQLAlchemy, `Any` or a dictionary or list of anything as the return annotation makes the answer
    500: Pydantic, which serialises it then, has no way to. A mapped class of SQLAlchemy as the return
    annotation keeps the application from starting, which is PB331's.

    ## Bad
    ```python
    from fastapi import APIRouter
    from shop import services

    router = APIRouter(prefix="/users")

    @router.get("/{user_id}")
    def read_user(user_id: int):
        return services.get_user(user_id)
    ```
    ```python file=shop/services.py
    from shop.models import User

    def get_user(user_id: int) -> User:
        return User(id=user_id)
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        password_hash: Mapped[str] = mapped_column(default="")
    ```
    ## Good
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel
    from shop import services

    router = APIRouter(prefix="/users")

    class UserRead(BaseModel):
        id: int

    @router.get("/{user_id}", response_model=UserRead)
    def read_user(user_id: int):
        return services.get_user(user_id)
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter
    from fastapi.responses import HTMLResponse
    from shop import services

    router = APIRouter(prefix="/users")

    @router.get("/{user_id}/name")
    def read_name(user_id: int):
        return {"name": services.get_name(user_id)}  # no entity

    @router.get("/{user_id}", response_model=None)  # said on purpose
    def read_user(user_id: int):
        return services.get_user(user_id)

    @router.get("/{user_id}/card", response_class=HTMLResponse)  # no JSON
    def read_card(user_id: int):
        return services.get_user(user_id)
    ```
    ```python file=shop/services.py
    from shop.models import User

    def get_user(user_id: int) -> User:
        return User(id=user_id)

    def get_name(user_id: int) -> str:
        return f"User {user_id}"
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
    ```
    ## When not to use it
    In internal services whose only client reads the same tables.

    ## References
    - FastAPI: "Response Model - Return Type"
    - OWASP API Security Top 10: "API3 Broken Object Property Level Authorization"
    """
    for route in fastapi.routes(ctx.module):
        function = route.function
        if function is None or function.module is not ctx.module:
            continue
        shown = fastapi_responses.returned_entities(route)
        failing = [] if shown else fastapi_responses.unserialisable_entities(route)
        for statement, entity in [*shown, *failing][:1]:
            source = entity.module.source
            place = Related(source.path, source.position(source.start(entity.node)), "the mapped class")
            yield ctx.finding(
                statement,
                related=[place],
                message=_FAILS if failing else None,
                severity=Severity.ERROR if failing else None,
                function=function.node.name,
                entity=entity.node.name,
                annotation=ctx.text(function.node.returns) if function.node.returns is not None else "",
            )
