"""Traps of PB101 over the shop, and the query counts that Django itself shows."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings

RULE = "n-plus-one-multi-relation"

SILENT = {
    "prefetched": "[list(p.tags.all()) for p in Product.objects.prefetch_related('tags')]",
    "prefetched by its own method": "[list(p.tags.all()) for p in Product.objects.listed()]",
    "prefetched with more": "[list(o.lines.all()) for o in Order.objects.prefetch_related('lines__product')]",
    "prefetched by an object": "[list(o.lines.all()) for o in Order.objects.prefetch_related(models.Prefetch('lines'))]",
    "filtered": "[p.tags.filter(name='x') for p in Product.objects.all()]",
    "sorted": "[list(p.tags.all().order_by('name')) for p in Product.objects.all()]",
    "sliced": "[p.tags.all()[:3] for p in Product.objects.all()]",
    "manager handed on": "[show(p.tags) for p in Product.objects.all()]",
    "writes": "[p.tags.add(user) for p in Product.objects.all()]",
    "clears": "[p.tags.clear() for p in Product.objects.all()]",
    "one row": "[list(p.tags.all()) for p in Product.objects.filter(pk=1)[:1]]",
    "unknown method": "[list(p.tags.all()) for p in Product.objects.searched(name='x')]",
    "a parameter": "[list(p.tags.all()) for p in user]",
    "existence of prefetched rows": "[p.tags.exists() for p in Product.objects.prefetch_related('tags')]",
}
FOUND = {
    "many to many": "[list(p.tags.all()) for p in Product.objects.active()]  # PB101",
    "reverse foreign key": "[list(o.lines.all()) for o in Order.objects.all()]  # PB101",
    "without related name": "[list(p.line_set.all()) for p in Product.objects.all()]  # PB101",
    "count": "[o.lines.count() for o in Order.objects.all()]  # PB101",
    "count of all": "[o.lines.all().count() for o in Order.objects.all()]  # PB101",
    "exists": "[p.tags.exists() for p in Product.objects.all()]  # PB101",
    "through a foreign key": "[list(l.product.tags.all()) for l in Line.objects.select_related('product')]  # PB101",
    "peers are no help": "[list(o.lines.all()) for o in Order.objects.fetch_mode(models.FETCH_PEERS)]  # PB101",
    "prefetched under another name": """
        for o in Order.objects.prefetch_related(models.Prefetch("lines", to_attr="kept")):
            print(list(o.lines.all()))  # PB101
        """,
    "inner loop": """
        for o in Order.objects.all():
            for line in o.lines.all():  # PB101
                print(line.quantity)
        """,
}


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(code), project="django_shop")


def test_no_fix_where_prefetching_does_not_help() -> None:
    code = "[o.lines.count() for o in Order.objects.all()]  # PB101"
    found = findings(RULE, program(code), project="django_shop")
    assert [finding.fix for finding in found] == [None]
    assert "Count" in found[0].message


def test_advice_for_existence() -> None:
    code = "[o.lines.exists() for o in Order.objects.all()]  # PB101"
    assert "Exists(...)" in findings(RULE, program(code), project="django_shop")[0].message
    code = "[list(o.lines.all()) for o in Order.objects.all() if o.lines.exists()]  # PB101"
    found = findings(RULE, program(code), project="django_shop")
    assert "prefetch_related" in found[0].message
    assert found[0].fix is not None


def test_django_runs_one_query_per_row() -> None:
    printed = run(
        """
        category = Category.objects.create(name="c")
        for number in range(3):
            product = Product.objects.create(name="p", price=1, category=category)
            product.tags.add(Tag.objects.create(name="t"))

        def count(body):
            with CaptureQueriesContext(connection) as captured:
                body()
            print(len(captured), end=" ")

        count(lambda: [list(p.tags.all()) for p in Product.objects.all()])
        count(lambda: [list(p.tags.all()) for p in Product.objects.prefetch_related("tags")])
        count(lambda: [p.tags.count() for p in Product.objects.all()])
        count(lambda: [p.tags.count() for p in Product.objects.prefetch_related("tags")])
        count(lambda: [list(p.tags.filter(name="t")) for p in Product.objects.prefetch_related("tags")])
        """
    )
    assert printed.split() == ["4", "2", "4", "2", "5"]
