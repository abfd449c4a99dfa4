"""Querysets of books."""

from django.db import models


class BookQuerySet(models.QuerySet):
    """Books, with what the pages show of them."""

    def published(self):
        """Books that are on the shelves."""
        return self.filter(published=True)

    def with_people(self):
        """Books with all that a list of them shows."""
        return self.select_related("author", "publisher").prefetch_related("genres")
