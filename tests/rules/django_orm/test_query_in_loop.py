"""Traps of PB105 over the shop, and the query counts of the documented example under Django."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.django_orm.shop import program
from tests.rules.harness import findings

RULE = "query-in-loop"


def loop(body: str, over: str = "user") -> str:
    """A loop whose body is the statement."""
    return program(f"for item in {over}:\n    {body}")


SILENT = {
    "the same row": loop("Order.objects.get(reference=user.pk)"),
    "few constants": loop("Order.objects.get(reference=item)", over="('a', 'b')"),
    "few numbers": loop("Order.objects.get(pk=item)", over="range(3)"),
    "two conditions": loop("Order.objects.get(pk=item, paid=True)"),
    "another lookup": loop("Order.objects.filter(reference__startswith=item).first()"),
    "created where missing": loop("Order.objects.get_or_create(reference=item)"),
    "no query yet": loop("user.append(Order.objects.filter(reference=item))"),
    "a relation of the item": loop("item.lines.get(pk=item.pk)"),
    "locks each row before it changes it": loop("Order.objects.select_for_update().get(pk=item.pk).save()"),
    "waits between items": loop("time.sleep(1); Order.objects.get(pk=item)"),
    "a search": loop("if Order.objects.filter(pk=item).exists(): break"),
    "a dictionary": loop("user.get(item)"),
    "later": loop("user.append(lambda: Order.objects.get(pk=item))"),
    "errors of every item": program(
        "for item in user:\n    try:\n        Order.objects.get(pk=item)\n    except Order.DoesNotExist:\n        pass"
    ),
}
FOUND = {
    "get": loop("Order.objects.get(reference=item)  # PB105"),
    "first": loop("print(Order.objects.filter(reference=item.key).first())  # PB105"),
    "count": loop("print(Line.objects.filter(order=item).count())  # PB105"),
    "existence": loop("print(Order.objects.order_by('pk').filter(reference=item['x']).exists())  # PB105"),
    "another manager": loop("Order.with_customers.get(reference=item)  # PB105"),
    "many numbers": loop("Order.objects.get(pk=item)  # PB105", over="range(500)"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT.keys())
def test_silent(text: str) -> None:
    assert findings(RULE, text, project="django_shop") == []


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND.keys())
def test_found(text: str) -> None:
    findings(RULE, text, project="django_shop")


def test_commands_may_take_their_time() -> None:
    text = loop("Order.objects.get(reference=item)")
    assert findings(RULE, text, project="django_shop", path="orders/management/commands/load.py") == []


@pytest.mark.parametrize(("title", "grows"), [("Bad", True), ("Good", False)])
def test_django_runs_one_query_per_item(title: str, grows: bool) -> None:
    lines = "[{'code': p.code, 'quantity': 1} for p in example.Product.objects.all()]"
    few, many = queries(RULE, title, 0, f"example.priced({lines})")
    assert (many - few >= 4) is grows
