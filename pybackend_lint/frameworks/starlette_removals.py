"""What Starlette 1.0 has removed, found by trying each name on Starlette 1.10 and FastAPI 0.165."""

from __future__ import annotations

import ast

from pybackend_lint.frameworks import fastapi
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind

_STARLETTE = "starlette.applications.Starlette"
_ROUTER = "starlette.routing.Router"
_FASTAPI = "fastapi.FastAPI"
_EVENTS = "a `lifespan` context manager"
# Method to what replaces it, by class; FastAPI's own classes have copies of most of them.
_METHODS = {
    _STARLETTE: {
        "on_event": _EVENTS,
        "add_event_handler": _EVENTS,
        "route": "`Route` in `routes=`",
        "websocket_route": "`WebSocketRoute` in `routes=`",
        "middleware": "`add_middleware()`",
        "exception_handler": "`add_exception_handler()`",
    },
    _ROUTER: {
        "on_event": _EVENTS,
        "add_event_handler": _EVENTS,
        "route": "`Route` in `routes=`",
        "websocket_route": "`WebSocketRoute` in `routes=`",
    },
    _FASTAPI: {"add_event_handler": _EVENTS, "route": "`api_route()`"},
}
METHODS = tuple(sorted({name for methods in _METHODS.values() for name in methods}))
CLASSES = ("Starlette", "Router")
_ARGUMENTS = ("on_startup", "on_shutdown")


def removed_use(call: ast.Call, module: Module) -> tuple[ast.AST, str, str] | None:
    """What a call uses that is gone: the place, its name and what to use instead; None for all else."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        return _removed_method(call.func, module)
    if module.qualified_name(call.func) in {_STARLETTE, _ROUTER}:
        for name in _ARGUMENTS:
            given = fastapi.argument(call, None, name)
            if given is not None:
                return given, f"{name}=", _EVENTS
    return None


def _removed_method(method: ast.Attribute, module: Module) -> tuple[ast.AST, str, str] | None:
    known = module.type_of(method.value)
    if known is None or known.kind is not Kind.INSTANCE:
        return None
    info = module.modules.class_info(known.name)
    if info is not None and info.method(method.attr) is not None:
        return None
    bases = info.libraries if info is not None else frozenset({known.name})
    for name in (fastapi.ROUTER, _FASTAPI, _STARLETTE, _ROUTER):
        if name in bases:
            instead = _METHODS.get(name, {}).get(method.attr)
            return (method, f".{method.attr}", instead) if instead is not None else None
    return None
