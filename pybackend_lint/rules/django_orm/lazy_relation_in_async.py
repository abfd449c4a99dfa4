"""Rule PB136: lazy-relation-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_async
from pybackend_lint.rule import UNSAFE, Context, rule

_THROUGH = 'Add `select_related("{path}")`: `{callee}` would read it by a sync query in this coroutine'


@rule(
    "PB136",
    "lazy-relation-in-async",
    'Add `select_related("{path}")`: reading `{attr}` runs a sync query, which a coroutine may not',
    nodes=(ast.AsyncFunctionDef,),
    applies="django>=4.1",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine reads a related object that was not loaded together with the row.

    ## Why
    Reading the attribute would run a query, and Django refuses synchronous queries in the thread of an event
    loop: the view answers with an error 500 (`SynchronousOnlyOperation`). The `await` in front of `aget()`,
    or of the function of the project that fetches the row, does not help, for it fetched the row only.

    ## Bad
    ```python
    from django.http import JsonResponse

    from shop.models import Order


    async def order_status(request, reference):
        order = await Order.objects.aget(reference=reference)
        return JsonResponse({"customer": order.customer.name})
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ```python
    from shop.models import Order


    async def labels():
        return [order.label async for order in Order.objects.filter(reference="1")]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)

        @property
        def label(self):
            return f"{self.reference} ({self.customer.name})"
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Good
    ```python
    from django.http import JsonResponse

    from shop.models import Order


    async def order_status(request, reference):
        order = await Order.objects.select_related("customer").aget(reference=reference)
        return JsonResponse({"customer": order.customer.name})
    ```
    ```python
    from shop.models import Order


    async def labels():
        return [order.label async for order in Order.objects.filter(reference="1").select_related("customer")]
    ```
    ## Not reported
    ```python
    from asgiref.sync import sync_to_async

    from shop.models import Order


    async def customer_of(reference):
        order = await Order.objects.aget(reference=reference)
        return order.customer_id  # the key comes with the row


    async def customer_name(reference):
        order = await Order.objects.aget(reference=reference)
        return await sync_to_async(lambda: order.customer.name)()


    async def name_of(order):
        return order.customer.name  # the caller may have loaded it, so an alarm may be missed
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Fix safety
    The fix loads the relation with the row where the coroutine builds the queryset. It is unsafe because it
    changes the query for every path through the coroutine.
    ## When not to use it
    Where the project sets `DJANGO_ALLOW_ASYNC_UNSAFE`, as notebooks do.
    ## References
    - Django documentation, "Asynchronous support: Async safety"
      (https://docs.djangoproject.com/en/stable/topics/async/#async-safety)
    - Django documentation, "QuerySet API reference: select_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related)
    """
    for lazy in django_async.lazy_reads(ctx.function_info(node)):
        fix = ctx.fix("Load the relation with the row", *lazy.edits) if lazy.edits else None
        yield ctx.finding(
            lazy.node,
            path=lazy.read.path,
            attr=lazy.read.path.rpartition("__")[2],
            callee=lazy.called,
            message=_THROUGH if lazy.called else None,
            fix=fix,
            related=lazy.read.steps if lazy.called else (),
        )
