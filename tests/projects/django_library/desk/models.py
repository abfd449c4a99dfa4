"""The desk of a branch."""

from django.conf import settings
from django.db import models


class Reservation(models.Model):
    """A book that waits for a member."""

    book = models.ForeignKey("books.Book", models.CASCADE, related_name="reservations")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    shelf = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.book.title} on {self.shelf}"  # PB153


class Shelf(models.Model):
    """Where books wait."""

    number = models.IntegerField(unique=True)
    free = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.number}: {self.free}"
