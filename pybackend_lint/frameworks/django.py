"""Facts about Django's ORM: what querysets, managers and rows are, and what has been loaded with them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Self, cast

from pybackend_lint.frameworks import django_models
from pybackend_lint.frameworks.data import django_packages
from pybackend_lint.frameworks.django_models import LIBRARY_MODELS, MODEL, Field, Relation, fields, is_model
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Binding
from pybackend_lint.semantic.types import (
    Kind,
    Mergeable,
    Type,
    class_object,
    coroutine,
    instance,
    join,
)
from pybackend_lint.source import last_name

__all__ = [
    "ALIASES", "BASES", "KNOWLEDGE", "ROOTS", "DjangoKnowledge", "Field", "Loaded", "Relation", "fields",
    "is_manager", "is_model", "is_model_instance", "is_queryset", "is_queryset_or_manager", "loaded",
    "model_of",
]  # fmt: skip

QUERYSET: Final = "django.db.models.QuerySet"
MANAGER: Final = "django.db.models.Manager"
RELATED_MANAGER: Final = "django.db.models.RelatedManager"
PAGINATOR: Final = "django.core.paginator.Paginator"
PAGE: Final = "django.core.paginator.Page"
_PAGINATION: Final = "rest_framework.pagination.BasePagination"
CURSOR: Final = "django.db.backends.utils.CursorWrapper"
_FROM_QUERYSET: Final = "django.db.models.Manager.from_queryset"
_ATOMIC: Final = "django.db.transaction.atomic"
_DATABASE_ERRORS = frozenset(
    {
        "builtins.Exception", "builtins.BaseException", "django.db.IntegrityError", "django.db.DatabaseError",
        "django.db.OperationalError", "django.db.DataError", "django.db.Error",
    }
)  # fmt: skip
_OPAQUE: Final = "django.db.models.Field.value"
_SINGLE: Final = "django.views.generic.SingleObjectMixin"
# What the bases of a view may come from so that its queryset is the one that it says.
_VIEW_PACKAGES = ("django.", "rest_framework.", "builtins.", "typing.", "abc.")
# What the bases of managers and querysets may come from so that they load no relations by themselves.
_MANAGER_PACKAGES = (
    "django.", "builtins.", "typing.", "mptt.", "parler.", "safedelete.", "model_utils.", "treebeard.",
)  # fmt: skip

ROOTS = ("django", "rest_framework", "django_scopes")
BASES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(django_packages.BASES.keys() - django_packages.MIXINS, (MODEL,)),
    **dict.fromkeys(django_packages.MANAGERS, (MANAGER,)),
    **django_packages.RELATIONS,
    "django.contrib.auth.models.AbstractBaseUser": (MODEL,),
    "django.contrib.auth.models.PermissionsMixin": (MODEL,),
    "django.contrib.auth.models.AbstractUser": (
        "django.contrib.auth.models.AbstractBaseUser",
        "django.contrib.auth.models.PermissionsMixin",
    ),
    "django.contrib.auth.models.User": ("django.contrib.auth.models.AbstractUser",),
    "django.contrib.auth.models.Group": (MODEL,),
    "django.contrib.auth.models.Permission": (MODEL,),
    "django.contrib.admin.models.LogEntry": (MODEL,),
    "django.contrib.contenttypes.models.ContentType": (MODEL,),
    "django.contrib.sessions.models.AbstractBaseSession": (MODEL,),
    "django.contrib.sessions.models.Session": ("django.contrib.sessions.models.AbstractBaseSession",),
    "django.contrib.sites.models.Site": (MODEL,),
    "django.contrib.flatpages.models.FlatPage": (MODEL,),
    "django.contrib.redirects.models.Redirect": (MODEL,),
    "django.contrib.auth.models.BaseUserManager": (MANAGER,),
    "django.contrib.auth.models.UserManager": ("django.contrib.auth.models.BaseUserManager",),
    f"{_FROM_QUERYSET}()": (MANAGER,),
    "django.db.models.OneToOneField": ("django.db.models.ForeignKey",),
    "rest_framework.pagination.PageNumberPagination": (_PAGINATION,),
    "rest_framework.pagination.LimitOffsetPagination": (_PAGINATION,),
    "rest_framework.pagination.CursorPagination": (_PAGINATION,),
    "polymorphic.query.PolymorphicQuerySet": (QUERYSET,),
    "parler.models.TranslatedFieldsModel": (MODEL,),
    "safedelete.models.SafeDeleteModel": (MODEL,),
    "safedelete.managers.SafeDeleteManager": (MANAGER,),
    "model_utils.managers.InheritanceManager": (MANAGER,),
    "treebeard.mp_tree.MP_Node": ("treebeard.models.Node",),
    "wagtail.models.Page": ("treebeard.mp_tree.MP_Node",),
}
# Longer prefixes first: the first that fits is replaced.
ALIASES: dict[str, str] = {
    "django.db.models.fields.related.": "django.db.models.",
    "django.db.models.fields.json.": "django.db.models.",
    "django.db.models.fields.files.": "django.db.models.",
    "django.db.models.fields.": "django.db.models.",
    "django.db.models.query.": "django.db.models.",
    "django.db.models.manager.": "django.db.models.",
    "django.db.models.base.": "django.db.models.",
    "django.db.models.expressions.": "django.db.models.",
    "django.db.models.aggregates.": "django.db.models.",
    "django.db.models.functions.datetime.": "django.db.models.functions.",
    "django.db.models.BaseManager": MANAGER,
    "django.contrib.gis.db.models.": "django.db.models.",
    "django.contrib.auth.base_user.": "django.contrib.auth.models.",
    "django.contrib.contenttypes.generic.": "django.contrib.contenttypes.fields.",
    "django.db.utils.": "django.db.",
    "mptt.models.TreeForeignKey": "mptt.fields.TreeForeignKey",
    "mptt.models.TreeManager": "mptt.managers.TreeManager",
    "polymorphic.models.PolymorphicManager": "polymorphic.managers.PolymorphicManager",
    "wagtail.core.models.": "wagtail.models.",
}

# Methods that give back a queryset of the same rows.
_SAME = frozenset(
    {
        "all", "filter", "exclude", "complex_filter", "distinct", "using", "reverse", "order_by", "annotate",
        "alias", "extra", "select_for_update", "none", "defer", "only", "select_related", "prefetch_related",
        "fetch_mode",
    }
)  # fmt: skip
_COMBINED = frozenset({"union", "intersection", "difference"})
_PLAIN_ROWS = frozenset({"values", "values_list", "dates", "datetimes"})
LAZY: Final = frozenset(_SAME | _COMBINED | _PLAIN_ROWS)
_ONE = frozenset({"get", "first", "last", "earliest", "latest"})
_NEW = frozenset({"create"})
_PAIR = frozenset({"get_or_create", "update_or_create"})
# Methods that run a query at once and have a twin with the prefix `a`.
TWINS: Final = frozenset(
    {
        "aggregate", "bulk_create", "bulk_update", "contains", "count", "create", "delete", "earliest",
        "exists", "explain", "first", "get", "get_or_create", "in_bulk", "last", "latest", "update",
        "update_or_create",
    }
)  # fmt: skip
MODEL_TWINS: Final = frozenset({"save", "delete", "refresh_from_db"})
RELATED_TWINS: Final = frozenset(
    {"add", "remove", "set", "clear", "create", "get_or_create", "update_or_create"}
)
_QUERYSET_METHODS = LAZY | TWINS | {f"a{name}" for name in TWINS} | {"iterator", "aiterator", "raw"}
_MODEL_METHODS = frozenset(
    {
        "save", "delete", "refresh_from_db", "full_clean", "clean", "clean_fields", "validate_unique",
        "validate_constraints", "asave", "adelete", "arefresh_from_db", "get_deferred_fields",
        "serializable_value", "save_base", "from_db", "unique_error_message", "prepare_database_save",
        "date_error_message",
    }
)  # fmt: skip
_NOT_REVERSE = frozenset({"pk", "id", "objects", "DoesNotExist", "MultipleObjectsReturned", "Meta"})


@dataclass(frozen=True, slots=True)
class Loaded(Mergeable):
    """What came, or will come, with the rows of a queryset; the `Type.fact` of a row.

    A row without it came from somewhere else: what it has loaded is unknown. Of a row that comes from one
    of several querysets it tells what any of them may have loaded.

    - `select`, `prefetch`: lookup paths as they were given; `whole`: paths below which everything is at
      hand, or nothing is known.
    - `aside`: lookup paths that were prefetched into attributes of other names, which properties of the model
      or callers may ask instead.
    - `every`: `select_related()` without arguments; `restricted`: `only()` or `defer()` was used,
      or the rows are locked together with those that are joined to them.
    - `fetch_mode`: last name of the argument of `fetch_mode()`, empty without.
    - `locked`: the rows are locked by `select_for_update()`.
    - `limit`: at most so many rows, None where open; `ordered`: an order was asked for.
    - `names`: what `annotate()`, `alias()` and the like have named; with `*` among them, anything may be.
    - `cached`: the rows may be at hand already, so that reading them need not run a query; `fresh`: what
      holds instead once the queryset is changed, so that it runs a query of its own.
    """

    select: frozenset[str] = frozenset()
    prefetch: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    aside: frozenset[str] = frozenset()
    every: bool = False
    restricted: bool = False
    fetch_mode: str = ""
    limit: int | None = None
    ordered: bool = False
    locked: bool = False
    names: frozenset[str] = frozenset()
    cached: bool = False
    fresh: Loaded | None = None

    def covers(self, path: str) -> bool:
        """Whether reading the relation path (`customer__company`) from a row runs no query, or may not."""
        if "" in self.whole:
            return True
        if any(path == known or path.startswith(f"{known}__") for known in self.whole):
            return True
        given = self.select | self.prefetch
        return any(known == path or known.startswith(f"{path}__") for known in given)

    def may_be_aside(self, path: str) -> bool:
        """Whether the rows behind a relation path may be at hand under another name."""
        return any(path == known or path.startswith(f"{known}__") for known in self.aside)

    def below(self, name: str) -> Loaded:
        """What is loaded with the rows that the relation `name` of these rows leads to."""
        head = f"{name}__"

        def rest(paths: Iterable[str]) -> frozenset[str]:
            return frozenset(path.removeprefix(head) for path in paths if path.startswith(head))

        known = {"", name} & self.whole
        whole = rest(self.whole) | ({""} if known else frozenset())
        return Loaded(
            rest(self.select), rest(self.prefetch), whole, rest(self.aside), fetch_mode=self.fetch_mode
        )

    def either(self, other: Self) -> Self:
        """What may be loaded with a row of this queryset or of another."""
        fresh = None
        if self.fresh is not None or other.fresh is not None:
            fresh = (self.fresh or self).either(other.fresh or other)
        limits = self.limit, other.limit
        return type(self)(
            self.select | other.select,
            self.prefetch | other.prefetch,
            self.whole | other.whole,
            self.aside | other.aside,
            every=self.every or other.every,
            restricted=self.restricted or other.restricted,
            fetch_mode=self.fetch_mode if self.fetch_mode == other.fetch_mode else "?",
            limit=None if None in limits else max(filter(None, limits), default=0),
            ordered=self.ordered and other.ordered,
            locked=self.locked or other.locked,
            names=self.names | other.names,
            cached=self.cached or other.cached,
            fresh=fresh,
        )


class DjangoKnowledge(Knowledge):
    """Types of Django's ORM."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The value of a call of Django's, of a manager or queryset method, or of a custom one."""
        if callee.kind is Kind.FUNCTION:
            return _custom_method(callee, call, module)
        if callee.kind is Kind.CLASS:
            if _is_a(callee.name, PAGINATOR, module):
                return _paginator(callee, call, module)
            return replace(callee, kind=Kind.INSTANCE) if isinstance(callee.fact, str) else None
        receiver = callee.receiver
        method = callee.name.rpartition(".")[2]
        if receiver is not None:
            if is_queryset_or_manager(receiver, module):
                return queryset_method(receiver, method, call, module)
            return _instance_method(receiver, method, call, module)
        return _function(callee, call, module)

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """An attribute of a row, a model, a queryset or a manager."""
        info = module.modules.class_info(value.name)
        if value.kind is Kind.INSTANCE and is_queryset_or_manager(value, module):
            return _queryset_attribute(value, name, info, module)
        if info is not None and is_model(info):
            if value.kind is Kind.CLASS:
                return manager(info, name)
            return _row_attribute(value, name, info, module)
        if value.name in LIBRARY_MODELS:
            if value.kind is Kind.INSTANCE:
                return _library_row_attribute(value, name, module)
            return _manager_of(value.name, MANAGER, Loaded()) if name == "objects" else None
        if name == "object" and info is not None and value.kind is Kind.INSTANCE and info.is_a(_SINGLE):
            own = any(
                "object" in item.instance_attributes for item in info.mro if isinstance(item, ClassInfo)
            )
            return _object_of(info) if not own and info.member("object") is None else None
        if name == "object_list" and value.is_instance(PAGE):
            return instance("builtins.list", value.argument())
        if value.is_instance("django.http.HttpRequest", "rest_framework.request.Request") and name == "user":
            user = django_models.user_model(module)
            return instance(user) if user is not None else instance(_OPAQUE)
        return None

    def subscript(self, value: Type, index: ast.expr, module: Module) -> Type | None:
        """A slice of a queryset, or one of its rows."""
        if not is_queryset(value, module):
            return None
        row = value.argument()
        if not isinstance(index, ast.Slice):
            return row
        if row is not None and isinstance(row.fact, Loaded):
            return _with_row(value, replace(row.fact, limit=_length(index)))
        return value


KNOWLEDGE = DjangoKnowledge()


def _length(index: ast.Slice) -> int | None:
    """How many items a slice has at most, None where that is open."""
    match index:
        case ast.Slice(lower=None, upper=ast.Constant(value=int(upper))):
            return upper
        case ast.Slice(lower=ast.Constant(value=int(lower)), upper=ast.Constant(value=int(upper))):
            return upper - lower
        case ast.Slice(
            lower=ast.Name(id=start),
            upper=ast.BinOp(left=ast.Name(id=again), op=ast.Add(), right=ast.Constant(value=int(number))),
        ) if start == again:
            return number
    return None


# Questions


def is_queryset(value: Type | None, module: Module) -> bool:
    """Whether a value is certainly a queryset."""
    return value is not None and value.kind is Kind.INSTANCE and _is_a(value.name, QUERYSET, module)


def is_page(value: Type | None) -> bool:
    """Whether a value is a page of a paginator."""
    return value is not None and value.is_instance(PAGE)


def is_paginator(value: Type | None) -> bool:
    """Whether a value is Django's own paginator."""
    return value is not None and value.is_instance(PAGINATOR)


