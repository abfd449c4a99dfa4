"""Traps of PB104 over the shop, and the query counts that Django itself shows."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings

RULE = "prefetch-defeated"
FILES = {
    "shelves/models.py": """
        from django.db import models

        class Shelf(models.Model):
            name = models.CharField(max_length=5)

        class Box(models.Model):
            shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="boxes")

            class Meta:
                ordering = ["pk"]
        """
}

SILENT = {
    "not prefetched": "[o.lines.filter(quantity=1) for o in Order.objects.all()]",
    "another relation": "[p.line_set.filter(quantity=1) for p in Product.objects.prefetch_related('tags')]",
    "all": "[list(o.lines.all()) for o in Order.objects.prefetch_related('lines')]",
    "count": "[o.lines.count() for o in Order.objects.prefetch_related('lines')]",
    "existence": "[o.lines.exists() for o in Order.objects.prefetch_related('lines')]",
    "under another name": (
        "[o.lines.filter(quantity=1) for o in "
        "Order.objects.prefetch_related(models.Prefetch('lines', to_attr='kept'))]"
    ),
    "deletes": "[o.lines.filter(quantity=0).delete() for o in Order.objects.prefetch_related('lines')]",
    "updates": "[o.lines.filter(quantity=0).update(quantity=1) for o in Order.objects.prefetch_related('lines')]",
    "adds": "[p.tags.add(user) for p in Product.objects.prefetch_related('tags')]",
    "one row": "[o.lines.filter(quantity=1) for o in Order.objects.prefetch_related('lines')[:1]]",
    "first by an order of its own": "[s.boxes.first() for s in Shelf.objects.prefetch_related('boxes')]",
    "unknown paths": "[o.lines.filter(quantity=1) for o in Order.objects.prefetch_related(*user)]",
    "a list": "[o.kept.filter(1) for o in Order.objects.prefetch_related('lines')]",
    "only for the one that is found": """
        for o in Order.objects.prefetch_related("lines"):
            if o.pk == user.pk:
                return o.lines.filter(quantity=1)
        """,
}
FOUND = {
    "filter": "[o.lines.filter(quantity=1) for o in Order.objects.prefetch_related('lines')]  # PB104",
    "exclude": "[o.lines.exclude(quantity=1) for o in Order.objects.prefetch_related('lines')]  # PB104",
    "behind all": "[o.lines.all().order_by('pk') for o in Order.objects.prefetch_related('lines')]  # PB104",
    "values": "[o.lines.values_list('pk') for o in Order.objects.prefetch_related('lines')]  # PB104",
    "first without an order": "[o.lines.first() for o in Order.objects.prefetch_related('lines')]  # PB104",
    "last": "[s.boxes.last() for s in Shelf.objects.prefetch_related('boxes')]  # PB104",
    "prefetched with more": "[o.lines.get(pk=1) for o in Order.objects.prefetch_related('lines__product')]  # PB104",
    "many to many": "[p.tags.filter(name='x').exists() for p in Product.objects.prefetch_related('tags')]  # PB104",
    "by a method of its own": "[p.tags.distinct() for p in Product.objects.listed()]  # PB104",
    "through a foreign key": (
        "[i.order.lines.filter(pk=1) for i in Invoice.objects.prefetch_related('order__lines')]  # PB104"
    ),
    "prefetched by an object": (
        "[o.lines.filter(pk=1) for o in Order.objects.prefetch_related(models.Prefetch('lines'))]  # PB104"
    ),
}
IMPORTS = "from shelves.models import Shelf\n"


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES) == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)


def test_documented_example_runs_one_query_per_row() -> None:
    few, many = queries(RULE, "Bad", 0, "list(example.paid_lines())")
    assert many - few >= 4
    few, many = queries(RULE, "Good", 0, "list(example.paid_lines())")
    assert few == many


def test_which_methods_django_answers_from_prefetched_rows() -> None:
    printed = run(
        """
        category = Category.objects.create(name="c")
        for number in range(3):
            product = Product.objects.create(name="p", price=1, category=category)
            product.tags.add(Tag.objects.create(name="t"))

        def count(read):
            with CaptureQueriesContext(connection) as captured:
                [read(product.tags) for product in Product.objects.prefetch_related("tags")]
            print(len(captured), end=" ")

        for read in (
            lambda tags: list(tags.all()), lambda tags: tags.count(), lambda tags: tags.exists(),
            lambda tags: list(tags.filter(pk=1)), lambda tags: list(tags.order_by("pk")),
            lambda tags: tags.first(), lambda tags: tags.last(), lambda tags: list(tags.values()),
            lambda tags: list(tags.distinct()), lambda tags: list(tags.iterator()),
        ):
            count(read)
        Tag._meta.ordering = ["pk"]
        count(lambda tags: tags.first())
        count(lambda tags: tags.last())
        """
    )
    assert printed.split() == ["2", "2", "2", "5", "5", "5", "5", "5", "5", "5", "2", "5"]
