"""Mapped classes of SQLAlchemy: which classes are mapped, their columns and their relationships."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module, Modules
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind, Type, instance

_COLLECTIONS = frozenset({"builtins.list", "builtins.set", "typing.Sequence", "typing.Collection",
                          "typing.Iterable", "typing.MutableSequence", "typing.MutableSet"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship of a mapped class.

    - `target`: qualified name of the class it leads to, None where it is not known.
    - `collection`: whether the attribute holds several objects; None where it is not known.
    - `lazy`: how it loads by its mapping (`"select"` on access); None where it is not known.
    - `path`, `row`: where it is declared.
    """

    name: str
    target: str | None
    collection: bool | None
    lazy: str | None
    path: str
    row: int

    @property
    def loads_on_read(self) -> bool:
        """Whether reading the attribute of an object sends a query, unless an option loaded it before."""
        return self.lazy in names.LAZY_ON_READ


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the attributes of a mapped class are: relationships by name, and column attributes.

    The value of a column is the type of what an object holds there, None where it is not known.
    """

    relations: Mapping[str, Relation]
    columns: Mapping[str, Type | None]


_NOTHING = Mapped({}, {})


def library_name(node: ast.expr, module: Module) -> str | None:
    """The canonical name of the class or function of a library that an expression refers to."""
    known = module.type_of(node)
    return known.name if known is not None and known.kind is Kind.EXTERNAL else None


def is_mapped(info: ClassInfo) -> bool:
    """Whether a class of the project is mapped declaratively (or is the base of such classes)."""
    if info.is_a(*names.MAPPED_ROOTS):
        return True
    if any(name in names.MAPPING_DECORATORS for name in info_decorators(info)):
        return True
    if info.is_a(names.SQLMODEL):
        return is_table(info)
    return any(
        name in names.BASE_DECORATORS
        for item in info.mro
        if isinstance(item, ClassInfo)
        for name in info_decorators(item)
    )


def is_table(info: ClassInfo) -> bool:
    """Whether a class says `table=True`, as the tables of SQLModel do."""
    return any(
        keyword.arg == "table" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in info.node.keywords
    )


def info_decorators(info: ClassInfo) -> list[str | None]:
    """The canonical names of a class's decorators."""
    return [
        library_name(node.func if isinstance(node, ast.Call) else node, info.module)
        for node in info.node.decorator_list
    ]


def mapped_class(name: str, modules: Modules) -> ClassInfo | None:
    """The mapped class of a qualified name."""
    info = modules.class_info(name)
    return info if info is not None and is_mapped(info) else None


def attributes(info: ClassInfo) -> Mapped:
    """The relationships and columns of a mapped class, those of its bases and mixins included."""
    modules = info.module.modules
    assert isinstance(modules, Index)
    found = info.module.guarded(
        ("sqlalchemy attributes", id(info.node)),
        lambda: modules.fact(("sqlalchemy attributes", info.name), lambda: _attributes(info)),
    )
    return found if found is not None else _NOTHING


def _attributes(info: ClassInfo) -> Mapped:
    relations: dict[str, Relation] = {}
    columns: dict[str, Type | None] = {}
    for owner in reversed([item for item in info.mro if isinstance(item, ClassInfo)]):
        for name, bindings in owner.scope.bindings.items():
            relations.pop(name, None)
            columns.pop(name, None)
            binding = owner.effective(bindings)
            annotation, value = declared(owner, binding)
            mapped = _mapped_annotation(owner, annotation)
            known = owner.module.type_of(value) if value is not None else None
            if known is not None and known.is_instance(names.RELATIONSHIP):
                relations[name] = _relation(owner, binding, annotation, value, known)
            elif known is not None and known.is_instance(names.COLUMN, names.MAPPED_COLUMN):
                columns[name] = mapped.argument() if mapped is not None else known.argument()
            elif mapped is not None and value is None:
                columns[name] = mapped.argument()
            elif info.is_a(names.SQLMODEL) and binding.annotation is not None:
                columns[name] = owner.module.annotation_type(binding.annotation, binding.node)
    return Mapped(relations, columns)


