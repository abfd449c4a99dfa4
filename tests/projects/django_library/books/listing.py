"""Lists of books as texts."""

from books.models import Book
from books.summaries import by_author, counts


def line(book: Book) -> str:
    """One line of a list."""
    return f"{book.title} ({publisher_name(book)})"


def publisher_name(book: Book) -> str:
    """The name of the publisher, if there is one."""
    return book.publisher.name if book.publisher else "?"


def headings() -> list[str]:
    """The headings of all books."""
    return [book.heading for book in Book.objects.published()]  # PB102


def headings_at_once() -> list[str]:
    """The headings of all books, in one query."""
    return [book.heading for book in Book.objects.published().with_people()]


def authors() -> str:
    """The authors of all books."""
    text = ""
    for book in Book.objects.all():
        text += book.author.name  # PB100
    return text


def author_keys() -> set[int]:
    """The keys of all authors."""
    return {book.author.id for book in Book.objects.all()}  # PB108


def lines() -> list[str]:
    """All books, a line each."""
    found = []
    for book in Book.objects.order_by("title"):
        found.append(line(book))  # PB102
    return found


def lines_at_once() -> list[str]:
    """All books, a line each, in one query."""
    found = []
    for book in Book.objects.order_by("title").with_people():
        found.append(line(book))
    return found


def shelves() -> tuple[list[str], dict[str, int]]:
    """The books by their authors, and how many genres each has."""
    books = Book.objects.order_by("title")
    titles = by_author(books)  # PB102
    return titles, counts(Book.objects.all())  # PB102


def shelves_at_once() -> list[str]:
    """The books by their authors, in one query."""
    return by_author(Book.objects.with_people())


def genres() -> dict[str, list[str]]:
    """The genres of all books."""
    return {book.title: book.genre_names() for book in Book.objects.all()}  # PB102


def genres_at_once() -> dict[str, list[str]]:
    """The genres of all books, in two queries."""
    return {book.title: book.genre_names() for book in Book.objects.with_people()}


def fiction() -> dict[str, int]:
    """The number of fictional genres of every book."""
    numbers = {}
    for book in Book.objects.prefetch_related("genres"):
        numbers[book.title] = book.genres.filter(name="fiction").count()  # PB104
    return numbers


def by_publisher(name: str):
    """Books of a publisher, and of those that it owns."""
    return Book.objects.filter(publisher__owner__name=name)


def by_writer(name: str):
    """Books of an author."""
    return Book.objects.filter(writer__name=name)  # PB130


def with_genres():
    """Books with their genres."""
    return Book.objects.select_related("genres")  # PB131
