"""Traps of PB134 over the shop, and the errors that Django itself raises."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "sync-orm-in-async"

SILENT = {
    "awaited twin": "return await Order.objects.aget(pk=1)",
    "lazy": "return Order.objects.filter(paid=True).order_by('pk')",
    "in a thread": "return await sync_to_async(Order.objects.get)(pk=1)",
    "list in a thread": "return await sync_to_async(list)(Order.objects.all())",
    "lambda in a thread": "return await sync_to_async(lambda: Order.objects.get(pk=1))()",
    "inner function": """
        def load():
            return Order.objects.get(pk=1)
        return await sync_to_async(load)()
        """,
    "decorated inner function": """
        @sync_to_async
        def load():
            return Order.objects.get(pk=1)
        return await load()
        """,
    "unknown receiver": "return user.get(pk=1), user.objects.count()",
    "known by name only": """
        class View:
            async def show(self):
                return self.orders.get(pk=1), self.queryset.count(), self.order.save()
        return View
        """,
    "lazily built by a helper": "return Product.objects.active().exclude(pk=1).select_related()",
    "an asynchronous loop": "return [order async for order in Order.objects.all()]",
    "handed over with its arguments": """
        from functools import partial
        return await sync_to_async(partial(Order.objects.get, pk=1))()
        """,
    "index in a thread": "return await sync_to_async(lambda: Order.objects.all()[0])()",
    "index of rows at hand": """
        orders = Order.objects.all()
        async for order in orders:
            print(order)
        rows = [order async for order in Order.objects.all()]
        return orders[0], rows[0]
        """,
    "a slice": "return Order.objects.all()[:3]",
    "awaited twin of a relation": """
        product = await Product.objects.aget(pk=1)
        await product.tags.aadd(user)
        await product.asave()
        await product.arefresh_from_db()
        """,
    "dictionary": "return {1: 2}.get(1)",
    "rows of an asynchronous list": "return len([o async for o in Order.objects.all()])",
    "loaded by an asynchronous loop": """
        orders = Order.objects.all()
        async for order in orders:
            print(order)
        return len(orders)
        """,
    "may be prefetched": """
        order: Order = user
        return order.lines.count(), len(order.lines.all())
        """,
    "tested after an asynchronous loop": """
        orders = Order.objects.all()
        async for order in orders:
            print(order)
        return 1 if not orders else 2
        """,
    "tested rows": """
        order = await Order.objects.filter(paid=True).afirst()
        rows = [row async for row in Order.objects.all()]
        return bool(order) if rows and order else None
        """,
    "coroutine of the project": """
        async def load():
            return await Order.objects.aget(pk=1)
        return await load()
        """,
}
FOUND = {
    "truth of a name": """
        orders = Order.objects.filter(paid=True)
        if not orders:  # PB134
            return None
        """,
    "truth of an expression": """
        if user and not Order.objects.filter(paid=True):  # PB134
            return None
        """,
    "truth of one of two": """
        orders = Order.objects.filter(paid=True) if user else None
        while user and orders:  # PB134
            print(user)
        """,
    "handed over only afterwards": """
        orders = Order.objects.all()
        found = list(orders)  # PB134
        return found, print(orders)
        """,
    "a queryset that a thread built": """
        orders = await sync_to_async(Product.objects.active)()
        return len(orders)  # PB134
        """,
    "get": "return Order.objects.get(pk=1)  # PB134",
    "first": "return Order.objects.filter(paid=True).first()  # PB134",
    "create": "Order.objects.create(customer=user)  # PB134",
    "save": """
        order = await Order.objects.aget(pk=1)
        order.save()  # PB134
        """,
    "delete": """
        order = await Order.objects.aget(pk=1)
        order.delete()  # PB134
        """,
    "relation": """
        product = await Product.objects.aget(pk=1)
        product.tags.add(user)  # PB134
        """,
    "list": "return list(Order.objects.all())  # PB134",
    "len": "return len(Order.objects.all())  # PB134",
    "truth": "return bool(Order.objects.all())  # PB134",
    "index": "return Order.objects.all()[0]  # PB134",
    "own method of the queryset": "return Product.objects.active().count()  # PB134",
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    text = "from asgiref.sync import sync_to_async\n" + program(code, function="async def")
    assert findings(RULE, text, project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    text = "from asgiref.sync import sync_to_async\n" + program(code, function="async def")
    findings(RULE, text, project="django_shop")


def test_chain_through_functions() -> None:
    files = {
        "orders/prices.py": """
            from orders.models import Order


            def total(pk):
                return load(pk).total


            def load(pk):
                return Order.objects.get(pk=pk)
            """
    }
    text = """
        from orders.prices import total


        async def show(request, pk):
            return total(pk)  # PB134
        """
    (found,) = findings(RULE, text, project="django_shop", files=files)
    assert found.message == (
        "Call `total` through `sync_to_async`: its query (prices.py:5 → prices.py:9) "
        "raises `SynchronousOnlyOperation`"
    )
    assert [(related.path.rpartition("/")[2], related.start.row) for related in found.related] == [
        ("prices.py", 5),
        ("prices.py", 9),
    ]


def test_chains_through_methods_properties_constructors_and_decorators() -> None:
    files = {
        "orders/services.py": """
            import functools

            from orders.models import Order


            def logged(function):
                @functools.wraps(function)
                def inner(*args):
                    return function(*args)
                return inner


            class Base:
                def open_orders(self):
                    return Order.objects.filter(paid=False).count()


            class Orders(Base):
                def __init__(self):
                    self.first = Order.objects.first()

                @property
                def unpaid(self):
                    return self.open_orders()

                def lazily(self):
                    return Order.objects.filter(paid=False)


            class Reports(Base):
                pass


            @logged
            def close(pk):
                Order.objects.filter(pk=pk).update(paid=True)


            @functools.cache
            def once():
                return Order.objects.count()


            reports = Reports()
            """
    }
    text = """
        from asgiref.sync import sync_to_async
        from orders.services import Orders, close, once, reports


        async def show(request, pk):
            orders = Orders()  # PB134
            reports.open_orders()  # PB134
            close(pk)  # PB134
            await sync_to_async(close)(pk)
            await sync_to_async(lambda: orders.unpaid)()
            orders.lazily()
            return once(), orders.unpaid  # PB134
        """
    findings(RULE, text, project="django_shop", files=files)


MODELS = "from django.db import models\n\nclass Order(models.Model):\n    paid = models.BooleanField()\n"
PROJECT = '[project]\ndependencies = ["django>=5.2"]\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return Order.objects.get(pk=1).paid", "return (await Order.objects.aget(pk=1)).paid"),
        (
            "return [Order.objects.get(pk=k) for k in keys]",
            "return [await Order.objects.aget(pk=k) for k in keys]",
        ),
        (
            "return sum(Order.objects.count() for k in keys)",
            "return sum(Order.objects.count() for k in keys)",
        ),
        ("return list(Order.objects.all())", "return [row async for row in Order.objects.all()]"),
    ],
)
def test_fix(before: str, after: str) -> None:
    text = "from shop.models import Order\n\n\nasync def report(keys):\n    {}\n"
    files = {"shop/models.py": MODELS, "pyproject.toml": PROJECT}
    assert fix(RULE, text.format(before), files=files) == text.format(after)


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("4.1", "return await Order.objects.aget(pk=1), Order.objects.get(pk=1)  # PB134"),
        (
            "4.1",
            "order = await Order.objects.aget(pk=1)\norder.save()\norder.refresh_from_db()\norder.delete()",
        ),
        ("4.2", "order = await Order.objects.aget(pk=1)\norder.save()  # PB134"),
        ("4.1", "product = await Product.objects.aget(pk=1)\nproduct.tags.add(user)"),
        ("4.2", "product = await Product.objects.aget(pk=1)\nproduct.tags.add(user)  # PB134"),
    ],
)
def test_twins_by_version(version: str, code: str) -> None:
    files = {"pyproject.toml": f'[project]\ndependencies = ["django>={version}"]\n'}
    findings(RULE, program(code, function="async def"), project="django_shop", files=files)


def test_older_django_has_no_twins() -> None:
    text = program("return Order.objects.get(pk=1)", function="async def")
    files = {"pyproject.toml": '[project]\ndependencies = ["django>=3.2"]\n'}
    assert findings(RULE, text, project="django_shop", files=files) == []


def test_django_refuses_synchronous_queries() -> None:
    printed = run(
        """
        import asyncio
        from django.core.exceptions import SynchronousOnlyOperation

        async def attempt(query):
            try:
                query()
            except SynchronousOnlyOperation:
                return "refused"
            return "fine"

        order = Order(pk=1)
        order._prefetched_objects_cache = {"lines": Line.objects.none()}
        for query in (
            lambda: Tag.objects.first(),
            lambda: list(Tag.objects.all()),
            lambda: Tag.objects.all()[0],
            lambda: Tag(name="x").save(),
            lambda: Tag.objects.filter(name="x"),
            lambda: Order(pk=1).lines.count(),
            lambda: order.lines.count(),
        ):
            print(asyncio.run(attempt(query)), end=" ")
        """
    )
    assert printed.split() == ["refused"] * 4 + ["fine", "refused", "fine"]
