"""Rule PB133: atomic-in-async."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import transactions
from pybackend_lint.rule import Context, rule


@rule(
    "PB133",
    "atomic-in-async",
    "Move the transaction into a function for `sync_to_async`: `{name}()` cannot run in a coroutine",
    nodes=(ast.AsyncFunctionDef, ast.With, ast.AsyncWith, ast.Call),
    names=("on_commit", "set_autocommit", "savepoint"),
    words=("atomic", "on_commit", "set_autocommit", "savepoint"),
    applies="django",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.AST, ctx: Context) -> Iterator[Finding]:
    """A coroutine opens a transaction of Django, or is decorated with one.

    ## Why
    Transactions belong to the connection of a thread, and Django's API for them is synchronous. In a
    coroutine `with transaction.atomic()` raises `SynchronousOnlyOperation`, `async with` an error because
    there is no asynchronous form. As a decorator of an `async def` it ends the transaction before the
    coroutine has begun: its queries run without any.

    ## Bad
    ```python
    from django.db import transaction
    from django.http import HttpResponse

    from shop.models import Account


    async def transfer(request, source, target):
        with transaction.atomic():
            await Account.objects.filter(pk=source).aupdate(balance=0)
            await Account.objects.filter(pk=target).aupdate(balance=100)
        return HttpResponse(status=204)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Account(models.Model):
        balance = models.IntegerField()
    ```
    ## Good
    ```python
    from asgiref.sync import sync_to_async
    from django.db import transaction
    from django.http import HttpResponse

    from shop.models import Account


    @transaction.atomic
    def move(source, target):
        Account.objects.filter(pk=source).update(balance=0)
        Account.objects.filter(pk=target).update(balance=100)


    async def transfer(request, source, target):
        await sync_to_async(move)(source, target)
        return HttpResponse(status=204)
    ```
    ## Not reported
    ```python
    from asgiref.sync import sync_to_async
    from django.db import transaction

    from shop.models import Account


    async def close(account_id):
        def work():
            with transaction.atomic():  # runs in a thread
                Account.objects.filter(pk=account_id).update(balance=0)

        await sync_to_async(work)()
        await sync_to_async(transaction.atomic(work))()
    ```
    ```python file=shop/models.py
    from django.db import models


    class Account(models.Model):
        balance = models.IntegerField()
    ```
    ## When not to use it
    Never.
    ## References
    - Django documentation, "Asynchronous support: Queries and the ORM", where transactions are left out
      (https://docs.djangoproject.com/en/stable/topics/async/#queries-the-orm)
    """
    if isinstance(node, ast.AsyncFunctionDef):
        used = node.decorator_list
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        used = [item.context_expr for item in node.items] if ctx.in_coroutine(node) else []
    elif isinstance(node, ast.Call) and ctx.in_coroutine(node):
        used = [node]
    else:
        used = []
    for expression in used:
        name = transactions.needs_connection(expression, ctx.module)
        if name is not None and (name != "atomic" or not isinstance(node, ast.Call)):
            yield ctx.finding(expression, name=name)
