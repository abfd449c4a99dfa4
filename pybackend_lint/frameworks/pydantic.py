"""Facts about Pydantic."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("pydantic", "pydantic_settings")
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class PydanticKnowledge(Knowledge):
    """Types of Pydantic."""


KNOWLEDGE = PydanticKnowledge()
