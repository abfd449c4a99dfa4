"""Facts about calls that run a query of Django's ORM at once, in a function or in what it calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.frameworks import django
from pybackend_lint.project import calls
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind

_EVALUATING = frozenset(
    {"len", "list", "tuple", "set", "frozenset", "sorted", "bool", "sum", "max", "min", "any", "all", "dict"}
)
_FROM_CACHE = frozenset({"count", "exists", "contains", "first", "last"})
_WRITES = frozenset(
    {
        "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create",
        "save", "add", "remove", "set", "clear",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A call that runs a query.

    - `method`: the name of what is called; `twin`: the name of its asynchronous twin, empty without one.
    - `since`: the release of Django that has the twin; `receiver`: what the method is called on.
    """

    method: str
    twin: str
    since: str
    node: ast.Call


def query_of(site: CallSite) -> Query | None:
    """The query that a call runs at once in this place, or None, also where it may be answered without."""
    node = site.node
    if not isinstance(node, ast.Call) or site.callee.kind is not Kind.EXTERNAL:
        return None
    method = site.name.rpartition(".")[2]
    receiver = site.callee.receiver
    module = site.module
    if receiver is None:
        return _evaluation(site, node) if site.name.startswith("builtins.") else None
    if django.is_model_instance(receiver, module):
        if method in django.MODEL_TWINS:
            return Query(method, f"a{method}", "4.2", node)
        return None
    if not django.is_queryset_or_manager(receiver, module):
        return None
    if django.is_related_manager(receiver) and method in django.RELATED_TWINS:
        since = "4.1" if method in django.TWINS else "4.2"
        return Query(method, f"a{method}", since, node)
    if method in django.TWINS:
        if method in _FROM_CACHE and django.may_be_cached(receiver):
            return None
        return Query(method, f"a{method}", "4.1", node)
    return None


def _evaluation(site: CallSite, node: ast.Call) -> Query | None:
    name = site.name.removeprefix("builtins.")
    if name not in _EVALUATING or len(node.args) != 1:
        return None
    argument = node.args[0]
    value = site.module.type_of(argument)
    if value is None or not django.is_queryset(value, site.module) or may_be_evaluated(argument, site.module):
        return None
    return Query(name, "", "4.1", node)


def may_be_evaluated(queryset: ast.expr, module: Module) -> bool:
    """Whether the rows of a queryset may be at hand: prefetched, or loaded by another use of its name."""
    value = module.type_of(queryset)
    row = value.argument() if value is not None else None
    if row is not None and row.fact is not None and value is not None and django.may_be_cached(value):
        return True
    while isinstance(queryset, ast.Subscript) and isinstance(queryset.slice, ast.Slice):
        queryset = queryset.value  # a slice runs a query of its own, unless all rows are at hand
    if isinstance(queryset, ast.Name):
        for use in django.other_uses(queryset, module):
            parent = module.source.parent(use)
            if isinstance(parent, (ast.Call, ast.AsyncFor, ast.keyword)):
                return True
            if isinstance(parent, ast.comprehension) and parent.is_async:
                return True
        return False
    return not isinstance(queryset, ast.Call)


def is_write(site: CallSite) -> bool:
    """Whether a call writes to the database at once."""
    query = query_of(site)
    return query is not None and query.method.removeprefix("a") in _WRITES


def chain_to_query(function: FunctionInfo) -> tuple[Step, ...] | None:
    """The shortest chain of calls from a synchronous function's body to a query, or None."""
    return calls.reach(
        function,
        "django query",
        lambda site: not site.awaited and query_of(site) is not None,
        lambda inner: not inner.is_async,
    )
