"""Facts about Flask."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("flask",)
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class FlaskKnowledge(Knowledge):
    """Types of Flask."""


KNOWLEDGE = FlaskKnowledge()
