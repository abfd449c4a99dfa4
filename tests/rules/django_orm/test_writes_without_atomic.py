from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.shop import run
from tests.rules.harness import findings, fix

RULE = "writes-without-atomic"

FILES = {
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.conf import settings
        from django.db import models

        class Order(models.Model):
            customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)

        class Line(models.Model):
            order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
            product = models.IntegerField()

        class Invoice(models.Model):
            order = models.OneToOneField(Order, models.CASCADE)
            number = models.IntegerField(default=0)

        class Tag(models.Model):
            name = models.CharField(max_length=20)
    """,
    "shop/forms.py": """
        from django import forms

        from shop.models import Invoice, Order

        class OrderForm(forms.ModelForm):
            class Meta:
                model = Order
                fields = ["customer"]

        class InvoiceForm(forms.ModelForm):
            class Meta:
                model = Invoice
                fields = ["number"]
    """,
    "shop/making.py": """
        from django.db import transaction

        from shop.models import Order

        def make_order(user):
            return Order.objects.create(customer=user)

        def save_order(user):
            order = Order(customer=user)
            order.save()
            return order

        def make_and_keep(user):
            order = Order.objects.create(customer=user)
            order.lines.all()
            return order

        def find_order(user):
            order = Order.objects.filter(customer=user).first()
            return order or Order.objects.create(customer=user)

        def find_or_make(user):
            if user.pk:
                return Order.objects.get(customer=user)
            return Order.objects.create(customer=user)

        def new_order(user):
            order = Order(customer=user)
            Order.objects.create(customer=user)
            return order

        class Orders:
            def make(self, user):
                return make_order(user), Order.objects.create(customer=user)

            def place(self, user):
                return Order.objects.create(customer=user)
    """,
    "shop/serializers.py": """
        from rest_framework import serializers

        from shop.models import Invoice, Order

        class OrderSerializer(serializers.ModelSerializer):
            class Meta:
                model = Order
                fields = ["customer"]

        class InvoiceSerializer(serializers.ModelSerializer):
            class Meta:
                model = Invoice
                fields = ["number"]
    """,
    "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n',
}
HEAD = "from django.db import models, transaction\n\nfrom shop.models import Invoice, Line, Order, Tag\n"

FOUND = {
    "view": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            for product in request.session["cart"]:
                Line.objects.create(order=order, product=product)  # PB123
    """,
    "row that is saved, and its relation": """
        from django.views import View

        class Place(View):
            def post(self, request):
                order = Order(customer=request.user)
                order.save()
                order.lines.create(product_id=1)  # PB123
                order.save()
    """,
    "rows that are made and saved": """
        def bill(request):
            order = Order.objects.create(customer=request.user)
            invoice = Invoice(order=order)
            invoice.number = 3
            invoice.save()  # PB123

        def place(request):
            order = Order.objects.create(customer=request.user)
            for product in request.session["cart"]:
                Line(order=order, product=product).save()  # PB123

        def forget(request):
            order = Order.objects.create(customer=request.user)
            invoice = Invoice(order=order)
            return invoice.number
    """,
    "rows that are made with it": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            Line.objects.bulk_create([Line(order=order, product=p) for p in request.session["cart"]])  # PB123
    """,
    "serializer": """
        from rest_framework import serializers

        class OrderSerializer(serializers.ModelSerializer):
            def create(self, validated_data):
                lines = validated_data.pop("lines")
                order = Order.objects.create(**validated_data)
                for line in lines:
                    Line.objects.create(order_id=order.pk, **line)  # PB123
                return order
    """,
    "task": """
        from celery import shared_task

        @shared_task
        def bill(order_id):
            order, created = Order.objects.get_or_create(pk=order_id)
            if created:
                Invoice.objects.create(order=order)  # PB123
    """,
    "helper that views call": """
        def place(request):
            return make(request.user)

        def make(user):
            order = Order.objects.create(customer=user)
            Invoice.objects.create(order=order)  # PB123
            return order
    """,
    "helper that a view and a command call": """
        from django.core.management.base import BaseCommand

        class Command(BaseCommand):
            def handle(self, **options):
                make(None)

        def place(request):
            return make(request.user)

        def make(user):
            order = Order.objects.create(customer=user)
            Invoice.objects.create(order=order)  # PB123
    """,
    "helper that writes": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            bill(order)  # PB123

        def bill(order):
            number(order, 1)

        def number(order, value):
            Invoice.objects.create(order=order, number=value)
    """,
    "coroutine": """
        async def place(request):
            order = await Order.objects.acreate(customer=request.user)
            await Invoice.objects.acreate(order=order)  # PB123
    """,
    "forms": """
        from shop.forms import InvoiceForm, OrderForm

        def place(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                order = form.save()
                Line.objects.create(order=order, product=1)  # PB123

        def place_and_bill(request):
            form, bill = OrderForm(request.POST), None
            order_form = OrderForm(request.POST)
            invoice_form = InvoiceForm(request.POST)
            order = order_form.save()
            invoice = invoice_form.save(commit=False)
            invoice.order = order
            invoice.save()  # PB123

        def place_for(request):
            form = OrderForm(request.POST)
            order = form.save(commit=False)
            order.customer = request.user
            order.save()
            Invoice.objects.create(order=order)  # PB123
    """,
    "form of a view": """
        from django.views.generic import CreateView
        from shop.forms import InvoiceForm, OrderForm

        class Place(CreateView):
            form_class = OrderForm

            def form_valid(self, form):
                order = form.save()
                Invoice.objects.create(order=order)  # PB123
                return super().form_valid(form)
    """,
    "serializers": """
        from rest_framework import generics
        from shop.serializers import InvoiceSerializer, OrderSerializer

        class Place(generics.CreateAPIView):
            serializer_class = OrderSerializer

            def perform_create(self, serializer):
                order = serializer.save()
                Invoice.objects.create(order=order)  # PB123

        class PlaceAndBill(generics.CreateAPIView):
            serializer_class = OrderSerializer

            def create(self, request):
                serializer = self.get_serializer(data=request.data)
                serializer.is_valid(raise_exception=True)
                order = serializer.save(customer=request.user)
                invoice = InvoiceSerializer(data=request.data)
                invoice.is_valid(raise_exception=True)
                invoice.save(order=order)  # PB123
    """,
    "row that a function makes": """
        from shop.making import Orders, make_and_keep, make_order, save_order

        def place(request):
            order = make_order(request.user)
            Invoice.objects.create(order=order)  # PB123

        def place_again(request):
            order = save_order(request.user)
            invoice = Invoice(order=order)
            invoice.save()  # PB123

        def keep(request):
            order = make_and_keep(request.user)
            Invoice.objects.create(order=order)  # PB123

        def place_by_method(request):
            order = Orders().place(request.user)
            Invoice.objects.create(order=order)  # PB123
    """,
    "row that is given its owner": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            invoice = Invoice()
            invoice.order_id = order.pk
            invoice.save()  # PB123
    """,
}

SILENT = {
    "forms and serializers of rows that are there": """
        from shop.forms import InvoiceForm, OrderForm
        from rest_framework import generics
        from shop.serializers import InvoiceSerializer, OrderSerializer

        def edit(request, order):
            form = OrderForm(request.POST, instance=order)
            saved = form.save()
            Invoice.objects.create(order=saved)

        def edit_in_one_case(request, order):
            if order is None:
                form = OrderForm(request.POST)
            else:
                form = OrderForm(request.POST, instance=order)
            saved = form.save()
            Invoice.objects.create(order=saved)

        class Edit(generics.UpdateAPIView):
            serializer_class = OrderSerializer

            def perform_update(self, serializer):
                order = serializer.save()
                Invoice.objects.create(order=order)

            def put(self, request, order):
                serializer = OrderSerializer(order, data=request.data)
                saved = serializer.save()
                Invoice.objects.create(order=saved)
    """,
    "forms in a transaction, and rows that are not saved": """
        from shop.forms import InvoiceForm, OrderForm

        def place(request):
            form = OrderForm(request.POST)
            with transaction.atomic():
                order = form.save()
                Invoice.objects.create(order=order)

        def show(request):
            form = OrderForm(request.POST)
            order = form.save(commit=False)
            return Invoice(order=order)

        def link(request, invoice):
            form = OrderForm(request.POST)
            order = form.save()
            invoice.order = order
            invoice.save()
    """,
    "rows of functions, in a transaction or perhaps found": """
        from shop.making import Orders, find_or_make, find_order, make_order, new_order

        @transaction.atomic
        def place(request):
            order = make_order(request.user)
            Invoice.objects.create(order=order)

        def found(request):
            order = find_order(request.user)
            Invoice.objects.create(order=order)

        def maybe_found(request):
            order = find_or_make(request.user)
            Invoice.objects.create(order=order)

        def not_saved(request):
            order = new_order(request.user)
            Invoice.objects.create(order=order)

        def pair(request):
            orders = Orders().make(request.user)
            Invoice.objects.create(order=orders)

        def unrelated(request):
            order = make_order(request.user)
            Tag.objects.create(name="new")
            return order
    """,
    "context manager of the project": """
        from contextlib import contextmanager

        @contextmanager
        def preview():
            with transaction.atomic():
                yield
                transaction.set_rollback(True)

        def show(request):
            with preview():
                order = Order.objects.create(customer=request.user)
                Line.objects.create(order=order, product=1)
    """,
    "in a transaction": """
        @transaction.atomic
        def place(request):
            order = Order.objects.create(customer=request.user)
            Invoice.objects.create(order=order)

        def again(request):
            with transaction.atomic():
                order = Order.objects.create(customer=request.user)
                Invoice.objects.create(order=order)
    """,
    "decorated class": """
        from django.utils.decorators import method_decorator
        from django.views import View

        @method_decorator(transaction.atomic, name="dispatch")
        class Place(View):
            def post(self, request):
                order = Order.objects.create(customer=request.user)
                Invoice.objects.create(order=order)
    """,
    "decorated base class": """
        from django.views import View

        class Atomic(View):
            @transaction.atomic
            def dispatch(self, request, *args):
                return super().dispatch(request, *args)

        class Place(Atomic):
            def post(self, request):
                order = Order.objects.create(customer=request.user)
                Invoice.objects.create(order=order)
    """,
    "one caller has opened a transaction": """
        def place(request):
            return make(request.user)

        def place_all(request):
            with transaction.atomic():
                make(request.user)

        def make(user):
            order = Order.objects.create(customer=user)
            Invoice.objects.create(order=order)
    """,
    "method of a view that another calls in a transaction": """
        from django.views import View

        class Place(View):
            def post(self, request):
                with transaction.atomic():
                    return self.place(request)

            def place(self, request):
                return self.make(request.user)

            def make(self, user):
                order = Order.objects.create(customer=user)
                Invoice.objects.create(order=order)
    """,
    "nobody known calls it": """
        def make(user):
            order = Order.objects.create(customer=user)
            Invoice.objects.create(order=order)
    """,
    "unrelated, or a row of the same model": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            Tag.objects.create(name="new")
            Order.objects.create(customer=order.customer)
    """,
    "allowed to fail": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            try:
                Invoice.objects.create(order=order)
            except ValueError:
                order.delete()
    """,
    "found again when the rest failed": """
        def place(request):
            order, _ = Order.objects.get_or_create(customer=request.user)
            if not Invoice.objects.filter(order=order).exists():
                Invoice.objects.create(order=order)
    """,
    "row that only tells of the first": """
        class OrderLog(models.Model):
            order = models.ForeignKey(Order, models.CASCADE)

        def place(request):
            order = Order.objects.create(customer=request.user)
            OrderLog.objects.create(order=order)
    """,
    "management command": """
        from django.core.management.base import BaseCommand

        class Command(BaseCommand):
            def handle(self, **options):
                order = Order.objects.create(customer_id=1)
                Invoice.objects.create(order=order)
    """,
    "helper of a management command": """
        from django.core.management.base import BaseCommand

        class Command(BaseCommand):
            def handle(self, **options):
                make()

        def make():
            order = Order.objects.create(customer_id=1)
            Invoice.objects.create(order=order)
    """,
    "method of the admin": """
        from django.contrib import admin

        class OrderAdmin(admin.ModelAdmin):
            def save_model(self, request, obj, form, change):
                order = Order.objects.create(customer=request.user)
                Invoice.objects.create(order=order)
    """,
    "name that holds another row": """
        def place(request):
            order = Order.objects.create(customer=request.user)
            print(order)
            order = Order.objects.get(pk=1)
            Invoice.objects.create(order=order)
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


