"""Traps of PB153, and the query counts of the documented example under Django."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.harness import findings

RULE = "str-follows-relation"
MODEL = """
from django.db import models

class Author(models.Model):
    name = models.CharField(max_length=5)

class Loading(models.Manager):
    def get_queryset(self):
        return super().get_queryset().select_related("author")

class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)
    title = models.CharField(max_length=5)
    tags = models.ManyToManyField(Author, related_name="+")
{manager}
    @property
    def heading(self):
        return f"{{self.author.name}}: {{self.title}}"

    def __str__(self):
        {body}
"""
SILENT = {
    "own columns": ("", "return self.title"),
    "key": ("", "return f'{self.title} {self.author_id}'"),
    "loaded by the default manager": ("    objects = Loading()\n", "return self.author.name"),
    "a setting decides": ("", "return self.author.name if models.DEBUG_TEXTS and debug else self.title"),
}
FOUND = {
    "foreign key": ("", "return self.author.name  # PB153"),
    "whole object": ("", "return f'{self.author}'  # PB153"),
    "property": ("", "return self.heading  # PB153"),
    "many": ("", "return ', '.join(tag.name for tag in self.tags.all())  # PB153"),
    "loaded by another manager": ("    objects = models.Manager()\n    full = Loading()\n",
                                  "return self.author.name  # PB153"),
}  # fmt: skip


@pytest.mark.parametrize(("manager", "body"), SILENT.values(), ids=SILENT.keys())
def test_silent(manager: str, body: str) -> None:
    assert findings(RULE, MODEL.format(manager=manager, body=body)) == []


@pytest.mark.parametrize(("manager", "body"), FOUND.values(), ids=FOUND.keys())
def test_found(manager: str, body: str) -> None:
    findings(RULE, MODEL.format(manager=manager, body=body))


def test_other_classes() -> None:
    plain = "class Order:\n    def __str__(self):\n        return self.customer.name\n"
    assert findings(RULE, f"from django.db import models\n\n{plain}") == []


@pytest.mark.parametrize(("title", "grows"), [("Bad", True), ("Good", False)])
def test_django_runs_one_query_per_row(title: str, grows: bool) -> None:
    few, many = queries(RULE, title, 0, "[str(row) for row in apps.get_model('shop', 'Order').objects.all()]")
    assert (many - few >= 4) is grows
