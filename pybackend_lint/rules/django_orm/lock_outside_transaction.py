"""Rule PB127: lock-outside-transaction."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import transactions
from pybackend_lint.rule import Context, rule


@rule(
    "PB127",
    "lock-outside-transaction",
    "Open `transaction.atomic()` around `select_for_update()`: Django refuses it in `{function}()`",
    nodes=(ast.Call,),
    names=("select_for_update",),
    applies="django",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Rows are locked with `select_for_update()` where no transaction is open.

    ## Why
    A lock lasts until the transaction ends. Without one Django raises `TransactionManagementError` as soon
    as the rows are read, also in a function that a view, a task or a command calls without one. SQLite
    ignores the lock without an error, and tests run in a transaction of their own, so that the fault shows
    in production only.

    ## Bad
    ```python
    from django.http import JsonResponse
    from django.views import View

    from shop.models import Stock


    class Reserve(View):
        def post(self, request, sku):
            stock = Stock.objects.select_for_update().get(sku=sku)
            stock.amount -= 1
            stock.save(update_fields=["amount"])
            return JsonResponse({"left": stock.amount})
    ```
    ```python file=shop/models.py
    from django.db import models


    class Stock(models.Model):
        sku = models.CharField(max_length=20)
        amount = models.IntegerField()
    ```
    ## Good
    ```python
    from django.db import transaction
    from django.http import JsonResponse
    from django.views import View

    from shop.models import Stock


    class Reserve(View):
        def post(self, request, sku):
            with transaction.atomic():
                stock = Stock.objects.select_for_update().get(sku=sku)
                stock.amount -= 1
                stock.save(update_fields=["amount"])
            return JsonResponse({"left": stock.amount})
    ```
    ## Not reported
    ```python
    from django.db import transaction
    from django.views import View

    from shop.models import Stock


    def locked(sku):
        return Stock.objects.select_for_update().get(sku=sku)  # nobody is seen to call it without one


    class Reserve(View):
        @transaction.atomic
        def post(self, request, sku):
            rows = Stock.objects.select_for_update()
            return rows.get(sku=sku)

        def get_queryset(self):
            return Stock.objects.select_for_update().filter(amount__gt=0)  # is not read here
    ```
    ```python file=shop/models.py
    from django.db import models


    class Stock(models.Model):
        sku = models.CharField(max_length=20)
        amount = models.IntegerField()
    ```
    ## When not to use it
    Where middleware of the project opens a transaction for each request. The setting `ATOMIC_REQUESTS` is
    recognised, also where it is `False`.
    ## References
    - Django documentation, "QuerySet API reference: select_for_update"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-for-update)
    """
    found = transactions.lock_without_transaction(node, ctx.module)
    if found is not None:
        entry, way = found
        related = [caller.related() for caller in way]
        yield ctx.finding(node, function=entry.node.name, related=related)
