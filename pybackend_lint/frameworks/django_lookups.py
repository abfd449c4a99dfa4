"""Facts about the names in queries: fields, relations in both directions, transforms and lookups."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Final

from pybackend_lint.frameworks import django, django_models
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_completeness import may_have_unseen
from pybackend_lint.frameworks.django_models import Field, Relation
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Type
from pybackend_lint.source import last_name

# Methods by what they take: keywords with lookups, keywords of columns, texts, or expressions by new names.
_LOOKUPS = frozenset(
    {
        "filter", "exclude", "get", "aget", "get_or_create", "aget_or_create", "update_or_create",
        "aupdate_or_create",
    }
)  # fmt: skip
_COLUMNS = frozenset({"update", "aupdate", "create", "acreate"})
_TEXTS = frozenset({"order_by", "values", "values_list", "only", "defer", "latest", "earliest", "distinct"})
_ORDERS = frozenset({"order_by", "latest", "earliest"})
_EXPRESSIONS = frozenset({"annotate", "alias", "aggregate", "aaggregate"})
_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404", "aget_list_or_404"})
# Methods of querysets and of rows with a list of columns, by the position and the name of that argument.
_LISTS = {
    "bulk_update": (1, "fields"), "abulk_update": (1, "fields"), "save": (3, "update_fields"),
    "asave": (3, "update_fields"), "refresh_from_db": (1, "fields"), "arefresh_from_db": (1, "fields"),
}  # fmt: skip
METHODS: Final = (*sorted(_LOOKUPS | _COLUMNS | _TEXTS | _EXPRESSIONS | _SHORTCUTS | _LISTS.keys()),)
_OPTIONS = frozenset({"defaults", "create_defaults", "flat", "named", "through_defaults"})
_DEFAULTS = frozenset({"defaults", "create_defaults"})
_WITHOUT_LOOKUPS = _COLUMNS | _LISTS.keys() | {"only", "defer", "latest", "earliest"}
# Expressions of Django whose texts are names: the first one, or all.
_OF_NAME = frozenset({"F", "Count", "Sum", "Avg", "Min", "Max"}) | {
    f"functions.{name}"
    for name in ("Lower", "Upper", "Length", "TruncDate", "TruncDay", "TruncMonth", "TruncYear")
}
_OF_NAMES = frozenset({"functions.Coalesce", "functions.Concat", "functions.Greatest", "functions.Least"})
_KEYS = frozenset({"ForeignKey", "OneToOneField", "ManyToManyField"})
_AROUND = frozenset({"Case", "When", "ExpressionWrapper", "functions.Cast"})
_OF_EXPRESSIONS = frozenset({"filter", "then", "default", "expression"})

# Lookups and transforms that Django has for fields of its own.
_KNOWN = frozenset(
    {
        "exact", "iexact", "contains", "icontains", "in", "gt", "gte", "lt", "lte", "startswith",
        "istartswith", "endswith", "iendswith", "range", "isnull", "regex", "iregex", "date", "time", "year",
        "iso_year",
        "month", "day", "week", "week_day", "iso_week_day", "quarter", "hour", "minute", "second", "search",
        "unaccent", "trigram_similar", "trigram_word_similar", "trigram_strict_word_similar",
        "lower", "upper", "length", "trim", "ltrim", "rtrim", "abs",
    }
)  # fmt: skip
# Columns whose parts may have any name, or lookups of packages.
_PLAIN_FIELDS = frozenset(
    {
        "AutoField", "BigAutoField", "SmallAutoField", "BooleanField", "CharField", "DateField",
        "DateTimeField", "DecimalField", "DurationField", "EmailField", "FileField", "FilePathField",
        "FloatField", "ImageField", "IntegerField", "BigIntegerField", "SmallIntegerField",
        "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField", "SlugField",
        "TextField", "TimeField", "URLField", "UUIDField", "BinaryField",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class UnknownName:
    """A part of a path that names nothing.

    - `name`: the part; `model`: the class that lacks it; `candidates`: names that it has.
    - `is_lookup`: it stands behind a column, where only lookups may.
    - `is_relation`: it is a relation where the name of a column is needed.
    """

    name: str
    model: ClassInfo
    candidates: tuple[str, ...]
    is_lookup: bool = False
    is_relation: bool = False

    @property
    def nearest(self) -> str | None:
        """The only name that differs by one edit, None where there is none or several."""
        found = {item for item in self.candidates if _is_one_edit(self.name, item)}
        return found.pop() if len(found) == 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Mention:
    """A path in a query: the node that holds it, the offset of its first character, and the path.

    `is_value`: it names what a new row gets, which may be one of the model's properties.
    """

    node: ast.AST
    offset: int
    path: str
    is_value: bool = False


def _is_one_edit(one: str, other: str) -> bool:
    """Whether two words differ by one letter that is changed, added, missing or swapped with the next."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    shorter, longer = sorted((one, other), key=len)
    position = next((i for i, letter in enumerate(shorter) if letter != longer[i]), len(shorter))
    if len(shorter) < len(longer):
        return shorter[position:] == longer[position + 1 :]
    if shorter[position + 1 :] == longer[position + 1 :]:
        return True
    swapped = longer[position + 1 : position + 2] + longer[position : position + 1]
    return shorter[position : position + 2] == swapped and shorter[position + 2 :] == longer[position + 2 :]


