"""Names under which the files of a project declare relationships: a cheap test before types are asked for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.module import Module

_DECLARED = re.compile(
    rb"^[ \t]+(\w+)[ \t]*(?::[^=#\n]*(?:\[\n[^=#]{0,200}?\n[ \t]*\][ \t]*)?)?=[ \t]*(?:\w+\.)?"
    rb"(?:relationship|Relationship|relation|dynamic_loader|association_proxy)\(",
    re.MULTILINE,
)
_NAMED = re.compile(rb"""\b(?:back_populates|backref)\s*=\s*(?:\w+\.)?(?:backref\(\s*)?["'](\w+)["']""")
_ADDED = re.compile(rb"""\bbackref\s*=\s*(?:(?:\w+\.)?backref\(\s*)?["'](\w+)["']""")
_ASSIGNED = re.compile(rb"^\w+\.(\w+)[ \t]*=[ \t]*(?:\w+\.)?relationship\(", re.MULTILINE)
_FUNCTION = re.compile(rb"^[ \t\f]+(?:async )?def (\w+)\(", re.MULTILINE)
_ANY_FUNCTION = re.compile(rb"^[ \t\f]*(?:async )?def (\w+)\(", re.MULTILINE)
_OPENS = re.compile(rb"with ([^\n]+\)) as (\w+)")
_GIVES_ROWS = re.compile(rb"\.(?:all|scalars|fetchall|query|exec)\b|\bselect\(")
_READ = re.compile(rb"\.(\w+)")
_RETURNED = re.compile(rb"\breturn (?:\w+\.)?relationship\(")
_WORDS = (b"relationship", b"Relationship", b"dynamic_loader")
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class RelationNames:
    """Names in the files of a project that declare relationships.

    `relations` are those of relationships and association proxies, `readers` those of methods and
    properties that mention one of them, directly or through each other; `added` those that `backref` or an
    assignment to a class adds.
    """

    relations: frozenset[str]
    readers: frozenset[str]
    added: frozenset[str]


_NONE = RelationNames(frozenset(), frozenset(), frozenset())


def opens_sessions(text: bytes) -> bool:
    """Whether a text may have a `with` statement that opens a session."""
    return any(
        b"ession" in opened or b"ession" in name or name in {b"s", b"db", b"tx"}
        for opened, name in map(re.Match.groups, _OPENS.finditer(text))
    )


def functions_with_sessions(module: Module) -> frozenset[str]:
    """The names of the functions of a project that may open a session by `with`."""
    index = module.modules
    if not isinstance(index, Index):
        return frozenset()
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("sqlalchemy session functions", root), lambda: _with_sessions(index, module))


def functions_with_queries(module: Module) -> frozenset[str]:
    """The names of the functions of a project whose bodies may send a query for many rows."""
    index = module.modules
    if not isinstance(index, Index):
        return frozenset()
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("sqlalchemy query functions", root), lambda: _with_queries(index, module))


def _with_queries(index: Index, module: Module) -> frozenset[str]:
    found: set[bytes] = set()
    paths = {path for word in (b"query", b"select", b"scalars") for path in files_with(index, module, word)}
    for path in sorted(paths):
        _, *parts = _ANY_FUNCTION.split(index.files.read(path) or b"")
        found.update(
            name for name, body in zip(parts[::2], parts[1::2], strict=True) if _GIVES_ROWS.search(body)
        )
    return frozenset(map(bytes.decode, found))


def _with_sessions(index: Index, module: Module) -> frozenset[str]:
    found: set[bytes] = set()
    paths = {path for word in (b"session", b"Session") for path in files_with(index, module, word)}
    for path in sorted(paths):
        text = index.files.read(path) or b""
        if opens_sessions(text):
            _, *parts = _ANY_FUNCTION.split(text)
            bodies = zip(parts[::2], parts[1::2], strict=True)
            found.update(name for name, body in bodies if opens_sessions(body))
    return frozenset(map(bytes.decode, found))


def relation_names(module: Module) -> RelationNames:
    """The names of relationships in the project of a module, by the text of its files.

    A name that is not among them is no relationship; one that is among them may be something else.
    """
    index = module.modules
    if not isinstance(index, Index):
        return _NONE
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("sqlalchemy relation names", root), lambda: _relation_names(index, module))


def _relation_names(index: Index, module: Module) -> RelationNames:
    paths = {path for word in _WORDS for path in files_with(index, module, word)}
    texts = [index.files.read(path) or b"" for path in sorted(paths)]
    relations: set[bytes] = set()
    added: set[bytes] = set()
    functions: list[tuple[bytes, frozenset[bytes]]] = []
    for text in texts:
        relations.update(_DECLARED.findall(text))
        relations.update(_NAMED.findall(text))
        added.update(_ADDED.findall(text), _ASSIGNED.findall(text))
        _, *parts = _FUNCTION.split(text)
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            if _RETURNED.search(body):
                relations.add(name)
            functions.append((name, frozenset(_READ.findall(body))))
    readers: set[bytes] = set()
    for _ in range(_ROUNDS):
        wanted = relations | readers
        readers.update(name for name, read in functions if read & wanted)
    relations |= added
    return RelationNames(*(frozenset(map(bytes.decode, found)) for found in (relations, readers, added)))
