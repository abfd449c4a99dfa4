"""Rule PB104: prefetch-defeated."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_rows
from pybackend_lint.rule import Context, rule

_FIRST = "Take the first of `{path}.all()`: `.{method}()` sorts anew and runs a query for every row"


@rule(
    "PB104",
    "prefetch-defeated",
    'Use `Prefetch("{path}", queryset=...)`: `.{method}()` ignores the prefetched rows and runs a query',
    nodes=(ast.For, ast.AsyncFor, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp),
    applies="django",
    tags=("performance",),
)
def check(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """A loop prefetches a relation and then asks the database for its rows again.

    ## Why
    Prefetched rows answer `all()`, `count()` and `exists()`. Every other method of the manager makes a new
    queryset with a query of its own, so the loop runs one query for every row and pays for the prefetched
    rows on top.

    ## Bad
    ```python
    from shop.models import Order


    def paid_lines():
        for order in Order.objects.prefetch_related("lines"):
            yield order.reference, [line.text for line in order.lines.filter(paid=1)]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        reference = models.CharField(max_length=20)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
        text = models.CharField(max_length=100)
        paid = models.IntegerField(default=0)
    ```
    ## Good
    ```python
    from django.db.models import Prefetch

    from shop.models import Line, Order


    def paid_lines():
        paid = Prefetch("lines", queryset=Line.objects.filter(paid=1), to_attr="paid_lines")
        for order in Order.objects.prefetch_related(paid):
            yield order.reference, [line.text for line in order.paid_lines]
    ```
    ## Not reported
    ```python
    from shop.models import Order


    def counts():
        for order in Order.objects.prefetch_related("lines"):
            yield order.reference, order.lines.count(), order.lines.all()  # the prefetched rows answer both


    def forget():
        for order in Order.objects.prefetch_related("lines"):
            order.lines.filter(paid=0).delete()  # writes, which no prefetch can save
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        reference = models.CharField(max_length=20)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
        paid = models.IntegerField(default=0)
    ```
    ## When not to use it
    Where few rows reach the call, and the prefetched rows serve all others.
    ## References
    - Django documentation, "QuerySet API reference: prefetch_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#prefetch-related)
    - Django documentation, "QuerySet API reference: Prefetch() objects"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#prefetch-objects)
    """
    for rows in django_rows.loops(node, ctx.module):
        for found in django_rows.defeated(rows, ctx.module):
            origin = django_rows.origin(rows.iterated, ctx.module)
            yield ctx.finding(
                found.node,
                path=found.path,
                method=found.node.attr,
                message=_FIRST if found.node.attr == "first" else None,
                related=[origin] if origin is not None else [],
            )