# Paths in calls


def unknown_names(call: ast.Call, module: Module) -> Iterator[tuple[Mention, UnknownName]]:
    """The names in a call of a queryset's or manager's own method that its model does not have."""
    found = _asked(call, module) if _has_names(call) else None
    if found is None:
        return
    method, rows = found
    info = django.model_of(rows, module)
    fact = django.loaded(rows)
    if info is None or fact is None or "*" in fact.names:
        return
    known = fact.names | {keyword.arg or "*" for keyword in call.keywords if method in _EXPRESSIONS}
    for mention in _mentions(call, method, module):
        unknown = unknown_part(info, mention.path, known, with_lookups=method not in _WITHOUT_LOOKUPS)
        if unknown is not None and not (mention.is_value and _may_take(info, unknown.name)):
            yield mention, unknown


def _may_take(info: ClassInfo, name: str) -> bool:
    """Whether a row of a model may be created with a value of a name that is no field."""
    return info.member(name) is not None or info.method("__init__") is not None


def _asked(call: ast.Call, module: Module) -> tuple[str, Type] | None:
    """The method that a call names fields for, and the row or rows of the model."""
    name = last_name(call.func)
    if name in _LISTS and isinstance(call.func, ast.Attribute) and not name.endswith("bulk_update"):
        row = module.type_of(call.func.value)
        if row is None or not _saves_as_django(row, name, module):
            return None
        return name, replace(row, fact=Loaded())  # how the row was read makes no difference
    if name not in _SHORTCUTS:
        return django.own_method(call.func, module)
    callee = module.qualified_name(call.func)
    if callee is None or not callee.startswith("django.shortcuts.") or not call.args:
        return None
    rows = django.rows_of(module.type_of(call.args[0]), module)
    return ("get", rows) if rows is not None else None


def _saves_as_django(row: Type, method: str, module: Module) -> bool:
    """Whether a value is a row of a model, and what it does with the columns that it is given is known."""
    info = django.model_of(row, module) if django.is_model_instance(row, module) else None
    custom = info.method(method) if info is not None else None
    return info is not None and (
        custom is None or _LISTS[method][1] not in custom.module.source.segment(custom.node)
    )


def _listed(call: ast.Call) -> list[ast.expr]:
    """The items of the list of columns that a call is given."""
    position, name = _LISTS[last_name(call.func)]
    given = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if given is None and len(call.args) > position:
        given = call.args[position]
    return given.elts if isinstance(given, (ast.List, ast.Tuple, ast.Set)) else []


def _has_names(call: ast.Call) -> bool:
    """Whether a call may name fields, by its form: dictionaries have methods of the same names."""
    if last_name(call.func) in _LISTS:
        return bool(_listed(call))
    if any(keyword.arg not in {None, *_OPTIONS - _DEFAULTS} for keyword in call.keywords):
        return True
    name = last_name(call.func)
    if name in _TEXTS and any(isinstance(argument, ast.Constant) for argument in call.args):
        return True
    return any(isinstance(argument, (ast.Call, ast.BinOp, ast.UnaryOp)) for argument in call.args) and (
        name in _EXPRESSIONS or name in _SHORTCUTS or name in {"filter", "exclude", "get", "order_by"}
    )


