"""Rule PB138: sync-contrib-call-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import asyncio, django_twins
from pybackend_lint.frameworks.django_twins import CONTRIB_NAMES
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB138",
    "sync-contrib-call-in-async",
    "Await `{twin}()`: `{function}()` raises `SynchronousOnlyOperation` in a coroutine",
    nodes=(ast.Call,),
    names=CONTRIB_NAMES,
    words=("async def",),
    applies="django>=5.0",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A coroutine calls a shortcut or a function of the authentication that queries synchronously.

    ## Why
    `get_object_or_404`, `authenticate`, `login` and `logout` ask the database or the session. Django refuses
    that where an event loop runs and raises `SynchronousOnlyOperation`. Each has an asynchronous twin.

    ## Bad
    ```python
    from django.http import JsonResponse
    from django.shortcuts import get_object_or_404

    from shop.models import Order


    async def show(request, number):
        order = get_object_or_404(Order, number=number)
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
    from django.shortcuts import aget_object_or_404

    from shop.models import Order


    async def show(request, number):
        order = await aget_object_or_404(Order, number=number)
        return JsonResponse({"paid": order.paid})
    ```
    ## Not reported
    ```python
    from asgiref.sync import sync_to_async
    from django.contrib.auth import alogin, authenticate, login


    async def log_in(request, name, password):
        user = await sync_to_async(authenticate)(request, username=name, password=password)
        if user is not None:
            await alogin(request, user)


    def log_in_plainly(request, user):
        login(request, user)
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["django>=5.2"]
    ```
    ## Fix safety
    The fix calls and awaits the twin. It is unsafe because other code of the event loop may run meanwhile.
    ## When not to use it
    Where the project sets `DJANGO_ALLOW_ASYNC_UNSAFE`, as notebooks do.
    ## References
    - Django documentation, "Asynchronous support: Async safety"
      (https://docs.djangoproject.com/en/stable/topics/async/#async-safety)
    - Django 5.0 release notes, "Asynchronous" functions of shortcuts and authentication
    """
    if not ctx.in_coroutine(node):
        return
    found = django_twins.contrib_twin(node, ctx.module)
    if found is None or not ctx.project.satisfies(f"django>={found[2]}", "lower"):
        return
    name, twin, _ = found
    fix = None
    if asyncio.can_await(node, ctx):
        written, imports = add_import(ctx.source, f"{name.rpartition('.')[0]}.{twin}")
        before, after = asyncio.parentheses(node, ctx)
        edits = [ctx.edit(node.func, f"{before}await {written}")]
        if after:
            edits.append(ctx.insert_after(node, after))
        fix = ctx.fix(f"Await `{twin}`", *edits, *imports)
    yield ctx.finding(node, end=node.func, twin=twin, function=name.rpartition(".")[2], fix=fix)
