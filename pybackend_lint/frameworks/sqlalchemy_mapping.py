"""Mapped classes of SQLAlchemy: which classes are mapped, their columns and their relationships."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module, Modules
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind, Type, instance
from pybackend_lint.source import last_name

_COLLECTIONS = frozenset({"builtins.list", "builtins.set", "typing.Sequence", "typing.Collection",
                          "typing.Iterable", "typing.MutableSequence", "typing.MutableSet"})  # fmt: skip

_WRITTEN_COLLECTIONS = frozenset({"list", "List", "set", "Set", "Sequence", "Collection"})


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


def relation_of(entity: str, name: str, modules: Modules) -> Relation | None:
    """The relationship of this name of a mapped class."""
    info = mapped_class(entity, modules)
    return attributes(info).relations.get(name) if info is not None else None


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
                relations[name] = _relation(owner, binding, annotation, value)
            elif known is not None and known.is_instance(names.COLUMN, names.MAPPED_COLUMN):
                columns[name] = mapped.argument() if mapped is not None else known.argument()
            elif mapped is not None and value is None:
                columns[name] = mapped.argument()
            elif info.is_a(names.SQLMODEL) and binding.annotation is not None:
                columns[name] = owner.module.annotation_type(binding.annotation, binding.node)
    for relation in _added(info):
        if relation.name not in columns:
            relations.setdefault(relation.name, relation)
    return Mapped(relations, columns)


def _added(info: ClassInfo) -> Iterator[Relation]:
    """The relationships that `backref` in other classes adds to a class."""
    index, module = info.module.modules, info.module
    assert isinstance(index, Index)
    paths = files_with(index, module, b"backref")
    if paths:
        root = index.layout.project_root(os.path.dirname(index.path_of(module)))
        added = index.fact(("sqlalchemy backrefs", root), lambda: _backrefs(index, module, paths))
        for owner in info.mro:
            if isinstance(owner, ClassInfo):
                yield from added.get(owner.name, ())


def _backrefs(index: Index, asker: Module, paths: list[str]) -> dict[str, list[Relation]]:
    found: dict[str, list[Relation]] = {}
    for path in paths:
        module = index.at(path, asker)
        for name in ("relationship", "relation", "dynamic_loader") if module is not None else ():
            for call in module.source.calls.get(name, ()) if module is not None else ():
                added = _backref(call, module) if module is not None else None
                if added is not None:
                    found.setdefault(added[0], []).append(added[1])
    return found


def _backref(call: ast.Call, module: Module) -> tuple[str, Relation] | None:
    """The class to which a call of `relationship()` adds a relationship, and that relationship."""
    given = keyword(call, "backref")
    statement = module.source.parent(call)
    body = module.source.parent(statement) if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
    known = module.type_of(call) if given is not None and isinstance(body, ast.ClassDef) else None
    if known is None or not known.is_instance(names.RELATIONSHIP) or not isinstance(body, ast.ClassDef):
        return None
    owner = module.class_info_of(body)
    bindings = [item for item in owner.scope.bindings.values() if item[0].value is call and len(item) == 1]
    options = given if isinstance(given, ast.Call) else ast.Call(func=call.func, args=[], keywords=[])
    name = given.args[0] if isinstance(given, ast.Call) and given.args else given
    if not bindings or not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        return None
    side = _relation(owner, bindings[0][0], bindings[0][0].annotation, call)
    if side.target is None:
        return None
    lazy = None if any(item.arg is None for item in options.keywords) else _lazy(options, "select")
    many = _is_backref_collection(call, options, side, owner)
    return side.target, Relation(name.value, owner.name, many, lazy, side.path, side.row)


def _is_backref_collection(
    call: ast.Call, options: ast.Call, side: Relation, owner: ClassInfo
) -> bool | None:
    """Whether the relationship that `backref` adds holds several objects."""
    uselist = keyword(options, "uselist")
    if uselist is not None:
        return uselist.value if isinstance(uselist, ast.Constant) and uselist.value is False else None
    if keyword(call, "secondary") is not None:
        return True
    target = owner.module.modules.class_info(side.target) if side.target is not None else None
    if side.collection is not False or target is None:
        return False if side.collection else None
    here, there = references(owner, target), references(target, owner)
    return None if here is None or there is None or bool(here) == bool(there) else bool(here)


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
    owner: ClassInfo, binding: Binding, annotation: ast.expr | None, value: ast.expr | None
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
    if target is None and annotation is not None:
        written, many = _written_target(annotation)
        target = registered_class(written, owner) if written is not None else None
        if target is not None and collection is None:
            collection = many
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


def _written_target(annotation: ast.expr) -> tuple[str | None, bool | None]:
    """The class that an annotation such as `Mapped["Order | None"]` names, and whether it says several."""
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return _written_target(ast.parse(text.strip(), mode="eval").body)
            except (SyntaxError, ValueError):
                return None, None
        case ast.Name() | ast.Attribute():
            return ast.unparse(annotation), False
        case ast.BinOp(op=ast.BitOr(), left=inner, right=ast.Constant(value=None)):
            return _written_target(inner)
        case ast.BinOp(op=ast.BitOr(), left=ast.Constant(value=None), right=inner):
            return _written_target(inner)
        case ast.Subscript(value=container, slice=inner):
            kind = last_name(container)
            if kind == "Optional" or kind.endswith("Mapped"):
                return _written_target(inner)
            if kind in _WRITTEN_COLLECTIONS:
                return _written_target(inner)[0], True
    return None, None


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
        if name is not None and owner.module.modules.class_info(name) is not None:
            return name
        return registered_class(node.value, owner)
    known = owner.module.type_of(node) if node is not None else None
    return known.name if known is not None and known.kind is Kind.CLASS else None


def registered_class(name: str, owner: ClassInfo) -> str | None:
    """The mapped class that a relationship of `owner` means by a text: of that name, with the same base.

    `name` may have the end of the module's name before it. None where no class, or several, have the name.
    """
    index = owner.module.modules
    base = declarative_base(owner)
    last = name.rpartition(".")[2]
    if not isinstance(index, Index) or base is None or not last.isidentifier():
        return None
    return index.fact(
        ("sqlalchemy class", name, base, owner.module.name),
        lambda: _registered_class(index, name, base, owner),
    )


def _registered_class(index: Index, name: str, base: str, owner: ClassInfo) -> str | None:
    path, _, last = name.rpartition(".")
    found: set[str] = set()
    for file in files_with(index, owner.module, f"class {last}".encode()):
        module = index.at(file, owner.module)
        for node in module.source.tree.body if module is not None else ():
            if module is not None and isinstance(node, ast.ClassDef) and node.name == last:
                info = module.class_info_of(node)
                if declarative_base(info) == base and module.name.endswith(path):
                    found.add(info.name)
    return found.pop() if len(found) == 1 else None


def declarative_base(info: ClassInfo) -> str | None:
    """The class of the project, or name of a library, that a mapped class and those related to it inherit."""
    for item in info.mro:
        if isinstance(item, ClassInfo):
            if any(name in names.DECLARATIVE_BASES for name in item.bases):
                return item.name
        elif item in names.MAPPED_ROOTS or item == names.SQLMODEL:
            return item
    return None


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
    here, there = references(owner, other), references(other, owner)
    if here is None or there is None or bool(here) == bool(there):
        return None
    return bool(there)


def table_name(info: ClassInfo) -> str | None:
    """The name of a mapped class's table, as it is written or made of the name of the class."""
    found = info.member("__tablename__")
    if found is None:
        return _default_name(info)
    owner, binding = found
    value = binding.value
    if isinstance(binding.node, ast.FunctionDef):
        returned = owner.module.function_info(binding.node).returned
        return _made_name(returned[0], info) if len(returned) == 1 else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _default_name(info: ClassInfo) -> str | None:
    """The name that SQLModel or Flask-SQLAlchemy gives the table of a class that says none.

    Not known where another table is inherited from.
    """
    name = info.node.name
    if info.is_a(names.SQLMODEL):
        return name.lower() if is_table(info) else None
    above = [item for item in info.mro[1:] if isinstance(item, ClassInfo) and item.is_a(names.FLASK_MODEL)]
    if not info.is_a(names.FLASK_MODEL) or not all("__abstract__" in item.scope.bindings for item in above):
        return None
    made = name[:1]
    for number in range(1, len(name)):
        before, after = name[number - 1], name[number + 1 : number + 2]
        if name[number].isupper() and (not before.isupper() or after.islower()):
            made += "_"
        made += name[number]
    return made.lower()


