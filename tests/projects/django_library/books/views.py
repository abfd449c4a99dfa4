"""The API of books."""

from rest_framework import viewsets

from books.models import Book
from books.serializers import BookSerializer


class BookViewSet(viewsets.ReadOnlyModelViewSet):
    """All books; every row costs two more queries."""

    queryset = Book.objects.all()  # PB103
    serializer_class = BookSerializer


class ShelfViewSet(viewsets.ReadOnlyModelViewSet):
    """The books on the shelves, with their people."""

    serializer_class = BookSerializer

    def get_queryset(self):
        return Book.objects.published().with_people()
