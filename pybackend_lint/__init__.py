"""The linter that knows Python backends."""

__version__ = "0.1.0"
