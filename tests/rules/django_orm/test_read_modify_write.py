"""Traps of PB120 over the shop, and the update that is lost without `F()`."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

RULE = "read-modify-write"

SILENT = {
    "locked": """
        product = Product.objects.select_for_update().get(pk=1)
        product.stock -= 1
        product.save()
        """,
    "locked by a name": """
        products = Product.objects.select_for_update()
        product = products.get(pk=1)
        product.stock -= 1
        product.save()
        """,
    "new": """
        product = Product(name="x")
        product.stock += 1
        product.save()
        """,
    "just created": """
        product = Product.objects.create(name="x")
        product.stock += 1
        product.save()
        """,
    "a copy with a key of its own": """
        for product in Product.objects.filter(name="x"):
            product.pk = None
            product.stock *= -1
            product.save()
        """,
    "a parameter": """
        product: Product = user
        product.stock += 1
        product.save()
        """,
    "text": """
        product = Product.objects.get(pk=1)
        product.name += "!"
        product.save()
        """,
    "no column": """
        product = Product.objects.get(pk=1)
        product.shown += 1
        product.save()
        """,
    "never saved": """
        product = Product.objects.get(pk=1)
        product.stock += 1
        return product
        """,
    "another row saved": """
        product = Product.objects.get(pk=1)
        product.stock += 1
        user.save()
        """,
    "under another lock": """
        product = Product.objects.get(pk=1)
        with user.lock("stock"):
            product.stock += 1
            product.save()
        """,
    "read again": """
        product = Product.objects.get(pk=1)
        product.stock += 1
        product.refresh_from_db()
        product.save()
        """,
    "set by Python as well": """
        product = Product.objects.get(pk=1)
        product.stock = min(product.stock + user, 10)
        product.stock -= 1
        if product.stock < 0:
            return False
        product.save()
        """,
    "set": """
        product = Product.objects.get(pk=1)
        product.stock = user
        product.save()
        """,
}
FOUND = {
    "subtracted": """
        product = Product.objects.get(pk=1)
        product.stock -= 1  # PB120
        product.save()
        """,
    "written out": """
        product = Product.objects.filter(pk=1).first()
        product.stock = product.stock + 1  # PB120
        product.save()
        """,
    "get or create": """
        profile, created = Profile.objects.get_or_create(user=user)
        profile.visits += 1  # PB120
        profile.save(update_fields=["visits"])
        """,
    "saved behind the condition": """
        product = Product.objects.get(pk=1)
        if user:
            product.stock -= 1  # PB120
        product.save()
        """,
    "money": """
        order = Order.objects.get(pk=1)
        order.total *= 2  # PB120
        order.save()
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


def test_rows_that_are_moved_in_a_list() -> None:
    models = """
        from django.db import models

        class Stage(models.Model):
            sequence = models.IntegerField()
    """
    source = """
        from models import Stage

        def remove(place):
            for stage in Stage.objects.filter(sequence__gt=place):
                stage.sequence -= 1
                stage.save()

        def remove_one(pk):
            stage = Stage.objects.get(pk=pk)
            stage.sequence -= 1  # PB120
            stage.save()
    """
    findings(RULE, source, files={"models.py": models})


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


MODELS = """
    from django.db import models

    class Product(models.Model):
        name = models.TextField()
        stock = models.IntegerField()
        changed_at = models.DateTimeField({})
    """
TEXT = """\
from django.db.models import F
from shop.models import Product


def sell(pk):
    product = Product.objects.get(pk=pk)
{}
"""


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        (
            "",
            "    product.stock -= 1\n    product.save()\n    return product.stock",
            '    product.stock = F("stock") - 1\n    product.save(update_fields=["stock"])\n'
            '    product.refresh_from_db(fields=["stock"])\n    return product.stock',
        ),
        (
            "auto_now=True",
            "    product.stock -= 1\n    product.save()",
            '    product.stock = F("stock") - 1\n    product.save()',
        ),
        (
            "",
            "    product.stock += pk + 1\n    product.name = 'sold'\n    product.save()",
            "    product.stock = F(\"stock\") + (pk + 1)\n    product.name = 'sold'\n    product.save()",
        ),
    ],
    ids=["used afterwards", "other columns change by themselves", "another attribute is set"],
)
def test_fix(options: str, before: str, after: str) -> None:
    files = {"shop/models.py": MODELS.format(options)}
    assert fix(RULE, TEXT.format(before), files=files) == TEXT.format(after)


@pytest.mark.parametrize(
    "code",
    [
        "    product.stock -= 1\n    if product.stock < 0:\n        return\n    product.save()",
        "    product.stock -= 1\n    product.full_clean()\n    product.save()",
        "    product.stock -= 1\n    print(product)\n    product.save()",
        "    product.stock += product.more\n    product.save()",
    ],
)
def test_no_fix_where_python_needs_the_number(code: str) -> None:
    text = TEXT.format(code)
    assert fix(RULE, text, files={"shop/models.py": MODELS.format("")}) == text


def test_an_update_is_lost() -> None:
    printed = run(
        """
        from django.db.models import F

        product = Product.objects.create(name="p", price=1, stock=10, category=Category.objects.create(name="c"))
        one, other = Product.objects.get(), Product.objects.get()
        for row in (one, other):
            row.stock -= 1
            row.save()
        print(Product.objects.get().stock)
        one, other = Product.objects.get(), Product.objects.get()
        for row in (one, other):
            row.stock = F("stock") - 1
            row.save(update_fields=["stock"])
        print(Product.objects.get().stock)
        """
    )
    assert printed.split() == ["9", "7"]
