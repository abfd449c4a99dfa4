"""Facts about the metadata of a project in `pyproject.toml`: which Python versions it says it runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pybackend_lint.finding import Edit
from pybackend_lint.project.versions import VersionRange
from pybackend_lint.rule import ProjectFile

_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")
_LEADING_KEYS = frozenset({"name", "version", "description", "readme", "license"})
_LINE = re.compile(r"""(?P<key>[A-Za-z-]+)[ \t]*=[ \t]*("[^"\n]*"|'[^'\n]*'|\{[^}\n]*\})[ \t]*(#[^\n]*)?""")


@dataclass(frozen=True, slots=True)
class Missing:
    """A table that should name the supported Python versions and does not.

    - `header`: of the table; `key`: what is missing in it.
    """

    header: str
    key: str


def missing_python(file: ProjectFile) -> Missing | None:
    """The table of a `pyproject.toml` in which the supported Python versions should stand, or None.

    None as well for files without project (tool settings, the root of a workspace) and where a build
    backend is told to compute the versions.
    """
    project = file.data.get("project")
    poetry = _dependencies_of_poetry(file.data)
    if isinstance(project, dict):
        dynamic = project.get("dynamic")
        computed = isinstance(dynamic, list) and "requires-python" in dynamic
        if "name" not in project or "requires-python" in project or computed or "python" in (poetry or {}):
            return None
        return Missing("project", "requires-python")
    if poetry is not None and "python" not in poetry:
        return Missing("tool.poetry.dependencies", "python")
    return None


def _dependencies_of_poetry(data: dict[str, Any]) -> dict[str, Any] | None:
    table: Any = data
    for key in ("tool", "poetry", "dependencies"):
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def oldest_python(file: ProjectFile, known: VersionRange | None) -> str | None:
    """The oldest Python that a project is known to run on, such as "3.12".

    `known` is what other files say; the classifiers tell otherwise.
    """
    if known is not None and known.lower is not None:
        return f"{known.lower.major}.{known.lower.minor}"
    project = file.data.get("project")
    classifiers = project.get("classifiers") if isinstance(project, dict) else None
    named = [
        match.group(1)
        for item in (classifiers if isinstance(classifiers, list) else [])
        if (match := _CLASSIFIER.fullmatch(str(item))) is not None
    ]
    return min(named, key=Version, default=None)


def header_range(file: ProjectFile, missing: Missing) -> tuple[int, int] | None:
    """The offsets of a table's header; None where it is written in another way than `[table]`."""
    start = file.offset_of_table(missing.header)
    end = file.text.find("\n", start)
    line = file.text[start : end if end >= 0 else None]
    return (start, start + len(line.rstrip())) if line.lstrip().startswith("[") else None


def requirement_edit(file: ProjectFile, missing: Missing, oldest: str) -> Edit:
    """The edit that adds the requirement behind the keys with which the table starts."""
    found = header_range(file, missing)
    assert found is not None
    place = found[1]
    for line, end in _lines(file.text, place):
        match = _LINE.fullmatch(line.strip())
        if match is None or match["key"] not in _LEADING_KEYS:
            break
        place = end
    return Edit(place, place, f'\n{missing.key} = ">={oldest}"')


def _lines(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The lines behind the one that an offset is in, each with the offset of its end."""
    place = text.find("\n", start)
    while 0 <= place < len(text) - 1:
        end = text.find("\n", place + 1)
        line = text[place + 1 : end if end >= 0 else None]
        yield line, place + 1 + len(line.rstrip("\r"))
        place = end


@dataclass(frozen=True, slots=True)
class Dependency:
    """A dependency that a project has when it runs, by its normalised name, and the offsets of its text.

    - `text`: the requirement as it was written, the version for Poetry; `is_poetry`: in Poetry's table.
    """

    name: str
    text: str
    start: int
    end: int
    is_poetry: bool = False


def dependencies(file: ProjectFile) -> Iterator[Dependency]:
    """The dependencies of `[project]` and of Poetry's main table, where their text is found once."""
    project = file.data.get("project")
    listed = project.get("dependencies") if isinstance(project, dict) else None
    for text in listed if isinstance(listed, list) else ():
        try:
            name = Requirement(str(text)).name
        except InvalidRequirement:
            continue
        places = list(re.finditer(rf"""(["']){re.escape(str(text))}\1""", file.text))
        if len(places) == 1:
            yield Dependency(canonicalize_name(name), str(text), places[0].start(), places[0].end())
    poetry = _dependencies_of_poetry(file.data) or {}
    start = file.offset_of_table("tool.poetry.dependencies")
    end = file.text.find("\n[", start)
    table = file.text[start : end if end >= 0 else None]
    for key, value in poetry.items():
        line = re.search(rf"""^[ \t]*(["']?{re.escape(key)}["']?[ \t]*=[^\n#]*[^\s#])""", table, re.MULTILINE)
        is_optional = isinstance(value, dict) and value.get("optional") is True
        if line is not None and not is_optional:
            place = start + line.start(1), start + line.end(1)
            yield Dependency(canonicalize_name(key), str(value), *place, is_poetry=True)
