"""The modules of a workspace, found and read only when somebody asks for them."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar, cast

from pybackend_lint.project.files import Files, imports_of, is_below, is_group, outdated, words_of
from pybackend_lint.project.layout import Layout
from pybackend_lint.semantic.circles import Circles
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Provider
from pybackend_lint.source import Source, SourceError, words

_STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)

Fact = TypeVar("Fact")


class Postponed(Exception):
    """A question needs to read more files than may be read now."""


class Following(Protocol):
    """A fact about many files that can follow a change of one of them, for less than computing it again."""

    def follow(self, path: str, old: bytes | None, new: bytes | None) -> bool:
        """Take over a file's new content; False when the fact has to be computed again.

        `old` is the content before, `new` the content now; None where it is not at hand.
        """


class Libraries:
    """What the frameworks say about names outside the project.

    - `providers`: top-level package to the framework that knows it.
    - `bases`: library class to its bases, as far as they matter.
    - `aliases`: other names of the same thing, whole names or prefixes that end in a dot.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider] | None = None,
        bases: Mapping[str, tuple[str, ...]] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.providers = dict(providers or {})
        self.bases = dict(bases or {})
        self.aliases = {old: new for old, new in (aliases or {}).items() if not old.endswith(".")}
        self.prefixes = {old: new for old, new in (aliases or {}).items() if old.endswith(".")}
        self._old_prefixes = tuple(self.prefixes)

    def canonical(self, name: str) -> str:
        """The name under which the frameworks know a library's name."""
        known = self.aliases.get(name)
        if known is not None:
            return known
        if name.startswith(self._old_prefixes):
            for old, new in self.prefixes.items():
                if name.startswith(old):
                    return self.canonical(new + name.removeprefix(old))
        return name