def is_manager(value: Type | None, module: Module) -> bool:
    """Whether a value is certainly a manager, also of a relation."""
    return (
        value is not None
        and value.kind is Kind.INSTANCE
        and (value.name == RELATED_MANAGER or _is_a(value.name, MANAGER, module))
    )


def is_related_manager(value: Type | None) -> bool:
    """Whether a value is the manager of a relation of one row."""
    return value is not None and value.is_instance(RELATED_MANAGER)


def is_queryset_or_manager(value: Type | None, module: Module) -> bool:
    """Whether a value has the methods of a queryset."""
    return is_queryset(value, module) or is_manager(value, module)


def is_model_instance(value: Type | None, module: Module) -> bool:
    """Whether a value is certainly a row of a model."""
    return (
        value is not None and value.kind is Kind.INSTANCE and django_models.is_model_name(value.name, module)
    )


def model_of(value: Type | None, module: Module) -> ClassInfo | None:
    """The project model of a row, or of the rows of a queryset or manager."""
    if value is None:
        return None
    if is_queryset_or_manager(value, module):
        value = value.argument()
    if value is None or value.kind is Kind.FUNCTION:
        return None
    info = module.modules.class_info(value.name)
    return info if info is not None and is_model(info) else None


def loaded(value: Type | None) -> Loaded | None:
    """What came with a row, or with the rows of a queryset; None where it is not known."""
    if value is None:
        return None
    if isinstance(value.fact, Loaded):
        return value.fact
    row = value.argument()
    return row.fact if row is not None and isinstance(row.fact, Loaded) else None


