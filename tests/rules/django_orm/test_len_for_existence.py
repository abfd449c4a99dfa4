"""Traps of PB106 over the shop, and the query counts that Django itself shows."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "len-for-existence"

SILENT = {
    "a number": "return len(Order.objects.all()) > 10",
    "compared with two": "return Order.objects.count() >= 2",
    "exactly one": "return Order.objects.count() == 1",
    "the number itself": "return Order.objects.count()",
    "rows used below": """
        orders = Order.objects.all()
        if len(orders) > 0:
            return list(orders)
        """,
    "rows indexed below": """
        orders = Order.objects.all()
        return orders[0] if len(orders) else None
        """,
    "rows loaded before": """
        orders = Order.objects.all()
        names = [order.reference for order in orders]
        return names if orders.count() > 0 else []
        """,
    "a name is a queryset and a cache": """
        orders = Order.objects.all()
        if orders:
            return list(orders)
        """,
    "the number is needed as well": """
        orders = Order.objects.all()
        if orders.count() > 0:
            print(orders.count())
        """,
    "the length is needed as well": """
        orders = Order.objects.all()
        if orders.count() > 0:
            print(len(orders))
        """,
    "value of an or": "return Order.objects.filter(paid=True) or []",
    "a list": "return len(list(Order.objects.all())) > 0",
    "unknown": "return len(user.orders) > 0",
    "count of a list": "return [1, 2].count(1) > 0",
    "prefetched": "return [o for o in Order.objects.prefetch_related('lines') if o.lines.count() > 0]",
    "compared with a name": "return Order.objects.count() > user",
}
FOUND = {
    "len": "return len(Order.objects.filter(paid=True)) > 0  # PB106",
    "at least one": "return len(Order.objects.filter(paid=True)) >= 1  # PB106",
    "none": "return len(Order.objects.filter(paid=True)) == 0  # PB106",
    "not len": "return not len(Order.objects.filter(paid=True))  # PB106",
    "if len": """
        if len(Order.objects.all()):  # PB106
            return 1
        """,
    "count": "return Order.objects.count() != 0  # PB106",
    "count of a reused name": """
        orders = Order.objects.all()
        if orders.count() > 0:  # PB106
            return list(orders)
        """,
    "truth of a queryset": """
        if Order.objects.filter(paid=True):  # PB106
            return 1
        """,
    "bool": "return bool(Product.objects.active().filter(stock=0))  # PB106",
    "relation": "return Order.objects.get(pk=1).lines.count() > 0  # PB106",
    "relation of a parameter": """
        order: Order = user
        return not order.lines.all()  # PB106
        """,
    "in a condition": "return [t for t in Tag.objects.all() if t.products.filter(stock=0)]  # PB106",
    "len of a name for nothing else": """
        orders = Order.objects.all()
        return len(orders) > 0  # PB106
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


def test_asynchronous_count() -> None:
    models = "from django.db import models\n\nclass Order(models.Model):\n    pass\n"
    text = "from shop.models import Order\n\n\nasync def report():\n    return {}\n"
    after = fix(RULE, text.format("await Order.objects.acount() == 0"), files={"shop/models.py": models})
    assert after == text.format("not await Order.objects.aexists()")


def test_the_call_of_bool_goes() -> None:
    models = "from django.db import models\n\nclass Order(models.Model):\n    pass\n"
    text = "from shop.models import Order\n\n\ndef report():\n    return {}\n"
    after = fix(RULE, text.format("bool(Order.objects.all())"), files={"shop/models.py": models})
    assert after == text.format("Order.objects.all().exists()")


def test_own_exists_is_not_proposed() -> None:
    models = """
        from django.db import models

        class Archive(models.QuerySet):
            def exists(self):
                return self.count() > 0  # ours

        class Order(models.Model):
            objects = Archive.as_manager()
        """
    text = "from shop.models import Order\n\nempty = len(Order.objects.filter(pk=1)) == 0\n"
    assert findings(RULE, text, files={"shop/models.py": models}) == []


def test_django_loads_all_rows() -> None:
    printed = run(
        """
        for number in range(3):
            Tag.objects.create(name="t")
        with CaptureQueriesContext(connection) as captured:
            bool(Tag.objects.all())
            len(Tag.objects.all())
            Tag.objects.exists()
        print(*("LIMIT 1" in query["sql"] for query in captured))
        """
    )
    assert printed == "False False True"
