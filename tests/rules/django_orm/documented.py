"""Runs the examples in the documentation of a rule under Django, and counts their queries."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tests.rules.harness import documentation, entry_of, examples, write

_SETUP = """
import sys
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for tests",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.messages",
        "django.contrib.admin", "shop",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
)
django.setup()

from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

with connection.schema_editor() as editor:
    for model in apps.get_app_config("shop").get_models():
        editor.create_model(model)

try:
    import example
except ModuleNotFoundError:  # where the models are the example
    pass


def fill(rows):
    for model in apps.get_app_config("shop").get_models():
        there = model.objects.count()
        for number in range(there, there + rows):
            values = {}
            for field in model._meta.concrete_fields:
                if field.remote_field and field.related_model is not model:
                    values[field.name] = field.related_model.objects.order_by("pk")[number]
                elif isinstance(field, models.CharField):
                    values[field.name] = str(number)
                elif isinstance(field, models.IntegerField) and not field.primary_key:
                    values[field.name] = number
            row = model.objects.create(**values)
            for field in model._meta.many_to_many:
                getattr(row, field.name).set(field.related_model.objects.all())


def count(body):
    with CaptureQueriesContext(connection) as captured:
        body()
    return len(captured)
"""

_OWN_TABLES = """
from django.core.management import call_command

call_command("migrate", run_syncdb=True, verbosity=0)
"""


def queries(rule: str, title: str, number: int, call: str) -> tuple[int, int]:
    """How many queries a call in an example runs with two rows in each table, and with six.

    `call` is the body of a function of no parameters over the names of the example.
    """
    bad = examples(documentation(entry_of(rule)), "Bad")[number]
    example = examples(documentation(entry_of(rule)), title)[number]
    return counted({**bad.files, **example.files, example.path: example.text}, call)


def printed(rule: str, title: str, program: str, number: int = 0) -> list[str]:
    """The words that a program prints behind a documented example, over empty tables.

    The tables of Django's own apps are there too.
    """
    bad = examples(documentation(entry_of(rule)), "Bad")[number]
    example = examples(documentation(entry_of(rule)), title)[number]
    text = f"{_SETUP}\n{_OWN_TABLES}\n{textwrap.dedent(program)}"
    return _run({**bad.files, **example.files, example.path: example.text}, text).split()


def counted(files: Mapping[str, str], call: str) -> tuple[int, int]:
    """How many queries a call runs with two rows in each table of the app `shop`, and with six."""
    body = textwrap.indent(textwrap.dedent(call).strip("\n"), "    ")
    text = (
        f"{_SETUP}\n\ndef body():\n{body}\n\nfill(2)\none = count(body)\nfill(4)\nprint(one, count(body))\n"
    )
    few, many = _run(files, text).split()
    return int(few), int(many)


def _run(files: Mapping[str, str], text: str) -> str:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write(root, {"shop/__init__.py": "", **files})
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=root, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    return done.stdout
