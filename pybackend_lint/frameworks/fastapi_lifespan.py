"""Handlers of `startup` and `shutdown` next to the lifespan of their application."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import fastapi
from pybackend_lint.project.callers import arguments, callers
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_APPLICATION = "fastapi.FastAPI"
_LIFESPAN_CONTEXT = "lifespan_context"
# What a lifespan uses to run the handlers itself.
_RUNS_HANDLERS = frozenset({"startup", "shutdown", "_startup", "_shutdown", "on_startup", "on_shutdown"})


@dataclass(frozen=True, eq=False)
class Lifespan:
    """The lifespan that an application is given, by `lifespan=` or later, and the module that says it."""

    module: Module
    place: ast.expr


def replaced_handlers(module: Module) -> Iterator[tuple[ast.expr, str, Lifespan]]:
    """The handlers that a module registers in vain: the place, the handler's name and the lifespan."""
    for handlers in fastapi.event_handlers(module):
        lifespan = _lifespan_of(handlers.router, module)
        if lifespan is not None:
            yield from ((handler.place, handler.name, lifespan) for handler in handlers.handlers)
    for call, keyword in fastapi.event_arguments(module):
        lifespan = _lifespan(call, module)
        if lifespan is not None and keyword.arg is not None:
            yield keyword.value, keyword.arg, lifespan


def _lifespan_of(application: ast.expr, module: Module) -> Lifespan | None:
    """The lifespan of an application, in whichever module: for a parameter, that of all callers."""
    made = fastapi.made_by(application, module)
    if made is not None:
        return _lifespan(made[1], made[0])
    found = module.lookup(application.id, application) if isinstance(application, ast.Name) else None
    if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
        return None
    name, around = found[1][0].name, found[0].node
    if not isinstance(around, FUNCTIONS):
        return None
    function, lifespans = module.function_info(around), []
    for caller in callers(function):
        given = (arguments(caller.call, function, caller.module) or {}).get(name)
        made = fastapi.made_by(given, caller.module) if given is not None else None
        lifespans.append(_lifespan(made[1], made[0]) if made is not None else None)
    return lifespans[0] if lifespans and all(lifespans) else None


def _lifespan(call: ast.Call, module: Module) -> Lifespan | None:
    if module.qualified_name(call.func) != _APPLICATION:
        return None
    written = fastapi.argument(call, None, "lifespan") or _set_later(call, module)
    if written is None:
        return None
    function = fastapi.target(written, module)
    if function is None or any(node.attr in _RUNS_HANDLERS for node in function.own(ast.Attribute)):
        return None
    return Lifespan(module, written)


def _set_later(application: ast.Call, module: Module) -> ast.expr | None:
    """What is assigned to `router.lifespan_context` of an application, right in the block that makes it.

    None where the module reads the attribute as well: the new lifespan may then run the former one.
    """
    if _LIFESPAN_CONTEXT.encode() not in module.source.data:
        return None
    uses = [node for node in module.source.nodes(ast.Attribute) if node.attr == _LIFESPAN_CONTEXT]
    match uses, module.source.parent(uses[0]) if uses else None:
        case [ast.Attribute(value=ast.Attribute(value=owner, attr="router"), ctx=ast.Store())], ast.Assign(
            value=value
        ) as statement:
            made = fastapi.made_by(owner, module)
            around = module.source.parent(application)
            if (
                made is not None
                and made[1] is application
                and isinstance(around, (ast.Assign, ast.AnnAssign))
            ):
                same = module.source.parent(around) is module.source.parent(statement)
                return value if same else None
    return None
