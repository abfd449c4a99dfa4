"""What is known about SQLAlchemy: types of sessions, statements, results and mapped objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybackend_lint.frameworks.sqlalchemy_mapping import attributes, is_mapped
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded, joined_collection
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type
from tests.semantic.modules import describe, module_of, probes, types

SHOP = Path(__file__).parent.parent / "projects" / "sqlalchemy_shop"
HEADER = """
from sqlalchemy import create_engine, select, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload, scoped_session, selectinload, sessionmaker

from shop.database import SessionDep, session_factory
from shop.models import Address, Customer, Line, Order, Profile, Tag
from shop.repositories import OrderRepository, open_orders

"""


def shop(root: Path, code: str) -> Module:
    """A module beside the shop's own."""
    files = {str(file.relative_to(SHOP)): file.read_text() for file in SHOP.rglob("*.py")}
    return module_of(root, {**files, "main.py": HEADER + code})


SESSIONS = {
    "Session(engine)": "sqlalchemy.orm.Session",
    "sessionmaker(create_engine('x'))()": "sqlalchemy.orm.Session",
    "sessionmaker(class_=AsyncSession)()": "sqlalchemy.ext.asyncio.AsyncSession",
    "session_factory()": "sqlalchemy.ext.asyncio.AsyncSession",
    "scoped_session(sessionmaker())()": "sqlalchemy.orm.Session",
    "create_engine('x').connect()": "sqlalchemy.Connection",
    "create_async_engine('x').connect()": "sqlalchemy.ext.asyncio.AsyncConnection",
}


@pytest.mark.parametrize("expression", SESSIONS)
def test_sessions(expression: str, tmp_path: Path) -> None:
    assert types(shop(tmp_path, f"probe({expression})\n")) == [SESSIONS[expression]]


def test_sessions_of_blocks_dependencies_and_flask(tmp_path: Path) -> None:
    module = shop(
        tmp_path,
        """
from flask_sqlalchemy import SQLAlchemy
from sqlmodel import Session as ModelSession

db = SQLAlchemy()

async def route(session: SessionDep, other: ModelSession):
    probe(session, other, db.session())
    async with session_factory() as inner, session_factory.begin() as begun:
        probe(inner, begun)
""",
    )
    assert types(module) == [
        "sqlalchemy.ext.asyncio.AsyncSession",
        "sqlalchemy.orm.Session",
        "sqlalchemy.orm.Session",
        "sqlalchemy.ext.asyncio.AsyncSession",
        "sqlalchemy.ext.asyncio.AsyncSession",
    ]


ORDER = "shop.models.Order"
# Expressions in a coroutine with an asynchronous `session` -> the type of their value.
RESULTS = {
    "await session.get(Order, 1)": f"{ORDER}?",
    "await session.get_one(Order, 1)": ORDER,
    "(await session.scalars(select(Order))).all()": f"builtins.list[{ORDER}]",
    "(await session.scalars(open_orders())).first()": f"{ORDER}?",
    "(await session.execute(select(Order))).scalar_one()": ORDER,
    "(await session.execute(select(Order))).unique().scalars().one()": ORDER,
    "(await session.execute(select(Order, Line.price))).all()": f"builtins.list[builtins.tuple[{ORDER}, decimal.Decimal]]",
    "(await session.execute(select(Order, Line.price))).one()[1]": "decimal.Decimal",
    "await session.scalar(select(Order).limit(1))": f"{ORDER}?",
    "(await session.scalars(select(aliased(Order)))).one()": ORDER,
    "await OrderRepository(session).with_lines(1)": f"{ORDER}?",
    "await OrderRepository(session).open()": f"typing.Sequence[{ORDER}]",
    "(await session.scalars(select(Order))).one().lines": "builtins.list[shop.models.Line]",
    "(await session.scalars(select(Line))).one().order.customer.email": "builtins.str",
    "(await session.scalars(select(Address))).one().owner": "shop.models.Customer",
    "(await session.scalars(select(Order))).one().created_at": "datetime.datetime",
    "(await session.scalars(select(Order).from_statement(text))).one()": ORDER,
    "(await session.scalars(unknown)).all()": "builtins.list[None]",
}


@pytest.mark.parametrize("expression", RESULTS)
def test_results(expression: str, tmp_path: Path) -> None:
    module = shop(tmp_path, f"async def route(session: SessionDep):\n    probe({expression})\n")
    assert types(module) == [RESULTS[expression]]


