"""Facts about Pydantic: models of both generations, their fields and configuration, values of models."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from pybackend_lint.finding import Position
from pybackend_lint.frameworks.data import pydantic_v2
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type, class_object, instance

ROOTS = ("pydantic", "pydantic_settings")

MODEL = "pydantic.BaseModel"
_ADAPTER = "pydantic.TypeAdapter"
_VALIDATE = frozenset({"validate_python", "validate_json", "validate_strings"})
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
_DUMP_ARGUMENTS = frozenset(
    {"include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none"}
)
# The arguments that the renamed methods have in common with the new ones.
_ARGUMENTS: dict[str, frozenset[str] | None] = {
    "dict": _DUMP_ARGUMENTS,
    "json": _DUMP_ARGUMENTS | {"indent"},
    "copy": frozenset({"update", "deep"}),
    "construct": None,  # names of fields
    "parse_obj": frozenset({"obj"}),
    "parse_raw": frozenset(),
    "from_orm": frozenset({"obj"}),
    "schema": frozenset({"by_alias", "ref_template"}),
    "validate": frozenset(),
    "update_forward_refs": frozenset(),
}
_VALIDATORS = frozenset(
    {"pydantic.field_validator", "pydantic.model_validator", "pydantic.validator",
     "pydantic.root_validator"}
)  # fmt: skip
_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
_SECOND_ONLY = (
    b"pydantic_settings", b"field_validator", b"model_validator", b"ConfigDict", b"pydantic.v1",
)  # fmt: skip
_OPTIONALS = frozenset({"typing.Optional", "typing_extensions.Optional"})
_UNIONS = frozenset({"typing.Union", "typing_extensions.Union"})
_UNSUPPORTED = frozenset({"always", "each_item", "whole"})
_EXTRAS = frozenset(f"pydantic.Extra.{name}" for name in ("allow", "ignore", "forbid"))
_BINDING_CALLS = frozenset({"builtins.staticmethod", "builtins.classmethod"})
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


@dataclass(frozen=True, eq=False)
class ConfigKey:
    """A key of a nested `class Config`, and what becomes of it in Pydantic 2.

    - `new_name`: None where the key has no counterpart; `text`: its value, as it may be written there.
    - `lost`: what to use instead, where it asked for something that Pydantic 2 ignores.
    - `is_same`: it means the same in both.
    """

    name: str
    statement: ast.stmt
    new_name: str | None
    text: str
    lost: str | None = None
    is_same: bool = False


@dataclass(frozen=True, eq=False)
class NestedConfig:
    """A `class Config` of a model; `is_movable` when `keys` hold everything that is in it."""

    node: ast.ClassDef
    keys: tuple[ConfigKey, ...]
    is_movable: bool


def nested_config(info: ClassInfo) -> NestedConfig | None:
    """The nested `class Config` that configures a model, or None (also for a model of that name)."""
    node = config_class(info)
    if node is None or not is_model(info):
        return None
    nested = info.module.class_info_of(node)
    if is_model(nested) or is_v1_model(nested):
        return None
    movable = not node.keywords and not node.decorator_list and _only_adds_to(nested, info)
    keys: list[ConfigKey] = []
    taken = set(info.scope.bindings) | set(nested.scope.bindings)
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                key = _config_key(name, statement, value, info)
                used = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
                movable = movable and key is not None and key.lost is None and not used & taken
                keys += [key] if key is not None else []
            case ast.FunctionDef(name=name) if name in pydantic_v2.LOST_KEYS:
                keys.append(ConfigKey(name, statement, None, "", pydantic_v2.LOST_KEYS[name]))
                movable = False
            case ast.Pass():
                pass
            case ast.Expr(value=ast.Constant(value=str())) if len(node.body) == 1:
                pass
            case _:
                movable = False
    return NestedConfig(node, tuple(keys), movable)


def _only_adds_to(nested: ClassInfo, info: ClassInfo) -> bool:
    """Whether the bases of a `class Config` add nothing: it has none but that of the model's one base."""
    if not nested.bases:
        return True
    return len(info.bases) == 1 and nested.bases == (f"{info.bases[0]}.Config",)


