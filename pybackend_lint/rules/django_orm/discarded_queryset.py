"""Rule PB128: discarded-queryset."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django, transactions
from pybackend_lint.rule import UNSAFE, Context, rule

_LONGEST = 40
_NO_LOCK = "Read these rows, as with `list()`: nothing does, so `select_for_update()` locks none"


@rule(
    "PB128",
    "discarded-queryset",
    "Use the result of `.{method}()`: it does not change `{receiver}` in place",
    nodes=(ast.Expr, ast.Assign),
    words=tuple(sorted(django.LAZY)),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(statement: ast.Expr | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """The result of a queryset method is thrown away, so the call has no effect.

    ## Why
    A queryset is never changed in place: `filter()`, `order_by()` and their like give a new one.
    A condition that is called but not kept does not restrict anything, so users see rows that the code
    meant to hide, and nothing fails.
    A queryset asks the database only when its rows are read, so `select_for_update()` locks none where
    nothing reads the name that holds them.

    ## Bad
    ```python
    from shop.models import Order


    def visible_orders(user):
        orders = Order.objects.filter(customer=user)
        if not user.is_staff:
            orders.exclude(status="draft")
        return orders
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey("auth.User", models.CASCADE)
        status = models.CharField(max_length=20)
    ```
    ```python
    from django.db import transaction

    from shop.models import Order


    def archive():
        with transaction.atomic():
            locked = Order.objects.filter(status="paid").select_for_update()
            Order.objects.filter(status="paid").update(status="archived")
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        status = models.CharField(max_length=20)
    ```
    ## Good
    ```python
    from shop.models import Order


    def visible_orders(user):
        orders = Order.objects.filter(customer=user)
        if not user.is_staff:
            orders = orders.exclude(status="draft")
        return orders
    ```
    ```python
    from django.db import transaction

    from shop.models import Order


    def archive():
        with transaction.atomic():
            locked = list(Order.objects.filter(status="paid").select_for_update())
            Order.objects.filter(status="paid").update(status="archived")
    ```
    ## Not reported
    ```python
    from django.core.exceptions import FieldError
    from shop.models import Order


    def archive(search):
        Order.objects.filter(status="paid").update(status="archived")  # runs at once
        search.filter("archived")  # we do not know what `search` is, so this alarm may be missed


    def check_lookups(lookups):
        try:
            Order.objects.filter(**lookups)  # only whether it raises matters
        except FieldError:
            return False
        return True
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        status = models.CharField(max_length=20)
    ```
    ## Fix safety
    The fix assigns the result to the name that the method was called on. It is unsafe because the condition
    starts to work: rows disappear that were shown before. No fix is offered where the method is called on
    anything but a local name. Rows to lock are read by `list()`, which other transactions may wait for.
    ## When not to use it
    Where a queryset class of your own has methods of these names that do change it.
    ## References
    - Django documentation, "QuerySet API reference: Methods that return new QuerySets"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#methods-that-return-new-querysets)
    """
    if isinstance(statement, ast.Assign):
        if transactions.locks_nothing(statement, ctx.module):
            edits = ctx.insert_before(statement.value, "list("), ctx.insert_after(statement.value, ")")
            reading = ctx.fix("Read the rows, which locks them", *edits)
            yield ctx.finding(statement.targets[0], message=_NO_LOCK, fix=reading)
        return
    match statement.value:
        case ast.Call(func=ast.Attribute(value=receiver, attr=method) as func) if method in django.LAZY:
            found = django.own_method(func, ctx.module)
            if found is None or _only_tried(statement, ctx):
                return
            fix = None
            if isinstance(receiver, ast.Name) and django.is_queryset(found[1], ctx.module):
                edit = ctx.insert_before(statement, f"{receiver.id} = ")
                fix = ctx.fix(f"Assign the result to `{receiver.id}`", edit)
            text = ctx.text(receiver)
            name = text.splitlines()[0].partition("(")[0].rstrip(" .")
            shown = text if "\n" not in text and len(text) <= _LONGEST else f"{name}(...)"
            yield ctx.finding(statement, method=method, receiver=shown, fix=fix)


def _only_tried(statement: ast.stmt, ctx: Context) -> bool:
    """Whether the statement stands in a `try` that waits for its exception."""
    parent = ctx.parent(statement)
    return isinstance(parent, ast.Try) and bool(parent.handlers) and statement in parent.body
