"""Rule PB100: n-plus-one-forward-relation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_rows
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB100",
    "n-plus-one-forward-relation",
    'Add `{method}("{path}")`: `{attr}` is fetched once per row of this loop',
    nodes=django_rows.LOOPS,
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """A loop over a queryset reads a related object that was not loaded together with the rows.

    A comprehension is such a loop, and so is a lambda that `map()`, `filter()` or a key of `sorted()` calls
    for each row.

    ## Why
    Django fetches the related object when the attribute is read, with a query of its own for every
    row. A page that shows fifty orders runs fifty-one queries; with `select_related()` it runs one. The
    fault does not show with the few rows of a developer's database.

    ## Bad
    ```python
    from shop.models import Order


    def overview():
        orders = Order.objects.filter(paid=False).order_by("created_at")
        return [f"{order.reference}: {order.customer.company.name}" for order in orders]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Company(models.Model):
        name = models.CharField(max_length=100)


    class Customer(models.Model):
        company = models.ForeignKey(Company, models.CASCADE)


    class Order(models.Model):
        customer = models.ForeignKey("Customer", models.CASCADE)
        reference = models.CharField(max_length=20)
        paid = models.BooleanField(default=False)
        created_at = models.DateTimeField(auto_now_add=True)
    ```
    ```python
    from shop.models import Order


    def export(writer):
        for order in Order.objects.select_related("customer").iterator():
            writer.writerow([order.customer.name, order.invoice.number])
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)


    class Invoice(models.Model):
        order = models.OneToOneField(Order, models.CASCADE)
        number = models.CharField(max_length=20)
    ```
    ## Good
    ```python
    from shop.models import Order


    def overview():
        orders = Order.objects.filter(paid=False).order_by("created_at").select_related("customer__company")
        return [f"{order.reference}: {order.customer.company.name}" for order in orders]
    ```
    ```python
    from shop.models import Order


    def export(writer):
        for order in Order.objects.select_related("customer", "invoice").iterator():
            writer.writerow([order.customer.name, order.invoice.number])
    ```
    ## Not reported
    ```python
    from shop.models import Order


    def keys():
        return [order.customer_id for order in Order.objects.all()]  # the key comes with the row


    def lines_of(order):
        # every line gets the order that it was asked from
        return [line.order.reference for line in order.lines.all()]


    def names(orders):
        # we do not know what the caller has loaded, so an alarm may be missed
        return [order.customer.name for order in orders]


    def listed(detailed):
        orders = Order.objects.order_by("reference")
        if detailed:
            orders = orders.select_related("customer")
        # loaded on one of the ways that lead here, so an alarm may be missed
        return [order.customer.name for order in orders]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    ```
    ## Fix safety
    The fix adds the path to an existing `select_related()` or appends one to the queryset, when the queryset
    is built in the same function. It is unsafe because it changes the query: a join over wide tables may
    cost more than it saves where the branch that reads the relation is rarely taken.
    ## When not to use it
    Where the loop runs over a handful of rows, or nearly all rows share objects of a cache of your own.
    ## References
    - Django documentation, "QuerySet API reference: select_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related)
    - Django documentation, "Database access optimization: Retrieve everything at once"
      (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    """
    for rows in django_rows.loops(node, ctx.module):
        if not rows.fetches_one or django_rows.preloads(rows.iterated, ctx.module):
            continue
        if ctx.in_coroutine(node) and ctx.project.satisfies("django>=4.1", "lower"):
            continue  # reading them raises: PB136 says so
        built = django_rows.builder(rows.iterated, ctx.module)
        for read in django_rows.reads(rows, ctx.module):
            if read.relation.is_single:
                method = "prefetch_related" if read.relation.kind == "generic" else "select_related"
                edit = django_rows.loading_edit(built, method, read.path, ctx.module)
                fix = ctx.fix(f"Load `{read.path}` with the rows", edit) if edit is not None else None
                origin = django_rows.origin(rows.iterated, ctx.module)
                related = [origin] if origin is not None else []
                path = read.path
                prefetched = django_rows.prefetched_as(rows)
                if prefetched:
                    method, path = "prefetch_related", f"{prefetched}__{path}"
                yield ctx.finding(
                    read.node, method=method, path=path, attr=read.node.attr, fix=fix, related=related
                )
