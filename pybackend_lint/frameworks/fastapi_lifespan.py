"""Handlers of `startup` and `shutdown` next to the lifespan of their application."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import fastapi
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_APPLICATION = "fastapi.FastAPI"
_EVENTS = ("on_startup", "on_shutdown")
# What a lifespan uses to run the handlers itself.
_RUNS_HANDLERS = frozenset({"startup", "shutdown", "_startup", "_shutdown", "on_startup", "on_shutdown"})


@dataclass(frozen=True, eq=False)
class Lifespan:
    """The argument `lifespan=` of an application, and the module that says it."""

    module: Module
    place: ast.expr


def replaced_handlers(module: Module) -> Iterator[tuple[ast.expr, str, Lifespan]]:
    """The handlers that a module registers in vain: the place, the handler's name and the lifespan."""
    for call in module.source.calls.get("on_event", ()):
        if isinstance(call.func, ast.Attribute) and fastapi.is_router(call.func.value, module):
            lifespan = _lifespan_of(call.func.value, module)
            function = module.source.parent(call)
            if lifespan is not None and isinstance(function, FUNCTIONS):
                yield call, function.name, lifespan
    for call in module.source.calls.get("FastAPI", ()):
        lifespan = _lifespan(call, module)
        for event in _EVENTS if lifespan is not None else ():
            given = fastapi.argument(call, None, event)
            if given is not None and lifespan is not None and not isinstance(given, ast.Constant):
                yield given, event, lifespan


def _lifespan_of(application: ast.expr, module: Module) -> Lifespan | None:
    """The lifespan of an application that is a variable with one value, in whichever module."""
    made = fastapi.assigned_call(application, module)
    return _lifespan(made[2], made[0]) if made is not None else None


def _lifespan(call: ast.Call, module: Module) -> Lifespan | None:
    written = fastapi.argument(call, None, "lifespan")
    if written is None or module.qualified_name(call.func) != _APPLICATION:
        return None
    function = fastapi.target(written, module)
    if function is None or any(node.attr in _RUNS_HANDLERS for node in function.own(ast.Attribute)):
        return None
    return Lifespan(module, written)
