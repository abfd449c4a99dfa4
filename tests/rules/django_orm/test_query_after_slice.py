from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings

RULE = "query-after-slice"

FOUND = {
    "chains": """
        Order.objects.all()[:5].filter(paid=True)  # PB129
        Order.objects.filter(paid=False)[5:].order_by("pk")  # PB129
        user.orders.all()[:5].update(paid=True)
        Order.objects.order_by("pk")[1:5].delete()  # PB129
        Product.objects.active()[:5].exclude(pk=1)  # PB129
    """,
    "names": """
        newest = Order.objects.order_by("-pk")[:10]
        newest.reverse()  # PB129
        newest.last()  # PB129
        newest.get(pk=1)  # PB129
        return newest.distinct()  # PB129
    """,
}

SILENT = {
    "allowed behind a slice": """
        rows = Order.objects.order_by("pk")[:5]
        rows.count(), rows.first(), rows.filter(), rows.get(), rows.exists()
        rows.select_related("customer"), rows.annotate(x=models.F("pk"))
        return Order.objects.filter(pk__in=rows)
    """,
    "no slice": """
        Order.objects.order_by("pk")[0].delete()
        Order.objects.order_by("pk")[:].filter(paid=True)
        Order.objects.order_by("pk")[::2].reverse()
        return Order.objects.filter(paid=True).order_by("pk")[:5]
    """,
    "name that is bound again": """
        rows = Order.objects.all()
        if user:
            rows = rows[:5]
        return rows.filter(paid=True)
    """,
    "other things": """
        user[:5].filter(1)
        names = "abc"[:2]
        return names.get(1), list(Order.objects.all())[:5].reverse()
    """,
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


def test_django_refuses_what_is_found() -> None:
    printed = run(
        """
        rows = Order.objects.order_by("pk")[:5]
        for change in (
            lambda: rows.filter(paid=True), lambda: rows.exclude(paid=True), lambda: rows.order_by("pk"),
            lambda: rows.distinct(), lambda: rows.update(paid=True), lambda: rows.delete(),
            lambda: rows.latest("pk"), lambda: rows.earliest("pk"), lambda: rows.reverse(),
            lambda: rows.last(), lambda: rows.get(pk=1), lambda: rows.in_bulk([1]),
            lambda: rows.contains(Order(pk=1)), lambda: rows.complex_filter({"paid": True}),
        ):
            try:
                change()
                print("fine")
            except TypeError:
                print("refused")
        for fine in (lambda: rows.filter(), lambda: rows.count(), lambda: rows.first()):
            fine()
        """
    )
    assert set(printed.split()) == {"refused"}
