"""What customers say about products."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from accounts.models import User


class Owned(models.Model):
    """Belongs to a user."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="%(class)ss")

    class Meta:
        abstract = True


class Review(Owned):
    """An opinion about a product."""

    product = models.ForeignKey("catalog.product", models.CASCADE)
    text = models.TextField()


class Flag(Owned):
    """A complaint about anything."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    item = GenericForeignKey()
