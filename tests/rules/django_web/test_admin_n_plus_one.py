"""Traps of PB247 over a small admin, and the query counts of Django's own lists."""

from __future__ import annotations

import textwrap

import django
import pytest

from tests.rules.django_orm.documented import counted, queries
from tests.rules.harness import findings, fix

RULE = "admin-n-plus-one"
MODELS = textwrap.dedent(
    """
    from django.db import models


    class Company(models.Model):
        name = models.CharField(max_length=10)


    class Customer(models.Model):
        company = models.ForeignKey(Company, models.CASCADE)
        name = models.CharField(max_length=10)

        def __str__(self):
            return f"{self.name} ({self.company.name})"


    class Tag(models.Model):
        name = models.CharField(max_length=10)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        seller = models.ForeignKey(Company, models.CASCADE, null=True)
        reference = models.CharField(max_length=10)
        tags = models.ManyToManyField(Tag)

        @property
        def buyer(self):
            return self.customer.name
    """
)
IMPORTS = """\
from django.contrib import admin
from shop.models import Company, Customer, Order


def seller_name(order):
    return order.seller.name


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
"""
FILES = {"shop/models.py": MODELS}
OWN_QUERYSET = """\
list_display = ('{}', 'pk')
def get_queryset(self, request):
    return super().get_queryset(request).{}
"""
WORDS = "\ndef words(self, order):\n    return list(order.tags.all())\n"
SILENT = {
    "own columns": "list_display = ('reference', 'pk', '__str__')",
    "a key": "list_display = ('reference', 'customer')",
    "a property next to a key": "list_display = ('customer', 'buyer')",
    "joined": "list_display = ('seller', 'buyer')\nlist_select_related = ('seller', 'customer')",
    "all keys joined": "list_display = ('buyer',)\nlist_select_related = True",
    "unknown paths": "list_display = ('buyer',)\nlist_select_related = PATHS",
    "its own queryset": "list_display = ('buyer',)\ndef get_queryset(self, request):\n    return load(request)",
    "its own queryset that joins": OWN_QUERYSET.format("buyer", "select_related('seller')"),
    "its own queryset that prefetches": OWN_QUERYSET.format("words", "prefetch_related('tags')") + WORDS,
    "its own queryset with unknown methods": OWN_QUERYSET.format("buyer", "with_customers()"),
    "its own queryset with unknown paths": OWN_QUERYSET.format("words", "prefetch_related(*PATHS)") + WORDS,
    "its own columns": "list_display = ('buyer',)\ndef get_list_display(self, request):\n    return ['pk']",
    "unknown columns": "list_display = ('reference', *MORE)",
    "a column of the key": "list_display = ('seller_id',)",
}
FOUND = {
    "property": ("list_display = ('reference', 'buyer')  # PB247", 'list_select_related = ("customer",)'),
    "function": ("list_display = [seller_name]  # PB247", 'list_select_related = ("seller",)'),
    "method": (
        "list_display = ['first']  # PB247\ndef first(self, order):\n    return order.customer.company.name",
        'list_select_related = ("customer__company",)',
    ),
    "its own queryset": (
        OWN_QUERYSET.format(
            "buyer", "filter(pk__gt=1).annotate(size=Count('tags')).order_by('pk')  "
        ).replace(")\n", ")  # PB247\n", 1),
        'list_select_related = ("customer",)',
    ),
    "many": (
        "list_display = ['words']  # PB247\ndef words(self, order):\n    return list(order.tags.all())",
        'prefetch_related("tags")',
    ),
    "only counted": (
        "list_display = ['size']  # PB247\ndef size(self, order):\n    return order.tags.count()",
        'annotate(Count("tags"))',
    ),
    "null next to a key that is not": (
        "list_display = ['customer', 'seller']  # PB247",
        'list_select_related = ("customer__company", "seller")',
    ),
    "a property next to a key that may be null": (
        "list_display = ['seller', 'buyer']  # PB247",
        'list_select_related = ("customer", "seller")',
    ),
    "another relation is joined": (
        "list_display = ['buyer']  # PB247\nlist_select_related = ['seller']",
        'list_select_related = ("customer",)',
    ),
}

