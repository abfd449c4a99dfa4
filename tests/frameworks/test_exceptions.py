"""The hierarchy of exceptions is that of the installed libraries and of Python."""

from __future__ import annotations

import importlib

import pytest

from pybackend_lint.frameworks.exceptions import BASES

_HOMES = {"django.db": "django.db.utils"}


def exception(name: str) -> type[BaseException]:
    """The class of a qualified name, or a skipped test where its library is not installed."""
    package, _, last = name.rpartition(".")
    module = pytest.importorskip(_HOMES.get(package, package))
    found = getattr(module, last, None)
    if found is None:
        pytest.skip(f"this version has no {name}")
    assert isinstance(found, type)
    return found


@pytest.fixture(scope="module", autouse=True)
def django_settings() -> None:
    conf = importlib.import_module("django.conf")
    if not conf.settings.configured:
        conf.settings.configure()


@pytest.mark.parametrize("name", sorted(BASES))
def test_is_a_special_case_of_its_bases(name: str) -> None:
    cls = exception(name)
    for base in BASES[name]:
        if base != "builtins.object":
            assert issubclass(cls, exception(base)), base