def test_requests_may_be_atomic() -> None:
    settings = {"config/production.py": "DATABASES = {'default': {'ATOMIC_REQUESTS': True}}\n"}
    code = FOUND["view"].replace("  # PB123", "")
    assert findings(RULE, text(code), files={**FILES, **settings}) == []
    findings(RULE, text(FOUND["task"]), files={**FILES, **settings})


def test_a_view_may_save_a_serializer_in_a_transaction() -> None:
    inherited = "\n\nclass Placed(OrderSerializer):\n    pass\n"
    views = """
        from django.db import transaction
        from rest_framework.views import APIView

        from shop.serializers import {name}

        class Place(APIView):
            def post(self, request):
                {block}
                    {name}(data=request.data).save()

        @transaction.atomic
        def other(request):
            pass
        """
    for name, block, is_found in (
        ("OrderSerializer", "with transaction.atomic():", False),
        ("Placed", "with transaction.atomic():", False),
        ("Placed", "if request:", True),
    ):
        used = views.format(name=name, block=block)
        code = text(FOUND["serializer"]) + inherited
        code = code if is_found else code.replace("  # PB123", "")
        findings(RULE, code, files={**FILES, "shop/views.py": used}, path="shop/serializers.py")


def test_the_chain_is_told() -> None:
    (finding,) = findings(RULE, text(FOUND["helper that writes"]), files=FILES)
    assert finding.message == (
        "Wrap these writes in `transaction.atomic()`: when `bill()` fails, the `Order` stays without it"
    )
    assert [place.message for place in finding.related] == [
        "the row is committed here",
        "calls `number`",
        "calls `django.db.models.QuerySet.create`",
    ]