def _config_key(name: str, statement: ast.stmt, value: ast.expr, info: ClassInfo) -> ConfigKey | None:
    source = info.module.source
    target = statement.annotation if isinstance(statement, ast.AnnAssign) else statement.targets[0]  # type: ignore[attr-defined]
    equals = source.text.index("=", source.end(target))
    text = source.text[equals + 1 : source.end(statement)].strip()
    literal = _extra_literal(value, info.module)
    if name in pydantic_v2.LOST_KEYS:
        return ConfigKey(name, statement, None, text, pydantic_v2.LOST_KEYS[name])
    if literal is not None:
        text = literal
    elif isinstance(value, ast.Call) and info.module.qualified_name(value.func) in _BINDING_CALLS:
        return None  # reading it from the class unwraps it
    make = partial(ConfigKey, name, statement)
    if name in pydantic_v2.INVERTED_KEYS:
        if not isinstance(value, ast.Constant):
            return None
        return (
            make(None, text, is_same=True) if value.value else make(pydantic_v2.INVERTED_KEYS[name], "True")
        )
    if name in pydantic_v2.RENAMED_KEYS:
        return make(pydantic_v2.RENAMED_KEYS[name], text)
    if name in pydantic_v2.NEEDLESS_KEYS:
        return make(None, text, is_same=True)
    known = pydantic_v2.SETTINGS_KEYS if is_settings(info) else pydantic_v2.KEPT_KEYS
    return make(name, text, is_same=True) if name in known else None


def _extra_literal(value: ast.expr, module: Module) -> str | None:
    """What `Extra.forbid` is in Pydantic 2: a string of the same name."""
    if not isinstance(value, ast.Attribute):
        return None
    name = module.qualified_name(value) or ""
    return f'"{value.attr}"' if name in _EXTRAS else None


def sets_config(info: ClassInfo) -> bool:
    """Whether the body of a class also sets `model_config` to something that may hold keys."""
    match config_assignment(info):
        case None:
            return False
        case ast.Assign(value=ast.Dict(keys=[])) | ast.AnnAssign(value=ast.Dict(keys=[])):
            return False
        case ast.Assign(value=ast.Call(args=[], keywords=[])):
            return False
    return True


def is_config_read(info: ClassInfo) -> bool:
    """Whether some file of the project may read the nested `Config` of a class by name."""
    index, module = info.module.modules, info.module
    data = module.source.data
    if any(word in data for word in (b"self.Config", b"cls.Config", b"__.Config")):
        return True
    return isinstance(index, Index) and bool(files_with(index, module, f"{info.node.name}.Config".encode()))


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


@dataclass(frozen=True, eq=False)
class RenamedUse:
    """A use of a model's method or attribute by the name of Pydantic 1.

    - `text`: what to write instead, with `{}` for the receiver; None where no counterpart takes the
      same arguments. `argument`: one to add to the call. `is_same`: whether it does the same then.
    """

    model: ClassInfo
    new: str
    call: ast.Call | None
    text: str | None
    argument: str | None
    is_same: bool


def renamed_use(node: ast.Attribute, parent: ast.AST | None, module: Module) -> RenamedUse | None:
    """What is to be known about an attribute of a model that Pydantic 2 has renamed, or None.

    `parent` is the node around the attribute. Methods that a project class overrides are no such use,
    nor is a call of `super()`.
    """
    old, new = node.attr, pydantic_v2.RENAMED_METHODS[node.attr]
    receiver = module.type_of(node.value)
    info = model_of(receiver, module)
    if info is None or receiver is None or not inherits(info, old):
        return None
    on_class = receiver.kind is Kind.CLASS
    if old in _COPY | _TO_DICT | _TO_TEXT | {"__fields_set__"} and on_class:
        return None
    if old.startswith("__"):
        needs_class = old == "__fields__" and not on_class
        text = f"type({{}}).{new}" if needs_class else f"{{}}.{new}"
        return RenamedUse(info, new, None, text, None, True)
    call = parent if isinstance(parent, ast.Call) and parent.func is node else None
    text, argument, same = f"{{}}.{new}", None, True
    if call is None:  # passed on: who calls it, and with what, is not known
        return RenamedUse(info, new, None, text, None, False)
    names = {keyword.arg for keyword in call.keywords}
    known = _ARGUMENTS[old]
    if known is not None and not names - {None} <= known:
        return RenamedUse(info, new, call, None, None, False)
    if "indent" in names or {"update", "deep"} <= names or (old == "copy" and None in names):
        same = False
    if old in {"dict", "json"} and "by_alias" not in names and "serialize_by_alias" in config(info):
        same = False
    if old == "parse_raw":
        same = False
    if old == "update_forward_refs":
        argument = "force=True"
    if old == "from_orm":
        setting = config(info).get("from_attributes")
        same = isinstance(setting, ast.Constant) and setting.value is True and not info.is_a(_TABLE_MODEL)
        argument = None if same else "from_attributes=True"
    return RenamedUse(info, new, call, text, argument, same and not _is_overridden(info, old))


