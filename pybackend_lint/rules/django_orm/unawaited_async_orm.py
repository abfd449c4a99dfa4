"""Rule PB137: unawaited-async-orm."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio, django_queries
from pybackend_lint.frameworks.django_queries import ASYNC_METHODS
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB137",
    "unawaited-async-orm",
    "Await `{method}()`: its coroutine is never run, so the query is not sent",
    nodes=(ast.Call,),
    names=ASYNC_METHODS,
    applies="django>=4.1",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The coroutine of an asynchronous ORM method is dropped, tested or taken apart instead of awaited.

    ## Why
    `aget`, `acreate`, `asave` and the other methods with an `a` are coroutine functions: without `await` no
    query runs. A row is not saved and nothing but a `RuntimeWarning` in some log tells of it. In a test such
    as `if queryset.aexists():` the coroutine is always true.

    ## Bad
    ```python
    from django.http import HttpResponse

    from shop.models import Order


    async def pay(request, order_id):
        order = await Order.objects.aget(pk=order_id)
        order.paid = True
        order.asave(update_fields=["paid"])
        return HttpResponse(status=204)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        paid = models.BooleanField(default=False)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ```python
    from shop.models import Coupon


    async def is_taken(code):
        if Coupon.objects.filter(code=code).aexists():
            return True
        return False
    ```
    ```python file=shop/models.py
    from django.db import models


    class Coupon(models.Model):
        code = models.CharField(max_length=20)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Good
    ```python
    from django.http import HttpResponse

    from shop.models import Order


    async def pay(request, order_id):
        order = await Order.objects.aget(pk=order_id)
        order.paid = True
        await order.asave(update_fields=["paid"])
        return HttpResponse(status=204)
    ```
    ```python
    from shop.models import Coupon


    async def is_taken(code):
        if await Coupon.objects.filter(code=code).aexists():
            return True
        return False
    ```
    ## Not reported
    ```python
    import asyncio

    from asgiref.sync import async_to_sync

    from shop.models import Coupon


    async def totals():
        first = Coupon.objects.acount()
        return await asyncio.gather(first, Coupon.objects.filter(used=True).acount())


    def total():
        return async_to_sync(Coupon.objects.acount)()


    def later(code):
        return Coupon.objects.aget(code=code)  # who calls this may await it
    ```
    ```python file=shop/models.py
    from django.db import models


    class Coupon(models.Model):
        code = models.CharField(max_length=20)
        used = models.BooleanField(default=False)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Fix safety
    Inside of a coroutine the fix inserts `await`. It is unsafe because a query then runs that never ran.
    ## When not to use it
    Never.
    ## References
    - Django documentation, "Making queries: Asynchronous queries"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#asynchronous-queries)
    - Python documentation, "Developing with asyncio", section "Detect never-awaited coroutines"
    """
    if not asyncio.is_used_as_finished(node, ctx.module) or not django_queries.is_async_query(
        node, ctx.module
    ):
        return
    fix = None
    if asyncio.can_await(node, ctx):
        fix = ctx.fix("Await the query", *asyncio.await_edits(node, ctx))
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    yield ctx.finding(node, end=node.func, method=method, fix=fix)
