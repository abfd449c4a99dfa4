from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "unawaited-async-orm"

FOUND = {
    "dropped": """
        Tag.objects.acreate(name="new")  # PB137
        user.orders.afirst()  # PB137
    """,
    "rows": """
        order = await Order.objects.aget(pk=1)
        order.asave()  # PB137
        order.lines.aset([])  # PB137
    """,
    "tested and compared": """
        if not Tag.objects.filter(name="a").aexists():  # PB137
            return 0
        while Tag.objects.acount() > 3:  # PB137
            pass
        assert Tag.objects.acontains(user)  # PB137
        return Tag.objects.acount() == 1 or f"{Tag.objects.acount()}"  # PB137 # PB137
    """,
    "taken apart": """
        name = Tag.objects.aget(pk=1).name  # PB137
        tag, created = Tag.objects.aget_or_create(name=name)  # PB137
        for tag in Tag.objects.abulk_create([]):  # PB137
            pass
        return Tag.objects.ain_bulk()[1]  # PB137
    """,
    "never used": """
        tag = Tag.objects.afirst()  # PB137
        return 1
    """,
}

SILENT = {
    "awaited": """
        tag = await Tag.objects.aget(pk=1)
        await tag.asave()
        first = Tag.objects.afirst()
        print((await Tag.objects.afirst()).name)
        return await first
    """,
    "given on": """
        import asyncio
        asyncio.create_task(Tag.objects.acount())
        pending = [Tag.objects.acount(), Order.objects.acount()]
        async with asyncio.TaskGroup() as group:
            group.create_task(Tag.objects.acount())
        await asyncio.gather(*pending)
        return Tag.objects.afirst()
    """,
    "synchronous": """
        Tag.objects.create(name="a")
        async for tag in Tag.objects.all():
            print(tag)
    """,
    "closed": """
        Tag.objects.acount().close()
    """,
    "unknown objects": """
        user.repository.aget(1)
        user.asave()
    """,
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    text = program(code, function="async def").replace("def report(user)", "def report(user: User)")
    findings(RULE, text, project="django_shop")


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code, function="async def"), project="django_shop") == []


def test_plain_functions_get_no_fix() -> None:
    files = {
        "shop/models.py": "from django.db import models\n\n\nclass Tag(models.Model):\n    pass\n",
        "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n',
    }
    text = "from shop.models import Tag\n\n\ndef f():\n    Tag.objects.acount()\n"
    assert fix(RULE, text, files=files) == text
    text = "from shop.models import Tag\n\n\nasync def f():\n    return Tag.objects.afirst().pk\n"
    assert fix(RULE, text, files=files) == text.replace(
        "Tag.objects.afirst()", "(await Tag.objects.afirst())"
    )


def test_nothing_is_saved_without_await() -> None:
    printed = run(
        """
        import asyncio
        import warnings

        async def bad():
            Tag.objects.acreate(name="bad")

        async def good():
            await Tag.objects.acreate(name="good")

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            asyncio.run(bad())
        print(Tag.objects.count(), "was never awaited" in str(caught[0].message))

        # in the thread of the connection, because a database in memory belongs to one
        from asgiref.sync import async_to_sync
        async_to_sync(good)()
        print(Tag.objects.count())
        """
    )
    assert printed.split() == ["0", "True", "1"]
