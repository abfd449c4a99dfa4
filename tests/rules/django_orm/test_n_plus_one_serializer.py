"""Traps of PB103 over a small API, and the query counts of the documented examples under Django."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_orm.documented import queries
from tests.rules.harness import findings

RULE = "n-plus-one-serializer"
MODELS = """
    from django.contrib.auth.models import User
    from django.contrib.contenttypes.fields import GenericForeignKey
    from django.contrib.contenttypes.models import ContentType
    from django.db import models

    class Named(models.Model):
        name = models.CharField(max_length=10)

        class Meta:
            abstract = True

    class Company(Named):
        country = models.CharField(max_length=2)

    class Customer(Named):
        company = models.ForeignKey(Company, models.CASCADE)

        def __str__(self):
            return f"{self.name} ({self.company.name})"

    class Tag(Named):
        pass

    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
        placed_by = models.ForeignKey(User, models.CASCADE)
        tags = models.ManyToManyField(Tag)
        reference = models.CharField(max_length=10)
        kind = models.ForeignKey(ContentType, models.CASCADE)
        item = GenericForeignKey("kind", "reference")

        @property
        def country(self):
            return self.customer.company.country

        def number_of_lines(self):
            return self.lines.count()

    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
        product = models.ForeignKey(Tag, models.CASCADE)

    class Invoice(models.Model):
        order = models.OneToOneField(Order, models.CASCADE)
    """
SERIALIZERS = """
    from rest_framework import serializers
    from rest_framework.fields import CharField
    from shop.models import Company, Customer, Line, Order

    class Keys(serializers.ModelSerializer):
        class Meta:
            model = Order
            fields = ["id", "customer", "reference", "placed_by"]

    class CompanySerializer(serializers.ModelSerializer):
        class Meta:
            model = Company
            fields = ["name"]

    class CustomerSerializer(serializers.ModelSerializer):
        company = CompanySerializer()

        class Meta:
            model = Customer
            fields = ("name", "company")

    class Nested(Keys):
        customer = CustomerSerializer(read_only=True)

        class Meta(Keys.Meta):
            fields = Keys.Meta.fields + ["tags"]

    class Dotted(serializers.Serializer):
        company = CharField(source="customer.company.name")

    class Method(serializers.ModelSerializer):
        total = serializers.SerializerMethodField()
        by = serializers.SerializerMethodField("get_user")

        class Meta:
            model = Order
            fields = ["total", "by"]

        def get_total(self, order):
            return [line.product.name for line in order.lines.all()]

        def get_user(self, order):
            return order.placed_by.username

    class Members(serializers.ModelSerializer):
        lines = serializers.IntegerField(source="number_of_lines")

        class Meta:
            model = Order
            fields = ["country", "lines"]

    class Counted(serializers.ModelSerializer):
        lines = serializers.ListField(source="number_of_lines")

        class Meta:
            model = Order
            fields = ["lines", "tags"]

    class Text(serializers.ModelSerializer):
        customer = serializers.StringRelatedField()
        placed_by = serializers.SlugRelatedField(slug_field="username", read_only=True)

        class Meta:
            model = Order
            fields = ["customer", "placed_by"]

    class Lines(serializers.ModelSerializer):
        class Meta:
            model = Order
            fields = ["lines", "invoice"]

    class Deep(serializers.ModelSerializer):
        class Meta:
            model = Order
            fields = ["customer"]
            depth = 1

    class Everything(serializers.ModelSerializer):
        class Meta:
            model = Order
            fields = "__all__"

    class AllBut(serializers.ModelSerializer):
        class Meta:
            model = Order
            exclude = ["reference"]

    class WithoutTags(serializers.ModelSerializer):
        class Meta:
            model = Order
            exclude = ("reference", "tags")

    class LineSerializer(serializers.ModelSerializer):
        order_reference = CharField(source="order.reference")

        class Meta:
            model = Line
            fields = ["order_reference"]

    class WithLines(serializers.ModelSerializer):
        lines = LineSerializer(many=True)

        class Meta:
            model = Order
            fields = ["lines"]

    class Hidden(serializers.ModelSerializer):
        customer = CustomerSerializer(write_only=True)

        class Meta:
            model = Order
            fields = ["customer", "tags"]
            extra_kwargs = {"tags": {"write_only": True}}

    class Own(Nested):
        def to_representation(self, order):
            return {"id": order.pk}

    class Represented(Keys):
        def to_representation(self, order):
            shown = super().to_representation(order)
            shown["lines"] = [line.product.name for line in order.lines.all()]
            return shown

    class RepresentedSometimes(Keys):
        def to_representation(self, order):
            shown = super().to_representation(order)
            if self.context.get("names"):
                shown["customer"] = order.customer.name
            return shown

    class Dynamic(Nested):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.fields.pop("customer")

    class Chosen(serializers.ModelSerializer):
        customer = CustomerSerializer()

        class Meta:
            model = Order
            fields = ["customer"]

        def __init__(self, *args, **kwargs):
            fields = kwargs.pop("fields", None)
            super().__init__(*args, **kwargs)
            if fields is not None:
                for name in set(self.fields) - set(fields):
                    self.fields.pop(name)
            if kwargs.get("short"):
                del self.fields["tags"]

    class Unnested(Chosen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            for name in self.Meta.nested:
                self.fields.pop(name)

    class ChosenOutside(serializers.Serializer):
        order = Chosen(fields=["id"], source="*")

    class Loading(Nested):
        @staticmethod
        def setup_eager_loading(queryset):
            return queryset.select_related("customer__company")

    class Decided(serializers.ModelSerializer):
        name = serializers.SerializerMethodField()

        class Meta:
            model = Order
            fields = ["name"]

        def get_name(self, order):
            if self.context.get("names"):
                return order.customer.name
    """

VIEW = """
class View(viewsets.ReadOnlyModelViewSet):
    queryset = {queryset}
    serializer_class = {serializer}
"""
BODY = """
    def get_queryset(self):
        orders = super().get_queryset()
        {}
"""
IMPORTS = """\
from django.db.models import Prefetch
from rest_framework import generics, mixins, viewsets
from rest_framework.generics import RetrieveAPIView
from shop.models import *
from shop.serializers import *
"""


def view(queryset: str, serializer: str) -> str:
    """A module with a view set."""
    return IMPORTS + VIEW.format(queryset=queryset, serializer=serializer)


def found_in(text: str) -> list[str]:
    """The messages of the findings in a module of the shop."""
    files = {"shop/models.py": MODELS, "shop/serializers.py": SERIALIZERS}
    return [finding.message for finding in findings(RULE, text, files=files)]


SILENT = {
    "keys": view("Order.objects.all()", "Keys"),
    "selected": view("Order.objects.select_related('customer__company').prefetch_related('tags')", "Nested"),
    "write only": view("Order.objects.all()", "Hidden"),
    "excluded": view("Order.objects.all()", "WithoutTags"),
    "shows something else": view("Order.objects.all()", "Own"),
    "changes its fields": view("Order.objects.prefetch_related('tags')", "Dynamic"),
    "loads by itself": view("Order.objects.all()", "Loading"),
    "the context decides": view("Order.objects.all()", "Decided"),
    "back to the row": view("Order.objects.prefetch_related('lines')", "WithLines"),
    "a serializer of another model": view("Customer.objects.all()", "Nested"),
    "unknown queryset": view("searched(Order)", "Nested"),
    "one object": IMPORTS + "class View(RetrieveAPIView):\n    queryset = Order.objects.all()\n"
    "    serializer_class = Nested\n",
    "its own list": view("Order.objects.all()", "Nested")
    + "    def list(self, request):\n        return show()\n",
    "a list that sets its queryset": view("Order.objects.all()", "Nested")
    + "    def list(self, request):\n        self.queryset = loaded()\n        return super().list(request)\n",
    "a list that is kept": view("Order.objects.all()", "Nested")
    + "    @method_decorator(cache_page(60))\n    def list(self, request):\n        return super().list(request)\n",
    "chosen at run time": view("Order.objects.all()", "Nested")
    + "    def get_serializer_class(self):\n        return CHOSEN[self.action]\n",
    "not for lists": view("Order.objects.all()", "Nested")
    + textwrap.indent(
        textwrap.dedent(
            """
            def get_serializer_class(self):
                if self.action == "list":
                    return Keys
                return super().get_serializer_class()
            """
        ),
        "    ",
    ),
    "loaded for lists": view("Order.objects.all()", "Dotted")
    + textwrap.indent(
        textwrap.dedent(
            """
            def get_queryset(self):
                orders = super().get_queryset()
                if self.action == "list":
                    return orders.select_related("customer__company")
                return orders
            """
        ),
        "    ",
    ),
    "one branch loads": view("Order.objects.all()", "Dotted")
    + BODY.format(
        "if staff():\n            orders = orders.select_related('customer__company')\n        return orders"
    ),
    "one branch may load anything": view("Order.objects.all()", "Dotted")
    + BODY.format("if staff():\n            orders = loaded(orders)\n        return orders"),
    "one of two answers is loaded": view("Order.objects.all()", "Dotted")
    + BODY.format(
        "if staff():\n            return orders.select_related('customer__company')\n        return orders"
    ),
    "prefetched under the name of a member": view(
        "Order.objects.prefetch_related('tags', Prefetch('lines', to_attr='number_of_lines'))", "Counted"
    ),
    "may be prefetched": view("Order.objects.all()", "Method")
    + BODY.format("return self.request.shop.orders.all()"),
    "the row that all of them lead to": view("Order.objects.all()", "Chosen")
    + BODY.format("return self.request.customer.orders.filter(paid=True)"),
    "an attribute of another name": view("Order.objects.all()", "Method")
    + BODY.format("return self.request.shop.sales.filter(paid=True)"),
    "rows of another model": view("Order.objects.all()", "Method")
    + BODY.format("return self.request.shop.lines.filter(paid=True)"),
    "a filter that loads": view("Order.objects.all()", "Nested")
    + "    filter_backends = [filters.PrefetchFilter]\n",
    "its own list with another serializer": view("Order.objects.all()", "Nested")
    + "    def list(self, request):\n        rows = self.filter_queryset(self.get_queryset())\n"
    "        return Response(Keys(rows, many=True).data)\n",
    "its own list that loads": view("Order.objects.all()", "Nested")
    + "    def list(self, request):\n        rows = self.get_queryset().prefetch_related('tags', 'customer__company')\n"
    "        return Response(self.get_serializer(rows, many=True).data)\n",
    "shows what it is asked for": view("Order.objects.all()", "Chosen")
    + "    def get_serializer(self, *args, **kwargs):\n"
    "        return super().get_serializer(*args, fields=['id'], **kwargs)\n",
    "takes fields away": view("Order.objects.all()", "Unnested"),
    "asked for less by another serializer": view("Order.objects.all()", "ChosenOutside"),
    "asked for less": IMPORTS
    + "def show():\n    return Chosen(Order.objects.all(), many=True, fields=['id']).data\n",
    "mixin of another package": "from eager import AutoPrefetch\n"
    + view("Order.objects.all()", "Nested").replace("View(", "View(AutoPrefetch, "),
    "a representation that the context decides": view("Order.objects.all()", "RepresentedSometimes"),
    "representation of another model": view("Customer.objects.all()", "Represented"),
    "one": IMPORTS + "def show(pk):\n    return Nested(Order.objects.get(pk=pk)).data\n",
    "first row": IMPORTS + "def show():\n    return Nested(Order.objects.all()[:1], many=True).data\n",
    "input": IMPORTS + "def take(data):\n    return Nested(data=data, many=True)\n",
    "parameter": IMPORTS + "def show(orders):\n    return Nested(orders, many=True).data\n",
}
FOUND = {
    "nested": ("Nested", '.select_related("customer__company").prefetch_related("tags")'),
    "dotted source": ("Dotted", '.select_related("customer__company")'),
    "method fields": ("Method", '.select_related("placed_by").prefetch_related("lines__product")'),
    "members of the model": ("Members", '.select_related("customer__company").annotate(Count("lines"))'),
    "text and slug": ("Text", '.select_related("customer__company", "placed_by")'),
    "reverse relations": ("Lines", '.select_related("invoice").prefetch_related("lines")'),
    "depth": ("Deep", '.select_related("customer")'),
    "all fields": ("Everything", '.prefetch_related("tags")'),
    "its own representation": ("Represented", '.prefetch_related("lines__product")'),
    "all fields but some": ("AllBut", '.prefetch_related("tags")'),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT.keys())
def test_silent(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(("serializer", "advice"), FOUND.values(), ids=FOUND.keys())
def test_found(serializer: str, advice: str) -> None:
    text = view("Order.objects.all()  # PB103", serializer)
    assert [message.split("`")[1] for message in found_in(text)] == [advice]


def test_a_serializer_in_the_class_of_a_view() -> None:
    text = """
from rest_framework.views import APIView

class Orders(APIView):
    class OutputSerializer(Nested):
        pass

    class KeySerializer(Keys):
        pass

    def get(self, request):
        shown = self.KeySerializer(Order.objects.all(), many=True).data
        loaded = Order.objects.select_related("customer__company").prefetch_related("tags")
        shown += self.OutputSerializer(loaded, many=True).data
        orders = Order.objects.all()
        return shown + self.OutputSerializer(orders, many=True).data  # PB103
"""
    assert len(found_in(IMPORTS + text)) == 1


@pytest.mark.parametrize(
    "body",
    {
        "list with another documentation": """
            class View(viewsets.ModelViewSet):
                queryset = Order.objects.all()  # PB103
                serializer_class = Dotted

                @extend_schema(summary="Orders")
                def list(self, request, *args, **kwargs):
                    return super().list(request, *args, **kwargs)

                def finalize_response(self, request, response, *args, **kwargs):
                    response["X-Shop"] = "1"
                    return super().finalize_response(request, response, *args, **kwargs)
        """,
        "get_queryset": """
            class View(viewsets.ModelViewSet):
                serializer_class = Dotted

                def get_queryset(self):
                    if getattr(self, "swagger_fake_view", False):
                        return Order.objects.none()
                    orders = Order.objects.filter(placed_by=self.request.user)
                    return orders.order_by("pk")  # PB103
            """,
        "several querysets": """
            class View(viewsets.ModelViewSet):
                serializer_class = Dotted

                def get_queryset(self):
                    orders = Order.objects.select_related("placed_by")
                    if self.request.GET.get("recent"):
                        orders = orders.order_by("-pk")
                    for word in self.request.GET.getlist("word"):
                        orders = orders.filter(reference__contains=word)
                    if self.request.user.is_staff:
                        return orders
                    return orders.filter(placed_by=self.request.user)  # PB103
            """,
        "loaded for one object only": """
            class View(viewsets.ModelViewSet):
                queryset = Order.objects.all()
                serializer_class = Dotted

                def get_queryset(self):
                    orders = super().get_queryset()
                    if self.action == "retrieve":
                        orders = orders.select_related("customer__company")
                    return orders  # PB103
            """,
        "base class that narrows": """
            class Base(viewsets.ModelViewSet):
                def get_queryset(self):
                    return self.queryset.filter(placed_by=self.request.user)  # PB103

            class View(Base):
                queryset = Order.objects.all()
                serializer_class = Dotted
            """,
        "rows that lead to an object nobody knows": """
            class View(viewsets.ModelViewSet):
                serializer_class = Method

                def get_queryset(self):
                    return self.request.customer.orders.filter(reference="x")  # PB103
            """,
        "mixins of packages": """
            from audit.views import LoggedMixin

            class View(LoggedMixin, viewsets.ModelViewSet):
                queryset = Order.objects.all()  # PB103
                serializer_class = Dotted
            """,
        "lists as the framework does": """
            class View(viewsets.ModelViewSet):
                queryset = Order.objects.all()  # PB103
                serializer_class = Dotted

                def list(self, request, *args, **kwargs):
                    rows = self.filter_queryset(self.get_queryset())
                    page = self.paginate_queryset(rows)
                    if page is not None:
                        return self.get_paginated_response(self.get_serializer(page, many=True).data)
                    return Response({"rows": self.get_serializer(rows, many=True).data})

                def get_serializer(self, *args, **kwargs):
                    kwargs["user"] = self.request.user
                    return super().get_serializer(*args, **kwargs)
            """,
        "shows less on demand": """
            class View(viewsets.ModelViewSet):
                queryset = Order.objects.all()  # PB103
                serializer_class = Chosen
            """,
        "page of a paginator": """
            from rest_framework.pagination import PageNumberPagination

            def show(request):
                page = PageNumberPagination().paginate_queryset(Order.objects.all(), request)
                return Dotted(page, many=True).data  # PB103
            """,
        "generic view": """
            class View(generics.ListCreateAPIView):
                queryset = Order.objects.all()  # PB103
                serializer_class = Dotted
            """,
        "mixins": """
            class View(mixins.ListModelMixin, viewsets.GenericViewSet):
                queryset = Order.objects.all()  # PB103
                serializer_class = Dotted
            """,
        "base class of the project": """
            class Base(viewsets.ModelViewSet):
                queryset = Order.objects.all()

            class View(Base):
                serializer_class = Dotted

                def get_queryset(self):
                    return super().get_queryset().filter(pk=1)  # PB103
            """,
        "chosen for lists": """
            class View(viewsets.ModelViewSet):
                queryset = Order.objects.all()  # PB103
                serializer_class = Keys

                def get_serializer_class(self):
                    if self.action in ("list", "retrieve"):
                        return Dotted
                    return self.serializer_class
            """,
        "call": """
            def show():
                return Dotted(Order.objects.all(), many=True).data  # PB103
            """,
        "list of rows": """
            def show():
                orders = list(Order.objects.order_by("pk"))
                return Dotted(instance=orders, many=True).data  # PB103
            """,
        "page of a view set": """
            class View(viewsets.GenericViewSet):
                queryset = Order.objects.all()
                serializer_class = Dotted

                def recent(self, request):
                    orders = self.filter_queryset(self.get_queryset()).order_by("-pk")
                    page = self.paginate_queryset(orders)
                    return self.get_serializer(page, many=True).data  # PB103
            """,
    }.values(),
)
def test_places(body: str) -> None:
    assert len(found_in(IMPORTS + textwrap.dedent(body))) == 1


REQUEST = """
from rest_framework.test import APIRequestFactory
response = example.{view}(APIRequestFactory().get("/"))
assert len(response.data) > 1, response.data
"""


@pytest.mark.parametrize(
    ("number", "target"), [(0, 'OrderViewSet.as_view({"get": "list"})'), (1, "Products.as_view()")]
)
def test_django_runs_one_query_per_object(number: int, target: str) -> None:
    call = REQUEST.format(view=target)
    few, many = queries(RULE, "Bad", number, call)
    assert many - few >= 4
    few, many = queries(RULE, "Good", number, call)
    assert few == many
