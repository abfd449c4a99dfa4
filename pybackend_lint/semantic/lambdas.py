"""Lambdas that are called for every item of something, most of them at once, as the body of a loop is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.source import Source, last_name

_LAZY = frozenset({"map", "filter", "groupby"})
_EXHAUSTING = frozenset(
    {
        "list",
        "tuple",
        "set",
        "frozenset",
        "dict",
        "sorted",
        "sum",
        "min",
        "max",
        "any",
        "all",
        "enumerate",
        "zip",
    }
)


def item_parameter(function: ast.Lambda) -> ast.arg | None:
    """The only parameter of a lambda; None where it has several, a default or none."""
    match function.args:
        case ast.arguments(
            posonlyargs=[], args=[parameter], vararg=None, kwonlyargs=[], kwarg=None, defaults=[]
        ):
            return parameter
    return None


def iterated_by(function: ast.Lambda, source: Source) -> ast.expr | None:
    """What a lambda is called for each item of: by `map()` or `filter()`, or as a key to sort or group by.

    None where something else calls it, if anything does.
    """
    around = source.parent(function)
    call = source.parent(around) if isinstance(around, ast.keyword) and around.arg == "key" else around
    return _iterated(call, function) if isinstance(call, ast.Call) else None


def runs_at_once(function: ast.Lambda, source: Source) -> bool:
    """Whether a lambda is called for every item of something where it stands.

    `map()`, `filter()` and `groupby()` call it when they are iterated, which may be later.
    """
    if iterated_by(function, source) is None:
        return False
    around = source.parent(function)
    call = source.parent(around) if isinstance(around, ast.keyword) else around
    if not isinstance(call, ast.Call) or last_name(call.func) not in _LAZY:
        return True
    match source.parent(call):
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
            return iterated is call
        case ast.Call(func=ast.Name(id=name)):
            return name in _EXHAUSTING
        case (
            ast.Call(func=ast.Attribute(attr="join" | "extend" | "update")) | ast.Starred() | ast.YieldFrom()
        ):
            return True
    return False


def called_by(call: ast.Call) -> Iterator[ast.Lambda]:
    """The lambdas among the arguments of a call that it calls at once for every item of something."""
    if last_name(call.func) in _LAZY:
        return
    for keyword in call.keywords:
        if isinstance(keyword.value, ast.Lambda) and _iterated(call, keyword.value) is not None:
            yield keyword.value


def _iterated(call: ast.Call, function: ast.Lambda) -> ast.expr | None:
    if item_parameter(function) is None:
        return None
    is_key = all(function is not argument for argument in call.args)
    match call:
        case ast.Call(func=ast.Name(id="map" | "filter"), args=[first, iterated]) if first is function:
            return iterated
        case ast.Call(func=ast.Name(id="sorted" | "min" | "max"), args=[iterated]) if is_key:
            return iterated
        case ast.Call(func=ast.Attribute(attr="sort", value=iterated), args=[]) if is_key:
            return iterated
        case ast.Call(func=func, args=[iterated, *_]) if (
            last_name(func) == "groupby" and iterated is not function
        ):
            return iterated
    return None
