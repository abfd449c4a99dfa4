"""Two sides of a relationship: what `back_populates` names, and where the foreign key is.

Source: SQLAlchemy, "Basic Relationship Patterns" and "Using back_populates"; the errors and warnings are
those of `configure_mappers()` in 2.0 and 2.1.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import (
    Relation,
    attributes,
    declared,
    is_mapped,
    keyword,
    library_name,
    mapped_class,
    references,
    table_name,
)
from pybackend_lint.frameworks.sqlalchemy_words import relation_names
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

# Arguments by which a relationship says itself what it joins or writes.
_OWN_JOIN = ("primaryjoin", "secondaryjoin", "secondary", "foreign_keys", "remote_side", "viewonly",
             "overlaps", "sa_relationship", "sa_relationship_kwargs", "backref")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A relationship in the body of a mapped class: its class, the call, and the class it leads to."""

    owner: ClassInfo
    relation: Relation
    call: ast.Call
    target: ClassInfo

    @property
    def other_name(self) -> ast.Constant | None:
        """The text given as `back_populates`, or None."""
        value = keyword(self.call, "back_populates")
        return value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None

    @property
    def joins_itself(self) -> bool:
        """Whether its arguments say what it joins or writes, or some are not known."""
        return any(item.arg is None or item.arg in _OWN_JOIN for item in self.call.keywords)


@dataclass(frozen=True, slots=True, eq=False)
class Mismatch:
    """A side whose `back_populates` does not fit: what is wrong, and what it may have meant.

    `kind` is `"missing"` (no such relationship), `"elsewhere"` (it leads to another class), `"other"` (it
    names another attribute) or `"unpaired"` (neither side names the other). `relation` is the relationship
    of the other class that matters, if any; `meant` the name that would fit.
    """

    side: Side
    kind: str
    relation: Relation | None
    meant: str | None


def side_of(call: ast.Call, module: Module) -> Side | None:
    """The relationship that a call of `relationship()` declares; None outside of mapped classes."""
    statement = module.source.parent(call)
    body = module.source.parent(statement) if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
    if not isinstance(body, ast.ClassDef):
        return None
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return _side(module.class_info_of(body), name, call)
    return None


def _side(owner: ClassInfo, name: str, call: ast.Call) -> Side | None:
    if not is_mapped(owner) or "__abstract__" in owner.scope.bindings or _is_root(owner):
        return None
    relation = attributes(owner).relations.get(name)
    target = mapped_class(relation.target, owner.module.modules) if relation and relation.target else None
    if relation is None or target is None:
        return None
    return Side(owner, relation, call, target)


def _is_root(info: ClassInfo) -> bool:
    """Whether a class is the base of the mapped classes, not one of them."""
    return any(name in names.MAPPED_ROOTS | {names.SQLMODEL} for name in info.bases) and (
        "__tablename__" not in info.scope.bindings and not info.is_a(names.SQLMODEL, names.FLASK_MODEL)
    )


def _declared_side(info: ClassInfo, relation: Relation) -> Side | None:
    """The side that a relationship of a class is, where it is declared."""
    found = info.member(relation.name)
    if found is None or isinstance(found[1].node, FUNCTIONS):
        return None
    value = declared(*found)[1]
    target = mapped_class(relation.target, info.module.modules) if relation.target else None
    if not isinstance(value, ast.Call) or target is None:
        return None
    return Side(info, relation, value, target)


