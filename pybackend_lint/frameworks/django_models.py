"""Facts about Django's models: fields, relations in both directions, app labels and settings values.

Backward questions (which models point at this one?) are answered from an inventory of the workspace's
files by their bytes; only files that can hold the answer are parsed.
"""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, field
from typing import Final

from pybackend_lint.project.files import everything_below, mentions_below
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_below
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module

MODEL: Final = "django.db.models.Model"
USER: Final = "django.contrib.auth.models.User"
UNKNOWN: Final = object()

_SINGLE = frozenset({"django.db.models.ForeignKey", "django.db.models.OneToOneField"})
_ONE_TO_ONE: Final = "django.db.models.OneToOneField"
_MANY: Final = "django.db.models.ManyToManyField"
_GENERIC: Final = "django.contrib.contenttypes.fields.GenericForeignKey"
_GENERIC_REVERSE: Final = "django.contrib.contenttypes.fields.GenericRelation"

# Field classes of Django to the class of their values, where instances always hold that class.
_VALUES = {
    "CharField": "builtins.str", "TextField": "builtins.str", "SlugField": "builtins.str",
    "EmailField": "builtins.str", "URLField": "builtins.str", "IntegerField": "builtins.int",
    "SmallIntegerField": "builtins.int", "BigIntegerField": "builtins.int",
    "PositiveIntegerField": "builtins.int", "PositiveSmallIntegerField": "builtins.int",
    "PositiveBigIntegerField": "builtins.int", "AutoField": "builtins.int", "BigAutoField": "builtins.int",
    "BooleanField": "builtins.bool", "FloatField": "builtins.float", "DecimalField": "decimal.Decimal",
    "DateTimeField": "datetime.datetime", "DateField": "datetime.date", "TimeField": "datetime.time",
    "DurationField": "datetime.timedelta", "UUIDField": "uuid.UUID", "BinaryField": "builtins.bytes",
}  # fmt: skip
_NUMBERS = frozenset(
    {
        "IntegerField", "SmallIntegerField", "BigIntegerField", "PositiveIntegerField",
        "PositiveSmallIntegerField", "PositiveBigIntegerField", "FloatField", "DecimalField",
    }
)  # fmt: skip

# Models that come with Django: their relations, and the labels of their apps.
_PERMISSIONS = {
    "groups": "django.contrib.auth.models.Group",
    "user_permissions": "django.contrib.auth.models.Permission",
}
_LIBRARY_RELATIONS = {
    "django.contrib.auth.models.PermissionsMixin": _PERMISSIONS,
    "django.contrib.auth.models.Group": {"permissions": "django.contrib.auth.models.Permission"},
}
_LIBRARY_SINGLE = {
    "django.contrib.auth.models.Permission": {
        "content_type": "django.contrib.contenttypes.models.ContentType"
    },
    "django.contrib.admin.models.LogEntry": {
        "user": USER,
        "content_type": "django.contrib.contenttypes.models.ContentType",
    },
}
_LIBRARY_APPS = {
    "auth": "django.contrib.auth.models",
    "contenttypes": "django.contrib.contenttypes.models",
    "sessions": "django.contrib.sessions.models",
    "sites": "django.contrib.sites.models",
    "admin": "django.contrib.admin.models",
    "flatpages": "django.contrib.flatpages.models",
    "redirects": "django.contrib.redirects.models",
}
LIBRARY_MODELS = frozenset(
    {
        USER, "django.contrib.auth.models.Group", "django.contrib.auth.models.Permission",
        "django.contrib.contenttypes.models.ContentType", "django.contrib.sessions.models.Session",
        "django.contrib.sites.models.Site", "django.contrib.admin.models.LogEntry",
        "django.contrib.flatpages.models.FlatPage", "django.contrib.redirects.models.Redirect",
    }
)  # fmt: skip

