"""What the registry knows about a rule without importing it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the registry: the metadata of `rule.Rule` as plain strings.

    - `module`: the dotted name of the module whose `check` is the rule; codes that the engine
      reports itself name the engine.
    - `nodes`: names of classes of `ast`.
    - `fix`: `"safe"`, `"unsafe"` or `""`.
    - `severity`: `"error"`, `"warning"` or `"info"`.
    - `summary`: the first sentence of the rule's documentation, on one line.

    The other fields mean what they mean in `rule.Rule`.
    """

    code: str
    name: str
    module: str
    message: str
    summary: str
    nodes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    applies: str = ""
    bound: str = "lower"
    fix: str = ""
    severity: str = "warning"
    default: bool = True
    tags: tuple[str, ...] = ()
    since: str = "0.1"
    tests: str = "skip"
    migrations: str = "skip"
    file: str = "python"
