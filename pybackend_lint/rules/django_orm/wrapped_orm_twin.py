"""Rule PB139: wrapped-orm-twin."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import django_twins
from pybackend_lint.frameworks.django_twins import WrappedQuery
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.code_edits import stands_alone


@rule(
    "PB139",
    "wrapped-orm-twin",
    "Call `{twin}()` instead of `{method}()` through `{wrapper}`",
    nodes=(ast.Call,),
    words=("sync_to_async", "database_sync_to_async"),
    applies="django>=4.1",
    fix=SAFE,
    tags=("style",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A single query is wrapped into `sync_to_async` although the ORM has an asynchronous method for it.

    ## Why
    Since Django 4.1 querysets, and since 4.2 models and related managers, have a method with an `a` for each
    method that runs a query. The wrapped form does the same with more words, loses the types of arguments
    and result, and hides from readers and tools which query is run.

    ## Bad
    ```python
    from asgiref.sync import sync_to_async
    from django.http import JsonResponse

    from shop.models import Order


    async def show(request, number):
        order = await sync_to_async(Order.objects.get)(number=number)
        return JsonResponse({"paid": order.paid})
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        number = models.IntegerField()
        paid = models.BooleanField(default=False)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Good
    ```python
    from django.http import JsonResponse

    from shop.models import Order


    async def show(request, number):
        order = await Order.objects.aget(number=number)
        return JsonResponse({"paid": order.paid})
    ```
    ## Not reported
    ```python
    from asgiref.sync import sync_to_async

    from shop.models import Order


    async def show(number):
        rows = await sync_to_async(list)(Order.objects.filter(number=number))
        newest = await sync_to_async(lambda: max(Order.objects.count(), len(rows)))()
        load = sync_to_async(Order.objects.get)
        return newest, await load(number=number)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        number = models.IntegerField()
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Fix safety
    Safe: the asynchronous methods run the same query in the same thread. No fix is offered where the call is
    not awaited at once.
    ## When not to use it
    Where the project still runs on Django 4.0 or older.
    ## References
    - Django documentation, "Making queries: Asynchronous queries"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#asynchronous-queries)
    """
    found = django_twins.wrapped_query(node, ctx.module) if isinstance(node.func, ast.Call) else None
    if found is None or not ctx.project.satisfies(f"django>={found.since}", "lower"):
        return
    wrapper = node.func
    assert isinstance(wrapper, ast.Call)
    yield ctx.finding(
        node,
        end=wrapper,
        fix=_fix(found, ctx),
        twin=found.twin,
        method=found.method,
        wrapper=ctx.text(wrapper.func),
    )


def _fix(found: WrappedQuery, ctx: Context) -> Fix | None:
    if not isinstance(ctx.parent(found.call), ast.Await):
        return None
    source, target = ctx.source, found.target
    start, end = source.start(found.call), source.end(found.call)
    first, last = source.outer_range(target)
    is_bare = (first, last) == (source.start(target), source.end(target))
    if not is_bare or not stands_alone(source.text[first:last]):
        return None
    name = source.end(target) - len(target.attr)
    rename = Edit(name, source.end(target), found.twin)
    if found.written is None:
        behind = source.end(found.call.func)
        edits = [Edit(start, source.start(target), ""), rename, Edit(source.end(target), behind, "")]
        return ctx.fix(f"Call `{found.twin}`", *_joined(edits))
    if not stands_alone(ctx.text(found.written)) or source.text[source.start(found.written) - 1] == "(":
        return None
    edits = [Edit(start, source.start(found.written), ""), rename, Edit(source.end(found.written), end, "")]
    return ctx.fix(f"Call `{found.twin}`", *edits)


def _joined(edits: list[Edit]) -> list[Edit]:
    """The edits, where one that follows another at once is put together with it."""
    first, second, third = edits
    return [first, Edit(second.start, third.end, second.text)]