def _is_overridden(info: ClassInfo, method: str) -> bool:
    """Whether a subclass of a model, in any file of the project, defines a method of this name."""
    index, module = info.module.modules, info.module
    if not isinstance(index, Index):
        return False
    for path in files_with(index, module, f"def {method}(".encode()):
        other = index.at(path, module)
        for node in other.source.nodes(ast.FunctionDef) if other is not None else ():
            owner = other.function_info(node).owner if other is not None and node.name == method else None
            if owner is not None and owner.is_a(info.name):
                return True
    return False


@dataclass(frozen=True, eq=False)
class OldValidator:
    """A function decorated by `@validator` of Pydantic 1, and what a field validator makes of it.

    - `before`: the keyword that makes it run before Pydantic's own validation; `dropped`: keywords
      that have no meaning any more; `unsupported`: one that asks for what field validators cannot do.
    - `values`: the parameter with the other fields' values, and its `uses` in the body.
    """

    decorator: ast.Call
    is_class_method: bool
    is_convertible: bool
    before: ast.keyword | None
    dropped: tuple[ast.keyword, ...]
    unsupported: str | None
    values: ast.arg | None
    uses: tuple[ast.Name, ...]


def reused_function(call: ast.Call, module: Module) -> ast.expr | None:
    """The function that a field of a class gives to `validator(...)`, or None for any other call."""
    around = module.source.parent(call)
    if not isinstance(around, ast.Call) or around.func is not call or len(around.args) != 1:
        return None
    return around.args[0] if module.qualified_name(call.func) == "pydantic.validator" else None


def old_validator(function: FunctionInfo) -> OldValidator | None:
    """What is to be known about a function that `@validator` decorates, or None for any other."""
    names = function.decorators
    if "pydantic.validator" not in names:
        return None
    position = names.index("pydantic.validator")
    decorator = function.node.decorator_list[position]
    if not isinstance(decorator, ast.Call):
        return None
    before: ast.keyword | None = None
    dropped: list[ast.keyword] = []
    unsupported: str | None = None
    convertible = bool(decorator.args) and all(isinstance(item, ast.Constant) for item in decorator.args)
    for keyword in decorator.keywords:
        is_set = not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
        if keyword.arg == "pre" and isinstance(keyword.value, ast.Constant):
            before, dropped = (keyword, dropped) if is_set else (None, [*dropped, keyword])
        elif keyword.arg == "allow_reuse" or (keyword.arg in _UNSUPPORTED and not is_set):
            dropped.append(keyword)
        elif keyword.arg in _UNSUPPORTED:
            unsupported = keyword.arg
        elif keyword.arg != "check_fields":
            convertible = False
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    extra = [*positional[2:], *arguments.kwonlyargs]
    for parameter in extra:
        if parameter.arg in {"field", "config"}:
            unsupported = unsupported or parameter.arg
    values = extra[0] if len(extra) == 1 and extra[0].arg == "values" else None
    inner = [node for node in ast.walk(function.node) if isinstance(node, ast.Name)]
    uses = [node for node in inner if values is not None and node.id == "values"]
    convertible = (
        convertible
        and unsupported is None
        and names.count("pydantic.validator") == 1
        and all(name in {"pydantic.validator", "builtins.classmethod"} for name in names)
        and "builtins.classmethod" not in names[:position]
        and len(positional) - (values in positional) == 2
        and positional[0].arg == "cls"
        and len(extra) == (values is not None)
        and not (arguments.vararg or arguments.kwarg or arguments.defaults or arguments.kw_defaults)
        and all(isinstance(use.ctx, ast.Load) for use in uses)
        and not (values is not None and any(node.id == "info" for node in inner))
    )
    return OldValidator(
        decorator, "builtins.classmethod" in names, convertible, before, tuple(dropped), unsupported,
        values, tuple(uses),
    )  # fmt: skip


