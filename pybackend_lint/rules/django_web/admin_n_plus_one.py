"""Rule PB247: admin-n-plus-one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import django_admin, django_rows
from pybackend_lint.frameworks.django_admin import AdminList, Joining
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after


@rule(
    "PB247",
    "admin-n-plus-one",
    "Add {advice}: column `{column}` runs a query for every row of this list",
    nodes=(ast.ClassDef,),
    words=("list_display",),
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A column of an admin's list reads a related object that the list did not load.

    ## Why
    The admin shows a hundred rows on a page, and a column that is a method or a property is computed for
    each of them. What such a column reads of other tables is not joined by itself: Django 6.1 joins the
    foreign keys that are columns, and older versions all foreign keys that are never null, as soon as one
    foreign key is a column.

    ## Bad
    ```python
    from django.contrib import admin

    from shop.models import Order


    @admin.register(Order)
    class OrderAdmin(admin.ModelAdmin):
        list_display = ("reference", "company")

        @admin.display(description="Company")
        def company(self, order):
            return order.customer.company.name
    ```
    ```python file=shop/models.py
    from django.db import models


    class Company(models.Model):
        name = models.CharField(max_length=100)


    class Customer(models.Model):
        company = models.ForeignKey(Company, models.CASCADE)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
    ```
    ## Good
    ```python
    from django.contrib import admin

    from shop.models import Order


    @admin.register(Order)
    class OrderAdmin(admin.ModelAdmin):
        list_display = ("reference", "company")
        list_select_related = ("customer__company",)

        @admin.display(description="Company")
        def company(self, order):
            return order.customer.company.name
    ```
    ## Not reported
    ```python
    from django.contrib import admin

    from shop.models import Order


    @admin.register(Order)
    class OrderAdmin(admin.ModelAdmin):
        list_display = ("reference", "customer", "customer_name")  # the admin joins a key that is a column

        def customer_name(self, order):
            return order.customer.name


    class ArchiveAdmin(admin.ModelAdmin):
        list_display = ("reference", "customer_name")

        def get_queryset(self, request):
            # what the list loads here is not followed, so an alarm may be missed
            return super().get_queryset(request).select_related("customer")

        def customer_name(self, order):
            return order.customer.name
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
    The fix sets `list_select_related` or adds to it. It is unsafe because it changes the query of the list:
    the admin joins what is named and nothing by itself any more, so what the columns read is named too.
    Relations to many rows get no fix, for they have to be prefetched in `get_queryset()`.
    ## When not to use it
    For tables that hold a handful of rows.
    ## References
    - Django documentation, "The Django admin site: ModelAdmin.list_select_related"
      (https://docs.djangoproject.com/en/stable/ref/contrib/admin/#django.contrib.admin.ModelAdmin.list_select_related)
    """
    joining = Joining(
        every=not ctx.project.satisfies("django>=6.1", "lower"),
        columns=not ctx.project.satisfies("django<6.1", "upper"),
    )
    found = django_admin.admin_list(node, ctx.module, joining) if node.bases else None
    if found is None:
        return
    wanted = django_rows.loading_methods(found.reads)
    joined, prefetched = wanted.get("select_related", []), wanted.get("prefetch_related", [])
    counted = wanted.get("annotate", [])
    if joined:
        joined = django_rows.loading_methods(found.joins)["select_related"]
    advice = [f"`list_select_related = {_tuple(joined)}`"] if joined else []
    advice += (
        [f"`prefetch_related({_tuple(prefetched).strip('(,)')})` in `get_queryset()`"] if prefetched else []
    )
    advice += [f"`annotate({django_rows.counts(counted)})` in `get_queryset()`"] if counted else []
    edit = _edit(found, joined, ctx) if not (prefetched or counted) else None
    yield ctx.finding(
        found.columns[0].node,
        advice=" and ".join(advice),
        column=found.columns[0].name,
        fix=ctx.fix("Join what the columns read", edit) if edit is not None else None,
        related=list(dict.fromkeys(step for read in found.reads for step in read.steps)),
    )


def _tuple(paths: list[str]) -> str:
    texts = [f'"{path}"' for path in paths]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _edit(found: AdminList, paths: list[str], ctx: Context) -> Edit | None:
    """The edit that names the paths in `list_select_related`."""
    match found.selected:
        case None:
            return line_after(ctx.source, found.statement, f"list_select_related = {_tuple(paths)}")
        case ast.List(elts=[*_, last]) | ast.Tuple(elts=[*_, last]):
            return ctx.insert_after(last, "".join(f', "{path}"' for path in paths))
        case ast.Constant(value=False):
            return ctx.edit(found.selected, _tuple(paths))
    return None
