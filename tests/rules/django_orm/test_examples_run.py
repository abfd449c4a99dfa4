"""The documented examples run under Django: the bad one shows the fault, the good one does not."""

from __future__ import annotations

import pytest

from tests.rules.django_orm.documented import printed, queries

PROGRAMS = {
    # rule: a program behind the example, what it prints behind the bad one, and behind the good one
    "PB123": (
        """
        from types import SimpleNamespace
        from django.contrib.auth.models import User
        from shop.models import Order
        user = User.objects.create(username="anna")
        request = SimpleNamespace(user=user, session={"cart": {1: 1, 2: None}})  # NULL is refused
        try:
            example.place(request)
        except Exception as error:
            print(type(error).__name__, Order.objects.count())
        """,
        ["IntegrityError", "1"],
        ["IntegrityError", "0"],
    ),
    "PB124": (
        """
        from shop.models import Coupon, Order
        order = Order.objects.create()
        Coupon.objects.create(code="once", order=order)
        try:
            example.place(order.pk, "once")
            print("placed")
        except Exception as error:
            print(type(error).__name__)
        """,
        ["TransactionManagementError"],
        ["placed"],
    ),
    "PB125": (
        """
        from django.core import mail
        from django.db.models import signals
        from django.test.utils import override_settings
        from shop.models import Order
        override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend").enable()
        mail.outbox = []
        order = Order.objects.create(email="anna@example.com")

        def refuse(**given):
            raise ValueError

        signals.pre_save.connect(refuse, sender=Order)
        try:
            example.pay(order.pk)
        except ValueError:
            print(Order.objects.get().paid, len(mail.outbox))
        signals.pre_save.disconnect(refuse, sender=Order)
        mail.outbox.clear()
        example.pay(order.pk)
        print(Order.objects.get().paid, len(mail.outbox))
        """,
        ["False", "1", "True", "1"],
        ["False", "0", "True", "1"],
    ),
    "PB127": (
        """
        from shop.models import Stock
        # SQLite knows no locks; Django's check runs where the database says that it does.
        connection.features.has_select_for_update = True
        type(connection.ops).for_update_sql = lambda *given, **named: ""
        Stock.objects.create(sku="tea", amount=5)
        try:
            example.Reserve().post(None, "tea")
        except Exception as error:
            print(type(error).__name__)
        print(Stock.objects.get().amount)
        """,
        ["TransactionManagementError", "5"],
        ["4"],
    ),
    "PB224": (
        """
        from django.urls import resolve, reverse
        for name in ("orders", "create-order"):
            match = resolve(reverse(name, "shop.urls"), "shop.urls")
            print(match.func(None).content.decode())
        """,
        ["Orders", "Orders"],
        ["Orders", "Created"],
    ),
    "PB225": (
        """
        from types import SimpleNamespace
        from django.urls import resolve
        request = SimpleNamespace(user=SimpleNamespace(is_authenticated=True))
        match = resolve("/orders/7/", "shop.urls")
        try:
            print(match.func(request, **match.kwargs).content.decode())
        except TypeError as error:
            print(type(error).__name__)
        """,
        ["TypeError"],
        ["Order", "7"],
    ),
    "PB226": (
        """
        from types import ModuleType
        from django.urls import include, path
        from django.urls import NoReverseMatch
        from shop import views
        project = sys.modules["project"] = ModuleType("project")
        project.urlpatterns = [path("", include("shop.urls"))]
        settings.ROOT_URLCONF = "project"
        try:
            print(views.save_order(None).url)
        except NoReverseMatch as error:
            print(type(error).__name__)
        """,
        ["NoReverseMatch"],
        ["/orders/"],
    ),
    "PB137": (
        """
        from asgiref.sync import async_to_sync
        from shop.models import Order
        order = Order.objects.create()
        async_to_sync(example.pay)(None, order.pk)
        print(Order.objects.get().paid)
        """,
        ["False"],
        ["True"],
    ),
}


@pytest.mark.parametrize(
    ("rule", "call"),
    [("PB100", "example.overview()"), ("PB101", "list(example.catalogue())")],
    ids=["PB100", "PB101"],
)
def test_one_query_per_row(rule: str, call: str) -> None:
    few, many = queries(rule, "Bad", 0, call)
    assert many > few
    few, many = queries(rule, "Good", 0, call)
    assert many == few


@pytest.mark.parametrize("rule", PROGRAMS)
def test_what_happens(rule: str) -> None:
    program, bad, good = PROGRAMS[rule]
    number = 1 if rule == "PB125" else 0  # whose first example needs a broker
    assert printed(rule, "Bad", program, number) == bad
    assert printed(rule, "Good", program, number) == good
