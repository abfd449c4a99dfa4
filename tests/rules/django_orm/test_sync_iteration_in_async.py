"""Traps of PB135 over the shop."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program
from tests.rules.harness import findings

RULE = "sync-iteration-in-async"

SILENT = {
    "asynchronous": "return [o.pk async for o in Order.objects.all()]",
    "loaded in a thread": """
        orders = await sync_to_async(list)(Order.objects.all())
        return [o.pk for o in orders]
        """,
    "evaluated in a thread": """
        orders = Order.objects.all()
        await sync_to_async(len)(orders)
        return [o.pk for o in orders]
        """,
    "inner function": """
        def load():
            return [o.pk for o in Order.objects.all()]
        return await sync_to_async(load)()
        """,
    "lambda": "return await sync_to_async(lambda: [o.pk for o in Order.objects.all()])()",
    "may be prefetched": """
        order: Order = user
        return [line.pk for line in order.lines.all()]
        """,
    "prefetched": "return [l.pk async for o in Order.objects.prefetch_related('lines') for l in o.lines.all()]",
    "loaded by an asynchronous loop": """
        orders = Order.objects.all()
        async for order in orders:
            print(order)
        return [o.pk for o in orders]
        """,
    "unknown": "return [o.pk for o in user.orders]",
    "handed over in the loop around": """
        orders = Order.objects.all()
        while user:
            for order in orders:
                print(order)
            await load(orders)
        """,
}
FOUND = {
    "for": """
        for order in Order.objects.all():  # PB135
            print(order)
        """,
    "comprehension": "return [o.pk for o in Order.objects.filter(paid=True)]  # PB135",
    "dictionary": "return {o.pk: o for o in Product.objects.active()}  # PB135",
    "values": "return {pk for pk in Order.objects.values_list('pk', flat=True)}  # PB135",
    "generator": "return sum(o.total for o in Order.objects.all())  # PB135",
    "a name that is handed over afterwards": """
        orders = Order.objects.all()
        for order in orders:  # PB135
            print(order)
        return print(orders)
        """,
    "a name": """
        orders = Order.objects.all()
        for order in orders:  # PB135
            print(order)
        """,
    "second loop": "return [t.pk async for p in Product.objects.all() for t in p.tags.all()]  # PB135",
    "filtered relation": """
        order: Order = user
        return [line.pk for line in order.lines.filter(quantity=1)]  # PB135
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    text = "from asgiref.sync import sync_to_async\n" + program(code, function="async def")
    assert findings(RULE, text, project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code, function="async def"), project="django_shop")


def test_synchronous_function() -> None:
    assert findings(RULE, program("return [o.pk for o in Order.objects.all()]"), project="django_shop") == []
