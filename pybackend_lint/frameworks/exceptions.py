"""The hierarchy of exceptions: of Python, of the libraries that backends use, and of Django's models."""

from __future__ import annotations

import builtins

from pybackend_lint.frameworks.data.exceptions import EXCEPTIONS
from pybackend_lint.frameworks.knowledge import Knowledge


def _builtin_bases() -> dict[str, tuple[str, ...]]:
    classes = [cls for cls in vars(builtins).values() if isinstance(cls, type)]
    return {
        f"builtins.{cls.__name__}": tuple(f"builtins.{base.__name__}" for base in cls.__bases__)
        for cls in classes
        if issubclass(cls, BaseException) and cls is not BaseException
    }


def _library_bases() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for package, below in EXCEPTIONS.items():
        for parent, children in below.items():
            base = parent if "." in parent else f"{package}.{parent}"
            for child in children.split():
                name = f"{package}.{child}"
                found[name] = (*found.get(name, ()), base)
    return found


ROOTS: tuple[str, ...] = ()
BASES = {**_builtin_bases(), **_library_bases()}
ALIASES: dict[str, str] = {
    "builtins.IOError": "builtins.OSError",
    "builtins.EnvironmentError": "builtins.OSError",
    "asyncio.exceptions.CancelledError": "asyncio.CancelledError",
    "json.decoder.JSONDecodeError": "json.JSONDecodeError",
    "django.db.utils.": "django.db.",
    "sqlalchemy.orm.exc.NoResultFound": "sqlalchemy.exc.NoResultFound",
    "sqlalchemy.orm.exc.MultipleResultsFound": "sqlalchemy.exc.MultipleResultsFound",
    "pydantic_core.ValidationError": "pydantic.ValidationError",
    **{
        f"requests.{name}": f"requests.exceptions.{name}"
        for name in ("RequestException", "ConnectionError", "ConnectTimeout", "HTTPError", "ReadTimeout",
                     "Timeout", "TooManyRedirects", "URLRequired", "JSONDecodeError")
    },
    **{
        f"redis.{name}": f"redis.exceptions.{name}"
        for name in ("AuthenticationError", "BusyLoadingError", "ConnectionError", "DataError",
                     "InvalidResponse", "PubSubError", "ReadOnlyError", "RedisError", "ResponseError",
                     "TimeoutError", "WatchError")
    },
    **{
        f"jwt.{child}": f"jwt.exceptions.{child}"
        for children in EXCEPTIONS["jwt.exceptions"].values()
        for child in children.split()
    },
}  # fmt: skip
KNOWLEDGE = Knowledge()
