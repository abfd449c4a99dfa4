"""What FastAPI does with the value a route returns: status codes, response models, annotations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pybackend_lint.frameworks import fastapi, pydantic
from pybackend_lint.frameworks.fastapi import Route
from pybackend_lint.frameworks.sqlalchemy_mapping import is_mapped, is_table, mapped_class
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import NONE, Kind, Type

_SQLMODEL = "sqlmodel.SQLModel"
RESPONSE = "starlette.responses.Response"
_BODILESS = frozenset({204, 205, 304})  # and 1xx: `fastapi.utils.is_body_allowed_for_status_code`
_UNIONS = frozenset({"typing.Union", "typing.Optional"})
_CONTAINERS = frozenset(
    f"{module}.{name}"
    for module, names in (
        ("builtins", ("list", "tuple", "set", "frozenset", "dict")),
        ("typing", ("List", "Tuple", "Set", "FrozenSet", "Dict", "Sequence", "Iterable", "Mapping")),
        ("collections.abc", ("Sequence", "Iterable", "Mapping")),
    )
    for name in names
)
# Bases that leave Pydantic without a schema for a class.
_NO_SCHEMA = frozenset(
    {"abc.ABC", "builtins.BaseException", "builtins.Exception", "builtins.object", "typing.Generic"}
)
_PLAIN_MODELS = frozenset({pydantic.MODEL, "builtins.object", "abc.ABC", "typing.Generic"})
_STATUS_NUMBERS = ("starlette.status.HTTP_", "fastapi.status.HTTP_")
_STATUS_NAMES = {
    "http.HTTPStatus.CONTINUE": 100,
    "http.HTTPStatus.NO_CONTENT": 204,
    "http.HTTPStatus.RESET_CONTENT": 205,
    "http.HTTPStatus.NOT_MODIFIED": 304,
}


def status_code(route: Route) -> int | None:
    """The status code that the registration of a route declares; None without one, or without a constant."""
    written = fastapi.argument(route.call, None, "status_code")
    if isinstance(written, ast.Constant):
        return written.value if isinstance(written.value, int) else None
    name = route.module.qualified_name(written) if written is not None else None
    for prefix in _STATUS_NUMBERS:
        if name is not None and name.startswith(prefix):
            number = name.removeprefix(prefix).partition("_")[0]
            return int(number) if number.isdigit() else None
    return _STATUS_NAMES.get(name) if name is not None else None


def has_no_body(code: int | None) -> bool:
    """Whether answers with a status code never have a body."""
    return code is not None and (code < 200 or code in _BODILESS)


def declares_body(route: Route) -> ast.expr | None:
    """What makes FastAPI expect a body from a route: its response model, else its return annotation."""
    model = fastapi.argument(route.call, None, "response_model")
    if model is not None:
        return None if isinstance(model, ast.Constant) and model.value is None else model
    function = route.function
    annotation = function.node.returns if function is not None else None
    if function is None or annotation is None or function.node.decorator_list[-1:] != [route.call]:
        return None
    if isinstance(annotation, ast.Constant):
        return None
    module = function.module
    name = module.qualified_name(annotation.value if isinstance(annotation, ast.Subscript) else annotation)
    if name is None:
        return None
    info = module.modules.class_info(name)
    if info is not None:
        return annotation if info.is_closed and not info.is_a(RESPONSE) else None
    is_plain = name.startswith(("builtins.", "pydantic.")) or name in _CONTAINERS
    return annotation if is_plain else None


def returned_values(function: FunctionInfo) -> Iterator[ast.Return]:
    """The `return` statements of a function whose value is certainly neither empty nor a response.

    None for a function that sets the status code of its answers itself.
    """
    module = function.module
    if any(
        node.attr == "status_code" and isinstance(node.ctx, ast.Store) for node in function.own(ast.Attribute)
    ):
        return
    for node in function.own(ast.Return):
        known = module.type_of(node.value) if node.value is not None else None
        if known is None or known == NONE or known.kind is not Kind.INSTANCE:
            continue
        if known.optional and _entity_of(known, module) is None:
            continue
        if not _may_be_response(known, module) and not _may_be_empty(node.value, known):
            yield node


def _may_be_empty(value: ast.expr | None, known: Type) -> bool:
    """Whether a value may say nothing, such as `{}`."""
    match value:
        case ast.Constant(value=constant):
            return not constant
        case ast.Dict(keys=items) | ast.List(elts=items) | ast.Tuple(elts=items):
            return not items
        case ast.Name() | ast.Call() | ast.Await():
            return known.name.startswith("builtins.")
    return False


def _may_be_response(known: Type, module: Module) -> bool:
    info = module.modules.class_info(known.name)
    if info is not None:
        return not info.is_closed or info.is_a(RESPONSE)
    return not known.name.startswith(("builtins.", "pydantic."))


def invalid_return_annotation(function: FunctionInfo) -> ast.expr | None:
    """The part of a return annotation for which Pydantic certainly has no schema, or None.

    A class of the project that is neither a model nor made by a decorator, one mapped to a table, or
    a response among other alternatives or inside a container.
    """
    annotation = function.node.returns
    if annotation is None:
        return None
    return _without_schema(annotation, function.module, alone=True)


def _without_schema(node: ast.expr, module: Module, *, alone: bool) -> ast.expr | None:
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _first_without([left, right], module)
        case ast.Subscript(value=value, slice=inner):
            name = module.qualified_name(value)
            if name in _UNIONS or name in _CONTAINERS:
                return _first_without(inner.elts if isinstance(inner, ast.Tuple) else [inner], module)
        case ast.Name() | ast.Attribute():
            name = module.qualified_name(node)
            info = module.modules.class_info(name) if name is not None else None
            if info is None:
                bases = module.modules.library_mro(name) if name is not None else ()
                return node if not alone and RESPONSE in bases else None
            if info.is_a(RESPONSE):
                return None if alone else node
            return node if _lacks_schema(info) else None
    return None


def _first_without(parts: list[ast.expr], module: Module) -> ast.expr | None:
    found = (_without_schema(part, module, alone=False) for part in parts)
    return next((item for item in found if item is not None), None)


def _lacks_schema(info: ClassInfo) -> bool:
    """Whether Pydantic certainly cannot validate a class."""
    if not info.is_closed or info.member("__get_pydantic_core_schema__") is not None:
        return False
    classes = [item for item in info.mro if isinstance(item, ClassInfo)]
    if any(item.node.decorator_list or item.node.keywords for item in classes):
        return False
    if is_mapped(info):
        return not info.is_a(_SQLMODEL, "pydantic.BaseModel")
    return info.libraries <= _NO_SCHEMA


def is_plain(value: ast.expr) -> bool:
    """Whether computing a value only reads names and constants, so that nothing is lost without it."""
    match value:
        case ast.Constant() | ast.Name():
            return True
        case ast.Dict(keys=keys, values=values):
            return all(item is not None and is_plain(item) for item in (*keys, *values))
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items) | ast.JoinedStr(values=items):
            return all(map(is_plain, items))
        case ast.FormattedValue(value=inner):
            return is_plain(inner)
    return False


def validated_entity(call: ast.Call, module: Module) -> tuple[ClassInfo, ClassInfo] | None:
    """The schema and the mapped class where a call of `model_validate` gets an object it cannot read."""
    known = module.type_of(call.func)
    if known is None or known.name != f"{pydantic.MODEL}.model_validate" or len(call.args) != 1:
        return None
    schema = pydantic.model_of(known.receiver, module)
    given = module.type_of(call.args[0])
    if schema is None or given is None or given.kind is not Kind.INSTANCE:
        return None
    entity = mapped_class(given.name, module.modules)
    if entity is None or any(keyword.arg in {None, "from_attributes"} for keyword in call.keywords):
        return None
    if not schema.is_closed or not schema.libraries <= _PLAIN_MODELS or not _reads_no_attributes(schema):
        return None
    own = [item for item in schema.mro if isinstance(item, ClassInfo)]
    names = {name for item in own for method in item.methods() for name in method.decorators}
    if names & {"pydantic.model_validator", "pydantic.root_validator", None}:
        return None
    return None if schema.member("__get_pydantic_core_schema__") is not None else (schema, entity)


def _reads_no_attributes(schema: ClassInfo) -> bool:
    """Whether the configuration of a model is written out, and says nothing of attributes."""
    for item in schema.mro:
        assignment = pydantic.config_assignment(item) if isinstance(item, ClassInfo) else None
        match assignment.value if assignment is not None else None:
            case None:
                continue
            case ast.Dict(keys=keys) if all(isinstance(key, ast.Constant) for key in keys):
                continue
            case ast.Call(args=[], keywords=keywords) if all(keyword.arg for keyword in keywords):
                continue
        return False
    return not {"from_attributes", "orm_mode"} & set(pydantic.config(schema))


# Entities in answers

_PASSWORDS = r"passw|pwd|(?:^|_)hash(?:ed)?(?:_|$)|(?:^|_)salt$"
_NEVER_SHOWN = re.compile(_PASSWORDS, re.IGNORECASE)
_SENSITIVE = re.compile(rf"{_PASSWORDS}|secret|(?:^|_)token$|api_?key", re.IGNORECASE)
_LISTS = frozenset(
    {"builtins.list", "builtins.tuple", "builtins.set", "typing.Sequence", "typing.Iterable",
     "sqlalchemy.ScalarResult"}
)  # fmt: skip
_COLLECTIONS = _LISTS | {"builtins.dict"}
_DATACLASS = "sqlalchemy.orm.MappedAsDataclass"  # Pydantic serialises dataclasses, whatever they are
_OPEN = frozenset({"builtins.dict", "builtins.list", "typing.Dict", "typing.List"})
_ENCODER = "fastapi.encoders.jsonable_encoder"
_LEAVE_OUT = frozenset({"response_model_exclude", "response_model_include", None})


def returned_entities(route: Route) -> list[tuple[ast.Return, ClassInfo]]:
    """Where a route that declares no answer returns mapped objects, or lists or dictionaries of them."""
    function = route.function
    if function is None or not _declares_no_model(route):
        return []
    is_any = _is_any(function.node.returns, function.module)
    if function.node.returns is not None and not is_any:
        return []
    # With `Any`, Pydantic serialises its own models only.
    return [item for item in _returned_entities(function) if not is_any or item[1].is_a(_SQLMODEL)]


def unserialisable_entities(route: Route) -> list[tuple[ast.Return, ClassInfo]]:
    """Where a route returns mapped objects that Pydantic is to serialise as `Any`, which it cannot."""
    function = route.function
    if (
        function is None
        or not _declares_no_model(route)
        or not _is_open(function.node.returns, function.module)
    ):
        return []
    return [
        (node, entity)
        for node, entity in _returned_entities(function, encoded=False)
        if not entity.is_a("pydantic.BaseModel", _SQLMODEL, _DATACLASS) and not entity.node.decorator_list
    ]


def _declares_no_model(route: Route) -> bool:
    """Whether a route answers with JSON of which its decorator, which FastAPI sees first, says nothing."""
    function = route.function
    if function is None or not route.methods or has_no_body(status_code(route)):
        return False
    given = {keyword.arg for keyword in route.call.keywords}
    decorators = function.node.decorator_list
    return not given & {None, "response_model", "response_class"} and not (
        decorators and decorators[-1] is not route.call
    )


def _returned_entities(
    function: FunctionInfo, *, encoded: bool = True
) -> Iterator[tuple[ast.Return, ClassInfo]]:
    for node in function.own(ast.Return):
        entity = _entity_in(node.value, function.module, encoded) if node.value is not None else None
        if entity is not None:
            yield node, entity


def _is_any(annotation: ast.expr | None, module: Module) -> bool:
    return annotation is not None and module.qualified_name(annotation) == "typing.Any"


def _is_open(annotation: ast.expr | None, module: Module) -> bool:
    """Whether an annotation lets values be anything: `Any`, or lists or dictionaries of anything."""
    match annotation:
        case ast.Subscript(value=value, slice=inner):
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return module.qualified_name(value) in _OPEN and _is_any(items[-1], module)
        case ast.Name() | ast.Attribute():
            return _is_any(annotation, module) or module.qualified_name(annotation) in _OPEN
    return False


def _entity_in(value: ast.expr, module: Module, encoded: bool) -> ClassInfo | None:
    """The mapped class of objects that are, or are inside, a value that FastAPI makes JSON of.

    `encoded`: whether objects that are made plain data of by `jsonable_encoder()` count.
    """
    match value:
        case ast.BoolOp(op=ast.And(), values=[*_, part]):
            parts = [part]
        case ast.Dict(values=parts) | ast.BoolOp(values=parts):
            pass
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            pass
        case ast.IfExp(body=body, orelse=other):
            parts = [body, other]
        case ast.ListComp(elt=part) | ast.SetComp(elt=part) | ast.GeneratorExp(elt=part):
            parts = [part]
        case ast.DictComp(value=part):
            parts = [part]
        case ast.Call(args=[], keywords=keywords) if module.qualified_name(value.func) == "builtins.dict":
            parts = [keyword.value for keyword in keywords if keyword.arg is not None]
        case ast.Call(args=[part], keywords=[]) if module.qualified_name(value.func) == _ENCODER:
            parts = [part] if encoded else []
        case _:
            return _entity_of(module.type_of(value), module)
    return next(filter(None, (_entity_in(part, module, encoded) for part in parts)), None)


def _entity_of(known: Type | None, module: Module) -> ClassInfo | None:
    while known is not None and known.kind is Kind.INSTANCE and known.name in _COLLECTIONS:
        known = known.argument(1 if known.name == "builtins.dict" else 0)
    if known is None or known.kind is not Kind.INSTANCE:
        return None
    return mapped_class(known.name, module.modules)


def leaked_field(route: Route) -> tuple[ast.expr, ClassInfo, pydantic.Field] | None:
    """A column that is named like a secret and part of a route's answer, since that is the table itself.

    Gives what declares the answer, the model and the column. What POST answers may be a key or token
    that is shown once.
    """
    function = route.function
    if function is None or {keyword.arg for keyword in route.call.keywords} & _LEAVE_OUT:
        return None
    written = fastapi.argument(route.call, None, "response_model")
    home = route.module
    if written is None:
        written, home = function.node.returns, function.module
    known = (
        home.annotation_type(written, route.call if home is route.module else function.node)
        if written
        else None
    )
    while known is not None and known.name in _LISTS:
        known = known.argument()
    model = home.modules.class_info(known.name) if known is not None else None
    if model is None or written is None or not pydantic.is_model(model) or not _is_table(model):
        return None
    sensitive = _NEVER_SHOWN if route.methods == frozenset({"POST"}) else _SENSITIVE
    for name, field in pydantic.fields(model).items():
        if sensitive.search(name) and _is_shown_text(field):
            return written, model, field
    return None


def _is_table(model: ClassInfo) -> bool:
    return any(isinstance(item, ClassInfo) and is_table(item) for item in model.mro)


def _is_shown_text(field: pydantic.Field) -> bool:
    """Whether a field holds a text that answers show: it is neither left out nor masked."""
    call, module = field.field_call, field.owner.module
    if call is not None and any(keyword.arg in {"exclude", None} for keyword in call.keywords):
        return False
    known = module.annotation_type(field.annotation, field.node)
    return known is not None and known.name in {"builtins.str", "builtins.bytes"}
