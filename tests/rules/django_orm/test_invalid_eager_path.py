"""Traps of PB131 over the shop; what is found raises under Django, and what is silent does not."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.shop import program, run
from tests.rules.harness import findings

RULE = "invalid-eager-path"
VALID = {
    "foreign key": "Order.objects.select_related('customer', 'customer__company')",
    "reverse one to one": "Order.objects.select_related('invoice')",
    "prefetched": "Order.objects.prefetch_related('lines', 'customer', 'lines__product__tags')",
    "prefetched generic": "Flag.objects.prefetch_related('item')",
    "reset": "Order.objects.select_related(None)",
    "all": "Order.objects.select_related()",
    "with another name": (
        "Order.objects.prefetch_related(models.Prefetch('lines', to_attr='kept'), 'kept__product')"
    ),
    "filtered relation": (
        "Order.objects.annotate(big=models.FilteredRelation('customer', condition=models.Q(pk=1)))"
        ".select_related('big')"
    ),
}
UNKNOWN = {
    "from elsewhere": "Order.objects.select_related(*user)",
    "unknown queryset": "user.select_related('tags')",
}
FOUND = {
    "many to many": "Product.objects.select_related('tags')",
    "reverse": "Order.objects.select_related('lines')",
    "deep": "Line.objects.select_related('product__tags')",
    "column": "Order.objects.select_related('reference')",
    "column of a relation": "Order.objects.select_related('customer__phone')",
    "prefetched column": "Order.objects.prefetch_related('reference')",
    "generic": "Flag.objects.select_related('item')",
    "no name of the model": "Order.objects.select_related('custmer')",
    "no name of the other model": "Line.objects.select_related('product__maker')",
}


@pytest.mark.parametrize("code", (VALID | UNKNOWN).values(), ids=(VALID | UNKNOWN).keys())
def test_silent(code: str) -> None:
    assert findings(RULE, program(code), project="django_shop") == []


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, program(f"{code}  # PB131"), project="django_shop")


def test_only_relations_get_a_fix() -> None:
    fixed = [
        findings(RULE, program(f"{FOUND[name]}  # PB131"), project="django_shop")[0].fix is not None
        for name in ("many to many", "column")
    ]
    assert fixed == [True, False]


def test_django_agrees() -> None:
    printed = run(
        f"""
        from django.core.exceptions import FieldError

        user = User.objects.create(username="u", company=Company.objects.create(name="C"))
        product = Product.objects.create(name="p", price=1, category=Category.objects.create(name="c"))
        order = Order.objects.create(customer=user, reference="r")
        Line.objects.create(order=order, product=product)
        Flag.objects.bulk_create([])

        def raises(code):
            try:
                list(eval(code))
            except (AttributeError, FieldError, ValueError):
                return True
            return False

        print([code for code in {[*VALID.values()]!r} if raises(code)])
        print([code for code in {[*FOUND.values()]!r} if not raises(code)])
        """
    )
    assert printed.split("\n") == ["[]", "[]"]
