"""Rule PB108: foreign-key-id-load."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_rows
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB108",
    "foreign-key-id-load",
    "Use `{name}_id`: `.{name}.{key}` fetches the whole row to read a key that is already here",
    nodes=(ast.Attribute,),
    names=("pk", "id"),
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """The key of a related object is read through the object.

    ## Why
    A foreign key is a column of the row itself, and Django keeps its value in `<name>_id`. Reading
    `order.customer.pk` instead runs a query for the whole customer, once for every order.

    ## Bad
    ```python
    from shop.models import Order


    def customer_key(reference):
        order = Order.objects.get(reference=reference)
        return f"customer:{order.customer.pk}"
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
    ```
    ## Good
    ```python
    from shop.models import Order


    def customer_key(reference):
        order = Order.objects.get(reference=reference)
        return f"customer:{order.customer_id}"
    ```
    ## Not reported
    ```python
    from shop.models import Order


    def describe(reference):
        order = Order.objects.get(reference=reference)
        return order.customer.name, order.customer.pk  # the customer is needed anyway


    def joined(reference):
        return Order.objects.select_related("customer").get(reference=reference).customer.pk
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
    ```
    ## Fix safety
    The fix reads `<name>_id`. It is unsafe because it gives None where the old code raised an error for a
    key that is null.
    ## When not to use it
    Where the object is loaded by the caller in any case and the code reads better with it.
    ## References
    - Django documentation, "Database access optimization: Use foreign key values directly"
      (https://docs.djangoproject.com/en/stable/topics/db/optimization/#use-foreign-key-values-directly)
    """
    relation = django_rows.key_of_relation(node, ctx.module)
    if relation is not None:
        start, end = ctx.source.end(relation.value), ctx.source.end(node)
        fix = None
        if ctx.source.text[start:end] == f".{relation.attr}.{node.attr}":
            fix = ctx.fix(f"Read `{relation.attr}_id`", ctx.replace_range(start, end, f".{relation.attr}_id"))
        row = ctx.type_of(relation.value)
        model = ctx.module.modules.class_info(row.name) if row is not None else None
        related = [ctx.definition(model, f"defines `{model.node.name}`")] if model is not None else []
        yield ctx.finding(node, name=relation.attr, key=node.attr, fix=fix, related=related)
