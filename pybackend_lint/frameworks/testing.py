"""Facts about Testing."""

from __future__ import annotations

from pybackend_lint.frameworks.knowledge import Knowledge

ROOTS = ("pytest", "pytest_asyncio")
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {}


class TestingKnowledge(Knowledge):
    """Types of Testing."""


KNOWLEDGE = TestingKnowledge()
