"""Rule PB935: mass-assignment."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB935",
    "mass-assignment",
    "Name the fields to accept: `{name}` sets any column of `{model}` that the client sends",
    nodes=(ast.Module,),
    words=("**", "setattr", "query", "values"),
    tags=("security",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """What a client sends is unpacked into the columns of a model.

    Its constructor, `create()`, `setattr()` in a loop, `update(Model).values()` and `query(Model).update()`
    all do that.

    ## Why
    A client may send more than the form shows: `is_admin`, `owner_id`, `balance`, the primary key. All of it
    is stored, today's columns and those that are added later.

    ## Bad
    ```python
    from flask import Flask, jsonify, request

    from shop.models import Customer, db

    app = Flask(__name__)


    @app.post("/customers")
    def register():
        customer = Customer(**request.get_json())
        db.session.add(customer)
        db.session.commit()
        return jsonify(id=customer.id)
    ```
    ```python file=shop/models.py
    from flask_sqlalchemy import SQLAlchemy

    db = SQLAlchemy()


    class Customer(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String(80))
        is_admin = db.Column(db.Boolean, default=False)
    ```
    ## Good
    ```python
    from flask import Flask, jsonify, request

    from shop.models import Customer, db

    app = Flask(__name__)


    @app.post("/customers")
    def register():
        sent = request.get_json()
        customer = Customer(name=sent["name"])
        db.session.add(customer)
        db.session.commit()
        return jsonify(id=customer.id)
    ```
    ## Not reported
    ```python
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    app = FastAPI()


    class Base(DeclarativeBase):
        pass


    class Customer(Base):
        __tablename__ = "customer"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class NewCustomer(BaseModel):
        name: str


    @app.post("/customers")
    def register(sent: NewCustomer) -> str:
        customer = Customer(**sent.model_dump())  # the model names the fields
        return customer.name
    ```
    A mapping from which the function takes keys out, or picks some, is left alone. A model of Pydantic with
    `extra="allow"` names no fields, and is reported; one that names a field such as `role` is not.
    ## When not to use it
    Where only those who run the site can send the data.
    ## References
    - OWASP Cheat Sheet Series, "Mass Assignment"
    """
    if request_sinks.is_sample(ctx):
        return
    for sink in request_sinks.filled_by_mapping(ctx.module):
        flow = flow_to(sink.value, ctx.module, request_data.FIELDS)
        flow = flow or request_data.opened_model(sink.mapping, ctx.module)
        if flow is not None:
            yield ctx.finding(sink.value, name=flow.origin.shown, model=sink.user, related=flow.steps)
