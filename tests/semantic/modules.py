"""Builds small projects and asks what the expressions in them mean."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from pathlib import Path

from pybackend_lint.engine import Engine
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type
from pybackend_lint.settings import Settings


def module_of(root: Path, files: Mapping[str, str], path: str = "main.py") -> Module:
    """The module of one file of a project that is written below `root`."""
    for name, text in {"pyproject.toml": "", **files}.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text))
    module = Engine(Settings(root=root)).index.at(str(root / path))
    assert module is not None
    return module


def probes(module: Module) -> list[ast.expr]:
    """The arguments of the calls of `probe` in a module, in source order."""
    calls = sorted(module.source.calls.get("probe", ()), key=lambda call: (call.lineno, call.col_offset))
    return [argument for call in calls for argument in call.args]


def names(module: Module) -> list[str | None]:
    """The qualified names of what is given to `probe`."""
    return [module.qualified_name(argument) for argument in probes(module)]


def types(module: Module) -> list[str | None]:
    """The types of what is given to `probe`, as `name[arguments]`."""
    return [describe(module.type_of(argument)) for argument in probes(module)]


def describe(found: Type | None) -> str | None:
    """A type as short text; classes, functions and library names are marked by their kind."""
    if found is None:
        return None
    prefix = "" if found.kind == "instance" else f"{found.kind}:"
    arguments = f"[{', '.join(str(describe(item)) for item in found.args)}]" if found.args else ""
    return f"{prefix}{found.name}{arguments}{'?' if found.optional else ''}"
