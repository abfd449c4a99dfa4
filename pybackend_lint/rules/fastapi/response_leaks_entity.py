"""Rule PB328: response-leaks-entity."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import fastapi, fastapi_responses
from pybackend_lint.rule import Context, rule


@rule(
    "PB328",
    "response-leaks-entity",
    "Answer with a schema of its own: `{model}` is a table, and shows clients its `{field}`",
    nodes=(ast.Module,),
    words=("get", "post", "put", "patch", "delete", "api_route"),
    applies="fastapi",
    severity="error",
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """The response model of a route is a table with a column that clients must not see.

    ## Why
    With SQLModel a table is a Pydantic model as well, and FastAPI serialises all its columns. So the
    hash of the password, the API key or the token goes to whoever may read the object.

    ## Bad
    ```python
    from fastapi import APIRouter
    from shop.models import User

    router = APIRouter(prefix="/users")

    @router.get("/{user_id}", response_model=User)
    def read_user(user_id: int):
        return User(id=user_id, hashed_password="")
    ```
    ```python file=shop/models.py
    from sqlmodel import Field, SQLModel

    class User(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        hashed_password: str
    ```
    ## Good
    ```python
    from fastapi import APIRouter
    from shop.models import User, UserPublic

    router = APIRouter(prefix="/users")

    @router.get("/{user_id}", response_model=UserPublic)
    def read_user(user_id: int):
        return User(id=user_id, hashed_password="")
    ```
    ```python file=shop/models.py
    from sqlmodel import Field, SQLModel

    class UserPublic(SQLModel):
        id: int

    class User(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        hashed_password: str
    ```
    ## Not reported
    ```python
    from fastapi import APIRouter
    from shop.models import Article, User

    router = APIRouter()

    @router.get("/articles/{article_id}", response_model=Article)
    def read_article(article_id: int):  # no column is named like a secret
        return Article(id=article_id)

    @router.get("/users/{user_id}", response_model=User, response_model_exclude={"hashed_password"})
    def read_user(user_id: int):
        return User(id=user_id, hashed_password="")
    ```
    ```python file=shop/models.py
    from sqlmodel import Field, SQLModel

    class Article(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        title: str = ""

    class User(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        hashed_password: str
    ```
    ## When not to use it
    For answers that hand out a secret once, such as a new API key.

    ## References
    - FastAPI: "SQL (Relational) Databases", "HeroPublic, the public data model"
    - OWASP API Security Top 10: "API3 Broken Object Property Level Authorization"
    """
    for route in fastapi.routes(ctx.module):
        found = fastapi_responses.leaked_field(route)
        if found is None or route.function is None or route.function.module is not ctx.module:
            continue
        place, model, field = found
        source = field.owner.module.source
        column = Related(source.path, source.position(source.start(field.node)), f"`{field.name}`")
        yield ctx.finding(place, related=[column], model=model.node.name, field=field.name)
