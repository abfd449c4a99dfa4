"""The names of Django's URL patterns by namespace, as far as the URLconfs of a project are written out."""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, field

from pybackend_lint.frameworks import django_models, django_urls
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Binding

REVERSING = ("reverse", "reverse_lazy", "redirect", "resolve_url")
_REVERSE = frozenset({"django.urls.reverse", "django.urls.reverse_lazy"})
_RESOLVE = frozenset({"django.shortcuts.redirect", "django.shortcuts.resolve_url"})
_WITHOUT_NAMES = frozenset(
    {"django.conf.urls.static.static", "django.contrib.staticfiles.urls.staticfiles_urlpatterns"}
)
_SAME_PATTERNS = frozenset(
    {"django.conf.urls.i18n.i18n_patterns", "rest_framework.urlpatterns.format_suffix_patterns"}
)
_NAMES_OF_LIBRARIES = {
    "django.contrib.auth.urls": frozenset(
        {"login", "logout", "password_change", "password_change_done", "password_reset",
         "password_reset_complete", "password_reset_confirm", "password_reset_done"}
    ),
    "django.conf.urls.i18n": frozenset({"set_language"}),
    # those that declare a namespace of their own
    "debug_toolbar.urls": frozenset(),
    "rest_framework.urls": frozenset(),
    "oauth2_provider.urls": frozenset(),
    "social_django.urls": frozenset(),
}  # fmt: skip


# What a router's class says when it names patterns in its own way.
_NAMING = ("get_urls", "get_routes", "routes", "get_default_basename")


@dataclass
class Names:
    """The names of patterns below one namespace, or below none.

    - `is_open`: there may be others, because a part of the URLconf is not known.
    - `has_routers`: routers of Django REST framework add others, all with a hyphen.
    """

    known: set[str] = field(default_factory=set)
    is_open: bool = False
    has_routers: bool = False

    def add(self, other: Names) -> None:
        """Take over what another URLconf has."""
        self.known |= other.known
        self.is_open = self.is_open or other.is_open
        self.has_routers = self.has_routers or other.has_routers

    def may_have(self, name: str) -> bool:
        """Whether a pattern may have a name."""
        return self.is_open or name in self.known or (self.has_routers and "-" in name)


@dataclass
class Project:
    """The names of all URLconfs of a project: by their last namespace, and those below none by module."""

    spaces: dict[str, Names] = field(default_factory=dict)
    modules: dict[str, Names] = field(default_factory=dict)
    all: set[str] = field(default_factory=set)

    def space(self, name: str) -> Names:
        """The names below a namespace."""
        return self.spaces.setdefault(name, Names())


def unknown_name(call: ast.Call, module: Module) -> tuple[str, Names] | None:
    """The name that a call of `reverse` or `redirect` asks for in vain, and the names that there are."""
    callee = module.qualified_name(call.func)
    if callee not in _REVERSE and callee not in _RESOLVE:
        return None
    match call.args:
        case [ast.Constant(value=str(text))]:
            pass
        case [ast.Constant(value=str(text)), *_] if callee in _RESOLVE:
            pass
        case _:
            return None
    given = {keyword.arg for keyword in call.keywords}
    if not text or given & {None, "urlconf"} or (callee in _RESOLVE and ("/" in text or "." in text)):
        return None
    index = module.modules
    if not isinstance(index, Index) or _is_guarded(call, module):
        return None
    project = _project(index, module)
    namespace, _, name = text.rpartition(":")
    if namespace:
        space = project.spaces.get(namespace.rpartition(":")[2])
        return (text, space) if space is not None and not space.may_have(name) else None
    if name in project.all:
        return None
    root = django_models.settings_value(module, "ROOT_URLCONF")
    top = index.import_module(root, module) if isinstance(root, str) else None
    names = project.modules.get(top.name) if top is not None else None
    return (text, names) if names is not None and not names.may_have(name) else None


def _is_guarded(call: ast.Call, module: Module) -> bool:
    """Whether a handler around a call expects that there is no such name."""
    return any(
        isinstance(ancestor, ast.Try)
        and any("NoReverseMatch" in module.source.segment(handler) for handler in ancestor.handlers)
        for ancestor in module.source.ancestors(call)
    )


def _project(index: Index, module: Module) -> Project:
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("url names", root), lambda: _collect(index, module))


def _collect(index: Index, module: Module) -> Project:
    project = Project()
    for other in django_urls.urlconfs(index, module):
        _names_of(other, project, ())
        for pattern in django_urls.patterns(other):
            name = _constant(django_urls.argument(pattern.call, 3, "name"))
            if name is not None:
                project.all.add(name)
    return project


def _names_of(module: Module, project: Project, seen: tuple[str, ...]) -> Names:
    """The names of a module's URLconf below no namespace of its own."""
    known = project.modules.get(module.name)
    if known is not None:
        return known
    if module.name in seen:
        return Names(is_open=True)
    names = Names()
    bindings = module.scope.bindings.get("urlpatterns", [])
    if not bindings:
        names.is_open = True
    for binding in bindings:
        names.add(_names_of_binding(binding, module, project, (*seen, module.name)))
    for method in ("append", "extend", "insert"):
        for call in module.source.calls.get(method, ()):
            match call.func:
                case ast.Attribute(value=ast.Name(id="urlpatterns")):
                    for argument in call.args[-1:]:
                        names.add(_names_in(argument, module, project, (*seen, module.name)))
    project.modules[module.name] = names
    space = _app_name(module)
    if space is not None:
        project.space(space).add(names)
    return names


