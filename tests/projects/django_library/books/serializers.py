"""What the API shows of books."""

from rest_framework import serializers

from books.models import Author, Book


class AuthorSerializer(serializers.ModelSerializer):
    """An author inside a book."""

    class Meta:
        model = Author
        fields = ["id", "name"]


class BookSerializer(serializers.ModelSerializer):
    """A book with its author."""

    author = AuthorSerializer()
    publisher_name = serializers.CharField(source="publisher.name", default="")

    class Meta:
        model = Book
        fields = ["id", "title", "author", "publisher_name"]
