from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "wrapped-orm-twin"

HEAD = "from asgiref.sync import sync_to_async\nfrom channels.db import database_sync_to_async\n"

FOUND = {
    "methods": """
        await sync_to_async(Order.objects.get)(pk=1)  # PB139
        await sync_to_async(Order.objects.filter(paid=True).first)()  # PB139
        await database_sync_to_async(Tag.objects.create)(name="a")  # PB139
        await sync_to_async(Order.objects.get, thread_sensitive=True)(pk=1)  # PB139
    """,
    "lambdas": """
        await sync_to_async(lambda: Order.objects.filter(customer=user).last())()  # PB139
    """,
    "rows and relations": """
        order = await Order.objects.aget(pk=1)
        await sync_to_async(order.save)(update_fields=["paid"])  # PB139
        loaded = await sync_to_async(Order.objects.get)(pk=1)  # PB139
        await sync_to_async(loaded.delete)()  # PB139
        product = await Product.objects.aget(pk=1)
        await sync_to_async(product.tags.add)(user)  # PB139
    """,
}

SILENT = {
    "more than one query": """
        await sync_to_async(lambda: Order.objects.filter(customer=User.objects.first()).first())()
        await sync_to_async(lambda: load(Order.objects.first()))()
    """,
    "without a twin": """
        await sync_to_async(list)(Order.objects.all())
        await sync_to_async(Order.objects.filter)(paid=True)
        await sync_to_async(user.save)()
    """,
    "chosen thread, or called later": """
        await sync_to_async(Order.objects.get, thread_sensitive=False)(pk=1)
        load = sync_to_async(Order.objects.get)
        return await load(pk=1)
    """,
    "arguments of the lambda": """
        await sync_to_async(lambda pk: Order.objects.get(pk=pk))(1)
    """,
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, HEAD + program(code, function="async def"), project="django_shop")


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, HEAD + program(code, function="async def"), project="django_shop") == []


MODELS = (
    "from django.db import models\n\n\nclass Tag(models.Model):\n    name = models.CharField(max_length=9)\n"
)
FIXED = {
    "method": (
        'return await sync_to_async(Tag.objects.filter(name="a").get)(pk=1)',
        'return await Tag.objects.filter(name="a").aget(pk=1)',
    ),
    "lambda": (
        "return await sync_to_async(lambda: Tag.objects.get(pk=1))()",
        "return await Tag.objects.aget(pk=1)",
    ),
    "not awaited": ("return sync_to_async(Tag.objects.count)()", None),
}


@pytest.mark.parametrize(("line", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(line: str, expected: str | None) -> None:
    files = {"shop/models.py": MODELS, "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n'}
    head = "from asgiref.sync import sync_to_async\nfrom shop.models import Tag\n\n\nasync def f():\n    "
    after = fix(RULE, f"{head}{line}\n", files=files)
    kept = head if expected is None else head.replace("from asgiref.sync import sync_to_async\n", "")
    assert after == f"{kept}{expected or line}\n"


def test_older_django_has_no_twin_of_save() -> None:
    code = """
        order = await Order.objects.aget(pk=1)
        await sync_to_async(order.save)()
        await sync_to_async(Order.objects.get)(pk=1)  # PB139
    """
    files = {"pyproject.toml": '[project]\ndependencies = ["django>=4.1,<4.2"]\n'}
    findings(RULE, HEAD + program(code, function="async def"), project="django_shop", files=files)


def test_both_forms_give_the_same() -> None:
    printed = run(
        """
        from asgiref.sync import async_to_sync, sync_to_async

        Tag.objects.create(name="a")

        async def wrapped():
            return await sync_to_async(Tag.objects.get)(name="a")

        async def twin():
            return await Tag.objects.aget(name="a")

        print(async_to_sync(wrapped)() == async_to_sync(twin)())
        """
    )
    assert printed == "True"
