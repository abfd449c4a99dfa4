"""Lambdas that are called at once for every item of something, as the body of a loop is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.source import Source, last_name


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


def called_by(call: ast.Call) -> Iterator[ast.Lambda]:
    """The lambdas among the arguments of a call that it calls at once for every item of something."""
    for value in (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "key")):
        if isinstance(value, ast.Lambda) and _iterated(call, value) is not None:
            yield value


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
