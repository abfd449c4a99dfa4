"""Traps of PB136 over the shop, and what Django raises."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings

RULE = "lazy-relation-in-async"
FILES = {
    "parcels/models.py": """
        from django.db import models

        class Parcel(models.Model):
            order = models.ForeignKey("sales.Order", models.CASCADE)
            note = models.CharField(max_length=5)

            @property
            def label(self):
                return self.order.reference

            async def described(self):
                return self.note
        """,
    "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n',
}
IMPORTS = "from asgiref.sync import sync_to_async\nfrom parcels.models import Parcel\n"
SILENT = {
    "selected": """
        order = await Order.objects.select_related("customer").aget(pk=1)
        return order.customer.phone
        """,
    "selected by a custom manager": """
        order = await Order.with_customers.aget(pk=1)
        return order.customer.phone
        """,
    "prefetched": "return [o.customer async for o in Order.objects.prefetch_related('customer')]",
    "key": """
        order = await Order.objects.aget(pk=1)
        return order.customer_id, order.customer.pk
        """,
    "assigned": """
        order = await Order.objects.aget(pk=1)
        order.customer = user
        return order.customer.phone
        """,
    "a parameter": "return user.profile.bio",
    "created here": """
        order = await Order.objects.acreate(customer=user)
        return order.customer.phone
        """,
    "of a function that sets the relation": """
        async def load():
            order = await Order.objects.aget(pk=1)
            order.customer = user
            return order
        order = await load()
        return order.customer.phone
        """,
    "of a function that asks one which sets the relation": """
        async def made():
            order, _ = await Order.objects.aupdate_or_create(pk=1, defaults={"customer": user})
            return order
        async def load():
            return await made()
        order = await load()
        return order.customer.phone
        """,
    "of a function that loads the relation": """
        async def load():
            return await Order.objects.select_related("customer").aget(pk=1)
        order = await load()
        return order.customer.phone
        """,
    "loaded in a thread with the row": """
        order = await sync_to_async(Order.objects.select_related("customer").get)(pk=1)
        return order.customer.phone
        """,
    "created or fetched": """
        order, created = await Order.objects.aget_or_create(customer=user)
        return order.customer.phone
        """,
    "in a thread": """
        order = await Order.objects.aget(pk=1)
        return await sync_to_async(lambda: order.customer.phone)()
        """,
    "loaded in a thread before": """
        order = await Order.objects.aget(pk=1)
        def load():
            return order.customer
        await sync_to_async(load)()
        return order.customer.phone
        """,
    "loaded afterwards": """
        order = await Order.objects.aget(pk=1)
        await models.aprefetch_related_objects([order], "customer")
        return order.customer.phone
        """,
    "one of two rows": """
        order = await Order.objects.aget(pk=1)
        if user:
            order = await Order.objects.select_related("customer").aget(pk=1)
        return order.customer.phone
        """,
    "manager of a relation": """
        order = await Order.objects.aget(pk=1)
        return [line async for line in order.lines.all()]
        """,
    "deferred on purpose": "return [o.customer async for o in Order.objects.only('pk')]",
    "own columns through a call": """
        parcel = await Parcel.objects.aget(pk=1)
        return await parcel.described()
        """,
    "the row that was asked": """
        order = await Order.objects.aget(pk=1)
        return [line.order.reference async for line in order.lines.all()]
        """,
}
FOUND = {
    "of a function": """
        async def load() -> Order | None:
            if not user:
                return None
            order = await Order.objects.aget(pk=1)
            return order
        order = await load()
        return order.customer.phone  # PB136
        """,
    "of a function in a thread": """
        def load():
            return Order.objects.get(pk=1)
        order = await sync_to_async(load)()
        return order.customer.phone  # PB136
        """,
    "in a thread": """
        order = await sync_to_async(Order.objects.get)(pk=1)
        other = await sync_to_async(lambda: Order.objects.first())()
        rows = await sync_to_async(list)(Order.objects.all())
        return order.customer.phone, other.customer.phone, [row.customer.phone for row in rows]  # PB136 # PB136 # PB136
        """,
    "created or fetched": """
        order, created = await Order.objects.aget_or_create(pk=1, defaults={"reference": "x"})
        return order.customer.phone  # PB136
        """,
    "get": """
        order = await Order.objects.aget(pk=1)
        return order.customer.phone  # PB136
        """,
    "first": """
        order = await Order.objects.filter(paid=True).afirst()
        return order.customer if order else None  # PB136
        """,
    "two steps": """
        order = await Order.objects.select_related("customer").aget(pk=1)
        return order.customer.company.name  # PB136
        """,
    "reverse one to one": """
        order = await Order.objects.aget(pk=1)
        return order.invoice.number  # PB136
        """,
    "loop": """
        async for order in Order.objects.all():
            print(order.customer.phone)  # PB136
            print(order.customer.email)
        """,
    "comprehension": "return [o.customer async for o in Order.objects.all()]  # PB136",
    "fetched before the loop": """
        orders = [order async for order in Order.objects.all()]
        for order in orders:
            print(order.customer.phone)  # PB136
        """,
    "property": """
        parcel = await Parcel.objects.aget(pk=1)
        return parcel.label  # PB136
        """,
    "another name": """
        order = await Order.objects.aget(pk=1)
        buyer = order.customer  # PB136
        return buyer.phone
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    text = IMPORTS + program(code, function="async def")
    assert findings(RULE, text, project="django_shop", files=FILES) == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, IMPORTS + program(code, function="async def"), project="django_shop", files=FILES)


def test_not_in_plain_functions() -> None:
    code = "order = Order.objects.get(pk=1)\nreturn order.customer.phone"
    assert findings(RULE, program(code), project="django_shop", files=FILES) == []


def test_django_refuses_the_query() -> None:
    printed = run(
        """
        from asgiref.sync import async_to_sync

        order = Order.objects.create(customer=User.objects.create(username="u"), reference="r")

        async def read(queryset):
            fetched = await queryset.aget(reference="r")
            try:
                print(fetched.customer.username, end=" ")
            except Exception as error:
                print(type(error).__name__, end=" ")

        async def main():
            await read(Order.objects)
            await read(Order.objects.select_related("customer"))

        async_to_sync(main)()
        """
    )
    assert printed.split() == ["SynchronousOnlyOperation", "u"]
