"""Rule PB125: side-effect-in-atomic."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import transactions
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import, replace_imports

_OPEN = "this transaction is still open then"
_RECEIVER = "this runs before the transaction that saves the row is committed"
_TASK = "Queue `{what}` with `transaction.on_commit()`: it may run before the rows are committed"


@rule(
    "PB125",
    "side-effect-in-atomic",
    "Call `{what}` from `transaction.on_commit()`: the transaction may still be rolled back",
    nodes=(ast.With, ast.FunctionDef),
    words=("atomic", "delay", "apply_async"),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.With | ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """A transaction sends mail, calls a service or queues a task before it is committed.

    ## Why
    A mail or a request cannot be taken back when a later statement fails and the transaction is rolled back:
    the customer is told of an order that does not exist. A queued task is often faster than the commit; the
    worker looks for the row, does not find it and fails with `DoesNotExist`, now and then, under load. So it
    is where a function that the transaction calls queues the task for the row, in a function that creates a
    row and queues a task for it when another one calls it in a transaction, and in a receiver of `post_save`
    for new rows: the admin saves all rows in a transaction.

    ## Bad
    ```python
    from django.db import transaction

    from shop.models import Order
    from shop.tasks import charge


    @transaction.atomic
    def place(user, lines):
        order = Order.objects.create(customer=user)
        charge.delay(order.pk)
        order.lines.bulk_create(lines)
        return order
    ```
    ```python file=shop/tasks.py
    from celery import shared_task

    from shop.models import Order


    @shared_task
    def charge(order_id):
        print(Order.objects.get(pk=order_id))
    ```
    ```python file=shop/models.py
    from django.conf import settings
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    ```
    ```python
    from django.db import transaction

    from shop.mails import confirm
    from shop.models import Order


    def pay(order_id):
        with transaction.atomic():
            order = Order.objects.select_for_update().get(pk=order_id)
            confirm(order.email)
            order.paid = True
            order.save(update_fields=["paid"])
    ```
    ```python file=shop/mails.py
    from django.core.mail import send_mail


    def confirm(address):
        notify(address, "Your order")


    def notify(address, subject):
        send_mail(subject, "Thank you.", "shop@example.com", [address])
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        email = models.EmailField()
        paid = models.BooleanField(default=False)
    ```
    ## Good
    ```python
    from functools import partial

    from django.db import transaction

    from shop.models import Order
    from shop.tasks import charge


    @transaction.atomic
    def place(user, lines):
        order = Order.objects.create(customer=user)
        transaction.on_commit(partial(charge.delay, order.pk))
        order.lines.bulk_create(lines)
        return order
    ```
    ```python
    from functools import partial

    from django.db import transaction

    from shop.mails import confirm
    from shop.models import Order


    def pay(order_id):
        with transaction.atomic():
            order = Order.objects.select_for_update().get(pk=order_id)
            transaction.on_commit(partial(confirm, order.email))
            order.paid = True
            order.save(update_fields=["paid"])
    ```
    ## Not reported
    ```python
    import requests
    from django.core.mail import send_mail
    from django.db import transaction

    from shop.models import Order
    from shop.tasks import charge


    def place(user):
        with transaction.atomic():
            order = Order.objects.create(customer=user)
            transaction.on_commit(lambda: charge.delay(order.pk))
            charge.delay(user.pk)  # knows nothing of the new row
            response = requests.post("https://pay.example", timeout=5)
            if response.status_code != 200:  # decides whether the order is kept
                raise ValueError("not paid")
        send_mail("Your order", "Thank you.", "shop@example.com", [user.email])


    @transaction.atomic
    def refuse(order):
        order.delete()
        # a mail that ends the transaction: when it cannot be sent, the order stays
        send_mail("Your order", "Sorry.", "shop@example.com", [order.customer.email])
    ```
    ```python file=shop/tasks.py
    from celery import shared_task


    @shared_task
    def charge(order_id):
        print(order_id)
    ```
    ```python file=shop/models.py
    from django.conf import settings
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    ```
    ## Fix safety
    The fix hands the call to `transaction.on_commit`, its arguments evaluated now. It is unsafe because the
    call then happens later, not at all after a rollback, and its errors do not undo the transaction. Calls
    whose result is used get no fix.
    ## When not to use it
    Where a failing mail server is meant to undo the transaction.
    ## References
    - Django documentation, "Database transactions: Performing actions after commit"
      (https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit)
    - Celery documentation, "First steps with Django", section "Trigger tasks at the end of the transaction"
    """
    for effect in transactions.side_effects(node, ctx.module):
        yield ctx.finding(
            effect.node,
            end=effect.node.func,
            message=_TASK if effect.queues else None,
            what=effect.what,
            related=[
                *(step.related() for step in effect.chain),
                *(caller.related() for caller in effect.callers),
                *([] if effect.callers else [ctx.related(node, _RECEIVER if effect.of_receiver else _OPEN)]),
            ],
            fix=_fix(effect.node, ctx),
        )


def _fix(call: ast.Call, ctx: Context) -> Fix | None:
    if not isinstance(ctx.parent(call), ast.Expr):
        return None
    source = ctx.source
    start, end = source.start(call), source.end(call)
    opened = source.opening(call)
    if not call.args and not call.keywords:
        name, imports = add_import(source, "django.db.transaction")
        edits = [Edit(start, start, f"{name}.on_commit("), Edit(opened, end, ")")]
        return ctx.fix("Wait for the commit", *edits, *imports)
    (name, partial), imports = replace_imports(source, ["django.db.transaction", "functools.partial"], ())
    separator = "," if source.text[opened + 1].isspace() else ", "
    edits = [
        Edit(start, start, f"{name}.on_commit({partial}("),
        Edit(opened, opened + 1, separator),
        Edit(end, end, ")"),
    ]
    return ctx.fix("Wait for the commit", *edits, *imports)
