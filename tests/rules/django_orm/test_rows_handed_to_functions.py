"""Querysets that code hands to functions, which go over them: traps of PB102 over the shop."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program
from tests.rules.harness import findings

RULE = "n-plus-one-through-call"
FILES = {
    "exports.py": """
        from functools import lru_cache

        def names(orders):
            return [order.customer.name for order in orders]

        def numbered(orders, *, start=1):
            for number, order in enumerate(list(orders), start):
                yield number, order.customer.name

        def both(orders):
            rows = list(orders)
            return len(rows), names(orders=rows)

        def by_name(orders):
            return sorted(orders, key=lambda order: order.customer.name)

        def with_lines(orders):
            return [line.quantity for order in orders.all() for line in order.lines.all()]

        def counted(orders):
            return {order.pk: order.lines.count() for order in orders}

        def total(lines):
            return sum(line.quantity for line in lines)

        def totals(orders):
            if not orders:
                return []
            found = []
            for order in orders:
                found.append(total(order.lines.all()))
            return found

        def selected(orders):
            orders = orders.select_related("customer")
            return [order.customer.name for order in orders]

        def filtered(orders):
            return [order.customer.name for order in orders.filter(pk=1)]

        def some(orders):
            return [order.customer.name for order in orders[:3]]

        def search(orders, name):
            for order in orders:
                if order.reference == name:
                    return order.customer.name
            return None

        def first_of(orders):
            return next(order.customer.name for order in orders)

        def if_asked(orders, with_names=False):
            return [order.customer.name if with_names else "" for order in orders]

        def not_always(orders, flag):
            if flag:
                return None
            return names(orders)

        def keys(orders):
            return [order.customer_id for order in orders]

        def loaded(orders):
            prefetch_related_objects(orders, "customer")
            return names(orders)

        @lru_cache
        def kept(orders):
            return [order.customer.name for order in orders]

        def ids(orders):
            return list(orders.values_list("pk", flat=True))

        def recursive(orders):
            recursive(orders)
            return [order.customer.name for order in orders]

        class Report:
            def __init__(self, orders):
                self.names = [order.customer.name for order in orders]

            @staticmethod
            def of(orders):
                return names(orders)
        """,
}
IMPORTS = "import exports\n"

FOUND = {
    "a queryset": "exports.names(Order.objects.all())  # PB102",
    "by keyword": "exports.names(orders=Order.objects.filter(pk__gt=1))  # PB102",
    "a list of rows": "exports.names(list(Order.objects.all()))  # PB102",
    "a slice": "exports.names(Order.objects.all()[:50])  # PB102",
    "a variable": """
        def view(request):
            orders = Order.objects.filter(pk__gt=1)
            return exports.names(orders)  # PB102
        """,
    "once for each queryset": """
        def view(request):
            orders = Order.objects.filter(pk__gt=1)
            return exports.names(orders), exports.by_name(orders)  # PB102
        """,
    "a generator": "dict(exports.numbered(Order.objects.all(), start=2))  # PB102",
    "through another function": "exports.both(Order.objects.all())  # PB102",
    "a key to sort by": "exports.by_name(Order.objects.all())  # PB102",
    "a relation to many rows": "exports.with_lines(Order.objects.select_related('customer'))  # PB102",
    "a relation that is counted": "exports.counted(Order.objects.all())  # PB102",
    "rows of a relation that are handed on": "exports.totals(Order.objects.all())  # PB102",
    "rows of a relation in a loop": "[exports.total(o.lines.all()) for o in Order.objects.all()]  # PB102",
    "a constructor": "exports.Report(Order.objects.all())  # PB102",
    "a static method": "exports.Report.of(Order.objects.all())  # PB102",
}
SILENT = {
    "selected": "exports.both(Order.objects.select_related('customer'))",
    "prefetched": """
        exports.with_lines(Order.objects.prefetch_related("lines"))
        exports.totals(Order.objects.prefetch_related("lines"))
        """,
    "prefetched in a loop": "[exports.total(o.lines.all()) for o in Order.objects.prefetch_related('lines')]",
    "the function loads": "exports.selected(Order.objects.all())",
    "the function chooses": "exports.filtered(Order.objects.all()), exports.some(Order.objects.all())",
    "only for the one that is found": "exports.search(Order.objects.all(), user)",
    "the first": "exports.first_of(Order.objects.all())",
    "an argument decides": "exports.if_asked(Order.objects.all(), user), exports.not_always(Order.objects.all(), 1)",
    "keys only": "exports.keys(Order.objects.all())",
    "looks at what is loaded": "exports.loaded(list(Order.objects.all()))",
    "kept for all calls": "exports.kept(Order.objects.all())",
    "no rows": "exports.ids(Order.objects.all())",
    "calls itself": "exports.recursive(Order.objects.all())",
    "one row": "exports.names(Order.objects.all()[:1])",
    "a parameter": """
        def view(orders):
            return exports.names(orders)
        """,
    "rows that a caller may have loaded": """
        def view(orders=None):
            orders = orders or Order.objects.all()
            return exports.names(orders), [order.customer.name for order in orders]
        """,
    "loaded before": """
        def view(request):
            orders = list(Order.objects.all())
            models.prefetch_related_objects(orders, "customer")
            return exports.names(orders)
        """,
    "a function that is not known": "unknown(Order.objects.all()), exports.unknown(Order.objects.all())",
    "another argument": "exports.search(user, Order.objects.all())",
}


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND)
def test_found(code: str) -> None:
    findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT)
def test_silent(code: str) -> None:
    assert findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES) == []


def test_names_the_way_and_the_place() -> None:
    code = "exports.both(Order.objects.all())  # PB102"
    (found,) = findings(RULE, IMPORTS + program(code), project="django_shop", files=FILES)
    assert found.message == (
        'Add `.select_related("customer")` to this queryset: `both()` runs a query for every row'
    )
    assert [(step.path.rpartition("/")[2], step.message) for step in found.related] == [
        ("example.py", "the queryset is built here"),
        ("exports.py", "calls `names()`"),
        ("exports.py", "reads `customer`"),
    ]


def test_fix_loads_with_the_queryset() -> None:
    code = IMPORTS + program("exports.names(Order.objects.filter(pk__gt=1))  # PB102")
    (found,) = findings(RULE, code, project="django_shop", files=FILES)
    assert found.fix is not None
    assert [edit.text for edit in found.fix.edits] == ['.select_related("customer")']
