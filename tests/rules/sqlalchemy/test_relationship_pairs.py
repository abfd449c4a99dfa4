"""Traps of relationship-pair-mismatch and relationship-type-mismatch, and what SQLAlchemy says of each."""

from __future__ import annotations

import textwrap
import warnings

import pytest
from sqlalchemy.exc import InvalidRequestError, SAWarning
from sqlalchemy.orm import configure_mappers

from tests.rules.execution import imported
from tests.rules.harness import findings, fix

HEADER = """
from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Named:
    pass


"""
MISSING = {
    "no such attribute": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(back_populates="mother")  # PB506

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship(back_populates="children")
    """,
    "a relationship with a join of its own": """
        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship(foreign_keys=[parent_id], back_populates="sons")  # PB506

        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
    """,
    "a target named by a text": """
        class Parent(Base):
            __tablename__ = "parents"
            id = Column(Integer, primary_key=True)
            children = relationship("Child", back_populates="parent")  # PB506

        class Child(Base):
            __tablename__ = "children"
            id = Column(Integer, primary_key=True)
            parent_id = Column(ForeignKey("parents.id"))
    """,
}
WARNS = """
    class Parent(Base):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)
        children: Mapped[list[Child]] = relationship()  # PB506

    class Child(Base):
        __tablename__ = "children"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
        parent: Mapped[Parent] = relationship()
"""
PAIRED = {
    "both sides": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(back_populates="parent")

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship(back_populates="children")
    """,
    "one side is enough": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(back_populates="parent")

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship()
    """,
    "the other side is in a mixin": """
        class HasParent:
            @declared_attr
            def parent_id(cls) -> Mapped[int]:
                return mapped_column(ForeignKey("parents.id"))

            @declared_attr
            def parent(cls) -> Mapped[Parent]:
                return relationship(back_populates="children")

        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(back_populates="parent")

        class Child(HasParent, Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
    """,
    "the other side is inherited": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            kind: Mapped[str]
            children: Mapped[list[Child]] = relationship(back_populates="parent")
            __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "parent"}

        class Mother(Parent):
            __mapper_args__ = {"polymorphic_identity": "mother"}

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Mother] = relationship(back_populates="children")
    """,
    "set on the class later": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(back_populates="parent")

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))

        Child.parent = relationship(Parent, back_populates="children")
    """,
    "a view": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(viewonly=True)

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship()
    """,
    "two keys": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            first_id: Mapped[int] = mapped_column(ForeignKey("children.id"))
            first: Mapped[Child] = relationship(foreign_keys=[first_id])

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship(foreign_keys=[parent_id])
    """,
    "a tree": """
        class Node(Base):
            __tablename__ = "nodes"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
            children: Mapped[list[Node]] = relationship(back_populates="parent")
            parent: Mapped[Node] = relationship(back_populates="children", remote_side=[id])
    """,
    "one to one": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            child: Mapped[Child] = relationship(back_populates="parent")

        class Child(Base):
            __tablename__ = "children"
            __table_args__ = (UniqueConstraint("parent_id"),)
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship(back_populates="child")
    """,
    "shared primary key": """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            child: Mapped[Child] = relationship(back_populates="parent")

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(ForeignKey("parents.id"), primary_key=True)
            parent: Mapped[Parent] = relationship(back_populates="child")
    """,
    "many to many": """
        links = Table(
            "links",
            Base.metadata,
            Column("parent_id", ForeignKey("parents.id"), primary_key=True),
            Column("child_id", ForeignKey("children.id"), primary_key=True),
        )

        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(secondary=links, back_populates="parents")

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parents: Mapped[list[Parent]] = relationship(secondary=links, back_populates="children")
    """,
}
SCALAR_OF_MANY = """
    class Parent(Base):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)
        children: Mapped[Child] = relationship(back_populates="parent")  # PB507

    class Child(Base):
        __tablename__ = "children"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
        parent: Mapped[Parent] = relationship(back_populates="children")
"""
LIST_OF_ONE = """
    class Parent(Base):
        __tablename__ = "parents"
        id: Mapped[int] = mapped_column(primary_key=True)
        children: Mapped[list[Child]] = relationship(back_populates="parent")

    class Child(Base):
        __tablename__ = "children"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
        parent: Mapped[list[Parent]] = relationship(back_populates="children")  # PB507
"""


def program(source: str) -> str:
    return HEADER + textwrap.dedent(source)


def configure(code: str) -> dict[str, bool | None]:
    """Configure the mappers of a program, warnings being errors; tells which relationships are lists."""
    with imported({"program": code}) as modules, warnings.catch_warnings():
        warnings.simplefilter("error", SAWarning)
        registry = modules["program"].Base.registry
        try:
            configure_mappers()
            return {str(item): item.uselist for mapper in registry.mappers for item in mapper.relationships}
        finally:
            registry.dispose()


@pytest.mark.parametrize("source", MISSING.values(), ids=MISSING)
def test_missing_side_is_found_and_raises(source: str) -> None:
    code = program(source)
    (found,) = findings("relationship-pair-mismatch", code)
    assert "has no such relationship" in found.message
    with pytest.raises(InvalidRequestError, match="has no property"):
        configure(code)


