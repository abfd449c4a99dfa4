"""Facts about calls of Django that have an asynchronous twin, and about methods of a sliced queryset."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.frameworks import django_queries
from pybackend_lint.frameworks.asyncio import SYNC_TO_ASYNC
from pybackend_lint.project.calls import CallSite
from pybackend_lint.semantic.module import Module

# Functions that query the database or the session, and the release of Django that has their twin.
CONTRIB_TWINS = {
    "django.shortcuts.get_object_or_404": ("aget_object_or_404", "5.0"),
    "django.shortcuts.get_list_or_404": ("aget_list_or_404", "5.0"),
    "django.contrib.auth.authenticate": ("aauthenticate", "5.0"),
    "django.contrib.auth.login": ("alogin", "5.0"),
    "django.contrib.auth.logout": ("alogout", "5.0"),
    "django.contrib.auth.update_session_auth_hash": ("aupdate_session_auth_hash", "5.0"),
    "django.db.models.prefetch_related_objects": ("aprefetch_related_objects", "5.0"),
}  # fmt: skip
CONTRIB_NAMES = tuple(sorted(name.rpartition(".")[2] for name in CONTRIB_TWINS))
_REFUSED_WITH_ARGUMENTS = frozenset({"filter", "exclude", "get"})
_REFUSED = frozenset(
    {
        "exclude", "order_by", "distinct", "update", "delete", "latest", "earliest", "reverse", "last",
        "in_bulk", "contains", "complex_filter", "aupdate", "adelete", "alatest", "aearliest", "alast",
    }
)  # fmt: skip
REFUSED_NAMES = tuple(sorted(_REFUSED | _REFUSED_WITH_ARGUMENTS | {"aget"}))


@dataclass(frozen=True, slots=True, eq=False)
class WrappedQuery:
    """A query that is run through `sync_to_async` although it has a twin.

    - `call`: what runs the wrapper; `method`, `twin`: the method and its twin, there since `since`.
    - `written`: the call inside of a lambda, None where the method itself is wrapped.
    - `target`: the method, as an attribute of what it is called on.
    """

    call: ast.Call
    method: str
    twin: str
    since: str
    target: ast.Attribute
    written: ast.Call | None


def wrapped_query(call: ast.Call, module: Module) -> WrappedQuery | None:
    """The one query of Django's ORM that a call of `sync_to_async(...)(...)` runs, if it has a twin."""
    wrapper = call.func
    if not isinstance(wrapper, ast.Call) or len(wrapper.args) != 1:
        return None
    if not all(map(_is_usual, wrapper.keywords)) or module.qualified_name(wrapper.func) not in SYNC_TO_ASYNC:
        return None
    match wrapper.args[0]:
        case ast.Attribute() as target:
            made, written = call, None
        case ast.Lambda(body=ast.Call(func=ast.Attribute() as target) as inner, args=arguments):
            if call.args or call.keywords or arguments.args or _queries_within(inner, module):
                return None
            made, written = inner, inner
        case _:
            return None
    callee = module.type_of(target)
    if callee is None:
        return None
    query = django_queries.query_of(CallSite(callee.name, callee, made, False, module))
    if query is None or not query.twin:
        return None
    return WrappedQuery(call, query.method, query.twin, query.since, target, written)


def _is_usual(keyword: ast.keyword) -> bool:
    """Whether an option asks for the thread that the twins use, too."""
    is_true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    return keyword.arg == "thread_sensitive" and is_true


def _queries_within(outer: ast.Call, module: Module) -> bool:
    """Whether an argument or the receiver of a call runs a query as well, or may."""
    for part in ast.walk(outer):
        if isinstance(part, ast.Call) and part is not outer:
            callee = module.type_of(part.func)
            if callee is None:
                return True
            site = CallSite(callee.name, callee, part, False, module)
            if django_queries.runs_query(site):
                return True
    return False


def contrib_twin(call: ast.Call, module: Module) -> tuple[str, str, str] | None:
    """The qualified name of a synchronous function, its twin and the twin's release; None without one."""
    name = module.qualified_name(call.func)
    twin = CONTRIB_TWINS.get(name) if name is not None else None
    return (name, *twin) if name is not None and twin is not None else None


def sliced(call: ast.Call, module: Module) -> ast.Subscript | None:
    """The slice of a queryset that a method is called on which Django refuses after a slice, or None."""
    func = call.func
    if not isinstance(func, ast.Attribute):
        return None
    if func.attr not in _REFUSED and not (call.args or call.keywords):
        return None
    value = func.value
    if isinstance(value, ast.Name):
        found = module.lookup(value.id, value)
        binding = found[1][0] if found is not None and len(found[1]) == 1 else None
        source = module.source
        if binding is None or binding.kind != "assign" or binding.path or binding.value is None:
            return None
        if source.enclosing_function(binding.node) is not source.enclosing_function(call):
            return None
        value = binding.value
    if not isinstance(value, ast.Subscript) or not isinstance(value.slice, ast.Slice):
        return None
    cut = value.slice
    if cut.step is not None or (cut.lower is None and cut.upper is None):
        return None
    return value if django_queries.is_rows(value.value, module) else None
