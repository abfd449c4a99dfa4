"""Facts about Django's admin: the model of an admin class, and what its list of rows reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pybackend_lint.frameworks import django, django_models, django_reads
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_reads import PathRead
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.source import last_name

_ADMIN: Final = "django.contrib.admin.ModelAdmin"

ROOTS: tuple[str, ...] = ()  # the types of `django` are those of the ORM's facts
BASES: dict[str, tuple[str, ...]] = {
    "django.contrib.auth.admin.UserAdmin": (_ADMIN,),
    "django.contrib.auth.admin.GroupAdmin": (_ADMIN,),
    "import_export.admin.ImportExportModelAdmin": (_ADMIN,),
    "simple_history.admin.SimpleHistoryAdmin": (_ADMIN,),
}
ALIASES: dict[str, str] = {"django.contrib.admin.options.": "django.contrib.admin."}
KNOWLEDGE = Knowledge()

# What may load relations, choose the columns or show something else.
_OWN_LIST = frozenset(
    {
        "get_list_display", "get_changelist", "get_changelist_instance", "changelist_view",
        "get_list_select_related", "get_paginator",
    }
)  # fmt: skip


# Methods of querysets that load no relations, and leave it to the admin which ones are joined.
_NEUTRAL = frozenset(
    {
        "get_queryset", "filter", "exclude", "order_by", "distinct", "using", "all", "none", "annotate",
        "alias",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of an admin's list and what showing it reads from every row.

    - `node`: the item of `list_display`; `name`: what it is called.
    """

    node: ast.expr
    name: str
    reads: tuple[PathRead, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AdminList:
    """The list of an admin class: the statement that names its columns and those that run queries.

    - `reads`: what columns run queries for, longest paths only.
    - `joins`: those and what the admin joins by itself as long as the class does not say what to join.
    - `selected`: the value of `list_select_related` of the class, None where it has none of its own.
    """

    statement: ast.stmt
    columns: tuple[Column, ...]
    reads: tuple[PathRead, ...]
    joins: tuple[PathRead, ...]
    selected: ast.expr | None


@dataclass(frozen=True, slots=True)
class Joining:
    """What an admin may join by itself where a foreign key is a column, by the versions of Django.

    - `every`: all foreign keys of the model that are never null (before Django 6.1).
    - `columns`: the foreign keys that are columns, and no others (Django 6.1 and later).

    Source: `ChangeList.apply_select_related` of both.
    """

    every: bool
    columns: bool


def admin_list(node: ast.ClassDef, module: Module, joining: Joining) -> AdminList | None:
    """The list of an admin class whose columns run a query for every row; None where that is not known."""
    info = module.class_info_of(node)
    displayed = info.scope.bindings.get("list_display", ())
    if len(displayed) != 1 or not info.is_a(_ADMIN) or not _shows_plainly(info):
        return None
    value, statement = displayed[0].value, displayed[0].node
    if not isinstance(value, (ast.List, ast.Tuple)) or not isinstance(statement, ast.stmt):
        return None
    model = registered_model(node, module)
    asked = _asked(info, model) if model is not None else None
    asked = _with_own_queryset(asked, info) if asked is not None else None
    if model is None or asked is None:
        return None
    shown = [(item, name, reads) for item in value.elts for name, reads in _column(item, info, model)]
    loaded = _with_keys(asked, [name for _, name, _ in shown], info, model, joining)
    columns = [
        Column(item, name, kept)
        for item, name, reads in shown
        if (kept := tuple(read for read in reads if not _comes_along(read, loaded, model)))
    ]
    if not columns:
        return None
    missing = django_reads.longest(read for column in columns for read in column.reads)
    joins = django_reads.longest(
        read for _, _, reads in shown for read in reads if not _comes_along(read, asked, model)
    )
    own = info.scope.bindings.get("list_select_related", ())
    return AdminList(statement, tuple(columns), missing, joins, own[-1].value if own else None)


def _shows_plainly(info: ClassInfo) -> bool:
    known = ("django.", "builtins.", "typing.", "import_export.", "simple_history.")
    if not info.is_closed or not all(name.startswith(known) for name in info.libraries):
        return False
    return not any(
        isinstance(item, ClassInfo) and not _OWN_LIST.isdisjoint(item.scope.bindings) for item in info.mro
    )


def registered_model(node: ast.ClassDef, module: Module) -> ClassInfo | None:
    """The one model that an admin class is registered for, by a decorator or a call in its module."""
    names: list[str | None] = []
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            registers = module.qualified_name(decorator.func) == "django.contrib.admin.register"
            names += [module.qualified_name(argument) for argument in decorator.args] if registers else []
    for call in module.source.calls.get("register", ()):
        match call.args:
            case [model, ast.Name(id=name)] if name == node.name:
                names.append(module.qualified_name(model))
    only = names[0] if len(set(names)) == 1 else None
    found = module.modules.class_info(only) if only is not None else None
    return found if found is not None and django_models.is_model(found) else None


def _asked(info: ClassInfo, model: ClassInfo) -> Loaded | None:
    """What the class asks to load with the rows; None where that is not known."""
    default = django.loaded(django.manager(model, "_default_manager"))
    if default is None:
        return None
    found = info.member("list_select_related")
    match found[1].value if found is not None else ast.Constant(False):
        case ast.Constant(value=bool(every)):
            return _with(default, frozenset(), every)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            texts = [item.value for item in elements if isinstance(item, ast.Constant)]
            paths = frozenset(text for text in texts if isinstance(text, str))
            return _with(default, paths, False) if len(paths) == len(elements) else None
    return None


def _with_own_queryset(asked: Loaded, info: ClassInfo) -> Loaded | None:
    """What is loaded when a class has a `get_queryset` of its own; None where that is not known.

    Nor where it joins relations: Django then joins no others.
    """
    prefetched: set[str] = set()
    for item in info.mro:
        method = item.method("get_queryset") if isinstance(item, ClassInfo) else None
        if method is None or method.owner is not item:
            continue
        found = method.own(ast.Call)
        if not any(isinstance(call.func, ast.Name) and call.func.id == "super" for call in found):
            return None
        for call in found:
            name = last_name(call.func)
            if name == "prefetch_related":
                texts = [item.value for item in call.args if isinstance(item, ast.Constant)]
                if len(texts) != len(call.args):
                    return None
                prefetched.update(text for text in texts if isinstance(text, str))
            elif name not in _NEUTRAL and name != "super" and not name[:1].isupper():
                return None  # expressions such as `Count` have names of classes
    return replace(asked, prefetch=asked.prefetch | prefetched, whole=asked.whole | prefetched)


def _with_keys(
    asked: Loaded, names: list[str], info: ClassInfo, model: ClassInfo, joining: Joining
) -> Loaded:
    """What is loaded when the admin joins keys by itself: where the class says nothing, or False."""
    found = info.member("list_select_related")
    if found is not None and not (isinstance(found[1].value, ast.Constant) and found[1].value.value is False):
        return asked
    fields = django_models.fields(model)
    keys = frozenset(name for name in names if name in fields and fields[name].is_single)
    return _with(asked, keys if joining.columns else frozenset(), joining.every and bool(keys))


def _with(default: Loaded, select: frozenset[str], every: bool) -> Loaded:
    return Loaded(
        default.select | select,
        default.prefetch,
        default.whole,
        every=every or default.every,
        restricted=default.restricted,
        fetch_mode=default.fetch_mode,
    )


def _comes_along(read: PathRead, loaded: Loaded, model: ClassInfo) -> bool:
    """Whether what a column reads is loaded with the rows."""
    if loaded.covers(read.path) or (not read.many and loaded.restricted):
        return True
    return loaded.every and _is_joined(read.path, model)


def _is_joined(path: str, model: ClassInfo) -> bool:
    """Whether `select_related()` without names follows a path: foreign keys that are never null."""
    current: str | None = model.name
    for name in path.split("__"):
        relation = django_models.relation(current, name, model.module) if current is not None else None
        if relation is None or relation.kind != "forward" or relation.nullable:
            return False
        current = relation.target
    return True


def _column(item: ast.expr, info: ClassInfo, model: ClassInfo) -> Iterator[tuple[str, tuple[PathRead, ...]]]:
    """The name of a column with what it reads from every row."""
    if isinstance(item, ast.Name):
        function = info.module.modules.function_info(info.module.qualified_name(item) or "")
        if function is None:
            binding = info.scope.bindings.get(item.id, ())
            is_method = len(binding) == 1 and isinstance(binding[0].node, FUNCTIONS)
            function = info.method(item.id) if is_method else None
        if function is not None:
            yield item.id, _reads(function, 1 if function.owner is not None else 0, model)
        return
    if not (isinstance(item, ast.Constant) and isinstance(item.value, str)):
        return
    name = item.value
    method = info.method(name)
    if method is not None:
        yield name, _reads(method, 0 if method.is_static else 1, model)
        return
    own = model.method(name)
    if own is not None:
        yield name, _reads(own, 0, model)
        return
    declared = django_models.fields(model).get(name)
    if declared is not None and declared.is_single:
        yield name, _key_reads(name, model)


def _reads(function: FunctionInfo, position: int, model: ClassInfo) -> tuple[PathRead, ...]:
    arguments = [*function.node.args.posonlyargs, *function.node.args.args]
    if len(arguments) <= position:
        return ()
    return django_reads.reads_of(function, arguments[position].arg, model.name)


def _key_reads(name: str, model: ClassInfo) -> tuple[PathRead, ...]:
    """What showing a foreign key reads: the row it leads to, and what that row's text reads."""
    relation = django_models.relation(model.name, name, model.module)
    if relation is None or relation.kind != "forward" or relation.target is None:
        return ()
    field = django_models.fields(model)[name]
    message = f"`{name}` may be null" if relation.nullable else f"the list shows `{name}`"
    step = django_reads.related(field.call, message, field.owner.module)
    found = [PathRead(name, relation, False, (step,))]
    target = model.module.modules.class_info(relation.target)
    text = target.method("__str__") if target is not None else None
    if text is not None and target is not None:
        found += [
            replace(read, path=f"{name}__{read.path}", steps=(step, *read.steps), node=None)
            for read in _reads(text, 0, target)
        ]
    return tuple(found)


def filters_without_facets(node: ast.ClassDef, module: Module) -> ast.stmt | None:
    """The statement that gives an admin class its filters, where no class says when to count their rows."""
    info = module.class_info_of(node)
    filters = info.scope.bindings.get("list_filter", ())
    if len(filters) != 1 or not info.is_a(_ADMIN) or info.member("show_facets") is not None:
        return None
    value, statement = filters[0].value, filters[0].node
    if not isinstance(value, (ast.List, ast.Tuple)) or not value.elts or not isinstance(statement, ast.stmt):
        return None
    known = info.is_closed and all(name.startswith(("django.", "builtins.")) for name in info.libraries)
    return statement if known else None
