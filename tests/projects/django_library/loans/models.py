"""Loans of books."""

from django.conf import settings
from django.db import models


class Loan(models.Model):
    """A book in somebody's hands."""

    book = models.ForeignKey("books.Book", models.PROTECT, related_name="loans")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    returned = models.BooleanField(default=False)


class Fine(models.Model):
    """What is to be paid for a loan."""

    loan = models.ForeignKey(Loan, models.CASCADE, related_name="fines")
    cents = models.IntegerField(default=0)
