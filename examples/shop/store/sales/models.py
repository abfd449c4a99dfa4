from django.conf import settings
from django.db import models

from catalog.models import Product


class Order(models.Model):
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    reference = models.CharField(max_length=40, unique=True)
    paid = models.BooleanField(default=False)
    placed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.reference


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField()


class Voucher(models.Model):
    code = models.CharField(max_length=20, unique=True)
    uses = models.PositiveIntegerField(default=0)
