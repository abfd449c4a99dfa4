"""Runs the code of examples, so that tests see what the frameworks really do with it."""

from __future__ import annotations

import sys
import textwrap
import types
from typing import Any


def executed(source: str) -> dict[str, Any]:
    """The names of a text that was run as a module of its own; raises what the text raises."""
    module = types.ModuleType("executed_example")
    sys.modules[module.__name__] = module  # annotations are resolved in the module of their class
    try:
        exec(compile(textwrap.dedent(source), "example.py", "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    return vars(module)
