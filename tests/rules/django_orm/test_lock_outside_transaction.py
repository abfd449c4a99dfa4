from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.shop import run
from tests.rules.harness import findings

RULE = "lock-outside-transaction"

FILES = {
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models

        class Stock(models.Model):
            sku = models.CharField(max_length=20)
            amount = models.IntegerField()
    """,
    "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n',
}
HEAD = "from django.db import transaction\nfrom django.views import View\n\nfrom shop.models import Stock\n"

FOUND = {
    "methods that read": """
        class Reserve(View):
            def post(self, request, sku):
                Stock.objects.select_for_update().get(sku=sku)  # PB127
                Stock.objects.filter(sku=sku).select_for_update(nowait=True).order_by("pk").first()  # PB127
                list(Stock.objects.select_for_update().filter(amount=1))  # PB127
                for stock in Stock.objects.select_for_update():  # PB127
                    print(stock)
                return [s.pk for s in Stock.objects.select_for_update().all()[:3]]  # PB127
    """,
    "views, tasks and commands": """
        from celery import shared_task
        from django.core.management.base import BaseCommand
        from django.shortcuts import get_object_or_404
        from rest_framework.views import APIView

        def reserve(request, sku):
            return get_object_or_404(Stock.objects.select_for_update(), sku=sku)  # PB127

        class Api(APIView):
            def post(self, request, sku):
                return Stock.objects.select_for_update().filter(sku=sku)[0]  # PB127

        class Command(BaseCommand):
            def handle(self, **options):
                Stock.objects.select_for_update().first()  # PB127
                with transaction.atomic():
                    Stock.objects.select_for_update().first()

        @shared_task
        def refill():
            Stock.objects.select_for_update().first()  # PB127
    """,
    "helpers that are reached without one": """
        from celery import shared_task
        from django.core.management.base import BaseCommand

        def reserve(request, sku):
            return lock(sku)

        def lock(sku):
            return Stock.objects.select_for_update().get(sku=sku)  # PB127

        @transaction.atomic
        def safely(request, sku):
            return lock(sku)

        @shared_task
        def refill():
            fill()

        def fill():
            return fill_all(3)

        def fill_all(amount):
            return Stock.objects.select_for_update().get_or_create(sku="a")  # PB127

        class Shelf:
            def lock(self, sku):
                return Stock.objects.select_for_update().get(sku=sku)  # PB127

        class Command(BaseCommand):
            def handle(self, **options):
                Shelf().lock("a")
    """,
    "another block": """
        def reserve(request):
            with open("a"):
                Stock.objects.select_for_update().first()  # PB127
    """,
}

SILENT = {
    "in a transaction": """
        from django.utils.decorators import method_decorator

        @transaction.atomic
        def reserve(request):
            Stock.objects.select_for_update().first()

        class Reserve(View):
            @method_decorator(transaction.atomic)
            def post(self, request):
                Stock.objects.select_for_update().first()

            def put(self, request):
                with transaction.atomic():
                    Stock.objects.select_for_update().first()
    """,
    "by hand": """
        from contextlib import ExitStack

        def reserve(request):
            transaction.set_autocommit(False)
            Stock.objects.select_for_update().first()

        def other(request):
            with ExitStack() as stack:
                stack.enter_context(transaction.atomic())
                Stock.objects.select_for_update().first()
    """,
    "decorator of the project that may open one": """
        def atomic_view(function):
            return transaction.atomic(function)

        class Reserve(View):
            @atomic_view
            def post(self, request):
                Stock.objects.select_for_update().first()
    """,
    "only built": """
        class Reserve(View):
            def get_queryset(self):
                return Stock.objects.select_for_update().filter(amount__gt=0)

            def post(self, request):
                rows = Stock.objects.select_for_update()
                return rows
    """,
    "helpers": """
        class Shelf:
            def lock(self, sku):
                return Stock.objects.select_for_update().get(sku=sku)

        def lock(sku):
            return Stock.objects.select_for_update().get(sku=sku)
    """,
    "helpers that are reached in one": """
        from contextlib import contextmanager
        from celery import shared_task

        @contextmanager
        def locked():
            with transaction.atomic():
                yield

        def reserve(request, sku):
            with transaction.atomic():
                return lock(sku)

        @shared_task
        def refill():
            with locked():
                lock("a")

        @shared_task
        @transaction.atomic
        def again():
            lock("a")

        def lock(sku):
            return Stock.objects.select_for_update().get(sku=sku)

        def unknown():
            return other()

        def other():
            return Stock.objects.select_for_update().first()

        def late(request):
            return map(lambda sku: inner(sku), [1])

        def inner(sku):
            return Stock.objects.select_for_update().first()
    """,
    "when the caller asks for it": """
        def reserve(request, sku):
            found(sku)
            found_early(sku)
            return indirectly(sku)

        def found(sku, lock=False):
            if lock:
                return Stock.objects.select_for_update().get(sku=sku)

        def found_early(sku, lock=False):
            if not lock:
                return Stock.objects.get(sku=sku)
            return Stock.objects.select_for_update().get(sku=sku)

        def indirectly(sku, lock=False):
            return lock and locked(sku)

        def locked(sku):
            return Stock.objects.select_for_update().get(sku=sku)
    """,
    "called in a transaction": """
        class Reserve(View):
            def post(self, request, sku):
                with transaction.atomic():
                    return self.lock(sku)

            def lock(self, sku):
                return Stock.objects.select_for_update().get(sku=sku)
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


def test_requests_may_be_atomic_and_tasks_are_not() -> None:
    settings = {"config/settings.py": "DATABASES = {'default': {'ATOMIC_REQUESTS': True}}\n"}
    source = """
        from celery import shared_task

        def reserve(request):
            Stock.objects.select_for_update().first()

        @shared_task
        def refill():
            Stock.objects.select_for_update().first()  # PB127
    """
    findings(RULE, text(source), files={**FILES, **settings})
    settings = {"config/settings.py": "DATABASES = {'default': {'ATOMIC_REQUESTS': False}}\n"}
    findings(RULE, text(source.replace("first()\n", "first()  # PB127\n", 1)), files={**FILES, **settings})


def test_django_refuses_to_read_locked_rows_without_a_transaction() -> None:
    printed = run(
        """
        # SQLite knows no locks; Django's check runs where the database says that it does.
        connection.features.has_select_for_update = True
        rows = Order.objects.select_for_update()
        for read in (rows.first, lambda: list(rows), lambda: rows.filter(paid=True)):
            try:
                read()
                print("fine", end=" ")
            except transaction.TransactionManagementError:
                print("refused", end=" ")
        """
    )
    assert printed.split() == ["refused", "refused", "fine"]
