"""Facts about the columns by which views of Django and REST framework, and the admin, search and order."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from typing import Final

from pybackend_lint.frameworks import django, django_admin, django_lookups, django_models, drf
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_lookups import Mention, UnknownName
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type

_ADMIN = ("django.contrib.admin.ModelAdmin", "django.contrib.admin.options.ModelAdmin")
_LIST = "django.views.generic.MultipleObjectMixin"
_VIEW = "rest_framework.generics.GenericAPIView"
# The filters of REST framework by the option that they read.
_FILTERS = {
    "search_fields": frozenset({"rest_framework.filters.SearchFilter"}),
    "ordering_fields": frozenset({"rest_framework.filters.OrderingFilter"}),
    "ordering": frozenset({"rest_framework.filters.OrderingFilter"}),
    "filterset_fields": frozenset(
        {
            "django_filters.rest_framework.DjangoFilterBackend",
            "django_filters.rest_framework.backends.DjangoFilterBackend",
        }
    ),
}
OPTIONS: Final = (*_FILTERS,)
_PREFIXES = {"search_fields": "^=@$", "ordering": "-"}
_PLAIN_METHODS = frozenset(
    {
        "get_queryset", "filter", "exclude", "order_by", "select_related", "prefetch_related", "distinct",
        "only", "defer", "using", "all", "none",
    }
)  # fmt: skip
# Methods by which a class may look for, or in, other columns than its options say.
_OWN_SEARCH = frozenset({"filter_queryset", "get_search_results", "get_ordering", "get_search_fields"})


def unknown_columns(node: ast.ClassDef, module: Module) -> Iterator[tuple[Mention, UnknownName]]:
    """The names in the options of a view or of an admin class that its model does not have.

    A text search in a relation itself counts as well, which Django refuses.
    """
    written = [
        (statement.targets[0].id, statement.value)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in _FILTERS
    ]
    if not written:
        return
    info = module.class_info_of(node)
    if not info.is_closed or any(info.method(name) is not None for name in _OWN_SEARCH):
        return
    read = frozenset(name for name, _ in written) & _options_read(info)
    row = _row(info, node, module) if read else None
    model = module.modules.class_info(row.name) if row is not None else None
    if row is None or model is None or not isinstance(row.fact, Loaded) or "*" in row.fact.names:
        return
    for option, value in written:
        for mention in _mentions(option, value, module) if option in read else ():
            unknown = _unknown(option, mention.path, model, row.fact.names)
            if unknown is not None:
                yield mention, unknown


def _options_read(info: ClassInfo) -> frozenset[str]:
    """The options that something looks at when a class of this kind answers."""
    if info.is_a(*_ADMIN):
        return frozenset({"search_fields"})
    if info.is_a(_LIST):
        return frozenset({"ordering"})
    if not info.is_a(_VIEW):
        return frozenset()
    filters = _filters(info)
    return frozenset(option for option, names in _FILTERS.items() if not names.isdisjoint(filters))


def _filters(info: ClassInfo) -> frozenset[str]:
    """The qualified names of a view's filters, those of the settings where the class names none."""
    found = info.member("filter_backends")
    if found is not None:
        match found[1].value:
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                names = (found[0].module.qualified_name(element) for element in elements)
                return frozenset(name for name in names if name is not None)
        return frozenset()
    setting = django_models.settings_value(info.module, "REST_FRAMEWORK", {})
    listed = setting.get("DEFAULT_FILTER_BACKENDS", ()) if isinstance(setting, dict) else ()
    return frozenset(name for name in listed if isinstance(name, str))


def _row(info: ClassInfo, node: ast.ClassDef, module: Module) -> Type | None:
    """A row of the list, with the names that annotations added; None where they are not known."""
    if info.is_a(_VIEW):
        return drf.listed_row(info) if django.is_plain_view(info) else None
    if info.is_a(*_ADMIN):
        model = django_admin.registered_model(node, module)
        known = django.manager(model, "_default_manager") if model is not None else None
        is_plain = True
    else:
        known = django.view_queryset(info)
        is_plain = django.is_plain_view(info)
    return known.argument() if known is not None and is_plain and not _may_annotate(info) else None


def _may_annotate(info: ClassInfo) -> bool:
    """Whether a `get_queryset` of a class does more than choose rows, order them and load relations."""
    for item in info.mro:
        method = item.method("get_queryset") if isinstance(item, ClassInfo) else None
        for call in method.own(ast.Call) if method is not None else ():
            if isinstance(call.func, ast.Attribute) and call.func.attr not in _PLAIN_METHODS:
                return True
    return False


def _mentions(option: str, value: ast.expr, module: Module) -> Iterator[Mention]:
    match value:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            pass
        case ast.Dict(keys=keys) if option == "filterset_fields":
            items = [key for key in keys if key is not None]
        case ast.Constant() if option == "ordering":
            items = [value]
        case _:
            return
    for item in items:
        if isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value not in {"", "?"}:
            path = item.value
            if path[0] in _PREFIXES.get(option, ""):
                path = path[1:]
            yield Mention(item, module.source.start(item) + 1 + len(item.value) - len(path), path)


def _unknown(option: str, path: str, model: ClassInfo, names: Set[str]) -> UnknownName | None:
    is_search = option == "search_fields"
    unknown = django_lookups.unknown_part(model, path, names, with_lookups=is_search)
    if unknown is None and is_search and path not in names:
        return django_lookups.bare_relation(model, path)
    return unknown
