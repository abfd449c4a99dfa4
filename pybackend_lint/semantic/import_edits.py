"""Edits that add, extend, move and remove imports, so that isort and ruff accept the result.

The order is the default one of ruff's rule I001, which isort's profile `black` shares: sections
separated by a blank line, `import` before `from`, constants before classes before other names.
Where a file keeps another order, its order is kept.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import cast

from pybackend_lint.edits import apply, line_edits
from pybackend_lint.finding import Edit
from pybackend_lint.semantic.import_removal import (
    Import,
    ImportedName,
    is_bracketed,
    is_type_checking,
    last_row,
    local_name,
    module_of,
    modules_of,
    names_of,
    orphaned,
    remove_names,
    target_of,
    unused_since,
)
from pybackend_lint.semantic.scopes import COMPREHENSIONS, FUNCTIONS, Binding, build_scope
from pybackend_lint.source import Source

Taken = Callable[[str], bool]

_FUTURE, _STANDARD, _THIRD_PARTY, _FIRST_PARTY, _RELATIVE = range(5)
_LINE_LENGTH = 88
_LONGEST_LINE_LENGTH = 120
# Packages that are never the project's own, whatever a folder on the way to the file is called.
_FRAMEWORKS = frozenset(
    (
        "alembic", "django", "fastapi", "flask", "flask_sqlalchemy", "httpx", "jwt", "pydantic",
        "pydantic_settings", "pytest", "pytest_asyncio", "requests", "rest_framework", "sqlalchemy",
        "starlette", "typing_extensions", "werkzeug",
    )
)  # fmt: skip
_DEFINITIONS = (*FUNCTIONS, ast.ClassDef)

SortKey = tuple[object, ...]

__all__ = [
    "ImportedName",
    "add_import",
    "move_import",
    "orphaned",
    "remove_names",
    "replace_imports",
    "unused_since",
]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be imported: a name of a module, or the module itself when `name` is None.

    Relative modules begin with their dots.
    """

    module: str
    name: str | None
    alias: str | None = None

    @property
    def dotted(self) -> str:
        return self.module if self.name is None else _join(self.module, self.name)

    @property
    def local(self) -> str:
        """The name that the import binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def expression(self) -> str:
        """The expression that refers to what is imported."""
        return self.alias or self.name or self.module

    @property
    def member(self) -> str:
        return f"{self.name} as {self.alias}" if self.alias else str(self.name)

    @property
    def statement(self) -> str:
        if self.name is not None:
            return f"from {self.module} import {self.member}"
        return f"import {self.module} as {self.alias}" if self.alias else f"import {self.module}"


def add_import(
    source: Source,
    dotted: str,
    *,
    alias: str | None = None,
    taken: Taken | None = None,
    from_import: bool = True,
    first_party: Callable[[str], bool] | None = None,
) -> tuple[str, tuple[Edit, ...]]:
    """The expression that refers to a qualified name, and the edits that import it.

    There are no edits when the module already imports the name (under any alias) or its module.

    - `dotted`: such as `sqlalchemy.select`; `.models.User` for a relative import.
    - `alias`: the local name of a new import.
    - `taken`: whether a name is bound, where the expression is going to be written, by a scope
      inside the module (a parameter, a local variable). Without it, every such binding of the file
      counts. A taken name is neither used nor shadowed: the import gets an alias.
    - `from_import`: `from sqlalchemy import select` rather than `import sqlalchemy.select`, which is
      what a module of that name needs.
    - `first_party`: whether a top-level package belongs to the project; without it, the layout of
      the imports and the file's path tell.

    Raises `SourceError` when the source cannot be parsed.
    """
    if taken is None and first_party is None:
        key = ("import", dotted, alias, from_import)
        if key not in source.memo:
            source.memo[key] = _add_import(
                source, _wanted(dotted, alias, from_import=from_import), None, None
            )
        return cast("tuple[str, tuple[Edit, ...]]", source.memo[key])
    return _add_import(source, _wanted(dotted, alias, from_import=from_import), taken, first_party)


def _add_import(
    source: Source, wanted: _Wanted, taken: Taken | None, first_party: Callable[[str], bool] | None
) -> tuple[str, tuple[Edit, ...]]:
    if _guarded_name(source, wanted) is None:
        return _Adder(source, (), taken, first_party).add(wanted)
    expressions, edits = _change(source, [wanted], [], taken, first_party)
    return expressions[0], edits


def replace_imports(
    source: Source,
    add: Sequence[str],
    remove: Iterable[ImportedName],
    *,
    taken: Taken | None = None,
    first_party: Callable[[str], bool] | None = None,
) -> tuple[tuple[str, ...], tuple[Edit, ...]]:
    """Import qualified names and remove imported ones at once: the expressions, and the edits.

    Unlike edits of `add_import` and `remove_names` taken together, these never overlap. For the
    arguments see those functions.
    """
    wanted, removed = [_wanted(dotted, None, from_import=True) for dotted in add], list(remove)
    if taken is not None or first_party is not None:
        return _change(source, wanted, removed, taken, first_party)
    # The same imports are asked for at every finding of a file, and each answer parses it anew.
    key = ("imports", tuple(wanted), tuple(id(name) for _, name in removed))
    if key not in source.memo:
        source.memo[key] = _change(source, wanted, removed, None, None)
    return cast("tuple[tuple[str, ...], tuple[Edit, ...]]", source.memo[key])


def move_import(
    source: Source,
    statement: ast.stmt,
    name: ast.alias,
    *,
    first_party: Callable[[str], bool] | None = None,
) -> tuple[Edit, ...]:
    """The edits that import a name at run time that is imported in an `if TYPE_CHECKING:` block."""
    module, imported = target_of(statement, name)
    wanted = _Wanted(module, imported, name.asname)
    return _change(source, [wanted], [(statement, name)], lambda _: False, first_party, exact=True)[1]


def _wanted(dotted: str, alias: str | None, *, from_import: bool) -> _Wanted:
    if not from_import or "." not in dotted:
        return _Wanted(dotted, None, alias)
    dots = len(dotted) - len(dotted.lstrip("."))
    module, _, name = dotted[dots:].rpartition(".")
    return _Wanted("." * dots + module, name, alias)


def _join(module: str, name: str) -> str:
    return module + name if module.endswith(".") else f"{module}.{name}"


def _change(
    source: Source,
    wanted: Sequence[_Wanted],
    removed: Sequence[ImportedName],
    taken: Taken | None,
    first_party: Callable[[str], bool] | None,
    *,
    exact: bool = False,
) -> tuple[tuple[str, ...], tuple[Edit, ...]]:
    """Add and then remove imports, one after the other, as edits of the original text."""
    expressions: list[str] = []
    current, going = source, list(removed)
    for one in wanted:
        guarded = None if exact else _guarded_name(current, one)
        if guarded is not None and all(name is not guarded[1] for _, name in going):
            one = _Wanted(one.module, one.name, guarded[1].asname)
            going.append(guarded)
        expression, edits = _Adder(current, going, taken, first_party, exact=exact).add(one)
        expressions.append(expression)
        current, going = _after(current, edits, going)
    current, _ = _after(current, remove_names(current, going), [])
    return tuple(expressions), line_edits(source.text, current.text)


def _after(
    source: Source, edits: Iterable[Edit], going: Sequence[ImportedName]
) -> tuple[Source, list[ImportedName]]:
    """The source after edits of imports, and the same imported names in its tree."""
    written = [Edit(edit.start, edit.end, edit.text.replace("\n", source.newline)) for edit in edits]
    if not written:
        return source, list(going)
    text = apply(source.text, written)
    changed = Source(source.path, b"")
    changed.text = text
    wanted = [_identity(source, statement, name) for statement, name in going]
    found = {
        _identity(changed, statement, name): (statement, name)
        for statement in _import_statements(changed)
        for name in names_of(statement)
    }
    return changed, [found[identity] for identity in wanted if identity in found]


def _identity(source: Source, statement: ast.stmt, name: ast.alias) -> tuple[object, ...]:
    """What tells an imported name from all others of the file, also after edits of other imports."""
    around = [type(node).__name__ for node in source.ancestors(statement)]
    return (*target_of(statement, name), name.asname, *around)


def _import_statements(source: Source) -> list[Import]:
    found: list[Import] = [*source.nodes(ast.Import), *source.nodes(ast.ImportFrom)]
    return sorted(found, key=lambda statement: (statement.lineno, statement.col_offset), reverse=True)


def _guarded_name(source: Source, wanted: _Wanted) -> ImportedName | None:
    """The import of the wanted name in an `if TYPE_CHECKING:` block, when it is imported only there."""
    found = None
    for statement in source.tree.body:
        for inner in statement.body if is_type_checking(statement) else [statement]:  # type: ignore[attr-defined]
            for name in names_of(inner):
                if target_of(inner, name) == (wanted.module, wanted.name):
                    if inner is statement:
                        return None
                    found = found or (inner, name)
    return found


class _Adder:
    """Adds one import to a module; `going` are imported names that count as removed already.

    With `exact`, only an import under the wanted local name will do.
    """

    def __init__(
        self,
        source: Source,
        going: Sequence[ImportedName],
        taken: Taken | None,
        first_party: Callable[[str], bool] | None,
        *,
        exact: bool = False,
    ) -> None:
        self.source = source
        self.going = {id(name) for _, name in going}
        self.taken = taken
        self.first_party = first_party
        self.exact = exact
        self.module_scope = build_scope(source, source.tree)

    def add(self, wanted: _Wanted) -> tuple[str, tuple[Edit, ...]]:
        """The expression for what is wanted, and the edits that it needs."""
        expression = self._existing(wanted)
        if expression is not None:
            return expression, ()
        extended = self._extendable(wanted)
        if extended is None and not self.exact:
            through = self._through_module(wanted)
            if through is not None:
                return through, ()
        free = self._under_free_name(wanted)
        if extended is not None and (free.alias is None or self._combines_aliases(extended)):
            return free.expression, _extended(self.source, extended, free, _limit(self.source))
        return free.expression, (self._insertion(free),)

    def _existing(self, wanted: _Wanted) -> str | None:
        for top, statement, name in self._available():
            if _Wanted(*target_of(statement, name)).dotted != wanted.dotted:
                continue
            local = local_name(statement, name)
            if self.exact and local != wanted.local:
                continue
            if self._usable(local, top, wanted.dotted):
                return name.asname or (name.name if isinstance(statement, ast.Import) else local)
        return None

    def _through_module(self, wanted: _Wanted) -> str | None:
        """`sa.select` where `import sqlalchemy as sa` is there."""
        if wanted.name is None or wanted.alias is not None:
            return None
        for top, statement, name in self._available():
            if _Wanted(*target_of(statement, name)).dotted == wanted.module:
                local = local_name(statement, name)
                if self._usable(local, top, wanted.module):
                    bound = name.asname or (name.name if isinstance(statement, ast.Import) else local)
                    return f"{bound}.{wanted.name}"
        return None

    def _available(self) -> Iterator[tuple[ast.stmt, ast.stmt, ast.alias]]:
        """The imports that certainly run when the module does, with their top-level statements."""
        for top in self.source.tree.body:
            for statement in _running(top):
                for name in names_of(statement):
                    if id(name) in self.going or name.name == "*":
                        continue
                    if statement is top or _always_binds(top, local_name(statement, name)):
                        yield top, statement, name

    def _usable(self, local: str, top: ast.stmt, dotted: str) -> bool:
        """Whether a name that `top` binds still means what it imports where it is going to be used."""
        for binding in self.module_scope.bindings.get(local, ()):
            if not self._harmless(binding.node, local, dotted) and not self._within(binding.node, top):
                return False
        return not self._hidden(local, dotted)

    def _hidden(self, local: str, dotted: str) -> bool:
        """Whether an inner scope binds a name to something else."""
        if self.taken is not None:
            return self.taken(local)
        return any(not self._harmless(binding.node, local, dotted) for binding in self._inner_bindings(local))

    def _inner_bindings(self, local: str) -> Iterator[Binding]:
        source = self.source
        if not re.search(rf"\b{re.escape(local)}\b", source.text):
            return
        for cls in (*FUNCTIONS, *COMPREHENSIONS, ast.Lambda, ast.ClassDef):
            for node in source.nodes(cls):
                for binding in build_scope(source, node).bindings.get(local, ()):
                    # A method does not hide a name from the code of other methods.
                    if cls is not ast.ClassDef or binding.kind != "function":
                        yield binding

    def _harmless(self, node: ast.AST, local: str, dotted: str) -> bool:
        """Whether a binding is an import of the same thing, or is going to be removed."""
        if not isinstance(node, Import):
            return False
        return all(
            id(name) in self.going or self._binds_same(node, name, dotted)
            for name in names_of(node)
            if local_name(node, name) == local
        )

    def _binds_same(self, node: Import, name: ast.alias, dotted: str) -> bool:
        module, imported = target_of(node, name)
        if isinstance(node, ast.Import) and name.asname is None:
            return module.partition(".")[0] == dotted.partition(".")[0]
        return _Wanted(module, imported).dotted == dotted

    def _within(self, node: ast.AST, top: ast.stmt) -> bool:
        return node is not top and not isinstance(top, Import) and top in self.source.ancestors(node)

    def _under_free_name(self, wanted: _Wanted) -> _Wanted:
        """What is wanted under a local name that means nothing else in the module."""
        if self._free(wanted.local, wanted) or self.exact:
            return wanted
        name = wanted.name or wanted.module.rpartition(".")[2]
        parts = [part for part in wanted.module.split(".") if part]
        owner = parts[-1] if wanted.name and parts else "imported"
        choices = [f"_{name}", f"{owner}_{name}", *(f"{owner}_{name}_{number}" for number in range(2, 100))]
        alias = next((choice for choice in choices if self._free(choice, wanted)), choices[-1])
        return _Wanted(wanted.module, wanted.name, alias)

    def _free(self, local: str, wanted: _Wanted) -> bool:
        dotted = wanted.dotted
        bindings = self.module_scope.bindings.get(local, ())
        if any(not self._harmless(binding.node, local, dotted) for binding in bindings):
            return False
        if self._hidden(local, dotted):
            return False
        if not bindings and (self.module_scope.stars or hasattr(builtins, local)):
            # Code that reads the built-in or star-imported name would read the import instead.
            return not any(name.id == local for name in self.source.nodes(ast.Name))
        return True

    def _extendable(self, wanted: _Wanted) -> ast.ImportFrom | None:
        """The statement to extend, unless the module has one statement for each name."""
        if wanted.name is None:
            return None
        found = [
            statement
            for statement in _header(self.source.tree)
            if isinstance(statement, ast.ImportFrom)
            and module_of(statement) == wanted.module
            and statement.names[0].name != "*"
        ]
        plain = [statement for statement in found if any(name.asname is None for name in statement.names)]
        if len(plain) > 1 and all(len(statement.names) == 1 for statement in plain):
            return None
        return plain[0] if plain else None

    def _combines_aliases(self, statement: ast.ImportFrom) -> bool:
        """Whether the statement names aliases beside other names, which isort does on request only."""
        return len({name.asname is None for name in statement.names}) > 1

    def _insertion(self, wanted: _Wanted) -> Edit:
        source = self.source
        line = wanted.statement
        if wanted.name is not None and len(line) > _limit(source):
            line = f"from {wanted.module} import (\n    {wanted.member},\n)"
        if wanted.module == "__future__":
            return self._first_insertion(line, spaced=True)
        run = self._run(wanted)
        if not run:
            return self._first_insertion(line, spaced=False)
        sections = self._sections(run)
        section = self._section(wanted, run, sections)
        same = [one for one, its in zip(run, sections, strict=True) if its == section]
        if same:
            return self._sorted_insertion(line, wanted, run, same)
        before = [one for one, its in zip(run, sections, strict=True) if its < section]
        after = [one for one, its in zip(run, sections, strict=True) if its > section]
        separated = self._separates_sections(run, sections)
        if before:
            tight = bool(after) and not _blank_rows_between(source, before[-1], after[0])
            text = f"\n{line}\n" if separated else f"{line}\n"
            return self._insert_after(before[-1], text + ("\n" if separated and tight else ""))
        return self._insert_before(run, after[0], f"{line}\n\n" if separated else f"{line}\n")

    def _run(self, wanted: _Wanted) -> list[Import]:
        """The block of imports that the new one joins."""
        runs: list[list[Import]] = [[]]
        for statement in _header(self.source.tree):
            if isinstance(statement, Import):
                runs[-1].append(statement)
            elif runs[-1]:
                runs.append([])
        runs = [run for run in runs if run]
        package = _package(wanted.module)
        for run in runs:
            if any(_package(module) == package for one in run for module in modules_of(one)):
                return run
        for run in runs:
            if any("__future__" not in modules_of(one) for one in run):
                return run
        return runs[0] if runs else []

    def _sections(self, run: Sequence[Import]) -> list[int]:
        """The section of each import of a block.

        Imports that no blank line separates are in one section, whatever we know about packages:
        isort may not have been told which ones are the project's own.
        """
        groups: list[list[Import]] = []
        for previous, statement in pairwise([None, *run]):
            assert statement is not None
            if previous is None or _blank_rows_between(self.source, previous, statement):
                groups.append([])
            groups[-1].append(statement)
        sections: list[int] = []
        unknown = _THIRD_PARTY
        for group in groups:
            known = [self._known_section(modules_of(statement)[0]) for statement in group]
            told = [section for section in known if section in {_THIRD_PARTY, _FIRST_PARTY}]
            verdict = min((section for section in told if section is not None), default=unknown)
            if told or None in known:
                unknown = _FIRST_PARTY
            sections += [verdict if section is None or section in told else section for section in known]
        return sections

    def _known_section(self, module: str) -> int | None:
        """The section of a module, or None when it may be a third party's or the project's own."""
        if module.startswith("."):
            return _RELATIVE
        package = _package(module)
        if package == "__future__":
            return _FUTURE
        if package in sys.stdlib_module_names:
            return _STANDARD
        if self.first_party is not None:
            return _FIRST_PARTY if self.first_party(package) else _THIRD_PARTY
        if package in _FRAMEWORKS:
            return _THIRD_PARTY
        return _FIRST_PARTY if package in PurePath(self.source.path).parts[:-1] else None

    def _section(self, wanted: _Wanted, run: Sequence[Import], sections: Sequence[int]) -> int:
        package = _package(wanted.module)
        if not wanted.module.startswith("."):
            for statement, section in zip(run, sections, strict=True):
                if _package(modules_of(statement)[0]) == package:
                    return section
        return self._known_section(wanted.module) or _THIRD_PARTY

    def _separates_sections(self, run: Sequence[Import], sections: Sequence[int]) -> bool:
        """Whether the module has blank lines between sections."""
        borders = [
            _blank_rows_between(self.source, one, other)
            for (one, section), (other, following) in pairwise(zip(run, sections, strict=True))
            if section != following
        ]
        return any(borders) or not borders

    def _sorted_insertion(
        self, line: str, wanted: _Wanted, run: Sequence[Import], same: Sequence[Import]
    ) -> Edit:
        key: Callable[[str, bool, SortKey], SortKey]
        for key in (_by_kind, _by_module):
            keys = [_statement_key(statement, key) for statement in same]
            if all(one <= other for one, other in pairwise(keys)):
                own = key(wanted.module, wanted.name is not None, _member_rank(wanted))
                following = next((at for at, one in enumerate(keys) if one > own), None)
                if following == 0:
                    return self._insert_before(run, same[0], f"{line}\n")
                return self._insert_after(same[-1 if following is None else following - 1], f"{line}\n")
        package = _package(wanted.module)
        related = [one for one in same if _package(modules_of(one)[0]) == package]
        return self._insert_after((related or list(same))[-1], f"{line}\n")

    def _first_insertion(self, line: str, *, spaced: bool) -> Edit:
        """Insert a module's first import: behind docstring and header, before everything else."""
        source = self.source
        body = source.tree.body
        documented = bool(body) and ast.get_docstring(source.tree, clean=False) is not None
        rest = body[1:] if documented else body
        following = _first_row(rest[0]) if rest else None
        if documented:
            row = _physical_end(body, body[0]) + 1
        else:
            row = 1
            while source.line(row).startswith("#") and (following is None or row < following):
                row += 1
        blank = 0
        while row + blank < len(source.line_starts) and not source.line(row + blank).strip():
            blank += 1
        needed = 0
        if rest:
            needed = 2 if isinstance(rest[0], _DEFINITIONS) and not spaced else 1
        lead = "\n" if documented or (row > 1 and blank) else ""
        return self._insert_rows(row, f"{lead}{line}\n" + "\n" * max(0, needed - blank))

    def _insert_after(self, statement: ast.stmt, text: str) -> Edit:
        return self._insert_rows(_physical_end(self.source.tree.body, statement) + 1, text)

    def _insert_before(self, run: Sequence[Import], statement: ast.stmt, text: str) -> Edit:
        """Insert before a statement and the comments above it, which stay with it.

        Comments above the first import are about the file.
        """
        row = statement.lineno
        if statement is not run[0]:
            while self.source.line(row - 1).lstrip().startswith("#"):
                row -= 1
        return self._insert_rows(row, text)

    def _insert_rows(self, row: int, text: str) -> Edit:
        """Insert whole lines before a row."""
        starts = self.source.line_starts
        if row <= len(starts):
            return Edit(starts[row - 1], starts[row - 1], text)
        end = len(self.source.text)
        return Edit(end, end, "\n" + text.removesuffix("\n"))


