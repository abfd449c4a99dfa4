"""Queries of invoices."""

from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session, joinedload, sessionmaker

from invoices.models import Customer, Invoice

engine: Engine = create_engine("postgresql:///invoices")
factory = sessionmaker(engine)


def names(session: Session) -> list[str]:
    """The names of the customers of all invoices."""
    found = []
    for invoice in session.scalars(select(Invoice)):
        found.append(invoice.customer.name)  # PB525
    return found


def names_at_once(session: Session) -> list[str]:
    """The names of the customers of all invoices, in one query."""
    found = []
    for invoice in session.scalars(select(Invoice).options(joinedload(Invoice.customer))):
        found.append(invoice.customer.name)
    return found


def first_customer() -> str:
    """The customer of the first invoice, read too late."""
    with factory() as session:
        invoice = session.scalars(select(Invoice)).one()
    return invoice.customer.name  # PB524


def first_customer_in_time() -> str:
    """The customer of the first invoice."""
    with factory() as session:
        invoice = session.scalars(select(Invoice)).one()
        return invoice.customer.name


def customers(session: Session, ids: list[int]) -> list[Customer]:
    """Customers by their keys, one query each."""
    found = []
    for customer_id in ids:
        found.append(session.scalars(select(Customer).where(Customer.id == customer_id)).one())  # PB526
    return found


def customers_at_once(session: Session, ids: list[int]) -> list[Customer]:
    """Customers by their keys, in one query."""
    return list(session.scalars(select(Customer).where(Customer.id.in_(ids))))


def ordered(session: Session, column: str) -> list[int]:
    """The keys of all customers, in the order of a column."""
    return list(session.scalars(text(f"SELECT id FROM customers ORDER BY {column}")))  # PB920


def ordered_by_choice(session: Session, column: str) -> list[int]:
    """The keys of all customers, in one of two orders."""
    chosen = {"name": "name", "newest": "id DESC"}.get(column, "id")
    return list(session.scalars(text(f"SELECT id FROM customers ORDER BY {chosen}")))
