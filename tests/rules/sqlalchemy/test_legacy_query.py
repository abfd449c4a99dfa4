"""Traps of legacy-query, and a proof under SQLAlchemy that the fixed code gives the same rows."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

MODELS = """
    from __future__ import annotations

    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


    class Base(DeclarativeBase):
        pass


    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        orders: Mapped[list[Order]] = relationship(back_populates="user")


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        price: Mapped[int]
        user: Mapped[User] = relationship(back_populates="orders")
"""
HEADER = """
from sqlalchemy import func, or_
from sqlalchemy.orm import Session, joinedload, selectinload

from shop.models import Order, User

"""
FILES = {"shop/models.py": MODELS}

SILENT = {
    "another library's query": """
        from pandas import DataFrame
        def cheap(frame: DataFrame): return frame.query("price < 10")
    """,
    "type of the session unknown": """
        def load(session): return session.query(User).all()
    """,
    "an asynchronous session has no query()": """
        from sqlalchemy.ext.asyncio import AsyncSession
        async def load(session: AsyncSession): return session.query(User)
    """,
    "a method of a query class of the project": """
        def load(session: Session): return session.query(User).active().all()
    """,
    "the factory has a query class of its own": """
        from sqlalchemy.orm import sessionmaker
        from shop.soft_delete import SoftDeleteQuery
        factory = sessionmaker(query_cls=SoftDeleteQuery)
        def load():
            with factory() as session:
                return session.query(User).all()
    """,
    "Flask-SQLAlchemy with a query class of its own": """
        from flask_sqlalchemy import SQLAlchemy
        from shop.soft_delete import SoftDeleteQuery
        db = SQLAlchemy(query_class=SoftDeleteQuery)
        def load(): return db.session.query(User).all()
    """,
    "left to query-get": """
        def load(session: Session, key: int): return session.query(User).get(key)
    """,
}

FOUND = {
    "a scoped session": """
        from sqlalchemy.orm import scoped_session, sessionmaker
        registry = scoped_session(sessionmaker())
        def load(): return registry.query(User).all()  # PB500
    """,
    "the session of a dependency": """
        from typing import Annotated
        from fastapi import Depends
        def get_session(): ...
        SessionDep = Annotated[Session, Depends(get_session)]
        def load(session: SessionDep): return session.query(User).all()  # PB500
    """,
    "the session of a with block": """
        from sqlalchemy.orm import sessionmaker
        Factory = sessionmaker()
        def load():
            with Factory.begin() as session:
                return session.query(User.name).all()  # PB500
    """,
    "Flask-SQLAlchemy": """
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()
        def load(): return db.session.query(User).all()  # PB500
    """,
    "a session kept by a repository": """
        class Users:
            def __init__(self, session: Session) -> None:
                self._session = session
            def all(self): return self._session.query(User).all()  # PB500
    """,
}

# Queries whose fixed form must give the same rows; the data has users with two orders.
SAME_ROWS = {
    "all": "session.query(User).all()",
    "one column": "session.query(User.name).order_by(User.name).all()",
    "two columns": "session.query(User.id, User.name).filter(User.id > 1).all()",
    "entity and column": "session.query(User, Order.price).join(User.orders).order_by(Order.id).all()",
    "a join repeats users": "session.query(User).join(User.orders).order_by(User.id).all()",
    "a join to a class repeats users": "session.query(User).join(Order).order_by(User.id).all()",
    "an implicit join repeats users": "session.query(User).filter(User.id == Order.user_id).order_by(User.id).all()",
    "a join to one does not": "session.query(Order).join(Order.user).filter(User.name == 'ada').all()",
    "joined collection": "session.query(User).options(joinedload(User.orders)).order_by(User.id).all()",
    "first of a joined collection": "session.query(User).options(joinedload(User.orders)).order_by(User.id).first()",
    "select-in collection": "session.query(User).options(selectinload(User.orders)).order_by(User.id).all()",
    "first": "session.query(User).order_by(User.id.desc()).first()",
    "first of none": "session.query(User).filter(User.id == 99).first()",
    "first after limit": "session.query(User).order_by(User.id).limit(2).first()",
    "one of a repeating join": "session.query(User).join(User.orders).filter(User.name == 'ada').one()",
    "one_or_none": "session.query(User).filter_by(name='grace').one_or_none()",
    "scalar": "session.query(User.name).filter(User.id == 2).scalar()",
    "scalar of none": "session.query(User.name).filter(User.id == 99).scalar()",
    "aggregate": "session.query(func.sum(Order.price)).scalar()",
    "filter_by of an aggregate": "session.query(func.sum(Order.price)).filter_by(user_id=1).one()[0]",
    "filter_by after a join": "session.query(User).join(User.orders).filter_by(price=10).all()",
    "iteration of columns": "[row for row in session.query(Order.id, Order.price).filter_by(user_id=1)]",
    "aggregate per group": "session.query(Order.user_id, func.count(Order.id)).group_by(Order.user_id).having(func.count(Order.id) > 1).all()",
    "count": "session.query(User).filter(or_(User.id == 1, User.name == 'grace')).count()",
    "count of a join": "session.query(User).join(User.orders).count()",
    "count of equal column names": "session.query(User.id, Order.id).join(User.orders).count()",
    "iteration": "[user for user in session.query(User).join(User.orders).order_by(User.id)]",
    "delete": "(session.query(Order).filter(Order.price > 10).delete(), session.query(Order).count())",
    "update": "(session.query(Order).filter_by(user_id=1).update({'price': 7}, synchronize_session=False), [o.price for o in session.query(Order).order_by(Order.id)])",
    "distinct and outer join": "session.query(User.name).outerjoin(User.orders).distinct().order_by(User.name).all()",
    "locked": "session.query(User).with_for_update().offset(1).limit(1).all()",
}  # fmt: skip

NO_FIX = {
    "built over statements": """
        def load(session: Session):
            query = session.query(User)  # PB500
            return query.filter(User.id == 1).all()
    """,
    "with_entities": "def load(session: Session): return session.query(User).with_entities(User.id).all()  # PB500",
    "a subquery": "def load(session: Session): return session.query(User.id).subquery()  # PB500",
    "an unknown entity": """
        def load(session: Session, model): return session.query(model).all()  # PB500
    """,
    "a comment in what is replaced": """
        def load(session: Session):
            return (
                session.query(  # PB500 all of them
                    User
                ).all()
            )
    """,
    "several entities unpacked": "def load(session: Session, columns): return session.query(*columns).all()  # PB500",
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("legacy-query", program(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    (found,) = findings("legacy-query", program(source), files=FILES)
    assert found.fix is not None


@pytest.mark.parametrize("source", NO_FIX.values(), ids=NO_FIX)
def test_no_fix(source: str) -> None:
    (found,) = findings("legacy-query", program(source), files=FILES)
    assert found.fix is None


def shown(value: Any) -> Any:
    """A value in which mapped objects are told apart by class and key."""
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if not isinstance(value, (int, str, type(None))):
        return (
            [shown(item) for item in value]
            if hasattr(value, "_mapping")
            else (type(value).__name__, value.id)
        )
    return value


def result(code: str) -> Any:
    """What the function `load` of a program gives over three users, two of them with two orders each."""
    engine = create_engine("sqlite://")
    with imported({"shop.models": MODELS, "program": code}) as modules, Session(engine) as session:
        models = modules["shop.models"]
        models.Base.metadata.create_all(engine)
        session.add_all([models.User(id=n, name=name) for n, name in enumerate(["ada", "grace", "linus"], 1)])
        session.flush()
        session.add_all([models.Order(user_id=n % 2 + 1, price=n * 5) for n in range(4)])
        session.flush()
        session.expunge_all()
        return shown(modules["program"].load(session))


@pytest.mark.parametrize("query", SAME_ROWS.values(), ids=SAME_ROWS)
@pytest.mark.parametrize("layout", ["one line", "many lines"])
def test_fixed_code_gives_the_same_rows(query: str, layout: str) -> None:
    if layout == "many lines":
        query = query.replace(").", ")\n        .").replace("filter(", "filter(\n            ")
    before = HEADER + f"\ndef load(session: Session):\n    return (\n        {query}\n    )\n"
    after = fix("legacy-query", before, files=FILES)
    assert ".query(" not in after
    assert result(after) == result(before)


def test_comments_stay_on_their_lines() -> None:
    before = (
        HEADER
        + """
def load(session: Session):
    return (
        session.query(User)  # everybody
        .filter(User.id > 1)  # but the first
        .first()  # if any
    )
"""
    )
    after = fix("legacy-query", before, files=FILES)
    assert (
        "select(User)  # everybody\n            .where(User.id > 1)  # but the first\n            .limit(1)\n"
        in after
    )
    assert ".first()  # if any\n" in after
    assert result(after) == result(before)
