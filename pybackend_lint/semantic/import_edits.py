"""Add, extend, move and remove imports as isort and ruff would write them."""

from __future__ import annotations

from pybackend_lint.finding import Edit
from pybackend_lint.source import Source


def unused_since(before: Source, after: Source) -> tuple[Edit, ...]:
    """Edits of `after` that remove its module-level imports that only `before` uses."""
    return ()
