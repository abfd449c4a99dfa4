"""Relationships that Pydantic reads from loaded objects: in validation, and for the responses of FastAPI."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.frameworks import fastapi, pydantic
from pybackend_lint.frameworks.sqlalchemy_loading import LazyRead, holds_target
from pybackend_lint.frameworks.sqlalchemy_mapping import attributes, is_mapped, mapped_class
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_VALIDATES = frozenset({f"{pydantic.MODEL}.model_validate", f"{pydantic.MODEL}.from_orm"})
_CONTAINERS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "typing.Sequence",
                         "typing.Iterable", "typing.Collection"})  # fmt: skip
_RENAMING = frozenset({"alias", "validation_alias", None})
_DEEPEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Serialised:
    """A relationship that a field of a model reads, and the value that is validated or returned."""

    model: ClassInfo
    read: LazyRead
    place: ast.expr


def serialised_reads(node: ast.AST, ctx: Context) -> Iterator[Serialised]:
    """The relationships, not loaded, that Pydantic reads where a node runs.

    `node` is `Schema.model_validate`, or a `return` of a route with a response model. Silent where the
    function mentions the relationship in any other way, since it may load it then.
    """
    if isinstance(node, ast.Attribute) and node.attr not in {"model_validate", "from_orm"}:
        return
    function = ctx.enclosing_function(node)
    if not isinstance(function, ast.AsyncFunctionDef):
        return
    info = ctx.function_info(function)
    found = _validated(node, ctx) if isinstance(node, ast.Attribute) else _answered(node, info)
    if found is None:
        return
    model, value = found
    owner = _one(ctx.type_of(value))
    if owner is None or not isinstance(owner.fact, Loaded) or not owner.fact.is_async:
        return
    for reader, read in _reads(model, owner.name, owner.fact, ctx.module, 0):
        if not _is_mentioned(read, value, info, ctx):
            yield Serialised(reader, read, value)


def _validated(node: ast.Attribute, ctx: Context) -> tuple[ClassInfo, ast.expr] | None:
    """The model and the object of a call of `Schema.model_validate(obj)` that reads attributes."""
    call = ctx.parent(node)
    if not isinstance(call, ast.Call) or call.func is not node or len(call.args) != 1:
        return None
    known = ctx.type_of(node)
    if known is None or known.name not in _VALIDATES:
        return None
    model = pydantic.model_of(known.receiver, ctx.module)
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if model is None or set(given) - {"from_attributes", "context", "strict"}:
        return None
    asked = given.get("from_attributes", pydantic.config(model).get("from_attributes"))
    is_set = isinstance(asked, ast.Constant) and asked.value is True
    return (model, call.args[0]) if is_set else None


def _answered(node: ast.AST, function: FunctionInfo) -> tuple[ClassInfo, ast.expr] | None:
    """The response model of a route and the value that a `return` of it gives.

    FastAPI validates what a route returns with `from_attributes=True`, whatever the model says.
    """
    if not isinstance(node, ast.Return) or node.value is None or not function.node.decorator_list:
        return None
    model = fastapi.response_model(function)
    return (model, node.value) if model is not None else None


def _one(known: Type | None) -> Type | None:
    """The object that a value is, or of which it is a list."""
    while known is not None and known.kind is Kind.INSTANCE and known.name in _CONTAINERS:
        known = known.argument()
    return known if known is not None and known.kind is Kind.INSTANCE else None


def _reads(
    model: ClassInfo, owner: str, loaded: Loaded, module: Module, depth: int
) -> Iterator[tuple[ClassInfo, LazyRead]]:
    """The relationships of an object of the class `owner` that a model reads, also of objects below it."""
    mapped = mapped_class(owner, module.modules)
    if mapped is None or depth >= _DEEPEST or not _reads_as_declared(model):
        return
    relations = attributes(mapped).relations
    for name, field in pydantic.fields(model).items():
        relation = relations.get(name)
        if relation is None or _has_other_name(field):
            continue
        if relation.loads_on_read and not loaded.has(name):
            yield model, LazyRead(loaded, owner, relation)
        elif relation.target is not None and loaded.options is not None:
            home = field.owner.module
            inner = _one(home.annotation_type(field.annotation, field.node))
            below = pydantic.model_of(inner, home)
            if below is not None:
                yield from _reads(below, relation.target, loaded.step(owner, name), module, depth + 1)


def _reads_as_declared(model: ClassInfo) -> bool:
    """Whether a model reads the attributes that its fields name: nothing prepares or renames the input."""
    if not model.is_closed or is_mapped(model) or "alias_generator" in pydantic.config(model):
        return False
    decorators = {
        name
        for item in model.mro
        if isinstance(item, ClassInfo)
        for method in item.methods()
        for name in method.decorators
    }
    overridden = ("__init__", "__get_pydantic_core_schema__", "model_validate", "from_orm")
    return not decorators & {"pydantic.model_validator", "pydantic.root_validator", None} and not any(
        model.member(name) for name in overridden
    )


def _has_other_name(field: pydantic.Field) -> bool:
    """Whether a field may read another attribute than that of its own name."""
    calls = [field.field_call] if field.field_call is not None else []
    calls += [node for node in ast.walk(field.annotation) if isinstance(node, ast.Call)]
    return any(keyword.arg in _RENAMING for call in calls for keyword in call.keywords)


def _is_mentioned(read: LazyRead, value: ast.expr, function: FunctionInfo, ctx: Context) -> bool:
    """Whether something in a function may load the relationship, set it, or hold what it leads to."""
    name, target = read.relation.name, read.relation.target
    text = ctx.text(value)
    many = read.relation.collection is True
    if not many and (target is None or any(step.owner == target for step in read.loaded.path)):
        return True
    for node in function.own_nodes():
        match node:
            case ast.Attribute(attr=attr, value=owner) if attr == name:
                known = ctx.type_of(owner)
                if known is None or known.kind is not Kind.CLASS:
                    return True
            case ast.Constant(value=constant) if constant == name:
                return True
            case ast.Attribute(attr="run_sync"):
                return True
            case ast.Await(value=ast.Call(args=[_, *_] as arguments, func=func)):
                given = any(ctx.text(argument) == text for argument in arguments)
                if given and not (isinstance(func, ast.Attribute) and func.attr in {"refresh", "delete"}):
                    return True  # may load it for the object
        if isinstance(node, ast.expr) and holds_target(node, read, ctx):
            return True
    return not many and any(
        _one(ctx.module.annotation_type(argument.annotation, argument)) == Type(target or "")
        for argument, _ in function.parameters()
        if argument.annotation is not None
    )