def _made_name(value: ast.expr | None, info: ClassInfo) -> str | None:
    """The text that a `@declared_attr` makes of the name of the class it gets."""
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Attribute(value=ast.Name(id="cls"), attr="__name__"):
            return info.node.name
        case ast.Call(func=ast.Attribute(value=inner, attr="lower"), args=[]):
            made = _made_name(inner, info)
            return made.lower() if made is not None else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [_made_name(left, info), _made_name(right, info)]
        case ast.JoinedStr(values=values):
            parts = [_made_name(part, info) for part in values]
        case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
            return _made_name(inner, info)
        case _:
            return None
    return None if None in parts else "".join(part for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column with a foreign key: its attribute, the row it is declared in, and whether it is unique."""

    column: str
    row: int
    unique: bool


def references(info: ClassInfo, other: ClassInfo) -> tuple[Reference, ...] | None:
    """The columns of a mapped class with a foreign key into the table of another, None if not all are known.

    A class without a table of its own, or with constraints over several columns, is not known.
    """
    own, table = table_name(info), table_name(other)
    if own is None or table is None or info.member("__table__") is not None:
        return None
    found: list[Reference] = []
    extra = info.member("__table_args__")
    listed = _texts(extra[1].value) if extra is not None else frozenset()
    if listed is None:
        return None
    for owner in info.mro:
        if not isinstance(owner, ClassInfo):
            continue
        for name, bindings in owner.scope.bindings.items():
            binding = owner.effective(bindings)
            _, value = declared(owner, binding)
            if not isinstance(value, ast.Call):
                continue
            keys = [_foreign_table(argument, owner) for argument in value.args]
            keys.append(_text_table(keyword(value, "foreign_key")))
            if table in keys:
                options = (keyword(value, "unique"), keyword(value, "primary_key"))
                unique = name in listed or any(
                    option is not None and getattr(option, "value", True) is not False for option in options
                )
                found.append(Reference(name, getattr(binding.node, "lineno", 1), unique))
    return tuple(found)


def _texts(node: ast.expr | None) -> frozenset[str] | None:
    """The texts in `__table_args__`; None where it has foreign keys, or is not written down there."""
    if not isinstance(node, (ast.Tuple, ast.Dict)):
        return None
    found: set[str] = set()
    pending: list[ast.AST] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, (ast.Name, ast.Attribute)):
            if (current.id if isinstance(current, ast.Name) else current.attr) == "ForeignKeyConstraint":
                return None
        if isinstance(current, ast.Constant) and isinstance(current.value, str):
            found.add(current.value)
        pending.extend(ast.iter_child_nodes(current))
    return frozenset(found)


def _text_table(node: ast.expr | None) -> str | None:
    """The table of a foreign key written as `"table.column"`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
        return node.value.split(".")[-2]
    return None


def _foreign_table(node: ast.expr, owner: ClassInfo) -> str | None:
    if not (isinstance(node, ast.Call) and node.args):
        return None
    if library_name(node.func, owner.module) != "sqlalchemy.ForeignKey":
        return None
    if isinstance(node.args[0], ast.Attribute):
        known = owner.module.type_of(node.args[0].value)
        info = owner.module.modules.class_info(known.name) if known is not None else None
        return table_name(info) if info is not None else None
    return _text_table(node.args[0])


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
