"""Which pairs of defaults differ, and which of them a new row gets."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import printed
from tests.rules.harness import findings

HEADER = """
from django.db import models
from django.db.models import Value
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework import serializers

class FlagsField(models.CharField):
    def get_prep_value(self, value):
        return "".join(str(int(flag)) for flag in value)

class State(models.TextChoices):
    NEW = "new"
    OLD = "old"

class Other(models.TextChoices):
    NEW = "new"

LIMIT = 5
"""
FILES = {"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5.0"]\n'}
SILENT = {
    "one of them": "models.IntegerField(db_default=1)",
    "the same": "models.IntegerField(default=1, db_default=1)",
    "the same as an expression": "models.IntegerField(default=1, db_default=Value(1))",
    "the same, written differently": 'models.DecimalField(default=0, db_default="0")',
    "true and one": "models.BooleanField(default=True, db_default=1)",
    "a function and an expression": "models.DateTimeField(default=timezone.now, db_default=Now())",
    "an empty dictionary": "models.JSONField(default=dict, db_default={})",
    "the same member": "models.CharField(default=State.NEW, db_default=State.NEW)",
    "members of two classes": "models.CharField(default=State.NEW, db_default=Other.NEW)",
    "a member and its value": 'models.CharField(default=State.NEW, db_default="new")',
    "a name": "models.IntegerField(default=LIMIT, db_default=6)",
    "a field with values of its own": 'FlagsField(default=[True], db_default="1")',
    "no field": "dict(default=1, db_default=2)",
    "a field of another kind": "serializers.IntegerField(default=1, db_default=2)",
}
FOUND = {
    "numbers": "models.IntegerField(default=0, db_default=1)",
    "truth": "models.BooleanField(default=False, db_default=True)",
    "an expression": "models.IntegerField(default=0, db_default=Value(1))",
    "nothing": 'models.CharField(null=True, default=None, db_default="a")',
    "members": "models.CharField(default=State.NEW, db_default=State.OLD)",
    "lists": "models.JSONField(db_default=[1], default=[])",
}


def program(field: str) -> str:
    return f"{HEADER}\nclass Order(models.Model):\n    field = {field}\n"


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB167", program(SILENT[why]), files=FILES)


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    assert findings("PB167", program(f"{FOUND[why]}  # PB167"), files=FILES)


def test_django_writes_its_own_default() -> None:
    program = """
        from shop.models import Subscription
        Subscription.objects.create()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO shop_subscription DEFAULT VALUES")
        print(*Subscription.objects.order_by("pk").values_list("is_active", flat=True))
    """
    assert printed("PB167", "Bad", program) == ["False", "True"]
    assert printed("PB167", "Good", program) == ["True", "True"]
