"""Lambdas that are called at once for every item of something, as the body of a loop is."""

from __future__ import annotations

import ast

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
    if item_parameter(function) is None:
        return None
    around = source.parent(function)
    call = source.parent(around) if isinstance(around, ast.keyword) and around.arg == "key" else around
    match call:
        case ast.Call(func=ast.Name(id="map" | "filter"), args=[first, iterated]) if first is function:
            return iterated
        case ast.Call(func=ast.Name(id="sorted" | "min" | "max"), args=[iterated]) if call is not around:
            return iterated
        case ast.Call(func=ast.Attribute(attr="sort", value=iterated), args=[]) if call is not around:
            return iterated
        case ast.Call(func=func, args=[iterated, *_]) if last_name(func) == "groupby":
            return iterated
    return None
