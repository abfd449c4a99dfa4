"""Rule PB134: sync-orm-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import django_queries, event_loop
from pybackend_lint.project import calls
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import

_EVALUATES = "Iterate with `async for`: `{method}()` of a queryset raises `SynchronousOnlyOperation` here"
_INDEXES = "Iterate with `async for`: an index of a queryset raises `SynchronousOnlyOperation` here"
_TESTS = "Await `aexists()`: the truth value of a queryset raises `SynchronousOnlyOperation` here"
_THROUGH = "Call `{callee}` through `sync_to_async`: its query ({path}) raises `SynchronousOnlyOperation`"


@rule(
    "PB134",
    "sync-orm-in-async",
    "Await `{twin}()`: `{method}()` raises `SynchronousOnlyOperation` in a coroutine",
    nodes=(ast.AsyncFunctionDef,),
    applies="django>=4.1",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine runs a query through Django's synchronous API, itself or in a function that it calls.

    ## Why
    Django refuses synchronous queries where an event loop runs and raises `SynchronousOnlyOperation`.
    The code works in a shell and fails in production; where it is hidden in a helper function, nothing on
    the failing line says so.

    ## Bad
    ```python
    from django.http import JsonResponse

    from shop.models import Order


    async def order_status(request, reference):
        order = Order.objects.get(reference=reference)
        return JsonResponse({"paid": order.paid})
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        reference = models.CharField(max_length=20)
        paid = models.BooleanField(default=False)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ```python
    from django.http import JsonResponse

    from shop.pricing import best_price


    async def price(request, product_id):
        return JsonResponse({"price": best_price(product_id)})
    ```
    ```python file=shop/pricing.py
    from shop.models import Offer


    def best_price(product_id):
        return cheapest(product_id).price


    def cheapest(product_id):
        return Offer.objects.filter(product_id=product_id).order_by("price").first()
    ```
    ```python file=shop/models.py
    from django.db import models


    class Offer(models.Model):
        product_id = models.IntegerField()
        price = models.IntegerField()
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
        order = await Order.objects.aget(reference=reference)
        return JsonResponse({"paid": order.paid})
    ```
    ```python
    from asgiref.sync import sync_to_async
    from django.http import JsonResponse

    from shop.pricing import best_price


    async def price(request, product_id):
        return JsonResponse({"price": await sync_to_async(best_price)(product_id)})
    ```
    ## Not reported
    ```python
    from asgiref.sync import sync_to_async

    from shop.models import Order


    async def unpaid():
        orders = Order.objects.filter(paid=False)  # no query yet
        return await sync_to_async(list)(orders)


    async def load(repository):
        return repository.get(1)  # we do not know what `repository` is, so an alarm may be missed
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
    ## Fix safety
    The fix awaits the method's asynchronous twin, turns `list(queryset)` into an asynchronous comprehension
    and calls project functions through `sync_to_async`. It is unsafe because other code of the event loop
    may run while the coroutine waits. No fix is offered inside generator expressions.
    ## When not to use it
    Where the project sets `DJANGO_ALLOW_ASYNC_UNSAFE`, as notebooks do.
    ## References
    - Django documentation, "Asynchronous support: Async safety"
      (https://docs.djangoproject.com/en/stable/topics/async/#async-safety)
    - Django documentation, "Making queries: Asynchronous queries"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#asynchronous-queries)
    """
    function = ctx.function_info(node)
    for subscript in django_queries.indexed(function):
        yield ctx.finding(subscript, message=_INDEXES)
    for name in django_queries.tested(function):
        known = ctx.type_of(name)
        exists = (ctx.insert_before(name, "await "), ctx.insert_after(name, ".aexists()"))
        fix = ctx.fix("Await `aexists`", *exists) if known is not None and not known.optional else None
        yield ctx.finding(name, message=_TESTS, fix=fix)
    for site in calls.call_sites(function):
        if site.awaited:
            continue
        query = django_queries.query_of(site)
        if query is not None:
            if not ctx.project.satisfies(f"django>={query.since}", "lower"):
                continue
            edits = _edits(query, ctx)
            fix = ctx.fix(f"Await `{query.twin or 'the rows'}`", *edits) if edits else None
            message = None if query.twin else _EVALUATES
            yield ctx.finding(site.node, twin=query.twin, method=query.method, fix=fix, message=message)
            continue
        called = calls.target(site)
        if called is None or called.is_async or not calls.follows(called):
            continue
        chain = django_queries.chain_to_query(called)
        if chain is not None:
            callee = ctx.project.index.local_name(called.name)
            related = [step.related() for step in chain]
            path = " → ".join(event_loop.places(chain))
            fix = None
            if isinstance(site.node, ast.Call) and not _in_generator(site.node, ctx):
                wrapper, imports = add_import(ctx.source, "asgiref.sync.sync_to_async")
                func = site.node.func
                wrapped = (ctx.insert_before(func, f"{wrapper}("), ctx.insert_after(func, ")"))
                fix = ctx.fix(
                    f"Await `{callee}` in a thread", *_awaited(site.node, *wrapped, ctx=ctx), *imports
                )
            yield ctx.finding(site.node, callee=callee, path=path, related=related, message=_THROUGH, fix=fix)


def _edits(query: django_queries.Query, ctx: Context) -> tuple[Edit, ...]:
    call = query.node
    if _in_generator(call, ctx):
        return ()
    if query.twin and isinstance(call.func, ast.Attribute):
        end = ctx.source.end(call.func)
        return _awaited(call, Edit(end - len(call.func.attr), end, query.twin), ctx=ctx)
    if query.method == "list":
        start, end = ctx.source.start(call), ctx.source.start(call.args[0])
        behind = ctx.source.end(call.args[0])
        return Edit(start, end, "[row async for row in "), Edit(behind, ctx.source.end(call), "]")
    return ()


def _awaited(call: ast.Call, *edits: Edit, ctx: Context) -> tuple[Edit, ...]:
    """The edits and those that await the call; an insertion at its start is joined with the `await`."""
    parent = ctx.parent(call)
    bound = isinstance(parent, (ast.Attribute, ast.Subscript)) or (
        isinstance(parent, ast.Call) and parent.func is call
    )
    start = ctx.source.start(call)
    word = "(await " if bound else "await "
    first = [edit for edit in edits if edit.start == edit.end == start]
    rest = tuple(edit for edit in edits if edit not in first)
    opening = Edit(start, start, word + "".join(edit.text for edit in first))
    return (opening, *rest, ctx.insert_after(call, ")")) if bound else (opening, *rest)


def _in_generator(call: ast.Call, ctx: Context) -> bool:
    """Whether an `await` here would turn a generator expression into an asynchronous generator."""
    for around in ctx.ancestors(call):
        if isinstance(around, (ast.stmt, ast.GeneratorExp)):
            return isinstance(around, ast.GeneratorExp)
    return False
