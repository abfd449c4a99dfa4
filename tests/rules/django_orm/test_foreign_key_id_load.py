"""Traps of PB108 over the shop, and the query counts of the documented example under Django."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.django_orm.shop import program
from tests.rules.harness import findings, fix

RULE = "foreign-key-id-load"
FILES = {
    "stock/models.py": """
        from django.db import models

        class Country(models.Model):
            code = models.CharField(max_length=2, primary_key=True)
            id = models.IntegerField()
            number = models.IntegerField(unique=True)

        class Place(models.Model):
            country = models.ForeignKey(Country, models.CASCADE)
            by_number = models.ForeignKey(Country, models.CASCADE, to_field="number", related_name="+")
            inside = models.ForeignKey("self", models.CASCADE, null=True)

            def text(self):
                return self.country.pk  # not in the file that is checked
        """
}
IMPORTS = "from stock.models import Place\n"
ORDER = "order = Order.objects.get(pk=1)\n"
SILENT = {
    "key": ORDER + "return order.customer_id",
    "selected": "return Order.objects.select_related('customer').get(pk=1).customer.pk",
    "read for more": ORDER + "print(order.customer.phone)\nreturn order.customer.pk",
    "tested before": ORDER + "return order.customer and order.customer.pk",
    "assigned": ORDER + "order.customer = user\nreturn order.customer.pk",
    "reverse one to one": ORDER + "return order.invoice.pk",
    "many": ORDER + "return order.lines.id",
    "own key": ORDER + "return order.pk, order.id",
    "another column": "return Place.objects.get(pk=1).by_number.pk",
    "a column that is called id": "return Place.objects.get(pk=1).country.id",
    "the row that was asked": ORDER + "return [line.order.pk for line in order.lines.all()]",
    "an error is expected": """
        place = Place.objects.get(pk=1)
        try:
            return place.inside.pk
        except AttributeError:
            return None
        """,
    "no model": "return user.customer.pk",
    "a created row": "order = Order.objects.create(customer=user)\nreturn order.customer.pk",
    "read by its name": ORDER + "return order.customer.pk if getattr(order, 'customer', None) else None",
    "a constructed row": "return Order(customer=user).reference.pk",
    "set": ORDER + "order.customer.pk = 3",
}
FOUND = {
    "a row by a shortcut": """
        from django.shortcuts import get_object_or_404
        order = get_object_or_404(Order, pk=user)
        return order.customer.pk  # PB108
        """,
    "pk": ORDER + "return order.customer.pk  # PB108",
    "id": ORDER + "return order.customer.id  # PB108",
    "in a loop": "return [line.product.pk for line in Line.objects.all()]  # PB108",
    "through another relation": ORDER + "return order.customer.company.pk  # PB108",
    "key of its own name": "return Place.objects.get(pk=1).country.pk  # PB108",
    "null": "return Place.objects.get(pk=1).inside.pk  # PB108",
    "annotated parameter": "def text(line: Line):\n    return line.product.id  # PB108",
    "another relation is selected": (
        "return Line.objects.select_related('order').get(pk=1).product.pk  # PB108"
    ),
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES) == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)


def test_fix_keeps_what_is_around() -> None:
    text = "from stock.models import Place\n\n\ndef f():\n    return [str(p.inside{}) for p in Place.objects.all()]\n"
    assert fix(RULE, text.format(".id"), files=FILES) == text.format("_id")


@pytest.mark.parametrize(("title", "count"), [("Bad", 2), ("Good", 1)])
def test_django_fetches_the_row_for_its_key(title: str, count: int) -> None:
    assert queries(RULE, title, 0, 'example.customer_key("1")') == (count, count)
