"""Fixes of code that is laid out in an unusual way: what stands around the edits stays what it was."""

from __future__ import annotations

import pytest

from tests.rules.harness import fix

SESSION = "from sqlalchemy.orm import Session\nfrom shop.models import User\ndef f(session: Session):\n    "
TABS = SESSION.replace("    ", "\t")
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
THREAD = "import asyncio\nfrom shop.exports import write\nasync def f(path: str) -> None:\n    {}\n"
THREAD_FILES = {
    "shop/exports.py": "def write(name: str) -> None:\n    with open(name) as file:\n        file.read()\n"
}
MATCH = (
    "from shop.states import State\n"
    "def f(state: State) -> int:\n"
    "    match state:\n"
    "        case State.A:\n"
    "            return 1\n"
    "        case State.B:\n"
    "            return 2\n"
)
MATCH_FILES = {
    "pyproject.toml": '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "shop/states.py": "from enum import Enum\nclass State(Enum):\n    A = 1\n    B = 2\n    C = 3\n",
}
ADMIN = (
    "from django.contrib import admin\nfrom shop.models import Order\n@admin.register(Order)\n"
    "class OrderAdmin(admin.ModelAdmin):\n    list_display = ['buyer']\n    {}\n"
)
SHOP = "from shop.models import Order\n"
SHOP_FILES = {
    "shop/models.py": "from django.db import models\n"
    "class Customer(models.Model):\n    name = models.TextField()\n"
    "class Order(models.Model):\n    customer = models.ForeignKey(Customer, models.CASCADE)\n"
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
    "a statement in parentheses that becomes an argument": (
        "PB605", THREAD.format("(write(path))"),
        THREAD.format("(await asyncio.to_thread(write, path))"), THREAD_FILES,
    ),
    "quotes that would end an f-string": (
        "PB100", SHOP + "def f():\n    return f\"{[o.customer.name for o in Order.objects.all()]}\"\n",
        SHOP + "def f():\n    return f\"{[o.customer.name for o in Order.objects.all()]}\"\n", SHOP_FILES,
    ),
    "quotes that fit into an f-string": (
        "PB100", SHOP + "def f():\n    return f'{[o.customer.name for o in Order.objects.all()]}'\n",
        SHOP + "def f():\n    return f'{[o.customer.name for o in "
        "Order.objects.all().select_related(\"customer\")]}'\n", SHOP_FILES,
    ),
    "line endings of Windows": (
        "PB025", MATCH.replace("\n", "\r\n"),
        "from typing import assert_never\r\n\r\n" + MATCH.replace("\n", "\r\n")
        + "        case _:\r\n            assert_never(state)\r\n", MATCH_FILES,
    ),
    "a chain with tabs": (
        "PB500",
        TABS + "return (\n\t\tsession.query(User)\n\t\t.order_by(User.id)\n\t\t.all()\n\t)\n",
        TABS.replace("from shop", "from sqlalchemy import select\nfrom shop")
        + "return (\n\t\tsession.scalars(\n\t\t\tselect(User)\n\t\t\t.order_by(User.id)\n\t\t)\n\t\t.all()\n\t)\n",
        {"shop/models.py": MODELS},
    ),
    "the name of a moved import is bound twice": (
        "PB707", "from flask import Markup\nprint(Markup)\nfor Markup in (): ...\n",
        "from flask import Markup\nprint(Markup)\nfor Markup in (): ...\n",
        {"pyproject.toml": '[project]\nname = "a"\nversion = "1"\ndependencies = ["flask>=3"]\n'},
    ),
    "two imports and no header": (
        "PB326",
        "try:\n    from fastapi import FastAPI\nexcept ImportError:\n    raise\n"
        "app = FastAPI()\n@app.get('/')\ndef f(a: list[str]): ...\n",
        "from typing import Annotated\n\nfrom fastapi import Query\n\n"
        "try:\n    from fastapi import FastAPI\nexcept ImportError:\n    raise\n"
        "app = FastAPI()\n@app.get('/')\ndef f(a: Annotated[list[str], Query()]): ...\n", {},
    ),
    "an attribute that is set twice": (
        "PB247", ADMIN.format("list_select_related = []\n    list_select_related = ['seller']"),
        ADMIN.format("list_select_related = []\n    list_select_related = ['seller', \"buyer\"]"),
        {
            "shop/models.py": "from django.db import models\n"
            "class Person(models.Model):\n    name = models.TextField()\n"
            "    def __str__(self): return self.name\n"
            "class Order(models.Model):\n    buyer = models.ForeignKey(Person, models.CASCADE)\n"
            "    seller = models.ForeignKey(Person, models.CASCADE, related_name='sold')\n"
        },
    ),
    "a condition over several lines": (
        "PB106", SHOP + "if (\n    Order.objects\n    .filter(pk=1)  # one\n    .count() > 0\n):\n    print(1)\n",
        SHOP + "if (\n    Order.objects\n    .filter(pk=1).exists()\n):\n    print(1)\n", SHOP_FILES,
    ),
    "arguments over several lines": (
        "PB106", SHOP + "if len(Order.objects.filter(\n    pk=1,\n)):\n    print(1)\n",
        SHOP + "if Order.objects.filter(\n    pk=1,\n).exists():\n    print(1)\n", SHOP_FILES,
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
