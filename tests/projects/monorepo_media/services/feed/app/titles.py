"""Titles of the feed."""


def title(key: str) -> str:
    """The title of a picture; plain, unlike that of the archive."""
    return key.title()
