"""Which modules run when a module is imported, read from the import statements at its top level.

A file is not parsed for this: statements inside `if TYPE_CHECKING`, `try`, functions and classes are
indented, and those are left out. What is found in a text at the start of a line is only a candidate;
`import_order` looks at the trees of the few modules that matter.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.project.files import imports_as_in, imports_of
from pybackend_lint.project.import_statements import import_statements
from pybackend_lint.project.index import Index

_COMMENT = re.compile(rb"#[^\n]*")


@dataclass(frozen=True, slots=True)
class _Place:
    """What a dotted name means to the files of a directory.

    `files` run when it is imported, outermost package first; `package` is the directory that holds the
    submodules of the last; `missed` are the paths at which the name was looked for in vain.
    """

    files: tuple[str, ...] = ()
    package: str = ""
    missed: frozenset[str] = frozenset()


_NOWHERE = _Place()


class ImportGraph:
    """The modules of a workspace by path, and the modules that each imports when it runs.

    Everything is read when asked for, once, and kept for the whole run: paths only, no trees.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._imported: dict[str, tuple[str, ...]] = {}
        self._components: dict[str, frozenset[str]] = {}
        self._before: dict[str, tuple[str, ...]] = {}  # what changed files imported when these were found
        self._places: dict[tuple[object, int, str], _Place] = {}
        self._own_packages: dict[str, tuple[str, ...]] = {}
        self._packages: dict[str, tuple[str, ...]] = {}
        self._roots: dict[str, tuple[str, ...]] = {}  # by directory; equal roots are one object
        self._same_roots: dict[tuple[str, ...], tuple[str, ...]] = {}

    def imported(self, path: str) -> tuple[str, ...]:
        """The files that the file at `path` imports at its top level, in order, packages before modules.

        The packages that `path` is in itself are left out where they only stand before another name.
        """
        found = self._imported.get(path)
        if found is None:
            data = self._index.content(path) if path.endswith(".py") else b""
            found = self._imported[path] = tuple(self._read(path, data))
            # Who follows the imports of a file rests on its import statements, and on nothing else in it.
            statements = imports_as_in(path, data)
            self._index.know(statements, ())
            self._index.know(imports_of(path), [statements, *map(imports_of, found)])
        self._index.consult(path, (imports_of(path),))
        return found

    def _read(self, path: str, data: bytes) -> dict[str, None]:
        found: dict[str, None] = {}
        directory = os.path.dirname(path)
        for match in import_statements(data):
            if match.re.groups == 1:
                for name in _names(match["modules"]):
                    found.update(dict.fromkeys(self.files_of(path, 0, name)))
                continue
            base = match["base"].decode(errors="replace")
            dotted = base.lstrip(".")
            place = self._place(path, directory, len(base) - len(dotted), dotted)
            if len(place.files) == 1:
                found[place.files[0]] = None
            elif place.files:
                found.update(dict.fromkeys(self._outside(place.files, path)))
            if place.package:
                for name in _names(match["block"] if match["block"] is not None else match["line"]):
                    below = self._index.below(place.package, name)
                    if below is not None and below.endswith(".py"):
                        found[below] = None
        found.pop(path, None)
        return found

    def files_of(self, path: str, level: int, dotted: str, name: str = "") -> tuple[str, ...]:
        """The files that run when the file at `path` imports a dotted name, outermost package first.

        With `name`: those of the submodule of that name, which is imported from what the rest names;
        nothing when there is no such module.
        """
        place = self._place(path, os.path.dirname(path), level, dotted)
        if not name:
            return self._outside(place.files, path)
        below = self._index.below(place.package, name) if place.package else None
        return (below,) if below is not None and below.endswith(".py") else ()

    def _outside(self, files: tuple[str, ...], path: str) -> tuple[str, ...]:
        """Without the packages that stand only before the last and that the file at `path` is in itself."""
        if len(files) < 2:
            return files
        own = self._own_packages.get(path)
        if own is None:
            own = self._own_packages[path] = self.packages_around(path)
        return (*(package for package in files[:-1] if package not in own and package != path), files[-1])

    def _place(self, path: str, directory: str, level: int, dotted: str) -> _Place:
        place: _Place | None
        if level:
            key: tuple[object, int, str] = (directory, level, dotted)
        else:
            top = dotted.partition(".")[0]
            if top in sys.stdlib_module_names:
                return _NOWHERE
            roots = id(self._roots_of(directory))
            key = (roots, 0, top)
            place = self._places.get(key)
            if place is not None and place.missed and not place.files and not place.package:
                self._index.missed.setdefault(path, set()).update(place.missed)
                return place
            key = (roots, 0, dotted)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._find_place(os.path.join(directory, ""), level, dotted)
        if place.missed:
            self._index.missed.setdefault(path, set()).update(place.missed)
        return place

    def _roots_of(self, directory: str) -> tuple[str, ...]:
        roots = self._roots.get(directory)
        if roots is None:
            found = self._index.layout.import_roots(directory)
            roots = self._roots[directory] = self._same_roots.setdefault(found, found)
        return roots

    def _find_place(self, asker: str, level: int, dotted: str) -> _Place:
        """`asker` is the directory with a slash, as if a file without a name asked."""
        index = self._index
        found = index.imported(asker, level, dotted)
        missed = frozenset(index.missed.pop(asker, ()))
        if found is None or found[1]:
            return _Place(missed=missed)
        target = found[0]
        if not target.endswith(".py"):
            return _Place((), target, missed)
        package = os.path.dirname(target) if target.endswith("__init__.py") else ""
        return _Place((*self.packages_around(target), target), package, missed)

    def packages_around(self, path: str) -> tuple[str, ...]:
        """The `__init__.py` files that run before the file at `path`, outermost first."""
        directory = os.path.dirname(path)
        if path.endswith("__init__.py"):
            directory = os.path.dirname(directory)
        packages = self._packages.get(directory)
        if packages is None:
            packages = self._packages[directory] = tuple(_packages(self._index, directory))
        return packages

    def follow(self, path: str, old: bytes | None, new: bytes | None) -> bool:
        """Take over a file's new content; False when files came or went, which changes what names lead to."""
        if new is None:
            return False
        imported = self._imported.pop(path, None)
        if imported is not None:
            self._before.setdefault(path, imported)
        return True

    def reachable(self, path: str) -> frozenset[str]:
        """The files that run when the file at `path` is imported, itself included."""
        seen = {path}
        pending = [path]
        while pending:
            for target in self.imported(pending.pop()):
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
        return frozenset(seen)

    def component(self, path: str) -> frozenset[str]:
        """The files that import each other, at any distance, with the file at `path`; at least itself."""
        if any(self.imported(changed) != imported for changed, imported in self._before.items()):
            self._components.clear()
        self._before.clear()
        if path not in self._components:
            self._find_components(path)
        return self._components[path]

    def _find_components(self, start: str) -> None:
        """Tarjan's algorithm over what can be reached from one file, without recursion."""
        number: dict[str, int] = {start: 0}
        low: dict[str, int] = {start: 0}
        stack = [start]
        on_stack = {start}
        work: list[tuple[str, Iterator[str]]] = [(start, iter(self.imported(start)))]
        while work:
            self._index.may_read(len(number))
            path, targets = work[-1]
            for target in targets:
                if target in self._components:
                    continue
                if target not in number:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(self.imported(target))))
                    break
                if target in on_stack:
                    low[path] = min(low[path], number[target])
            else:
                work.pop()
                if work:
                    around = work[-1][0]
                    low[around] = min(low[around], low[path])
                if low[path] == number[path]:
                    members = {stack.pop()}
                    while path not in members:
                        members.add(stack.pop())
                    on_stack -= members
                    self._components.update(dict.fromkeys(members, frozenset(members)))


def import_graph(index: Index) -> ImportGraph:
    """The import graph of a workspace, which lasts as long as its index."""
    return index.lasting_fact(("import graph",), lambda: ImportGraph(index))


def _packages(index: Index, directory: str) -> list[str]:
    found: list[str] = []
    root = index.layout.workspace_root(directory)
    while directory != root and directory != os.path.dirname(directory):
        init = os.path.join(directory, "__init__.py")
        if index.files.is_file(init):
            found.append(init)
        directory = os.path.dirname(directory)
    return found[::-1]


def _names(listed: bytes) -> Iterator[str]:
    for item in _COMMENT.sub(b"", listed).replace(b"\\", b" ").split(b","):
        words = item.split()
        if words and words[0] != b"*":
            yield words[0].decode(errors="replace")
