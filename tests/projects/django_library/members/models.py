"""Members and their branches."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Branch(models.Model):
    """A building with books."""

    name = models.CharField(max_length=100)


class Member(AbstractUser):
    """Somebody with a card."""

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="members")

    @property
    def card_text(self) -> str:
        """What is printed on the card."""
        return f"{self.username} ({self.branch.name})"
