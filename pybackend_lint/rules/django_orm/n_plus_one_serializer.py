"""Rule PB103: n-plus-one-serializer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_rows, drf
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB103",
    "n-plus-one-serializer",
    "Add `{advice}` to this queryset: `{serializer}` runs a query for every object",
    nodes=(ast.ClassDef, ast.Call),
    words=("serializer_class", "many"),
    applies="djangorestframework",
    fix=UNSAFE,
    tags=("performance",),
)
def check(node: ast.ClassDef | ast.Call, ctx: Context) -> Iterator[Finding]:
    """A serializer shows related objects that the view's queryset did not load.

    ## Why
    A nested serializer, a dotted `source` or a method field reads the relation from every object of the
    list. The view chooses what is loaded and the serializer, in another file, what is read; a field that
    somebody adds to the serializer turns one query into a hundred and one, and no test fails. A view may
    build its queryset in several steps and ways: reported is what none of them loads for a list.

    ## Bad
    ```python
    from rest_framework import viewsets

    from shop.models import Order
    from shop.serializers import OrderSerializer


    class OrderViewSet(viewsets.ReadOnlyModelViewSet):
        queryset = Order.objects.order_by("pk")
        serializer_class = OrderSerializer
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Product(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)


    class Line(models.Model):
        order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
        product = models.ForeignKey(Product, models.CASCADE)
    ```
    ```python file=shop/serializers.py
    from rest_framework import serializers

    from shop.models import Line, Order


    class LineSerializer(serializers.ModelSerializer):
        product = serializers.CharField(source="product.name")

        class Meta:
            model = Line
            fields = ["product"]


    class OrderSerializer(serializers.ModelSerializer):
        lines = LineSerializer(many=True)
        customer_name = serializers.SerializerMethodField()

        class Meta:
            model = Order
            fields = ["id", "lines", "customer_name"]

        def get_customer_name(self, order):
            return order.customer.name
    ```
    ```python
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from shop.models import Product
    from shop.serializers import ProductSerializer


    class Products(APIView):
        def get(self, request):
            products = Product.objects.order_by("name")
            return Response(ProductSerializer(products, many=True).data)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Tag(models.Model):
        name = models.CharField(max_length=50)


    class Product(models.Model):
        name = models.CharField(max_length=50)
        tags = models.ManyToManyField(Tag)
    ```
    ```python file=shop/serializers.py
    from rest_framework import serializers

    from shop.models import Product


    class ProductSerializer(serializers.ModelSerializer):
        class Meta:
            model = Product
            fields = ["id", "tags"]
    ```
    ## Good
    ```python
    from rest_framework import viewsets

    from shop.models import Order
    from shop.serializers import OrderSerializer


    class OrderViewSet(viewsets.ReadOnlyModelViewSet):
        queryset = Order.objects.order_by("pk").select_related("customer").prefetch_related("lines__product")
        serializer_class = OrderSerializer
    ```
    ```python
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from shop.models import Product
    from shop.serializers import ProductSerializer


    class Products(APIView):
        def get(self, request):
            products = Product.objects.order_by("name").prefetch_related("tags")
            return Response(ProductSerializer(products, many=True).data)
    ```
    ## Not reported
    ```python
    from rest_framework import generics, serializers, viewsets

    from shop.models import Order


    class KeySerializer(serializers.ModelSerializer):
        class Meta:
            model = Order
            fields = ["id", "customer"]  # the key of the customer comes with the row


    class NestedSerializer(serializers.ModelSerializer):
        name = serializers.CharField(source="customer.name")

        class Meta:
            model = Order
            fields = ["id", "name"]


    class OrderViewSet(viewsets.ModelViewSet):
        queryset = Order.objects.all()
        serializer_class = KeySerializer


    class OrderView(generics.RetrieveAPIView):
        queryset = Order.objects.all()  # one object needs one query more, however it is fetched
        serializer_class = NestedSerializer


    class FilteredViewSet(viewsets.ModelViewSet):
        queryset = Order.objects.all()
        serializer_class = NestedSerializer

        def filter_queryset(self, queryset):
            # methods of the view that mention loading are not followed, so an alarm may be missed
            return super().filter_queryset(queryset).select_related("customer")


    class ChosenViewSet(viewsets.ModelViewSet):
        queryset = Order.objects.all()
        serializer_class = NestedSerializer

        def get_queryset(self):
            orders = super().get_queryset()
            if self.request.user.is_staff:
                orders = orders.select_related("customer")
            return orders  # loaded in one of the cases, so an alarm may be missed
    ```
    ```python file=shop/models.py
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
    ```
    ## Fix safety
    The fix appends the paths to the queryset where the view or function builds it. It is unsafe because it
    changes the query of every action of the view, also of those that show one object. There is none where a
    relation is only counted: the serializer has to read the annotation.
    ## When not to use it
    For lists that never hold more than a few objects.
    ## References
    - Django REST framework documentation, "Serializer relations"
      (https://www.django-rest-framework.org/api-guide/relations/)
    - Django REST framework documentation, "Generic views: Avoiding N+1 Queries"
      (https://www.django-rest-framework.org/api-guide/generic-views/#get_querysetself)
    - Django documentation, "QuerySet API reference: prefetch_related()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#prefetch-related)
    """
    if isinstance(node, ast.ClassDef):
        served = drf.served_by_view(node, ctx.module) if node.bases else None
    else:
        served = drf.served_by_call(node, ctx.module)
    missing = served.missing if served is not None else ()
    if served is None or not missing:
        return
    if served.queryset is not None and django_rows.preloads(served.queryset, ctx.module):
        return
    remedy = django_rows.remedy(served.queryset, missing, ctx.module)
    fix = ctx.fix("Load what the serializer reads with the objects", *remedy.edits) if remedy.edits else None
    yield ctx.finding(
        served.node,
        advice=remedy.advice,
        serializer=served.serializers[0].node.name,
        fix=fix,
        related=remedy.related,
    )