QUERIES = {
    "session.query(Order).filter(Order.id == 1).all()": f"builtins.list[{ORDER}]",
    "session.query(Order).first()": f"{ORDER}?",
    "session.query(Order.id, Line.price).one()": "builtins.tuple[builtins.int, decimal.Decimal]",
    "session.query(Order).count()": "builtins.int",
    "[order for order in session.query(Order)]": f"builtins.list[{ORDER}]",
}


@pytest.mark.parametrize("expression", QUERIES)
def test_queries(expression: str, tmp_path: Path) -> None:
    module = shop(tmp_path, f"def load(session: Session):\n    probe({expression})\n")
    assert types(module) == [QUERIES[expression]]


def loaded(found: Type | None) -> Loaded:
    assert found is not None
    assert isinstance(found.fact, Loaded)
    return found.fact


# Statements over `Order` -> the relationships of an order for which an option decides.
OPTIONS = {
    "select(Order)": set(),
    "select(Order).options(selectinload(Order.lines))": {"lines"},
    "select(Order).join(Order.customer).options(contains_eager(Order.customer))": {"customer"},
    "select(Order).options(joinedload(Order.customer).selectinload(Customer.orders))": {"customer"},
    "select(Order).options(selectinload(Order.customer).options(joinedload(Customer.profile)))": {"customer"},
    "select(Order).options(*[selectinload(Order.lines), joinedload(Order.customer)])": {"lines", "customer"},
    "open_orders().options(selectinload(Order.lines))": {"lines"},
    "select(Order).options(*options)": {"lines", "customer"},
}


@pytest.mark.parametrize("statement", OPTIONS)
def test_options_of_a_statement(statement: str, tmp_path: Path) -> None:
    code = f"async def route(session: SessionDep, options):\n    probe((await session.scalars({statement})).one())\n"
    module = shop(tmp_path, code)
    fact = loaded(module.type_of(probes(module)[0]))
    assert {name for name in ("lines", "customer") if fact.has(name)} == OPTIONS[statement]
    assert fact.is_async


def test_options_of_the_next_step(tmp_path: Path) -> None:
    module = shop(
        tmp_path,
        """
async def route(session: SessionDep):
    statement = select(Order).options(joinedload(Order.customer).selectinload(Customer.orders))
    order = (await session.scalars(statement)).one()
    probe(order.customer)
""",
    )
    fact = loaded(module.type_of(probes(module)[0]))
    assert fact.has("orders")
    assert not fact.has("profile")
    assert [(step.name, step.strategy) for step in fact.path] == [("customer", "joinedload")]


def test_options_of_a_page_with_its_total(tmp_path: Path) -> None:
    module = shop(
        tmp_path,
        """
async def page(session: SessionDep) -> tuple[list[Order], int]:
    orders = (await session.scalars(select(Order).options(selectinload(Order.lines)))).all()
    return list(reversed(orders)), len(orders)
async def route(session: SessionDep):
    orders, total = await page(session)
    for order in orders:
        probe(order)
""",
    )
    fact = loaded(module.type_of(probes(module)[0]))
    assert fact.has("lines")
    assert not fact.has("customer")


# Relationships of the shop -> target, collection, how they load by their mapping.
RELATIONS = {
    ("Customer", "orders"): (ORDER, True, "select"),
    ("Customer", "profile"): ("shop.models.Profile", False, "joined"),
    ("Order", "customer"): ("shop.models.Customer", False, "select"),
    ("Order", "lines"): ("shop.models.Line", True, "select"),
    ("Order", "tags"): ("shop.models.Tag", True, "selectin"),
    ("Line", "order"): (ORDER, False, "select"),
    ("Address", "owner"): ("shop.models.Customer", False, "select"),
}


def test_relations(tmp_path: Path) -> None:
    module = shop(tmp_path, "probe(Customer, Order, Line, Address)\n")
    found = {}
    for name, argument in zip(["Customer", "Order", "Line", "Address"], probes(module), strict=True):
        info = module.modules.class_info(module.qualified_name(argument) or "")
        assert info is not None
        for relation in attributes(info).relations.values():
            found[name, relation.name] = (relation.target, relation.collection, relation.lazy)
    assert found == RELATIONS


