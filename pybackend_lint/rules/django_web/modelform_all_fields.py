"""Rule PB208: modelform-all-fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB208",
    "modelform-all-fields",
    'List the fields of `{form}`: `"__all__"` exposes every column that is added later',
    nodes=(ast.Assign, ast.keyword),
    words=("__all__",),
    applies="django",
    fix=UNSAFE,
    tags=("security",),
)
def check(node: ast.Assign | ast.keyword, ctx: Context) -> Iterator[Finding]:
    """A model form takes every field of its model, also those that do not exist yet.

    ## Why
    Whoever can send the form can set all of its fields. `"__all__"` decides that today for columns
    that somebody else adds next year: `is_staff`, `balance`, `approved_by`. The page does not show
    them, a crafted request sets them all the same. Generic views with `fields = "__all__"` and
    `modelform_factory` build the same form.

    ## Bad
    ```python
    from django import forms

    from shop.models import Address


    class AddressForm(forms.ModelForm):
        class Meta:
            model = Address
            fields = "__all__"
    ```
    ```python file=shop/models.py
    from django.db import models


    class Address(models.Model):
        street = models.CharField(max_length=200)
        city = models.CharField(max_length=100)
        created = models.DateTimeField(auto_now_add=True)
    ```

    ## Good
    ```python
    from django import forms

    from shop.models import Address


    class AddressForm(forms.ModelForm):
        class Meta:
            model = Address
            fields = ["street", "city"]
    ```

    ## Not reported
    ```python file=shop/admin.py check
    from django import forms
    from django.contrib import admin

    from shop.models import Address


    # Only the admin uses it, where staff may edit every column.
    class AddressForm(forms.ModelForm):
        class Meta:
            model = Address
            fields = "__all__"


    @admin.register(Address)
    class AddressAdmin(admin.ModelAdmin):
        form = AddressForm
    ```
    ```python file=shop/models.py
    from django.db import models


    class Address(models.Model):
        street = models.CharField(max_length=200)
    ```

    ```python
    from rest_framework import serializers

    from shop.models import Address


    # No form.
    class AddressSerializer(serializers.ModelSerializer):
        class Meta:
            model = Address
            fields = "__all__"
    ```

    ## Fix safety
    The fix lists the fields that the form has now, in the order of the model. It is unsafe because
    the next column will need a decision. It is offered only where all fields of the model are known.

    ## When not to use it
    For forms that only trusted staff can reach and that must follow the model.

    ## References
    - Django documentation, "Creating forms from models": selecting the fields to use
    - https://docs.djangoproject.com/en/stable/topics/forms/modelforms/#selecting-the-fields-to-use
    """
    value = node.value
    if not (isinstance(value, ast.Constant) and value.value == "__all__"):
        return
    if isinstance(node, ast.keyword):
        found = django_web.form_factory(ctx.parent(node), ctx.module) if node.arg == "fields" else None
    else:
        match node.targets:
            case [ast.Name(id="fields")]:
                found = django_web.form_of_fields(node, ctx.module)
            case _:
                return
    if found is None or django_web.is_admin_module(ctx.module):
        return
    names = django_web.editable_fields(found.model)
    fix = None
    if names:
        listed = ", ".join(f'"{name}"' for name in names)
        fix = ctx.fix("List the fields of the model", ctx.edit(value, f"[{listed}]"))
    yield ctx.finding(value, fix=fix, form=found.name)