def test_unpaired_sides_are_found_and_warned_of() -> None:
    code = program(WARNS)
    (found,) = findings("relationship-pair-mismatch", code)
    assert len(found.related) == 2
    with pytest.raises(SAWarning, match="conflicts with relationship"):
        configure(code)


def test_side_that_leads_to_a_third_class() -> None:
    source = """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            children: Mapped[list[Child]] = relationship(back_populates="school")  # PB506

        class School(Base):
            __tablename__ = "schools"
            id: Mapped[int] = mapped_column(primary_key=True)

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))
            school: Mapped[School] = relationship()
    """
    (found,) = findings("relationship-pair-mismatch", program(source))
    assert "leads to `School`" in found.message


def test_fixed_pair_can_be_configured() -> None:
    after = fix("relationship-pair-mismatch", program(MISSING["no such attribute"]))
    assert 'relationship(back_populates="parent")' in after
    configure(after)


def test_what_only_reads_is_no_pair() -> None:
    source = """
        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            sons: Mapped[list[Child]] = relationship(viewonly=True)

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
            parent: Mapped[Parent] = relationship(back_populates="children")  # PB506
    """
    (found,) = findings("relationship-pair-mismatch", program(source))
    assert found.fix is None


@pytest.mark.parametrize("source", PAIRED.values(), ids=PAIRED)
def test_silent_and_configured(source: str) -> None:
    code = program(source)
    assert findings("relationship-pair-mismatch", code) == []
    assert findings("relationship-type-mismatch", code) == []
    configure(code)


@pytest.mark.parametrize(
    ("source", "name"), [(SCALAR_OF_MANY, "Parent.children"), (LIST_OF_ONE, "Child.parent")]
)
def test_wrong_type_is_found_and_is_a_scalar(source: str, name: str) -> None:
    code = program(source)
    (found,) = findings("relationship-type-mismatch", code)
    assert len(found.related) == 1
    assert configure(code)[name] is False


def test_classes_of_two_files_find_each_other_by_name() -> None:
    files = {
        "shop/base.py": """
            from sqlalchemy.orm import DeclarativeBase

            class Base(DeclarativeBase):
                pass
        """,
        "shop/orders.py": """
            from sqlalchemy import ForeignKey
            from sqlalchemy.orm import Mapped, mapped_column, relationship

            from shop.base import Base

            class Order(Base):
                __tablename__ = "orders"
                id: Mapped[int] = mapped_column(primary_key=True)
                customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
                customer: Mapped["Customer"] = relationship(back_populates="orders")
        """,
    }
    source = """
        from sqlalchemy.orm import Mapped, mapped_column, relationship

        from shop.base import Base

        class Customer(Base):
            __tablename__ = "customers"
            id: Mapped[int] = mapped_column(primary_key=True)
            all_orders: Mapped[list["Order"]] = relationship(back_populates="buyer")  # PB506
    """
    (found,) = findings("relationship-pair-mismatch", source, files=files)
    assert found.related[0].path.endswith("orders.py")
    findings("relationship-type-mismatch", source.replace("  # PB506", ""), files=files)


NAMED = """
from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship


class Base(DeclarativeBase):
    @declared_attr.directive
    def __tablename__(cls) -> str:
        return {name}


class BigOrder(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    lines: Mapped[Line] = relationship(back_populates="order")  # PB507


class Line(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("{table}.id"))
    order: Mapped[BigOrder] = relationship(back_populates="lines")
"""


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("cls.__name__", "BigOrder"),
        ("cls.__name__.lower()", "bigorder"),
        ('cls.__name__.lower() + "s"', "bigorders"),
        ('f"shop_{cls.__name__.lower()}"', "shop_bigorder"),
    ],
)
def test_tables_named_after_their_classes(name: str, table: str) -> None:
    code = NAMED.format(name=name, table=table)
    findings("relationship-type-mismatch", code)
    assert configure(code)["BigOrder.lines"] is False
    other = code.replace(f'"{table}.id"', '"others.id"').replace("  # PB507", "")
    assert findings("relationship-type-mismatch", other) == []


def test_tables_named_by_flask_sqlalchemy() -> None:
    source = """
        from __future__ import annotations

        from flask_sqlalchemy import SQLAlchemy
        from sqlalchemy import ForeignKey
        from sqlalchemy.orm import Mapped, mapped_column, relationship

        db = SQLAlchemy()

        class Keyed(db.Model):
            __abstract__ = True
            id: Mapped[int] = mapped_column(primary_key=True)

        class HTTPLogEntry(Keyed):
            lines: Mapped[Line] = relationship(back_populates="entry")  # PB507

        class SlowEntry(HTTPLogEntry):
            notes: Mapped[Note] = relationship(back_populates="entry")

        class Line(Keyed):
            entry_id: Mapped[int] = mapped_column(ForeignKey("http_log_entry.id"))
            entry: Mapped[HTTPLogEntry] = relationship(back_populates="lines")

        class Note(Keyed):
            entry_id: Mapped[int] = mapped_column(ForeignKey("slow_entry.id"))
            entry: Mapped[SlowEntry] = relationship(back_populates="notes")
    """
    findings("relationship-type-mismatch", source)
