"""Facts about Asyncio."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("asyncio",)
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class AsyncioKnowledge(Knowledge):
    """Types of Asyncio."""


KNOWLEDGE = AsyncioKnowledge()
