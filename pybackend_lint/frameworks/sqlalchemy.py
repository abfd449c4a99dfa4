"""Facts about SQLAlchemy."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy")
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class SQLAlchemyKnowledge(Knowledge):
    """Types of SQLAlchemy."""


KNOWLEDGE = SQLAlchemyKnowledge()
