"""Traps of mass-assignment, and what SQLAlchemy stores."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

HEAD = """
from flask import Flask, request
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
app = Flask(__name__)
FIELDS = ("name",)

class Base(DeclarativeBase): ...

class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_admin: Mapped[bool] = mapped_column(default=False)

class Filter:
    def __init__(self, **terms): ...

class Strict(Base):
    __tablename__ = "strict"
    id: Mapped[int] = mapped_column(primary_key=True)

    def __init__(self, name): ...
"""
SILENT = {
    "chosen keys": """
        @app.post("/a")
        def a():
            sent = request.get_json()
            return Customer(**{key: sent[key] for key in FIELDS}).name
    """,
    "keys taken out": """
        @app.post("/a")
        def a():
            sent = request.get_json()
            sent.pop("is_admin", None)
            return Customer(**sent).name
    """,
    "validated": """
        @app.post("/a")
        def a():
            sent = schema.load(request.get_json())
            return Customer(**sent).name
    """,
    "no model": """
        @app.post("/a")
        def a():
            return Filter(**request.args).rows
    """,
    "a constructor that names its fields": """
        @app.post("/a")
        def a():
            return Strict(**request.get_json()).name
    """,
    "values of named columns, and of a dictionary": """
        from sqlalchemy import insert, update
        from sqlalchemy.orm import Session

        @app.post("/a")
        def a(session: Session):
            sent = request.get_json()
            session.execute(insert(Customer).values(name=sent["name"]))
            session.query(Customer).filter_by(id=1).update({"name": sent["name"]})
            known = {}
            known.update(sent)
            return known.values()
    """,
    "an allowed key": """
        @app.patch("/a/<int:number>")
        def a(number):
            customer = Customer(name="a")
            for key, value in request.get_json().items():
                if key in FIELDS:
                    setattr(customer, key, value)
            return customer.name
    """,
}
FOUND = {
    "a form": """
        @app.post("/a")
        def a():
            sent = request.form.to_dict()
            return Customer(**sent).name  # PB935
    """,
    "attribute by attribute": """
        @app.patch("/a/<int:number>")
        def a(number):
            customer = Customer(name="a")
            for key, value in request.get_json().items():
                if hasattr(customer, key):
                    setattr(customer, key, value)  # PB935
            return customer.name
    """,
    "a statement and a legacy query": """
        from sqlalchemy import insert, update
        from sqlalchemy.orm import Session

        @app.post("/a")
        def a(session: Session):
            sent = request.get_json()
            session.execute(insert(Customer).values(**sent))  # PB935
            session.execute(update(Customer).where(Customer.id == 1).values(sent))  # PB935
            session.query(Customer).filter_by(id=1).update(sent)  # PB935
    """,
    "through a function": """
        def create(fields):
            return Customer(**fields)  # PB935

        @app.post("/a")
        def a():
            return create(request.json["customer"]).name
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB935", HEAD + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB935", HEAD + textwrap.dedent(FOUND[name]))


def test_rows_that_flask_sqlalchemy_gets_or_answers_404() -> None:
    findings(
        "PB935",
        """
        from flask import Flask, request
        from flask_sqlalchemy import SQLAlchemy

        app = Flask(__name__)
        db = SQLAlchemy(app)

        class Page(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        @app.put("/pages/<int:number>")
        def change(number):
            page = db.get_or_404(Page, number)
            for key, value in request.json.items():
                setattr(page, key, value)  # PB935
            return "", 204

        @app.patch("/pages/<int:number>")
        def patch(number):
            page = db.one_or_404(db.select(Page).filter_by(id=number))
            for key, value in request.json.items():
                setattr(page, key, value)  # PB935
            return "", 204
        """,
    )


def test_django_rest_framework_and_fastapi() -> None:
    findings(
        "PB935",
        """
        from django.db import models
        from rest_framework.response import Response
        from rest_framework.views import APIView

        class Order(models.Model):
            total = models.IntegerField()

        class Orders(APIView):
            def post(self, request):
                order = Order.objects.create(**request.data)  # PB935
                return Response(order.pk)

        class Staff(APIView):
            permission_classes = [IsAdminUser]

            def post(self, request):
                return Response(Order.objects.create(**request.data).pk)
        """,
    )
    findings(
        "PB935",
        HEAD
        + textwrap.dedent("""
        from fastapi import FastAPI
        from pydantic import BaseModel
        api = FastAPI()

        class New(BaseModel):
            name: str

        @api.post("/a")
        def a(sent: dict) -> str:
            return Customer(**sent).name  # PB935

        @api.post("/b")
        def b(sent: New) -> str:
            return Customer(**sent.dict()).name

        def update(customer: Customer, sent: New | dict) -> None:
            changes = sent if isinstance(sent, dict) else sent.model_dump()
            for key, value in changes.items():
                setattr(customer, key, value)

        @api.patch("/b")
        def change(sent: New) -> None:
            update(Customer(name="a"), sent)
        """),
    )


@pytest.mark.parametrize(
    ("config", "dumped", "found"),
    [
        ('model_config = ConfigDict(extra="allow")', "model_dump()", True),
        ('model_config = ConfigDict(extra="allow")', 'model_dump(include={"name"})', False),
        ('model_config = ConfigDict(extra="forbid")', "model_dump()", False),
        ("", "model_dump()", False),
        ("role: str", "model_dump()", False),
    ],
)
def test_a_model_that_keeps_what_it_does_not_name(config: str, dumped: str, found: bool) -> None:
    text = f"""
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
app = FastAPI()

class Base(DeclarativeBase): ...

class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]

class Sent(BaseModel):
    name: str
    {config}

@app.post("/a")
def a(sent: Sent) -> str:
    return Customer(**sent.{dumped}).name{"  # PB935" if found else ""}
"""
    findings("PB935", text)


def test_the_column_is_set() -> None:
    names = executed(HEAD + textwrap.dedent(FOUND["through a function"]))
    sent = {"customer": {"name": "a", "is_admin": True}}
    with names["app"].test_request_context(json=sent):
        assert names["create"](names["request"].json["customer"]).is_admin is True
