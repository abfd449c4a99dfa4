"""Decorators that keep what a function returns."""

from __future__ import annotations

import ast

from pybackend_lint.finding import Edit
from pybackend_lint.rule import Context
from pybackend_lint.semantic.import_edits import orphaned, replace_imports
from pybackend_lint.semantic.module import Module

_FUNCTOOLS = {"functools.lru_cache": "", "functools.cache": "(maxsize=None)"}
# They keep the very object that the function returns, for a coroutine function the coroutine.
_CACHES = frozenset(
    {
        *_FUNCTOOLS, "functools.cached_property", "django.utils.functional.cached_property",
        "werkzeug.utils.cached_property", "cachetools.cached",
        "cachetools.cachedmethod", "cachetools.func.lru_cache", "cachetools.func.ttl_cache",
        "cachetools.func.lfu_cache",
    }
)  # fmt: skip


def cache_of(function: ast.AsyncFunctionDef, ctx: Context) -> ast.expr | None:
    """The decorator that keeps the coroutines of a coroutine function; None where there is none.

    Only the innermost decorator is looked at: another may make of the coroutine what can be kept.
    """
    if not function.decorator_list or ctx.function_info(function).yields:
        return None
    decorator = function.decorator_list[-1]
    return decorator if _is_cache(decorator, ctx.module) else None


def _is_cache(decorator: ast.expr, module: Module, depth: int = 0) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = module.qualified_name(target)
    if name is None or name in _CACHES or depth > 2:
        return name in _CACHES
    variable = module.modules.variable(name)  # `memoized = lru_cache(maxsize=100)`
    if variable is None or variable[1].value is None or variable[1].path:
        return False
    return _is_cache(variable[1].value, variable[0], depth + 1)


def asynchronous_edits(decorator: ast.expr, ctx: Context) -> tuple[Edit, ...]:
    """The edits that keep the results by async-lru instead, where the project has it; empty otherwise."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    arguments = _FUNCTOOLS.get(ctx.qualified_name(target) or "")
    if arguments is None or ctx.project.versions.declares("async-lru") is not True:
        return ()
    removed = orphaned(ctx.source, [target])
    (name,), imports = replace_imports(ctx.source, ["async_lru.alru_cache"], removed)
    return (ctx.edit(target, name + arguments), *imports)