def test_fix() -> None:
    files = {
        "shop/models.py": "from django.db import models\n\n\nclass Order(models.Model):\n    pass\n\n\n"
        "class Bill(models.Model):\n    order = models.ForeignKey(Order, models.CASCADE)\n",
        "pyproject.toml": '[project]\ndependencies = ["django>=5.2"]\n',
    }
    head = "from django.db import transaction\nfrom celery import shared_task\nfrom shop.models import Bill, Order\n"
    body = "    order = {}Order.objects.{}create()\n    {}Bill.objects.{}create(order=order)\n"
    before = f"{head}\n\n@shared_task\ndef f():\n{body.format(*[''] * 4)}"
    after = fix(RULE, before, files=files)
    assert after == before.replace("def f", "@transaction.atomic\ndef f")
    coroutine = f"{head}\n\nasync def f(request):\n{body.format('await ', 'a', 'await ', 'a')}"
    assert fix(RULE, coroutine, files=files) == coroutine


def test_the_first_row_stays_until_a_transaction_holds_both() -> None:
    printed = run(
        """
        from django.db import IntegrityError

        user = User.objects.create(username="ada")

        def place():
            order = Order.objects.create(customer=user)
            Line.objects.create(order=order, product_id=None)

        for function in (place, transaction.atomic(place)):
            try:
                function()
            except IntegrityError:
                print(Order.objects.count(), end=" ")
        """
    )
    assert printed.split() == ["1", "1"]  # one left behind by the first, none by the second