def own_method(func: ast.expr, module: Module) -> tuple[str, Type] | None:
    """The name of Django's own method of querysets and managers that an expression is, and its receiver.

    None for methods of the project, also where they override one of Django's.
    """
    if not isinstance(func, ast.Attribute) or func.attr not in _QUERYSET_METHODS:
        return None
    known = module.type_of(func)
    if known is None or known.kind is not Kind.EXTERNAL or known.receiver is None:
        return None
    return (
        (func.attr, known.receiver)
        if known.name in {f"{QUERYSET}.{func.attr}", f"{RELATED_MANAGER}.{func.attr}"}
        else None
    )


def has_own(value: Type, name: str, module: Module) -> bool:
    """Whether the project's class of a queryset or manager defines an attribute itself."""
    info = module.modules.class_info(value.name)
    if info is not None and info.member(name) is not None:
        return True
    return _queryset_class_method(value, name, module) is not None


def is_new_or_locked(row: ast.expr, module: Module) -> bool:
    """Whether nobody else may change a row at the same time, or that is not known.

    A row is known to be shared when it was loaded by a queryset without `select_for_update()`.
    """
    known = module.type_of(row)
    return known is None or not isinstance(known.fact, Loaded) or known.fact.locked


def is_atomic(expression: ast.expr, module: Module) -> bool:
    """Whether a context manager or decorator opens a transaction: `transaction.atomic`, called or not."""
    target = expression.func if isinstance(expression, ast.Call) else expression
    return module.qualified_name(target) == _ATOMIC


