"""Summaries of calls: which run a query or write to the database, and by which chain of calls.

Both ORMs are known, Django's and SQLAlchemy's, in their plain and asynchronous forms. A function's answer
is computed once. What a function is not known to do, it may still do: an answer of None proves nothing.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.frameworks import django, django_queries
from pybackend_lint.project import calls
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.types import Kind

_DJANGO_WRITES = frozenset(
    {
        "create", "bulk_create", "bulk_update", "update", "delete", "save", "add", "remove", "set", "clear",
        "get_or_create", "update_or_create",
    }
)  # fmt: skip
_SESSIONS = ("sqlalchemy.orm.Session", "sqlalchemy.ext.asyncio.AsyncSession")
_SESSION_WRITES = frozenset(
    {
        "add", "add_all", "delete", "merge", "flush", "commit", "bulk_save_objects", "bulk_insert_mappings",
        "bulk_update_mappings",
    }
)  # fmt: skip
_SESSION_READS = frozenset({"execute", "scalar", "scalars", "get", "get_one", "refresh", "stream"})
_STATEMENTS = frozenset({"sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.delete"})
_QUERY_WRITES = frozenset({"update", "delete"})
_QUERY_READS = frozenset({"all", "first", "one", "one_or_none", "scalar", "count", "get"})
_MAX_LINKS = 8


@dataclass(frozen=True, slots=True, eq=False)
class DatabaseCall:
    """A call that reaches the database.

    - `method`: the name of the method; `writes`: whether it changes rows, now or when the session flushes.
    - `chain`: the calls between this one and the one that reaches the database, empty for a direct one.
    """

    site: CallSite
    method: str
    writes: bool
    chain: tuple[Step, ...] = ()


def direct_call(site: CallSite) -> DatabaseCall | None:
    """What a call itself does to the database through an ORM; None where it does nothing that is known."""
    if site.callee.kind is not Kind.EXTERNAL or not isinstance(site.node, ast.Call):
        return None
    owner, _, method = site.name.rpartition(".")
    if owner in _SESSIONS:
        return _of_session(site, site.node, method)
    if owner == "sqlalchemy.orm.Query" and method in _QUERY_WRITES | _QUERY_READS:
        return DatabaseCall(site, method, method in _QUERY_WRITES)
    query = django_queries.query_of(site)
    if query is not None:
        return DatabaseCall(site, query.method, query.method in _DJANGO_WRITES)
    if django_queries.asynchronous_query(site):
        return DatabaseCall(site, method, method[1:] in _DJANGO_WRITES)
    return None


def _of_session(site: CallSite, call: ast.Call, method: str) -> DatabaseCall | None:
    if method in _SESSION_WRITES:
        return DatabaseCall(site, method, True)
    if method not in _SESSION_READS:
        return None
    statement: ast.expr | None = call.args[0] if call.args else None
    for _ in range(_MAX_LINKS):
        if not isinstance(statement, ast.Call):
            break
        if site.module.qualified_name(statement.func) in _STATEMENTS:
            return DatabaseCall(site, method, True)
        statement = statement.func.value if isinstance(statement.func, ast.Attribute) else None
    return DatabaseCall(site, method, False)


def database_call(site: CallSite) -> DatabaseCall | None:
    """What a call does to the database, itself or in the project function that it calls.

    A coroutine that is not awaited does nothing. Where a function both reads and writes, it writes.
    """
    found = direct_call(site)
    if found is not None:
        return found
    function = calls.target(site)
    if function is None or not calls.follows(function) or function.is_async is not site.awaited:
        return None
    written = chain_to_write(function)
    chain = written if written is not None else chain_to_query(function)
    if chain is None:
        return None
    return DatabaseCall(site, function.node.name, written is not None, chain)


def chain_to_write(function: FunctionInfo) -> tuple[Step, ...] | None:
    """The shortest chain of calls from a function's body to a call that writes, or None."""
    return calls.reach(
        function, "database write", _is_write, lambda inner: inner.is_async <= function.is_async
    )


def chain_to_query(function: FunctionInfo) -> tuple[Step, ...] | None:
    """The shortest chain of calls from a function's body to a call that reaches the database, or None."""
    return calls.reach(
        function, "database call", _is_database_call, lambda inner: inner.is_async <= function.is_async
    )


def _is_write(site: CallSite) -> bool:
    found = direct_call(site)
    return found is not None and found.writes


def _is_database_call(site: CallSite) -> bool:
    return direct_call(site) is not None


def has_own_transaction(function: FunctionInfo) -> bool:
    """Whether calling a function opens a transaction, or a savepoint, around all that it does."""
    module = function.module
    return any(django.is_atomic(decorator, module) for decorator in function.node.decorator_list)


def chain_that_breaks(site: CallSite) -> tuple[Step, ...] | None:
    """The chain of calls to a write of Django's whose error leaves the caller's transaction unusable.

    None where a savepoint, or a handler of database errors, stands in between.
    """
    function = calls.target(site)
    if function is None or function.is_async or not calls.follows(function) or has_own_transaction(function):
        return None
    return calls.reach(
        function,
        "breaks transaction",
        lambda inner: django_queries.breaks_transaction(inner) and not _is_guarded(inner),
        lambda inner: not inner.is_async and not has_own_transaction(inner),
        _is_guarded,
    )


def _is_guarded(site: CallSite) -> bool:
    """Whether a call stands in a transaction of its own function, or in a `try` that catches its errors."""
    if django_queries.atomic_block(site.node, site.module) is not None:
        return True
    child: ast.AST = site.node
    for around in site.module.source.ancestors(site.node):
        if isinstance(around, ast.Try) and child in around.body:
            if any(django.is_database_error(handler.type, site.module) for handler in around.handlers):
                return True
        child = around
    return False
