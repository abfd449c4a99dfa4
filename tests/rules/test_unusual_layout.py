"""Fixes of code that is laid out in an unusual way: what stands around the edits stays what it was."""

from __future__ import annotations

import pytest

from tests.rules.harness import fix

SESSION = "from sqlalchemy.orm import Session\nfrom shop.models import User\ndef f(session: Session):\n    "
MODELS = (
    "from sqlalchemy import ForeignKey\n"
    "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship\n"
    "class Base(DeclarativeBase): ...\n"
    "class User(Base):\n"
    '    __tablename__ = "users"\n'
    "    id: Mapped[int] = mapped_column(primary_key=True)\n"
)
DJANGO = (
    "from django.db import connection\ndef f(cursor, key):\n    with connection.cursor() as cursor:\n        "
)
ROUTER = "from fastapi import FastAPI\nfrom shop.orders import router\napp = FastAPI()\n"
ROUTERS = {
    "shop/orders.py": "from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/')\ndef f(): ...\n"
}
CASES = {
    "an argument in parentheses": (
        "PB501", SESSION + "return session.query(User).get((key))\n",
        SESSION + "return session.get(User, (key))\n", {"shop/models.py": MODELS},
    ),
    "a statement in parentheses": (
        "PB501", SESSION + "return (session).query(User).get(key)\n",
        SESSION + "return (session).get(User, key)\n", {"shop/models.py": MODELS},
    ),
    "the only argument in parentheses": (
        "PB140", DJANGO + "cursor.execute((f\"SELECT 1 WHERE a = '{key}'\"))\n",
        DJANGO + 'cursor.execute(("SELECT 1 WHERE a = %s"), [key])\n', {},
    ),
    "parentheses behind await": (
        "PB608", "import asyncio\nasync def f(event: asyncio.Event):\n    await (event.set())\n",
        "import asyncio\nasync def f(event: asyncio.Event):\n    (event.set())\n", {},
    ),
    "an annotation in three quotes": (
        "PB022", 'from pydantic import BaseModel\nclass A(BaseModel):\n    b: """int""" = None\n',
        'from pydantic import BaseModel\nclass A(BaseModel):\n    b: "int | None" = None\n', {},
    ),
    "a neighbour on the line": (
        "PB311", ROUTER + "app.include_router(router)\napp.include_router(router); print(app)\n",
        ROUTER + "app.include_router(router)\napp.include_router(router); print(app)\n", ROUTERS,
    ),
    "a comment behind the statement": (
        "PB311", ROUTER + "app.include_router(router)\napp.include_router(router)  # again\nprint(app)\n",
        ROUTER + "app.include_router(router)\nprint(app)\n", ROUTERS,
    ),
    "tabs": (
        "PB404",
        "from pydantic import BaseModel, validator\nclass A(BaseModel):\n\tb: str\n"
        '\t@validator("b")\n\tdef c(cls, v: str) -> str:\n\t\treturn v\n',
        "from pydantic import BaseModel, field_validator\nclass A(BaseModel):\n\tb: str\n"
        '\t@field_validator("b")\n\t@classmethod\n\tdef c(cls, v: str) -> str:\n\t\treturn v\n', {},
    ),
    "a decorator in parentheses": (
        "PB404",
        "from pydantic import BaseModel, validator\nclass A(BaseModel):\n    b: str\n"
        '    @(validator("b"))\n    def c(cls, v: str) -> str:\n        return v\n',
        "from pydantic import BaseModel, validator\nclass A(BaseModel):\n    b: str\n"
        '    @(validator("b"))\n    def c(cls, v: str) -> str:\n        return v\n', {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "after", "files"), CASES.values(), ids=CASES)
def test_fix(rule: str, before: str, after: str, files: dict[str, str]) -> None:
    assert fix(rule, before, files=files) == after
