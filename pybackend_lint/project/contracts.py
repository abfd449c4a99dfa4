"""Contracts of an existing import-linter configuration, and the imports that break them."""

from __future__ import annotations

import ast
import configparser
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pybackend_lint.finding import Position
from pybackend_lint.project.import_graph import import_graph
from pybackend_lint.project.import_order import import_names, is_type_checking
from pybackend_lint.project.index import Index
from pybackend_lint.project.project import Project
from pybackend_lint.semantic.module import Module

# As import-linter looks for them: the first file that has its section counts.
_FILES = ("setup.cfg", ".importlinter", "pyproject.toml")
_MOST_MODULES = 3_000  # on the way of an indirect import


@dataclass(frozen=True, slots=True)
class Group:
    """Modules that a contract speaks of as one: a module with all below it, or a single one."""

    name: str
    rank: int = 0  # of a layer, 0 is the highest
    independent: bool = True  # whether a layer's other groups of the same rank must not be imported
    container: str = ""
    as_package: bool = True

    def holds(self, module: str) -> bool:
        """Whether a module belongs to the group."""
        return module == self.name or (self.as_package and module.startswith(f"{self.name}."))


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract of a kind that is understood: `layers`, `forbidden`, `independence` or `protected`.

    `place` is the file that has it and the line of its name. `sources` are the groups whose imports it
    judges, `targets` those it may forbid them. Of a contract of the kind `protected`, `sources` are the
    groups that alone may import the targets.
    """

    name: str
    place: tuple[str, Position]
    kind: str
    sources: tuple[Group, ...]
    targets: tuple[Group, ...]
    ignored: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = ()
    indirect: bool = True

    def forbids(self, source: Group, target: Group) -> bool:
        """Whether modules of one group must not import those of another."""
        if self.kind == "forbidden":
            return True
        if source.name == target.name or source.container != target.container:
            return False
        if self.kind == "independence":
            return True
        return target.rank < source.rank or (target.rank == source.rank and source.independent)

    def protects(self, importer: str, imported: str) -> bool:
        """Whether a contract of the kind `protected` keeps one module from importing another."""
        return not any(group.holds(importer) for group in self.sources) and any(
            target.holds(imported) and not target.holds(importer) for target in self.targets
        )

    def ignores(self, importer: str, imported: str) -> bool:
        """Whether the contract leaves one import out."""
        return any(a.fullmatch(importer) and b.fullmatch(imported) for a, b in self.ignored)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What import-linter checks: the packages that it looks at, and its contracts."""

    packages: tuple[str, ...]
    contracts: tuple[Contract, ...]
    for_types: bool = True  # whether imports for type checkers count

    def name_of(self, index: Index, path: str) -> str:
        """The name of a file's module in one of the packages; empty when it is in none."""
        names = import_names(index, path)
        return next((name for name in names if name.partition(".")[0] in self._tops), "")

    @property
    def _tops(self) -> frozenset[str]:
        return frozenset(package.partition(".")[0] for package in self.packages)


