"""Customers, their orders and the products they order."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Column, Enum, ForeignKey, Numeric, String, Table, func
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship


class Base(AsyncAttrs, DeclarativeBase):
    """The base of all tables."""


class HasTimestamps:
    """When a row was written."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class HasOwner:
    """The customer to whom a row belongs."""

    owner_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))

    @declared_attr
    def owner(cls) -> Mapped[Customer]:
        return relationship("Customer")


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


order_tags = Table(
    "order_tags",
    Base.metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Customer(HasTimestamps, Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(200), unique=True)
    orders: Mapped[list[Order]] = relationship(back_populates="customer")
    profile: Mapped[Profile | None] = relationship(back_populates="customer", lazy="joined")


class Profile(Base):
    __tablename__ = "profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), unique=True)
    customer: Mapped[Customer] = relationship(back_populates="profile")


class Order(HasTimestamps, Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[Status] = mapped_column(Enum(Status), default=Status.OPEN)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship(back_populates="orders")
    lines = relationship("Line", back_populates="order", cascade="all, delete-orphan")
    tags = relationship("Tag", secondary=order_tags, lazy="selectin")


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    order = relationship("Order", back_populates="lines")


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Address(HasOwner, Base):
    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    street: Mapped[str]
