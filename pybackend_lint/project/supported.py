"""What is known of the frameworks' distributions: supported releases, and which ones bring which.

A question about a version that a project does not tell is answered with the oldest and the newest
supported release: a rule may speak only where both agree.
"""

from __future__ import annotations

from packaging.version import Version

# As of 2026-11, from the projects' release and support pages and the package index. Where a project
# supports only its newest series, the oldest is the one that deployed backends still commonly run.
_RELEASES = {
    "alembic": ("1.13", "1.20.1"),
    "django": ("5.2", "6.1.3"),  # 4.2 LTS ended in April 2026
    "djangorestframework": ("3.15", "3.18.3"),
    "fastapi": ("0.110", "0.165.0"),
    "flask": ("3.0", "3.1.3"),
    "flask-sqlalchemy": ("3.1", "3.1.1"),
    "httpx": ("0.27", "0.28.1"),
    "pydantic": ("2.0", "2.14.3"),
    "pydantic-settings": ("2.0", "2.16.3"),
    "pyjwt": ("2.8", "2.15.1"),
    "pytest": ("8.0", "9.2.0"),
    "pytest-asyncio": ("0.24", "1.5.0"),
    "python": ("3.11", "3.14"),  # 3.10 ended in October 2026
    "requests": ("2.31", "2.34.2"),
    "sqlalchemy": ("2.0", "2.1.9"),
    "starlette": ("0.37", "1.10.0"),
    "werkzeug": ("3.0", "3.1.9"),
}

SUPPORTED: dict[str, tuple[Version, Version]] = {
    package: (Version(oldest), Version(newest)) for package, (oldest, newest) in _RELEASES.items()
}

# Distributions that always bring another one (their metadata requires it without extra or marker).
BROUGHT_BY: dict[str, tuple[str, ...]] = {
    "django": ("wagtail", "djangorestframework", "channels"),
    "flask": ("quart",),
    "httpx": ("fastapi-cloud-cli", "openai", "anthropic"),
    "pydantic": ("fastapi", "pydantic-settings", "sqlmodel", "django-ninja"),
    "sqlalchemy": ("alembic", "sqlmodel", "flask-sqlalchemy", "flask-migrate", "advanced-alchemy"),
    "starlette": ("fastapi",),
    "werkzeug": ("flask", "quart"),
}
# ... and prefixes of the names of a framework's extensions, which bring the framework.
BROUGHT_BY_PREFIX: dict[str, tuple[str, ...]] = {
    "django": ("django-", "djangorestframework-", "wagtail-"),
    "fastapi": ("fastapi-",),
    "flask": ("flask-",),
    "pydantic": ("fastapi-",),
    "pytest": ("pytest-",),
    "starlette": ("fastapi-", "starlette-"),
    "werkzeug": ("flask-",),
}

# Releases that refuse newer ones of another package: who refuses, up to which release of its own (not
# included), and the first that is refused. From the metadata of the releases.
HELD_BACK_BY: dict[str, tuple[tuple[str, Version, Version], ...]] = {
    "pydantic": (
        ("fastapi", Version("0.100"), Version("2")),
        ("sqlmodel", Version("0.0.14"), Version("2")),
    ),
    "sqlalchemy": (("sqlmodel", Version("0.0.12"), Version("2")),),
}
