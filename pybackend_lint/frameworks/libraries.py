"""All frameworks together, as the project index asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from pybackend_lint.frameworks import (
    alembic,
    asyncio,
    django,
    django_admin,
    django_web,
    drf,
    exceptions,
    fastapi,
    flask,
    logging,
    pydantic,
    sqlalchemy,
    testing,
)
from pybackend_lint.project.index import Libraries
from pybackend_lint.semantic.types import Provider

_FRAMEWORKS = (
    alembic,
    asyncio,
    django,
    django_admin,
    django_web,
    drf,
    exceptions,
    fastapi,
    flask,
    logging,
    pydantic,
    sqlalchemy,
    testing,
)


def libraries(extra_bases: Mapping[str, str]) -> Libraries:
    """What the frameworks know, and the base classes that the settings add (class to framework class)."""
    providers: dict[str, Provider] = {}
    bases: dict[str, tuple[str, ...]] = {}
    aliases: dict[str, str] = {}
    for framework in _FRAMEWORKS:
        providers.update(dict.fromkeys(framework.ROOTS, framework.KNOWLEDGE))
        bases.update(framework.BASES)
        aliases.update(framework.ALIASES)
    bases.update({name: (base,) for name, base in extra_bases.items()})
    return Libraries(providers, bases, aliases)