def hidden_validators(function: FunctionInfo) -> tuple[int, list[int]] | None:
    """The positions of a `@classmethod` and of the validators below it among a function's decorators.

    The descriptor of `classmethod` hides the validator from Pydantic, which then never runs it. None
    where no validator is hidden.
    """
    names = function.decorators
    if "builtins.classmethod" not in names:
        return None
    position = names.index("builtins.classmethod")
    below = [i for i, name in enumerate(names) if i > position and name in _VALIDATORS]
    return (position, below) if below else None


@dataclass(frozen=True, eq=False)
class Constrained:
    """A call such as `conint(gt=0)`: the type it constrains and the annotation that says the same.

    - `type_name`: qualified; `item`: what a container holds; `marker`: what takes the constraints.
    - `arguments`: the constraints by their new names; None where one has no counterpart.
    - `is_same`: no constraint has another name.
    """

    type_name: str
    item: ast.expr | None
    marker: str
    arguments: tuple[tuple[str, ast.expr], ...] | None
    is_same: bool


def constrained(call: ast.Call, module: Module) -> Constrained | None:
    """What a call of `conint`, `constr`, `conlist` and their like constrains, or None for other calls."""
    name = module.qualified_name(call.func) or ""
    type_name = pydantic_v2.CONSTRAINED.get(name)
    if type_name is None:
        return None
    takes_item = type_name in {"builtins.list", "builtins.set", "builtins.frozenset"}
    item = call.args[0] if takes_item and call.args else None
    same = True
    arguments: list[tuple[str, ast.expr]] | None = [] if len(call.args) == (item is not None) else None
    for keyword in call.keywords:
        if takes_item and keyword.arg == "item_type":
            item = keyword.value
            continue
        new = pydantic_v2.RENAMED_CONSTRAINTS.get(keyword.arg or "", keyword.arg)
        same = same and new == keyword.arg
        if new not in pydantic_v2.CONSTRAINTS or arguments is None:
            arguments = None
        else:
            arguments.append((new, keyword.value))
    if isinstance(item, ast.Starred):
        arguments = None
    written = {new for new, _ in arguments or ()}
    marker = "pydantic.StringConstraints" if written & pydantic_v2.STRING_CONSTRAINTS else "pydantic.Field"
    return Constrained(type_name, item, marker, None if arguments is None else tuple(arguments), same)


def is_annotation(node: ast.expr, module: Module) -> bool:
    """Whether an expression is (part of) the type that an annotation names, not metadata of it."""
    child: ast.AST = node
    for ancestor in module.source.ancestors(node):
        match ancestor:
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=annotation):
                return child is annotation
            case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
                return child is returns
            case ast.Tuple() | ast.List() | ast.BinOp(op=ast.BitOr()):
                pass
            case ast.Subscript(value=value, slice=inner) if child is inner:
                if module.qualified_name(value) in _ANNOTATED:
                    first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
                    if not module.source.start(first) <= module.source.start(node) < module.source.end(first):
                        return False
            case _:
                return False
        child = ancestor
    return False


def settings_import(statement: ast.ImportFrom, module: Module) -> ast.alias | None:
    """The name by which a statement imports `BaseSettings` from where Pydantic 2 has none, or None.

    An import that depends on a condition or on the failure of another one is left to its author.
    """
    for alias in statement.names:
        if alias.name == "BaseSettings" and not statement.level:
            name = module.modules.canonical(f"{statement.module}.{alias.name}", module)
            return alias if name == _V1_SETTINGS and not _is_conditional(statement, module) else None
    return None