# Annotations of a relationship whose class another file defines and nothing imports -> target, collection.
WRITTEN = {
    'Mapped["Team"]': ("teams.Team", False),
    'Mapped["Team | None"]': ("teams.Team", False),
    'Mapped["None | Team"]': ("teams.Team", False),
    'Mapped["Optional[Team]"]': ("teams.Team", False),
    'Mapped[Optional["Team"]]': ("teams.Team", False),
    'Mapped["Team"] | None': ("teams.Team", False),
    'Mapped["list[Team]"]': ("teams.Team", True),
    'Mapped["List[Team]"]': ("teams.Team", True),
    'Mapped[list["Team"]]': ("teams.Team", True),
    'Mapped["set[teams.Team]"]': ("teams.Team", True),
    "'Mapped[Team | None]'": ("teams.Team", False),
    'Mapped["Team | Other"]': (None, None),
    'Mapped["dict[str, Team]"]': (None, True),
    'Mapped["Unknown | None"]': (None, None),
    'Mapped["not a type"]': (None, None),
}


@pytest.mark.parametrize("annotation", WRITTEN)
def test_classes_that_annotations_name(annotation: str, tmp_path: Path) -> None:
    files = {
        "base.py": "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): ...\n",
        "teams.py": "from base import Base\nclass Team(Base):\n    __tablename__ = 'teams'\n",
        "main.py": (
            "from typing import List, Optional\nfrom sqlalchemy.orm import Mapped, relationship\n"
            "from base import Base\n\nclass Player(Base):\n    __tablename__ = 'players'\n"
            f"    team: {annotation} = relationship()\n"
        ),
    }
    info = module_of(tmp_path, files).modules.class_info("main.Player")
    assert info is not None
    relation = attributes(info).relations["team"]
    assert (relation.target, relation.collection) == WRITTEN[annotation]


def test_columns_come_from_mixins_too(tmp_path: Path) -> None:
    module = shop(tmp_path, "probe(Address)\n")
    info = module.modules.class_info(module.qualified_name(probes(module)[0]) or "")
    assert info is not None
    columns = {name: describe(found) for name, found in attributes(info).columns.items()}
    assert columns == {"owner_id": "builtins.int", "id": "builtins.int", "street": "builtins.str"}


MAPPED = {
    "class A(DeclarativeBase): ...": True,
    "Base = declarative_base()\nclass A(Base): ...": True,
    "Base = old_base()\nclass A(Base): ...": True,
    "mapper = registry()\nBase = mapper.generate_base()\nclass A(Base): ...": True,
    "mapper = registry()\n@mapper.mapped\nclass A: ...": True,
    "@as_declarative()\nclass Base: ...\nclass A(Base): ...": True,
    "db = SQLAlchemy()\nclass A(db.Model): ...": True,
    "class Database(SQLAlchemy): ...\ndb = Database()\nclass A(db.Model): ...": True,
    "class A(SQLModel, table=True): ...": True,
    "class A(SQLModel): ...": False,
    "class A: ...": False,
    "class A(Unknown): ...": False,
}


@pytest.mark.parametrize("code", MAPPED)
def test_mapped_classes(code: str, tmp_path: Path) -> None:
    header = """
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.ext.declarative import declarative_base as old_base
from sqlalchemy.orm import DeclarativeBase, as_declarative, declarative_base, registry
from sqlmodel import SQLModel
"""
    module = module_of(tmp_path, {"main.py": f"{header}\n{code}\n"})
    info = module.modules.class_info("main.A")
    assert info is not None
    assert is_mapped(info) is MAPPED[code]


def test_flask_models(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        {
            "extensions.py": "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n",
            "main.py": """
from extensions import db

class Order(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    note = db.Column(db.String(20))
    lines = db.relationship("Line", back_populates="order")

class Line(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    order = db.relationship("Order", uselist=False)

probe(Order.query.filter_by(id=1).first(), Order.query.first().note, Line.query.first().order, db.session)
""",
        },
    )
    assert types(module)[:3] == ["main.Order?", "builtins.str", "main.Order"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select(Order).options(joinedload(Order.lines))", "lines"),
        ("select(Line).options(joinedload(Line.order).joinedload(Order.lines))", "lines"),
        ("select(Line).options(selectinload(Line.order).joinedload(Order.lines))", None),
        ("select(Order).options(joinedload(Order.customer))", None),
        ("select(Customer)", None),
    ],
)
def test_joined_collection(statement: str, expected: str | None, tmp_path: Path) -> None:
    module = shop(tmp_path, f"probe({statement})\n")
    found = module.type_of(probes(module)[0])
    assert found is not None
    assert joined_collection(found.fact, module.modules) == expected  # type: ignore[arg-type]