_RELATION_WORDS = (b"ForeignKey", b"OneToOneField", b"ManyToManyField", b"ParentalKey", b"ParentalManyToMany")
_SETTINGS_MODULE = re.compile(rb"""DJANGO_SETTINGS_MODULE["']?\s*[,=:\]]+\s*=?\s*["']?([A-Za-z_][\w.]*)""")
_CLASS = re.compile(rb"class[ \t]+(\w+)[ \t]*[(:\[]")
_MODEL_WORDS = (b"Model", *_RELATION_WORDS)
_SIGNAL_WORDS = (b"pre_save", b"post_save")
_SAVE_SIGNAL = re.compile(rb"\b(?:pre|post)_save\b")
# A receiver that names no sender hears of every model.
_ANY_SENDER = re.compile(
    rb"""receiver\(\s*(?:\[[^\]]*_save[^\]]*\]|[\w.]*_save)\s*,?\s*(?:dispatch_uid\s*=[^)]*)?\)"""
    rb"""|_save\.connect\((?:(?!sender)[^)])*\)"""
)
_ENTRIES = frozenset({"pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"})


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field of a model, as a class body declares it.

    - `cls`: qualified name of the field's class (of the nearest class of Django, for a project's own).
    - `owner`: the class that declares it; `call`: the expression that creates it, in `owner.module`.
    """

    name: str
    cls: str
    owner: ClassInfo
    call: ast.Call
    is_builtin: bool = True

    def argument(self, name: str, position: int | None = None) -> ast.expr | None:
        """An argument by keyword, or by position (from 0)."""
        for keyword in self.call.keywords:
            if keyword.arg == name:
                return keyword.value
        arguments = self.call.args
        if position is not None and position < len(arguments):
            return (
                None
                if any(isinstance(a, ast.Starred) for a in arguments[: position + 1])
                else arguments[position]
            )
        return None

    def flag(self, name: str) -> bool:
        """Whether a keyword is the constant True."""
        value = self.argument(name)
        return isinstance(value, ast.Constant) and value.value is True

    @property
    def is_single(self) -> bool:
        """Whether it points at one other row."""
        return self.cls in _SINGLE

    @property
    def is_relation(self) -> bool:
        """Whether it leads to other rows."""
        return self.cls in _SINGLE or self.cls in {_MANY, _GENERIC, _GENERIC_REVERSE}

    @property
    def is_number(self) -> bool:
        """Whether the database can calculate with the column."""
        return self.cls.rpartition(".")[2] in _NUMBERS

    @property
    def value_class(self) -> str | None:
        """The class of the values on instances, where Django itself decides it."""
        return _VALUES.get(self.cls.rpartition(".")[2]) if self.is_builtin else None


@dataclass(frozen=True, slots=True)
class Relation:
    """What an attribute of a model's instances leads to.

    - `kind`: `forward` (one row through a column of this table), `generic` (one row of any model),
      `reverse` (one row that points here) or `multi` (a manager over rows).
    - `target`: qualified name of the other model, None when it is not known.
    - `back`: the attribute of the target's rows that leads back and that Django fills in without a query:
      of one-to-one relations in both directions, and of the rows of a reverse foreign key.
    """

    kind: str
    target: str | None
    nullable: bool = False
    back: str | None = None

    @property
    def is_single(self) -> bool:
        """Whether reading the attribute gives one row."""
        return self.kind != "multi"


def is_model(info: ClassInfo) -> bool:
    """Whether a project class is a Django model (abstract ones included)."""
    return info.is_a(MODEL)


def is_model_name(name: str, module: Module) -> bool:
    """Whether a qualified name is that of a model of the project or of Django."""
    info = module.modules.class_info(name)
    return is_model(info) if info is not None else name in LIBRARY_MODELS


def meta(info: ClassInfo, option: str) -> ast.expr | None:
    """The value of an option of the model's own or inherited `class Meta`, nearest first."""
    for item in info.mro:
        if isinstance(item, str):
            continue
        for binding in item.scope.bindings.get("Meta", ()):
            if isinstance(binding.node, ast.ClassDef):
                inner = item.module.class_info_of(binding.node)
                found = inner.member(option)
                if found is not None:
                    return found[1].value
                if option in {"abstract", "proxy"} and item is info:
                    return None
    return None


