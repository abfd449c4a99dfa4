"""Facts about the extra `asyncio` of SQLAlchemy: which projects need it and do not ask for it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from pybackend_lint.finding import Edit, Related
from pybackend_lint.frameworks import project_metadata
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.project import Project
from pybackend_lint.rule import ProjectFile
from pybackend_lint.semantic.module import Module
from pybackend_lint.source import Source

_MODULE = "sqlalchemy.ext.asyncio"
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+sqlalchemy\.ext\.asyncio\b", re.MULTILINE)
_WITH_EXTRA = re.compile(r"sqlalchemy\s*\[[^\]]*\basyncio\b", re.IGNORECASE)
# Distributions that require greenlet, or SQLAlchemy with the extra.
_BRING_GREENLET = (
    "advanced-alchemy", "apache-airflow", "eventlet", "fastapi-users", "fastapi-users-db-sqlalchemy",
    "gevent", "greenlet", "litestar", "playwright", "prefect",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MissingExtra:
    """The requirement that lacks the extra: its offsets, the edit that adds it, and where it is needed."""

    start: int
    end: int
    edit: Edit | None
    needed: Related


def missing_extra(file: ProjectFile, module: Module, project: Project) -> MissingExtra | None:
    """The requirement of SQLAlchemy in a `pyproject.toml` that may install it without greenlet, or None.

    SQLAlchemy 2.1 requires greenlet only with its extra `asyncio`, and its asynchronous part refuses to be
    imported without. `module` stands for the file; the project's code, tests aside, must import that part.
    """
    place = _requirement(file)
    if place is None or _WITH_EXTRA.search(file.text) or not project.satisfies("sqlalchemy>=2.1", "upper"):
        return None
    if any(project.versions.declares(name) for name in _BRING_GREENLET):
        return None
    needed = _import(module, project)
    return MissingExtra(*place, needed) if needed is not None else None


def _requirement(file: ProjectFile) -> tuple[int, int, Edit | None] | None:
    """Where the dependencies name SQLAlchemy: start, end, and the edit that adds the extra."""
    for found in project_metadata.dependencies(file):
        if found.name != "sqlalchemy" or "asyncio" in found.text:
            continue
        behind = found.start + len('"sqlalchemy')
        plain = "[" not in found.text and not found.is_poetry
        return found.start, found.end, Edit(behind, behind, "[asyncio]") if plain else None
    return None


def _import(module: Module, project: Project) -> Related | None:
    """The first import of SQLAlchemy's asynchronous part in the project of a file, tests aside."""
    index = module.modules
    if not isinstance(index, Index):
        return None
    root = os.path.dirname(index.path_of(module))
    for path in files_with(index, module, _MODULE.encode()):
        if project.is_test(path) or index.layout.project_root(os.path.dirname(path)) != root:
            continue
        data = index.content(path)
        found = _IMPORT.search(data)
        if found is not None:
            source = Source(path, data)
            row = data[: found.start()].count(b"\n") + 1
            return Related(path, source.position(source.line_starts[row - 1]), f"imports `{_MODULE}`")
    return None
