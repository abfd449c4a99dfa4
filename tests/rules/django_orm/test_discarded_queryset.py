"""Traps of PB128 over the shop."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program
from tests.rules.harness import findings

RULE = "discarded-queryset"

SILENT = {
    "used": "orders = Order.objects.all().filter(paid=True)",
    "update": "Order.objects.filter(paid=True).update(paid=False)",
    "delete": "Order.objects.filter(paid=True).delete()",
    "evaluated": "list(Order.objects.filter(paid=True))",
    "get raises": "Order.objects.get(pk=1)",
    "unknown receiver": "user.filter(paid=True)",
    "own method with effects": "Order.with_customers.open()",
    "a set": "{1}.union({2})",
    "a dictionary": "{1: 2}.values()",
    "locked and read": """
        locked = Order.objects.filter(paid=True).select_for_update()
        return list(locked)
        """,
    "locked at once": "_locked = list(Order.objects.select_for_update().values_list('pk', flat=True))",
    "one row locked": "_locked = Order.objects.select_for_update().get(pk=1)",
    "not read, but no lock either": "rows = Order.objects.filter(paid=True)",
    "tried": """
        try:
            Order.objects.filter(**user)
        except ValueError:
            return None
        """,
}
FOUND = {
    "filter": """
        orders = Order.objects.all()
        orders.filter(paid=True)  # PB128
        return orders
        """,
    "order_by": """
        products = Product.objects.active()
        products.order_by("name")  # PB128
        return products
        """,
    "annotation": """
        orders: models.QuerySet[Order] = user
        orders.select_related("customer")  # PB128
        """,
    "manager": "Order.objects.exclude(paid=True)  # PB128",
    "relation": "Order.objects.get(pk=1).lines.order_by('pk')  # PB128",
    "values": "Order.objects.values('pk')  # PB128",
    "rows to lock that nothing reads": """
        _locked = Order.objects.filter(paid=True).select_for_update()  # PB128
        Order.objects.filter(paid=True).update(paid=False)
        """,
    "an order for the lock": "locked = Order.objects.select_for_update(of=['self']).order_by('pk')  # PB128",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


def test_fix_only_where_a_name_can_take_the_result() -> None:
    for code in ("Order.objects.exclude(paid=True)  # PB128", "user.x = Order.objects\nuser.x.filter(pk=1)"):
        assert [finding.fix for finding in findings(RULE, program(code), project="django_shop")] in (
            [None],
            [],
        )
