"""The names of Django's URL patterns by namespace, as far as the URLconfs of a project are written out."""

from __future__ import annotations

import ast
import os
from collections.abc import Set
from dataclasses import dataclass, field

from pybackend_lint.frameworks import django_models, django_urls
from pybackend_lint.frameworks.django_urls import Pattern
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Binding

REVERSING = ("reverse", "reverse_lazy", "redirect", "resolve_url")
_REVERSE = frozenset({"django.urls.reverse", "django.urls.reverse_lazy"})
_REDIRECT_VIEW = "django.views.generic.RedirectView"
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

    - `known`: the patterns of each name, None for one of a library.
    - `is_open`: there may be others, because a part of the URLconf is not known.
    - `has_routers`: routers of Django REST framework add others, all with a hyphen.
    """

    known: dict[str, list[Pattern | None]] = field(default_factory=dict)
    is_open: bool = False
    has_routers: bool = False

    def add(self, other: Names) -> None:
        """Take over what another URLconf has."""
        for name, patterns in other.known.items():
            mine = self.known.setdefault(name, [])
            mine += [pattern for pattern in patterns if pattern not in mine]
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
    all: dict[str, list[Pattern | None]] = field(default_factory=dict)

    def space(self, name: str) -> Names:
        """The names below a namespace."""
        return self.spaces.setdefault(name, Names())


@dataclass(frozen=True, eq=False)
class Refused:
    """A call of `reverse` or `redirect` for which there is no URL.

    - `node`: the text that says what it asks for; `names`: those of the namespace it asks in.
    - `pattern`: the first pattern of this name, which takes other arguments; None when none has the name.
    - `renamed`: the argument that is given under another name than the pattern has for it, and that name.
    """

    node: ast.Constant
    names: Names
    pattern: Pattern | None = None
    renamed: tuple[ast.Constant | ast.keyword, str] | None = None

    @property
    def name(self) -> str:
        """What the call asks for, with its namespaces."""
        return str(self.node.value)


def refused(call: ast.Call, module: Module) -> Refused | None:
    """What a call of `reverse` or `redirect` asks for in vain, None when it may find a URL."""
    callee = module.qualified_name(call.func)
    if callee not in _REVERSE and callee not in _RESOLVE:
        return None
    written = django_urls.argument(call, 0, "viewname" if callee in _REVERSE else "to")
    text = _constant(written)
    if not isinstance(written, ast.Constant) or text is None or (callee in _REVERSE and len(call.args) > 1):
        return None
    given = {keyword.arg for keyword in call.keywords}
    if not text or given & {None, "urlconf"} or (callee in _RESOLVE and ("/" in text or "." in text)):
        return None
    if _is_guarded(call, module):
        return None
    asked = _asked(written, module)
    if isinstance(asked, Refused) or asked is None:
        return asked
    return _with_other_arguments(call, callee, written, *asked)


def refused_target(node: ast.ClassDef | ast.Call, module: Module) -> Refused | None:
    """The `pattern_name` of a `RedirectView`, of a class or given to `as_view()`, that no pattern has."""
    written: ast.expr | None = None
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        written = next((word.value for word in node.keywords if word.arg == "pattern_name"), None)
        name = module.qualified_name(owner) if owner is not None and written is not None else None
        info = module.modules.class_info(name) if name is not None else None
        if name != _REDIRECT_VIEW and (info is None or not info.is_a(_REDIRECT_VIEW)):
            return None
    else:
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id="pattern_name")], value=value):
                    written = value
        if written is None or not module.class_info_of(node).is_a(_REDIRECT_VIEW):
            return None
    if not isinstance(written, ast.Constant) or not _constant(written):
        return None
    asked = _asked(written, module)
    return asked if isinstance(asked, Refused) else None


def _asked(written: ast.Constant, module: Module) -> Refused | tuple[Names, list[Pattern | None]] | None:
    """The names of the namespace that a text asks in, with the patterns that it means there.

    None where there may be others.
    """
    index = module.modules
    if not isinstance(index, Index):
        return None
    project = _project(index, module)
    namespace, _, name = str(written.value).rpartition(":")
    if namespace:
        space = project.spaces.get(namespace.rpartition(":")[2])
        if space is None:
            return None
        if not space.may_have(name):
            return Refused(written, space)
        return space, [] if space.has_routers and "-" in name else space.known.get(name, [])
    root = django_models.settings_value(module, "ROOT_URLCONF")
    top = index.import_module(root, module) if isinstance(root, str) else None
    names = project.modules.get(top.name) if top is not None else None
    if names is None or names.may_have(name) or name in project.all:
        if names is None or name not in names.known or (names.has_routers and "-" in name):
            return None
        return names, [*project.all.get(name, []), *(item for item in names.known[name] if item is None)]
    return Refused(written, names)


def _with_other_arguments(
    call: ast.Call, callee: str, written: ast.Constant, names: Names, patterns: list[Pattern | None]
) -> Refused | None:
    """The first pattern of a name when all of them take other arguments than a call gives."""
    given = _given_to_redirect(call) if callee in _RESOLVE else _given_to_reverse(call)
    if given is None or not patterns:
        return None
    count, places = given
    if any(pattern is None or _may_take(pattern, count, places.keys()) for pattern in patterns):
        return None
    pattern = patterns[0]
    needed = (pattern.names or frozenset()) - pattern.extra if pattern is not None else frozenset()
    match sorted(needed - places.keys()), sorted(places.keys() - needed):
        case [name], [other] if len(patterns) == 1 and not count:
            return Refused(written, names, pattern, (places[other], name))
    return Refused(written, names, pattern)


_Given = tuple[int, dict[str, ast.Constant | ast.keyword]]


def _given_to_redirect(call: ast.Call) -> _Given | None:
    """How many positional arguments for the URL a call has, and where the others are named."""
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    ours = {None, "to", "permanent", "preserve_request"}
    places = {keyword.arg: keyword for keyword in call.keywords if keyword.arg and keyword.arg not in ours}
    return max(len(call.args) - 1, 0), {**places}


def _given_to_reverse(call: ast.Call) -> _Given | None:
    count, places = 0, dict[str, ast.Constant | ast.keyword]()
    for keyword in call.keywords:
        match keyword.arg, keyword.value:
            case (("args" | "kwargs"), ast.Constant(value=None)):
                pass
            case "args", ast.List(elts=items) | ast.Tuple(elts=items):
                if any(isinstance(item, ast.Starred) for item in items):
                    return None
                count = len(items)
            case "kwargs", ast.Dict(keys=keys):
                for key in keys:
                    name = _constant(key)
                    if not isinstance(key, ast.Constant) or name is None:
                        return None
                    places[name] = key
            case (("args" | "kwargs"), _):
                return None
    return count, places


def _may_take(pattern: Pattern, count: int, given: Set[str]) -> bool:
    """Whether a pattern may have a URL for some positional arguments or for some named ones."""
    around = django_urls.passed_around(pattern)
    if pattern.names is None or pattern.unnamed or around is None or (count and given):
        return True
    if b"format_suffix_patterns" in pattern.module.source.data:
        return True
    required = pattern.names - pattern.extra - pattern.optional
    if count:
        return len(required) <= count <= len((pattern.names - pattern.extra) | around)
    return required <= given <= pattern.names | around


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
                project.all.setdefault(name, []).append(pattern)
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
        if name is not None:
            names.known[name] = [pattern for pattern in django_urls.patterns(module) if pattern.call is call]
    return names


def _names_of_include(call: ast.Call, module: Module, project: Project, seen: tuple[str, ...]) -> Names:
    kind, target = django_urls.included(call, module)
    names = Names(is_open=True)
    spaces = {_constant(django_urls.argument(call, 1, "namespace"))}
    is_named = django_urls.argument(call, 1, "namespace") is not None
    given = django_urls.included_pair(call, module)
    if given is not None:
        is_named = True
        spaces.add(_constant(given.elts[1]))
    if isinstance(target, Module):
        names = _names_of(target, project, seen)
        is_named = is_named or "app_name" in target.scope.bindings
        spaces.add(_app_name(target))
    elif isinstance(target, ast.expr):
        names = _names_in(target, module, project, seen)
    elif kind == "library" and target in _NAMES_OF_LIBRARIES and not is_named:
        names = Names({name: [None] for name in _NAMES_OF_LIBRARIES[target]})
    if not is_named:
        return names
    for space in spaces - {None}:
        project.space(space or "").add(names)
    return Names()
