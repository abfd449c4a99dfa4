"""Orders and their lines."""

from django.conf import settings
from django.db import models

from catalog.models import Product, TimeStamped


class OrderManager(models.Manager):
    """Orders, always together with who placed them."""

    def get_queryset(self):
        return super().get_queryset().select_related("customer")

    def open(self):
        """Orders that are not paid yet."""
        return self.filter(paid=False)


class Order(TimeStamped):
    """What a customer wants to buy."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders")
    reference = models.CharField(max_length=20)
    paid = models.BooleanField(default=False)
    total = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    objects = models.Manager()
    with_customers = OrderManager()


class Line(models.Model):
    """A product in an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey("catalog.Product", models.PROTECT)
    quantity = models.PositiveIntegerField(default=1)


class Invoice(models.Model):
    """The bill of an order."""

    order = models.OneToOneField("sales.Order", models.CASCADE)
    number = models.CharField(max_length=20)