def is_on_commit(call: ast.Call, module: Module) -> bool:
    """Whether a call hands over a callback to run when the transaction commits."""
    return module.qualified_name(call.func) == "django.db.transaction.on_commit"


def is_database_error(expression: ast.expr | None, module: Module) -> bool:
    """Whether an `except` clause catches the errors of the database: by name, as `Exception`, or bare."""
    if expression is None:
        return True
    if isinstance(expression, ast.Tuple):
        return any(is_database_error(item, module) for item in expression.elts)
    return module.qualified_name(expression) in _DATABASE_ERRORS


def names_database_error(expression: ast.expr | None, module: Module) -> bool:
    """Whether an `except` clause names an error of the database itself."""
    if isinstance(expression, ast.Tuple):
        return any(names_database_error(item, module) for item in expression.elts)
    name = module.qualified_name(expression) if expression is not None else None
    return name in _DATABASE_ERRORS and name is not None and name.startswith("django.")


def is_prefetched(value: Type) -> bool:
    """Whether the rows of a relation's manager, or of its `all()`, are certainly at hand already."""
    fact = loaded(value)
    return fact is not None and fact.cached and "" not in fact.whole


def may_be_cached(value: Type) -> bool:
    """Whether reading the rows of a relation's manager or queryset may run no query at all."""
    fact = loaded(value)
    return fact is None or fact.cached


def other_uses(name: ast.Name, module: Module) -> list[ast.Name]:
    """The other places of the same function (or module) that read a name, nested functions included."""
    source = module.source
    function = source.enclosing_function(name)
    first, last = (1, len(source.line_starts))
    if function is not None:
        first, last = function.lineno, function.end_lineno or function.lineno
    reads = cast("dict[str, list[ast.Name]]", source.memo.setdefault(("reads of names",), {}))
    if not reads:
        for use in source.nodes(ast.Name):
            if isinstance(use.ctx, ast.Load):
                reads.setdefault(use.id, []).append(use)
    return [use for use in reads.get(name.id, ()) if use is not name and first <= use.lineno <= last]


def _is_a(name: str, base: str, module: Module) -> bool:
    if name == base:
        return True
    info = module.modules.class_info(name)
    if info is not None:
        return info.is_a(base)
    return base in module.modules.library_mro(name)


# Managers


def manager(info: ClassInfo, name: str) -> Type | None:
    """The manager that a model class has under a name, or None when it has none or a foreign one."""
    for item in info.mro:
        if isinstance(item, ClassInfo):
            binding = item.scope.bindings.get(name)
            if binding is None:
                continue
            value = item.effective(binding).value
            known = item.module.type_of(value) if value is not None else None
            if known is None or not is_manager(known, item.module):
                return None
            return _project_manager(info, known.name, known.fact if isinstance(known.fact, str) else "")
    if name not in {"objects", "_default_manager", "_base_manager"} or not is_model(info):
        return None
    declared = _declared_managers(info)
    if name == "objects" and declared:
        return None  # Django adds `objects` only to models without managers
    if name == "_default_manager" and declared:
        return manager(info, declared[0])
    return _manager_of(info.name, MANAGER, _plain_rows(info.libraries) if info.is_closed else None)


def _plain_rows(libraries: Iterable[str]) -> Loaded | None:
    """What comes with the rows of a manager of some classes of packages, or of models with such bases.

    Managers of packages choose rows, or make them of the right class, but do not know the relations of the
    project; those that keep rows are told by their names. Only of some is it known that they add no columns.
    """
    if any(map(_keeps_rows, libraries)):
        return None
    is_known = all(
        name.startswith(("django.", "builtins.", "typing.", "abc."))
        or name in django_packages.MANAGERS
        or name in django_packages.BASES
        for name in libraries
    )
    return Loaded() if is_known else Loaded(names=frozenset({"*"}))


def _keeps_rows(name: str) -> bool:
    return any(word in name.lower() for word in ("cach", "idmapper", "memory", "prefetch", "eager"))


def _declared_managers(info: ClassInfo) -> list[str]:
    index = info.module.modules
    assert isinstance(index, Index)
    return index.fact(("django managers", info.name, id(info.node)), lambda: _find_managers(info))


def _find_managers(info: ClassInfo) -> list[str]:
    found: list[str] = []
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        for name, bindings in item.scope.bindings.items():
            value = item.effective(bindings).value
            if isinstance(value, ast.Call) and name not in found:
                if is_manager(item.module.type_of(value), item.module):
                    found.append(name)
    return found


def _manager_of(model: str, cls: str, row: Loaded | None, queryset: str = "") -> Type:
    """A manager; its fact is the project's queryset class behind it, if any."""
    return Type(cls, Kind.INSTANCE, (instance(model, fact=row),), fact=queryset or None)


def _project_manager(model: ClassInfo, cls: str, queryset: str) -> Type:
    module = model.module
    info = module.modules.class_info(cls)
    if info is None:
        return _manager_of(model.name, MANAGER, _plain_rows({cls}), queryset)
    bare = _manager_of(model.name, cls, None, queryset or _queryset_class(info))
    rows = base_queryset(bare, module)
    row = rows.argument() if rows is not None else None
    return replace(bare, args=(row or instance(model.name),))


def _with_row(value: Type, fact: Loaded | None) -> Type:
    row = value.argument()
    return replace(value, args=(replace(row, fact=fact),)) if row is not None else value


def _queryset_class(info: ClassInfo) -> str:
    """The queryset class that a manager class is built from, empty when it is Django's own."""
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        for base in item.node.bases:
            match base:
                case ast.Call(func=ast.Attribute(attr="from_queryset"), args=[argument, *_]):
                    name = item.module.qualified_name(argument)
                    if name is not None and _is_a(name, QUERYSET, item.module):
                        return name
    return ""


def base_queryset(value: Type, module: Module) -> Type | None:
    """The queryset that a manager's methods start from; None when it is not known."""
    info = module.modules.class_info(value.name)
    custom = info.method("get_queryset") if info is not None else None
    if custom is not None:
        found = _body_result(custom, value, module)
        return found if found is not None and is_queryset(found, module) else None
    return _default_queryset(value, info, module)