def _mentions(call: ast.Call, method: str, module: Module) -> Iterator[Mention]:
    if method in _TEXTS or method in _LISTS:
        for argument in call.args if method in _TEXTS else _listed(call):
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                path = argument.value.removeprefix("-") if method in _ORDERS else argument.value
                shift = len(argument.value) - len(path) + 1
                if path not in {"", "?"}:
                    yield Mention(argument, module.source.start(argument) + shift, path)
    elif method not in _EXPRESSIONS:
        for mention in _keywords(call, module):
            yield replace(mention, is_value=method in {"create", "acreate"})
        for keyword in call.keywords:
            if keyword.arg in _DEFAULTS and isinstance(keyword.value, ast.Dict):
                yield from _keys(keyword.value, module)
    pending: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while pending:
        node = pending.pop()
        match node:
            case ast.BinOp(left=left, right=right):
                pending += [left, right]
            case ast.UnaryOp(operand=operand):
                pending.append(operand)
            case ast.Call(func=ast.Attribute(attr="asc" | "desc", value=value)):
                pending.append(value)
            case ast.Call():
                callee = (module.qualified_name(node.func) or "").removeprefix("django.db.models.")
                yield from _of_expression(callee, node, module)
                if callee in {"Q", *_AROUND, *_OF_NAME, *_OF_NAMES}:
                    pending += [*node.args, *(k.value for k in node.keywords if k.arg in _OF_EXPRESSIONS)]


def _of_expression(callee: str, call: ast.Call, module: Module) -> Iterator[Mention]:
    """The names that a condition or expression of Django holds itself."""
    if callee in {"Q", "When"}:
        for mention in _keywords(call, module):
            if callee == "Q" or mention.path != "then":
                yield mention
    elif callee in _OF_NAME or callee in _OF_NAMES:
        for argument in call.args[: 1 if callee in _OF_NAME else None]:
            yield from _text(argument, module)


def _keys(values: ast.Dict, module: Module) -> Iterator[Mention]:
    for key in values.keys:
        for mention in _text(key, module):
            yield replace(mention, is_value=True)


def _text(node: ast.expr | None, module: Module) -> Iterator[Mention]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in {"", "*"}:
        yield Mention(node, module.source.start(node) + 1, node.value)


def _keywords(call: ast.Call, module: Module) -> Iterator[Mention]:
    for keyword in call.keywords:
        if keyword.arg is not None and keyword.arg not in _OPTIONS and not keyword.arg.startswith("_"):
            yield Mention(keyword, module.source.start(keyword), keyword.arg)


# Names of models


def unknown_part(info: ClassInfo, path: str, given: Set[str], *, with_lookups: bool) -> UnknownName | None:
    """The first part of a path from a model that names nothing, None where all do or one may.

    - `given`: names that annotations added; `with_lookups`: lookups may follow a column.
    """
    parts = path.split("__")
    if parts[0] in given or not all(parts):
        return None
    current: ClassInfo | None = info
    for position, name in enumerate(parts):
        if current is None:
            return None
        declared = django_models.fields(current).get(name)
        relation = _query_relation(current, name)
        if relation is not None:
            current = _target(relation, info.module)
            if position + 1 < len(parts) and parts[position + 1] in _KNOWN:
                return None
            continue
        if name in {"pk", "id"} or _is_key_column(current, name):
            return None
        if declared is not None:
            return _unknown_lookup(declared, parts[position + 1 :], current) if with_lookups else None
        if (position and name in _KNOWN) or _may_exist(current, name) or may_have_unseen(current, name):
            return None
        return UnknownName(name, current, tuple(django_models.fields(current)))
    return None


def bare_relation(info: ClassInfo, path: str) -> UnknownName | None:
    """The end of a path that is a relation of Django's own kind, which cannot be searched as text."""
    current: ClassInfo | None = info
    *before, last = path.split("__")
    for name in before:
        relation = _query_relation(current, name) if current is not None else None
        current = _target(relation, info.module) if relation is not None else None
    declared = django_models.fields(current).get(last) if current is not None else None
    if current is None or declared is None or not declared.is_builtin or not declared.is_relation:
        return None
    if declared.cls.rpartition(".")[2] not in _KEYS or _mentioned(info.module, b"register_lookup"):
        return None
    return UnknownName(last, current, (), is_relation=True)


def _target(relation: Relation, module: Module) -> ClassInfo | None:
    return module.modules.class_info(relation.target) if relation.target is not None else None


def _is_key_column(info: ClassInfo, name: str) -> bool:
    key = name.removesuffix("_id")
    declared = django_models.fields(info).get(key)
    is_single = declared.is_single if declared is not None else _parent_behind(info, key) is not None
    return name.endswith("_id") and is_single


