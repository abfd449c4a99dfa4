"""What happens when a module of an import cycle is imported first: which name is not bound yet, and where."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pybackend_lint.finding import Position
from pybackend_lint.project.import_graph import ImportGraph, import_graph
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_MOST_MODULES = 120  # of a cycle; each is tried as the first one


@dataclass(frozen=True, slots=True)
class Link:
    """An import statement of a cycle: the file it stands in, its place, and the file that it runs."""

    path: str
    start: Position
    target: str


@dataclass(frozen=True, slots=True)
class Unbound:
    """A `from` import that fails in some order of imports.

    - `entry`: the file whose import fails when it comes first.
    - `path`, `start`: the statement that fails; `name` is what it asks for.
    - `is_late`: the statement stands below a definition, as somebody puts it who knows of the cycle.
    - `chain`: the imports from the module that is still running to the one with that statement, which
      goes back to it.
    """

    entry: str
    path: str
    start: Position
    name: str
    chain: tuple[Link, ...]
    is_late: bool


@dataclass(slots=True)
class _Import:
    """An import statement: the files that it runs, and for `from` what it wants of the last of them."""

    start: Position
    targets: tuple[str, ...]
    names: tuple[tuple[str, str], ...] = ()  # (name, file of the submodule of that name or nothing)
    base: str = ""
    is_late: bool = False  # below a definition, where only somebody puts it who knows of the cycle


@dataclass(slots=True)
class _Program:
    """What a module does at its top level, as far as imports of others can see it."""

    steps: list[_Import | str] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    early: set[str] = field(default_factory=set)  # names whose time of binding is not known
    is_open: bool = False  # any name may be there


def failing_imports(module: Module) -> list[Unbound]:
    """The `from` imports in a module that fail when another module of its import cycle is imported first.

    Modules with Django's models never come after others: Django imports all of them when it starts.
    """
    index = module.modules
    assert isinstance(index, Index)
    path = index.path_of(module)
    members = import_graph(index).component(path)
    if not 1 < len(members) <= _MOST_MODULES:
        return []
    index.consult(path, members - {path})
    cycles = index.lasting_fact(("import cycles",), _Cycles)
    if not cycles.failing(index, members, ()):
        return []
    found = cycles.failing(index, members, _django_models(index, module))
    return [failure for failure in found if failure.path == path]


class _Cycles:
    """What is known about import cycles; kept while what their modules do at the top level stays the same."""

    def __init__(self) -> None:
        self._programs: dict[str, _Program] = {}
        self._failing: dict[tuple[str, tuple[str, ...]], tuple[dict[str, _Program], tuple[Unbound, ...]]] = {}

    def failing(self, index: Index, members: frozenset[str], models: tuple[str, ...]) -> tuple[Unbound, ...]:
        """The imports that fail in a cycle when `models` come before the others."""
        programs: dict[str, _Program] = {}
        for path in members:
            program = self._programs.get(path)
            if program is None:
                module = index.at(path)
                if module is None:
                    return ()
                program = self._programs[path] = _program(module, index)
            programs[path] = program
        key = (min(members), models)
        known = self._failing.get(key)
        if known is None or known[0] != programs:
            known = self._failing[key] = programs, _failing(index, programs, models)
        return known[1]

    def follow(self, path: str, old: bytes | None, new: bytes | None) -> bool:
        """Take over a file's new content; see `project.index.Following`."""
        self._programs.pop(path, None)
        return new is not None


def _django_models(index: Index, module: Module) -> tuple[str, ...]:
    """The modules of a project that Django imports as models of its apps."""
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(
        ("modules of django models", root),
        lambda: tuple(
            path
            for path in files_with(index, module, b"django.db")
            if os.path.basename(path) == "models.py" or os.path.basename(os.path.dirname(path)) == "models"
        ),
    )


def _failing(index: Index, programs: dict[str, _Program], models: tuple[str, ...]) -> tuple[Unbound, ...]:
    found: dict[tuple[str, Position, str], Unbound] = {}
    for entry in sorted(programs.keys() - set(models)):
        run = _Run(index, programs)
        run.start_all(models)
        failure = run.start(entry)
        if failure is not None and not failure.is_late:
            found.setdefault((failure.path, failure.start, failure.name), failure)
    return tuple(_one_a_cycle(found.values()))


def _one_a_cycle(failures: Iterable[Unbound]) -> Iterator[Unbound]:
    """One failure for each cycle, the shortest first: breaking that mends those it shares modules with."""
    reported: list[set[str]] = []
    for failure in sorted(failures, key=lambda failure: (len(failure.chain), failure.path, failure.start)):
        modules = {link.path for link in failure.chain} | {failure.path}
        if all(len(modules & other) < 2 for other in reported):
            reported.append(modules)
            yield failure


