"""Rule PB157: call-in-field-default."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_models
from pybackend_lint.rule import UNSAFE, Context, rule

_SHARED = "Pass a function as the default: all rows share this {kind}"
_EMPTY = {ast.List: "list", ast.Dict: "dict"}


@rule(
    "PB157",
    "call-in-field-default",
    "Pass `{callable}` itself as the default: `{shown}` is evaluated once, when the module is imported",
    nodes=(ast.keyword,),
    words=("default",),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(keyword: ast.keyword, ctx: Context) -> Iterator[Finding]:
    """The default of a field is the result of a call instead of the callable.

    ## Why
    The call runs when the module is imported: all rows get the time at which the server started, or share one
    identifier. A list or dictionary is one object that all instances share, so a change of one shows in all.
    Django calls a default that can be called for every new row.

    ## Bad
    ```python
    from django.db import models
    from django.utils import timezone


    class Order(models.Model):
        placed_at = models.DateTimeField(default=timezone.now())
        reference = models.CharField(max_length=20, default="")
    ```
    ```python
    import uuid

    from django.db import models


    class Basket(models.Model):
        token = models.UUIDField(default=uuid.uuid4(), unique=True)
    ```
    ## Good
    ```python
    from django.db import models
    from django.utils import timezone


    class Order(models.Model):
        placed_at = models.DateTimeField(default=timezone.now)
        reference = models.CharField(max_length=20, default="")
    ```
    ```python
    import uuid

    from django.db import models


    class Basket(models.Model):
        token = models.UUIDField(default=uuid.uuid4, unique=True)
    ```
    ## Not reported
    ```python
    from functools import partial

    from django.db import models
    from django.utils.crypto import get_random_string
    from django.utils.translation import gettext_lazy as _
    from rest_framework import serializers


    class Coupon(models.Model):
        code = models.CharField(max_length=20, default=partial(get_random_string, 20))
        label = models.CharField(max_length=20, default=_("Coupon"))
        states = models.JSONField(default=dict)


    class FilterSerializer(serializers.Serializer):
        # a serializer works on a copy of its fields, so the list is not shared
        tags = serializers.ListField(child=serializers.CharField(), default=[])
    ```
    ## Fix safety
    The fix drops the parentheses, or names the class of an empty literal. It is unsafe because Django writes
    a migration for the changed default. No fix is offered for calls with arguments and literals that hold
    something: they need a function of their own.
    ## When not to use it
    Where the value of the import is meant, such as the start of a process.
    ## References
    - Django documentation, "Model field reference: default"
      (https://docs.djangoproject.com/en/stable/ref/models/fields/#default)
    """
    if keyword.arg != "default" or not isinstance(keyword.value, (ast.Call, ast.List, ast.Dict)):
        return
    field = ctx.parent(keyword)
    value = keyword.value
    if not isinstance(field, ast.Call) or not django_models.is_field_call(field, ctx.module):
        return
    if isinstance(value, ast.Call):
        if not django_models.varies(
            value, ctx.module, shared=django_models.is_model_field(field, ctx.module)
        ):
            return
        replacement = "" if value.args or value.keywords else ctx.text(value.func)
        shown = f"{ctx.text(value.func)}()"
        named = ctx.text(value.func)
    elif not django_models.is_model_field(field, ctx.module):
        return
    else:
        kind = _EMPTY[type(value)]
        if value.elts if isinstance(value, ast.List) else value.values:
            yield ctx.finding(value, kind=kind, message=_SHARED)
            return
        replacement = named = kind
        shown = ctx.text(value)
    fix = ctx.fix(f"Pass `{replacement}` itself", ctx.edit(value, replacement)) if replacement else None
    yield ctx.finding(value, callable=named, shown=shown, fix=fix)