def declared(owner: ClassInfo, binding: Binding) -> tuple[ast.expr | None, ast.expr | None]:
    """The annotation and value of a class attribute; those of what a `declared_attr` returns."""
    node = binding.node
    if not isinstance(node, FUNCTIONS):
        return binding.annotation, None if binding.path else binding.value
    function = owner.module.function_info(node)
    if any(name in names.DECLARED_ATTR for name in function.decorators) and len(function.returned) == 1:
        return node.returns, function.returned[0]
    return None, None


def _mapped_annotation(owner: ClassInfo, annotation: ast.expr | None) -> Type | None:
    if annotation is None:
        return None
    known = owner.module.annotation_type(annotation, annotation_use(owner, annotation))
    return known if known is not None and known.name in names.MAPPED_ANNOTATIONS else None


def annotation_use(owner: ClassInfo, annotation: ast.expr) -> ast.AST:
    """The place where the names of an annotation in a class body are looked up."""
    return owner.module.source.parent(annotation) or owner.node


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    for item in call.keywords:
        if item.arg == name:
            return item.value
    return None


def _relation(
    owner: ClassInfo, binding: Binding, annotation: ast.expr | None, value: ast.expr | None, known: Type
) -> Relation:
    module = owner.module
    call = value if isinstance(value, ast.Call) and library_name(value.func, module) else None
    mapped = _mapped_annotation(owner, annotation)
    if mapped is None and annotation is not None and not isinstance(binding.node, FUNCTIONS):
        mapped = instance(names.MAPPED, module.annotation_type(annotation, binding.node))  # SQLModel
    target, collection = _from_annotation(mapped, module)
    lazy: str | None = "select"
    if mapped is not None and mapped.name != names.MAPPED:
        lazy = "dynamic" if mapped.name.endswith("DynamicMapped") else "write_only"
    elif call is None or any(item.arg is None for item in call.keywords):
        lazy = None
    if call is not None:
        target = target or _target(call, owner)
        lazy = _lazy(call, lazy)
        if collection is None:
            collection = _is_collection(call, owner, target)
    row = getattr(binding.node, "lineno", 1)
    return Relation(binding.name, target, collection, lazy, module.source.path, row)


def _from_annotation(mapped: Type | None, module: Module) -> tuple[str | None, bool | None]:
    inner = mapped.argument() if mapped is not None else None
    if inner is None:
        return None, None
    if inner.name == "builtins.dict":
        item = inner.argument(1)
        return (item.name if item is not None else None), True
    if inner.name in _COLLECTIONS:
        item = inner.argument()
        return (item.name if item is not None else None), True
    return (inner.name, False) if module.modules.class_info(inner.name) is not None else (None, None)