def _default_queryset(value: Type, info: ClassInfo | None, module: Module) -> Type | None:
    if value.name == RELATED_MANAGER:
        return Type(QUERYSET, Kind.INSTANCE, value.args)
    queryset = (
        value.fact if isinstance(value.fact, str) else _queryset_class(info) if info is not None else ""
    )
    row = value.argument()
    if row is None:
        return Type(queryset or QUERYSET)
    plain = row.fact if info is None else (Loaded() if _is_plain(info) else None)
    return Type(queryset or QUERYSET, Kind.INSTANCE, (instance(row.name, fact=plain),))


def _is_plain(info: ClassInfo) -> bool:
    """Whether every base of a manager or queryset class is the project's or Django's."""
    for item in info.mro:
        if isinstance(item, ClassInfo):
            for base in item.node.bases:
                if isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute):
                    built = item.module.type_of(base.func.value)
                    if built is None or built.kind is not Kind.EXTERNAL:
                        return False  # built from a manager of the project, whose methods are not followed
    return info.is_closed and all(name.startswith(_MANAGER_PACKAGES) for name in info.libraries)


# Methods of managers and querysets


def _queryset_attribute(value: Type, name: str, info: ClassInfo | None, module: Module) -> Type | None:
    if info is not None and info.member(name) is not None:
        return None  # the project's own method
    if name == "model":
        row = value.argument()
        return class_object(row.name) if row is not None else None
    method = _queryset_class_method(value, name, module)
    if method is not None:
        return Type(method.name, Kind.FUNCTION, receiver=base_queryset(value, module) or value)
    if value.name == RELATED_MANAGER:
        custom = _related_custom(value, name, module)
        if custom is not None:
            return custom
        if name in RELATED_TWINS or name.removeprefix("a") in RELATED_TWINS:
            return Type(f"{RELATED_MANAGER}.{name}", Kind.EXTERNAL, receiver=value)
    if name in _QUERYSET_METHODS:
        return Type(f"{QUERYSET}.{name}", Kind.EXTERNAL, receiver=value)
    if name == "get_queryset" and is_manager(value, module):
        return Type(f"{MANAGER}.{name}", Kind.EXTERNAL, receiver=value)
    return None


def _queryset_class_method(value: Type, name: str, module: Module) -> FunctionInfo | None:
    """The method that a manager has from the project's queryset class that it is built from."""
    if value.name == RELATED_MANAGER or not is_manager(value, module):
        return None
    info = module.modules.class_info(value.name)
    built = value.fact if isinstance(value.fact, str) else _queryset_class(info) if info is not None else ""
    queryset = module.modules.class_info(built) if built else None
    return queryset.method(name) if queryset is not None else None


def _related_custom(value: Type, name: str, module: Module) -> Type | None:
    """A method that the manager of a relation has from the other model's default manager."""
    info = model_of(value, module)
    default = manager(info, "_default_manager") if info is not None else None
    if default is None:
        return None
    row = value.argument()
    known = row.fact if row is not None and isinstance(row.fact, Loaded) else None
    cls = module.modules.class_info(default.name)
    method = cls.method(name) if cls is not None else None
    if method is not None:
        return Type(method.name, Kind.FUNCTION, receiver=default, fact=known.whole if known else None)
    method = _queryset_class_method(default, name, module)
    if method is None:
        return None
    return Type(
        method.name, Kind.FUNCTION, receiver=_with_row(base_queryset(default, module) or default, known)
    )


def queryset_method(receiver: Type, method: str, call: ast.Call, module: Module) -> Type | None:
    """The value of a call of one of Django's own methods on a queryset or manager."""
    if method == "get_queryset":
        info = module.modules.class_info(receiver.name)
        return _default_queryset(receiver, info, module)
    base = receiver
    if is_manager(receiver, module):
        rows = base_queryset(receiver, module)
        if rows is None:
            row = receiver.argument()
            rows = Type(QUERYSET, Kind.INSTANCE, (instance(row.name),) if row is not None else ())
        base = rows
    row = base.argument()
    if method.startswith("a") and method[1:] in TWINS:
        result = _evaluated(base, row, method[1:])
        return coroutine(result)
    if method in _SAME:
        return _narrowed(base, row, method, call, module)
    if method in _COMBINED:
        return _with_row(base, None)
    if method in _PLAIN_ROWS:
        return Type(base.name, Kind.INSTANCE, (None,))
    if method == "iterator":
        return Type("typing.Iterator", Kind.INSTANCE, (row,))
    if method == "aiterator":
        return Type("typing.AsyncIterator", Kind.INSTANCE, (row,))
    if method == "raw":
        return Type("django.db.models.RawQuerySet", Kind.INSTANCE, (instance(row.name) if row else None,))
    return _evaluated(base, row, method)


def _evaluated(base: Type, row: Type | None, method: str) -> Type | None:
    if method in _ONE:
        return replace(row, optional=method in {"first", "last"}) if row is not None else None
    if method in _NEW:
        return instance(row.name) if row is not None else None
    if method in _PAIR:
        return instance("builtins.tuple", row, instance("builtins.bool"))
    if method == "bulk_create":
        return instance("builtins.list", instance(row.name) if row is not None else None)
    if method == "in_bulk":
        return instance("builtins.dict", None, row)
    if method in {"count", "update"}:
        return instance("builtins.int")
    if method in {"exists", "contains"}:
        return instance("builtins.bool")
    if method == "aggregate":
        return instance("builtins.dict", instance("builtins.str"), None)
    return None


