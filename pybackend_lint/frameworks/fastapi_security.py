"""Which routes of FastAPI ask who the client is: by a dependency, or in their own body."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import fastapi, fastapi_requests
from pybackend_lint.frameworks.fastapi import Route
from pybackend_lint.project.calls import CallSite, reach
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFUSALS = frozenset({"401", "403"})
_USUAL = 0.7  # the part of the write routes that must be protected before another stands out
_FEWEST = 5
_ENOUGH = 12  # write routes of a folder, to tell what is usual there
# Names of what checks or knows the client, whatever it does: nothing is said about routes that use one.
_CHECKS = re.compile(
    r"auth|user|perm|token|verif|requir|admin|role|secur|login|principal|identity|api_?key|signature|owner"
    r"|member|access|scope|guard|protect|allow|tenant|account|jwt|csrf|credential|session_id|limit|forbid|denied",
    re.IGNORECASE,
)
_CHECKS_CLIENTS = re.compile(r"Auth|auth(?!or)|Permission|Token|ApiKey|APIKey|\b40[13]\b|_40[13]_")
# Routes that clients use before they are known, or that other systems call.
_PUBLIC = re.compile(
    r"log_?in|log_?out|sign_?(?:in|up|out)|regist|token|hook|health|ping|auth|password|reset|verif|confirm"
    r"|callback|oauth|sso|saml|public|refresh|contact|subscri|invit|otp|captcha|telemetry|metric|event|feedback"
    r"|track|setup|install|onboard|debug|test|internal|share|guest|anonym|demo|search|query|preview|validate"
    r"|ready|live|status|version|rpc|graphql|mcp|slack|telegram|github|stripe|payment",
    re.IGNORECASE,
)


def unprotected(module: Module) -> list[tuple[Route, Related]]:
    """The write routes of a module without any check, each with one that has a check as most others do.

    Those others are the write routes of the nearest folder above that has enough of them or an application
    of its own, since another service of the same project may have no need of checks.
    """
    found = [route for route in fastapi.routes(module) if _is_write(route) and is_protected(route) is False]
    found = [route for route in found if not _is_public(route)]
    index = module.modules
    if not found or not isinstance(index, Index):
        return []
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    if index.fact(("fastapi middleware", root), lambda: _has_middleware(index, module)):
        return []
    counts = index.fact(("fastapi protected routes", root), lambda: _count(index, module))
    if _PUBLIC.search(_own_part(index.path_of(module), counts)):
        return []
    folder = os.path.dirname(index.path_of(module))
    while True:
        below = [count for path, count in counts.items() if path.startswith(folder + os.sep)]
        protected = [place for count in below for place in count.protected]
        others = sum(count.others for count in below)
        is_service = any(
            count.has_application for path, count in counts.items() if os.path.dirname(path) == folder
        )
        if len(protected) + others >= _ENOUGH or is_service or len(folder) <= len(root):
            break
        folder = os.path.dirname(folder)
    if len(protected) < _FEWEST or len(protected) < _USUAL * (len(protected) + others):
        return []
    return [(route, min(protected, key=lambda place: place.path)) for route in found]


@dataclass(frozen=True, slots=True)
class _Count:
    """The protected write routes of a file, how many are not protected or may not be, and what it makes."""

    protected: list[Related]
    others: int
    has_application: bool


def _count(index: Index, module: Module) -> dict[str, _Count]:
    """The write routes of each file of a project."""
    root = index.layout.workspace_root(os.path.dirname(index.path_of(module)))
    counts: dict[str, _Count] = {}
    for path in files_with(index, module, b"fastapi"):
        other = None if is_test_file(path, root) else index.at(path, module)
        if other is not None:
            writing = [route for route in fastapi.routes(other) if _is_write(route)]
            protected = [_place(route) for route in writing if is_protected(route)]
            counts[path] = _Count(protected, len(writing) - len(protected), "FastAPI" in other.source.calls)
    return counts


def _place(route: Route) -> Related:
    source = route.module.source
    start = source.position(source.start(route.call))
    return Related(source.path, start, f"`{route.path}` has a check, as most others have")


def _has_middleware(index: Index, module: Module) -> bool:
    """Whether some middleware of a project may check clients: by its name, or since it refuses some."""
    root = index.layout.workspace_root(os.path.dirname(index.path_of(module)))
    paths = {path for word in (b"middleware", b"Middleware", b"add_middleware", b"BaseHTTPMiddleware")
             for path in files_with(index, module, word)}  # fmt: skip
    for path in sorted(paths):
        other = None if is_test_file(path, root) else index.at(path, module)
        if other is not None and any(map(_CHECKS_CLIENTS.search, _middleware_texts(other))):
            return True
    return False


def _middleware_texts(module: Module) -> Iterator[str]:
    """The names of the middleware that a module adds, and the text of the one that it defines."""
    source = module.source
    for name in ("add_middleware", "Middleware"):
        for call in source.calls.get(name, ()):
            if call.args:
                yield source.segment(call.args[0])
    for call in source.calls.get("middleware", ()):
        around = source.parent(call)
        yield source.segment(around if isinstance(around, FUNCTIONS) else call)
    for node in source.nodes(ast.ClassDef):
        if any("Middleware" in source.segment(base) for base in node.bases):
            yield source.segment(node)


def _is_write(route: Route) -> bool:
    return bool(route.methods) and not (route.methods or set()) - _WRITES


def _own_part(path: str, counts: Mapping[str, _Count]) -> str:
    """The part of a file's path that tells it from the other files with routes."""
    common = os.path.commonpath([path, *(os.path.dirname(other) for other in counts)])
    return os.path.relpath(path, common)


def _is_public(route: Route) -> bool:
    name = route.function.node.name if route.function is not None else ""
    return _PUBLIC.search(f"{route.path} {name}") is not None


def is_protected(route: Route) -> bool | None:
    """Whether a check runs before or in a route; None where it is not known.

    A check is a scheme of `fastapi.security`, a function that can raise 401 or 403, or one that is named
    like a check.
    """
    function = route.function
    if function is None or function.owner is not None or route.path is None:
        return None
    tree = fastapi_requests.route_dependencies(route)
    if tree.has_security or any(map(_is_named_like_check, tree.functions)):
        return True
    if any(_CHECKS.search(name) for name in tree.names):
        return True
    if any(map(_refuses, tree.functions)) or _refuses(function):
        return True
    others = [item for item in function.node.decorator_list if item is not route.call]
    return None if tree.is_open or others or _mentions_check(function) else False


def _is_named_like_check(function: FunctionInfo) -> bool:
    owner = function.owner.node.name if function.owner is not None else ""
    return _CHECKS.search(f"{function.node.name} {owner}") is not None


def _refuses(function: FunctionInfo) -> bool:
    """Whether a function can answer with 401 or 403, itself or through what it calls."""
    return reach(function, "fastapi refusals", _is_refusal, lambda _: True) is not None


def _is_refusal(site: CallSite) -> bool:
    call = site.node
    if not isinstance(call, ast.Call) or not site.name.rpartition(".")[2].endswith(("Exception", "Error")):
        return _CHECKS.search(site.name.rpartition(".")[2]) is not None
    status = fastapi.argument(call, 0, "status_code")
    return status is not None and any(code in site.module.source.segment(status) for code in _REFUSALS)


def _mentions_check(function: FunctionInfo) -> bool:
    """Whether the body of a route uses something that is named like a check."""
    names = [node.id for node in function.own(ast.Name)] + [node.attr for node in function.own(ast.Attribute)]
    return any(_CHECKS.search(name) for name in names)