class Index:
    """The modules of one workspace (or several), by path and by qualified name.

    Nothing depends on the order in which files are asked for. `keep` is how many bytes of source
    text may be held as trees; a byte of text takes about sixty.
    """

    keep = 8_000_000
    most_files: int | None = None  # how many files one question may read at present

    def __init__(self, files: Files, layout: Layout, libraries: Libraries) -> None:
        self._held = 0
        self.files = files
        self.layout = layout
        self.libraries = libraries
        self.circles = Circles()
        self.consulted: dict[str, set[str]] = {}
        self._readers: dict[str, set[str]] = {}  # `consulted` the other way round
        self.missed: dict[str, set[str]] = {}
        self._by_path: dict[str, Module | None] = {}
        self._sources: dict[str, Source] = {}  # of modules that have to be computed again
        self._paths: dict[str, str] = {}  # qualified name of a module -> path
        self._canonical: dict[tuple[str, str], tuple[str, str | None]] = {}
        self._belows: dict[tuple[str, str], str | None] = {}
        self._homes: dict[str, tuple[Module, str] | None] = {}
        self._mros: dict[str, tuple[str, ...]] = {}
        self._facts: dict[tuple[object, ...], object] = {}
        self._lasting: dict[tuple[object, ...], object] = {}
        self._groups_of_facts: dict[tuple[object, ...], set[str]] = {}
        # The groups of files that mention something, with the words of it.
        self._mentions: dict[str, set[bytes]] = {}
        self._rests: set[str] = set()  # the groups that the fact under way rests on
        self._checked = ""  # the file that is being checked

    # Files

    def add(self, path: str, data: bytes) -> Module:
        """The module of a file that is being checked, whose content was read already.

        It may turn out not to parse; then call `discard`.
        """
        self._checked = path
        module = self._by_path.get(path)
        if module is None or module.source.data != data:
            source = self._sources.pop(path, None)
            if source is None or source.data != data:
                source = Source(path, data)
            module = self._new_module(path, source)
            self._by_path[path] = module
        return module

    def begin(self, path: str) -> None:
        """Record that what is asked from now on is asked for a file, which may be no module."""
        self._checked = path

    def discard(self, path: str) -> None:
        """Treat a file as one that has no names, because it cannot be parsed."""
        self._by_path[path] = None
        self._homes.clear()

    def trim(self) -> None:
        """Forget all modules when they hold more than can be kept; call it between two files.

        What a module says is computed again when somebody asks.
        """
        if self._held > self.keep:
            self._held = 0
            self._facts.clear()
            self._groups_of_facts.clear()
            for module in self._by_path.values():
                if module is not None:
                    module.forget()
            self._by_path.clear()
            self._sources.clear()
            self._homes.clear()

    def change(self, path: str, source: Source | None) -> set[str]:
        """Follow the change of a file's content: all that rests on it is computed again when asked for.

        `source` is the new content, which can be parsed, or None when the file is to be read again, if
        there still is one. The trees of other files are kept. Returns the paths of the files about which
        answers rested on this one, directly or not, without it.
        """
        old = self._by_path.get(path)
        if old is not None and source is not None and old.source.data == source.data:
            return set()
        new = source.data if source is not None else self.files.read(path)
        self._follow(path, old.source.data if old is not None else None, new)
        data = new or b""
        known = words(data)
        imports = self.consulted.get(imports_of(path), set())
        others = [
            group
            for group, needed in self._mentions.items()
            if needed <= known and path not in self.consulted[group]
        ]
        changed = outdated(path, data, known, [*imports, *others])
        affected = self._invalidate({path, *changed}, path)
        for group in imports & changed:
            self._forget_reader(group)
            imports.remove(group)
            self._unlink(imports_of(path), group)
        if source is not None:
            self._sources[path] = source
        return affected

    def appear(self, path: str) -> set[str]:
        """Follow that a module's file was made or deleted; returns what `change` returns.

        The file must not be one that decides about roots, such as `manage.py` or `__init__.py`.
        """
        directory = os.path.dirname(path)
        self.files.listings.pop(directory, None)
        self._belows.clear()
        base = path.removesuffix(".py")
        changed = {module for module, missed in self.missed.items() if base in missed}
        changed |= {group for group in self.consulted if is_below(directory, group)}
        self._follow(path, None, None)
        return self._invalidate({path, directory, *changed}, path)

    def _follow(self, path: str, old: bytes | None, new: bytes | None) -> None:
        """Forget the facts, except those that can follow a change."""
        for facts in (self._facts, self._lasting):
            kept = {key: cast("Following", fact) for key, fact in facts.items() if hasattr(fact, "follow")}
            facts.clear()
            for key, fact in kept.items():
                if fact.follow(path, old, new):
                    facts[key] = fact
        self._groups_of_facts = {
            key: groups for key, groups in self._groups_of_facts.items() if key in self._facts
        }

    def _invalidate(self, changed: set[str], path: str) -> set[str]:
        """Let all that rests on changed files be computed again; the tree of `path` is no longer valid."""
        affected = set(changed)
        pending = [*changed]
        while pending:
            readers = self._readers.get(pending.pop(), set()) - affected
            affected |= readers
            pending.extend(readers)
        for other in affected:
            module = self._by_path.pop(other, None)
            if module is not None:
                self._held -= len(module.source.data)
                if other != path:
                    self._sources[other] = module.source
                module.forget(keep_source=other != path)
            self.missed.pop(other, None)
            if not is_group(other):
                self._forget_reader(other)
        self._sources.pop(path, None)
        self._canonical.clear()
        self._homes.clear()
        return {other for other in affected if other != path and not is_group(other)}

    def _forget_reader(self, reader: str) -> None:
        for path in self.consulted.pop(reader, ()):
            self._unlink(reader, path)

    def _unlink(self, reader: str, path: str) -> None:
        readers = self._readers[path]
        readers.remove(reader)
        if not readers:
            del self._readers[path]

    def _new_module(self, path: str, source: Source) -> Module:
        name = self.layout.module_name(path)
        self._paths[name] = path
        self._homes.clear()  # what was nobody's name may be of this module
        self._held += len(source.data)
        return Module(name, source, self, is_package=os.path.basename(path).startswith("__init__."))

    def path_of(self, module: Module) -> str:
        """The path of a module's file (of the directory, for a namespace package)."""
        return module.source.path

    def at(self, path: str, asker: Module | None = None) -> Module | None:
        """The module of a file or of a directory without `__init__.py`; None when it cannot be parsed."""
        if asker is not None:
            self.consult(self.path_of(asker), (path,))
        if path in self._by_path:
            return self._by_path[path]
        module: Module | None = None
        source = self._sources.pop(path, None)
        if source is None:
            data = b"" if self.files.is_directory(path) else self.files.read(path)
            source = Source(path, data) if data is not None else None
        if source is not None:
            try:
                source.tree  # noqa: B018  (a module that cannot be parsed has no names)
            except SourceError:
                pass
            else:
                module = self._new_module(path, source)
        self._by_path[path] = module
        return module

    def content(self, path: str) -> bytes:
        """The content of a file; empty when there is none that can be read."""
        module = self._by_path.get(path)
        return module.source.data if module is not None else self.files.read(path) or b""

    def text(self, path: str, asker: Module) -> bytes | None:
        """The content of a file that is no module, None without one; what is known of `asker` rests on it."""
        self.consult(self.path_of(asker), (path,))
        return self.files.content(path)

    def dependencies(self, path: str) -> tuple[frozenset[str], frozenset[str]]:
        """The files whose content the answers about a file came from, and the paths looked for in vain."""
        seen = {path}
        pending = [path]
        missed: set[str] = set()
        while pending:
            current = pending.pop()
            missed |= self.missed.get(current, set())
            for other in self.consulted.get(current, ()):
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
        return frozenset(seen - {path}), frozenset(missed)

    def fact(self, key: tuple[object, ...], compute: Callable[[], Fact]) -> Fact:
        """A fact computed once under a key; frameworks keep what they learn about names here."""
        if key not in self._facts:
            around, self._rests = self._rests, set()
            try:
                self._facts[key] = compute()
            finally:
                rests, self._rests = self._rests, around
                self._rests |= rests
            self.circles.note(self._facts, key)
            if rests:
                self._groups_of_facts[key] = rests
        elif key in self._groups_of_facts:
            for group in self._groups_of_facts[key]:
                self.rest_on(group)
        return self._facts[key]  # type: ignore[return-value]

    def lasting_fact(self, key: tuple[object, ...], compute: Callable[[], Fact]) -> Fact:
        """A small fact that `trim` does not forget; it must not hold modules, trees or their nodes."""
        if key not in self._lasting:
            self._lasting[key] = compute()
        return self._lasting[key]  # type: ignore[return-value]

    def consult(self, reader: str, paths: Iterable[str]) -> None:
        """Record that answers about a file, or a group of files, rest on what some paths hold."""
        known = self.consulted.setdefault(reader, set())
        for path in set(paths) - known:
            known.add(path)
            self._readers.setdefault(path, set()).add(reader)

    def rest_on(self, group: str, paths: Iterable[str] = ()) -> None:
        """Record that what is being computed rests on all files of a group, whatever they hold.

        `group` is a name for them that is no path of a file; `paths` are added to the group.
        """
        self._rests.add(group)
        self.consult(self._checked, (group,))
        self.know(group, paths)

    def know(self, group: str, paths: Iterable[str]) -> None:
        """Record which files a group has, without resting on it."""
        self.consult(group, paths)
        if group not in self._mentions and (needed := words_of(group)) is not None:
            self._mentions[group] = needed

    def may_read(self, files: int) -> None:
        """Raise `Postponed` when a question must not read so many files now; ask before they are read."""
        if self.most_files is not None and files > self.most_files:
            raise Postponed

    # Imports

    def _below(self, directory: str, name: str) -> str | None:
        """The file or directory of the module `name` in a directory."""
        key = (directory, name)
        if key not in self._belows:
            self._belows[key] = self._find_below(directory, name)
        return self._belows[key]

    def _find_below(self, directory: str, name: str) -> str | None:
        listing = self.files.listing(directory)
        if listing.get(name) is True:
            package = os.path.join(directory, name)
            if "__init__.py" in self.files.listing(package):
                return os.path.join(package, "__init__.py")
            if listing.get(f"{name}.py") is False:
                return os.path.join(directory, f"{name}.py")
            return package
        return os.path.join(directory, f"{name}.py") if listing.get(f"{name}.py") is False else None

    def below(self, directory: str, name: str) -> str | None:
        """The file or directory of the module of a name in a directory."""
        return self._below(directory, name)

    def _descend(self, top: str, parts: list[str]) -> tuple[str, int]:
        """The path of the longest dotted prefix that is a module, and the number of parts it took."""
        path, taken = top, 1
        for part in parts[1:]:
            directory = os.path.dirname(path) if path.endswith("__init__.py") else path
            if path.endswith(".py") and not path.endswith("__init__.py"):
                break
            below = self._below(directory, part)
            if below is None:
                break
            path, taken = below, taken + 1
        return path, taken

    def _resolve(self, dotted: str, asker: Module) -> tuple[str, list[str]] | None:
        """The path of the module in a dotted name and the names that remain behind it."""
        return self._resolve_from(dotted, asker.source.path)

    def imported(self, own: str, level: int, dotted: str) -> tuple[str, list[str]] | None:
        """What an import in the file `own` leads to, by looking at directories only.

        The path of a file or directory of the workspace and the names that remain behind it.
        """
        if level == 0:
            found = self._resolve_from(dotted, own)
        else:
            directory = os.path.dirname(own)
            for _ in range(level - 1):
                directory = os.path.dirname(directory)
            init = os.path.join(directory, "__init__.py")
            parts = [part for part in dotted.split(".") if part]
            path, taken = self._descend(init if self.files.is_file(init) else directory, ["", *parts])
            found = path, parts[taken - 1 :]
        return found

    def _resolve_from(self, dotted: str, own: str) -> tuple[str, list[str]] | None:
        parts = dotted.split(".")
        top = parts[0]
        if top in _STANDARD_LIBRARY:
            return None
        namespace: tuple[str, list[str]] | None = None
        for root in self.layout.import_roots(os.path.dirname(own)):
            path = self._below(root, top)
            # a module does not import itself, but the `__init__.py` of a package imports what is below it
            if path is None or (path == own and not path.endswith("__init__.py")):
                if top not in self.libraries.providers:
                    self.missed.setdefault(own, set()).add(os.path.join(root, top))
                continue
            path, taken = self._descend(path, parts)
            if taken > 1 or path.endswith(".py"):
                return path, parts[taken:]
            if namespace is None and len(parts) == 1 and top not in self.libraries.providers:
                if not own.startswith(path + os.sep) or self.layout.is_top(root):
                    namespace = path, parts[taken:]
        return namespace

    def canonical(self, dotted: str, asker: Module) -> str:
        """The qualified name that an absolute dotted name, as written in `asker`, leads to."""
        own = asker.source.path
        key = (os.path.dirname(own), dotted)
        known = self._canonical.get(key)
        if known is None:
            found = self._resolve(dotted, asker)
            if found is None:
                known = self.libraries.canonical(dotted), None
            else:
                path, rest = found
                module = self.at(path, asker)
                name = module.name if module is not None else self.layout.module_name(path)
                for part in rest:
                    name = self.member_name(name, part)
                known = name, path
            self._canonical[key] = known
            self.circles.note(self._canonical, key)
        elif known[1] is not None:
            self.consult(own, (known[1],))
        elif dotted.partition(".")[0] not in _STANDARD_LIBRARY:
            self._resolve(dotted, asker)  # records where it was looked for
        return known[0]

    def imported_name(self, dotted: str, name: str, asker: Module) -> str:
        """The qualified name that `from dotted import name`, as written in `asker`, leads to.

        A name that a package binds itself comes before its module of that name.
        """
        found = self._resolve(f"{dotted}.{name}", asker)
        if found is not None and not found[1]:
            folder = os.path.dirname(found[0].removesuffix(f"{os.sep}__init__.py"))
            path = os.path.join(folder, "__init__.py")
            content = self.content(path) if path != asker.source.path else b""
            if content:
                self.consult(self.path_of(asker), (path,))
            if name.encode() in content:
                package = self.at(path, asker)
                if package is not None and name in package.scope.bindings:
                    return package.export(name) or self.canonical(f"{dotted}.{name}", asker)
        return self.canonical(f"{dotted}.{name}", asker)

    def import_module(self, dotted: str, asker: Module) -> Module | None:
        """The project module that an absolute dotted name means in `asker`."""
        found = self._resolve(dotted, asker)
        return self.at(found[0], asker) if found is not None and not found[1] else None

    def submodule(self, package: Module, name: str) -> Module | None:
        """A module directly below a package."""
        path = self.path_of(package)
        below = self._below(os.path.dirname(path) if path.endswith(".py") else path, name)
        return self.at(below, package) if below is not None else None

    def relative(self, asker: Module, level: int, dotted: str) -> str | None:
        """The qualified name of a relative import's module; None when it leaves the workspace."""
        directory = os.path.dirname(self.path_of(asker))
        for _ in range(level - 1):
            directory = os.path.dirname(directory)
        init = os.path.join(directory, "__init__.py")
        path = init if self.files.is_file(init) else directory
        parts = [part for part in dotted.split(".") if part]
        path, taken = self._descend(path, ["", *parts])
        module = self.at(path, asker)
        if module is None:
            return None
        return ".".join([module.name, *parts[taken - 1 :]])

    # Names

    def module(self, name: str) -> Module | None:
        """The project module of a qualified name."""
        path = self._paths.get(name)
        return self.at(path) if path is not None else None

    def owns(self, name: str) -> bool:
        """Whether a qualified name is of the project."""
        while name:
            if name in self._paths:
                return True
            name = name.rpartition(".")[0]
        return False

    def _home(self, name: str) -> tuple[Module, str] | None:
        """The module of a qualified name and the rest of the name inside it."""
        if name not in self._homes:
            self._homes[name] = self._find_home(name)
        return self._homes[name]

    def _find_home(self, name: str) -> tuple[Module, str] | None:
        prefix, rest = name, ""
        while prefix:
            path = self._paths.get(prefix)
            if path is not None:
                module = self.at(path)
                return (module, rest) if module is not None else None
            prefix, _, last = prefix.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
        return None

    def local_name(self, name: str) -> str:
        """A qualified name as a reader of its module knows it: project names without their module."""
        home = self._home(name)
        return home[1] or name if home is not None else name

    def _definition(self, name: str) -> tuple[Module, Binding] | None:
        home = self._home(name)
        if home is None or not home[1]:
            return None
        module, path = home
        binding = module.definition(path)
        return (module, binding) if binding is not None else None

    def class_info(self, name: str) -> ClassInfo | None:
        """The project class of a qualified name."""
        found = self._definition(name)
        if found is None or not isinstance(found[1].node, ast.ClassDef):
            return None
        return found[0].class_info_of(found[1].node)

    def function_info(self, name: str) -> FunctionInfo | None:
        """The project function or method of a qualified name."""
        found = self._definition(name)
        if found is None or not isinstance(found[1].node, FUNCTIONS):
            return None
        return found[0].function_info(found[1].node)

    def variable_bindings(self, name: str) -> tuple[Module, list[Binding]] | None:
        """All assignments that may bind a module variable of the project."""
        home = self._home(name)
        if home is None or not home[1] or "." in home[1]:
            return None
        module, path = home
        bindings = module.exit_bindings(path)
        if not bindings or any(binding.kind not in {"assign", "declare", "type"} for binding in bindings):
            return None
        return module, bindings

    def variable(self, name: str) -> tuple[Module, Binding] | None:
        """The assignment that binds a module variable of the project, when there is exactly one."""
        found = self.variable_bindings(name)
        return (found[0], found[1][0]) if found is not None and len(found[1]) == 1 else None

    def member_name(self, owner: str, name: str) -> str:
        """The qualified name of an attribute of a project module or class, or of a library's name."""
        if not self.owns(owner):
            return self.libraries.canonical(f"{owner}.{name}")
        module = self.module(owner)
        if module is not None:
            exported = module.export(name)
            if exported is None and module.is_package:
                self.submodule(module, name)  # in a circle of imports, the name of what lies below
            return exported or f"{owner}.{name}"
        info = self.class_info(owner)
        if info is not None:
            found = info.member(name)
            if found is not None:
                return f"{found[0].name}.{name}"
        return f"{owner}.{name}"

    # Libraries

    def provider(self, name: str) -> Provider | None:
        """The framework that knows a qualified name outside the project."""
        return self.libraries.providers.get(name.partition(".")[0])

    def library_mro(self, name: str) -> tuple[str, ...]:
        """A library class and the bases of it that matter, nearest first."""
        known = self._mros.get(name)
        if known is None:
            found = [name]
            for base in self.libraries.bases.get(name, ()):
                found.extend(item for item in self.library_mro(base) if item not in found)
            known = self._mros[name] = tuple(found)
        return known
