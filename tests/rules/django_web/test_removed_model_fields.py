"""Which fields of models are gone, for which versions, and what takes their place."""

from __future__ import annotations

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix


def requires(django: str) -> dict[str, str]:
    """A project that declares a version of Django."""
    return {"pyproject.toml": f'[project]\nname = "shop"\nversion = "1"\ndependencies = ["django{django}"]\n'}


SILENT = {
    "Django 3.2 still takes it": ("from django.db import models\nmodels.NullBooleanField()", ">=3.2,<4", "m.py"),
    "Django 5.0 still takes it": (
        "from django.contrib.postgres.fields import CITextField\nCITextField()", ">=4.2,<5.1", "m.py",
    ),
    "the type of an expression": (
        "from django.contrib.postgres.fields import JSONField\nfrom django.db.models import Value\n"
        "EMPTY = Value([], JSONField())", ">=5.2", "m.py",
    ),
    "the field of a generated model": (
        "from django.contrib.postgres.fields import JSONField\ndef field(**options): return JSONField(**options)",
        ">=5.2", "m.py",
    ),
    "the new field": ("from django.db import models\nmodels.JSONField()", ">=5.2", "m.py"),
    "the form field": ("from django.forms import NullBooleanField\nNullBooleanField()", ">=5.2", "m.py"),
    "another package's field": ("from rest_framework.serializers import JSONField\nJSONField()", ">=5.2", "m.py"),
    "a migration": (
        "from django.db import models\nmodels.NullBooleanField()", ">=5.2", "shop/migrations/0001_initial.py",
    ),
    "only when the new one cannot be imported": (
        "try:\n    from django.db.models import JSONField\n"
        "except ImportError:\n    from django.contrib.postgres.fields import JSONField\nJSONField()",
        ">=5.2", "m.py",
    ),
}  # fmt: skip
FOUND = {
    "null boolean": "from django.db import models\nmodels.NullBooleanField()  # PB253",
    "by its old module": "from django.db.models.fields import NullBooleanField\nNullBooleanField()  # PB253",
    "json": "from django.contrib.postgres.fields.jsonb import JSONField\nJSONField()  # PB253",
    "citext": "from django.contrib.postgres import fields\nfields.CIEmailField()  # PB253",
    "range": "from django.contrib.postgres.fields import FloatRangeField\nFloatRangeField()  # PB253",
}


@pytest.mark.parametrize(("text", "django", "path"), SILENT.values(), ids=SILENT)
def test_silent(text: str, django: str, path: str) -> None:
    findings("PB253", text + "\n", files=requires(django), path=path)


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("django", [">=5.2,<6", ">=4.2"])
def test_found(text: str, django: str) -> None:
    findings("PB253", text + "\n", files=requires(django))


FIXED = {
    "no arguments": ("models.NullBooleanField()", "models.BooleanField(null=True, blank=True)"),
    "arguments": (
        'models.NullBooleanField("on", help_text="x")',
        'models.BooleanField("on", help_text="x", null=True, blank=True)',
    ),
    "null and blank are given": (
        "models.NullBooleanField(null=True, blank=True)", "models.BooleanField(null=True, blank=True)",
    ),
    "several lines": (
        'models.NullBooleanField(\n    "on",\n)', 'models.BooleanField(\n    "on", null=True, blank=True,\n)',
    ),
    "not against what is given": ("models.NullBooleanField(blank=False)", None),
    "not with unknown arguments": ("models.NullBooleanField(**options)", None),
    "citext takes a decision": ("fields.CICharField(max_length=5)", None),
    "range": ("fields.FloatRangeField()", "fields.DecimalRangeField()"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    head = "from django.contrib.postgres import fields\nfrom django.db import models\n\nuses = fields.ArrayField\n"
    assert fix("PB253", f"{head}x = {text}\n") == f"{head}x = {text if expected is None else expected}\n"


@pytest.mark.parametrize("calls", ["x = JSONField()\n", "x = JSONField()\ny = JSONField(null=True)\n"])
def test_the_import_follows(calls: str) -> None:
    before = f"from django.contrib.postgres.fields import JSONField\n\n{calls}"
    assert fix("PB253", before) == f"from django.db.models import JSONField\n\n{calls}"


def test_django_refuses_the_old_field_and_takes_the_new_one() -> None:
    printed = run(
        """
        from django.db import models

        class Old(models.Model):
            flag = models.NullBooleanField()

            class Meta:
                app_label = "auth"

        class New(models.Model):
            flag = models.BooleanField(null=True, blank=True)

            class Meta:
                app_label = "auth"

        for model in (Old, New):
            print([error.id for error in model.check() if error.id.startswith("fields.E9")])
        New(flag=None).full_clean()
        """
    )
    assert printed == "['fields.E903']\n[]\n"
