"""Which merged querysets are one filter, and that both find the same rows."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings, fix

SILENT = {
    "two models": "return Order.objects.filter(pk=1) | Line.objects.filter(pk=1)",
    "two managers": "return Order.objects.filter(pk=1) | Order._base_manager.filter(pk=1)",
    "an exclusion": "return Order.objects.filter(pk=1) | Order.objects.exclude(pk=2)",
    "all rows": "return Order.objects.filter(pk=1) | Order.objects.all()",
    "no condition": "return Order.objects.filter(pk=1) | Order.objects.filter()",
    "conditions that are not known": "return Order.objects.filter(pk=1) | Order.objects.filter(**user)",
    "more than a filter": "return Order.objects.filter(pk=1).distinct() | Order.objects.filter(pk=2).distinct()",
    "an intersection": "return Order.objects.filter(pk=1) & Order.objects.filter(pk=2)",
    "a union": "return Order.objects.filter(pk=1).union(Order.objects.filter(pk=2))",
    "lists": "return list(Order.objects.filter(pk=1)) + list(Order.objects.filter(pk=2))",
    "conditions": "return Order.objects.filter(models.Q(pk=1) | models.Q(pk=2))",
    "something else": "return user.filter(pk=1) | user.filter(pk=2)",
}
FOUND = {
    "two": (
        "return Order.objects.filter(pk=1) | Order.objects.filter(pk=2)",
        "return Order.objects.filter(Q(pk=1) | Q(pk=2))",
    ),
    "three": (
        "return Order.objects.filter(pk=1) | Order.objects.filter(pk=2) | Order.objects.filter(pk=3)",
        "return Order.objects.filter(Q(pk=1) | Q(pk=2) | Q(pk=3))",
    ),
    "in brackets": (
        "return (Order.objects.filter(pk=1) | Order.objects.filter(pk=2)).distinct()",
        "return (Order.objects.filter(Q(pk=1) | Q(pk=2))).distinct()",
    ),
    "several conditions": (
        "return Order.objects.filter(pk=1, user=user) | Order.objects.filter(~models.Q(pk=2), pk__gt=3)",
        "return Order.objects.filter(Q(pk=1, user=user) | Q(~models.Q(pk=2), pk__gt=3))",
    ),
}


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB117", program(SILENT[why]), project="django_shop", path="reports.py")


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    before, _ = FOUND[why]
    assert (
        len(findings("PB117", program(f"{before}  # PB117"), project="django_shop", path="reports.py")) == 1
    )


MODELS = "from django.db import models\n\nclass Order(models.Model):\n    user = models.IntegerField()\n"


def test_distinct_on_one_part_is_an_error() -> None:
    printed = run("""
        try:
            print(Tag.objects.filter(name="a").distinct() | Tag.objects.filter(name="b"))
        except TypeError as error:
            print(error)
    """)
    assert printed == "Cannot combine a unique query with a non-unique query."


@pytest.mark.parametrize("why", FOUND)
def test_fixed(why: str) -> None:
    before, after = (text.replace("models.Q", "Q") for text in FOUND[why])
    head = "from django.db.models import Q\nfrom shop.models import Order\n\n\ndef report(user):\n    "
    files = {"shop/__init__.py": "", "shop/models.py": MODELS}
    assert fix("PB117", f"{head}{before}\n", files=files) == f"{head}{after}\n"


def test_both_find_the_same_rows() -> None:
    printed = run("""
        for name in "abc":
            Tag.objects.create(name=name)
        merged = Tag.objects.filter(name="a") | Tag.objects.filter(name="b")
        once = Tag.objects.filter(models.Q(name="a") | models.Q(name="b"))
        print(str(merged.query) == str(once.query), merged.count())
    """)
    assert printed == "True 2"
