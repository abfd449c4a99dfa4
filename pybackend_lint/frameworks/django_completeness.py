"""Facts about what is certain of a model: whether it may have fields and relations that no code shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from pybackend_lint.frameworks import django, django_models
from pybackend_lint.frameworks.django_models import Field
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module

# How code adds a field to a model by hand, as the name of the method that it calls.
_ADDING: Final = ("add_to_class", "contribute_to_class", "add_field")
# Methods in which a project's relation may give itself a name.
_SET_UP: Final = ("__init__", "contribute_to_class", "contribute_to_related_class")
_RELATION_NAMES: Final = ("ForeignKey", "ParentalKey", "OneToOneField", "ManyToManyField")
_HARMLESS: Final = ("django.", "builtins.", "re.", "datetime.", "decimal.")


def is_known_completely(info: ClassInfo) -> bool:
    """Whether all fields of a model are known, and no package can add relations that lead back to it."""
    index = info.module.modules
    assert isinstance(index, Index)
    return index.fact(("django complete", info.name, id(info.node)), lambda: _is_complete(info))


def _is_complete(info: ClassInfo) -> bool:
    if not django_models.is_closed(info) or django_models.is_abstract(info):
        return False
    if any(name.startswith("django.contrib.") for name in info.libraries):
        return False  # packages relate to users
    if not all(map(_has_plain_body, _classes(info))):
        return False
    return not _has_fields_by_hand(info) and not _may_lead_back_unseen(info)


def _classes(info: ClassInfo) -> list[ClassInfo]:
    return [item for item in info.mro if isinstance(item, ClassInfo)]


def _body_calls(info: ClassInfo) -> Iterator[ast.Call]:
    """The calls that a class body gives names to."""
    for bindings in info.scope.bindings.values():
        for binding in bindings:
            if isinstance(binding.value, ast.Call):
                yield binding.value


def _has_plain_body(info: ClassInfo) -> bool:
    """Whether a class body creates nothing that may add fields: fields of Django and managers only."""
    if info.node.decorator_list or info.node.keywords:
        return False
    if not all(_adds_nothing(call, info.module) for call in _body_calls(info)):
        return False
    return not any(
        binding.value is None and binding.kind in {"with", "for", "import", "from"}
        for bindings in info.scope.bindings.values()
        for binding in bindings
    )


def _adds_nothing(call: ast.Call, module: Module) -> bool:
    cls, is_builtin = django_models.field_class(call, module)
    if cls is not None:
        own = module.class_named(call.func)
        return is_builtin or (own is not None and django_models.is_closed(own))
    if django.is_manager(module.type_of(call), module):
        return True
    name = module.qualified_name(call.func)
    return name is not None and name.startswith(_HARMLESS)


def _mentioning(module: Module, word: str) -> Iterator[Module | None]:
    """The modules of the project that mention a word; None for a file with models that cannot be parsed.

    Migrations, whose models are copies, are left out.
    """
    index = module.modules
    assert isinstance(index, Index)
    for path in files_with(index, module, word.encode()):
        home = index.at(path, module)
        if home is None:
            if any(name.encode() in index.content(path) for name in (*_RELATION_NAMES, *_ADDING)):
                yield None
        elif "migrations" not in home.name.split("."):
            yield home


# Fields that code adds to models


def _has_fields_by_hand(info: ClassInfo) -> bool:
    """Whether a call in the project may add a field to a model; what fields do themselves is not meant."""
    for word in _ADDING:
        for home in _mentioning(info.module, word):
            if home is None:
                return True
            for call in home.source.calls.get(word, ()):
                if not _sets_itself_up(call) and _may_concern(call, info, home):
                    return True
    return False


def _sets_itself_up(call: ast.Call) -> bool:
    """Whether a call adds the field whose method it stands in, under the name that it was given."""
    match call:
        case ast.Call(func=ast.Attribute(attr="add_field", value=value), args=arguments):
            if not (isinstance(value, ast.Attribute) and value.attr == "_meta"):
                return True  # a field of something else, such as a form
            return bool(arguments) and isinstance(arguments[0], ast.Name) and arguments[0].id == "self"
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))), args=arguments):
            return all(isinstance(argument, (ast.Name, ast.Starred)) for argument in arguments)
    return False


def _may_concern(call: ast.Call, info: ClassInfo, home: Module) -> bool:
    """Whether the model that a call adds a field to may be a certain one, or one of its bases."""
    match call:
        case ast.Call(func=ast.Attribute(attr="contribute_to_class"), args=[target, *_]):
            pass
        case ast.Call(func=ast.Attribute(attr="add_field", value=ast.Attribute(value=target))):
            pass
        case ast.Call(func=ast.Attribute(value=target)):
            pass
        case _:
            return True
    name = home.qualified_name(target)
    index = home.modules
    assert isinstance(index, Index)
    if name is not None and (index.class_info(name) is not None or not index.owns(name)):
        return any(name == (item if isinstance(item, str) else item.name) for item in info.mro)
    function = home.source.enclosing_function(call)
    owner = home.source.enclosing_class(call)
    if owner is not None and isinstance(function, ast.FunctionDef) and function.name == "contribute_to_class":
        return _holds(info, home.class_info_of(owner))
    return True


def _holds(info: ClassInfo, cls: ClassInfo) -> bool:
    """Whether the body of a model, or of one of its bases, creates an instance of a class."""
    for item in _classes(info):
        for call in _body_calls(item):
            own = item.module.class_named(call.func)
            if own is not None and own.is_a(cls.name):
                return True
    return False


# Relations that lead back


def _may_lead_back_unseen(info: ClassInfo) -> bool:
    """Whether a relation whose name in queries nobody can tell may lead back to a model."""
    owners = [item for item in _classes(info) if django_models.is_model(item)]
    names = {item.name for item in owners}
    return any(
        home is None or _leads_unseen(home, names)
        for owner in owners
        for home in _mentioning(info.module, owner.node.name)
    )


def _leads_unseen(home: Module, names: set[str]) -> bool:
    classes = {name.rpartition(".")[2] for name in names}
    known: set[ast.Call] = set()
    for node in home.source.nodes(ast.ClassDef):
        info = home.class_info_of(node)
        if not django_models.is_model(info):
            continue
        for declared in django_models.fields(info).values():
            known.add(declared.call)
            if declared.is_relation and not _is_named(info, declared):
                pointed = django_models.target(info, declared)
                if pointed is None or pointed in names:
                    return True
        for call in _body_calls(info):
            if call not in known and not _adds_nothing(call, home) and _points_at(call, classes):
                return True
    return any(
        call not in known and _points_at(call, classes)
        for word in _RELATION_NAMES
        for call in home.source.calls.get(word, ())
    )


def _points_at(call: ast.Call, classes: set[str]) -> bool:
    """Whether an argument of a call is a class of one of some names, or a text that ends in one."""
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        text = argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
        if isinstance(text, str) and text.rpartition(".")[2] in classes:
            return True
    return False


def _is_named(info: ClassInfo, declared: Field) -> bool:
    """Whether the code says under which name a relation leads back, if it does."""
    call = declared.call
    if any(keyword.arg is None for keyword in call.keywords):
        return False
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    cls = declared.owner.module.class_named(call.func)
    if cls is not None and any(cls.method(method) is not None for method in _SET_UP):
        return False
    values = [declared.argument(option) for option in ("related_name", "related_query_name")]
    values.append(django_models.meta(info, "default_related_name"))
    return all(value is None or isinstance(value, ast.Constant) for value in values)
