"""Where removed settings are reported, and where they are left alone."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix

HEADER = """
INSTALLED_APPS = ["django.contrib.auth"]
ROOT_URLCONF = "shop.urls"
"""


def requires(django: str) -> dict[str, str]:
    """A project that declares a version of Django."""
    return {"pyproject.toml": f'[project]\nname = "shop"\nversion = "1"\ndependencies = ["django{django}"]\n'}


SILENT: dict[str, tuple[str, str, dict[str, str]]] = {
    "Django 4.2 still reads it": ("USE_L10N = False", ">=4.2,<5", {}),
    "the oldest supported version still reads it": ("PASSWORD_RESET_TIMEOUT_DAYS = 1", ">=3.2,<6", {}),
    "before 4.0 the default was the other one": ("USE_L10N = True", ">=3.2,<5.3", {}),
    "in 5.x it silences a warning": ("FORMS_URLFIELD_ASSUME_HTTPS = True", ">=5.2,<6.2", {}),
    "the module reads it": ("TEMPLATE_DIRS = []\nTEMPLATES = [{'DIRS': TEMPLATE_DIRS}]", ">=5.2", {}),
    "a local variable": ("def debug():\n    USE_L10N = True", ">=5.2", {}),
    "a class that holds no settings": ("class Defaults:\n    USE_L10N = True", ">=5.2", {}),
    "only declared": ("USE_L10N: bool", ">=5.2", {}),
    "a setting that lives": ("USE_I18N = True", ">=5.2", {}),
}
FOUND = {
    "off has no effect any more": ("USE_L10N = False  # PB254", ">=5.2"),
    "the default since 4.0": ("USE_L10N = True  # PB254", ">=4.2,<6"),
    "annotated": ("USE_DEPRECATED_PYTZ: bool = False  # PB254", ">=5.2"),
    "inside a condition": ("if ROOT_URLCONF:\n    CSRF_COOKIE_MASKED = True  # PB254", ">=5.2"),
    "6.0 and later only": ("FORMS_URLFIELD_ASSUME_HTTPS = True  # PB254", ">=6.0"),
    "no version declared": ("SECURE_BROWSER_XSS_FILTER = True  # PB254", None),
    "middleware": ("MIDDLEWARE_CLASSES = ()  # PB254", ">=5.2"),
    "class-based settings": (
        "from configurations import Configuration\nclass Base(Configuration):\n    USE_L10N = True  # PB254",
        ">=5.2",
    ),
}


@pytest.mark.parametrize(("text", "django", "files"), SILENT.values(), ids=SILENT)
def test_silent(text: str, django: str, files: dict[str, str]) -> None:
    findings("PB254", HEADER + text + "\n", files=requires(django) | files, path="shop/settings.py")


@pytest.mark.parametrize(("text", "django"), FOUND.values(), ids=FOUND)
def test_found(text: str, django: str | None) -> None:
    files = {"pyproject.toml": ""} if django is None else requires(django)
    findings("PB254", HEADER + text + "\n", files=files, path="shop/settings.py")


SETTINGS_MODULES = {
    "named by manage.py": {
        "manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.conf.local")\n'
    },
    "named by pytest's configuration": {"pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.conf.local\n"},
    "imported with a star by the module that is named": {
        "shop/conf/__init__.py": "from .local import *\n",
        "shop/wsgi.py": 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.conf"\n',
    },
}


@pytest.mark.parametrize("files", SETTINGS_MODULES.values(), ids=SETTINGS_MODULES)
def test_settings_modules_by_evidence(files: dict[str, str]) -> None:
    text = "import os\nUSE_L10N = True  # PB254\nUSE_TZ = True\n"
    findings("PB254", text, files=requires(">=5.2") | files, path="shop/conf/local.py")


def test_no_settings_module() -> None:
    findings("PB254", "import django\nUSE_L10N = True\n", files=requires(">=5.2"), path="shop/conf/local.py")


FIXED = {
    "deletes": ("A = 1\nUSE_L10N = True\nB = 2\n", "A = 1\nB = 2\n"),
    "keeps the comment above": ("# Formats\nUSE_L10N = True\n", "# Formats\n"),
    "several lines": ("A = 1\nTEMPLATE_X = 1\nCSRF_COOKIE_MASKED = (\n    True\n)\n", "A = 1\nTEMPLATE_X = 1\n"),
    "with the comment on the line": ("USE_L10N = True  # formats\nA = 1\n", "A = 1\n"),
    "not when localisation was off": ("USE_L10N = False\n", None),
    "not one of two on a line": ("USE_L10N = True; USE_TZ = True\n", None),
    "not twice": ("USE_L10N = True\nUSE_L10N = False\n", None),
    "not the only statement of a block": ("if ROOT_URLCONF:\n    CSRF_COOKIE_MASKED = True\n", None),
    "days become seconds": ("PASSWORD_RESET_TIMEOUT_DAYS = 2\n", "PASSWORD_RESET_TIMEOUT = 172800\n"),
    "not when seconds are set already": (
        "PASSWORD_RESET_TIMEOUT_DAYS = 2\nPASSWORD_RESET_TIMEOUT = 60\n", None,
    ),
    "not what takes another form": ("TEMPLATE_DEBUG = True\n", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    before = HEADER.lstrip("\n") + text
    after = HEADER.lstrip("\n") + (text if expected is None else expected)
    assert fix("PB254", before, files=requires(">=5.2,<6"), path="shop/settings.py") == after
