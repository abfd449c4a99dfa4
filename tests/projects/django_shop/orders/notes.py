"""Notes that customers leave."""

import os

NOTES = "/srv/notes"


def stored(name: str) -> str:
    """The note of a name."""
    with open(os.path.join(NOTES, name)) as file:  # PB923
        return file.read()


def stored_inside(name: str) -> str:
    """The note of a name, which must not leave its folder."""
    with open(os.path.join(NOTES, os.path.basename(name))) as file:
        return file.read()
