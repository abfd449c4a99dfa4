"""Exports of invoices."""

from sqlalchemy.orm import Session

from invoices.queries import names_at_once


def lines(session: Session) -> list[str]:
    """The names of the customers, as lines of a file."""
    return [f"{name};" for name in names_at_once(session)]


def address() -> str:
    """Where the exports are downloaded."""
    from invoices.pages import pages  # PB958

    return f"{pages.name}/exports"
