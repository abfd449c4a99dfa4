"""Rule PB101: n-plus-one-multi-relation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_rows
from pybackend_lint.rule import UNSAFE, Context, rule

_COUNT = 'Annotate the queryset with `Count("{path}")`: `{attr}.count()` runs one query per row of this loop'
_EXISTS = "Annotate the queryset with `Exists(...)`: `{attr}.exists()` runs one query per row of this loop"


@rule(
    "PB101",
    "n-plus-one-multi-relation",
    'Add `prefetch_related("{path}")`: `{attr}.{method}()` runs one query per row of this loop',
    nodes=django_rows.LOOPS,
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """A loop over a queryset asks every row for the objects of a many-valued relation.

    ## Why
    The manager of a many-to-many field or of a reverse foreign key runs a query whenever it is asked,
    so a list of a hundred products that shows their tags runs a hundred and one queries.
    `prefetch_related()` fetches the tags of all products with one more query and hands them out in Python.

    ## Bad
    ```python
    from shop.models import Product


    def catalogue():
        for product in Product.objects.filter(active=True):
            yield product.name, [tag.name for tag in product.tags.all()]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Tag(models.Model):
        name = models.CharField(max_length=50)


    class Product(models.Model):
        name = models.CharField(max_length=100)
        active = models.BooleanField(default=True)
        tags = models.ManyToManyField(Tag)
    ```
    ## Good
    ```python
    from shop.models import Product


    def catalogue():
        for product in Product.objects.filter(active=True).prefetch_related("tags"):
            yield product.name, [tag.name for tag in product.tags.all()]
    ```
    ## Not reported
    ```python
    from shop.models import Product, Tag


    def tag_all(tag):
        for product in Product.objects.filter(active=True):
            product.tags.add(tag)  # writes, which no prefetch can save


    def expensive_reviews():
        for product in Product.objects.filter(active=True):
            # a filtered relation is a query of its own: prefetching all rows would not help
            yield product.reviews.filter(stars__lt=3).first()


    def listed(products):
        # we do not know what the caller has loaded, so an alarm may be missed
        return [list(product.tags.all()) for product in products]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Tag(models.Model):
        name = models.CharField(max_length=50)


    class Product(models.Model):
        active = models.BooleanField(default=True)
        tags = models.ManyToManyField(Tag)


    class Review(models.Model):
        product = models.ForeignKey(Product, models.CASCADE, related_name="reviews")
        stars = models.IntegerField()
    ```
    ## Fix safety
    The fix adds the path to an existing `prefetch_related()` or appends one, when the same function builds
    the queryset. It is unsafe because it loads all related rows at once, which may need much memory. For
    `count()` no fix is offered: the loop has to read the annotation instead.
    ## When not to use it
    Where the loop runs over a handful of rows.
    ## References
    - Django documentation, "QuerySet API reference: prefetch_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#prefetch-related)
    - Django documentation, "Aggregation: Generating aggregates for each item in a QuerySet"
      (https://docs.djangoproject.com/en/stable/topics/db/aggregation/)
    """
    for rows in django_rows.loops(node, ctx.module):
        if django_rows.preloads(rows.iterated, ctx.module):
            continue
        built = django_rows.builder(rows.iterated, ctx.module)
        for read in django_rows.reads(rows, ctx.module):
            if read.relation.is_single:
                continue
            fix = None
            if read.method == "all":
                edit = django_rows.loading_edit(built, "prefetch_related", read.path, ctx.module)
                fix = ctx.fix(f"Prefetch `{read.path}`", edit) if edit is not None else None
            origin = django_rows.origin(rows.iterated, ctx.module)
            path, prefetched = read.path, django_rows.prefetched_as(rows)
            if read.method != "all":
                path = django_rows.counted_path(path, read.relation)
            elif prefetched:
                path = f"{prefetched}__{path}"
            yield ctx.finding(
                read.node,
                path=path,
                attr=read.node.attr,
                method=read.method,
                message={"count": _COUNT, "exists": _EXISTS}.get(read.method),
                fix=fix,
                related=[origin] if origin is not None else [],
            )
