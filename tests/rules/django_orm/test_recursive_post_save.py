"""Which receivers of `post_save` save their row without end, and what Django does then."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.documented import printed
from tests.rules.harness import findings

HEADER = """
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver
from shop.models import Customer, Own, Order
from shop.signals import fill, muted
"""
FILES = {
    "shop/__init__.py": "",
    "shop/signals.py": "def fill(order):\n    order.state = 'new'\n\ndef muted():\n    pass\n",
    "shop/models.py": """
from django.db import models

class Customer(models.Model):
    name = models.CharField(max_length=20)

class Order(models.Model):
    state = models.CharField(max_length=20)
    note = models.CharField(max_length=20)
    changed = models.DateTimeField(auto_now=True)
    customer = models.ForeignKey(Customer, models.CASCADE)

class Own(models.Model):
    state = models.CharField(max_length=20)

    def save(self, *args, **kwargs):
        self.state = ""
        super().save(*args, **kwargs)
""",
}
SILENT = {
    "new rows only": "if created:\n    instance.save()",
    "new rows only, by leaving": "if not created:\n    return\ninstance.save()",
    "in a branch of a branch": "if instance.state:\n    if created:\n        instance.save()",
    "new or something": "if created or instance.state:\n    instance.save()",
    "a test of what is saved": "if kwargs['update_fields']:\n    return\ninstance.save()",
    "a mark on the row": "if not instance.marked:\n    instance.marked = True\n    instance.save()",
    "a field that is set": "if not instance.state:\n    instance.state = 'new'\n    instance.save()",
    "a field that may be set": "if not instance.state:\n    fill(instance)\n    instance.save()",
    "a field that a method may set": "if not instance.state:\n    instance.fill()\n    instance.save()",
    "a field that saving sets": "if instance.changed:\n    instance.save()",
    "no field": "if instance.is_open:\n    instance.save()",
    "a related row's field": "if instance.customer.name:\n    instance.save()",
    "another row": "instance.customer.save()",
    "another name": "instance = Order()\ninstance.save()",
    "the receiver is disconnected": (
        "post_save.disconnect(changed, sender=Order)\ninstance.save()\npost_save.connect(changed, sender=Order)"
    ),
    "something that may keep it quiet": "with muted():\n    instance.save()",
    "a loop": "for line in instance.lines.all():\n    instance.save()",
    "a try": "try:\n    instance.save()\nexcept Exception:\n    pass",
    "left by a loop": "while instance.state:\n    return\ninstance.save()",
    "later": "transaction.on_commit(lambda: instance.save())",
    "a part of an expression": "instance.state or instance.save()",
    "no receiver": None,
}  # fmt: skip
FOUND = {
    "always": "instance.state = 'new'\ninstance.save()  # PB171",
    "some columns": "instance.save(update_fields=['state'])  # PB171",
    "in a transaction": "with transaction.atomic():\n    instance.save()  # PB171",
    "rows that are changed": "if not created:\n    instance.save()  # PB171",
    "rows that are changed, otherwise": "if created:\n    print(1)\nelse:\n    instance.save()  # PB171",
    "rows that are changed, by leaving": "if created:\n    return\ninstance.save()  # PB171",
    "not from fixtures": "if raw:\n    return\ninstance.save()  # PB171",
    "a field that stays": "if instance.state == 'new':\n    instance.note = 'a'\n    instance.save()  # PB171",
    "fields that stay": "if instance.state and not instance.note:\n    instance.save()  # PB171",
}
SIGNATURE = "def changed(sender, instance, created, raw=False, **kwargs):\n"


def program(body: str, decorator: str = "@receiver(post_save, sender=Order)\n", behind: str = "") -> str:
    return f"{HEADER}\n\n{decorator}{SIGNATURE}{textwrap.indent(body, '    ')}\n{behind}"


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    body = SILENT[why]
    findings(
        "PB171",
        program(body or "instance.save()", "" if body is None else "@receiver(post_save)\n"),
        files=FILES,
    )
    findings("PB171", program(body or "instance.save()", *([""] if body is None else [])), files=FILES)


@pytest.mark.parametrize(
    "decorator",
    [
        "@receiver(pre_save, sender=Order)\n",
        "@receiver(post_delete, sender=Order)\n",
        "@muted\n@receiver(post_save, sender=Order)\n",
        "@receiver(post_save, sender=Order)\n@muted\n",
    ],
)
def test_silent_with(decorator: str) -> None:
    findings("PB171", program("instance.save()", decorator), files=FILES)


@pytest.mark.parametrize("sender", ["Own", "'shop.Order'", "unknown"])
def test_a_field_of_a_model_that_may_change_it(sender: str) -> None:
    body = "if instance.state:\n    instance.save()"
    findings("PB171", program(body, f"@receiver(post_save, sender={sender})\n"), files=FILES)


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    assert findings("PB171", program(FOUND[why]), files=FILES)


def test_found_however_it_is_connected() -> None:
    body = "instance.save()  # PB171"
    assert findings("PB171", program(body, "", "\npost_save.connect(changed, sender=Order)\n"), files=FILES)
    assert findings("PB171", program(body, "@receiver([pre_save, post_save])\n"), files=FILES)
    taken = f"{HEADER}\n@receiver(post_save)\ndef changed(sender, **kwargs):\n    row = kwargs['instance']\n    row.save()  # PB171\n"
    assert findings("PB171", taken, files=FILES)


def test_django_calls_the_receiver_without_end() -> None:
    text = """
        from shop.models import Order
        row = Order.objects.create()
        try:
            row.save()
            print("saved")
        except RecursionError as error:
            print(type(error).__name__)
    """
    assert printed("PB171", "Bad", text) == ["RecursionError"]
    assert printed("PB171", "Good", text) == ["saved"]
