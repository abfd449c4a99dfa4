"""Traps of n-plus-one-relationship, and a proof under SQLAlchemy: queries are counted over many rows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from tests.rules.execution import imported
from tests.rules.harness import findings, fix
from tests.rules.sqlalchemy.test_lazy_load_in_async import MODELS

ROWS = 10
HELPERS = """
from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.models import Order


class LineRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int


class OrderRead(LineRead):
    lines: list[LineRead]


def to_dict(order):
    return {"id": order.id, "lines": [line.id for line in order.lines]}


def all_to_dict(orders):
    return [to_dict(order) for order in orders]


def open_orders(session: Session) -> list[Order]:
    return list(session.scalars(select(Order)))
"""
FILES = {"shop/models.py": MODELS, "shop/helpers.py": HELPERS}
HEADER = """
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload, raiseload, selectinload

from shop.helpers import OrderRead, all_to_dict, open_orders, to_dict
from shop.models import Customer, Line, Order, Parcel

"""
FOUND = {
    "a loop": """
        def load(session: Session):
            for order in session.scalars(select(Order)):
                print(order.lines)  # PB525
    """,
    "a key to sort by": """
        def load(session: Session):
            orders = session.scalars(select(Order)).all()
            return sorted(orders, key=lambda order: len(order.lines))  # PB525
    """,
    "a lambda that filters": """
        def load(session: Session):
            return list(filter(lambda order: order.lines, session.scalars(select(Order))))  # PB525
    """,
    "a lambda that calls a helper": """
        def load(session: Session):
            return list(map(lambda order: to_dict(order), session.scalars(select(Order))))  # PB525
    """,
    "a comprehension over rows": """
        def load(session: Session):
            return [len(order.lines) for order, key in session.execute(select(Order, Order.id))]  # PB525
    """,
    "a legacy query": """
        def load(session: Session):
            orders = session.query(Order).filter(Order.id > 0).all()
            return sum(len(order.lines) for order in orders)  # PB525
    """,
    "a legacy query that is iterated": """
        def load(session: Session):
            for order in session.query(Order).options(joinedload(Order.customer)):
                print(order.customer, order.lines)  # PB525
    """,
    "many-to-one": """
        def load(session: Session):
            return [order.customer.id for order in session.scalars(select(Order)).all()]  # PB525
    """,
    "a collection of one object": """
        def load(session: Session):
            customer = session.get_one(Customer, 1, options=[selectinload(Customer.orders)])
            return [order.lines for order in customer.orders]  # PB525
    """,
    "a name for the row": """
        def load(session: Session):
            for row in session.execute(select(Order)):
                order = row[0]
                print(order.lines)  # PB525
    """,
    "a helper in another file": """
        def load(session: Session):
            return [to_dict(order) for order in open_orders(session)]  # PB525
    """,
    "a helper that gets all rows": """
        def load(session: Session):
            return all_to_dict(session.scalars(select(Order)).all())  # PB525
    """,
    "rows whose type is written down": """
        def load(session: Session):
            orders = cast(list[Order], session.query(Order).all())
            return [len(order.lines) for order in orders]  # PB525
    """,
    "a helper that gets rows whose type is written down": """
        def load(session: Session):
            orders: list[Order] = cast("list[Order]", session.query(Order).all())
            return all_to_dict(orders)  # PB525
    """,
    "validation of each row": """
        def load(session: Session):
            return [OrderRead.model_validate(order) for order in open_orders(session)]  # PB525
    """,
}
SILENT = {
    "lambdas over loaded rows": """
        def load(session: Session):
            orders = session.scalars(select(Order).options(selectinload(Order.lines))).all()
            return sorted(orders, key=lambda order: len(order.lines)), list(map(lambda o: o.lines, orders))
    """,
    "loaded rows whose type is written down": """
        def load(session: Session):
            rows: list[Order] = session.query(Order).options(selectinload(Order.lines)).all()
            return [order.lines for order in cast(list[Order], rows)], all_to_dict(rows)
    """,
    "loaded": """
        def load(session: Session):
            orders = session.scalars(select(Order).options(selectinload(Order.lines))).all()
            return all_to_dict(orders), [order.lines for order in orders]
    """,
    "a legacy query whose options come last": """
        def load(session: Session):
            for order in session.query(Order).order_by(Order.id).options(selectinload(Order.lines)):
                print(order.lines)
    """,
    "loaded by the mapping": """
        def load(session: Session):
            return [order.notes for order in session.scalars(select(Order))]
    """,
    "joined or loaded at once by the mapping": """
        def load(session: Session):
            return [(parcel.joined.id, parcel.immediate.id) for parcel in session.scalars(select(Parcel))]
    """,
    "contains_eager": """
        def load(session: Session):
            statement = select(Order).join(Order.customer).options(contains_eager(Order.customer))
            return [order.customer.id for order in session.scalars(statement)]
    """,
    "assigned before": """
        def load(session: Session):
            customer = Customer(id=100)
            for order in session.scalars(select(Order)).all():
                order.customer = customer
                print(order.customer.id)
            session.rollback()
    """,
    "made here": """
        def load(session: Session):
            orders = [Order(customer_id=1, lines=[Line()]) for _ in range(20)]
            return [order.lines for order in orders]
    """,
    "may leave with the first row": """
        def load(session: Session):
            for order in session.scalars(select(Order)):
                return order.lines
    """,
    "a collection that only queries read": """
        def load(session: Session):
            return [(parcel.written, parcel.dynamic) for parcel in session.scalars(select(Parcel))]
    """,
    "one row": """
        def load(session: Session):
            order = session.get_one(Order, 1)
            return [line.id for line in order.lines], to_dict(order)
    """,
    "may end with the first row": """
        def load(session: Session):
            for order in session.scalars(select(Order)):
                if order.lines:
                    break
    """,
    "the first few rows": """
        def load(session: Session):
            return [order.lines for order in session.scalars(select(Order)).all()[:2]]
    """,
    "all lead to the same object": """
        def load(session: Session):
            return [line.order.id for line in session.scalars(select(Line).where(Line.order_id == 1))]
    """,
    "all lead to the same object by keyword": """
        def load(session: Session):
            return [line.order.id for line in session.query(Line).filter_by(order_id=1)]
    """,
    "back to the parent": """
        def load(session: Session):
            order = session.get_one(Order, 1)
            return [line.order.id for line in order.lines]
    """,
    "all targets are in the identity map": """
        def load(session: Session):
            customers = session.scalars(select(Customer)).all()
            return [order.customer.id for order in session.scalars(select(Order))], customers
    """,
    "a column": """
        def load(session: Session):
            return [order.customer_id for order in session.scalars(select(Order))]
    """,
}
UNPROVED = {
    "rows of unknown origin": """
        def load(orders: list[Order]):
            return [order.lines for order in orders]
    """,
    "a mapping or an option that refuses": """
        def load(session: Session):
            for order in session.scalars(select(Order).options(raiseload(Order.lines))):
                print(order.lines)
            return [(parcel.raising, parcel.raising_on_sql) for parcel in session.scalars(select(Parcel))]
    """,
    "options that are not known": """
        def load(session: Session, *options):
            return [order.lines for order in session.scalars(select(Order).options(*options))]
    """,
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


MODULES = {"shop.models": MODELS, "shop.helpers": HELPERS}


def queries(code: str, surrounding: Mapping[str, str] = MODULES) -> int:
    """How many queries `load` of a program sends over ten customers with an order and two lines each."""
    engine = create_engine("sqlite://")
    sent: list[str] = []
    with imported({**surrounding, "program": code}) as modules:
        models = modules["shop.models"]
        models.Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            for key in range(1, ROWS + 1):
                orders = [models.Order(lines=[models.Line(), models.Line()])]
                session.add(models.Customer(id=key, orders=orders))
                session.add(models.Parcel(order=orders[0]))
            first = session.get_one(models.Customer, 1)
            first.orders.extend(models.Order(lines=[models.Line()]) for _ in range(ROWS))
        event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
        with Session(engine) as session:
            modules["program"].load(session)
    engine.dispose()
    return len(sent)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found_and_sends_a_query_for_each_row(source: str) -> None:
    code = program(source)
    (found,) = findings("n-plus-one-relationship", code, files=FILES)
    assert len(found.related) >= 3
    assert queries(code) >= ROWS


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent_and_sends_few(source: str) -> None:
    code = program(source)
    assert findings("n-plus-one-relationship", code, files=FILES) == []
    assert queries(code) <= 4


@pytest.mark.parametrize("source", UNPROVED.values(), ids=UNPROVED)
def test_silent(source: str) -> None:
    assert findings("n-plus-one-relationship", program(source), files=FILES) == []


@pytest.mark.parametrize("key", sorted(FOUND.keys() - {"a helper in another file", "validation of each row"}))
def test_fixed_code_sends_few(key: str) -> None:
    code = program(FOUND[key])
    after = fix("n-plus-one-relationship", code, files=FILES)
    assert after != code
    assert queries(after) <= 4


def test_queries_of_a_flask_model_are_fixed() -> None:
    source = """
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()

        class Page(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            files = db.relationship("File")

        class File(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            page_id = db.Column(db.Integer, db.ForeignKey("page.id"))

        def files():
            return [page.files for page in Page.query.filter(Page.id > 1)]  # PB525
    """
    findings("n-plus-one-relationship", source)
    assert "Page.query.filter(Page.id > 1).options(selectinload(Page.files))" in fix(
        "n-plus-one-relationship", source
    )


BACKREFS = """
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import backref, declarative_base, relationship

Base = declarative_base()


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)


class Line(Base):
    __tablename__ = "lines"
    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"))
    order = relationship(Order, backref="lines")


class Parcel(Base):
    __tablename__ = "parcels"
    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"))
    order = relationship("Order", backref=backref("parcels", lazy="joined"))


class Bill(Base):
    __tablename__ = "bills"
    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"))
    order = relationship("Order", backref=backref("bill", uselist=False))
"""


@pytest.mark.parametrize(("name", "loads"), [("lines", True), ("parcels", False), ("bill", True)])
def test_relationships_that_a_backref_adds(name: str, loads: bool) -> None:
    code = f"""
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        from shop.models import Order

        def load(session: Session):
            orders = session.scalars(select(Order)).unique()
            return [order.{name} for order in orders]{"  # PB525" if loads else ""}
    """
    found = findings("n-plus-one-relationship", code, files={"shop/models.py": BACKREFS})
    assert all("selectinload" in item.message for item in found) is (name != "bill")
    engine = create_engine("sqlite://")
    sent: list[str] = []
    with imported({"shop.models": BACKREFS, "program": code}) as modules, Session(engine) as session:
        models = modules["shop.models"]
        models.Base.metadata.create_all(engine)
        session.add_all(models.Order() for _ in range(ROWS))
        session.commit()
        event.listen(engine, "before_cursor_execute", lambda *arguments: sent.append(arguments[2]))
        modules["program"].load(session)
    engine.dispose()
    assert (len(sent) > ROWS) is loads


def test_pages_of_flask_sqlalchemy() -> None:
    source = """
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()

        class Page(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            files = db.relationship("File")

        class File(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            page_id = db.Column(db.Integer, db.ForeignKey("page.id"))

        def files():
            for page in Page.query.order_by(Page.id).paginate(page=2).items:
                print(page.files)  # PB525

        def chosen():
            return [page.files for page in db.paginate(db.select(Page), per_page=20)]  # PB525
    """
    findings("n-plus-one-relationship", source)


REPOSITORY = """
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from shop.models import Base, Customer, Order

Row = TypeVar("Row", bound=Base)


class Repository(Generic[Row]):
    def __init__(self, model: type[Row]) -> None:
        self.model = model

    def all(self, session: Session) -> list[Row]:
        statement = select(self.model)
        return list(session.scalars(statement.order_by(self.model.id)))

    def page(self, session: Session) -> list[Row]:
        return session.query(self.model).limit(20).all()

    def with_options(self, session: Session, *options) -> list[Row]:
        return list(session.scalars(select(self.model).options(*options)))

    def keys(self, session: Session) -> list[int]:
        return list(session.scalars(select(self.model.id)))


class Orders(Repository[Order]):
    pass


orders = Orders(Order)
customers = Repository[Customer](Customer)
"""


@pytest.mark.parametrize(
    ("loop", "loads"),
    [
        ("[order.lines for order in orders.all(session)]", True),
        ("[order.lines for order in orders.page(session)]", True),
        ("[customer.orders for customer in customers.all(session)]", True),
        ("[order.lines for order in orders.with_options(session, selectinload(Order.lines))]", False),
        ("[key + 1 for key in customers.keys(session)]", False),
    ],
)
def test_rows_of_a_generic_repository(loop: str, loads: bool) -> None:
    source = f"""
        from shop.repository import customers, orders

        def load(session: Session):
            return {loop}{"  # PB525" if loads else ""}
    """
    code = program(source)
    found = findings("n-plus-one-relationship", code, files={**FILES, "shop/repository.py": REPOSITORY})
    assert all(any(place.path.endswith("repository.py") for place in item.related) for item in found)
    helpers = {"shop.models": MODELS, "shop.helpers": HELPERS, "shop.repository": REPOSITORY}
    assert (queries(code, helpers) > ROWS) is loads


@pytest.mark.parametrize("strategy", ["selectinload", "joinedload"])
def test_a_written_option_is_led_further(strategy: str) -> None:
    code = program(f"""
        def load(session: Session):
            statement = select(Customer).options({strategy}(Customer.orders)).order_by(Customer.id)
            return [len(order.lines) for row in session.scalars(statement).unique() for order in row.orders]
    """)
    after = fix("n-plus-one-relationship", code, files=FILES)
    assert f".options({strategy}(Customer.orders).selectinload(Order.lines)).order_by" in after
    assert queries(after) <= 4
