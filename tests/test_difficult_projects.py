"""Cycles, recursion, overloads, conditional definitions and star imports: the rules across files end.

What is certain there is found, what is not stays silent, and the answers do not depend on the file that
is checked first.
"""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.registry import ENTRIES
from pybackend_lint.settings import Selection, Settings
from tests.rules.harness import check, markers, write

DJANGO = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["django>=5.2"]\n'
FASTAPI = (
    '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
    'dependencies = ["fastapi>=0.128", "requests>=2.32"]\n'
)
SQLALCHEMY = (
    '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
    'dependencies = ["fastapi>=0.128", "sqlalchemy>=2.0"]\n'
)
PROJECTS = {
    "mapped classes that need each other": {
        "pyproject.toml": SQLALCHEMY,
        "base.py": """
            from sqlalchemy.orm import DeclarativeBase
            class Base(DeclarativeBase): ...
        """,
        "orders.py": """
            from __future__ import annotations
            from typing import TYPE_CHECKING
            from sqlalchemy.orm import Mapped, mapped_column, relationship
            from base import Base
            if TYPE_CHECKING:
                from lines import Line
            class Order(Base):
                __tablename__ = "orders"
                id: Mapped[int] = mapped_column(primary_key=True)
                lines: Mapped[list[Line]] = relationship(back_populates="order")
                def total(self):
                    return sum(line.part() for line in self.lines)
        """,
        "lines.py": """
            from __future__ import annotations
            from sqlalchemy import ForeignKey
            from sqlalchemy.orm import Mapped, mapped_column, relationship
            from base import Base
            from orders import Order
            class Line(Base):
                __tablename__ = "lines"
                id: Mapped[int] = mapped_column(primary_key=True)
                order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
                order: Mapped[Order] = relationship(back_populates="lines")
                def part(self):
                    return 1 / self.order.total()
        """,
        "routes.py": """
            from sqlalchemy import select
            from sqlalchemy.ext.asyncio import AsyncSession
            from orders import Order
            async def lines(session: AsyncSession):
                order = (await session.scalars(select(Order))).one()
                return order.lines  # PB520
            async def total(session: AsyncSession):
                order = (await session.scalars(select(Order))).one()
                return order.total()  # PB521
        """,
    },
    "coroutines that call each other": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            import b
            async def ping(n):
                if n:
                    b.pong(n - 1)  # PB607
        """,
        "b.py": """
            from typing import overload
            import a
            async def pong(n):
                await a.ping(n)
            @overload
            async def send(to: int) -> None: ...
            @overload
            async def send(to: str) -> None: ...
            async def send(to):
                send(to)  # PB607
            try:
                from fast import work
            except ImportError:
                async def work(): ...
            def start():
                work()
        """,
        "fast.py": "def work(): ...\n",
    },
    "errors of functions that call each other": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            import b
            class Missing(Exception): ...
            def find(n):
                if n < 0:
                    raise Missing(n)
                return b.search(n - 1)
        """,
        "b.py": """
            import a
            def search(n):
                return a.find(n - 1)
        """,
        "main.py": """
            from fastapi import FastAPI, HTTPException
            import a
            import b
            app = FastAPI()
            @app.get("/{n}")
            def show(n: int):
                try:
                    return a.find(n)
                except a.Missing as error:
                    raise HTTPException(404, "none") from error
            @app.get("/{n}/again")
            def again(n: int):
                return b.search(n)  # PB911
        """,
    },
    "functions that call each other in a circle": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            import b
            def even(n):
                return True if n == 0 else b.odd(n - 1)
            async def route():
                return even(10)  # PB600
            async def silent():
                return b.count(3)
        """,
        "b.py": """
            import requests
            import a
            def odd(n):
                requests.get("https://example.org", timeout=3)
                return False if n == 0 else a.even(n - 1)
            def count(n):
                return 0 if n == 0 else 1 + other(n)
            def other(n):
                return count(n - 1)
        """,
    },
    "modules that import each other": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            import b
            class Base:
                def load(self):
                    return self.name()
                def name(self):
                    return "base"
            async def route():
                return b.Child().load()  # PB600
        """,
        "b.py": """
            import time
            import a
            class Child(a.Base):
                def load(self):
                    time.sleep(1)
                    return super().load()
        """,
    },
    "classes that are their own bases": {
        "pyproject.toml": DJANGO,
        "a.py": "from b import B  # PB961\n\n\nclass A(B): ...\n\n\nrows = [a.x.y for a in A.objects.all()]\n",
        "b.py": "from a import A\n\n\nclass B(A): ...\n",
    },
    "names that are each other": {
        "pyproject.toml": FASTAPI,
        "a.py": "from b import name  # PB961\n\n\nasync def f():\n    return name()\n",
        "b.py": "from a import name\n",
        "c.py": "from c import *\n\nx = y\ny = x\n\n\nasync def f():\n    return x()\n",
    },
    "star imports in a circle": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            from b import *
            def here():
                return there()
            async def route():
                return here()  # PB600
        """,
        "b.py": """
            from a import *
            from c import *
        """,
        "c.py": """
            import requests
            def there():
                return requests.get("https://example.org", timeout=3)
        """,
    },
    "star imports in a circle, what is asked for behind it": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            from b import *
            async def route():
                return there()  # PB600
        """,
        "b.py": """
            from c import *
            from a import *
            async def other():
                return there()  # PB600
        """,
        "c.py": """
            import requests
            def there():
                return requests.get("https://example.org", timeout=3)
        """,
    },
    "a package that imports all of a module that imports from the package": {
        "pyproject.toml": FASTAPI,
        "shop/__init__.py": "from .orders import *\n",
        "shop/orders.py": """
            from . import rates
            async def route():
                return rates.today()  # PB600
        """,
        "shop/rates/__init__.py": "from .remote import *\n",
        "shop/rates/remote.py": """
            import requests
            def today():
                return requests.get("https://example.org", timeout=3)
        """,
    },
    "functions whose results are made from each other": {
        "pyproject.toml": DJANGO,
        "shop/__init__.py": "",
        "shop/models.py": """
            from django.db import models
            class Shop(models.Model):
                name = models.CharField(max_length=9)
                parent = models.ForeignKey("self", models.CASCADE, null=True)
        """,
        "shop/first.py": """
            from shop import second
            from shop.models import Shop
            def shops(again=True) -> "list[Shop]":
                return list(second.others())
            def names():
                return [shop.parent.name for shop in Shop.objects.filter(name=second.word(shops()))]  # PB100
        """,
        "shop/second.py": """
            from shop import first
            from shop.models import Shop
            def others():
                first.shops(False)
                return Shop.objects.order_by("name")
            def word(shops):
                return "a"
            def names():
                return [shop.parent.name for shop in others()]  # PB100
        """,
    },
    "a query that is made in more steps than can be followed at once": {
        "pyproject.toml": DJANGO,
        "shop/__init__.py": "",
        "shop/models.py": """
            from django.db import models
            class Shop(models.Model):
                name = models.CharField(max_length=9)
                parent = models.ForeignKey("self", models.CASCADE, null=True)
        """,
        "shop/queries.py": "from shop.models import Shop\n\n\ndef shops():\n    found = Shop.objects.all()\n"
        + "    found = found.exclude(name='')\n" * 60
        + "    return found\n\n\ndef chained():\n    return Shop.objects.all()"
        + ".exclude(name='')" * 60
        + "\n",
        "shop/admin.py": """
            from shop import queries
            def names():
                return [shop.parent.name for shop in queries.shops()]  # PB100
        """,
        "shop/reports.py": """
            from shop import queries
            def names():
                return [shop.parent.name for shop in queries.chained()]  # PB100
        """,
    },
    "overloads": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            from typing import overload
            import requests
            @overload
            def read(key: int) -> int: ...
            @overload
            def read(key: str) -> str: ...
            def read(key):
                return requests.get(f"https://example.org/{key}", timeout=3).text
            async def route():
                return read(1)  # PB600
        """,
    },
    "definitions that depend on a condition": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            import sys
            import requests
            if sys.platform == "win32":
                def read(key):
                    return requests.get(key, timeout=3)
            else:
                def read(key):
                    return key
            try:
                from fast import load
            except ImportError:
                def load(key):
                    return requests.get(key, timeout=3)
            async def route(key):
                return read(key)
            async def other(key):
                return load(key)
        """,
        "fast.py": "def load(key):\n    return key\n",
    },
    "querysets and managers in a circle": {
        "pyproject.toml": DJANGO,
        "shop/__init__.py": "",
        "shop/models.py": """
            from django.db import models
            from shop import querysets
            class Shop(models.Model):
                name = models.CharField(max_length=9)
                parent = models.ForeignKey("self", models.CASCADE, null=True)
                objects = querysets.Shops.as_manager()
        """,
        "shop/querysets.py": """
            from django.db import models
            from shop import models as own
            class Shops(models.QuerySet):
                def near(self):
                    return self.far()
                def far(self):
                    return self.near()
                def all_names(self):
                    return [shop.parent.name for shop in own.Shop.objects.filter(name="a")]  # PB100
            def unknown():
                return [shop.parent.name for shop in own.Shop.objects.near()]
        """,
    },
    "dependencies that need each other": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            from typing import Annotated
            from fastapi import Depends, FastAPI
            import b
            app = FastAPI()
            def one(x: "Annotated[int, Depends(b.two)]"):
                return x
            @app.get("/{key}")
            def route(key: str, x: Annotated[int, Depends(one)]):
                return x
        """,
        "b.py": """
            from typing import Annotated
            from fastapi import Depends
            import a
            def two(x: "Annotated[int, Depends(a.one)]"):
                return x
        """,
    },
    "a method that calls itself through its class": {
        "pyproject.toml": FASTAPI,
        "a.py": """
            import requests
            class Node:
                parent: "Node"
                @property
                def root(self):
                    return self.parent.root
                def walk(self, depth=0):
                    return self.root.walk(depth + 1) if depth < 3 else requests.get("https://example.org", timeout=3)
            node = Node()
            async def route():
                return node.walk()  # PB600
        """,
    },
}  # fmt: skip
DEFAULT = tuple(entry.code for entry in ENTRIES if entry.code != "PB000")


@pytest.mark.parametrize("files", PROJECTS.values(), ids=PROJECTS)
def test_ends_and_is_right_or_silent(files: dict[str, str], tmp_path: Path) -> None:
    texts = {path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()}
    write(tmp_path, texts)
    expected = {path: markers(text) for path, text in texts.items() if path.endswith(".py")}
    marked = {code for found in expected.values() for _, code in found}
    all_rules = Settings(root=tmp_path, selections=(Selection(extend_select=DEFAULT),))
    answers = []
    for order in itertools.islice(itertools.permutations(expected), 6):
        engine = Engine(all_rules)
        answers.append({path: check(tmp_path, path, all_rules, engine) for path in order})
    answers.append({path: check(tmp_path, path, all_rules) for path in expected})
    assert all(answer == answers[0] for answer in answers)
    relevant = marked | {"PB100", "PB102", "PB600", "PB961"}
    found = {
        path: [(finding.start.row, finding.code) for finding in answers[0][path] if finding.code in relevant]
        for path in expected
    }
    assert found == expected
