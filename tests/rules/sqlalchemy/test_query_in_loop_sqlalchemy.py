"""Traps of query-in-loop-sqlalchemy, and a proof under SQLAlchemy that what is reported sends a query each time."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from tests.rules.execution import imported
from tests.rules.harness import findings
from tests.rules.sqlalchemy.test_legacy_query import FILES, MODELS

HEADER = """
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shop.models import Order, User

"""

FOUND = {
    "by keyword": """
        def load(session: Session):
            for user in session.scalars(select(User)).all():
                session.scalars(select(Order).filter_by(user_id=user.id)).all()  # PB526
    """,
    "a comprehension, compared the other way round": """
        def load(session: Session):
            users = session.scalars(select(User)).all()
            return {u.id: session.scalars(select(Order).where(u.id == Order.user_id)).all() for u in users}  # PB526
    """,
    "numbered elements and a converted value": """
        def load(session: Session):
            for number, user in enumerate(session.scalars(select(User)).all()):
                session.scalar(select(Order).where(Order.user_id == int(user.id), Order.price > 3))  # PB526
    """,
    "over loaded objects": """
        def load(session: Session):
            for user in session.scalars(select(User)).all():
                session.scalars(select(Order).where(Order.user_id == user.id)).all()  # PB526
    """,
    "over rows": """
        def load(session: Session):
            for user, key in session.execute(select(User, User.id)).all():
                session.scalar(select(func.count(Order.id)).where(Order.user_id == key))  # PB526
    """,
    "a statement with a name": """
        def load(session: Session):
            users = session.scalars(select(User)).all()
            for user in users:
                statement = select(Order).where(Order.user_id == user.id).order_by(Order.id)
                session.execute(statement).scalars().all()  # PB526
    """,
    "in functions that get the element or a value of it": """
        class Orders:
            def __init__(self, session: Session) -> None:
                self.session = session

            def of_user(self, user_id: int) -> list[Order]:
                if not user_id:
                    return []
                statement = select(Order).where(Order.user_id == user_id)
                return list(self.session.scalars(statement))

        def total(orders: Orders, user: User):
            return sum(order.price for order in orders.of_user(user.id))

        def load(session: Session):
            orders = Orders(session)
            for user in session.scalars(select(User)).all():
                total(orders, user)  # PB526
    """,
    "a legacy query": """
        def load(session: Session):
            for user in session.scalars(select(User)).all():
                session.query(Order).filter(Order.user_id == user.id, Order.price > 3).all()  # PB526
    """,
}

SILENT = {
    "by keyword, a relationship or a second value of the element": """
        def load(session: Session, users: list):
            for user in users:
                session.scalars(select(Order).filter_by(user=user)).all()
                session.scalars(select(Order).filter_by(user_id=user.id, price=user.price)).all()
    """,
    "a range of numbers or a function's own choice": """
        def load(session: Session):
            found = [session.scalar(select(Order).where(Order.user_id == key)) for key in range(3)]
            for key in chosen():
                session.scalar(select(Order).where(Order.user_id == key))
            return found
    """,
    "pauses for each": """
        import time

        def load(session: Session, users: list):
            for user in users:
                if session.scalar(select(Order.id).where(Order.user_id == user.id)):
                    time.sleep(10)
    """,
    "a relationship, which `in_()` does not take": """
        def load(session: Session, users: list):
            for user in users:
                session.scalars(select(Order).where(Order.user == user)).all()
    """,
    "ends early": """
        def load(session: Session, users: list):
            for user in users:
                if session.scalar(select(Order.id).where(Order.user_id == user.id)):
                    break
    """,
    "chunks": """
        def load(session: Session, chunks: list):
            for chunk in chunks:
                session.scalars(select(Order).where(Order.id.in_(chunk))).all()
    """,
    "pages": """
        def load(session: Session, pages: list):
            for page in pages:
                session.scalars(select(Order).where(Order.user_id == page.user).offset(page.start).limit(9)).all()
    """,
    "retries": """
        def load(session: Session, key: int):
            for attempt in range(3):
                session.scalars(select(Order).where(Order.user_id == key)).all()
    """,
    "a few constants": """
        def load(session: Session):
            for name in ["ada", "grace"]:
                session.scalar(select(User).where(User.name == name))
    """,
    "errors are handled for each": """
        def load(session: Session, users: list):
            for user in users:
                try:
                    session.scalar(select(Order.id).where(Order.user_id == user.id))
                except ValueError:
                    continue
    """,
    "get may be answered without a query": """
        def load(session: Session, keys: list):
            for key in keys:
                session.get(Order, key)
    """,
    "updates": """
        def load(session: Session, users: list):
            for user in users:
                session.execute(update(Order).where(Order.user_id == user.id).values(price=user.price))
    """,
    "two columns": """
        def load(session: Session, pairs: list):
            for pair in pairs:
                session.scalar(select(Order).where(Order.user_id == pair.user, Order.price == pair.price))
    """,
    "a range of values": """
        def load(session: Session, days: list):
            for day in days:
                session.scalars(select(Order).where(Order.price > day.low)).all()
    """,
    "a function that writes, may answer without a query, compares two values or calls itself": """
        from functools import cache

        from sqlalchemy import text

        def rename(session: Session, user_id: int):
            order = session.scalars(select(Order).where(Order.user_id == user_id)).one()
            session.execute(text("UPDATE orders SET price = 0"))
            return order

        def add(session: Session, user_id: int):
            found = session.scalars(select(Order).where(Order.user_id == user_id)).first()
            session.add(Order(user_id=user_id, price=found.price if found else 0))

        def create(session, user_id: int):
            found = add_to(session, user_id)
            session.add(found)
            return found

        def add_to(session: Session, user_id: int):
            return session.scalars(select(Order).where(Order.user_id == user_id)).first()

        KEPT: dict[int, Order] = {}

        def kept(session: Session, user_id: int):
            if user_id in KEPT:
                return KEPT[user_id]
            return session.scalars(select(Order).where(Order.user_id == user_id)).one()

        @cache
        def cached(session: Session, user_id: int):
            return session.scalars(select(Order).where(Order.user_id == user_id)).one()

        def sometimes(session: Session, user_id: int, wanted: bool):
            return session.scalars(select(Order).where(Order.user_id == user_id)).all() if wanted else []

        def dear(session: Session, user_id: int, price: int):
            return session.scalars(select(Order).where(Order.user_id == user_id, Order.price > price)).all()

        def tree(session: Session, user_id: int):
            for order in session.scalars(select(Order).where(Order.user_id == user_id)).all():
                tree(session, order.id)

        def load(session: Session, users: list):
            for user in users:
                rename(session, user.id)
                add(session, user.id)
                create(session, user.id)
                kept(session, user.id)
                cached(session, user.id)
                sometimes(session, user.id, True)
                dear(session, user.id, user.limit)
    """,
    "kept in a mapping": """
        def by_user(session: Session, user_id: int):
            return session.scalars(select(Order).where(Order.user_id == user_id)).all()

        def load(session: Session, lines: list):
            known = {}
            for line in lines:
                if line.user_id not in known:
                    known[line.user_id] = by_user(session, line.user_id)
            for line in lines:
                orders = known.get(line.user_id)
                if orders is None:
                    known[line.user_id] = session.scalars(select(Order).filter_by(user_id=line.user_id)).all()
    """,
    "in a function called later": """
        def load(session: Session, users: list):
            return [lambda: session.scalar(select(Order).where(Order.user_id == user.id)) for user in users]
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("query-in-loop-sqlalchemy", program(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found_and_sends_a_query_for_each_row(source: str) -> None:
    code = program(source)
    findings("query-in-loop-sqlalchemy", code, files=FILES)
    engine = create_engine("sqlite://")
    with imported({"shop.models": MODELS, "program": code}) as modules, Session(engine) as session:
        models = modules["shop.models"]
        models.Base.metadata.create_all(engine)
        session.add_all([models.User(id=n, name=str(n)) for n in range(1, 6)])
        session.flush()
        sent: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
        modules["program"].load(session)
    assert len(sent) == 1 + 5
