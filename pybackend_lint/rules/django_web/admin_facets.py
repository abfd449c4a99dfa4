"""Rule PB246: admin-facets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_admin
from pybackend_lint.rule import Context, rule


@rule(
    "PB246",
    "admin-facets",
    "Set `show_facets`: `{admin}` offers the counts of its filters on demand only",
    nodes=(ast.ClassDef,),
    words=("list_filter",),
    applies="django>=5.0",
    severity="info",
    default=False,
    tags=("style",),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """An admin class has filters and does not say when to count what they would leave.

    ## Why
    Facets show behind every choice of a filter how many rows it leads to. `ShowFacets.ALLOW`, the default
    since Django 5.0, hides them behind a link. `ALWAYS` shows them at once and counts once more for each
    choice, which a small table can bear and a large one cannot; `NEVER` takes the link away. The decision
    depends on the table, so a team that wants it taken for every list can ask for it with this rule.

    ## Bad
    ```python
    from django.contrib import admin

    from shop.models import Order


    @admin.register(Order)
    class OrderAdmin(admin.ModelAdmin):
        list_filter = ["state"]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        state = models.CharField(max_length=10)
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## Good
    ```python
    from django.contrib import admin

    from shop.models import Order


    @admin.register(Order)
    class OrderAdmin(admin.ModelAdmin):
        list_filter = ["state"]
        show_facets = admin.ShowFacets.ALWAYS
    ```
    ## Not reported
    ```python
    from django.contrib import admin

    from shop.base import ShopAdmin
    from shop.models import Order


    @admin.register(Order)
    class OrderAdmin(ShopAdmin):
        list_filter = ["state"]
    ```
    ```python file=shop/base.py
    from django.contrib import admin


    class ShopAdmin(admin.ModelAdmin):
        show_facets = admin.ShowFacets.NEVER  # for all lists of the shop
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        state = models.CharField(max_length=10)
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## When not to use it
    Where the default suits all lists: nothing is wrong with a link.
    ## References
    - Django documentation, "The Django admin site: ModelAdmin.show_facets"
      (https://docs.djangoproject.com/en/stable/ref/contrib/admin/#django.contrib.admin.ModelAdmin.show_facets)
    """
    filters = django_admin.filters_without_facets(node, ctx.module)
    if filters is not None:
        yield ctx.finding(filters, admin=node.name)
