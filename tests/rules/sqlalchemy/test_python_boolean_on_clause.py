"""Traps of python-boolean-on-clause, and the SQL that SQLAlchemy makes of what is reported and of its fix."""

from __future__ import annotations

import textwrap

import pytest
from sqlalchemy.dialects import postgresql

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]
    paid: Mapped[bool]
"""
FILES = {"shop/models.py": MODELS}
HEADER = """
from sqlalchemy import and_, delete, func, or_, select, update

from shop.models import Order

"""

SILENT = {
    "Python chooses": "def make(flag: bool): return select(Order).where(flag and Order.paid)",
    "a condition of Python around the statement": """
        def make(price: int, paid: bool):
            return select(Order).where(Order.price == price) if price and not paid else select(Order)
    """,
    "values of Python": "def make(a: int, b: int): return select(Order).where(Order.price == (a or b))",
    "a list on the right": "def make(key: str): return select(Order).where(key in ('a', 'b'))",
    "the SQL operators": "def make(): return select(Order).where((Order.id == 1) & ~Order.paid | Order.id.in_([1]))",
    "filter of something else": """
        def make(rows): return rows.filter(Order.id == 1 and Order.paid)
    """,
    "filter of the language": "def make(orders): return filter(lambda o: o.id == 1 and o.paid, orders)",
    "one comparison": "def make(): return select(Order).where(Order.id == 1)",
}

# Condition reported -> the WHERE clause of SQLAlchemy as written, and after the fix.
FOUND = {
    "Order.id == 1 and Order.price == 2": ("orders.id = 1", "orders.id = 1 AND orders.price = 2"),
    "(Order.id == 1) and (Order.price == 2)": ("orders.id = 1", "orders.id = 1 AND orders.price = 2"),
    "Order.id == 1 or Order.price == 2": ("orders.price = 2", "orders.id = 1 OR orders.price = 2"),
    "not Order.id == 1": ("true", "orders.id != 1"),
    "not Order.paid": ("false", "NOT orders.paid"),
    "Order.paid and Order.id == 1": ("orders.id = 1", "orders.paid AND orders.id = 1"),
    "Order.id in [1, 2]": ("false", "orders.id IN (1, 2)"),
    "Order.id not in (1, 2)": ("true", "(orders.id NOT IN (1, 2))"),
    "Order.id == 1 and (Order.price == 2 or Order.price == 3)": (
        "orders.id = 1",
        "orders.id = 1 AND (orders.price = 2 OR orders.price = 3)",
    ),
    "func.lower('A') == 'a' and Order.id == 2": ("lower('A') = 'a'", "lower('A') = 'a' AND orders.id = 2"),
    "or_(Order.id == 1, Order.id == 2 and Order.price == 3)": (
        "orders.id = 1 OR orders.id = 2",
        "orders.id = 1 OR orders.id = 2 AND orders.price = 3",
    ),
}

RAISES = {
    "1 < Order.price < 5": "orders.price > 1 AND orders.price < 5",
}


def program(function: str) -> str:
    return HEADER + "\n" + textwrap.dedent(function)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings("python-boolean-on-clause", program(source), files=FILES) == []


def where(code: str) -> str:
    """The WHERE clause of the statement that `make` of a program builds, with its values."""
    with imported({"shop.models": MODELS, "program": code}) as modules:
        statement = modules["program"].make()
        sql = str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    return sql.partition("WHERE ")[2]


@pytest.mark.parametrize("build", ["select(Order).where({})", "delete(Order).where({})"])
@pytest.mark.parametrize("condition", FOUND)
def test_found_and_fixed(condition: str, build: str) -> None:
    before, after = FOUND[condition]
    code = program(f"def make():\n    return {build.format(condition)}  # PB555\n")
    findings("python-boolean-on-clause", code, files=FILES)
    assert where(code) == before
    assert where(fix("python-boolean-on-clause", code, files=FILES)) == after


@pytest.mark.parametrize("condition", RAISES)
def test_found_and_raises_until_fixed(condition: str) -> None:
    code = program(f"def make():\n    return select(Order).filter({condition})  # PB555\n")
    findings("python-boolean-on-clause", code, files=FILES)
    with pytest.raises(TypeError):
        where(code)
    assert where(fix("python-boolean-on-clause", code, files=FILES)) == RAISES[condition]


def test_parenthesised_and_needs_a_function() -> None:
    code = program(
        "def make():\n    return select(Order).where((Order.id == 1 and Order.price == 2))  # PB555\n"
    )
    findings("python-boolean-on-clause", code, files=FILES)
    assert where(fix("python-boolean-on-clause", code, files=FILES)) == "orders.id = 1 AND orders.price = 2"


HELD = {
    "by a variable": """
        def make():
            mine = Order.id == 1 and Order.price == 2  # PB555
            return select(Order).where(mine)
    """,
    "by a list": """
        def make():
            wanted = [Order.id == 1 and Order.price == 2]  # PB555
            return select(Order).where(*wanted)
    """,
    "by a list that grows": """
        def make():
            wanted = [Order.id > 0]
            wanted.append(not Order.paid)  # PB555
            wanted += [Order.id in (1, 2)]  # PB555
            return select(Order).where(and_(*wanted))
    """,
}
HELD_SQL = {
    "by a variable": ("orders.id = 1", "orders.id = 1 AND orders.price = 2"),
    "by a list": ("orders.id = 1", "orders.id = 1 AND orders.price = 2"),
    "by a list that grows": (
        "false",
        "orders.id > 0 AND NOT orders.paid AND orders.id IN (1, 2)",
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_conditions_that_are_held(name: str) -> None:
    code = program(HELD[name])
    findings("python-boolean-on-clause", code, files=FILES)
    assert (where(code), where(fix("python-boolean-on-clause", code, files=FILES))) == HELD_SQL[name]


@pytest.mark.parametrize(
    "function",
    [
        "def make(flag: bool):\n    mine = flag and Order.paid\n    return select(Order).where(mine)",
        "def make():\n    mine = Order.id == 1 and Order.paid\n    return mine",
        "def make(rows):\n    mine = Order.id == 1 and Order.paid\n    return rows.filter(mine)",
        "def one():\n    mine = Order.id == 1 and Order.paid\n    return mine\n"
        "def make(mine):\n    return select(Order).where(mine)",
        "def make(order: Order):\n    mine = order.id == 1 and order.paid\n    return select(Order).where(mine)",
    ],
)
def test_values_that_are_held(function: str) -> None:
    assert findings("python-boolean-on-clause", program(function), files=FILES) == []


def test_query_and_update() -> None:
    found = findings(
        "python-boolean-on-clause",
        program("""
            from sqlalchemy.orm import Session
            def load(session: Session):
                session.execute(update(Order).where(not Order.paid).values(paid=True))  # PB555
                return session.query(Order).filter(Order.id == 1 and Order.paid).all()  # PB555
        """),
        files=FILES,
    )
    assert len(found) == 2
