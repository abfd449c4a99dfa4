"""Rule PB102: n-plus-one-through-call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_handed_rows, django_rows
from pybackend_lint.rule import UNSAFE, Context, rule

_OF_ROWS = "Add `{advice}` to this queryset: `{callee}` runs a query for every row"


@rule(
    "PB102",
    "n-plus-one-through-call",
    "Add `{advice}` to this loop's queryset: `{callee}` runs a query for every row",
    nodes=(ast.Module, *django_rows.LOOPS),
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """A function called for every row of a loop reads related objects that were not loaded with the rows.

    So does a function that is given the queryset, or a list of its rows, and goes over it itself.

    ## Why
    A property such as `order.label` hides that it reads the customer, so the loop looks harmless and runs
    one query for every row. The loop decides what is loaded, the property what is needed, and the two
    stand in different files: neither shows the fault alone.

    ## Bad
    ```python
    from shop.models import Order


    def overview():
        return [order.label for order in Order.objects.filter(paid=False)]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
        paid = models.BooleanField(default=False)

        @property
        def label(self):
            return f"{self.reference} ({self.customer.name})"
    ```
    ```python
    from shop.models import Order
    from shop.prices import total


    def totals():
        orders = Order.objects.select_related("customer")
        return {order.pk: total(order) for order in orders}
    ```
    ```python file=shop/prices.py
    def total(order):
        return sum(line.quantity * line.product.price for line in order.lines.all())
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Product(models.Model):
        price = models.IntegerField()


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
        product = models.ForeignKey(Product, models.CASCADE)
        quantity = models.IntegerField()
    ```
    ```python
    from shop.exports import names
    from shop.models import Order


    def unpaid():
        return names(Order.objects.filter(paid=False))
    ```
    ```python file=shop/exports.py
    def names(orders):
        return [order.customer.name for order in orders]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        paid = models.BooleanField(default=False)
    ```
    ## Good
    ```python
    from shop.models import Order


    def overview():
        return [order.label for order in Order.objects.filter(paid=False).select_related("customer")]
    ```
    ```python
    from shop.models import Order
    from shop.prices import total


    def totals():
        orders = Order.objects.select_related("customer").prefetch_related("lines__product")
        return {order.pk: total(order) for order in orders}
    ```
    ```python
    from shop.exports import names
    from shop.models import Order


    def unpaid():
        return names(Order.objects.filter(paid=False).select_related("customer"))
    ```
    ## Not reported
    ```python
    from shop.models import Order


    def labels(with_customers):
        # an argument decides whether the customer is read, so an alarm may be missed
        return [order.label(with_customers) for order in Order.objects.all()]


    def names():
        return [order.customer_name() for order in Order.objects.all()]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)

        def label(self, with_customer):
            return f"{self.reference} ({self.customer.name})" if with_customer else self.reference

        def customer_name(self):
            # looks at what has been loaded before it reads
            if not Order.customer.is_cached(self):
                return ""
            return self.customer.name
    ```
    ## Fix safety
    The fix appends the paths to the queryset, or adds them to an existing call, when the same function builds
    the queryset. It is unsafe because it changes the query: it loads rows that the function may need for few
    of the objects. There is none where the rows are only counted: the function has to read the annotation.
    ## When not to use it
    Where the loop runs over a handful of rows.
    ## References
    - Django documentation, "Database access optimization: Retrieve everything at once if you know you will
      need it" (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    - Django documentation, "QuerySet API reference: select_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related)
    """
    if isinstance(node, ast.Module):
        yield from _handed_rows(ctx)
        return
    for rows in django_rows.loops(node, ctx.module):
        if django_rows.preloads(rows.iterated, ctx.module):
            continue
        if ctx.in_coroutine(node) and ctx.project.satisfies("django>=4.1", "lower"):
            continue  # what the calls read raises: PB136 says so
        for through in django_rows.reads_through(rows, ctx.module):
            remedy = django_rows.remedy(rows.iterated, through.reads, ctx.module)
            fix = ctx.fix("Load what the call reads with the rows", *remedy.edits) if remedy.edits else None
            yield ctx.finding(
                through.entry.node,
                advice=remedy.advice,
                callee=through.entry.name,
                fix=fix,
                related=remedy.related,
            )


def _handed_rows(ctx: Context) -> Iterator[Finding]:
    """The querysets that a function is given which goes over them."""
    for handed in django_handed_rows.handed_rows(ctx.module):
        if ctx.in_coroutine(handed.call):
            continue  # PB136 says so
        remedy = django_rows.remedy(handed.queryset, handed.reads, ctx.module)
        yield ctx.finding(
            handed.call.func,
            message=_OF_ROWS,
            advice=remedy.advice,
            callee=handed.name,
            fix=ctx.fix("Load what the call reads with the rows", *remedy.edits) if remedy.edits else None,
            related=remedy.related,
        )
