"""Facts about FastAPI."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("fastapi", "starlette")
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class FastAPIKnowledge(Knowledge):
    """Types of FastAPI."""


KNOWLEDGE = FastAPIKnowledge()