def is_moved_settings(node: ast.Attribute, module: Module) -> bool:
    """Whether an expression reads `BaseSettings` from the package `pydantic`, whatever the version."""
    if not isinstance(node.value, ast.Name) or module.qualified_name(node.value) != "pydantic":
        return False
    return module.qualified_name(node) == _V1_SETTINGS and not _is_conditional(node, module)


def _is_conditional(node: ast.AST, module: Module) -> bool:
    return any(isinstance(item, (ast.If, ast.Try, ast.IfExp)) for item in module.source.ancestors(node))


def shows_second_generation(module: Module) -> bool:
    """Whether some file of the project uses what only Pydantic 2 has."""
    index = module.modules
    return isinstance(index, Index) and any(files_with(index, module, word) for word in _SECOND_ONLY)


def nullable_without_default(info: ClassInfo) -> Iterator[Field]:
    """The fields of a class itself that may be None and have no default.

    A field of `Field(...)` is not among them: the literal `...` says that it is required.
    """
    if info.is_a(_TABLE_MODEL) or is_settings(info):
        return
    for field in own_fields(info):
        if not _is_nullable(field.annotation, info.module):
            continue
        call = field.field_call
        if field.default is None or (
            call is not None
            and not call.args
            and not {"default", "default_factory", None} & {keyword.arg for keyword in call.keywords}
        ):
            yield field


def _is_nullable(annotation: ast.expr, module: Module) -> bool:
    match annotation:
        case ast.Constant(value=None):
            return True
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_nullable(left, module) or _is_nullable(right, module)
        case ast.Subscript(value=value, slice=inner):
            name = module.qualified_name(value)
            elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if name in _ANNOTATED:
                return _is_nullable(elements[0], module)
            if name in _UNIONS:
                return any(_is_nullable(element, module) for element in elements)
            return name in _OPTIONALS
    return False


def created_without(field: Field, is_test: Callable[[str], bool]) -> tuple[str, Position] | None:
    """A call, outside tests, that creates a model and leaves out a field: its path and place.

    None as well where the field may be given in another way: by an alias, a validator that runs
    before, or an `__init__` of the project.
    """
    info, module = field.owner, field.owner.module
    index = module.modules
    names = {keyword.arg for keyword in field.field_call.keywords} if field.field_call is not None else set()
    if not isinstance(index, Index) or names & {"alias", "validation_alias"} or not info.is_closed:
        return None
    if "alias_generator" in config(info) or info.member("__init__") or _prepares_input(info):
        return None
    called = info.node.name
    for path in files_with(index, module, f"{called}(".encode()):
        other = None if is_test(path) else index.at(path, module)
        for call in other.source.calls.get(called, ()) if other is not None else ():
            given = {keyword.arg for keyword in call.keywords}
            if call.args or given & {None, field.name} or other is None:
                continue
            if other.qualified_name(call.func) == info.name:
                return other.source.path, other.source.position(other.source.start(call))
    return None


def _prepares_input(info: ClassInfo) -> bool:
    """Whether a class, or a base of it, changes the input as a whole before its fields are read."""
    classes = [item for item in info.mro if isinstance(item, ClassInfo)]
    decorators = {name for item in classes for method in item.methods() for name in method.decorators}
    return bool(decorators & {"pydantic.model_validator", "pydantic.root_validator", None})


def is_written_for_first_generation(module: Module) -> bool:
    """Whether a file uses what only Pydantic 1 has, and nothing that only Pydantic 2 has."""
    old = new = False
    for statement in module.source.nodes(ast.ImportFrom):
        if statement.module is None or statement.module.partition(".")[0] != "pydantic":
            continue
        names = {alias.name for alias in statement.names}
        old = old or bool(names & pydantic_v2.FIRST_ONLY)
        new = new or bool(names & pydantic_v2.SECOND_ONLY)
    return old and not new


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
        """The value of a call of a model's method, and what a `TypeAdapter` validates."""
        if callee.name == _ADAPTER:
            written = call.args[0] if call.args else None
            return instance(_ADAPTER, module.annotation_type(written, call) if written is not None else None)
        owner, _, method = callee.name.rpartition(".")
        receiver = callee.receiver
        if receiver is not None and receiver.name == _ADAPTER:
            return receiver.argument() if method in _VALIDATE else None
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
