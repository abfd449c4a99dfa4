"""Runs the code of examples, so that tests see what the frameworks really do with it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def executed(source: str) -> dict[str, Any]:
    """The names of a text that was run as a module of its own; raises what the text raises."""
    with imported({"executed_example": source}) as modules:  # annotations are resolved in their module
        return vars(modules["executed_example"])


@contextmanager
def imported(modules: Mapping[str, str]) -> Iterator[dict[str, ModuleType]]:
    """Modules made from texts, by dotted name in the order given, as if they had been imported."""
    made: dict[str, ModuleType] = {}
    try:
        for name, text in modules.items():
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                dotted = ".".join(parts[:end])
                if dotted not in made:
                    assert dotted not in sys.modules
                    made[dotted] = sys.modules[dotted] = ModuleType(dotted)
            exec(compile(textwrap.dedent(text), f"{name}.py", "exec", dont_inherit=True), vars(made[name]))
        yield made
    finally:
        for name in made:
            del sys.modules[name]
