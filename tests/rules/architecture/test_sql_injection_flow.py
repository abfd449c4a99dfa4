"""Traps of sql-injection-flow, and the fault itself in SQLite."""

from __future__ import annotations

import sqlite3
import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

FLASK = """
import sqlite3
from flask import Flask, request, g
app = Flask(__name__)
COLUMNS = ("name", "born")
"""
SILENT = {
    "quoted by psycopg": """
        from psycopg import sql
        @app.get("/a")
        def a():
            column = sql.Identifier(request.args["column"])
            return g.db.execute(sql.SQL("SELECT {} FROM t").format(column)).fetchall()
    """,
    "bound": """
        @app.get("/a")
        def a():
            return g.db.execute("SELECT 1 FROM t WHERE a = ?", (request.args["a"],)).fetchall()
    """,
    "a number by the converter of the path": """
        @app.get("/a/<int:key>")
        def a(key):
            return g.db.execute(f"SELECT 1 FROM t WHERE a = {key}").fetchall()
    """,
    "a number by conversion": """
        @app.get("/a")
        def a():
            key = int(request.args["a"])
            return g.db.execute(f"SELECT 1 FROM t WHERE a = {key}").fetchall()
    """,
    "a number by the conversion of Flask": """
        @app.get("/a")
        def a():
            key = request.args.get("a", 1, type=int)
            return g.db.execute(f"SELECT 1 FROM t WHERE a = {key}").fetchall()
    """,
    "one of a list": """
        @app.get("/a")
        def a():
            order = request.args["order"]
            if order not in COLUMNS:
                return "", 400
            return g.db.execute("SELECT 1 FROM t ORDER BY " + order).fetchall()
    """,
    "taken from a table": """
        @app.get("/a")
        def a():
            order = {"n": "name", "b": "born"}.get(request.args["order"], "name")
            return g.db.execute("SELECT 1 FROM t ORDER BY " + order).fetchall()
    """,
    "equal to a literal": """
        @app.get("/a")
        def a():
            order = request.args["order"]
            if order == "name":
                return g.db.execute("SELECT 1 FROM t ORDER BY " + order).fetchall()
            return []
    """,
    "validated by a call": """
        @app.get("/a")
        def a():
            order = request.args["order"]
            validate_column(order)
            return g.db.execute("SELECT 1 FROM t ORDER BY " + order).fetchall()
    """,
    "the result of an unknown call": """
        @app.get("/a")
        def a():
            order = quoted(request.args["order"])
            return g.db.execute("SELECT 1 FROM t ORDER BY " + order).fetchall()
    """,
    "placeholders": """
        @app.get("/a")
        def a():
            names = request.args.getlist("name")
            places = ", ".join(["?"] * len(names))
            return g.db.execute(f"SELECT 1 FROM t WHERE a IN ({places})", names).fetchall()
    """,
    "no SQL": """
        @app.post("/graphql")
        def graphql():
            return schema.execute(request.json["query"]).data
    """,
    "nobody calls it with request data": """
        def find(order):
            return g.db.execute("SELECT 1 FROM t ORDER BY " + order).fetchall()

        @app.get("/a")
        def a():
            return find("name")
    """,
    "another item of a result": """
        def both(order):
            return "name", order

        @app.get("/a")
        def a():
            column, shown = both(request.args["order"])
            return g.db.execute("SELECT 1 FROM t ORDER BY " + column).fetchall()
    """,
}
FOUND = {
    "a list of conditions": """
        @app.get("/a")
        def a():
            conditions = []
            for key, value in request.args.items():
                conditions.append(f"{key} = '{value}'")
            query = "SELECT 1 FROM t WHERE " + " AND ".join(conditions)
            return g.db.execute(query).fetchall()  # PB920
    """,
    "grown step by step": """
        @app.get("/a")
        def a():
            query = "SELECT 1 FROM t"
            if request.args.get("order"):
                query += " ORDER BY %s" % request.args["order"]
            return g.db.execute(query).fetchall()  # PB920
    """,
    "through two functions": """
        def ordered(base, column):
            return "{} ORDER BY {}".format(base, column.strip())

        def find(column):
            connection = sqlite3.connect("a.db")
            return connection.execute(ordered("SELECT 1 FROM t", column))  # PB920

        @app.get("/a/<column>")
        def a(column):
            return find(column).fetchall()
    """,
    "a whole statement": """
        @app.get("/a")
        def a():
            connection = sqlite3.connect("a.db")
            cursor = connection.cursor()
            cursor.execute(request.args["sql"])  # PB920
            return cursor.fetchall()
    """,
    "through an attribute of the object": """
        class Finder:
            def __init__(self, order):
                self.order = order

            def rows(self):
                return g.db.execute(f"SELECT 1 FROM t ORDER BY {self.order}").fetchall()  # PB920

        @app.get("/a")
        def a():
            return Finder(request.args["order"]).rows()
    """,
    "the second item of a result": """
        def both(order):
            return "name", order

        @app.get("/a")
        def a():
            shown, column = both(request.args["order"])
            return g.db.execute("SELECT 1 FROM t ORDER BY " + column).fetchall()  # PB920
    """,
    "a dictionary's item": """
        @app.get("/a")
        def a():
            wanted = {"order": request.args["order"], "limit": 3}
            return g.db.execute("SELECT 1 FROM t ORDER BY " + wanted["order"]).fetchall()  # PB920
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB920", FLASK + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB920", FLASK + textwrap.dedent(FOUND[name]))


SERVICE = """
from sqlalchemy import text
from sqlalchemy.orm import Session


class Orders:
    def __init__(self, session: Session) -> None:
        self.session = session

    def sorted(self, column: str) -> list[int]:
        rows = self.session.execute(text(f"SELECT id FROM orders ORDER BY {column}"))  # PB920
        return [row.id for row in rows]
"""
ROUTES = """
from typing import Annotated
from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session
from shop.paging import Paging, paging
from shop.service import Orders

router = APIRouter()


def get_session() -> Session: ...


@router.get("/orders")
def orders(
    page: Annotated[Paging, Depends(paging)], session: Annotated[Session, Depends(get_session)]
) -> list[int]:
    return Orders(session).sorted(page.order)
"""


def paging_module(field: str) -> str:
    return f"""
from pydantic import BaseModel, Field
from typing import Literal


class Paging(BaseModel):
    {field}


def paging(page: Paging) -> Paging:
    return page
"""


def test_body_through_dependency_and_service() -> None:
    files = {"shop/routes.py": ROUTES, "shop/paging.py": paging_module("order: str")}
    (finding,) = findings("PB920", SERVICE, files=files, path="shop/service.py")
    assert [related.message for related in finding.related] == [
        "`page` comes from the body",
        "`page` is what `paging()` gives",
        "passed to `sorted()` as `column`",
    ]


@pytest.mark.parametrize("field", ["order: Literal['id', 'total']", "order: str = Field(pattern='^[a-z]+$')",
                                   "order: int", "order: str = Field(max_length=3)"])  # fmt: skip
def test_constrained_fields_are_harmless(field: str) -> None:
    files = {"shop/routes.py": ROUTES, "shop/paging.py": paging_module(field)}
    findings("PB920", SERVICE.replace("  # PB920", ""), files=files, path="shop/service.py")


def test_one_fault_has_one_code() -> None:
    files = {"shop/routes.py": ROUTES, "shop/paging.py": paging_module("order: str")}
    value = SERVICE.replace("ORDER BY {column}", "WHERE state = '{column}'").replace("  # PB920", "")
    findings("PB920", value, files=files, path="shop/service.py")


def test_django_order_by_of_raw_sql() -> None:
    findings(
        "PB920",
        """
        from django.db import connection


        def orders(request):
            with connection.cursor() as cursor:
                cursor.execute("SELECT id FROM orders ORDER BY " + request.GET.get("sort", "id"))  # PB920
                return cursor.fetchall()
        """,
    )


@pytest.mark.parametrize(("statement", "rows"), [
    ('f"SELECT id FROM customer WHERE email = \'{email}\'", ()', 2),
    ('"SELECT id FROM customer WHERE email = ?", (email,)', 0),
])  # fmt: skip
def test_injected_text_returns_all_rows(statement: str, rows: int) -> None:
    find = executed(f"def find(connection, email):\n    return connection.execute({statement}).fetchall()")[
        "find"
    ]
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT)")
    connection.execute("INSERT INTO customer (email) VALUES ('a@example.com'), ('b@example.com')")
    assert len(find(connection, "nobody' OR '1' = '1")) == rows


def test_forms_of_aiohttp() -> None:
    text = """
    from aiohttp.web import Request
    from shop.store import create

    async def register(request: Request):
        data = await request.post()
        await create(request.app["cursor"], data["name"])
    """
    store = """
async def create(cursor, name: str):
    sql = "INSERT INTO customer (name) VALUES ('%(name)s')" % {"name": name}
    await cursor.execute(sql)  # PB920
"""
    (finding,) = findings(
        "PB920", store, files={"shop/routes.py": textwrap.dedent(text)}, path="shop/store.py"
    )
    assert [step.message for step in finding.related] == [
        "`request.post()` comes from a form",
        "passed to `create()` as `name`",
    ]


OBJECTS = """
from dataclasses import dataclass
from typing import NamedTuple
from pydantic import BaseModel

@dataclass(frozen=True)
class Base:
    term: str

@dataclass(frozen=True)
class Search(Base):
    order: str = "name"
    limit: int = 10

    @classmethod
    def of(cls, sent):
        return cls(term=sent["term"], order=sent["order"], limit=int(sent["limit"]))

@dataclass
class Checked:
    order: str

    def __post_init__(self):
        assert self.order in COLUMNS

class Pair(NamedTuple):
    order: str
    term: str

class Plain:
    def __init__(self, order, term=""):
        self.order = order.strip()
        self.term = int(term)

class Schema(BaseModel):
    order: str
    limit: int

def run(search):
    g.db.execute(f"SELECT 1 FROM t ORDER BY {search.order}").fetchall()
"""
OBJECTS_FOUND = {
    "by name": "run(Search(term='', order=request.args['o']))",
    "by place": "run(Search('', request.args['o']))",
    "by a class method": "run(Search.of(request.args))",
    "by a name": "search = Search(term='', order=request.args['o'])\n    run(search)",
    "named tuple": "run(Pair(request.args['o'], 'x'))",
    "class": "run(Plain(request.args['o']))",
    "model": "run(Schema(order=request.args['o'], limit=3))",
    "chosen": "run(Search(request.args['o']) if g.all else Search('', order=request.args['o']))",
}
OBJECTS_SILENT = {
    "another field": "run(Search(request.args['o']))",
    "another field by place": "run(Pair('name', request.args['o']))",
    "checked by itself": "run(Checked(order=request.args['o']))",
    "checked before": "search = Search('', request.args['o'])\n    if search.order in COLUMNS:\n        run(search)",
    "a number": "run(Search('', order=int(request.args['o'])))",
    "unknown fields": "run(Search(**request.args))",
    "another kind of object": "run(request.args)",
    "made elsewhere": "run(make(request.args['o']))",
}


@pytest.mark.parametrize("call", OBJECTS_FOUND.values(), ids=OBJECTS_FOUND)
def test_fields_of_objects(call: str) -> None:
    text = f"{FLASK}{OBJECTS}\n@app.get('/a')\ndef a():\n    {call}\n"
    findings("PB920", text.replace("fetchall()", "fetchall()  # PB920"))


@pytest.mark.parametrize("call", OBJECTS_SILENT.values(), ids=OBJECTS_SILENT)
def test_harmless_fields_of_objects(call: str) -> None:
    assert findings("PB920", f"{FLASK}{OBJECTS}\n@app.get('/a')\ndef a():\n    {call}\n") == []
