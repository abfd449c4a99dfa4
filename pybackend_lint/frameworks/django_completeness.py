"""Facts about what is certain of a model: which fields and relations it may have that no code shows."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from pybackend_lint.frameworks import django, django_models
from pybackend_lint.frameworks.data import django_packages
from pybackend_lint.frameworks.django_models import Field
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.source import words

# How code adds a field to a model by hand, as the name of the method that it calls.
_ADDING: Final = ("add_to_class", "contribute_to_class", "add_field")
# Methods in which a project's relation may give itself a name.
_SET_UP: Final = ("__init__", "contribute_to_class", "contribute_to_related_class")
_NAMING: Final = ("related_name", "related_query_name")
_RELATION_NAMES: Final = ("ForeignKey", "ParentalKey", "OneToOneField", "ManyToManyField")
# What the calls that make relations are called, as parts of their names.
_RELATION_PARTS: Final = (b"Field", b"Key", b"Relation", b"Manager")
_SHOWN: Final = ("verbose_name", "help_text", "default", "choices")
_OWN_BASES: Final = ("django.", "builtins.", "typing.", "abc.")
_HARMLESS: Final = (
    "django.", "builtins.", "re.", "datetime.", "decimal.", "collections.", "os.", "functools.", "logging.",
)  # fmt: skip
# What classes of packages are called that add to a model only what is called after them.
_FIELD_WORDS: Final = ("Field", "ForeignKey", "Manager")


def may_have_unseen(info: ClassInfo, name: str) -> bool:
    """Whether a model may have a field, or a relation that leads back to it, of a name that no code shows."""
    index = info.module.modules
    assert isinstance(index, Index)
    unseen = index.fact(("django unseen", info.name, id(info.node)), lambda: _unseen(info))
    return (
        unseen is None or name in unseen or any(part[1:] in name for part in unseen if part.startswith("*"))
    )


def _unseen(info: ClassInfo) -> frozenset[str] | None:
    """The names that a model may have unseen, None where any may be; after `*` they may be part of one."""
    found: set[str] = set()
    for name in _unseen_names(info):
        if name is None:
            return None
        found.add(name)
    return frozenset(found)


def _unseen_names(info: ClassInfo) -> Iterator[str | None]:
    if not info.is_closed or django_models.is_abstract(info):
        yield None
    for library in info.libraries:
        if library.startswith("django.contrib."):
            yield None  # packages relate to users
        elif not library.startswith(_OWN_BASES):
            yield from django_packages.BASES.get(library, (None,))
    for item in _classes(info):
        yield from _of_body(item)
    index = info.module.modules
    if isinstance(index, Index) and files_with(index, info.module, b"TranslationOptions"):
        yield from (f"*{name}" for name in django_models.fields(info))  # of django-modeltranslation
    yield from _added_by_hand(info)
    yield from _leading_back(info)


def _classes(info: ClassInfo) -> list[ClassInfo]:
    return [item for item in info.mro if isinstance(item, ClassInfo)]


def _body_calls(info: ClassInfo) -> Iterator[tuple[str, ast.Call]]:
    """The calls that a class body gives names to."""
    for name, bindings in info.scope.bindings.items():
        for binding in bindings:
            if isinstance(binding.value, ast.Call):
                yield name, binding.value


def _of_body(info: ClassInfo) -> Iterator[str | None]:
    """What a class body, and what is done with the class, may add besides the fields of Django in it."""
    if info.node.keywords:
        yield None
    for decorator in info.node.decorator_list:
        name = info.module.qualified_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        yield from django_packages.DECORATORS.get(name or "", (None,))
        yield from _texts(decorator)
    for name, call in _body_calls(info):
        yield from _of_call(name, call, info.module)
    for bindings in info.scope.bindings.values():
        if any(item.value is None and item.kind in {"with", "for", "import", "from"} for item in bindings):
            yield None


def _of_call(name: str, call: ast.Call, module: Module) -> Iterator[str | None]:
    """What an object may add to the model whose body binds it to a name."""
    if django_models.field_class(call, module)[1] or django.is_manager(module.type_of(call), module):
        return
    callee = module.qualified_name(call.func)
    own = module.class_named(call.func)
    if own is not None:
        classes: Iterable[str] = own.libraries if own.is_closed else ("",)
    elif callee is not None and module.modules.function_info(callee) is not None:
        classes = ("Field",)
    elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant):
        return
    else:
        classes = (callee or "",)
    for cls in classes:
        if cls in django_packages.ATTACHMENTS:
            yield from django_packages.ATTACHMENTS[cls]
        elif not cls.startswith(_HARMLESS):
            yield f"*{name}" if cls.endswith(_FIELD_WORDS) else None
        else:
            continue
        yield f"*{name}"
        yield from _texts(call)


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that may be names in an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.isidentifier():
            yield part.value


def _mentioning(module: Module, word: str, parts: tuple[bytes, ...] = ()) -> Iterator[Module | str]:
    """The modules of the project that mention a word; the paths of files that cannot be parsed.

    `parts` are texts of which a file must hold one. Migrations, whose models are copies, are left out.
    """
    index = module.modules
    assert isinstance(index, Index)
    for path in files_with(index, module, word.encode()):
        content = index.content(path)
        if parts and not any(part in content for part in parts):
            continue
        home = index.at(path, module)
        if home is None:
            if any(name.encode() in content for name in (*_RELATION_NAMES, *_ADDING)):
                yield path
        elif not any("migrations" in part for part in home.name.split(".")):
            yield home


def _words(path: str, module: Module) -> Iterator[str | None]:
    """All words of a file, of which any may be a name; None where names may be put together."""
    index = module.modules
    assert isinstance(index, Index)
    content = index.content(path)
    if b"%(" in content:
        yield None
    yield from (word.decode(errors="replace") for word in words(content))


# Fields that code adds to models


def _added_by_hand(info: ClassInfo) -> Iterator[str | None]:
    """What calls in the project may add to a model; what fields do themselves is not meant."""
    for word in _ADDING:
        for home in _mentioning(info.module, word):
            if isinstance(home, str):
                yield from _words(home, info.module)
                continue
            for call in home.source.calls.get(word, ()):
                if not _sets_itself_up(call) and _may_concern(call, info, home):
                    name = call.args[word == "contribute_to_class"] if len(call.args) == 2 else None
                    yield f"*{name.value!s}" if isinstance(name, ast.Constant) else None


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
        for _, call in _body_calls(item):
            own = item.module.class_named(call.func)
            if own is not None and own.is_a(cls.name):
                return True
    return False


# Relations that lead back


def _leading_back(info: ClassInfo) -> Iterator[str | None]:
    """The names under which relations may lead back to a model that are not known to do so."""
    owners = [item for item in _classes(info) if django_models.is_model(item)]
    names = {item.name for item in owners}
    for owner in owners:
        for home in _mentioning(info.module, owner.node.name, _RELATION_PARTS):
            if isinstance(home, str):
                yield from _words(home, info.module)
            else:
                yield from _leading_back_from(home, names)


def _leading_back_from(home: Module, names: set[str]) -> Iterator[str | None]:
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
                    yield from _names_given(declared.call, declared.owner.module)
        for _, call in _body_calls(info):
            if call not in known and _points_at(call, classes):
                known.add(call)
                yield from _names_given(call, home)
                if home.class_named(call.func) is None and not _gives_name(call):
                    yield None
    for word in _RELATION_NAMES:
        for call in home.source.calls.get(word, ()):
            if call not in known and _points_at(call, classes):
                yield from _names_of_unknown(call, home)


def _points_at(call: ast.Call, classes: set[str]) -> bool:
    """Whether an argument of a call is a class of one of some names, or a text that ends in one."""
    keywords = [keyword.value for keyword in call.keywords if keyword.arg not in _SHOWN]
    for argument in [*call.args, *keywords]:
        text = argument.value if isinstance(argument, ast.Constant) else ast.unparse(argument)
        if isinstance(text, str) and text.rpartition(".")[2] in classes:
            return True
    return False


def _is_named(info: ClassInfo, declared: Field) -> bool:
    """Whether the code says under which name a relation leads back, if it does."""
    if _takes_unknown(declared.call) or _names_itself(declared.call, declared.owner.module):
        return False
    values = [declared.argument(option) for option in _NAMING]
    values.append(django_models.meta(info, "default_related_name"))
    return all(value is None or isinstance(value, ast.Constant) for value in values)


def _takes_unknown(call: ast.Call) -> bool:
    return any(keyword.arg is None for keyword in call.keywords) or any(
        isinstance(argument, ast.Starred) for argument in call.args
    )


def _names_itself(call: ast.Call, module: Module) -> bool:
    """Whether a relation of the project may choose the name that leads back."""
    cls = module.class_named(call.func)
    methods = [cls.method(name) for name in _SET_UP] if cls is not None else []
    return any(
        option in method.module.source.segment(method.node)
        for method in methods
        if method is not None
        for option in _NAMING
    )


def _gives_name(call: ast.Call) -> bool:
    return any(keyword.arg in _NAMING for keyword in call.keywords)


def _names_given(call: ast.Call, module: Module) -> Iterator[str | None]:
    """The names that a relation gives, None where it may have others than these and that of its class."""
    given = [keyword.value for keyword in call.keywords if keyword.arg in _NAMING]
    texts = [
        value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]
    yield from texts
    if _takes_unknown(call) or len(texts) < len(given) or any("%(" in text for text in texts):
        yield None
    if not texts and _names_itself(call, module):
        yield None


def _names_of_unknown(call: ast.Call, module: Module) -> Iterator[str | None]:
    """The names under which a relation may lead back that is in no class which is known to be a model."""
    yield from _names_given(call, module)
    if _gives_name(call):
        return
    around = module.source.parent(module.source.statement(call))
    if not isinstance(around, ast.ClassDef) or b"default_related_name" in module.source.data:
        yield None
    for file in django_models.inventory(module).python:
        yield from (name.decode(errors="replace") for name in file.classes)
