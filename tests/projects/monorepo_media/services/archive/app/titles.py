"""Titles of the archive."""

from app.models import Picture


def title(picture: Picture) -> str:
    """The title of a picture."""
    return f"{picture.album.name}/{picture.key}"


def titles() -> list[str]:
    """The titles of all pictures."""
    return [title(picture) for picture in Picture.objects.all()]  # PB102


def titles_at_once() -> list[str]:
    """The titles of all pictures, in one query."""
    return [title(picture) for picture in Picture.objects.select_related("album")]