def is_abstract(info: ClassInfo) -> bool:
    """Whether a model's own `Meta` says that it is abstract."""
    for binding in info.scope.bindings.get("Meta", ()):
        if isinstance(binding.node, ast.ClassDef):
            value = info.module.class_info_of(binding.node).scope.bindings.get("abstract", ())
            return any(isinstance(b.value, ast.Constant) and b.value.value is True for b in value)
    return False


def concrete_parents(info: ClassInfo) -> list[ClassInfo]:
    """The models of the project with a table of their own that a model inherits from."""
    return [
        item
        for item in info.mro[1:]
        if isinstance(item, ClassInfo) and is_model(item) and not is_abstract(item)
    ]


def is_closed(info: ClassInfo) -> bool:
    """Whether every base is in the project or in Django, so that no field can be unknown."""
    return info.is_closed and all(
        name.startswith(("django.", "builtins.", "typing.", "abc.")) for name in info.libraries
    )


def _index(module: Module) -> Index:
    index = module.modules
    assert isinstance(index, Index)
    return index


# Fields


def fields(info: ClassInfo) -> dict[str, Field]:
    """The fields of a model by name, inherited ones included; the nearest declaration wins."""
    key = ("django fields", info.name, id(info.node))
    return _index(info.module).fact(key, lambda: _fields(info))


def _fields(info: ClassInfo) -> dict[str, Field]:
    found: dict[str, Field] = {}
    taken: set[str] = set()
    for item in info.mro:
        if isinstance(item, str):
            continue
        for name, bindings in item.scope.bindings.items():
            if name in taken:
                continue
            taken.add(name)
            value = item.effective(bindings).value
            if isinstance(value, ast.Call):
                cls, is_builtin = field_class(value, item.module)
                if cls is not None:
                    found[name] = Field(name, cls, item, value, is_builtin)
    return found


def field_class(call: ast.Call, module: Module) -> tuple[str | None, bool]:
    """The class of Django of the field that a call creates, and whether it is that class itself."""
    name = module.qualified_name(call.func)
    if name is None:
        return None, False
    info = module.modules.class_info(name)
    if info is None:
        for position, base in enumerate(_index(module).library_mro(name)):
            if _is_field(base):
                return base, position == 0
        return None, False
    for item in info.mro:
        if isinstance(item, str) and _is_field(item):
            return item, False
    return None, False


def _is_field(name: str) -> bool:
    return name in {_GENERIC, _GENERIC_REVERSE} or (
        name.startswith(("django.db.models.", "django.contrib.postgres.fields."))
        and name.endswith(("Field", "ForeignKey"))
    )


# Relations


def relation(model: str, name: str, module: Module) -> Relation | None:
    """What an attribute of a model's instances leads to, in both directions; None when it is no relation."""
    index = _index(module)
    info = index.class_info(model)
    if info is None:
        return _library_relation(model, name, module)
    if _has_own_metaclass(info):
        return None
    declared = fields(info).get(name)
    if declared is not None:
        return _forward(info, declared)
    if info.member(name) is not None:
        return None
    for item in info.mro:
        if isinstance(item, str) and name in _LIBRARY_RELATIONS.get(item, ()):
            return Relation("multi", _LIBRARY_RELATIONS[item][name])
    if any(isinstance(item, ClassInfo) and name in item.instance_attributes for item in info.mro):
        return None
    for item in info.mro:
        if isinstance(item, ClassInfo) and is_model(item) and not is_abstract(item):
            found = reverse(item.name, name, module)
            if found is not None:
                return found
    return None


def _has_own_metaclass(info: ClassInfo) -> bool:
    """Whether a metaclass of the project makes a model or its rows, so that it may keep them at hand."""
    index = _index(info.module)
    return index.fact(("model metaclass", info.name, id(info.node)), lambda: _find_own_metaclass(info))


def _find_own_metaclass(info: ClassInfo) -> bool:
    index = _index(info.module)
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        for keyword in item.node.keywords:
            if keyword.arg == "metaclass":
                name = item.module.qualified_name(keyword.value)
                made = index.class_info(name) if name is not None else None
                if name is None or (made is not None and any(map(made.member, ("__call__", "__new__")))):
                    return True
    return False


