"""The pages of the staff."""

from django.contrib import admin

from books.models import Book


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    """Books in the admin."""

    list_display = ["title", "author_name"]  # PB247

    def author_name(self, book):
        return book.author.name


class ShelfAdmin(admin.ModelAdmin):
    """Books on the shelves, loaded with their authors."""

    list_display = ["title", "author_name"]
    list_select_related = ["author"]

    def author_name(self, book):
        return book.author.name
