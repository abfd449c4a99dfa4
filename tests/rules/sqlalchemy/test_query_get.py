"""Traps of query-get, and a proof under SQLAlchemy that the old form warns and the fixed one does not."""

from __future__ import annotations

import textwrap
import warnings

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import LegacyAPIWarning
from sqlalchemy.orm import Session

from tests.rules.execution import imported
from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_legacy_query import FILES, MODELS

HEADER = """
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Order, User

"""

SILENT = {
    "a dictionary behind query": "def load(session: Session, key): return session.query(User).params().get(key)",
    "columns are no entity": "def load(session: Session, key): return session.query(User.id).get(key)",
    "type of the session unknown": "def load(session, key): return session.query(User).get(key)",
    "another library's query": """
        from search import Client
        def load(client: Client, key: int): return client.query(User).get(key)
    """,
    "query of a class that is no Flask model": "def load(key): return User.query.get(key)",
    "an unknown entity": "def load(session: Session, model, key): return session.query(model).get(key)",
}

FOUND = {
    "Flask-SQLAlchemy's session": """
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()
        def load(key): return db.session.query(User).get(key)  # PB501
    """,
    "in a chain": "def load(session: Session, key): return session.query(User).get(key).name  # PB501",
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("query-get", program(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    (found,) = findings("query-get", program(source), files=FILES)
    assert found.fix is not None


def test_model_query_of_flask_has_no_fix() -> None:
    source = """
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()

        class Item(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        def load(key: int):
            return Item.query.get(key)  # PB501
    """
    (found,) = findings("query-get", source)
    assert found.fix is None
    assert "db.session.get(Item, ...)" in found.message


def test_a_query_class_of_the_project_is_left_alone() -> None:
    source = """
        from flask_sqlalchemy import SQLAlchemy
        from shop.queries import ItemQuery

        db = SQLAlchemy()

        class Item(db.Model):
            query_class = ItemQuery
            id = db.Column(db.Integer, primary_key=True)

        def load(key: int):
            return Item.query.get(key)
    """
    assert findings("query-get", source) == []


@pytest.mark.parametrize(
    "options", ["", ".options(selectinload(User.orders))", ".options(joinedload(User.orders))"]
)
def test_fixed_code_gives_the_same_object(options: str) -> None:
    before = (
        HEADER
        + f"\ndef load(session: Session, key: int):\n    return session.query(User){options}.get(key)\n"
    )
    after = fix("query-get", before, files=FILES)
    assert ".query(" not in after
    engine = create_engine("sqlite://")
    with (
        imported({"shop.models": MODELS, "before": before, "after": after}) as modules,
        Session(engine) as session,
    ):
        models = modules["shop.models"]
        models.Base.metadata.create_all(engine)
        session.add(models.User(id=1, name="ada", orders=[models.Order(price=3)]))
        session.flush()
        session.expunge_all()
        with pytest.warns(LegacyAPIWarning):
            old = modules["before"].load(session, 1)
        loaded = "orders" in vars(old)
        session.expunge_all()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            new = modules["after"].load(session, 1)
        assert (new.id, "orders" in vars(new)) == (1, loaded)
        assert loaded == bool(options)