def _library_relation(model: str, name: str, module: Module) -> Relation | None:
    for item in _index(module).library_mro(model):
        if name in _LIBRARY_RELATIONS.get(item, ()):
            return Relation("multi", _LIBRARY_RELATIONS[item][name])
        if name in _LIBRARY_SINGLE.get(item, ()):
            return Relation("forward", _LIBRARY_SINGLE[item][name])
    return reverse(model, name, module) if model in LIBRARY_MODELS else None


def _forward(info: ClassInfo, declared: Field) -> Relation | None:
    if declared.cls in _SINGLE:
        back = accessor(info, declared) if declared.cls == _ONE_TO_ONE else None
        return Relation("forward", target(info, declared), nullable=declared.flag("null"), back=back)
    if declared.cls == _MANY or declared.cls == _GENERIC_REVERSE:
        return Relation("multi", target(info, declared))
    return Relation("generic", None, nullable=True) if declared.cls == _GENERIC else None


def target(info: ClassInfo, declared: Field) -> str | None:
    """The qualified name of the model that a relation field of `info` points at, or None."""
    key = ("django target", info.name, id(info.node), declared.name)
    return _index(info.module).fact(key, lambda: _target(info, declared))


def _target(info: ClassInfo, declared: Field) -> str | None:
    module = declared.owner.module
    value = declared.argument("to", 0)
    if value is None:
        return None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return _model_of_text(value.value, info, declared)
    if (
        isinstance(value, ast.Call)
        and module.qualified_name(value.func) == "django.contrib.auth.get_user_model"
    ):
        return user_model(module)
    name = module.qualified_name(value)
    if name == "django.conf.settings.AUTH_USER_MODEL":
        return user_model(module)
    if name is not None and is_model_name(name, module):
        return name
    if name is not None and name.startswith("django.conf.settings."):
        setting = settings_value(module, name.rpartition(".")[2])
        return model_by_label(setting, module) if isinstance(setting, str) else None
    return None


def _model_of_text(text: str, info: ClassInfo, declared: Field) -> str | None:
    module = declared.owner.module
    if text == "self":
        return info.name
    if "." in text:
        return model_by_label(text, module)
    for home in (info.module, module):
        name = home.export(text)
        if name is not None and is_model_name(name, home):
            return name
    label = app_label(info.module)
    return model_by_label(f"{label}.{text}", module) if label else None


def user_model(module: Module) -> str | None:
    """The qualified name of the user model by `AUTH_USER_MODEL`, or None where the settings are unknown."""
    value = settings_value(module, "AUTH_USER_MODEL", "auth.User")
    return model_by_label(value, module) if isinstance(value, str) else None


def model_by_label(text: str, module: Module) -> str | None:
    """The qualified name of a model written as `app.Model`, or None."""
    label, _, name = text.rpartition(".")
    index = _index(module)
    key = ("django label", workspace_of(module), text.lower())
    found = index.fact(key, lambda: _model_by_label(label, name, module))
    info = index.class_info(found) if found is not None else None
    if info is None:
        return _library_model(label, name)
    index.consult(index.path_of(module), (index.path_of(info.module),))
    return found


def _library_model(label: str, name: str) -> str | None:
    home = _LIBRARY_APPS.get(label)
    return f"{home}.{name}" if home is not None and f"{home}.{name}" in LIBRARY_MODELS else None


def _model_by_label(label: str, name: str, module: Module) -> str | None:
    index = _index(module)
    found: set[str] = set()
    for file in inventory(module).python:
        home = index.at(file.path, module) if name.lower().encode() in file.classes else None
        if home is None:
            continue
        for statement in home.source.tree.body:
            if isinstance(statement, ast.ClassDef) and statement.name.lower() == name.lower():
                info = home.class_info_of(statement)
                if is_model(info) and label_of(info) == label:
                    found.add(info.name)
    return found.pop() if len(found) == 1 else None