def _lazy(call: ast.Call, default: str | None) -> str | None:
    arguments = keyword(call, "sa_relationship_kwargs")
    value = keyword(call, "lazy")
    if isinstance(arguments, ast.Dict):
        for key, item in zip(arguments.keys, arguments.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "lazy":
                value = item
            elif key is None:
                return None
    elif arguments is not None or keyword(call, "sa_relationship") is not None:
        return None
    if value is None:
        return default
    return str(value.value) if isinstance(value, ast.Constant) else None


def _target(call: ast.Call, owner: ClassInfo) -> str | None:
    node = call.args[0] if call.args else keyword(call, "argument")
    if isinstance(node, ast.Lambda):
        node = node.body
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        name = owner.module.name_of(node.value, owner.node) if node.value.isidentifier() else None
        return name if name is not None and owner.module.modules.class_info(name) is not None else None
    known = owner.module.type_of(node) if node is not None else None
    return known.name if known is not None and known.kind is Kind.CLASS else None


def _is_collection(call: ast.Call, owner: ClassInfo, target: str | None) -> bool | None:
    """Whether a relationship without annotation holds several objects, by its arguments and foreign keys."""
    uselist = keyword(call, "uselist")
    if uselist is not None:
        return (
            uselist.value if isinstance(uselist, ast.Constant) and isinstance(uselist.value, bool) else None
        )
    if keyword(call, "secondary") is not None or keyword(call, "collection_class") is not None:
        return True
    unusual = ("primaryjoin", "foreign_keys", "remote_side", "viewonly", "sa_relationship")
    other = owner.module.modules.class_info(target) if target is not None else None
    if other is None or other is owner or any(keyword(call, name) is not None for name in unusual):
        return None
    own_table, other_table = table_name(owner), table_name(other)
    if own_table is None or other_table is None:
        return None
    here = _references(owner, other_table)
    there = _references(other, own_table)
    return there if here != there else None


def table_name(info: ClassInfo) -> str | None:
    """The literal `__tablename__` of a class."""
    found = info.member("__tablename__")
    value = found[1].value if found is not None else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _references(info: ClassInfo, table: str) -> bool:
    """Whether a column of a class has a foreign key into a table."""
    for owner in info.mro:
        if not isinstance(owner, ClassInfo):
            continue
        for bindings in owner.scope.bindings.values():
            _, value = declared(owner, owner.effective(bindings))
            if isinstance(value, ast.Call) and any(
                _foreign_table(argument, owner) == table for argument in value.args
            ):
                return True
    return False


def _foreign_table(node: ast.expr, owner: ClassInfo) -> str | None:
    if not (isinstance(node, ast.Call) and node.args):
        return None
    if library_name(node.func, owner.module) != "sqlalchemy.ForeignKey":
        return None
    match node.args[0]:
        case ast.Constant(value=str(path)):
            return path.split(".")[-2] if "." in path else None
        case ast.Attribute(value=value):
            known = owner.module.type_of(value)
            info = owner.module.modules.class_info(known.name) if known is not None else None
            return table_name(info) if info is not None else None
    return None


@dataclass(frozen=True, slots=True)
class PythonType:
    """The Python type of a column's values.

    - `text`: how it is written; `module`: where to import it from, "" where that is not needed.
    - `type`: the same as a light type.
    """

    text: str
    module: str
    type: Type


def _library_type(name: str, module: str) -> PythonType:
    return PythonType(name, module, instance(f"{module or 'builtins'}.{name}"))


def python_type(node: ast.expr, module: Module) -> PythonType | None:
    """The Python type of the values of a column type such as `String(50)`; None where it is not one."""
    function = node.func if isinstance(node, ast.Call) else node
    full_name = library_name(function, module)
    if full_name is None or not full_name.startswith("sqlalchemy."):
        return None
    name = full_name.rpartition(".")[2]
    arguments = node if isinstance(node, ast.Call) else ast.Call(func=function, args=[], keywords=[])
    as_decimal, as_uuid = keyword(arguments, "asdecimal"), keyword(arguments, "as_uuid")
    if any(item.arg is None for item in arguments.keywords) or (as_decimal is not None and name != "Numeric"):
        return None
    if name in {"Float", "Double"} and as_decimal is None:
        return _library_type("float", "")
    if name == "Numeric" and as_decimal is not None:
        exact = getattr(as_decimal, "value", None)
        return (
            _library_type("Decimal", "decimal")
            if exact is True
            else _library_type("float", "")
            if exact is False
            else None
        )
    if name in {"Uuid", "UUID"} and not (
        getattr(as_uuid, "value", None) is True or (name == "Uuid" and as_uuid is None)
    ):
        return None
    if name == "Enum" and isinstance(node, ast.Call) and len(node.args) == 1:
        known = module.type_of(node.args[0])
        info = (
            module.modules.class_info(known.name) if known is not None and known.kind is Kind.CLASS else None
        )
        if info is not None and isinstance(node.args[0], ast.Name):
            return PythonType(node.args[0].id, "", instance(info.name))
        return None
    found = names.PYTHON_TYPES.get(name)
    return _library_type(*found) if found is not None else None


def column_type(call: ast.Call, module: Module) -> tuple[ast.expr, PythonType] | None:
    """The type argument of `Column(...)` or `mapped_column(...)` and the Python type of its values."""
    candidates = call.args[:2] if call.args and isinstance(call.args[0], ast.Constant) else call.args[:1]
    given = keyword(call, "type_")
    for node in [*candidates, *([given] if given is not None else [])]:
        found = python_type(node, module)
        if found is not None:
            return node, found
    return None
