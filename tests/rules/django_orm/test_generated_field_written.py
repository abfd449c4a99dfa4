"""Which code writes a generated field, and what Django does with the value."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import printed
from tests.rules.harness import findings

HEADER = """
from django import forms
from django.views.generic import CreateView
from shop.models import Line, Other, Own, Special
"""
FILES = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5.0"]\n',
    "shop/__init__.py": "",
    "shop/models.py": """
from django.db import models
from django.db.models import F

class Line(models.Model):
    price = models.IntegerField()
    total = models.GeneratedField(expression=F("price") * 2, output_field=models.IntegerField(), db_persist=True)

class Special(Line):
    note = models.TextField()

class Own(models.Model):
    total = models.GeneratedField(expression=F("id"), output_field=models.IntegerField(), db_persist=True)

    def __init__(self, *args, total=None, **kwargs):
        super().__init__(*args, **kwargs)

class Other(models.Model):
    total = models.IntegerField()
""",
}
SILENT = {
    "another field": "Line.objects.create(price=1)",
    "another model": "Other.objects.create(total=1)",
    "a query": "Line.objects.filter(total=1)",
    "one row": "Line.objects.get(total=1)",
    "a query that may create": "Line.objects.get_or_create(total=1)",
    "a function": "print(total=1)",
    "a model that takes it itself": "Own(total=1)",
    "shown only": "line = Line(price=1)\nline.total = 2\nprint(line)",
    "another row is saved": "line = Line(price=1)\nline.total = 2\nother = Line(price=3)\nother.save()",
    "a form without it": (
        'class F(forms.ModelForm):\n    class Meta:\n        model = Line\n        fields = ["price"]'
    ),
    "a form of another model": (
        'class F(forms.ModelForm):\n    class Meta:\n        model = Other\n        fields = ["total"]'
    ),
}
FOUND = {
    "created": "Line.objects.create(price=1, total=2)  # PB169",
    "created in a coroutine": "async def f():\n    await Line.objects.acreate(price=1, total=2)  # PB169",
    "updated": "Line.objects.filter(price=1).update(total=2)  # PB169",
    "made": "Line(price=1, total=2)  # PB169",
    "inherited": "Special(price=1, total=2)  # PB169",
    "set and saved": "def f():\n    line = Line.objects.get()\n    line.total = 2  # PB169\n    line.save()",
    "in a form": (
        'class F(forms.ModelForm):\n    class Meta:\n        model = Line\n        fields = ["price", "total"]  # PB169'
    ),
    "in a view": 'class V(CreateView):\n    model = Line\n    fields = ("total",)  # PB169',
}


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB169", f"{HEADER}\n{SILENT[why]}\n", files=FILES)


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    (found,) = findings("PB169", f"{HEADER}\n{FOUND[why]}\n", files=FILES)
    assert found.related[0].path.endswith("shop/models.py")


def test_django_drops_the_value() -> None:
    program = """
        from django import forms
        from django.core.exceptions import FieldError
        from shop.models import Line
        line = example.add_line(2, 3)
        line.total = 100
        line.save()
        print(Line.objects.get().total)
        print(Line.objects.update(total=7), Line.objects.get().total)
        print(Line.objects.create(price=1, amount=1, total=9).total)
        try:
            forms.modelform_factory(Line, fields=["total"])
        except FieldError:
            print("FieldError")
    """
    assert printed("PB169", "Bad", program) == ["6", "0", "6", "1", "FieldError"]
