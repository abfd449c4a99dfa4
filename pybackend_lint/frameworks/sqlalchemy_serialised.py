"""Relationships that Pydantic reads from loaded objects: in validation, and for the responses of FastAPI."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.frameworks import fastapi, pydantic
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_loading import LazyRead
from pybackend_lint.frameworks.sqlalchemy_mapping import attributes, is_mapped, mapped_class
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

_VALIDATES = frozenset({f"{pydantic.MODEL}.model_validate", f"{pydantic.MODEL}.from_orm"})
VALIDATES = frozenset({"model_validate", "from_orm", "validate_python"})
_ADAPTERS = frozenset({"pydantic.TypeAdapter"})
_CONTAINERS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "typing.Sequence",
                         "typing.Iterable", "typing.Collection"})  # fmt: skip
_RENAMING = frozenset({"alias", "validation_alias", None})
_DEEPEST = 4


def validations(call: ast.Call, module: Module) -> Iterator[tuple[ClassInfo, ast.expr]]:
    """The models that read attributes in a call, and the object or list of objects that each reads.

    That is what `validated` gives, and the fields of a model that the call makes: `Page(items=orders)`.
    """
    found = validated(call, module)
    if found is not None:
        yield found
    elif call.keywords and not call.args and last_name(call.func)[:1].isupper():
        yield from _made_of(call, module)


def _made_of(call: ast.Call, module: Module) -> Iterator[tuple[ClassInfo, ast.expr]]:
    known = module.type_of(call.func)
    model = pydantic.model_of(known, module) if known is not None and known.kind is Kind.CLASS else None
    if model is None or not _reads_as_declared(model):
        return
    fields = pydantic.fields(model)
    for keyword in call.keywords:
        field = fields.get(keyword.arg or "")
        if field is not None and not _has_other_name(field):
            home = field.owner.module
            inner = pydantic.model_of(_one(home.annotation_type(field.annotation, field.node)), home)
            if inner is not None and _reads_attributes(inner):
                yield inner, keyword.value


def _reads_attributes(model: ClassInfo) -> bool:
    """Whether a model may be made of an object's attributes; one of SQLModel may, unless it refuses."""
    asked = pydantic.config(model).get("from_attributes")
    return (
        model.is_a(names.SQLMODEL)
        if asked is None
        else isinstance(asked, ast.Constant) and asked.value is True
    )


def validated(call: ast.Call, module: Module) -> tuple[ClassInfo, ast.expr] | None:
    """The model and the object of a validation that reads attributes; None for other calls.

    That is `Schema.model_validate(obj)` where the model or the call says `from_attributes`, and
    `TypeAdapter(list[Schema]).validate_python(objects)` likewise.
    """
    if not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
        return None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if set(given) - {"from_attributes", "context", "strict"}:
        return None
    match call.func.attr:
        case "model_validate" | "from_orm":
            known = module.type_of(call.func)
            if known is None or known.name not in _VALIDATES:
                return None
            model = pydantic.model_of(known.receiver, module)
        case "validate_python":
            model = _adapted(call.func.value, module)
        case _:
            return None
    if model is None:
        return None
    asked = given.get("from_attributes")
    is_asked = isinstance(asked, ast.Constant) and asked.value is True
    reads = is_asked if asked is not None else _reads_attributes(model)
    return (model, call.args[0]) if reads else None


def _adapted(adapter: ast.expr, module: Module) -> ClassInfo | None:
    """The model of a `TypeAdapter(list[Model])`, written there or in a variable of a module."""
    if isinstance(adapter, (ast.Name, ast.Attribute)):
        name = module.qualified_name(adapter)
        variable = module.modules.variable(name) if name is not None else None
        if variable is None or variable[1].path or variable[1].value is None:
            return None
        module, adapter = variable[0], variable[1].value
    if isinstance(adapter, ast.Call) and len(adapter.args) == 1:
        if module.qualified_name(adapter.func) in _ADAPTERS:
            known = _one(module.annotation_type(adapter.args[0], adapter))
            return pydantic.model_of(known, module)
    return None


def answered(node: ast.Return, function: FunctionInfo) -> tuple[ClassInfo, ast.expr] | None:
    """The response model of a route and the value that a `return` of it gives.

    FastAPI validates what a route returns with `from_attributes=True`, whatever the model says.
    """
    if node.value is None or not function.node.decorator_list:
        return None
    model = fastapi.response_model(function)
    return (model, node.value) if model is not None else None


def validated_reads(model: ClassInfo, value: Type, module: Module) -> Iterator[tuple[ClassInfo, LazyRead]]:
    """The relationships, not loaded, that a model reads from a loaded object or from a list of them.

    Each comes with the model whose field has its name.
    """
    owner = _one(value)
    if owner is not None and isinstance(owner.fact, Loaded):
        yield from _reads(model, owner.name, owner.fact, module, 0)


def plain_fields(model: ClassInfo) -> list[str]:
    """The names of the attributes that a model certainly reads: nothing renames or prepares its fields."""
    if not _reads_as_declared(model):
        return []
    return [name for name, field in pydantic.fields(model).items() if not _has_other_name(field)]


def first_read(
    model: ClassInfo, value: Type | None, wanted: frozenset[str] | None, module: Module
) -> str | None:
    """The first of the wanted attributes, or else of the columns, of a mapped object that a model reads.

    None where the value is no such object.
    """
    mapped = mapped_class(value.name, module.modules) if value is not None else None
    if value is None or mapped is None or value.kind is not Kind.INSTANCE or not _reads_as_declared(model):
        return None
    names = attributes(mapped).columns.keys() if wanted is None else wanted
    fields = pydantic.fields(model).items()
    return next((name for name, field in fields if name in names and not _has_other_name(field)), None)


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
