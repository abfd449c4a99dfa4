"""Locks in coroutines: those of threads, and what replaces them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.import_edits import orphaned, replace_imports
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

# What asyncio has instead. Those of threads that may be entered again by their thread do not even keep
# two coroutines apart, and have no twin.
_TWINS = {
    "Lock": "Lock",
    "RLock": "Lock",
    "Semaphore": "Semaphore",
    "BoundedSemaphore": "BoundedSemaphore",
    "Condition": "Condition",
}
_THREAD_LOCKS = {
    f"{module}.{name}": twin for module in ("threading", "multiprocessing") for name, twin in _TWINS.items()
}
_REPLACED = frozenset({"threading.Lock", "threading.Semaphore", "threading.BoundedSemaphore"})


def held_across_await(node: ast.With, ctx: Context) -> Iterator[tuple[ast.expr, str]]:
    """The locks of threads that a coroutine holds while it waits, and the names of asyncio's twins.

    A lock that the coroutine itself makes is none that another coroutine waits for.
    """
    function = ctx.enclosing_function(node)
    if not isinstance(function, ast.AsyncFunctionDef) or not _suspends(node, function, ctx):
        return
    for item in node.items:
        known = ctx.type_of(item.context_expr)
        if known is None or known.kind is not Kind.INSTANCE or known.name not in _THREAD_LOCKS:
            continue
        if not _is_made_here(item.context_expr, function, ctx):
            yield item.context_expr, _THREAD_LOCKS[known.name]


def _suspends(node: ast.With, function: ast.AsyncFunctionDef, ctx: Context) -> bool:
    own = ctx.function_info(function).own
    inner: list[ast.expr | ast.stmt] = [*own(ast.Await), *own(ast.AsyncFor), *own(ast.AsyncWith)]
    start, end = ctx.source.start(node.body[0]), ctx.source.end(node)
    return any(start <= ctx.source.start(suspension) < end for suspension in inner)


def _is_made_here(lock: ast.expr, function: ast.AsyncFunctionDef, ctx: Context) -> bool:
    if isinstance(lock, ast.Call):
        return ctx.qualified_name(lock.func) in _THREAD_LOCKS
    found = ctx.module.lookup(lock.id, lock) if isinstance(lock, ast.Name) else None
    return (
        found is not None
        and found[0].node is function
        and any(isinstance(binding.value, ast.Call) for binding in found[1])
    )


def asyncio_edits(lock: ast.expr, kind: str, ctx: Context) -> tuple[Edit, ...]:
    """The edits that make a lock one of asyncio, where coroutines of this file alone use it; else empty."""
    if not isinstance(lock, (ast.Name, ast.Attribute)):
        return ()
    name = last_name(lock)
    index = ctx.module.modules
    assert isinstance(index, Index)
    if not name.startswith("_") and files_with(index, ctx.module, name.encode()) != [ctx.source.path]:
        return ()
    made: list[ast.Call] = []
    edits: list[Edit] = []
    mentions = [mention for mention in ctx.source.nodes(ast.Name) if mention.id == name]
    for mention in [*mentions, *ctx.source.attributes.get(name, ())]:
        around = ctx.parent(mention)
        statement = ctx.statement(mention)
        if isinstance(mention.ctx, ast.Store):
            value = around.value if isinstance(around, ast.Assign) and len(around.targets) == 1 else None
            if not isinstance(value, ast.Call) or ctx.qualified_name(value.func) not in _REPLACED:
                return ()
            made.append(value)
        elif (
            isinstance(around, ast.withitem)
            and around.optional_vars is None
            and isinstance(statement, ast.With)
            and len(statement.items) == 1
            and ctx.in_coroutine(mention)
        ):
            edits.append(ctx.insert_before(statement, "async "))
        else:
            return ()
    if len(made) != 1:
        return ()
    func = made[0].func
    (expression,), imports = replace_imports(ctx.source, [f"asyncio.{kind}"], orphaned(ctx.source, [func]))
    return (ctx.edit(func, expression), *edits, *imports)