def _parent_behind(info: ClassInfo, name: str) -> ClassInfo | None:
    """The model whose table a row's first columns are in, by the name of the link that Django adds."""
    parents = django_models.concrete_parents(info) if name.endswith("_ptr") else ()
    return next((item for item in parents if f"{item.node.name.lower()}_ptr" == name), None)


def _unknown_lookup(field: Field, rest: list[str], info: ClassInfo) -> UnknownName | None:
    if not rest or not field.is_builtin or field.cls.rpartition(".")[2] not in _PLAIN_FIELDS:
        return None
    wrong = next((name for name in rest if name not in _KNOWN), None)
    if wrong is not None and _mentioned(info.module, b"register_lookup"):
        return None
    return UnknownName(wrong, info, tuple(sorted(_KNOWN)), True) if wrong is not None else None


def _query_relation(info: ClassInfo, name: str) -> Relation | None:
    """What a name leads to in a query: a relation of the model, or one that leads back to it."""
    declared = django_models.fields(info).get(name)
    if declared is not None:
        return django_models.relation(info.name, name, info.module) if declared.is_relation else None
    parent = _parent_behind(info, name)
    if parent is not None:
        return Relation("forward", parent.name)
    return django_models.reverse_by_query_name(info, name)


def _may_exist(info: ClassInfo, name: str) -> bool:
    """Whether a name that is no field may be one all the same: unknown code, or a model that inherits."""
    for item in info.mro:
        bindings = item.scope.bindings.get(name, ()) if isinstance(item, ClassInfo) else ()
        if any(not isinstance(binding.node, FUNCTIONS) for binding in bindings):
            return True
    index = info.module.modules
    assert isinstance(index, Index)
    inherits = re.compile(rb"^\s*class\s+" + re.escape(name.encode()) + rb"\b", re.IGNORECASE | re.MULTILINE)
    return any(
        inherits.search(index.files.read(path) or b"")
        for path in files_with(index, info.module, info.node.name.encode())
    )


def _mentioned(module: Module, word: bytes) -> bool:
    """Whether a file of the project mentions a word."""
    index = module.modules
    assert isinstance(index, Index)
    return bool(files_with(index, module, word))


# Eager paths


@dataclass(frozen=True, slots=True, eq=False)
class InvalidPath:
    """A path that `select_related` or `prefetch_related` refuses.

    - `node`: the text; `name`: the part that is wrong; `model`: the class that it was looked for in.
    - `instead`: the method that takes the path, empty where the name is no relation at all.
    - `exists`: whether the name is a column; no name of the model otherwise.
    """

    node: ast.Constant
    name: str
    model: ClassInfo
    instead: str
    exists: bool = True


def invalid_paths(call: ast.Call, module: Module) -> Iterator[InvalidPath]:
    """The paths of a `select_related` or `prefetch_related` call that Django refuses."""
    found = django.own_method(call.func, module)
    if found is None:
        return
    method, receiver = found
    info = django.model_of(receiver, module)
    fact = django.loaded(receiver)
    if info is None or fact is None or fact.names:
        return  # an annotation may be a filtered relation
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            wrong = _wrong_step(argument, info, method, module)
            if wrong is not None:
                yield wrong


def _wrong_step(path: ast.Constant, info: ClassInfo, method: str, module: Module) -> InvalidPath | None:
    current: ClassInfo | None = info
    joins = method == "select_related"
    for name in str(path.value).split("__"):
        if current is None:
            return None
        declared = django_models.fields(current).get(name)
        relation = django_models.relation(current.name, name, module)
        if relation is None:
            if declared is not None:
                plain = declared.is_builtin and not declared.is_relation
                return InvalidPath(path, name, current, "") if plain else None
            # prefetching also follows names that are no fields, such as those of `to_attr`
            gone = joins and name != "" and _is_no_name(current, name)
            return InvalidPath(path, name, current, "", exists=False) if gone else None
        if joins and relation.kind in {"multi", "generic"}:
            return InvalidPath(path, name, current, "prefetch_related")
        current = _target(relation, module)
    return None


def _is_no_name(info: ClassInfo, name: str) -> bool:
    """Whether a model has certainly no field, and no relation that leads back to it, of a name."""
    if _query_relation(info, name) is not None or name in {"pk", "id"}:
        return False
    return not _may_exist(info, name) and not may_have_unseen(info, name)
