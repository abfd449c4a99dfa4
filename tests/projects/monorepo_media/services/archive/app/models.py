"""What the archive keeps."""

from django.db import models


class Album(models.Model):
    """Pictures of one day."""

    name = models.CharField(max_length=100)


class Picture(models.Model):
    """A picture."""

    key = models.CharField(max_length=50)
    album = models.ForeignKey(Album, models.CASCADE, related_name="pictures")
