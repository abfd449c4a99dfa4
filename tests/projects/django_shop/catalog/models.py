"""Products and how they are sorted."""

from django.db import models

from catalog.managers import ProductQuerySet


class TimeStamped(models.Model):
    """Remembers when a row was made and changed."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Category(models.Model):
    """A shelf of the shop; shelves stand in shelves."""

    name = models.CharField(max_length=100)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")


class Tag(models.Model):
    """A word that describes products."""

    name = models.CharField(max_length=50)


class Product(TimeStamped):
    """Something that is sold."""

    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField(default=0)
    active = models.BooleanField(default=True)
    category = models.ForeignKey(Category, models.PROTECT, related_name="products")
    tags = models.ManyToManyField(Tag, related_name="products")
    attributes = models.JSONField(default=dict)

    objects = ProductQuerySet.as_manager()
