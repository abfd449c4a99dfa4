"""Which keys of FastAPI's `dependency_overrides` no route depends on."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_CACHES = frozenset({"functools.cache", "functools.lru_cache"})  # what they give is named like the function
_MOST_FILES = 150  # that mention a name and are looked at


@dataclass(frozen=True, slots=True)
class UnusedKey:
    """A function that is no dependency: where it is defined, and functions of its name that are one."""

    definition: Related
    dependencies: tuple[Related, ...]


def overridden(node: ast.Attribute, module: Module) -> list[ast.expr]:
    """The keys that a use of `dependency_overrides` sets."""
    parent = module.source.parent(node)
    match parent:
        case ast.Subscript(value=value, slice=key, ctx=ast.Store()) if value is node:
            return [key]
        case ast.Call(func=ast.Attribute(attr="setitem"), args=[first, key, _]) if first is node:
            return [key]
        case ast.Assign(value=ast.Dict(keys=keys)):
            return [key for key in keys if key is not None]
        case ast.Attribute(attr="update"):
            match module.source.parent(parent):
                case ast.Call(args=[ast.Dict(keys=keys)]):
                    return [key for key in keys if key is not None]
    return []


def unused_key(key: ast.expr, module: Module) -> UnusedKey | None:
    """The function of the project that a key names, when nothing can depend on it.

    Wherever the project names it, it calls it: a dependency is named without being called, by
    `Depends`, in an annotation or in any other way.
    """
    index = module.modules
    name = module.qualified_name(key)
    if name is None or not isinstance(index, Index):
        return None
    function = index.function_info(name)
    if function is None or function.owner is not None or not _CACHES.issuperset(function.decorators):
        return None
    home = function.module
    root = index.layout.project_root(index.path_of(module).rpartition("/")[0])
    if not index.path_of(home).startswith(root) or home is module:
        return None
    paths = files_with(index, module, function.node.name.encode())
    if len(paths) > _MOST_FILES:
        return None
    dependencies: list[Related] = []
    for path in paths:
        other = index.at(path, module)
        if other is None or _may_depend(other, function.node.name, name):
            return None
        dependencies += _namesakes(other, function.node.name)
    if _is_read_by_computed_name(home, module, index):
        return None
    place = home.source.position(home.source.start(function.node))
    definition = Related(home.source.path, place, f"`{function.node.name}` is never named by `Depends`")
    return UnusedKey(definition, tuple(dependencies))


def _is_read_by_computed_name(home: Module, asker: Module, index: Index) -> bool:
    """Whether the project asks a module for names that it computes, such as `getattr(database, name)`."""
    mentioned = set(files_with(index, asker, home.name.rpartition(".")[2].encode()))
    for path in sorted(mentioned.intersection(files_with(index, asker, b"getattr"))):
        other = index.at(path, asker)
        if other is None:
            continue
        for call in other.source.calls.get("getattr", ()):
            if len(call.args) > 1 and not isinstance(call.args[1], ast.Constant):
                if other.qualified_name(call.args[0]) == home.name:
                    return True
    return False


def _may_depend(module: Module, name: str, qualified: str) -> bool:
    """Whether a module may hand a function on instead of calling it."""
    source = module.source
    uses: list[ast.Name | ast.Attribute] = [*source.nodes(ast.Name), *source.nodes(ast.Attribute)]
    for node in uses:
        written = node.id if isinstance(node, ast.Name) else node.attr
        if written != name or not isinstance(node.ctx, ast.Load) or _is_called_or_key(node, module):
            continue
        known = module.qualified_name(node)
        if known is None or known == qualified or not module.modules.owns(known):
            return True
    for statement in source.nodes(ast.ImportFrom):
        for alias in statement.names:
            if alias.asname is not None and alias.name == name and alias.asname != name:
                return True
    return any(node.value == name and not _is_exported(node, module) for node in source.nodes(ast.Constant))


def _is_called_or_key(node: ast.expr, module: Module) -> bool:
    parent = module.source.parent(node)
    match parent:
        case ast.Call(func=func):
            if func is node:
                return True
            match func:
                case ast.Attribute(attr="setitem"):
                    return _is_overrides(parent.args[0])
                case ast.Attribute(value=holder, attr="pop"):
                    return _is_overrides(holder)
        case ast.Subscript(value=holder):
            return _is_overrides(holder)
        case ast.Attribute(attr="cache_clear" | "cache_info"):
            return True
        case ast.Dict(keys=keys) if node in keys:
            return any(
                isinstance(other, ast.Attribute) and other.attr == "dependency_overrides"
                for other in module.source.nodes(ast.Attribute)
            )
    return False


def _is_overrides(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "dependency_overrides"


def _is_exported(node: ast.Constant, module: Module) -> bool:
    exported = module.exports_all
    return exported is not None and node.value in exported


def _namesakes(module: Module, name: str) -> list[Related]:
    """Other functions of this name that a module gives to `Depends`."""
    found: list[Related] = []
    for call in module.source.calls.get("Depends", ()):
        for argument in call.args:
            if not isinstance(argument, (ast.Name, ast.Attribute)):
                continue
            known = module.qualified_name(argument) or ""
            function = module.modules.function_info(known)
            if known.rpartition(".")[2] == name and function is not None:
                assert isinstance(function.node, FUNCTIONS)
                source = module.source
                place = source.position(source.start(argument))
                found.append(Related(source.path, place, f"depends on `{known}`"))
    return found