# Before Django 6.1 a column that is a key joins all keys that are never null, since then itself alone.
OLDER = {
    "null": ("list_display = ['seller']  # PB247", 'list_select_related = ("seller",)'),
}
NEWER = {
    "what the text of a joined row reads": (
        "list_display = ['customer']  # PB247",
        'list_select_related = ("customer__company",)',
    ),
}


def on_django(version: str) -> dict[str, str]:
    """The models, in a project that declares a version of Django."""
    return {**FILES, "requirements.txt": f"django=={version}\n"}


def admin(body: str) -> str:
    """A module with an admin class."""
    return IMPORTS + textwrap.indent(body, "    ") + "\n"


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT.keys())
def test_silent(body: str) -> None:
    assert findings(RULE, admin(body), files=FILES) == []


@pytest.mark.parametrize("version", ["5.2", "6.1"])
@pytest.mark.parametrize(("body", "advice"), FOUND.values(), ids=FOUND.keys())
def test_found(body: str, advice: str, version: str) -> None:
    found = findings(RULE, admin(body), files=on_django(version))
    assert [finding.message.split("`")[1] for finding in found] == [advice]


@pytest.mark.parametrize(
    ("cases", "version", "other"), [(OLDER, "6.0", "6.1"), (NEWER, "6.1", "6.0")], ids=["older", "newer"]
)
def test_found_with_some_versions(cases: dict[str, tuple[str, str]], version: str, other: str) -> None:
    for body, advice in cases.values():
        found = findings(RULE, admin(body), files=on_django(version))
        assert [finding.message.split("`")[1] for finding in found] == [advice]
        unmarked = admin(body.replace("  # PB247", ""))
        assert findings(RULE, unmarked, files=on_django(other)) == []
        assert findings(RULE, unmarked, files=FILES) == []


def test_other_classes() -> None:
    unregistered = admin("list_display = ('buyer',)").replace("@admin.register(Order)\n", "")
    assert findings(RULE, unregistered, files=FILES) == []
    foreign = admin("list_display = ('buyer',)").replace("(admin.ModelAdmin)", "(Loading, admin.ModelAdmin)")
    assert findings(RULE, "from eager import Loading\n" + foreign, files=FILES) == []


def test_registered_by_a_call() -> None:
    text = admin("list_display = ('buyer',)  # PB247").replace("@admin.register(Order)\n", "")
    findings(RULE, f"{text}\n\nadmin.site.register(Order, OrderAdmin)\n", files=FILES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("['seller']", "['seller', \"customer\"]"),
        ("('seller',)", "('seller', \"customer\",)"),
        ("False", '("customer",)'),
    ],
)
def test_fix_adds_to_what_is_there(before: str, after: str) -> None:
    body = "list_display = ('buyer',)\nlist_select_related = {}"
    assert fix(RULE, admin(body.format(before)), files=FILES) == admin(body.format(after))


LIST = """
from django.contrib import admin
from django.contrib.admin.utils import lookup_field
from django.contrib.auth.models import User
from django.test import RequestFactory
request = RequestFactory().get("/")
request.user = User(is_superuser=True, is_active=True)
page = example.OrderAdmin(example.Order, admin.site)
for row in page.get_changelist_instance(request).result_list:
    for name in page.list_display:
        str(lookup_field(name, row, page)[2])
"""


@pytest.mark.parametrize(("title", "grows"), [("Bad", True), ("Good", False)])
def test_django_runs_one_query_per_row(title: str, grows: bool) -> None:
    few, many = queries(RULE, title, 0, LIST)
    assert (many - few >= 4) is grows


@pytest.mark.parametrize(
    ("body", "older", "newer"),
    [
        ("list_display = ('seller',)", True, False),
        ("list_display = ('customer', 'buyer')", False, True),  # by the text of the customer
        ("list_display = ('seller', 'buyer')", True, True),
        (
            "list_display = ('customer', 'seller')\nlist_select_related = ('customer__company', 'seller')",
            False,
            False,
        ),
        ("list_display = ('buyer',)\nlist_select_related = True", False, False),
    ],
)
def test_which_keys_the_admin_joins(body: str, older: bool, newer: bool) -> None:
    few, many = counted({"example.py": admin(body), **FILES}, LIST)
    assert (many - few >= 4) is (newer if django.VERSION >= (6, 1) else older)