def label_of(info: ClassInfo) -> str | None:
    value = meta(info, "app_label")
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return app_label(info.module)


def app_label(module: Module) -> str | None:
    """The label of the app that a module belongs to: that of its `AppConfig`, else its directory's name."""
    index = _index(module)
    directory = os.path.dirname(index.path_of(module))
    return index.fact(("django app", directory), lambda: _app_label(directory, module))


def _app_label(directory: str, module: Module) -> str | None:
    index = _index(module)
    root = workspace_of(module)
    current = directory
    while current.startswith(root):
        listing = index.files.listing(current)
        if "apps.py" in listing:
            apps = index.at(os.path.join(current, "apps.py"), module)
            label = _configured_label(apps) if apps is not None else None
            return label or os.path.basename(current)
        if "models.py" in listing or "models" in listing:
            return os.path.basename(current)
        if current == root:
            break
        current = os.path.dirname(current)
    return None


def _configured_label(apps: Module) -> str | None:
    labels: set[str] = set()
    for statement in apps.source.tree.body:
        if not isinstance(statement, ast.ClassDef):
            continue
        values = {}
        for name, bindings in apps.class_info_of(statement).scope.bindings.items():
            value = bindings[-1].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                values[name] = value.value
        if "label" in values:
            labels.add(values["label"])
        elif "name" in values:
            labels.add(values["name"].rpartition(".")[2])
    return labels.pop() if len(labels) == 1 else None


def reverse(model: str, name: str, module: Module) -> Relation | None:
    """The relation that other models give to `model` under an accessor's name, or None.

    Searches the workspace for models that point here; None also where several do under this name.
    """
    if name.startswith("_") or not name.isidentifier():
        return None
    index = _index(module)
    key = ("django reverse", workspace_of(module), model, name)
    candidates = inventory(module).pointing(name)
    index.consult(index.path_of(module), (file.path for file in candidates))
    return index.fact(key, lambda: _reverse(candidates, model, name, module))


def _reverse(candidates: list[File], model: str, name: str, module: Module) -> Relation | None:
    index = _index(module)
    found: list[Relation] = []
    for file in candidates:
        home = index.at(file.path)
        for info, declared in _leading_back(home).get(name, ()) if home is not None else ():
            if declared.cls == _GENERIC_REVERSE or accessor(info, declared) != name:
                continue
            if target(info, declared) == model:
                found.append(_reverse_of(declared, info))
    return found[0] if len(set(found)) == 1 else None


def reverse_by_query_name(info: ClassInfo, name: str) -> Relation | None:
    """The relation that leads back to a model under a name in queries; of several, any of them."""
    index = _index(info.module)
    names = [item.name for item in info.mro if isinstance(item, ClassInfo) and is_model(item)]
    candidates = inventory(info.module).pointing(name)
    index.consult(index.path_of(info.module), (file.path for file in candidates))
    key = ("django reverse query", workspace_of(info.module), info.name, name)
    return index.fact(key, lambda: _reverse_by_query_name(candidates, names, name, info.module))


def _reverse_by_query_name(
    candidates: list[File], names: list[str], name: str, module: Module
) -> Relation | None:
    index = _index(module)
    for file in candidates:
        home = index.at(file.path)
        for info, declared in _leading_back(home).get(name, ()) if home is not None else ():
            pointed = target(info, declared)
            if _query_name(info, declared) == name and (pointed is None or pointed in names):
                return Relation("multi", info.name if pointed is not None else None)
    return None


def _leading_back(home: Module) -> dict[str, list[tuple[ClassInfo, Field]]]:
    """The relations of a module's models, by the names under which they may lead back."""
    return _index(home).fact(("django leading back", home.name, id(home)), lambda: _find_leading_back(home))


