"""Facts about Django."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("django", "rest_framework")
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class DjangoKnowledge(Knowledge):
    """Types of Django."""


KNOWLEDGE = DjangoKnowledge()
