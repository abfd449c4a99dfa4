"""Rule PB129: query-after-slice."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_twins
from pybackend_lint.frameworks.django_twins import REFUSED_NAMES
from pybackend_lint.rule import Context, rule


@rule(
    "PB129",
    "query-after-slice",
    "Call `{method}()` before the slice: Django refuses to change a sliced queryset",
    nodes=(ast.Call,),
    names=REFUSED_NAMES,
    applies="django",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A sliced queryset is filtered, ordered, updated or deleted.

    ## Why
    A slice becomes `LIMIT` and `OFFSET`, and SQL applies conditions and order before them. Django therefore
    raises `TypeError` when a queryset is filtered or ordered behind a slice, each time the line runs.

    ## Bad
    ```python
    from shop.catalog import newest


    def cheap():
        products = newest()[:10]
        return products.filter(price__lt=10)
    ```
    ```python file=shop/catalog.py
    from shop.models import Product


    def newest():
        return Product.objects.order_by("-created")
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        created = models.DateTimeField(auto_now_add=True)
        price = models.IntegerField()
    ```
    ## Good
    ```python
    from shop.catalog import newest


    def cheap():
        products = newest().filter(price__lt=10)
        return products[:10]
    ```
    ## Not reported
    ```python
    from shop.models import Product


    def report(names):
        first = Product.objects.order_by("pk")[0]  # one row, no slice
        first.delete()
        page = Product.objects.order_by("pk")[:10]
        names[:3].update(page.values("price"))  # we do not know what `names` is
        return page.count(), page.select_related("shelf"), Product.objects.filter(pk__in=page.values("pk"))
    ```
    ```python file=shop/models.py
    from django.db import models


    class Shelf(models.Model):
        pass


    class Product(models.Model):
        shelf = models.ForeignKey(Shelf, models.CASCADE)
        price = models.IntegerField()
    ```
    ## When not to use it
    Never.
    ## References
    - Django documentation, "Making queries: Limiting QuerySets"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#limiting-querysets)
    """
    cut = django_twins.sliced(node, ctx.module)
    if cut is not None and isinstance(node.func, ast.Attribute):
        end = ctx.source.end(node.func)
        related = [ctx.related(cut, "the slice")] if cut is not node.func.value else []
        yield ctx.finding_at(end - len(node.func.attr), end, method=node.func.attr, related=related)