def _find_leading_back(home: Module) -> dict[str, list[tuple[ClassInfo, Field]]]:
    found: dict[str, list[tuple[ClassInfo, Field]]] = {}
    for node in home.source.nodes(ast.ClassDef):
        info = home.class_info_of(node)
        if not is_model(info) or is_abstract(info):
            continue
        # what a model has from a table of its parents, or as their proxy, leads back to them
        above = {field.call for item in concrete_parents(info) for field in fields(item).values()}
        for declared in fields(info).values():
            if declared.is_relation and declared.cls != _GENERIC and declared.call not in above:
                for name in {accessor(info, declared), _query_name(info, declared)} - {None}:
                    found.setdefault(str(name), []).append((info, declared))
    return found


def _query_name(info: ClassInfo, declared: Field) -> str | None:
    """The name under which queries of the other model lead back to this one, None where that is not known."""
    value = declared.argument("related_query_name")
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return _filled_in(value.value, info)
    if value is not None or declared.cls == _GENERIC_REVERSE:
        return None
    found = accessor(info, declared)
    model = info.node.name.lower()
    return model if found in {None, f"{model}_set"} else found


def _reverse_of(declared: Field, info: ClassInfo) -> Relation:
    if declared.cls == _ONE_TO_ONE:
        return Relation("reverse", info.name, nullable=True, back=declared.name)
    return Relation("multi", info.name, back=None if declared.cls == _MANY else declared.name)


def accessor(info: ClassInfo, declared: Field) -> str | None:
    """The name under which the other model leads back to this one; None when there is none."""
    value = declared.argument("related_name", 1 if declared.cls == _MANY else 2)
    model = info.node.name.lower()
    if value is None:
        inherited = meta(info, "default_related_name")
        if inherited is None:
            return model if declared.cls == _ONE_TO_ONE else f"{model}_set"
        value = inherited
    if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return None
    text = value.value
    if text.endswith("+"):
        return None
    return _filled_in(text, info)


def _filled_in(text: str, info: ClassInfo) -> str:
    """A name with what Django fills in for the model that inherits it."""
    label = label_of(info) if "%(app_label)s" in text else ""
    model = info.node.name.lower()
    return (
        text.replace("%(class)s", model)
        .replace("%(model_name)s", model)
        .replace("%(app_label)s", label or "")
    )


# What happens when a row is saved


def saves_plainly(info: ClassInfo) -> bool:
    """Whether saving a row of a model runs only Django's own code, so that it can be saved in bulk.

    False also where that is not known: bases outside Django, receivers that may concern the model, and for
    models of several tables.
    """
    if not is_closed(info) or is_abstract(info) or any(info.method(name) for name in ("save", "save_base")):
        return False
    for item in info.mro[1:]:
        if isinstance(item, ClassInfo) and is_model(item) and not is_abstract(item):
            return False
        if isinstance(item, str) and item != MODEL and MODEL in _index(info.module).library_mro(item):
            return False  # such as users, whose `save` tells validators of new passwords
    return not _has_attachments(info) and not _may_have_receivers(info)


def saves_itself(info: ClassInfo) -> bool:
    """Whether a model is saved by Django's own method; receivers of signals may run all the same."""
    return is_closed(info) and all(info.method(name) is None for name in ("save", "save_base"))


def saves_automatically(info: ClassInfo) -> bool:
    """Whether some fields of a model change whenever a row is saved, as with `auto_now`."""
    return any(declared.flag("auto_now") for declared in fields(info).values())


def _has_attachments(info: ClassInfo) -> bool:
    """Whether a class body creates objects of other packages, which may listen to signals."""
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        for bindings in item.scope.bindings.values():
            value = bindings[-1].value
            name = item.module.qualified_name(value.func) if isinstance(value, ast.Call) else ""
            if name is None:
                return True
            known = not name or name.startswith(("django.", "builtins.")) or item.module.modules.owns(name)
            if not known and not name.endswith(("Field", "Key", "Manager", "FieldFile")):
                return True
    return False


def _may_have_receivers(info: ClassInfo) -> bool:
    word = re.compile(rb"\b%s\b" % re.escape(info.node.name.encode()))
    return any(
        word.search(file.data) or _ANY_SENDER.search(file.data) for file in inventory(info.module).signals
    )


# The files of the workspace


