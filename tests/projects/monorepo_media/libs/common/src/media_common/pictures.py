"""Pictures of a partner."""

import requests


def picture(key: str) -> bytes:
    """A picture by its key."""
    return loaded(f"https://pictures.example/{key}")


def loaded(url: str) -> bytes:
    """What a URL gives."""
    return requests.get(url, timeout=5).content


def size(data: bytes) -> int:
    """The size of a picture."""
    return len(data)
