"""The families of rules: the digit of their codes, the folder of their modules and what they are about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Codes of the family start with `PB` and `digit`; its modules are in `pybackend_lint/rules/<folder>`."""

    digit: str
    folder: str
    about: str


FAMILIES = (
    Family("0", "project", "Project metadata, Python versions and typing"),
    Family("1", "django_orm", "Django models and ORM"),
    Family("2", "django_web", "Django views, forms, middleware, settings and upgrades"),
    Family("3", "fastapi", "FastAPI and Starlette"),
    Family("4", "pydantic", "Pydantic and pydantic-settings"),
    Family("5", "sqlalchemy", "SQLAlchemy and Alembic"),
    Family("6", "asyncio", "Asynchronous code"),
    Family("7", "flask", "Flask"),
    Family("8", "testing", "pytest and friends"),
    Family("9", "architecture", "Errors, security, logging and caching"),
)


def family_of(code: str) -> Family:
    """The family of a code such as `PB101`."""
    return next(family for family in FAMILIES if code.startswith(f"PB{family.digit}"))
