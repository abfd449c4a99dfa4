"""Rule PB135: sync-iteration-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import django, django_queries
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB135",
    "sync-iteration-in-async",
    "Use `async for`: iterating the queryset raises `SynchronousOnlyOperation` in a coroutine",
    nodes=(ast.For, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    words=("async def",),
    applies="django>=4.1",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(
    node: ast.For | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, ctx: Context
) -> Iterator[Finding]:
    """A coroutine iterates a queryset with a plain `for`.

    ## Why
    Iterating runs the query, and Django refuses synchronous queries where an event loop runs: it
    raises `SynchronousOnlyOperation`. A queryset is an asynchronous iterable as well.

    ## Bad
    ```python
    from shop.models import Order


    async def remind(mailer):
        for order in Order.objects.filter(paid=False):
            await mailer.send(order.email)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        paid = models.BooleanField(default=False)
        email = models.EmailField()
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ```python
    from shop.queries import unpaid


    async def addresses():
        return {order.pk: order.email for order in unpaid()}
    ```
    ```python file=shop/queries.py
    from shop.models import Order


    def unpaid():
        return Order.objects.filter(paid=False)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        paid = models.BooleanField(default=False)
        email = models.EmailField()
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Good
    ```python
    from shop.models import Order


    async def remind(mailer):
        async for order in Order.objects.filter(paid=False):
            await mailer.send(order.email)
    ```
    ```python
    from shop.queries import unpaid


    async def addresses():
        return {order.pk: order.email async for order in unpaid()}
    ```
    ## Not reported
    ```python
    from asgiref.sync import sync_to_async

    from shop.models import Order


    async def remind(mailer):
        orders = await sync_to_async(list)(Order.objects.filter(paid=False))
        for order in orders:  # a list
            await mailer.send(order.email)


    async def show(order):
        # the lines may be prefetched, so an alarm may be missed
        return [line.product for line in order.lines.all()]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        paid = models.BooleanField(default=False)
        email = models.EmailField()
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Fix safety
    The fix writes `async for`. It is unsafe because other code of the event loop may now run between the
    rows. No fix is offered for generator expressions, which would become asynchronous generators.
    ## When not to use it
    Where the project sets `DJANGO_ALLOW_ASYNC_UNSAFE`, as notebooks do.
    ## References
    - Django documentation, "Making queries: Asynchronous queries"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#asynchronous-queries)
    """
    if not ctx.in_coroutine(node):
        return
    if isinstance(node, ast.For):
        if _runs_query(node.iter, ctx):
            yield ctx.finding(
                node.iter, fix=ctx.fix("Iterate with `async for`", ctx.insert_before(node, "async "))
            )
        return
    before: ast.expr = node.value if isinstance(node, ast.DictComp) else node.elt
    for generator in node.generators:
        if not generator.is_async and _runs_query(generator.iter, ctx):
            fix = None
            if not isinstance(node, ast.GeneratorExp):
                at = ctx.source.text.rfind("for", ctx.source.end(before), ctx.source.start(generator.target))
                fix = ctx.fix("Iterate with `async for`", Edit(at, at, "async "))
            yield ctx.finding(generator.iter, fix=fix)
        before = generator.ifs[-1] if generator.ifs else generator.iter


def _runs_query(iterated: ast.expr, ctx: Context) -> bool:
    return django.is_queryset(ctx.type_of(iterated), ctx.module) and not django_queries.may_be_evaluated(
        iterated, ctx.module
    )
