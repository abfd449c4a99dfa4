"""Collections of objects that a coroutine function has just made: writing the rows loads none of them.

Source: SQLAlchemy, "Asynchronous I/O" ("Preventing Implicit IO when Using AsyncSession"); tried under 2.0: a
collection that the constructor was not given is empty until the object is flushed, and loads on access after
that, for nothing says that the database holds no rows for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_expiry import expires_on_commit, first_reads, is_async_session
from pybackend_lint.frameworks.sqlalchemy_mapping import Relation, attributes, mapped_class
from pybackend_lint.frameworks.sqlalchemy_words import relation_names
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind

_WRITES = frozenset({"flush", "commit", "refresh"})
_DUMPS = frozenset({"model_dump", "dict"})
_DATACLASS = "sqlalchemy.orm.MappedAsDataclass"


@dataclass(frozen=True, slots=True, eq=False)
class FreshRead:
    """A read of a collection of an object that was made and written, and not loaded again.

    `written` is the statement that wrote it; `node` is the attribute, or the object itself where a Pydantic
    model or a caller reads it; `places` say where.
    """

    node: ast.expr
    name: str
    entity: str
    relation: Relation
    session: str
    written: ast.Expr
    places: tuple[Related, ...]


def fresh_reads(function: FunctionInfo) -> Iterator[FreshRead]:
    """The reads of collections of new objects in a coroutine function, the first for each object."""
    module = function.module
    if not relation_names(module).relations:
        return
    seen: set[str] = set()
    for awaited in sorted(function.own(ast.Await), key=lambda node: node.lineno):
        written = _written(awaited, module)
        if written is None:
            continue
        statement, session, method = written
        for name, info in _added(function, session, statement):
            if name in seen:
                continue
            unset = _unset(info, function, is_refreshed=method == "refresh")
            expired = method == "commit" and unset and expires_on_commit(module)
            if not unset or expired or not _is_alone(name, function, statement):
                continue
            reads = first_reads(function, statement, session, {name}, frozenset(unset))
            for node, _, attribute, places in reads:
                seen.add(name)
                yield FreshRead(node, name, info.node.name, unset[attribute], session, statement, places)


def _written(awaited: ast.Await, module: Module) -> tuple[ast.Expr, str, str] | None:
    """The statement, session and method of an awaited `flush()`, `commit()` or `refresh(obj)`."""
    statement = module.source.parent(awaited)
    match awaited.value:
        case ast.Call(func=ast.Attribute(value=session, attr=method), args=args, keywords=[]) if (
            method in _WRITES and len(args) == (method == "refresh") and isinstance(statement, ast.Expr)
        ):
            if is_async_session(module.type_of(session), module):
                return statement, module.source.segment(session), method
    return None


def _added(function: FunctionInfo, session: str, written: ast.Expr) -> Iterator[tuple[str, ClassInfo]]:
    """The variables, bound once to a new object, that a session was given before a statement."""
    module = function.module
    for call in module.source.calls.get("add", ()):
        match call:
            case ast.Call(func=ast.Attribute(value=owner), args=[ast.Name(id=name) as value]) if (
                call.lineno < written.lineno
                and module.source.enclosing_function(call) is function.node
                and module.source.segment(owner) == session
            ):
                found = module.lookup(name, value)
                known = module.type_of(value)
                info = mapped_class(known.name, module.modules) if known is not None else None
                if (
                    info is not None
                    and known is not None
                    and known.kind is Kind.INSTANCE
                    and found is not None
                    and found[0].node is function.node
                    and [binding.kind for binding in found[1]] == ["assign"]
                    and _makes(found[1][0].value, info, module)
                ):
                    yield name, info


def _makes(value: ast.expr | None, info: ClassInfo, module: Module) -> bool:
    """Whether an expression calls the constructor that SQLAlchemy gives a class, with known names."""
    if not isinstance(value, ast.Call) or value.args or info.is_a(_DATACLASS, names.SQLMODEL):
        return False
    known = module.type_of(value.func)
    if known is None or known.kind is not Kind.CLASS or known.name != info.name or info.node.decorator_list:
        return False
    if not info.is_closed or info.member("__init__") is not None:
        return False
    for keyword in value.keywords:
        match keyword:
            case ast.keyword(arg=None, value=ast.Call(func=ast.Attribute(attr=attr))) if attr in _DUMPS:
                continue
            case ast.keyword(arg=None):
                return False
    return True


def _unset(info: ClassInfo, function: FunctionInfo, *, is_refreshed: bool) -> dict[str, Relation]:
    """The collections of a new object that load on access and that its function does not set or name.

    Those that load with the object, by `lazy="selectin"` and the like, do so when it is refreshed only.
    """
    found = {
        relation.name: relation
        for relation in attributes(info).relations.values()
        if relation.collection is True
        and (relation.loads_on_read or (relation.lazy in names.LAZY_WITH_OBJECT and not is_refreshed))
    }
    for call in function.own(ast.Call):
        for keyword in call.keywords:
            found.pop(keyword.arg or "", None)
    for constant in function.own(ast.Constant):
        found.pop(constant.value if isinstance(constant.value, str) else "", None)
    for attribute in function.own(ast.Attribute):
        if attribute.attr in found and isinstance(attribute.ctx, ast.Store):
            del found[attribute.attr]
    return found


def _is_alone(name: str, function: FunctionInfo, written: ast.Expr) -> bool:
    """Whether nothing but its session got an object before it was written: others may fill collections."""
    source = function.module.source
    for node in function.own(ast.Name):
        if node.id != name or not isinstance(node.ctx, ast.Load) or node.lineno >= written.lineno:
            continue
        match source.parent(node):
            case ast.Attribute() as attribute:
                parent = source.parent(attribute)
                if isinstance(parent, ast.Call) and parent.func is attribute:
                    return False  # a method may do anything
            case ast.Call(func=ast.Attribute(attr="add" | "refresh")):
                pass
            case _:
                return False
    return True
