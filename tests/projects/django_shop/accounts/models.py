"""Users and their profiles."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A customer or a member of staff."""

    phone = models.CharField(max_length=30, blank=True)
    company = models.ForeignKey("Company", models.SET_NULL, null=True, related_name="employees")


class Company(models.Model):
    """A company that buys on account."""

    name = models.CharField(max_length=100)
    country = models.CharField(max_length=2)


class Profile(models.Model):
    """What a user says about themselves."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    bio = models.TextField(blank=True)
    visits = models.PositiveIntegerField(default=0)
