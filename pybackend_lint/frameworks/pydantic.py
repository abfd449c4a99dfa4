"""Facts about Pydantic: models of both generations, their fields and configuration, values of models."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type, class_object, instance

ROOTS = ("pydantic", "pydantic_settings")

MODEL = "pydantic.BaseModel"
_ROOT_MODEL = "pydantic.RootModel"
_SETTINGS = "pydantic_settings.BaseSettings"
_V1_SETTINGS = "pydantic.BaseSettings"  # until 1.10 the settings were part of pydantic itself
_V1_MODEL = "pydantic.v1.BaseModel"
_TABLE_MODEL = "sqlmodel.SQLModel"

BASES: dict[str, tuple[str, ...]] = {
    _ROOT_MODEL: (MODEL,),
    _SETTINGS: (MODEL,),
    _V1_SETTINGS: (MODEL,),
    _TABLE_MODEL: (MODEL,),
    "pydantic.generics.GenericModel": (MODEL,),
    "pydantic.v1.BaseSettings": (_V1_MODEL,),
    "pydantic.v1.generics.GenericModel": (_V1_MODEL,),
}
ALIASES: dict[str, str] = {
    "pydantic.main.": "pydantic.",
    "pydantic.fields.": "pydantic.",
    "pydantic.config.": "pydantic.",
    "pydantic.types.": "pydantic.",
    "pydantic.networks.": "pydantic.",
    "pydantic.root_model.": "pydantic.",
    "pydantic.env_settings.": "pydantic.",
    "pydantic.functional_validators.": "pydantic.",
    "pydantic.functional_serializers.": "pydantic.",
    "pydantic.class_validators.": "pydantic.",
    "pydantic.deprecated.class_validators.": "pydantic.",
    "pydantic.deprecated.config.": "pydantic.",
    "pydantic_settings.main.": "pydantic_settings.",
    "pydantic.v1.main.": "pydantic.v1.",
    "pydantic.v1.env_settings.": "pydantic.v1.",
    "sqlmodel.main.SQLModel": _TABLE_MODEL,
}

# Methods of `BaseModel` by what calling them gives; from the API reference of `pydantic.main`.
_MAKE_ONE = frozenset(
    {"model_validate", "model_validate_json", "model_validate_strings", "model_construct", "parse_obj",
     "parse_raw", "parse_file", "from_orm", "construct", "validate"}
)  # fmt: skip
_CLASS_METHODS = _MAKE_ONE | {
    "model_json_schema", "model_rebuild", "schema", "schema_json", "update_forward_refs", "__fields__",
}  # fmt: skip
_COPY = frozenset({"model_copy", "copy"})
_TO_DICT = frozenset({"model_dump", "dict"})
_TO_TEXT = frozenset({"model_dump_json", "json"})
_RESULTS = _MAKE_ONE | _COPY | _TO_DICT | _TO_TEXT
_KNOWN_BASES = frozenset({MODEL, *BASES, "typing.Generic", "abc.ABC", "typing.Protocol", "builtins.object"})
_NO_FIELD = frozenset({"typing.ClassVar", "typing_extensions.ClassVar", "dataclasses.InitVar"})
_FIELD_CALLS = frozenset({"pydantic.Field", "pydantic.v1.Field", "sqlmodel.Field"})


@dataclass(frozen=True, eq=False)
class Field:
    """A field of a model: where it is declared and with what."""

    name: str
    owner: ClassInfo
    node: ast.AnnAssign

    @property
    def annotation(self) -> ast.expr:
        """The annotation as it was written."""
        return self.node.annotation

    @property
    def default(self) -> ast.expr | None:
        """The right-hand side, which may be a call of `Field`; None when there is none."""
        return self.node.value

    @property
    def field_call(self) -> ast.Call | None:
        """The call of `Field` on the right-hand side, or None."""
        value = self.node.value
        if isinstance(value, ast.Call) and self.owner.module.qualified_name(value.func) in _FIELD_CALLS:
            return value
        return None


def is_model(info: ClassInfo) -> bool:
    """Whether a class is a Pydantic 2 model, settings class, root model or SQLModel."""
    return info.is_a(MODEL)


def is_settings(info: ClassInfo) -> bool:
    """Whether a class reads its values from the environment (`BaseSettings`)."""
    return info.is_a(_SETTINGS, _V1_SETTINGS)


def is_v1_model(info: ClassInfo) -> bool:
    """Whether a class is a model of the old generation that Pydantic 2 ships as `pydantic.v1`."""
    return info.is_a(_V1_MODEL)


def model_of(value: Type | None, module: Module) -> ClassInfo | None:
    """The model whose instance or class a type describes, or None."""
    if value is None or value.kind not in {Kind.INSTANCE, Kind.CLASS}:
        return None
    info = module.modules.class_info(value.name)
    return info if info is not None and is_model(info) else None


def is_model_value(node: ast.expr, module: Module) -> bool:
    """Whether an expression is certainly a value of a model."""
    known = module.type_of(node)
    return known is not None and known.kind is Kind.INSTANCE and model_of(known, module) is not None


def own_fields(info: ClassInfo) -> Iterator[Field]:
    """The fields that the body of a class itself declares, in order."""
    for statement in info.node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                if name.startswith("_") or name == "model_config":
                    continue
                outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
                if info.module.qualified_name(outer) not in _NO_FIELD:
                    yield Field(name, info, statement)


def fields(info: ClassInfo) -> dict[str, Field]:
    """The fields of a model by name, with those of its bases in the project."""
    found: dict[str, Field] = {}
    for item in reversed(info.mro):
        if isinstance(item, ClassInfo):
            found.update((field.name, field) for field in own_fields(item))
    return found


def config_class(info: ClassInfo) -> ast.ClassDef | None:
    """The nested `class Config` in the body of a class, or None."""
    for statement in info.node.body:
        if isinstance(statement, ast.ClassDef) and statement.name == "Config":
            return statement
    return None


def config_assignment(info: ClassInfo) -> ast.Assign | ast.AnnAssign | None:
    """The statement that sets `model_config` in the body of a class, or None."""
    for statement in info.node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="model_config")]):
                return statement
            case ast.AnnAssign(target=ast.Name(id="model_config"), value=ast.expr()):
                return statement
    return None


def config(info: ClassInfo) -> dict[str, ast.expr]:
    """The configuration of a model: key to the expression that sets it, merged as Pydantic merges it.

    Later bases override earlier ones, the class itself overrides its bases, keywords of the class
    statement override its body.
    """
    merged: dict[str, ast.expr] = {}
    for name in info.bases:
        base = info.module.modules.class_info(name) if name is not None else None
        if base is not None and base is not info:
            merged.update(base.module.guarded(("config", base.name), partial(config, base)) or {})
    merged.update(own_config(info))
    return merged


def own_config(info: ClassInfo) -> dict[str, ast.expr]:
    """The configuration keys that a class itself sets, in whichever of the three ways."""
    found: dict[str, ast.expr] = {}
    nested = config_class(info)
    if nested is not None:
        for statement in nested.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=key)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=key), value=ast.expr() as value)
                ):
                    found[key] = value
    assignment = config_assignment(info)
    match assignment.value if assignment is not None else None:
        case ast.Dict(keys=keys, values=values):
            for key_node, value in zip(keys, values, strict=True):
                if isinstance(key_node, ast.Constant) and isinstance(key_node.value, str):
                    found[key_node.value] = value
        case ast.Call(keywords=keywords):
            found.update((keyword.arg, keyword.value) for keyword in keywords if keyword.arg is not None)
    for keyword in info.node.keywords:
        if keyword.arg not in {None, "metaclass", "table"}:
            found[str(keyword.arg)] = keyword.value
    return found


def inherits(info: ClassInfo, method: str) -> bool:
    """Whether a model has a method from Pydantic itself: no other class on the way can override it."""
    if not info.is_closed or info.member(method) is not None:
        return False
    return info.libraries <= _KNOWN_BASES


class PydanticKnowledge(Knowledge):
    """Types of Pydantic: what the methods of models give."""

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """A class method of `BaseModel`, bound to the model it is read from."""
        if name not in _CLASS_METHODS:
            return None
        info = model_of(value, module)
        if info is None or not inherits(info, name):
            return None
        return Type(f"{MODEL}.{name}", Kind.EXTERNAL, receiver=class_object(info.name))

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The value of a call of a model's method."""
        owner, _, method = callee.name.rpartition(".")
        receiver = callee.receiver
        if receiver is None or callee.kind is not Kind.EXTERNAL or method not in _RESULTS:
            return None
        if MODEL not in module.modules.library_mro(owner):
            return None
        if method in _MAKE_ONE or method in _COPY:
            return instance(receiver.name)
        if method in _TO_DICT:
            return instance("builtins.dict", instance("builtins.str"), None)
        return instance("builtins.str")


KNOWLEDGE = PydanticKnowledge()