def _narrowed(base: Type, row: Type | None, method: str, call: ast.Call, module: Module) -> Type:
    """The queryset after a method that keeps its rows, with what the method has added."""
    if row is None or not isinstance(row.fact, Loaded):
        return base
    fact: Loaded | None = row.fact if method == "all" or row.fact.fresh is None else row.fact.fresh
    assert fact is not None
    if method == "select_related":
        fact = _select_related(fact, call)
    elif method == "prefetch_related":
        fact = _prefetch_related(fact, call, module)
    elif method in {"only", "defer"}:
        fact = replace(fact, restricted=True)
    elif method == "select_for_update":
        # without `of` it locks joined rows as well, and refuses to join those that may be null
        alone = any(keyword.arg in {"of", None} for keyword in call.keywords)
        fact = replace(fact, locked=True, restricted=fact.restricted or not alone)
    elif method == "order_by":
        fact = replace(fact, ordered=bool(call.args))
    elif method in {"annotate", "alias", "extra"}:
        fact = replace(fact, names=fact.names | _annotated(call, method))
    elif method == "fetch_mode":
        mode = call.args[0] if call.args else None
        named = (
            mode.attr if isinstance(mode, ast.Attribute) else mode.id if isinstance(mode, ast.Name) else "?"
        )
        fact = replace(fact, fetch_mode=named)
    return _with_row(base, fact)


def _annotated(call: ast.Call, method: str) -> set[str]:
    """The names that a call gives to values; `*` where it may give others."""
    names = {keyword.arg or "*" for keyword in call.keywords}
    if method == "extra" or call.args:
        names.add("*")
    return names


def _texts(arguments: list[ast.expr]) -> list[str] | None:
    found: list[str] = []
    for argument in arguments:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            return None
        found.append(argument.value)
    return found


def _select_related(fact: Loaded, call: ast.Call) -> Loaded | None:
    if call.keywords:
        return None
    if not call.args:
        return replace(fact, every=True)
    match call.args:
        case [ast.Constant(value=None)]:
            return replace(fact, select=frozenset(), every=False)
    names = _texts(call.args)
    return replace(fact, select=fact.select | set(names)) if names is not None else None


def _prefetch_related(fact: Loaded, call: ast.Call, module: Module) -> Loaded | None:
    names: set[str] = set()
    whole: set[str] = set()
    aside: set[str] = set()
    for argument in call.args:
        match argument:
            case ast.Constant(value=str(text)):
                names.add(text)
            case ast.Constant(value=None):
                return replace(fact, prefetch=frozenset())
            case ast.Call(args=[ast.Constant(value=str(text)), *_]) if last_name(argument.func) in {
                "Prefetch",
                "GenericPrefetch",
            }:
                # A queryset of its own may load more below this path.
                head = text.rpartition("__")[0]
                if any(keyword.arg == "to_attr" for keyword in argument.keywords):
                    names.update([head] if head else [])
                    aside.add(text)
                else:
                    names.add(text)
                    whole.add(text)
            case _:
                return None
    return replace(fact, prefetch=fact.prefetch | names, whole=fact.whole | whole, aside=fact.aside | aside)


def _custom_method(callee: Type, call: ast.Call, module: Module) -> Type | None:
    """The value of a call of a project's method on a queryset or manager, by the method's body."""
    receiver = callee.receiver
    function = module.modules.function_info(callee.name)
    if receiver is None or not is_queryset_or_manager(receiver, module):
        return None
    found = _body_result(function, receiver, module) if function is not None else None
    row = found.argument() if found is not None and is_queryset(found, module) else None
    if (
        found is None
        or row is None
        or not isinstance(row.fact, Loaded)
        or not isinstance(callee.fact, frozenset)
    ):
        return found
    return _with_row(found, replace(row.fact, whole=row.fact.whole | callee.fact))


def _body_result(function: FunctionInfo, receiver: Type, module: Module) -> Type | None:
    """What a method returns when it is called on `receiver`; None when that is not known."""
    if not function.is_transparent or function.is_async or function.yields or function.is_static:
        return None
    if not function.returned:
        return None
    return function.module.guarded(
        ("django body", id(function.node), receiver),
        lambda: Body(function, receiver).join(function.returned),
    )


class Body:
    """The values of expressions in a method's body when it is called on `receiver`.

    - `skips` tells the statements that do not run in the case that is asked about.
    - `guess` gives managers by the name of the attribute, where nothing else is known of the object.
    """

    def __init__(
        self,
        function: FunctionInfo,
        receiver: Type,
        skips: Callable[[ast.AST], bool] | None = None,
        guess: Callable[[str], Type | None] | None = None,
    ) -> None:
        arguments = [*function.node.args.posonlyargs, *function.node.args.args]
        self._function = function
        self._receiver = receiver
        self._this = arguments[0].arg if arguments and function.owner is not None else ""
        self._skips = skips
        self._guess = guess
        self._bound: dict[Binding, Type | None] = {}
        self._under_way: set[Binding] = set()

    def join(self, nodes: Iterable[ast.expr | None]) -> Type | None:
        """The type of a value that one of some expressions gives."""
        return join(self.value(node) if node is not None else None for node in nodes)

    def value(self, node: ast.expr) -> Type | None:
        """The type of an expression, None when it is not known."""
        module = self._function.module
        match node:
            case ast.Name(id=name):
                return self._receiver if name == self._this else self._of_name(node)
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == self._this:
                return self._of_member(attr) or module.type_of(node)
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=method)):
                return _super_result(self._receiver, method, node, self._function)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="filter_queryset"), args=[rows, *_]
            ):
                return self.value(rows) if name == self._this else None
            case ast.Call(args=[ast.Attribute(value=ast.Name(id=name), attr="model"), *_]) if (
                name == self._this
            ):
                return self._built_queryset(node.func) or module.type_of(node)
            case ast.Call(func=ast.Attribute(value=inner, attr=method)):
                owner = self.value(inner)
                if owner is None or not is_queryset_or_manager(owner, module):
                    return module.type_of(node)
                return _method_result(owner, method, node, module)
            case ast.IfExp(body=body, orelse=orelse):
                return self.join((body, orelse))
            case ast.Subscript(value=inner, slice=index):
                owner = self.value(inner)
                return KNOWLEDGE.subscript(owner, index, module) if owner is not None else None
        known = module.type_of(node)
        is_open = known is None or known.kind is Kind.EXTERNAL
        return (
            self._guess(node.attr) if is_open and self._guess and isinstance(node, ast.Attribute) else known
        )

    def _of_name(self, node: ast.Name) -> Type | None:
        module = self._function.module
        found = module.lookup(node.id, node)
        if found is None or found[0].node is not self._function.node:
            return module.type_of(node)
        bindings = [binding for binding in found[1] if self._skips is None or not self._skips(binding.node)]
        if any(binding.kind != "assign" or binding.path or binding.value is None for binding in bindings):
            return module.type_of(node)
        # what a binding is made of counts where that is bound, so that those of a loop come to an end
        return join(self._of_binding(item) for item in bindings if item not in self._under_way)

    def _of_binding(self, binding: Binding) -> Type | None:
        if binding not in self._bound:
            assert binding.value is not None
            self._under_way.add(binding)
            self._bound[binding] = self.value(binding.value)
            self._under_way.discard(binding)
        return self._bound[binding]

    def _of_member(self, name: str) -> Type | None:
        """What the class that the method runs on, or one above it, sets in its body."""
        info = self._function.module.modules.class_info(self._receiver.name)
        found = info.member(name) if info is not None else None
        if found is None or found[1].value is None or found[1].path:
            return None
        return found[0].module.type_of(found[1].value)

    def _built_queryset(self, cls: ast.expr) -> Type | None:
        """The queryset that `OrderQuerySet(self.model)` gives."""
        module = self._function.module
        built = self.value(cls) if isinstance(cls, ast.Attribute) else None
        name = built.name if built is not None and built.kind is Kind.CLASS else module.qualified_name(cls)
        row = self._receiver.argument()
        if name is None or row is None or not _is_a(name, QUERYSET, module):
            return None
        info = module.modules.class_info(name)
        plain = Loaded() if info is None or _is_plain(info) else None
        return Type(name, Kind.INSTANCE, (instance(row.name, fact=plain),))