def mismatch(side: Side) -> Mismatch | None:
    """What does not fit between a relationship and the other side it names; None where all may be well."""
    wanted, target = side.other_name, side.target
    if wanted is None:
        return _unpaired(side)
    if not target.is_closed:
        return None
    name = str(wanted.value)
    others = attributes(target).relations
    other = others.get(name)
    if other is None:
        if name in relation_names(side.owner.module).added or target.member(name) is not None:
            return None
        back = [
            item
            for item in others.values()
            if _leads_to(item, side.owner)
            and _named(target, item) in {None, side.relation.name}
            and not _only_reads(target, item)
        ]
        return Mismatch(side, "missing", None, back[0].name if len(back) == 1 else None)
    if side.joins_itself:
        return None
    if other.target is not None and not _leads_to(other, side.owner):
        return Mismatch(side, "elsewhere", other, None)
    named = _named(target, other)
    if named in {None, side.relation.name} or named not in attributes(side.owner).relations:
        return None  # what the other side names is reported there
    declared_other = _declared_side(target, other)
    if declared_other is None or declared_other.joins_itself:
        return None
    return Mismatch(side, "other", other, None)


def _only_reads(info: ClassInfo, relation: Relation) -> bool:
    side = _declared_side(info, relation)
    return side is not None and keyword(side.call, "viewonly") is not None


def _leads_to(relation: Relation, owner: ClassInfo) -> bool:
    """Whether a relationship leads to a class, one of its bases, or a class below it."""
    if relation.target is None:
        return False
    target = owner.module.modules.class_info(relation.target)
    return owner.is_a(relation.target) or (target is not None and target.is_a(owner.name))


def _named(info: ClassInfo, relation: Relation) -> str | None:
    """What a relationship of a class gives as `back_populates`; "" where it has `backref` or is not known."""
    side = _declared_side(info, relation)
    if side is None or keyword(side.call, "backref") is not None:
        return ""
    value = keyword(side.call, "back_populates")
    if value is None:
        return None
    return str(value.value) if isinstance(value, ast.Constant) else ""


def _unpaired(side: Side) -> Mismatch | None:
    """A pair over one foreign key whose sides do not know of each other; reported at the side without it."""
    owner, target = side.owner, side.target
    if owner is target or side.joins_itself or keyword(side.call, "back_populates") is not None:
        return None
    if not (owner.is_closed and target.is_closed) or owner.is_a(target.name) or target.is_a(owner.name):
        return None
    back = [item for item in attributes(target).relations.values() if item.target == owner.name]
    forth = [item for item in attributes(owner).relations.values() if item.target == target.name]
    if len(back) != 1 or len(forth) != 1:
        return None
    other = _declared_side(target, back[0])
    if other is None or other.joins_itself or keyword(other.call, "back_populates") is not None:
        return None
    if references(owner, target) or len(references(target, owner) or ()) != 1:
        return None
    return Mismatch(side, "unpaired", back[0], None)


@dataclass(frozen=True, slots=True, eq=False)
class WrongType:
    """A relationship annotated as one object where there are many, or the other way round.

    `holder` is the class whose table has the foreign key, `column` its name.
    """

    side: Side
    many: bool
    holder: ClassInfo
    column: str
    row: int


def wrong_type(side: Side) -> WrongType | None:
    """The foreign key that contradicts the annotation of a relationship; None where none does."""
    owner, target, many = side.owner, side.target, side.relation.collection
    unusual = side.joins_itself or keyword(side.call, "uselist") is not None
    if many is None or unusual or side.relation.lazy in {"dynamic", "write_only", None}:
        return None
    if not _is_annotated(side) or owner.is_a(target.name) or target.is_a(owner.name):
        return None
    here, there = references(owner, target), references(target, owner)
    if here is None or there is None:
        return None
    if many and len(here) == 1 and not there:
        return WrongType(side, True, owner, here[0].column, here[0].row)
    if not many and len(there) == 1 and not here and not there[0].unique:
        return WrongType(side, False, target, there[0].column, there[0].row)
    return None


def _is_annotated(side: Side) -> bool:
    statement = side.owner.module.source.parent(side.call)
    if not isinstance(statement, ast.AnnAssign):
        return False
    module = side.owner.module
    annotation = statement.annotation
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return library_name(outer, module) == names.MAPPED and table_name(side.owner) is not None