@dataclass(slots=True, eq=False)
class File:
    """A Python file that can hold models, by its bytes.

    `classes` are the names of its classes in lower case; `relates` says whether it mentions relation
    fields, `computes` whether a related name is built from a model's name.
    """

    path: str
    data: bytes
    classes: frozenset[bytes] = frozenset()
    relates: bool = False
    computes: bool = False


@dataclass(slots=True, eq=False)
class Inventory:
    """The files of a workspace that matter for backward questions.

    - `python`: files that mention models; `signals`: files that mention the signals of saving;
      `entries`: files that may name the settings module.
    """

    python: list[File] = field(default_factory=list)
    signals: list[File] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    _pointing: dict[str, list[File]] = field(default_factory=dict)

    def pointing(self, name: str) -> list[File]:
        """The files whose models may be reached under an accessor's name."""
        found = self._pointing.get(name)
        if found is None:
            text = name.encode()
            quoted = (b'"' + text + b'"', b"'" + text + b"'")
            model = text.removesuffix(b"_set").lower()
            found = self._pointing[name] = [
                file
                for file in self.python
                if file.relates
                and (
                    file.computes
                    or model in file.classes
                    or (text in file.data and any(written in file.data for written in quoted))
                )
            ]
        return found

    def add(self, path: str, data: bytes) -> None:
        """Take in a Python file."""
        if b"_save" in data and _SAVE_SIGNAL.search(data):
            self.signals.append(File(path, data))
        relates = b"class " in data and any(word in data for word in _RELATION_WORDS)
        if relates or (b"Model" in data and b"class " in data):
            classes = frozenset(match.lower() for match in _CLASS.findall(data))
            computes = b"%(class)s" in data or b"%(model_name)s" in data or b"%(app_label)s" in data
            self.python.append(File(path, data, classes, relates, computes))

    def follow(self, path: str, old: bytes | None, new: bytes | None) -> bool:
        """Take over the new content of a file; see `project.index.Following`."""
        if new is None:
            return False
        if path in self.entries or _is_migration(path):
            return True
        fresh = Inventory()
        fresh.add(path, new)
        for files, found in ((self.signals, fresh.signals), (self.python, fresh.python)):
            at = next((number for number, file in enumerate(files) if file.path == path), len(files))
            if found or at < len(files):
                files[at : at + 1] = found
                self._pointing.clear()
        return True


def _is_migration(path: str) -> bool:
    return os.path.basename(os.path.dirname(path)) == "migrations"


def workspace_of(module: Module) -> str:
    """The root of the workspace that a module lies in."""
    index = _index(module)
    return index.layout.workspace_root(os.path.dirname(index.path_of(module)))


def inventory(module: Module) -> Inventory:
    """The files of the module's workspace that mention models, read once."""
    root = workspace_of(module)
    return _index(module).fact(("django inventory", root), lambda: _inventory(_index(module), root))


def _inventory(index: Index, root: str) -> Inventory:
    result = index.lasting_fact(("files of models", root), lambda: _read_inventory(index, root))
    for files, words in ((result.python, _MODEL_WORDS), (result.signals, _SIGNAL_WORDS)):
        for word in words:
            index.rest_on(mentions_below(root, b"*" + word), [file.path for file in files])
    return result


def _read_inventory(index: Index, root: str) -> Inventory:
    result = Inventory()
    paths = files_below(index, root, _ENTRIES)
    index.know(everything_below(root), paths)
    for path in paths:
        name = os.path.basename(path)
        if _is_migration(path):
            continue
        if name in {"manage.py", "wsgi.py", "asgi.py"} or not name.endswith(".py"):
            result.entries.append(path)
            continue
        data = index.files.read(path)
        if data is None:
            continue
        result.add(path, data)
    return result


# Settings


def settings_module(module: Module) -> Module | None:
    """The project's settings module, as `manage.py`, `wsgi.py`, `asgi.py` or pytest's settings name it.

    Of several the nearest above the asking file counts; None where nothing names one.
    """
    index = _index(module)
    directory = os.path.dirname(index.path_of(module))
    found = index.fact(("django settings", directory), lambda: _settings_module(directory, module))
    if found is not None:
        index.consult(index.path_of(module), (index.path_of(found),))
    return found