class _Run:
    """One process that imports modules one after the other."""

    def __init__(self, index: Index, programs: dict[str, _Program]) -> None:
        self._graph: ImportGraph = import_graph(index)
        self._programs = programs
        self._done: set[str] = set()
        self._bound: dict[str, set[str]] = {}  # of the modules that are running
        self._links: list[Link] = []
        self._entry = ""

    def start_all(self, paths: Iterable[str]) -> None:
        """Import modules of which it is known that they can be imported."""
        for path in paths:
            self.start(path)
            self._bound.clear()
            self._links.clear()

    def start(self, entry: str) -> Unbound | None:
        """Import a module after its packages; the first import that fails ends everything."""
        self._entry = entry
        order = (*self._graph.packages_around(entry), entry)
        return next((failure for failure in map(self._run, order) if failure is not None), None)

    def _run(self, path: str) -> Unbound | None:
        if path in self._done or path in self._bound:
            return None
        program = self._programs.get(path)
        self._bound[path] = set(program.early) if program is not None else set()
        failure = self._run_known(path, program) if program is not None else self._run_other(path)
        if failure is None:
            self._bound.pop(path, None)
            self._done.add(path)
        return failure

    def _run_other(self, path: str) -> Unbound | None:
        for target in self._graph.imported(path):
            failure = self._run(target)
            if failure is not None:
                return failure
        return None

    def _run_known(self, path: str, program: _Program) -> Unbound | None:
        for step in program.steps:
            if isinstance(step, str):
                self._bound[path].add(step)
                continue
            for target in step.targets:
                failure = self._follow(path, step, target)
                if failure is not None:
                    return failure
            for name, below in step.names:
                if self._has(step.base, name):
                    continue
                failure = self._follow(path, step, below) if below else None
                if not below and step.base != path and self._lacks(step.base, name):
                    failure = Unbound(
                        self._entry, path, step.start, name, self._chain(step.base), step.is_late
                    )
                if failure is not None:
                    return failure
        return None

    def _follow(self, path: str, step: _Import, target: str) -> Unbound | None:
        self._links.append(Link(path, step.start, target))
        failure = self._run(target)
        self._links.pop()
        return failure

    def _has(self, path: str, name: str) -> bool:
        """Whether a module of the cycle has bound a name."""
        program = self._programs.get(path)
        return program is not None and name in program.names and name in self._bound.get(path, program.names)

    def _lacks(self, path: str, name: str) -> bool:
        """Whether a module of the cycle is running and will certainly bind a name, but has not yet."""
        program = self._programs.get(path)
        return program is not None and not program.is_open and name in program.names and path in self._bound

    def _chain(self, base: str) -> tuple[Link, ...]:
        """The links that are being followed, from the module `base` on."""
        first = next((i for i, link in enumerate(self._links) if link.path == base), 0)
        return tuple(self._links[first:])


def _program(module: Module, index: Index) -> _Program:
    program = _Program(
        names=frozenset(module.scope.bindings),
        is_open=bool(module.scope.stars) or b"sys.modules" in module.source.data,
    )
    bound: dict[int, list[str]] = {}
    for name, bindings in module.scope.bindings.items():
        for binding in bindings:
            bound.setdefault(id(binding.node), []).append(name)
    if "__getattr__" in module.scope.bindings or "globals()" in module.source.text:
        program.is_open = True
    placed: set[str] = set()
    is_late = False
    for node, certain in _top_level(module.source.tree.body):
        if certain and isinstance(node, (ast.Import, ast.ImportFrom)):
            step = _import(node, module, index)
            step.is_late = is_late
            program.steps.append(step)
        is_late = is_late or isinstance(node, (*FUNCTIONS, ast.ClassDef))
        names = bound.get(id(node), ())
        program.steps += names
        placed.update(names)
    program.early = set(module.scope.bindings) - placed
    program.early.update(("__name__", "__file__", "__doc__", "__path__", "__package__", "__spec__"))
    return program


def _import(node: ast.Import | ast.ImportFrom, module: Module, index: Index) -> _Import:
    path = index.path_of(module)
    graph = import_graph(index)
    start = module.source.position(module.source.start(node))
    if isinstance(node, ast.Import):
        targets = [target for alias in node.names for target in graph.files_of(path, 0, alias.name)]
        return _Import(start, tuple(dict.fromkeys(targets)))
    dotted = node.module or ""
    files = graph.files_of(path, node.level, dotted)
    names: list[tuple[str, str]] = []
    for alias in node.names:
        below = graph.files_of(path, node.level, dotted, alias.name)
        names.append((alias.name, below[-1] if below else ""))
    return _Import(start, files, tuple(names), files[-1] if files else "")


def _top_level(body: list[ast.stmt]) -> Iterator[tuple[ast.AST, bool]]:
    """The statements that run when a module does, in order, and whether they certainly do."""
    for statement in body:
        match statement:
            case ast.If(test=test):
                if not is_type_checking(test):
                    yield from _uncertain(statement.body)
                yield from _uncertain(statement.orelse)
            case ast.Try() | ast.TryStar():
                yield from _uncertain(statement.body)
                for handler in statement.handlers:
                    yield handler, False
                    yield from _uncertain(handler.body)
                yield from _uncertain(statement.orelse)
                yield from _uncertain(statement.finalbody)
            case ast.For() | ast.While() | ast.With():
                yield statement, True
                yield from _uncertain(statement.body)
                yield from _uncertain(getattr(statement, "orelse", []))
            case ast.Match(cases=cases):
                yield statement, True
                for case in cases:
                    yield from _uncertain(case.body)
            case _:
                yield statement, True


def _uncertain(body: list[ast.stmt]) -> Iterator[tuple[ast.AST, bool]]:
    for statement, _ in _top_level(body):
        yield statement, False


def is_type_checking(test: ast.expr) -> bool:
    """Whether a condition holds for type checkers only."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def module_names(paths: Iterable[str], module: Module) -> list[str]:
    """The names of some files' modules, as an import statement says them."""
    index = module.modules
    assert isinstance(index, Index)
    return [import_names(index, path)[0] for path in paths]


def import_names(index: Index, path: str) -> list[str]:
    """The dotted names by which a file can be imported, the most likely first."""
    directory = os.path.dirname(path)
    names: dict[str, None] = {}
    for root in index.layout.import_roots(directory):
        if path.startswith(root + os.sep):
            relative = os.path.relpath(path, root).removesuffix(".py").removesuffix(f"{os.sep}__init__")
            names[relative.replace(os.sep, ".")] = None
    return list(names) or [index.layout.module_name(path)]
