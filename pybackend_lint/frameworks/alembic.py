"""Facts about Alembic: its operations, the columns that revisions add, and how they follow each other."""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pybackend_lint.finding import Position, Related
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.fastapi import argument
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.project.files import mentions_below
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type, context_manager, instance
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

ROOTS = ("alembic",)
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {
    "alembic.operations.base.": "alembic.operations.",
}

_OPERATIONS = "alembic.op"
_BATCH = "alembic.operations.BatchOperations"
# A column of these fills itself in, also in the rows that exist.
_FILLED = frozenset({"Computed", "Identity", "FetchedValue"})
# Types of columns, and of the defaults that are written in SQL like in Python.
_VALUES = {
    "Boolean": bool,
    **dict.fromkeys(("Integer", "BigInteger", "SmallInteger"), int),
    **dict.fromkeys(("String", "Text", "Unicode", "UnicodeText"), str),
}
_MYSQL_DRIVERS = ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy")
_POSTGRESQL_DRIVERS = (
    "psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "asyncpg", "pg8000",
)  # fmt: skip


class AlembicKnowledge(Knowledge):
    """Types of what operations give."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The operations on one table, whose name they carry as their fact."""
        if callee.name == f"{_OPERATIONS}.batch_alter_table":
            return context_manager(instance(_BATCH, fact=_name(argument(call, 0, "table_name"))))
        return None


KNOWLEDGE = AlembicKnowledge()


def required_column(call: ast.Call, ctx: Context) -> ast.Call | None:
    """The column that an `add_column` gives a table with rows, which have no value for it; else None.

    PostgreSQL, SQLite, SQL Server and Oracle refuse a `NOT NULL` column without default as soon as there
    is a row; MySQL fills in an empty value, so its projects are left out. A table that the same function
    creates or empties has no rows.
    """
    callee = ctx.type_of(call.func)
    if callee is None:
        return None
    if callee.name == f"{_OPERATIONS}.add_column":
        table: object = _name(argument(call, 0, "table_name"))
        column = argument(call, 1, "column")
    elif callee.name == f"{_BATCH}.add_column" and callee.receiver is not None:
        table = callee.receiver.fact
        column = argument(call, 0, "column")
    else:
        return None
    if not isinstance(column, ast.Call) or not _is_required(column, ctx.module):
        return None
    function = ctx.enclosing_function(call)
    if not isinstance(function, ast.FunctionDef) or "upgrade" not in function.name:
        return None
    if _is_for_mysql(ctx) or _may_have_no_rows(table, ctx.function_info(function)):
        return None
    return column


def _is_required(column: ast.Call, module: Module) -> bool:
    """Whether a column is `NOT NULL`, and neither the database nor the revision has a value for it."""
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    if None in given or any(isinstance(argument, ast.Starred) for argument in column.args):
        return False
    nullable, default = given.get("nullable"), given.get("server_default")
    if not isinstance(nullable, ast.Constant) or nullable.value is not False:
        return False
    if default is not None and not (isinstance(default, ast.Constant) and default.value is None):
        return False
    if given.keys() & {"primary_key", "autoincrement"}:
        return False  # a key is a SERIAL on PostgreSQL
    if any(isinstance(part, ast.Call) and last_name(part.func) in _FILLED for part in column.args):
        return False
    return library_name(column.func, module) == names.COLUMN


def default_for_rows(column: ast.Call, ctx: Context) -> tuple[ast.expr, str] | None:
    """The value of a column's `default` and the `server_default` that gives the same; None where unsure."""
    given = {keyword.arg: keyword.value for keyword in column.keywords}
    value = given.get("default")
    kind = next(
        (last_name(part.func if isinstance(part, ast.Call) else part) for part in column.args[1:]), ""
    )
    if not isinstance(value, ast.Constant) or type(value.value) is not _VALUES.get(kind):
        return None
    if "server_default" in given or not isinstance(column.func, ast.Attribute):
        return None
    sqlalchemy = ctx.text(column.func.value)
    match value.value:
        case bool(truth):
            return value, f"{sqlalchemy}.{'true' if truth else 'false'}()"
        case int(number):
            return value, f'{sqlalchemy}.text("{number}")'
    return value, ctx.text(value)


def _is_for_mysql(ctx: Context) -> bool:
    if b"mysql" in ctx.source.data:
        return True
    declares = ctx.project.versions.declares
    return any(map(declares, _MYSQL_DRIVERS)) and not any(map(declares, _POSTGRESQL_DRIVERS))


def _may_have_no_rows(table: object, function: FunctionInfo) -> bool:
    """Whether a function of a revision creates a table or removes rows, as far as can be seen."""
    for call in function.own(ast.Call):
        word = last_name(call.func)
        if word == "delete" or (word == "create_table" and _name(argument(call, 0, "table_name")) == table):
            return True
    texts = (node.value.upper() for node in function.own(ast.Constant) if isinstance(node.value, str))
    return any(words in text for text in texts for words in ("DELETE FROM", "TRUNCATE", "CREATE TABLE"))


