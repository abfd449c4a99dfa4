"""Facts about the functions of `datetime` that give times in UTC without saying so."""

from __future__ import annotations

import ast

from pybackend_lint.semantic.module import Module

_NAIVE = {
    "datetime.datetime.utcnow": "now",
    "datetime.datetime.utcfromtimestamp": "fromtimestamp",
}


def naive_reference(node: ast.Attribute, module: Module) -> str | None:
    """The method to use instead of a naive one that is passed on without being called here, or None."""
    instead = _NAIVE.get(module.qualified_name(node) or "")
    parent = module.source.parent(node)
    if instead is None or (isinstance(parent, ast.Call) and parent.func is node):
        return None
    if isinstance(parent, (ast.Attribute, ast.Compare)) or _depends_on_version(node, module):
        return None
    return instead


def _depends_on_version(node: ast.Attribute, module: Module) -> bool:
    """Whether a condition on the version of Python is around a node."""
    source = module.source
    return any(
        isinstance(ancestor, (ast.If, ast.IfExp)) and "version_info" in source.segment(ancestor.test)
        for ancestor in source.ancestors(node)
    )


def accepts_aware(node: ast.Attribute, module: Module) -> bool:
    """Whether what a reference is passed to certainly takes times with a zone.

    That is a factory of a field, or a column that is declared `timezone=True`; a column without it
    stores naive times, and drivers refuse others.
    """
    source = module.source
    keyword = source.parent(node)
    call = source.parent(keyword) if isinstance(keyword, ast.keyword) else None
    if not isinstance(call, ast.Call) or not isinstance(keyword, ast.keyword):
        return False
    if keyword.arg == "default_factory":
        return not any(other.arg is None or other.arg.startswith("sa_") for other in call.keywords)
    values = [*call.args, *(other.value for other in call.keywords)]
    return any(
        isinstance(value, ast.Call)
        and any(
            option.arg == "timezone" and isinstance(option.value, ast.Constant) and option.value.value is True
            for option in value.keywords
        )
        for value in values
    )
