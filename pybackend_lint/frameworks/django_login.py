"""Facts about who has to log in: the middleware that asks for every view, and the decorator for one."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import Final

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import django_models, django_reads
from pybackend_lint.frameworks.django_urls import patterns, urlconfs
from pybackend_lint.frameworks.django_web import passes_arguments_on
from pybackend_lint.project.callers import callers
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module

_MIDDLEWARE: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_REQUIRED: Final = "django.contrib.auth.decorators.login_required"
_NOT_REQUIRED: Final = "login_not_required"


def asked_twice(function: FunctionInfo) -> tuple[ast.expr, Related] | None:
    """The `login_required` of a view for which the middleware asks anyway, and where the middleware is on.

    Only for functions that patterns lead to and that nothing else calls, with no decorators but Django's:
    another one may exempt the view from the middleware.
    """
    module = function.module
    decorators = function.node.decorator_list
    plain = [item for item in decorators if _is_plain(item, module)]
    if len(plain) != 1 or function.owner is not None:
        return None
    if not all(_keeps_asking(item, module) for item in decorators):
        return None
    middleware = _middleware(module)
    if middleware is None or not _is_only_routed(function):
        return None
    return plain[0], middleware


def _is_plain(decorator: ast.expr, module: Module) -> bool:
    """Whether a decorator is `login_required` without arguments of its own."""
    if isinstance(decorator, ast.Call):
        if decorator.args or decorator.keywords:
            return False
        decorator = decorator.func
    return module.qualified_name(decorator) == _REQUIRED


def _keeps_asking(decorator: ast.expr, module: Module) -> bool:
    """Whether a decorator is one of Django's that leaves the middleware alone."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = module.qualified_name(target) or ""
    return passes_arguments_on(decorator, module) and not name.endswith(_NOT_REQUIRED)


def _middleware(module: Module) -> Related | None:
    """Where the settings of a project name the middleware, None where that is not certain."""
    settings = django_models.settings_module(module)
    value = django_models.settings_value(module, "MIDDLEWARE")
    if settings is None or not isinstance(value, (list, tuple)) or _MIDDLEWARE not in value:
        return None
    exported = settings.export("MIDDLEWARE")
    found = settings.modules.variable(exported) if exported is not None else None
    if found is None or found[1].value is None:
        return None
    return django_reads.related(found[1].value, "`LoginRequiredMiddleware` is on", found[0])


def _is_only_routed(function: FunctionInfo) -> bool:
    """Whether a function is a view of a pattern, and runs in no other way."""
    index, module = function.module.modules, function.module
    if not isinstance(index, Index):
        return False
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    routed = index.fact(("views of patterns", root), lambda: dict(_routed(index, module)))
    return routed.get(function.name) is True and not callers(function)


def _routed(index: Index, module: Module) -> Iterator[tuple[str, bool]]:
    """The functions that patterns lead to, and whether the middleware asks on the way to each of them."""
    asked: dict[str, bool] = {}
    for other in urlconfs(index, module):
        for pattern in patterns(other):
            view, asks = pattern.view, True
            while isinstance(view, ast.Call) and len(view.args) == 1 and not view.keywords:
                asks = asks and _keeps_asking(view.func, other)
                view = view.args[0]
            name = other.qualified_name(view) if view is not None else None
            if name is not None:
                asked[name] = asked.get(name, True) and asks
    yield from asked.items()
