"""Traps of PB157."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings

RULE = "call-in-field-default"
TEXT = """
import datetime
import uuid
from functools import partial
from datetime import date
from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from dataclasses import field
from rest_framework import serializers

ZERO = tuple()

class Coloured(models.CharField):
    pass

class Order(models.Model):
    value = {}
"""

SILENT = {
    "callable": "models.DateTimeField(default=timezone.now)",
    "class": "models.JSONField(default=dict)",
    "constant": "models.IntegerField(default=0)",
    "partial": "models.CharField(default=partial(str, 1))",
    "tuple": "models.JSONField(default=ZERO)",
    "duration": "models.DurationField(default=datetime.timedelta(days=1))",
    "fixed date": "models.DateField(default=date(2020, 1, 1))",
    "database default": "models.DateTimeField(db_default=Now())",
    "another call": "field(default=timezone.now())",
    "no field": "dict(default=[])",
    "serializer's copy": "serializers.ListField(default=[])",
}
FOUND = {
    "now": "models.DateTimeField(default=timezone.now())  # PB157",
    "naive now": "models.DateTimeField(default=datetime.datetime.now())  # PB157",
    "today": "models.DateField(default=date.today())  # PB157",
    "identifier": "models.UUIDField(primary_key=True, default=uuid.uuid4())  # PB157",
    "list": "ArrayField(models.TextField(), default=[])  # PB157",
    "dictionary": "models.JSONField(default={})  # PB157",
    "called class": "models.JSONField(default=dict())  # PB157",
    "literal with content": "models.JSONField(default={'a': 1})  # PB157",
    "own field": "Coloured(default=uuid.uuid4())  # PB157",
    "serializer": "serializers.DateTimeField(default=timezone.now())  # PB157",
    "arguments": "models.DateTimeField(default=datetime.datetime.now(datetime.UTC))  # PB157",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, TEXT.format(code)) == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    (found,) = findings(RULE, TEXT.format(code))
    assert (found.fix is None) == ("'a'" in code or "(datetime.UTC)" in code)
