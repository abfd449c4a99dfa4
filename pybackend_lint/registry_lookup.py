"""Find rules in the registry by code or name, import them when they are needed, read what they document."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from inspect import cleandoc
from typing import TYPE_CHECKING, cast

from pybackend_lint.engine_entries import ENGINE_DOCUMENTATION
from pybackend_lint.registry import ENTRIES
from pybackend_lint.rule_entry import Entry

if TYPE_CHECKING:
    from pybackend_lint.rule import Rule


@cache
def _by_key() -> dict[str, Entry]:
    return {key: entry for entry in ENTRIES for key in (entry.code, entry.name)}


def find(code_or_name: str) -> Entry | None:
    """The entry with this code (in any case) or name; `None` when there is none."""
    by_key = _by_key()
    return by_key.get(code_or_name.upper()) or by_key.get(code_or_name)


def load(entry: Entry) -> Rule:
    """Import the module of an entry and return its rule.

    Raises `LookupError` for codes that the engine reports itself: they have no rule.
    """
    if entry.code in ENGINE_DOCUMENTATION:
        raise LookupError(f"{entry.code} ({entry.name}) is reported by the engine, not by a rule")
    return cast("Rule", import_module(entry.module).check)


def documentation(entry: Entry) -> str:
    """The documentation of an entry in Markdown: its summary line, then its sections."""
    return cleandoc(ENGINE_DOCUMENTATION.get(entry.code) or load(entry).documentation)


def page(entry: Entry) -> str:
    """The page about an entry in Markdown: its title, the facts of its metadata, its documentation."""
    facts = [
        "on by default" if entry.default else "opt-in",
        entry.severity,
        f"{entry.fix} fix" if entry.fix else "no fix",
        *([f"applies to {entry.applies}"] if entry.applies else []),
        f"since {entry.since}",
    ]
    return f"# {entry.code}: {entry.name}\n\n{', '.join(facts)}\n\n{documentation(entry).strip()}\n"
