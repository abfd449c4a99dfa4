"""Prints what FastAPI itself knows about the routes of `orders_api.main`, as JSON; run inside that project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orders_api.main import app  # type: ignore[import-not-found]


def served(routes: list[Any]) -> Iterator[Any]:
    """The routes of an application; those of included routers are hidden in newer versions of FastAPI."""
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from served(route.effective_candidates())
        elif getattr(route, "dependant", None) is not None:
            yield route


def name(call: Any) -> str:
    """The qualified name of the function that runs when FastAPI calls something."""
    if isinstance(call, type):
        return f"{call.__module__}.{call.__qualname__}.__init__"
    if hasattr(call, "__qualname__"):
        return f"{call.__module__}.{call.__qualname__}"
    return f"{type(call).__module__}.{type(call).__qualname__}.__call__"


def dependencies(dependant: Any) -> set[str]:
    """The names of all dependencies, also of dependencies."""
    found: set[str] = set()
    for inner in dependant.dependencies:
        found |= {name(inner.call)} | dependencies(inner)
    return found


def kinds(dependant: Any) -> dict[str, str]:
    """Where each parameter of a route comes from."""
    found = {inner.name: "dependency" for inner in dependant.dependencies if inner.name}
    for kind in ("path", "query", "header", "cookie"):
        found |= {field.name: kind for field in getattr(dependant, f"{kind}_params")}
    for field in dependant.body_params:
        found[field.name] = type(field.field_info).__name__.lower()
    for special in ("request", "websocket", "http_connection", "response", "background_tasks"):
        parameter = getattr(dependant, f"{special}_param_name")
        if parameter:
            found[parameter] = "connection"
    return found


print(
    json.dumps(
        {
            f"{name(route.endpoint)} {route.path}": [
                kinds(route.dependant),
                sorted(item for item in dependencies(route.dependant) if item.startswith("orders_api.")),
            ]
            for route in served(app.routes)
        }
    )
)