def _method_result(owner: Type, method: str, call: ast.Call, module: Module) -> Type | None:
    info = module.modules.class_info(owner.name)
    custom = info.method(method) if info is not None else None
    if custom is not None:
        return _body_result(custom, owner, module)
    if info is not None and info.member(method) is not None:
        return None
    found = _queryset_attribute(owner, method, info, module)
    if found is None:
        return None
    if found.kind is Kind.FUNCTION:
        return _custom_method(found, call, module)
    return queryset_method(owner, method, call, module)


def _super_result(receiver: Type, method: str, call: ast.Call, function: FunctionInfo) -> Type | None:
    """`super().method(...)` in a method that runs on `receiver`."""
    module = function.module
    info = module.modules.class_info(receiver.name)
    if info is None or function.owner is None:
        return None
    later = False
    for item in info.mro:
        if isinstance(item, str) or not later:
            later = later or (isinstance(item, ClassInfo) and item.name == function.owner.name)
            continue
        if method in item.scope.bindings:
            above = item.method(method)
            return _body_result(above, receiver, module) if above is not None else None
    if is_queryset_or_manager(receiver, module):
        if method == "get_queryset":
            return _default_queryset(receiver, info, module)
        if method in _QUERYSET_METHODS:
            return queryset_method(_plain(receiver, module), method, call, module)
    elif method == "get_queryset" and is_plain_view(info):
        return view_queryset(info)
    return None


def is_plain_view(info: ClassInfo) -> bool:
    """Whether a class is a generic view whose every base is the project's, Django's or REST framework's."""
    return _is_view(info) and all(name.startswith(_VIEW_PACKAGES) for name in info.libraries)


def _is_view(info: ClassInfo) -> bool:
    return any(name.startswith(("django.views.generic", "rest_framework.")) for name in info.libraries)


def _plain(receiver: Type, module: Module) -> Type:
    """The receiver as Django's own class sees it, so that an override is not asked again."""
    return replace(receiver, name=MANAGER if is_manager(receiver, module) else receiver.name)


# Rows


def _row_attribute(value: Type, name: str, info: ClassInfo, module: Module) -> Type | None:
    declared = fields(info).get(name)
    if declared is not None and not declared.is_relation:
        cls = declared.value_class
        return Type(cls or _OPAQUE, optional=declared.flag("null"))
    if declared is None:
        if info.member(name) is not None:
            return None
        if name in _MODEL_METHODS:
            return Type(f"{MODEL}.{name}", Kind.EXTERNAL, receiver=value)
        if name in _NOT_REVERSE:
            return instance(_OPAQUE)
        if name.endswith("_id") and name[:-3] in fields(info):
            return instance(_OPAQUE)
    found = django_models.relation(info.name, name, module)
    if found is None:
        return instance(_OPAQUE) if declared is not None else None
    return _related(value, name, found, module)


def _library_row_attribute(value: Type, name: str, module: Module) -> Type | None:
    if name in _MODEL_METHODS:
        return Type(f"{MODEL}.{name}", Kind.EXTERNAL, receiver=value)
    if name in _NOT_REVERSE or (name.startswith("_") and name != "_set"):
        return None
    found = django_models.relation(value.name, name, module)
    return _related(value, name, found, module) if found is not None else None


def rows_leading_to(info: ClassInfo, name: str) -> Type | None:
    """The manager of the rows of a model under the accessor that its foreign keys give to other models."""
    for declared in fields(info).values():
        if declared.is_single and django_models.accessor(info, declared) == name:
            found = Relation("multi", info.name, back=declared.name)
            return _related(instance(_OPAQUE), name, found, info.module)
    return None


