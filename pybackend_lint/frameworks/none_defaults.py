"""Facts about defaults of None where a framework reads the annotation: in models and routes."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks import fastapi, pydantic
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import is_none

_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
# Library packages whose types do not accept None; other names may be aliases that do.
_STRICT = ("builtins.", "datetime.", "decimal.", "uuid.", "pathlib.", "enum.", "ipaddress.")
_STRICT_NAMES = frozenset(
    {f"typing.{name}" for name in ("Sequence", "Mapping", "Iterable", "Collection", "Callable")}
    | {
        f"pydantic.{name}"
        for name in (
            "AnyHttpUrl", "AnyUrl", "EmailStr", "HttpUrl", "NonNegativeInt", "PositiveInt", "PostgresDsn",
            "RedisDsn", "SecretStr", "StrictBool", "StrictInt", "StrictStr",
        )
    }
    | {"fastapi.UploadFile", "starlette.datastructures.UploadFile"}
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class NoneDefault:
    """A field or parameter whose default is None although its annotation leaves None out.

    `annotation` is the part that describes the value, without `Annotated`.
    """

    name: str
    node: ast.AnnAssign | ast.arg
    annotation: ast.expr


def none_fields(node: ast.ClassDef, module: Module) -> list[NoneDefault]:
    """The fields that a Pydantic 2 model declares in its body with None as default."""
    if not any(_may_be_none(item.value) for item in node.body if isinstance(item, ast.AnnAssign)):
        return []
    info = module.class_info_of(node)
    if not pydantic.is_model(info) or info.is_a("sqlmodel.SQLModel") or not info.is_closed:
        return []
    found: list[NoneDefault] = []
    for field in pydantic.own_fields(info):
        if _may_be_none(field.default) and _defaults_to_none(field):
            annotation = _strict_annotation(field.annotation, field.node, module)
            if annotation is not None and not _is_filled(field.name, info):
                found.append(NoneDefault(field.name, field.node, annotation))
    return found


def _may_be_none(default: ast.expr | None) -> bool:
    return is_none(default) or isinstance(default, ast.Call)


def _defaults_to_none(field: pydantic.Field) -> bool:
    call = field.field_call
    if call is None:
        return is_none(field.default)
    names = {keyword.arg for keyword in call.keywords}
    if names & {"validate_default", "default_factory", "init", None}:
        return False
    default = call.args[0] if call.args else None
    return is_none(next((item.value for item in call.keywords if item.arg == "default"), default))


def _is_filled(name: str, info: ClassInfo) -> bool:
    """Whether a validator or method of a model gives a field its value, or the model validates defaults."""
    if "validate_default" in pydantic.config(info) or "validate_all" in pydantic.config(info):
        return True
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        if name in item.instance_attributes or item.method("model_post_init") is not None:
            return True
        for method in item.methods():
            for part in _constants(method):
                if part == name or part == "*":
                    return True
    return False


def _constants(method: FunctionInfo) -> list[object]:
    """The texts in the decorators and the body of a method."""
    nodes = [node for decorator in method.node.decorator_list for node in ast.walk(decorator)]
    return [node.value for node in (*nodes, *method.own_nodes()) if isinstance(node, ast.Constant)]


def none_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> list[NoneDefault]:
    """The parameters of a FastAPI route that default to None although their annotation leaves None out."""
    function = module.function_info(node)
    if not any(_may_be_none(default) for _, default in function.parameters()):
        return []
    if not fastapi.is_route(function):
        return []
    found: list[NoneDefault] = []
    for parameter, default in function.parameters():
        if parameter.annotation is None or fastapi.injected(parameter, default, module) is not None:
            continue
        value = default
        if fastapi.marker_of(default, module) is not None and isinstance(default, ast.Call):
            value = fastapi.argument(default, 0, "default")
        if not is_none(value):
            continue
        annotation = _strict_annotation(parameter.annotation, parameter, module)
        if annotation is not None:
            found.append(NoneDefault(parameter.arg, parameter, annotation))
    return found


def _strict_annotation(annotation: ast.expr, use: ast.AST, module: Module) -> ast.expr | None:
    """The part of an annotation that describes the value, when it certainly leaves None out."""
    if isinstance(annotation, ast.Subscript) and module.qualified_name(annotation.value) in _ANNOTATED:
        inner = annotation.slice
        return _strict_annotation(inner.elts[0], use, module) if isinstance(inner, ast.Tuple) else None
    known = module.annotation_type(annotation, use)
    if known is None or known.optional or known.name == "builtins.None" or known.kind is not Kind.INSTANCE:
        return None
    is_strict = known.name.startswith(_STRICT) or known.name in _STRICT_NAMES
    if is_strict or module.modules.class_info(known.name) is not None:
        return annotation
    return None


def optional_edit(found: NoneDefault, module: Module) -> Edit:
    """The edit that lets an annotation include None; one in quotes stays in quotes."""
    source = module.source
    start, end = source.start(found.annotation), source.end(found.annotation)
    if isinstance(found.annotation, ast.Constant) and isinstance(found.annotation.value, str):
        quote = "'" if source.text[start] == "'" else '"'
        return Edit(start, end, f"{quote}{found.annotation.value} | None{quote}")
    return Edit(end, end, " | None")
