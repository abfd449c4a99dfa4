"""Rule PB131: invalid-eager-path."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_lookups
from pybackend_lint.rule import SAFE, Context, rule

_UNKNOWN = "Remove `{name}` from `{method}()`: `{model}` has no such relation"
_NO_RELATION = "Remove `{name}` from `{method}()`: it is a column, and Django refuses to follow it"


@rule(
    "PB131",
    "invalid-eager-path",
    'Use `{instead}("{path}")`: `{method}()` cannot follow `{name}`, which leads to many rows',
    nodes=(ast.Call,),
    names=("select_related", "prefetch_related"),
    applies="django",
    fix=SAFE,
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A query asks to load a path that Django cannot load in that way.

    ## Why
    `select_related()` joins one row of another table; a relation to many rows, a column, or a name that the
    model does not have, makes the query raise `FieldError` when it runs, not when it is built.

    ## Bad
    ```python
    from shop.models import Product


    def catalogue():
        return Product.objects.filter(active=True).select_related("tags")
    ```
    ```python file=shop/models.py
    from django.db import models


    class Tag(models.Model):
        name = models.CharField(max_length=50)


    class Product(models.Model):
        tags = models.ManyToManyField(Tag)
        active = models.BooleanField(default=True)
    ```
    ## Good
    ```python
    from shop.models import Product


    def catalogue():
        return Product.objects.filter(active=True).prefetch_related("tags")
    ```
    ## Not reported
    ```python
    from shop.models import Product


    def loaded(paths):
        yield Product.objects.prefetch_related("maker", "tags")  # one row may be prefetched too
        yield Product.objects.select_related("maker")
        yield Product.objects.select_related(*paths)  # unknown paths
        yield Product.objects.prefetch_related("recent_tags")  # may be the `to_attr` of another prefetch
    ```
    ```python file=shop/models.py
    from django.db import models


    class Maker(models.Model):
        name = models.CharField(max_length=50)


    class Product(models.Model):
        maker = models.ForeignKey(Maker, models.CASCADE)
        tags = models.ManyToManyField(Maker, related_name="+")
    ```
    ## Fix safety
    The fix renames the method where the path is its only argument. It is safe: the query could only raise.
    ## When not to use it
    There is no such case: the query raises.
    ## References
    - Django documentation, "QuerySet API reference: select_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related)
    - Django documentation, "QuerySet API reference: prefetch_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#prefetch-related)
    """
    assert isinstance(node.func, ast.Attribute)
    for wrong in django_lookups.invalid_paths(node, ctx.module):
        fix = None
        if wrong.instead and len(node.args) == 1 and not node.keywords:
            end = ctx.source.end(node.func)
            edit = ctx.replace_range(end - len(node.func.attr), end, wrong.instead)
            fix = ctx.fix(f"Call `{wrong.instead}()`", edit)
        yield ctx.finding(
            wrong.node,
            name=wrong.name,
            path=wrong.node.value,
            method=node.func.attr,
            instead=wrong.instead,
            model=wrong.model.node.name,
            message=None if wrong.instead else _NO_RELATION if wrong.exists else _UNKNOWN,
            fix=fix,
            related=[ctx.definition(wrong.model, f"defines `{wrong.model.node.name}`")],
        )