def _related(value: Type, name: str, found: Relation, module: Module) -> Type:
    if found.target is None:
        return instance(_OPAQUE)
    here = value.fact if isinstance(value.fact, Loaded) else None
    if found.is_single:
        fact = here.below(name) if here is not None else None
        if fact is not None and found.back is not None:
            fact = replace(fact, whole=fact.whole | {found.back})
        return Type(found.target, fact=fact, optional=found.nullable)
    below = here.below(name) if here is not None else Loaded()
    cached = here is None or here.covers(name)
    default = None
    info = module.modules.class_info(found.target)
    if info is not None:
        default = loaded(manager(info, "_default_manager"))
    if default is None and info is not None:
        return Type(RELATED_MANAGER, args=(instance(found.target),), fact=name)
    fresh = default or Loaded()
    if found.back is not None:
        fresh = replace(fresh, whole=fresh.whole | {found.back})
    row = fresh
    if cached:
        row = replace(
            fresh,
            select=fresh.select | below.select,
            prefetch=fresh.prefetch | below.prefetch,
            whole=fresh.whole | below.whole | ({""} if here is None else frozenset()),
            cached=True,
            fresh=fresh,
        )
    return Type(RELATED_MANAGER, args=(instance(found.target, fact=row),), fact=name)


def _instance_method(receiver: Type, method: str, call: ast.Call, module: Module) -> Type | None:
    """What methods of class-based views and of rows give."""
    if method in {"asave", "adelete", "arefresh_from_db"} and is_model_instance(receiver, module):
        return coroutine(None)
    info = module.modules.class_info(receiver.name)
    if method in {"page", "get_page"} and _is_a(receiver.name, PAGINATOR, module):
        return receiver.argument()
    if method == "paginate_queryset" and len(call.args) > 1 and _is_a(receiver.name, _PAGINATION, module):
        return _page_of(call.args[0], module)
    if info is None or not _is_view(info):
        return None
    if method == "get_queryset":
        return view_queryset(info)
    if method == "get_object":
        return _object_of(info)
    if method == "filter_queryset" and call.args:
        return module.type_of(call.args[0])
    if method == "paginate_queryset" and len(call.args) == 1:
        return _page_of(call.args[0], module)
    return None


def _object_of(info: ClassInfo) -> Type | None:
    """The row that a generic view is about; what has been loaded with it is not told."""
    custom = info.method("get_queryset")
    rows = _body_result(custom, instance(info.name), info.module) if custom is not None else None
    if rows is None or not is_queryset(rows, info.module):
        rows = view_queryset(info)
    row = rows.argument() if rows is not None else None
    return instance(row.name) if row is not None else None


def _paginator(cls: Type, call: ast.Call, module: Module) -> Type:
    """A paginator over some rows: iterating it gives its pages."""
    value = module.type_of(call.args[0]) if call.args else None
    row = rows_of(value, module)
    if row is None and value is not None and value.is_instance("builtins.list"):
        row = value.argument()
    return instance(cls.name, instance(PAGE, row))


def _page_of(rows: ast.expr, module: Module) -> Type | None:
    """The list that pagination of REST framework makes of rows, None where it is switched off."""
    row = rows_of(module.type_of(rows), module)
    return replace(instance("builtins.list", row), optional=True) if row is not None else None


def view_queryset(info: ClassInfo) -> Type | None:
    """The queryset of a generic view's `queryset`, or of its `model`."""
    for name in ("queryset", "model"):
        found = info.member(name)
        if found is None or found[1].value is None:
            continue
        owner, binding = found
        assert binding.value is not None
        known = owner.module.type_of(binding.value)
        if name == "queryset" and known is not None and is_queryset(known, owner.module):
            return known
        if name == "model" and known is not None and known.kind is Kind.CLASS:
            model = owner.module.modules.class_info(known.name)
            default = manager(model, "_default_manager") if model is not None else None
            return base_queryset(default, owner.module) if default is not None else None
    return None


def _function(callee: Type, call: ast.Call, module: Module) -> Type | None:
    match callee.name:
        case "django.shortcuts.get_object_or_404" | "django.shortcuts.get_list_or_404" if call.args:
            row = rows_of(module.type_of(call.args[0]), module)
            if callee.name.endswith("get_list_or_404"):
                return instance("builtins.list", row)
            return row
        case "django.shortcuts.aget_object_or_404" if call.args:
            return coroutine(rows_of(module.type_of(call.args[0]), module))
        case "django.contrib.auth.get_user_model":
            user = django_models.user_model(module)
            if user is None:
                return None
            return class_object(user) if module.modules.class_info(user) else Type(user, Kind.EXTERNAL)
        case "django.core.paginator.Paginator":
            return _paginator(callee, call, module)
        case "django_scopes.ScopedManager":
            return _scoped_manager(call, module)
        case "django.db.connection.cursor" | "django.db.connections.cursor":
            return instance(CURSOR)
    if isinstance(call.func, ast.Attribute) and callee.name == f"{QUERYSET}.as_manager":
        built = module.qualified_name(call.func.value)
        return Type(MANAGER, fact=built) if built is not None and built != QUERYSET else instance(MANAGER)
    if isinstance(call.func, ast.Attribute) and callee.name == _FROM_QUERYSET and call.args:
        cls = module.type_of(call.func.value)
        queryset = module.qualified_name(call.args[0])
        if cls is None or queryset is None or not _is_a(queryset, QUERYSET, module):
            return None
        return replace(cls, fact=queryset)
    if callee.name == MANAGER and isinstance(callee.fact, str):
        return Type(MANAGER, fact=callee.fact)
    return None


def _scoped_manager(call: ast.Call, module: Module) -> Type | None:
    """The manager that django-scopes makes: it filters by a scope, and is otherwise the class it is given."""
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "_manager_class"), None)
    if given is None:
        return instance(MANAGER)
    known = module.type_of(given)
    if known is None or known.kind is not Kind.CLASS or not _is_a(known.name, MANAGER, module):
        return None
    return Type(known.name, fact=known.fact)


def rows_of(value: Type | None, module: Module) -> Type | None:
    """The rows of a queryset, manager or model class."""
    if value is None:
        return None
    if value.kind is Kind.INSTANCE:
        return value.argument() if is_queryset_or_manager(value, module) else None
    info = module.modules.class_info(value.name)
    if info is not None and is_model(info):
        default = manager(info, "_default_manager")
        return default.argument() if default is not None else instance(info.name)
    return instance(value.name, fact=Loaded()) if value.name in LIBRARY_MODELS else None
