"""Names of queues and files."""

from media_common.settings import PREFIX  # PB961


def full_name(name: str) -> str:
    """A name that no other company uses."""
    return f"{PREFIX}.{name}"
