"""Facts about Django's migrations: the functions that change data, and the models that they use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pybackend_lint.frameworks import django, django_models
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module

_RUN_PYTHON: Final = frozenset(
    {"django.db.migrations.RunPython", "django.db.migrations.operations.RunPython"}
    | {"django.db.migrations.operations.special.RunPython"}
)
# What the manager of a historical model has as well.
_MANAGERS: Final = frozenset({"objects", "_default_manager", "_base_manager"})


@dataclass(frozen=True, eq=False)
class ModelUse:
    """A function of a migration that works with a model as the code has it today.

    - `entry`: the function that `RunPython` calls; `function`: itself, or one that it calls.
    - `uses`: where it names the model, in order; `first`: where it runs a query or makes a row.
    """

    entry: FunctionInfo
    function: FunctionInfo
    model: ClassInfo
    first: ast.expr
    uses: tuple[ast.expr, ...]


def imported_models(module: Module) -> Iterator[ModelUse]:
    """The models of the project that a migration's functions import and use, once a function and model."""
    seen: set[str] = set()
    for call in module.source.calls.get("RunPython", ()):
        if module.qualified_name(call.func) not in _RUN_PYTHON:
            continue
        named = [keyword.value for keyword in call.keywords if keyword.arg in {"code", "reverse_code"}]
        for argument in (*call.args[:2], *named):
            entry = _function(argument, module)
            if entry is not None:
                yield from _uses(entry, entry, module, seen)


def _function(node: ast.expr, module: Module) -> FunctionInfo | None:
    """The function of a module itself that an expression names."""
    name = module.qualified_name(node)
    function = module.modules.function_info(name) if name is not None else None
    return function if function is not None and function.module is module else None


def _uses(entry: FunctionInfo, function: FunctionInfo, module: Module, seen: set[str]) -> Iterator[ModelUse]:
    if function.name in seen:
        return
    seen.add(function.name)
    found: dict[str, tuple[ClassInfo, list[ast.expr], list[ast.expr]]] = {}
    nodes: list[ast.Name | ast.Attribute] = [*function.own(ast.Name), *function.own(ast.Attribute)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        model = module.class_named(node) if isinstance(node.ctx, ast.Load) else None
        if model is not None and django_models.is_model(model) and model.module is not module:
            _, uses, work = found.setdefault(model.name, (model, [], []))
            uses.append(node)
            if _works(node, module):
                work.append(node)
    for model, uses, work in found.values():
        if work:
            yield ModelUse(entry, function, model, work[0], tuple(uses))
    for call in function.own(ast.Call):
        called = _function(call.func, module)
        if called is not None:
            yield from _uses(entry, called, module, seen)


def _works(model: ast.expr, module: Module) -> bool:
    """Whether a use of a model makes a row or asks for a manager, not just for a constant of the class."""
    parent = module.source.parent(model)
    if isinstance(parent, ast.Call):
        around = module.source.parent(parent)
        return parent.func is model and not (isinstance(around, ast.Attribute) and around.attr != "save")
    return isinstance(parent, ast.Attribute) and django.is_manager(module.type_of(parent), module)


def historical_name(use: ModelUse) -> tuple[str, str] | None:
    """The app label and name with which `apps.get_model` gives the model, where the function can use that.

    None where the migration need not know the app, or where the function uses what only the class of
    today has: a `save` of its own or of a library, methods, constants and managers.
    """
    module = use.function.module
    label = django_models.label_of(use.model)
    if label is None or label not in _known_apps(module):
        return None
    if not django_models.is_closed(use.model) or use.model.method("save") is not None:
        return None
    for node in use.uses:
        parent = module.source.parent(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            continue
        if not (
            isinstance(node, ast.Name) and isinstance(parent, ast.Attribute) and parent.attr in _MANAGERS
        ):
            return None
        if not _is_plain(module, parent):
            return None
    if any(_may_be_model(node, use) for node in use.function.own(ast.Name)):
        return None  # a row of a historical model takes no rows of others
    return label, use.model.node.name


def _may_be_model(node: ast.Name, use: ModelUse) -> bool:
    """Whether a name may be that of another model, by the way it is written and where it comes from."""
    if not node.id[:1].isupper() or node in use.uses:
        return False
    name = use.function.module.qualified_name(node) or ""
    return not name.startswith(("django.db.models.", "django.utils.", "builtins."))


def _is_plain(module: Module, manager: ast.expr) -> bool:
    known = module.type_of(manager)
    return known is not None and known.name == django.MANAGER and known.fact is None


def _known_apps(module: Module) -> frozenset[str]:
    """The labels of the migration's own app and of those that it depends on."""
    own = django_models.app_label(module)
    found = {own} if own is not None else set()
    for node in module.source.nodes(ast.ClassDef):
        for binding in module.class_info_of(node).scope.bindings.get("dependencies", ()):
            for item in binding.value.elts if isinstance(binding.value, (ast.List, ast.Tuple)) else ():
                match item:
                    case ast.Tuple(elts=[ast.Constant(value=str(label)), _]):
                        found.add(label)
    return frozenset(found)


def state_parameter(function: FunctionInfo) -> str | None:
    """The parameter that holds the historical apps: the first of two of a function that `RunPython` calls."""
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    return positional[0].arg if len(positional) == 2 and positional[0].arg != "self" else None
