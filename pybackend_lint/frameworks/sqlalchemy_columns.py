"""Columns written as `name = Column(...)`, and the annotated form of SQLAlchemy 2.0 with the same table."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import (
    PythonType,
    column_type,
    info_decorators,
    keyword,
    library_name,
)
from pybackend_lint.semantic.import_edits import replace_imports

if TYPE_CHECKING:
    from pybackend_lint.rule import Context


@dataclass(frozen=True, slots=True)
class LegacyColumn:
    """One `name = Column(...)` of a class body.

    - `type`: the Python type of its values, None where it is not one.
    - `nullable`: whether the column may be null; None where that is not a literal.
    """

    target: ast.Name
    call: ast.Call
    type: PythonType | None
    nullable: bool | None

    @property
    def name(self) -> str:
        """The name of the attribute."""
        return self.target.id

    @property
    def annotation(self) -> str | None:
        """What `Mapped[...]` holds; None where it is not known."""
        if self.type is None or self.nullable is None:
            return None
        return f"{self.type.text} | None" if self.nullable else self.type.text


def legacy_columns(node: ast.ClassDef, ctx: Context) -> list[LegacyColumn]:
    """The columns of a class below `DeclarativeBase` that its own body declares with `Column`."""
    found: list[LegacyColumn] = []
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name() as target], value=ast.Call() as call):
                if library_name(call.func, ctx.module) == names.COLUMN:
                    known = column_type(call, ctx.module)
                    found.append(
                        LegacyColumn(target, call, known[1] if known is not None else None, _nullable(call))
                    )
    if not found or not ctx.class_info(node).is_a(*names.DECLARATIVE_BASES):
        return []
    return found


def _nullable(call: ast.Call) -> bool | None:
    """Whether a column may be null: by `nullable=`, else by `primary_key=`; None where not a literal."""
    if any(item.arg is None for item in call.keywords):
        return None
    for name, when_true in (("nullable", True), ("primary_key", False)):
        value = keyword(call, name)
        if isinstance(value, ast.Constant) and isinstance(value.value, bool):
            if name == "nullable" or value.value:
                return value.value is when_true
        elif value is not None:
            return None
    return True


def mapped_columns(columns: list[LegacyColumn], node: ast.ClassDef, ctx: Context) -> tuple[Edit, ...] | None:
    """The edits that annotate columns and declare them with `mapped_column()`; None where one cannot be."""
    info = ctx.class_info(node)
    if info.is_a("sqlalchemy.orm.MappedAsDataclass") or not set(info_decorators(info)).isdisjoint(
        names.MAPPING_DECORATORS
    ):
        return None
    types = [column.type for column in columns]
    if any(kind is None for kind in types) or any(column.nullable is None for column in columns):
        return None
    wanted = ["sqlalchemy.orm.Mapped", "sqlalchemy.orm.mapped_column"]
    modern_unions = ctx.project.satisfies("python>=3.10", "lower")
    if not modern_unions and any(column.nullable for column in columns):
        wanted.append("typing.Optional")
    wanted += [f"{kind.module}.{kind.text}" for kind in types if kind is not None and kind.module]
    wanted = list(dict.fromkeys(wanted))
    expressions, imports = replace_imports(ctx.source, wanted, ())
    texts = dict(zip(wanted, expressions, strict=True))
    edits = list(imports)
    for column in columns:
        assert column.type is not None
        inner = texts.get(f"{column.type.module}.{column.type.text}", column.type.text)
        if inner.partition(".")[0] in info.scope.bindings:
            return None  # the annotation would see the column instead of the type
        if column.nullable:
            inner = f"{inner} | None" if modern_unions else f"{texts['typing.Optional']}[{inner}]"
        edits.append(ctx.insert_after(column.target, f": {texts[wanted[0]]}[{inner}]"))
        edits.append(ctx.edit(column.call.func, texts[wanted[1]]))
    return tuple(edits)