def _settings_module(directory: str, module: Module) -> Module | None:
    index = _index(module)
    best: tuple[tuple[bool, int, int], Module] | None = None
    for path in inventory(module).entries:
        data = index.files.read(path) or b""
        match = _SETTINGS_MODULE.search(data)
        if match is None:
            continue
        folder = os.path.dirname(path)
        shared = len(os.path.commonpath([folder, directory]))
        rank = (directory.startswith(folder), shared, os.path.basename(path) == "manage.py")
        if best is not None and rank <= best[0]:
            continue
        named = _module_below(index, match[1].decode(), folder, module)
        if named is not None:
            best = rank, named
    return best[1] if best is not None else None


def _module_below(index: Index, dotted: str, folder: str, module: Module) -> Module | None:
    found = index.import_module(dotted, module)
    if found is not None:
        return found
    parts = dotted.split(".")
    for base in (folder, os.path.dirname(folder)):
        path = os.path.join(base, *parts)
        for candidate in (f"{path}.py", os.path.join(path, "__init__.py")):
            if index.files.is_file(candidate):
                return index.at(candidate, module)
    return None


def settings_value(module: Module, name: str, default: object = UNKNOWN) -> object:
    """The value of a setting when it is a literal, `default` when the settings do not have it.

    `UNKNOWN` where the settings module or the value is not known.
    """
    settings = settings_module(module)
    if settings is None:
        return UNKNOWN
    qualified = settings.export(name)
    if qualified is None:
        return default if not settings.scope.stars or _stars_known(settings) else UNKNOWN
    found = _index(module).variable(qualified)
    if found is None or found[1].value is None or found[1].path:
        return UNKNOWN
    try:
        value: object = ast.literal_eval(found[1].value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN
    return value


def _stars_known(settings: Module) -> bool:
    return all(settings._star_module(star) is not None for star in settings.scope.stars)


# Defaults

_VARYING = frozenset(
    {
        "django.utils.timezone.now", "django.utils.timezone.localdate", "django.utils.timezone.localtime",
        "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
        "uuid.uuid1", "uuid.uuid4", "time.time", "secrets.token_hex", "secrets.token_urlsafe",
        "secrets.token_bytes", "random.random", "random.randint", "django.utils.crypto.get_random_string",
    }
)  # fmt: skip


def is_field_call(call: ast.Call, module: Module) -> bool:
    """Whether a call creates a field of a model, form or serializer."""
    if field_class(call, module)[0] is not None:
        return True
    name = module.qualified_name(call.func)
    if name is None:
        return False
    info = module.modules.class_info(name)
    names = info.libraries if info is not None else {name}
    return any(
        item.startswith(("django.forms.", "rest_framework.serializers.")) and item.endswith("Field")
        for item in names
    )


def is_model_field(call: ast.Call, module: Module) -> bool:
    """Whether a call creates a field of a model."""
    return field_class(call, module)[0] is not None


def varies(call: ast.Call, module: Module, *, shared: bool) -> bool:
    """Whether a call gives another value each time; with `shared`, also a new list, dictionary or set."""
    name = module.qualified_name(call.func)
    return name in _VARYING or (shared and name in {"builtins.list", "builtins.dict", "builtins.set"})


def defaults_differ(default: ast.expr, database: ast.expr, module: Module) -> bool:
    """Whether a `default` and a `db_default` certainly are two values: different literals or members."""
    match database:
        case ast.Call(func=func, args=[value], keywords=[]) if (
            module.qualified_name(func) == "django.db.models.Value"
        ):
            database = value
    names = [module.qualified_name(node) for node in (default, database)]
    if all(isinstance(node, ast.Attribute) for node in (default, database)) and None not in names:
        owners = {str(name).rpartition(".")[0] for name in names}
        return (
            len(owners) == 1 and names[0] != names[1] and module.modules.class_info(owners.pop()) is not None
        )
    try:
        one, other = ast.literal_eval(default), ast.literal_eval(database)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return bool(one != other and str(one) != str(other))
