"""Which forms take every field, whose business that is, and what the list of fields would be."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

HEADER = """
from django import forms
from django.views.generic import CreateView, ListView, UpdateView
from shop.base import BaseForm, Order
"""
MODELS = """
    from django.db import models

    class Stamped(models.Model):
        created = models.DateTimeField(auto_now_add=True)
        note = models.TextField(blank=True)

        class Meta:
            abstract = True

    class Customer(models.Model):
        name = models.CharField(max_length=20)

    class Order(Stamped):
        id = models.BigAutoField(primary_key=True)
        code = models.CharField(max_length=8)
        customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
        followers = models.ManyToManyField(Customer, related_name="followed")
        secret = models.CharField(max_length=8, editable=False)
        raw = models.BinaryField(default=b"")
        changed = models.DateTimeField(auto_now=True)
        total = models.DecimalField(max_digits=8, decimal_places=2)
        orders = models.Manager()
"""
FILES = {
    "shop/base.py": textwrap.dedent(MODELS)
    + "\n\nfrom django import forms\n\n\nclass BaseForm(forms.ModelForm):\n    pass\n",
}
ADMIN = "from django.contrib import admin\nfrom shop.forms import F\n\n\nclass A(admin.ModelAdmin):\n    form = F\n"
FORM = 'class F(forms.ModelForm):\n    class Meta:\n        model = Order\n        fields = "__all__"'
SILENT = {
    "a list": ('class F(forms.ModelForm):\n    class Meta:\n        fields = ["code"]', {}),
    "no form": ('class F:\n    class Meta:\n        fields = "__all__"', {}),
    "another option": ('class F(forms.ModelForm):\n    class Meta:\n        labels = "__all__"', {}),
    "another class in the form": ('class F(forms.ModelForm):\n    class Extra:\n        fields = "__all__"', {}),
    "a view that edits nothing": ('class V(ListView):\n    fields = "__all__"', {}),
    "a model that is not known before": (
        'def form_of(model_class):\n    class F(forms.ModelForm):\n        class Meta:\n'
        '            model = model_class\n            fields = "__all__"\n    return F', {},
    ),
    "the form of a plugin of django CMS": (FORM, {"shop/__init__.py": "", "shop/cms_plugins.py": ADMIN}),
    "the form of an admin": (FORM, {"shop/__init__.py": "", "shop/admin.py": ADMIN}),
    "the form of an admin package": (
        FORM, {"shop/__init__.py": "", "shop/admin/__init__.py": "", "shop/admin/orders.py": ADMIN},
    ),
    "the form of an admin in the same file": (
        f"{FORM}\n\nfrom django.contrib import admin\nclass A(admin.TabularInline):\n    form = F", {},
    ),
    "a set of filters": (
        'import django_filters\nclass F(django_filters.FilterSet):\n    class Meta:\n        fields = "__all__"', {},
    ),
    "another function": ('make(Order, fields="__all__")', {}),
}  # fmt: skip
FOUND = {
    "a model form": f"{FORM}  # PB208",
    "a form of the project": 'class F(BaseForm):\n    class Meta:\n        fields = "__all__"  # PB208',
    "a view that creates": 'class V(CreateView):\n    model = Order\n    fields = "__all__"  # PB208',
    "a view that changes": 'class V(UpdateView):\n    fields = "__all__"  # PB208',
    "a factory": 'forms.modelform_factory(Order, fields="__all__")  # PB208',
    "a factory by its module": (
        'from django.forms.models import inlineformset_factory\ninlineformset_factory(Order, Order, fields="__all__")'
        "  # PB208"
    ),
}


@pytest.mark.parametrize(("text", "files"), SILENT.values(), ids=SILENT)
def test_silent(text: str, files: dict[str, str]) -> None:
    findings("PB208", f"{HEADER}{text}\n", files=FILES | files, path="shop/forms.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    findings("PB208", f"{HEADER}{text}\n", files=FILES, path="shop/forms.py")


LISTED = '["note", "code", "customer", "followers", "total"]'
FIXED = {
    "form": (FORM, FORM.replace('"__all__"', LISTED)),
    "view": (
        'class V(CreateView):\n    model = Order\n    fields = "__all__"',
        f"class V(CreateView):\n    model = Order\n    fields = {LISTED}",
    ),
    "factory": (
        'f = forms.modelform_factory(Order, fields="__all__")', f"f = forms.modelform_factory(Order, fields={LISTED})",
    ),
    "not with exclude": (f'{FORM}\n        exclude = ["code"]', None),
    "not for an unknown model": (FORM.replace("Order", "get_model()"), None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    head = HEADER.lstrip("\n")
    result = fix("PB208", f"{head}{text}\n", files=FILES, path="shop/forms.py")
    assert result == f"{head}{text if expected is None else expected}\n"


@pytest.mark.parametrize(
    "change",
    [
        ("models.DecimalField(max_digits=8, decimal_places=2)", "MoneyField()"),
        ("class Order(Stamped)", "class Order(Stamped, Customer)"),
        ("class Order(Stamped)", "class Order(Stamped, SomethingElse)"),
        ("editable=False", "**options"),
    ],
)
def test_no_fix_where_a_field_may_be_unknown(change: tuple[str, str]) -> None:
    files = {"shop/base.py": FILES["shop/base.py"].replace(*change)}
    text = f"{HEADER.lstrip(chr(10))}{FORM}\n"
    assert files != FILES
    assert fix("PB208", text, files=files, path="shop/forms.py") == text


def test_the_list_is_what_django_builds() -> None:
    models = textwrap.dedent(MODELS)
    models = models.replace("    class Meta:\n", '    class Meta:\n        app_label = "auth"\n')
    for name in ("Customer(models.Model)", "Order(Stamped)"):
        models = models.replace(
            f"class {name}:\n", f'class {name}:\n    class Meta:\n        app_label = "auth"\n'
        )
    printed = run(
        models
        + 'from django.forms import modelform_factory\nprint(list(modelform_factory(Order, fields="__all__").base_fields))\n'
    )
    assert printed.replace("'", '"').strip() == LISTED
