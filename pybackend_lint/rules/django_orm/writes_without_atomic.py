"""Rule PB123: writes-without-atomic."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import transactions
from pybackend_lint.frameworks.transactions import CREATES
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB123",
    "writes-without-atomic",
    "Wrap these writes in `transaction.atomic()`: when `{second}` fails, the `{model}` stays without it",
    nodes=(ast.Call, ast.Module),
    names=CREATES,
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Call | ast.Module, ctx: Context) -> Iterator[Finding]:
    """A row is created, then rows that belong to it, and no transaction keeps them together.

    ## Why
    Django commits each query by itself. When the second write fails (a constraint, a lost connection, a
    deployment that stops the worker), the first one stays: an order without lines, a user without profile.
    The request ends with an error, its repetition finds half of the work done, and nobody cleans up.

    ## Bad
    ```python
    from django.http import JsonResponse

    from shop.lines import add_lines
    from shop.models import Order


    def place(request):
        order = Order.objects.create(customer=request.user)
        add_lines(order, request.session["cart"])
        return JsonResponse({"order": order.pk})
    ```
    ```python file=shop/lines.py
    from shop.models import Line


    def add_lines(order, cart):
        for product_id, amount in cart.items():
            product, created = Line.objects.get_or_create(order=order, product_id=product_id)
            Line.objects.filter(pk=product.pk).update(amount=amount)
    ```
    ```python file=shop/models.py
    from django.conf import settings
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE)
        product_id = models.IntegerField()
        amount = models.PositiveIntegerField(default=1)
    ```
    ## Good
    ```python
    from django.db import transaction
    from django.http import JsonResponse

    from shop.lines import add_lines
    from shop.models import Order


    @transaction.atomic
    def place(request):
        order = Order.objects.create(customer=request.user)
        add_lines(order, request.session["cart"])
        return JsonResponse({"order": order.pk})
    ```
    ## Not reported
    ```python
    from django.db import transaction

    from shop.models import Invoice, Order, OrderLog


    def place(request):
        with transaction.atomic():
            return place_order(request.user)


    def place_order(customer):
        order = Order.objects.create(customer=customer)
        Invoice.objects.create(order=order)  # every caller has opened a transaction
        return order


    def import_order(request):
        order = Order.objects.create(customer=request.user)
        OrderLog.objects.create(order=order)  # a log may be missing
        try:
            Invoice.objects.create(order=order)
        except ValueError:
            pass  # allowed to fail


    def helper(customer):
        order = Order.objects.create(customer=customer)
        Invoice.objects.create(order=order)  # we do not know who calls this, so an alarm may be missed
    ```
    ```python file=shop/models.py
    from django.conf import settings
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)


    class Invoice(models.Model):
        order = models.ForeignKey(Order, models.CASCADE)


    class OrderLog(models.Model):
        order = models.ForeignKey(Order, models.CASCADE)
    ```
    ## Fix safety
    The fix decorates the function with `@transaction.atomic`. It is unsafe because all writes of the function
    are then undone together, and locks are held until it ends. Coroutines get no fix: `atomic` cannot be used
    in them.
    ## When not to use it
    Where a part that stays behind is wanted, or another process repairs it. What only management commands
    call, and serializers that code with a transaction mentions, are left alone.
    ## References
    - Django documentation, "Database transactions: Controlling transactions explicitly"
      (https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly)
    """
    for first in transactions.making_calls(ctx.module) if isinstance(node, ast.Module) else (node,):
        found = transactions.torn_write(first, ctx.module)
        if found is not None:
            second = found.second
            yield ctx.finding(
                second.site.node,
                related=[
                    ctx.related(first, "the row is committed here"),
                    *(step.related() for step in second.chain),
                ],
                fix=_fix(first, ctx),
                second=f"{second.method}()",
                model=found.model.rpartition(".")[2],
            )


def _fix(node: ast.Call, ctx: Context) -> Fix | None:
    function = ctx.enclosing_function(node)
    if not isinstance(function, ast.FunctionDef):
        return None
    indent = ctx.source.line(function.lineno)[: function.col_offset]
    name, imports = add_import(ctx.source, "django.db.transaction")
    inserted = ctx.insert_at(ctx.source.start(function), f"@{name}.atomic\n{indent}")
    return None if indent.strip() else ctx.fix("Open a transaction", inserted, *imports)
