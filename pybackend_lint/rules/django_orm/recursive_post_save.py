"""Rule PB171: recursive-post-save."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_signals
from pybackend_lint.rule import Context, rule


@rule(
    "PB171",
    "recursive-post-save",
    "Write with `update()`: `{row}.save()` calls this receiver of `post_save` again, without end",
    nodes=(ast.Call,),
    names=("save", "asave"),
    words=("post_save",),
    applies="django",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A receiver of `post_save` saves the row that has just been saved.

    ## Why
    Saving sends the signal again, which calls the receiver again. Where nothing on the way stops it, every
    save of such a row ends with `RecursionError: maximum recursion depth exceeded`, after a thousand writes.
    A receiver that skips new rows fails only later, when somebody changes the first one. `update()` writes
    the column without a signal; a value that belongs to the row is better set before it is saved.

    ## Bad
    ```python
    from django.db.models.signals import post_save
    from django.dispatch import receiver

    from shop.models import Order


    @receiver(post_save, sender=Order)
    def number_order(sender, instance, created, **kwargs):
        if not created:
            return
        Order.objects.filter(pk=instance.pk).update(number=f"O-{instance.pk}")


    @receiver(post_save, sender=Order)
    def count_changes(sender, instance, created, **kwargs):
        if created:
            return
        instance.changes += 1
        instance.save(update_fields=["changes"])  # PB171
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        number = models.CharField(max_length=20, default="")
        changes = models.PositiveIntegerField(default=0)
    ```
    ## Good
    ```python
    from django.db.models import F
    from django.db.models.signals import post_save
    from django.dispatch import receiver

    from shop.models import Order


    @receiver(post_save, sender=Order)
    def number_order(sender, instance, created, **kwargs):
        if not created:
            return
        Order.objects.filter(pk=instance.pk).update(number=f"O-{instance.pk}")


    @receiver(post_save, sender=Order)
    def count_changes(sender, instance, created, **kwargs):
        if created:
            return
        Order.objects.filter(pk=instance.pk).update(changes=F("changes") + 1)
    ```
    ## Not reported
    ```python
    from django.db.models.signals import post_save
    from django.dispatch import receiver

    from shop.models import Order


    @receiver(post_save, sender=Order)
    def number_order(sender, instance, created, **kwargs):
        if created:  # not so the second time
            instance.number = f"O-{instance.pk}"
            instance.save()


    @receiver(post_save, sender=Order)
    def fill_number(sender, instance, **kwargs):
        if not instance.number:  # is set then
            instance.number = f"O-{instance.pk}"
            instance.save()


    @receiver(post_save, sender=Order)
    def save_customer(sender, instance, **kwargs):
        instance.customer.save()  # another row; an alarm is missed if its receiver saves this one
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        number = models.CharField(max_length=20, default="")
        customer = models.ForeignKey(Customer, models.CASCADE)
    ```
    ## When not to use it
    Never: the row cannot be saved.
    ## References
    - Django documentation, "Signals: post_save"
      (https://docs.djangoproject.com/en/stable/ref/signals/#post-save)
    """
    row = django_signals.saves_again(node, ctx.module)
    if row is not None:
        yield ctx.finding(node, row=row)