@dataclass(frozen=True, slots=True)
class ImportLink:
    """An import: whose, of what, where it stands and the file it leads to (empty outside the project)."""

    importer: str
    imported: str
    path: str
    start: Position
    target: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A chain of imports that a contract forbids; the first link stands in the module that is judged."""

    contract: Contract
    chain: tuple[ImportLink, ...]


def violations(module: Module, project: Project) -> list[Violation]:
    """The imports of a module that break a contract, themselves or through others, in source order."""
    index = project.index
    settings = _configuration(project)
    if settings is None:
        return []
    name = settings.name_of(index, index.path_of(module))
    found: list[Violation] = []
    for contract in settings.contracts:
        if contract.kind == "protected":
            found += (
                Violation(contract, (link,))
                for link in _links(index, index.path_of(module), settings)
                if contract.protects(name, link.imported) and not contract.ignores(name, link.imported)
            )
            continue
        for source in contract.sources:
            if source.holds(name):
                for link in _links(index, index.path_of(module), settings):
                    chain = _forbidden_chain(index, link, source, contract, settings)
                    if chain is not None:
                        found.append(Violation(contract, chain))
    return sorted(found, key=lambda violation: (violation.chain[0].start, violation.contract.name))


def _forbidden_chain(
    index: Index, first: ImportLink, source: Group, contract: Contract, settings: Configuration
) -> tuple[ImportLink, ...] | None:
    """The shortest chain that starts with a link and ends in what the contract forbids, around its groups."""
    if contract.ignores(first.importer, first.imported):
        return None
    around = (*contract.sources, *contract.targets)
    seen = {first.imported}
    pending: list[tuple[ImportLink, ...]] = [(first,)]
    for chain in pending:
        link = chain[-1]
        for target in contract.targets:
            if target.holds(link.imported) and contract.forbids(source, target):
                return chain
        if not contract.indirect or any(group.holds(link.imported) for group in around):
            continue
        for further in _links(index, link.target, settings) if link.target else ():
            if further.imported not in seen and len(seen) < _MOST_MODULES:
                if not contract.ignores(further.importer, further.imported):
                    seen.add(further.imported)
                    pending.append((*chain, further))
    return None


# Imports


def _links(index: Index, path: str, settings: Configuration) -> tuple[ImportLink, ...]:
    return index.lasting_fact(
        ("imports for contracts", path, settings.for_types, settings.packages),
        lambda: tuple(_imports(index, path, settings)),
    )


def _imports(index: Index, path: str, settings: Configuration) -> Iterator[ImportLink]:
    module = index.at(path)
    if module is None:
        return
    own = settings.name_of(index, path)
    if not own:
        return
    graph = import_graph(index)
    source = module.source
    statements: list[ast.Import | ast.ImportFrom] = [*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)]
    found: dict[str, ImportLink] = {}
    for statement in sorted(statements, key=lambda node: (node.lineno, node.col_offset)):
        if not settings.for_types and _is_for_types(statement, module):
            continue
        start = source.position(source.start(statement))
        for level, dotted, name in _asked_for(statement):
            files = graph.files_of(path, level, dotted, name) if name else ()
            files = files or graph.files_of(path, level, dotted)
            target = files[-1] if files else ""
            imported = settings.name_of(index, target) if target else dotted.partition(".")[0]
            if imported and imported != own:
                found.setdefault(imported, ImportLink(own, imported, path, start, target))
    yield from found.values()
    for link in found.values():
        index.consult(path, {link.target} - {""})


def _asked_for(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str, str]]:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield 0, alias.name, ""
    else:
        for alias in statement.names:
            yield statement.level, statement.module or "", "" if alias.name == "*" else alias.name


def _is_for_types(statement: ast.stmt, module: Module) -> bool:
    return any(
        isinstance(node, ast.If) and is_type_checking(node.test)
        for node in module.source.ancestors(statement)
    )


# Configuration


def _configuration(project: Project) -> Configuration | None:
    index = project.index
    roots = dict.fromkeys((project.root, index.layout.workspace_root(project.root)))
    for root in roots:
        found = index.lasting_fact(("import contracts", root), lambda root=root: _read(index, root))  # type: ignore[misc]
        if found is not None:
            return found
    return None


def _read(index: Index, root: str) -> Configuration | None:
    for name in _FILES:
        path = os.path.join(root, name)
        data = index.files.read(path)
        if data is None or b"importlinter" not in data:
            continue
        text = data.decode("utf-8-sig", errors="replace")
        options = _toml(text) if name.endswith(".toml") else _ini(text)
        if options is not None:
            return _configured(*options, path, text)
    return None


def _toml(text: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    try:
        table = tomllib.loads(text).get("tool", {}).get("importlinter")
    except (tomllib.TOMLDecodeError, AttributeError, RecursionError):
        return None
    if not isinstance(table, dict):
        return None
    contracts = table.get("contracts", [])
    return table, [contract for contract in contracts if isinstance(contract, dict)]


def _ini(text: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    if not parser.has_section("importlinter"):
        return None
    named = (section for section in parser.sections() if section.startswith("importlinter:contract"))
    return dict(parser["importlinter"]), [dict(parser[section]) for section in named]


def _configured(
    options: Mapping[str, Any], contracts: list[Mapping[str, Any]], path: str, text: str
) -> Configuration:
    packages = (*_listed(options.get("root_packages")), *_listed(options.get("root_package")))
    for_types = str(options.get("exclude_type_checking_imports", "")).lower() not in {"true", "1", "yes"}
    found = (_contract(contract, path, text) for contract in contracts)
    return Configuration(packages, tuple(contract for contract in found if contract is not None), for_types)


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        value = value.splitlines()
    return [str(item).strip() for item in value if str(item).strip()] if isinstance(value, list) else []


# The options that name the sources and the targets of a kind of contract.
_PAIRS = {
    "forbidden": ("source_modules", "forbidden_modules"),
    "protected": ("allowed_importers", "protected_modules"),
}


def _contract(options: Mapping[str, Any], path: str, text: str) -> Contract | None:
    kind = str(options.get("type", ""))
    name = str(options.get("name", kind))
    place = path, _named(name, text)
    ignored = tuple(
        (_pattern(before), _pattern(behind))
        for before, arrow, behind in (item.partition("->") for item in _listed(options.get("ignore_imports")))
        if arrow
    )
    if kind == "layers":
        groups = tuple(_layers(_listed(options.get("layers")), _listed(options.get("containers")) or [""]))
        return Contract(name, place, kind, groups, groups, ignored)
    as_package = str(options.get("as_packages", "true")).lower() != "false"
    if kind == "independence":
        groups = tuple(Group(module) for module in _listed(options.get("modules")))
        return Contract(name, place, kind, groups, groups, ignored) if _are_plain(groups) else None
    if kind in _PAIRS:
        sources, targets = (
            tuple(Group(module, as_package=as_package) for module in _listed(options.get(key)))
            for key in _PAIRS[kind]
        )
        indirect = str(options.get("allow_indirect_imports", "")).lower() != "true"
        if _are_plain((*sources, *targets)):
            return Contract(name, place, kind, sources, targets, ignored, indirect)
    return None


def _named(name: str, text: str) -> Position:
    """Where a configuration names a contract; its first line where the name is written in another way."""
    found = re.search(
        rf"""^[ \t]*(?:name|type)\s*=\s*["']?{re.escape(name)}["']?[ \t]*$""", text, re.MULTILINE
    )
    return Position(text.count("\n", 0, found.start()) + 1 if found is not None else 1, 1)


def _are_plain(groups: tuple[Group, ...]) -> bool:
    """Whether no group is written with wildcards, which need the list of all modules."""
    return bool(groups) and not any("*" in group.name for group in groups)


def _layers(layers: list[str], containers: list[str]) -> Iterator[Group]:
    for container in containers:
        prefix = f"{container}." if container else ""
        for rank, layer in enumerate(layers):
            for item in re.split(r"[|:]", layer):
                name = item.strip().strip("()").strip()
                yield Group(f"{prefix}{name}", rank, ":" not in layer, container)


def _pattern(expression: str) -> re.Pattern[str]:
    """A module expression of import-linter: `*` stands for one part of a name, `**` for any number."""
    parts = (re.escape(part).replace(r"\*", r"[^.]+") for part in expression.strip().split("**"))
    return re.compile(r"[^.]+(?:\.[^.]+)*".join(parts))
