"""Books and who made them."""

from django.db import models

from books.querysets import BookQuerySet


class Author(models.Model):
    """Who wrote a book."""

    name = models.CharField(max_length=100)


class Publisher(models.Model):
    """Who printed a book."""

    name = models.CharField(max_length=100)
    owner = models.ForeignKey("self", models.SET_NULL, null=True, related_name="imprints")


class Genre(models.Model):
    """A kind of books."""

    name = models.CharField(max_length=50)


class Book(models.Model):
    """A title; copies of it are lent."""

    title = models.CharField(max_length=200)
    published = models.BooleanField(default=True)
    author = models.ForeignKey(Author, models.PROTECT, related_name="books")
    publisher = models.ForeignKey(Publisher, models.PROTECT, null=True)
    genres = models.ManyToManyField(Genre, related_name="books")

    objects = BookQuerySet.as_manager()

    @property
    def heading(self) -> str:
        """The line above the description."""
        return f"{self.author.name}: {self.title}"

    def genre_names(self) -> list[str]:
        """The names of the genres."""
        return [genre.name for genre in self.genres.all()]
