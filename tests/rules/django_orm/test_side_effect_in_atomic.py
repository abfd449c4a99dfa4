from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.shop import run
from tests.rules.harness import findings, fix

RULE = "side-effect-in-atomic"

FILES = {
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models

        class Order(models.Model):
            paid = models.BooleanField(default=False)
    """,
    "shop/tasks.py": """
        from celery import Celery, shared_task
        from shop.models import Order

        app = Celery("shop")

        @shared_task
        def charge(order_id):
            print(order_id)

        @app.task(bind=True)
        def ship(self, order_id):
            print(order_id)

        @shared_task(base=AfterCommit)
        def careful(order_id):
            print(order_id)

        def deferred(order_id):
            print(order_id)
    """,
    "shop/mails.py": """
        from django.core.mail import EmailMessage, send_mail
        from django.db import transaction

        class Mails:
            def confirm(self, address):
                self.send(address)

            def send(self, address):
                EmailMessage("Order", "", None, [address]).send()

        def later(address):
            transaction.on_commit(lambda: send_mail("Order", "", None, [address]))
    """,
    "shop/queues.py": """
        from functools import partial

        from django.db import transaction

        from shop.tasks import careful, charge

        def start(order):
            charge.delay(order.pk)

        def start_all(orders, *, note=""):
            for order in orders:
                start(order=order)

        def start_by_key(order_id):
            charge.apply_async(args=[order_id])

        def start_if(order, wanted):
            if wanted:
                charge.delay(order.pk)

        def start_later(order):
            transaction.on_commit(lambda: charge.delay(order.pk))
            transaction.on_commit(partial(charge.delay, order.pk))
            careful.delay(order.pk)

        def start_another(order):
            charge.delay(7)

        def start_after_error(order):
            try:
                order.check()
            except ValueError:
                charge.delay(order.pk)

        class Queue:
            def put(self, order):
                start(order)
    """,
    "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n',
}
HEAD = """\
import requests
from django.core.mail import EmailMultiAlternatives, send_mail
from django.db import transaction

from shop.mails import Mails, later
from shop.models import Order
from shop.queues import (
    Queue, start, start_after_error, start_all, start_another, start_by_key, start_if, start_later
)
from shop.tasks import careful, charge, deferred, ship
"""

FOUND = {
    "tasks behind functions": """
        def place(request):
            with transaction.atomic():
                order = Order.objects.create()
                start(order)  # PB125
                start_all([order], note="new")  # PB125
                start_by_key(order.pk)  # PB125
                Queue().put(order)  # PB125
                start_if(order, request)
                start_later(order)
                start_another(order)
                start_after_error(order)
                start(request.user)
            start(order)

        @transaction.atomic
        def pay(order: Order):
            order.paid = True
            order.save()
            start(order)  # PB125
    """,
    "signatures": """
        @transaction.atomic
        def place(request):
            order = Order.objects.create()
            charge.s(order.pk).delay()  # PB125
            charge.si(order_id=order.pk).apply_async(countdown=5)  # PB125
            charge.s(request.user.pk).delay()
            order.save()
    """,
    "receivers of new rows": """
        from django.db.models.signals import post_save
        from django.dispatch import receiver

        @receiver(post_save, sender=Order)
        def created_order(sender, instance, created, **kwargs):
            if created:
                charge.delay(instance.pk)  # PB125
            else:
                ship.delay(instance.pk)  # the row is there already

        @receiver(post_save, sender=Order)
        def created_only(sender, instance, created, raw=False, **kwargs):
            if not created or raw:
                return
            charge.delay(instance.pk)  # PB125
            charge.delay(sender.key)
            transaction.on_commit(lambda: charge.delay(instance.pk))

        def connected(sender, instance, **kwargs):
            if kwargs["created"] and instance.paid:
                charge.apply_async(args=[instance.pk])  # PB125

        post_save.connect(connected, sender=Order)

        def plain(sender, instance, created):
            if created:
                charge.delay(instance.pk)
    """,
    "tasks": """
        @transaction.atomic
        def place(request):
            order = Order.objects.create()
            charge.delay(order.pk)  # PB125
            charge.delay(order_id=str(order.id))  # PB125
            ship.apply_async(args=[order.pk], countdown=5)  # PB125
            ship.apply_async((), {"order_id": order.pk})  # PB125
    """,
    "row that is saved": """
        def pay(order: Order):
            with transaction.atomic():
                order.paid = True
                if order.paid:
                    charge.delay(order.pk)  # PB125
                order.save()

        def first(self):
            with transaction.atomic():
                order, created = Order.objects.get_or_create(pk=1)
                if created:
                    charge.delay(order.pk)  # PB125
    """,
    "in a function that is called in a transaction": """
        def place():
            with transaction.atomic():
                make()

        def place_all():
            make_all()

        @transaction.atomic
        def again():
            place_all()

        def make():
            order = Order.objects.create()
            charge.delay(order.pk)  # PB125

        def make_all():
            order = Order(paid=True)
            order.save()
            ship.apply_async(args=[order.pk])  # PB125
    """,
    "row of a form": """
        @transaction.atomic
        def place(form, user):
            order = form.save()
            user.save()
            charge.delay(order.order_id)  # PB125
            charge.delay(user.pk)  # PB125
    """,
    "mails": """
        def pay(order, mails: Mails):
            with transaction.atomic():
                order = Order.objects.get(pk=1)
                order.save()
                send_mail("Paid", "", None, [])  # PB125
                message = EmailMultiAlternatives("Paid")
                message.send()  # PB125
                mails.confirm("a@shop.example")  # PB125
                order.save()

        @transaction.atomic
        def remind(orders):
            for order in Order.objects.all():
                order.save()
                send_mail("Paid?", "", None, [])  # PB125

        @transaction.atomic
        def refuse(request):
            order = Order.objects.create()
            send_mail("Refused", "", None, [])  # PB125
            if order.paid:
                raise ValueError("paid")
    """,
    "requests": """
        @transaction.atomic
        def pay(pk):
            Order.objects.filter(pk=pk).update(paid=True)
            requests.post("https://hooks.example")  # PB125
    """,
}

SILENT = {
    "after the commit": """
        from functools import partial

        @transaction.atomic
        def place(request):
            order = Order.objects.create()
            transaction.on_commit(lambda: charge.delay(order.pk))
            transaction.on_commit(partial(send_mail, "Order", "", None, []))
            charge.delay_on_commit(order.pk)
            later("a@shop.example")

        def pay(order):
            with transaction.atomic():
                order.save()
            charge.delay(order.pk)
            send_mail("Paid", "", None, [])
    """,
    "rows that were there before": """
        @transaction.atomic
        def place(request):
            order = Order.objects.create()
            old = Order.objects.get(pk=1)
            charge.delay(old.pk)
            charge.delay(request.user.pk, order.paid)
    """,
    "nothing is written": """
        @transaction.atomic
        def report(request):
            order = Order.objects.select_for_update().first()
            send_mail("Report", "", None, [])
    """,
    "mail in the end": """
        @transaction.atomic
        def place(request, mails: Mails):
            order = Order.objects.create()
            if order.paid:
                mails.confirm("a@shop.example")
            else:
                send_mail("Paid?", "", None, [])
    """,
    "answers that decide": """
        @transaction.atomic
        def pay(pk):
            Order.objects.filter(pk=pk).update(paid=True)
            response = requests.post("https://pay.example")
            response.raise_for_status()
            requests.get("https://shop.example")
    """,
    "tasks that may wait themselves, and other functions": """
        @transaction.atomic
        def place(request, queue):
            order = Order.objects.create()
            careful.delay(order.pk)
            queue.delay(order.pk)
            deferred(order.pk)
    """,
    "mail about the failure": """
        @transaction.atomic
        def place(request):
            order = Order.objects.create()
            try:
                order.save()
            except ValueError:
                send_mail("Failed", "", None, [])
                raise
    """,
    "a row that was there before, in a function that is called in a transaction": """
        def pay():
            with transaction.atomic():
                paid(Order.objects.get())

        def paid(order):
            order.paid = True
            order.save()
            charge.delay(order.pk)
    """,
    "functions that are called without one, or after it": """
        def place():
            with transaction.atomic():
                Order.objects.update(paid=True)
            make()

        def later():
            with transaction.atomic():
                transaction.on_commit(lambda: make())

        def handed():
            with transaction.atomic():
                transaction.on_commit(make)

        def make():
            order = Order.objects.create()
            charge.delay(order.pk)

        def waits():
            with transaction.atomic():
                make_late()

        def make_late():
            order = Order.objects.create()
            transaction.on_commit(lambda: charge.delay(order.pk))
    """,
    "no transaction": """
        def place(request):
            order = Order.objects.create()
            charge.delay(order.pk)
            send_mail("Paid", "", None, [])
    """,
}


def text(code: str) -> str:
    return HEAD + textwrap.dedent(code)


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND.keys())
def test_found(code: str) -> None:
    findings(RULE, text(code), files=FILES)


@pytest.mark.parametrize("code", SILENT.values(), ids=SILENT.keys())
def test_silent(code: str) -> None:
    assert findings(RULE, text(code), files=FILES) == []


def test_projects_whose_tasks_wait_for_the_commit() -> None:
    files = {**FILES, "shop/celery.py": "app = Celery('shop', task_cls='shop.celery:AfterCommit')\n"}
    code = text(FOUND["tasks"]).replace("  # PB125", "")
    assert findings(RULE, code, files=files) == []


FIXED = {
    "arguments": (
        "charge.delay(order.pk, 1)",
        "transaction.on_commit(partial(charge.delay, order.pk, 1))",
    ),
    "none": ("EmailMultiAlternatives().send()", "transaction.on_commit(EmailMultiAlternatives().send)"),
    "result that is used": ("task = charge.delay(order.pk)", None),
}


@pytest.mark.parametrize(("line", "expected"), FIXED.values(), ids=FIXED.keys())
def test_fix(line: str, expected: str | None) -> None:
    body = "from functools import partial\n\n\n@transaction.atomic\ndef f():\n    order = Order.objects.create()\n"
    end = "    order.save()\n"
    fixed = fix(RULE, f"{HEAD}{body}    {line}\n{end}", files=FILES)
    assert fixed == f"{HEAD}{body}    {expected or line}\n{end}"


def test_mail_leaves_before_the_rollback() -> None:
    printed = run(
        """
        from functools import partial
        from django.core import mail
        from django.core.mail import send_mail

        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        mail.outbox = []
        user = User.objects.create(username="ada")
        send = partial(send_mail, "Order", "", "shop@example.com", ["ada@example.com"])

        def place(notify):
            with transaction.atomic():
                Order.objects.create(customer=user)
                notify()
                raise ValueError("no stock")

        for notify in (send, lambda: transaction.on_commit(send)):
            mail.outbox.clear()
            try:
                place(notify)
            except ValueError:
                print(Order.objects.count(), len(mail.outbox), end=" ")
        """
    )
    assert printed.split() == ["0", "1", "0", "0"]


def test_a_task_that_is_queued_in_the_transaction_does_not_find_its_row() -> None:
    printed = run(
        """
        import tempfile, threading
        from django.db import connections

        folder = tempfile.mkdtemp()
        connections.databases["file"] = {**connections.databases["default"], "NAME": folder + "/shop.db"}
        with connections["file"].schema_editor() as editor:
            editor.create_model(Tag)

        def in_a_worker(pk):
            def work():
                print(Tag.objects.using("file").filter(pk=pk).exists(), end=" ")
                connections["file"].close()
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

        with transaction.atomic("file"):
            in_a_worker(Tag.objects.using("file").create(name="early").pk)
        with transaction.atomic("file"):
            pk = Tag.objects.using("file").create(name="late").pk
            transaction.on_commit(lambda: in_a_worker(pk), using="file")
        """
    )
    assert printed.split() == ["False", "True"]