def _names_of_binding(binding: Binding, module: Module, project: Project, seen: tuple[str, ...]) -> Names:
    if binding.kind not in {"assign", "augmented"} or binding.value is None or binding.path:
        return Names(is_open=True)
    return _names_in(binding.value, module, project, seen)


def _app_name(module: Module) -> str | None:
    bindings = module.scope.bindings.get("app_name", [])
    return _constant(bindings[0].value) if len(bindings) == 1 else None


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _names_in(node: ast.expr, module: Module, project: Project, seen: tuple[str, ...]) -> Names:
    """The names of the patterns that an expression holds: a list, a sum of lists or one pattern."""
    names = Names()
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            for item in items:
                names.add(_names_in(item, module, project, seen))
        case ast.Starred(value=value):
            return _names_in(value, module, project, seen)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            names.add(_names_in(left, module, project, seen))
            names.add(_names_in(right, module, project, seen))
        case ast.IfExp(body=one, orelse=other):
            names.add(_names_in(one, module, project, seen))
            names.add(_names_in(other, module, project, seen))
        case ast.Call(func=func, args=args):
            callee = module.qualified_name(func)
            if callee in _SAME_PATTERNS:
                for item in args:
                    names.add(_names_in(item, module, project, seen))
            elif callee not in _WITHOUT_NAMES:
                return _names_of_pattern(node, module, project, seen)
        case ast.Attribute(attr="urls"):
            names.has_routers = True
            names.is_open = not _is_router(node.value, module)
        case ast.Name() | ast.Attribute():
            return _names_of_variable(node, module, project, seen)
        case _:
            names.is_open = True
    return names


def _is_router(node: ast.expr, module: Module) -> bool:
    """Whether a value is a router of Django REST framework that names its patterns as those do."""
    known = module.type_of(node)
    info = module.modules.class_info(known.name) if known is not None else None
    if known is None or (info is not None and (not info.is_closed or any(map(info.member, _NAMING)))):
        return False
    bases = info.libraries if info is not None else {known.name}
    return any(
        base.startswith(("rest_framework.routers.", "rest_framework_nested.routers.")) for base in bases
    )


def _names_of_variable(
    node: ast.Name | ast.Attribute, module: Module, project: Project, seen: tuple[str, ...]
) -> Names:
    name = module.qualified_name(node)
    found = module.modules.variable_bindings(name) if name is not None else None
    if found is None or name is None or name in seen:
        return Names(is_open=True)
    names = Names()
    for binding in found[1]:
        names.add(_names_of_binding(binding, found[0], project, (*seen, name)))
    local = name.rpartition(".")[2]
    if any(
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == local
        for method in ("append", "extend", "insert")
        for call in found[0].source.calls.get(method, ())
    ):
        names.is_open = True
    return names


def _names_of_pattern(call: ast.Call, module: Module, project: Project, seen: tuple[str, ...]) -> Names:
    """The names that one pattern adds below the namespaces around it; its own go into the project."""
    view = django_urls.argument(call, 1, "view")
    if not django_urls.is_pattern(call, module) or view is None:
        return Names(is_open=True)
    names = Names()
    if isinstance(view, ast.Call) and django_urls.is_include(view, module):
        return _names_of_include(view, module, project, seen)
    if isinstance(view, ast.Attribute) and view.attr == "urls":
        return names  # of a site, which has a namespace
    if isinstance(view, ast.Tuple):
        return Names(is_open=True)
    written = django_urls.argument(call, 3, "name")
    if written is not None and not (isinstance(written, ast.Constant) and written.value is None):
        name = _constant(written)
        names.is_open = name is None
        names.known.update({name} if name is not None else ())
    return names


def _names_of_include(call: ast.Call, module: Module, project: Project, seen: tuple[str, ...]) -> Names:
    kind, target = django_urls.included(call, module)
    names = Names(is_open=True)
    spaces = {_constant(django_urls.argument(call, 1, "namespace"))}
    is_named = django_urls.argument(call, 1, "namespace") is not None
    given = django_urls.argument(call, 0, "arg")
    if isinstance(given, ast.Tuple) and len(given.elts) > 1:
        is_named = True
        spaces.add(_constant(given.elts[1]))
    if isinstance(target, Module):
        names = _names_of(target, project, seen)
        is_named = is_named or "app_name" in target.scope.bindings
        spaces.add(_app_name(target))
    elif isinstance(target, ast.expr):
        names = _names_in(target, module, project, seen)
    elif kind == "library" and target in _NAMES_OF_LIBRARIES and not is_named:
        names = Names(set(_NAMES_OF_LIBRARIES[target]))
    if not is_named:
        return names
    for space in spaces - {None}:
        project.space(space or "").add(names)
    return Names()