def _name(node: ast.expr | None) -> str | None:
    """The name of a table: as the text says, or what stands for it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ast.unparse(node) if node is not None else None


# Revisions


@dataclass(frozen=True, slots=True)
class Revision:
    """What a file says about its place among the revisions of its folder.

    - `parents`: what `down_revision` names; `branched`: whether it has a label or depends on another branch.
    - `created`: the date in its docstring, empty when there is none; `row`: that of `revision = "..."`.
    """

    path: str
    name: str
    parents: tuple[str, ...]
    branched: bool
    created: str
    row: int


class Fault(NamedTuple):
    """What is wrong with the place of a revision among others: a message about one of its variables.

    Where there are several heads there is no message, but `heads` are all of them.
    """

    variable: str
    message: str | None
    related: tuple[Related, ...] = ()
    heads: tuple[str, ...] = ()


_VARIABLES = re.compile(
    rb"^(revision|down_revision|branch_labels|depends_on)\b[^=\n]*=[ \t]*(\([^()]*\)|\[[^][]*\]|[^\n#]*)",
    re.MULTILINE,
)
_CREATED = re.compile(rb"^Create Date: *(.*?) *$", re.MULTILINE)
_MENTION = b"down_revision"
_SEVERAL_FOLDERS = b"version_locations"


def fault_of_revision(module: Module) -> Fault | None:
    """What keeps Alembic from running the revisions up to this one; None where nothing is known to.

    Of several heads, the youngest is at fault.
    """
    index = module.modules
    assert isinstance(index, Index)
    path = index.path_of(module)
    directory = os.path.dirname(path)
    known = index.fact(("alembic revisions", directory), lambda: _revisions(index, directory))
    this = next((revision for revision in known if revision.path == path), None)
    if this is None:
        return None
    names = Counter(revision.name for revision in known)
    lost = [parent for parent in this.parents if parent not in names]
    if lost:
        return Fault("down_revision", f"Name a revision that exists: no file here is `{lost[0]}`")
    if names[this.name] > 1:
        same = sorted((revision for revision in known if revision.name == this.name), key=_age)
        message = f"Give this revision a name of its own: another file is `{this.name}` as well"
        return Fault("revision", message, _places(same[:-1])) if this == same[-1] else None
    parents = {parent for revision in known for parent in revision.parents}
    heads = sorted((revision for revision in known if revision.name not in parents), key=_age)
    if len(heads) < 2 or this != heads[-1] or parents - names.keys() or _are_branches(heads, known):
        return None
    return Fault("revision", None, _places(heads[:-1]), tuple(revision.name for revision in heads))


def _are_branches(heads: Iterable[Revision], known: Iterable[Revision]) -> bool:
    """Whether heads are meant: something that they do not share has a label or depends on another branch."""
    by_name = {revision.name: revision for revision in known}
    lines: list[set[str]] = []
    for head in heads:
        line: set[str] = set()
        pending = [head.name]
        while pending:
            name = pending.pop()
            if name not in line:
                line.add(name)
                pending.extend(by_name[name].parents)
        lines.append(line)
    shared = frozenset.intersection(*map(frozenset, lines))
    return any(by_name[name].branched for line in lines for name in line - shared)


def _places(revisions: Iterable[Revision]) -> tuple[Related, ...]:
    return tuple(
        Related(revision.path, Position(revision.row, 1), f"`{revision.name}`") for revision in revisions
    )


def _age(revision: Revision) -> tuple[str, str]:
    return revision.created, os.path.basename(revision.path)


def _revisions(index: Index, directory: str) -> tuple[Revision, ...]:
    """The revisions in a folder; none where some cannot be read, or more may lie elsewhere."""
    listing = index.files.listing(directory)
    paths = [os.path.join(directory, name) for name in listing if name.endswith(".py")]
    data = {path: index.content(path) for path in sorted(paths)}
    configurations = list(_configurations(directory))
    rests = [path for path in paths if _MENTION in data[path]]
    rests += [path for path in configurations if path.endswith(".py") and index.files.is_file(path)]
    index.rest_on(mentions_below(directory, _MENTION), rests)
    if any(is_directory and name[0] not in "._" for name, is_directory in listing.items()):
        return ()  # folders below hold revisions too
    if any(_names_several_folders(index.files.read(path) or b"") for path in configurations):
        return ()
    found = [_revision(path, content) for path, content in data.items() if _MENTION in content]
    return tuple(revision for revision in found if revision is not None) if None not in found else ()


def _configurations(directory: str) -> Iterator[str]:
    """The files around a folder of revisions that may say where more of them lie."""
    for _ in range(4):
        directory, nearest = os.path.split(directory)
        if nearest:
            for name in ("alembic.ini", "env.py", "pyproject.toml"):
                yield os.path.join(directory, name)


def _names_several_folders(configuration: bytes) -> bool:
    lines = (line.strip() for line in configuration.splitlines() if _SEVERAL_FOLDERS in line)
    return any(not line.startswith((b"#", b";")) for line in lines)


def _revision(path: str, data: bytes) -> Revision | None:
    values: dict[str, object] = {}
    row = 0
    for match in _VARIABLES.finditer(data):
        try:
            values[match[1].decode()] = ast.literal_eval(match[2].decode().strip())
        except (ValueError, SyntaxError):
            return None
        if match[1] == b"revision":
            row = data.count(b"\n", 0, match.start()) + 1
    name, parents = values.get("revision"), values.get("down_revision")
    if not isinstance(name, str) or "down_revision" not in values:
        return None
    created = _CREATED.search(data)
    return Revision(
        path,
        name,
        tuple(_names(parents)),
        any(values.get(variable) for variable in ("branch_labels", "depends_on")),
        created[1].decode(errors="replace") if created else "",
        row,
    )


def _names(value: object) -> Iterator[str]:
    for item in value if isinstance(value, (tuple, list, set)) else (value,):
        if isinstance(item, str):
            yield item
