"""Rule PB105: query-in-loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_loops
from pybackend_lint.rule import Context, rule


@rule(
    "PB105",
    "query-in-loop",
    "Fetch all rows once (`{field}__in`, `in_bulk()`): this loop runs one query of `{model}` per item",
    nodes=(ast.For,),
    words=("get", "first", "last", "exists", "count"),
    applies="django",
    default=False,
    tags=("performance",),
)
def check(node: ast.For, ctx: Context) -> Iterator[Finding]:
    """A loop asks the database for one row at a time.

    ## Why
    A query takes about a millisecond before it does anything, so an import of ten thousand lines that looks
    up a product for every line waits ten seconds for the network alone. One query with `__in` fetches all of
    them, and a dictionary hands them out.

    ## Bad
    ```python
    from shop.models import Product


    def priced(lines):
        total = 0
        for line in lines:
            product = Product.objects.get(code=line["code"])
            total += product.price * line["quantity"]
        return total
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        code = models.CharField(max_length=20, unique=True)
        price = models.IntegerField()
    ```
    ## Good
    ```python
    from shop.models import Product


    def priced(lines):
        products = Product.objects.in_bulk([line["code"] for line in lines], field_name="code")
        return sum(products[line["code"]].price * line["quantity"] for line in lines)
    ```
    ## Not reported
    ```python
    from shop.models import Product


    def first_known(codes):
        for code in codes:
            product = Product.objects.filter(code=code).first()
            if product is not None:
                return product  # a search, which may end with the first query


    def check_defaults():
        for code in ("standard", "express"):
            print(Product.objects.filter(code=code).exists())  # a handful of constants
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        code = models.CharField(max_length=20, unique=True)
    ```
    ## When not to use it
    The rule is off by default: how many items a loop has is rarely visible in the code, and for a few of
    them one query each is simpler to read.
    ## References
    - Django documentation, "QuerySet API reference: in_bulk()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#in-bulk)
    - Django documentation, "Database access optimization: Retrieve everything at once"
      (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    """
    for query in django_loops.queries_for_items(node, ctx.module):
        name = query.model.node.name
        related = [
            ctx.related(node, "runs it in each turn"),
            ctx.definition(query.model, f"defines `{name}`"),
        ]
        yield ctx.finding(query.call, related=related, field=query.field, model=name)
