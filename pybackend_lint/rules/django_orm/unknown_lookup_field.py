"""Rule PB130: unknown-lookup-field."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_lookups, django_view_options
from pybackend_lint.rule import UNSAFE, Context, rule

_RELATION = "Name a column behind `{name}`: Django cannot search `{model}` by the relation itself"
_LOOKUP = "Fix `{name}`: columns of `{model}` have no such lookup{hint}"


@rule(
    "PB130",
    "unknown-lookup-field",
    "Fix `{name}`: `{model}` has no such field{hint}",
    nodes=(ast.Call, ast.ClassDef),
    names=django_lookups.METHODS,
    words=(*django_lookups.METHODS, *django_view_options.OPTIONS),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Call | ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A query names a field or lookup that the model does not have.

    ## Why
    Names in lookups are text to Python, so a misspelled field passes every check until the line runs:
    `filter()` then raises `FieldError`, and the request ends with an error 500. So do expressions such as
    `F("...")` and `Count("...")`, `get_object_or_404()`, the values of `create()` and `defaults`, and the
    columns in `update_fields`. The `search_fields` of the admin, and the columns by which views of Django
    REST framework search, order and filter, fail when somebody uses them; a search needs a column, so that
    the name of a foreign key alone fails too.

    ## Bad
    ```python
    from shop.models import Order


    def late_orders():
        return Order.objects.filter(customer__contry="NL").order_by("-placed_at")
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)
        country = models.CharField(max_length=2)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        placed_at = models.DateTimeField(auto_now_add=True)
    ```
    ## Good
    ```python
    from shop.models import Order


    def late_orders():
        return Order.objects.filter(customer__country="NL").order_by("-placed_at")
    ```
    ## Not reported
    ```python
    from django.db.models import Count

    from shop.models import Customer, Order


    def queries(search):
        yield Order.objects.filter(placed_at__year=2024, data__address__city="Delft", invoice__paid=True)
        yield Order.objects.annotate(size=Count("pk")).filter(size__gt=3)
        yield search(Order).filter(anything=1)  # an unknown queryset may have names of its own
        yield Customer.objects.filter(visits__gt=3)  # `Visit` says only at run time how it is called there
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        placed_at = models.DateTimeField(auto_now_add=True)
        data = models.JSONField(default=dict)


    class Invoice(models.Model):
        order = models.OneToOneField(Order, models.CASCADE)
        paid = models.BooleanField(default=False)


    class Customer(models.Model):
        name = models.CharField(max_length=80)


    class Visit(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE, related_name="visit".lower() + "s")
    ```
    ## Fix safety
    A fix is offered where exactly one name of the model differs by one letter. It is unsafe because another
    field may have been meant.
    ## When not to use it
    Where packages add fields to models in ways that the code of the project does not show. Of common bases,
    fields, managers and decorators of packages it is known what they add; models with others are left alone.
    ## References
    - Django documentation, "Making queries: Field lookups"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#field-lookups)
    """
    if isinstance(node, ast.ClassDef):
        found = django_view_options.unknown_columns(node, ctx.module)
    else:
        found = django_lookups.unknown_names(node, ctx.module)
    for mention, unknown in found:
        nearest = unknown.nearest
        fix = None
        start = mention.offset + mention.path.find(unknown.name)
        if nearest is not None and ctx.source.text[start:].startswith(unknown.name):
            edit = ctx.replace_range(start, start + len(unknown.name), nearest)
            fix = ctx.fix(f"Write `{nearest}`", edit)
        hint = f"; is it `{nearest}`" if nearest is not None else ""
        message = _LOOKUP if unknown.is_lookup else _RELATION if unknown.is_relation else None
        yield ctx.finding(
            mention.node,
            name=unknown.name,
            model=unknown.model.node.name,
            hint=hint,
            message=message,
            fix=fix,
            related=[ctx.definition(unknown.model, f"defines `{unknown.model.node.name}`")],
        )