def _running(top: ast.stmt) -> Iterator[ast.stmt]:
    """The statements that run with a top-level one, but for those that only type checkers read."""
    yield top
    if isinstance(top, _DEFINITIONS):
        return
    for field in ("body", "handlers", "orelse", "finalbody"):
        if field == "body" and is_type_checking(top):
            continue
        for inner in getattr(top, field, ()):
            yield from _running(inner)


def _always_binds(statement: ast.AST, name: str) -> bool:
    """Whether a name is bound whenever a statement has run without raising."""

    def block(body: Iterable[ast.AST]) -> bool:
        return any(_always_binds(inner, name) for inner in body)

    match statement:
        case ast.Import() | ast.ImportFrom():
            return any(local_name(statement, alias) == name for alias in statement.names)
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Name) and target.id == name for target in targets)
        case ast.AnnAssign(target=ast.Name(id=target), value=value):
            return value is not None and target == name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return statement.name == name
        case ast.If(body=body, orelse=orelse):
            return not is_type_checking(statement) and block(body) and block(orelse)
        case ast.With(body=body):
            return block(body)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            handled = all(block(one.body) or isinstance(one.body[-1], ast.Raise) for one in handlers)
            return block(finalbody) or (handled and (block(body) or block(orelse)))
    return False


def _header(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements before the first function or class: imports behind may run after a use."""
    for statement in tree.body:
        if isinstance(statement, _DEFINITIONS):
            return
        yield statement


def _package(module: str) -> str:
    return module.partition(".")[0]


def _natural(text: str) -> SortKey:
    """Sorts numbers inside text by their value."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text))


def _type_rank(name: str) -> int:
    """Constants come before classes before other names, judged by how they are written."""
    if len(name) > 1 and name.isupper():
        return 0
    return 1 if name[:1].isupper() else 2


def _module_rank(module: str) -> SortKey:
    dots = len(module) - len(module.lstrip("."))
    return (-dots, _natural(module.lower()), _natural(module))


def _member_rank(member: _Wanted | ast.alias) -> SortKey:
    alias = member.alias if isinstance(member, _Wanted) else member.asname
    return (*_name_rank(member.name or ""), alias or "")


def _name_rank(name: str) -> SortKey:
    return (_type_rank(name), _natural(name.lower()), _natural(name))


def _by_kind(module: str, is_from: bool, member: SortKey) -> SortKey:
    return (is_from, _module_rank(module), member)


def _by_module(module: str, is_from: bool, member: SortKey) -> SortKey:
    return (_module_rank(module), is_from, member)


def _statement_key(statement: Import, key: Callable[[str, bool, SortKey], SortKey]) -> SortKey:
    if isinstance(statement, ast.ImportFrom):
        return key(module_of(statement), True, _member_rank(statement.names[0]))
    name = statement.names[0]
    return key(name.name, False, (*_name_rank(""), name.asname or ""))


def _limit(source: Source) -> int:
    """How long a line may become: what formatters allow, or more where the imports already do."""
    longest = _LINE_LENGTH
    for statement in source.tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.lineno == statement.end_lineno:
            length = len(source.line(statement.lineno))
            if longest < length <= _LONGEST_LINE_LENGTH and "#" not in source.line(statement.lineno):
                longest = length
    return longest


def _first_row(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, _DEFINITIONS) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _physical_end(body: Sequence[ast.stmt], statement: ast.stmt) -> int:
    """The last row of a statement and of those that follow it on the same line."""
    row = last_row(statement)
    for other in body:
        if other.lineno == row and last_row(other) > row:
            return _physical_end(body, other)
    return row


def _blank_rows_between(source: Source, one: ast.stmt, other: ast.stmt) -> int:
    rows = range(last_row(one) + 1, other.lineno)
    return sum(not source.line(row).strip() for row in rows)


def _extended(source: Source, statement: ast.ImportFrom, wanted: _Wanted, limit: int) -> tuple[Edit, ...]:
    """The edits that add a name to a `from` import, in the style that it is written in."""
    names = statement.names
    at = _place(names, wanted)
    member = wanted.member
    first = source.start(names[0])
    bracketed = is_bracketed(source, statement)
    rows = [name.lineno for name in names]
    if bracketed and len(set(rows)) == len(rows) and rows[0] > statement.lineno:
        return _extended_by_row(source, statement, member, at)
    anchor = names[at - 1] if at else names[0]
    row = source.line(last_row(anchor))
    code = row.partition("#")[0].rstrip()
    fits = len(code) + len(member) + 2 <= limit
    if at == 0:
        inline = Edit(first, first, f"{member}, ")
    else:
        inline = Edit(source.end(anchor), source.end(anchor), f", {member}")
    if fits or (not bracketed and statement.lineno != last_row(statement)):
        return (inline,)
    if bracketed:
        if at == 0:
            return (inline,)
        column = min(
            source.position(source.start(name)).column for name in names if name.lineno == anchor.lineno
        )
        return (Edit(inline.start, inline.end, f",\n{' ' * (column - 1)}{member}"),)
    trailing = row[source.position(source.end(statement)).column - 1 :].strip()
    if statement.col_offset or (trailing and not trailing.startswith("#")):
        return (inline,)
    members = [source.segment(name) for name in names]
    members.insert(at, member)
    listed = "".join(f"    {one},\n" for one in members)
    end = source.line_starts[statement.lineno - 1] + len(row)
    return (Edit(first, end, f"({f'  {trailing}' if trailing else ''}\n{listed})"),)


def _extended_by_row(source: Source, statement: ast.ImportFrom, member: str, at: int) -> tuple[Edit, ...]:
    """The edits that add a name where every name has a line of its own."""
    names = statement.names
    starts = source.line_starts
    indent = source.line(names[0].lineno)[: source.position(source.start(names[0])).column - 1]
    if at == 0:
        start = starts[names[0].lineno - 1]
        return (Edit(start, start, f"{indent}{member},\n"),)
    previous = names[at - 1]
    end = source.end(previous)
    line_end = starts[last_row(previous)]
    rest = source.text[end:line_end]
    if at < len(names) or rest.lstrip().startswith(","):
        return (Edit(line_end, line_end, f"{indent}{member},\n"),)
    if rest.strip() and not rest.lstrip().startswith("#"):
        return (Edit(end, end, f",\n{indent}{member}"),)  # the closing bracket follows the last name
    return (Edit(end, end, ","), Edit(line_end, line_end, f"{indent}{member}\n"))


def _place(names: Sequence[ast.alias], wanted: _Wanted) -> int:
    """Where a name belongs among the names of a statement, in the order that these are in."""
    ranks: list[Callable[[str], SortKey]] = [
        _name_rank,
        lambda name: (_natural(name.lower()), name),
        lambda name: (name,),
    ]
    for rank in ranks:
        keys = [rank(name.name) for name in names]
        if all(one <= other for one, other in pairwise(keys)):
            own = rank(str(wanted.name))
            return next((at for at, key in enumerate(keys) if key > own), len(names))
    return len(names)
