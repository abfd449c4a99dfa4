"""The shop of tests/projects/django_shop: code around the traps, and the shop running on SQLite in memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tests.rules.harness import PROJECTS

IMPORTS = """\
from accounts.models import Company, Profile, User
from catalog.models import Category, Product, Tag
from django.core.paginator import Paginator
from django.db import models
from orders.models import Invoice, Line, Order
from reviews.models import Flag, Review
"""

_SETUP = """
import django
from django.conf import settings
from config.settings import base

settings.configure(
    **{name: value for name, value in vars(base).items() if name.isupper()},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

with connection.schema_editor() as editor:
    for model in apps.get_models():
        editor.create_model(model)
"""


def indented(code: str) -> str:
    """A piece of code, of one line or an indented block, as the body of a function."""
    return textwrap.indent(textwrap.dedent(code).strip("\n"), "    ")


def program(code: str, *, function: str = "def") -> str:
    """A module of the shop with a function `report(user)` whose body is the code."""
    return f"{IMPORTS}\n\n{function} report(user):\n{indented(code)}\n"


def run(code: str) -> str:
    """What a program prints that runs in the shop under Django, with an empty database."""
    done = subprocess.run(
        [sys.executable, "-c", _SETUP + IMPORTS + textwrap.dedent(code)],
        cwd=PROJECTS / "django_shop",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
