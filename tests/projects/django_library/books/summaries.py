"""What can be said of many books."""


def by_author(books) -> list[str]:
    """The titles in the order of their authors' names."""
    return [book.title for book in sorted(books, key=lambda book: book.author.name)]


def counts(books) -> dict[str, int]:
    """How many genres each book has."""
    found = {}
    for book in books:
        found[book.title] = book.genres.count()
    return found
