import uuid

from django.db import models
from django.utils import timezone


class Category(models.Model):
    name = models.CharField(max_length=80)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")

    def __str__(self):
        return self.name


class Supplier(models.Model):
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2)

    def __str__(self):
        return self.name


class Product(models.Model):
    sku = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=120)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT)
    listed_at = models.DateTimeField(default=timezone.now())

    def __str__(self):
        return self.name


class Review(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    author = models.CharField(max_length=80)
    stars = models.PositiveSmallIntegerField()
    written_at = models.DateTimeField(default=timezone.now)
