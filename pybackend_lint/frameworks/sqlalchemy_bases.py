"""Bases made by `declarative_base()`, and the class below `DeclarativeBase` that does the same."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name
from pybackend_lint.semantic.import_edits import replace_imports

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

# Arguments that become attributes of the class.
_ATTRIBUTES = ("metadata", "type_annotation_map")


@dataclass(frozen=True, slots=True)
class LegacyBase:
    """The statement `Base = declarative_base(...)` at the top of a module."""

    name: str
    statement: ast.Assign | ast.AnnAssign
    call: ast.Call


def legacy_base(call: ast.Call, ctx: Context) -> LegacyBase | None:
    """The base that a call of `declarative_base()` makes; None where its result has no name in the module."""
    statement = ctx.parent(call)
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            pass
        case _:
            return None
    assert isinstance(statement, (ast.Assign, ast.AnnAssign))
    if not isinstance(ctx.parent(statement), ast.Module):
        return None
    if library_name(call.func, ctx.module) not in names.DECLARATIVE_BASE_CALLS:
        return None
    return LegacyBase(name, statement, call)


def base_class(base: LegacyBase, ctx: Context) -> tuple[Edit, ...] | None:
    """The edits that write the base as a class; None where the class would not do the same."""
    if base.call.args or _has_plain_annotations(base, ctx):
        return None
    body: list[str] = []
    for keyword in base.call.keywords:
        if keyword.arg in _ATTRIBUTES:
            body.append(f"{keyword.arg} = {ctx.text(keyword.value)}")
        elif keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            if keyword.value.value != base.name:
                return None
        else:
            return None
    source = ctx.source
    if "#" in source.segment(base.statement):
        return None
    (parent,), imports = replace_imports(source, ["sqlalchemy.orm.DeclarativeBase"], ())
    lines = "".join(f"\n{source.indentation_step}{line}" for line in body or ["pass"])
    start, end = source.start(base.statement), source.end(base.statement)
    last = base.statement.end_lineno or base.statement.lineno
    line_end = source.line_starts[last - 1] + len(source.line(last))
    if source.text[end:line_end].strip() or base.statement.col_offset:
        return None  # a comment or another statement on the line
    above = _blank_lines(ctx, base.statement.lineno - 1, -1)
    below = _blank_lines(ctx, last + 1, 1)
    before = "\n" * max(0, 2 - above) if above is not None else ""
    after = "\n" * max(0, 2 - below) if below is not None else ""
    text = f"{before}class {base.name}({parent}):{lines}{after}"
    return (*imports, Edit(start, end, text))


def _blank_lines(ctx: Context, row: int, step: int) -> int | None:
    """The number of blank lines from a row on, upwards or downwards; None when the file ends there."""
    count = 0
    last = len(ctx.source.line_starts)
    while 1 <= row <= last:
        if ctx.source.line(row).strip():
            return count
        count += 1
        row += step
    return None


def _has_plain_annotations(base: LegacyBase, ctx: Context) -> bool:
    """Whether a class of the file below this base annotates a mapped attribute without `Mapped`."""
    for node in ctx.source.nodes(ast.ClassDef):
        if not any(isinstance(item, ast.Name) and item.id == base.name for item in node.bases):
            continue
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                known = ctx.module.annotation_type(statement.annotation, statement)
                if known is None or known.name not in names.MAPPED_ANNOTATIONS:
                    return True
    return False
