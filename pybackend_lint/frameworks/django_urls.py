"""Django's URLconfs: routes, the arguments they pass to views, includes, names and namespaces."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks.django_web import VIEW, literal_names, passes_arguments_on
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function
from pybackend_lint.semantic.types import Kind

PATTERN_NAMES = ("path", "re_path", "url")
_PATHS = frozenset({"django.urls.path", "django.urls.conf.path"})
_REGULAR = frozenset({"django.urls.re_path", "django.urls.conf.re_path", "django.conf.urls.url"})
_INCLUDES = frozenset({"django.urls.include", "django.urls.conf.include", "django.conf.urls.include"})
_PARAMETER = re.compile(r"<(?:([^>:]+):)?([^>]+)>")  # `django.urls.resolvers._PATH_PARAMETER_COMPONENT_RE`
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
# Decorators of function views that hand on exactly the arguments of the URL.
_HAND_ON = frozenset(
    f"rest_framework.decorators.{name}"
    for name in (
        "api_view", "permission_classes", "authentication_classes", "throttle_classes", "renderer_classes",
        "parser_classes", "schema",
    )
) | {
    # these give back the function itself, with a note for the generated documentation
    "drf_spectacular.utils.extend_schema", "drf_yasg.utils.swagger_auto_schema",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pattern:
    """One call of `path` or `re_path`.

    - `route`: its text, None when it is not constant; `names`: the arguments that its own text and its
      extra dictionary pass, None where they are not known; `extra`: those of the dictionary.
    - `optional`: those of the names that a regular expression passes for some URLs only.
    - `unnamed`: whether groups without name pass positional arguments.
    """

    module: Module
    call: ast.Call
    is_regex: bool
    route: str | None
    names: frozenset[str] | None
    extra: frozenset[str]
    optional: frozenset[str]
    unnamed: bool
    view: ast.expr | None


def patterns(module: Module) -> list[Pattern]:
    """All patterns that a module writes down, in source order, wherever they stand."""
    index = module.modules
    if isinstance(index, Index):
        return index.fact(("url patterns", module.name, id(module.source)), lambda: _patterns(module))
    return _patterns(module)


def _patterns(module: Module) -> list[Pattern]:
    found = [
        pattern
        for name in PATTERN_NAMES
        for call in module.source.calls.get(name, ())
        if (pattern := pattern_of(call, module)) is not None
    ]
    return sorted(found, key=lambda pattern: (pattern.call.lineno, pattern.call.col_offset))


def is_pattern(call: ast.Call, module: Module) -> bool:
    """Whether a call makes a pattern: `path`, `re_path` or the older `url`."""
    name = module.qualified_name(call.func)
    return name in _PATHS or name in _REGULAR


def is_include(call: ast.Call, module: Module) -> bool:
    """Whether a call is one of `include`."""
    return module.qualified_name(call.func) in _INCLUDES


def pattern_of(call: ast.Call, module: Module) -> Pattern | None:
    """The pattern that a call makes, None when it makes none."""
    name = module.qualified_name(call.func)
    if name not in _PATHS and name not in _REGULAR:
        return None
    is_regex = name in _REGULAR
    written = argument(call, 0, "regex" if name == "django.conf.urls.url" else "route")
    route = written.value if isinstance(written, ast.Constant) and isinstance(written.value, str) else None
    names, unnamed = _arguments(route, is_regex=is_regex)
    extra = _keys(argument(call, 2, "kwargs"))
    known = names | extra if names is not None and extra is not None else None
    optional = _optional_groups(route) if is_regex and names else frozenset()
    view = argument(call, 1, "view")
    return Pattern(module, call, is_regex, route, known, extra or frozenset(), optional, unnamed, view)


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """The argument of a call at a position or of a name; None when it is absent or hidden by unpacking."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position < len(call.args) and not any(isinstance(item, ast.Starred) for item in call.args):
        return call.args[position]
    return None


def _arguments(route: str | None, *, is_regex: bool) -> tuple[frozenset[str] | None, bool]:
    """The named arguments of a route, and whether it has unnamed ones."""
    if route is None:
        return None, False
    if not is_regex:
        return frozenset(name for _, name in _PARAMETER.findall(route)), False
    try:
        compiled = re.compile(route)
    except (re.error, RecursionError, OverflowError):
        return None, False
    return frozenset(compiled.groupindex), compiled.groups > len(compiled.groupindex)


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?P<(\w+)>)?|\)(?:[?*]|\{0)?|\|", re.DOTALL)


def _optional_groups(route: str | None) -> frozenset[str]:
    """The named groups of a valid regular expression without which it can match; Django leaves these out."""
    optional: set[str] = set()
    own: list[str] = [""]  # of the groups that are open
    inner: list[list[str]] = [[]]
    alternatives = [False]
    for token in _TOKEN.finditer(route or ""):
        text = token[0]
        if text.startswith("("):
            own.append(token[1] or "")
            inner.append([])
            alternatives.append(False)
        elif text == "|":
            alternatives[-1] = True
        elif text.startswith(")") and len(own) > 1:
            names = [name for name in (own.pop(),) if name]
            below = inner.pop()
            if alternatives.pop():
                optional.update(below)
            if len(text) > 1:
                optional.update(names + below)
            inner[-1] += names + below
    if alternatives[0]:
        optional.update(inner[0])
    return frozenset(optional)


def _keys(extra: ast.expr | None) -> frozenset[str] | None:
    """The keys of the dictionary of extra arguments; None where they are not known."""
    if extra is None or (isinstance(extra, ast.Constant) and extra.value is None):
        return frozenset()
    if not isinstance(extra, ast.Dict):
        return None
    keys = [key.value for key in extra.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return frozenset(keys) if len(keys) == len(extra.keys) else None


# Views


@dataclass(frozen=True, eq=False)
class Handler:
    """A function that gets the arguments of a URL: a view, or a method of a class-based one.

    `name` is what a reader knows it by, such as `OrderView.get`; `first` counts the parameters in front
    of those arguments.
    """

    name: str
    function: FunctionInfo
    first: int

    def accepts(self, name: str) -> bool:
        """Whether the function takes a keyword argument of a name."""
        arguments = self.function.node.args
        named = [*arguments.posonlyargs, *arguments.args][self.first :]
        keywords = [item for item in named if item not in arguments.posonlyargs] + arguments.kwonlyargs
        return arguments.kwarg is not None or any(item.arg == name for item in keywords)

    def required(self) -> list[str]:
        """The parameters behind the request that have no default."""
        positional = [*self.function.node.args.posonlyargs, *self.function.node.args.args]
        given = list(self.function.parameters())
        return [
            item.arg for item, default in given if default is None and item not in positional[: self.first]
        ]


def handlers(pattern: Pattern) -> list[Handler]:
    """The functions that certainly get the arguments of a pattern; empty where that is not certain."""
    view, module = pattern.view, pattern.module
    for _ in range(8):
        match view:
            case ast.Call(func=ast.Attribute(value=cls, attr="as_view"), args=arguments, keywords=keywords):
                if any(keyword.arg in {None, "http_method_names"} for keyword in keywords):
                    return []
                return _methods_of(cls, arguments, module)
            case ast.Call(func=decorator, args=[inner], keywords=[]) if passes_arguments_on(
                decorator, module
            ):
                view = inner
            case _:
                break
    name = module.qualified_name(view) if view is not None else None
    function = module.modules.function_info(name) if name is not None else None
    if function is None or function.owner is not None or not _hands_on_arguments(function):
        return []
    positional = [*function.node.args.posonlyargs, *function.node.args.args]
    return [Handler(function.node.name, function, 1)] if positional else []


def _methods_of(cls: ast.expr, arguments: list[ast.expr], module: Module) -> list[Handler]:
    """The methods of a class-based view that handle requests, where nothing changes their arguments."""
    info = module.class_named(cls)
    if info is None or not info.is_closed or not info.is_a(VIEW):
        return []
    for inner in ("dispatch", "setup", "initial", "initialize_request", "__init_subclass__", "as_view"):
        method = info.method(inner)
        if method is not None and not _passes_on(method.node, method.module):
            return []
    allowed = info.member("http_method_names")
    names = _METHODS if allowed is None else literal_names(allowed[1].value) if allowed[1].value else None
    if names is None:
        return []
    if arguments:
        actions = arguments[0]
        if not isinstance(actions, ast.Dict):
            return []
        names = tuple(str(item.value) for item in actions.values if isinstance(item, ast.Constant))
    found = []
    for each in names:
        function = _own_method(info, each)
        if function is not None and not function.is_static and _hands_on_arguments(function):
            found.append(Handler(f"{info.node.name}.{each}", function, 2))
    return found


def _own_method(info: ClassInfo, name: str) -> FunctionInfo | None:
    """The method that runs under a name, where no class of a library comes before it."""
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            return None
        if name in item.scope.bindings:
            return info.method(name)
    return None


def _hands_on_arguments(function: FunctionInfo) -> bool:
    """Whether all decorators call a function with the arguments that they get."""
    module = function.module
    for decorator, name in zip(function.node.decorator_list, function.decorators, strict=True):
        if passes_arguments_on(decorator, module) or name in _HAND_ON:
            continue
        known = module.modules.function_info(name) if name is not None else None
        if known is None or not _is_plain_decorator(known, called=isinstance(decorator, ast.Call)):
            return False
    return True


def _is_plain_decorator(decorator: FunctionInfo, *, called: bool) -> bool:
    """Whether the innermost function of a decorator hands on `*args, **kwargs` as they are."""
    module, current = decorator.module, decorator.node
    for _ in range(2 if called else 1):
        inner = [item for item in current.body if isinstance(item, FUNCTIONS)]
        if len(inner) != 1:
            return False
        current = inner[0]
    return current.args.kwarg is not None and _passes_on(current, module)


def _passes_on(function: Function, module: Module) -> bool:
    """Whether a function hands all keyword arguments on, and uses them for nothing else."""
    kwarg = function.args.kwarg
    if kwarg is None:
        return False
    uses = [
        node
        for node in module.function_info(function).own_nodes()
        if isinstance(node, ast.Name) and node.id == kwarg.arg
    ]
    parents = [module.source.parent(use) for use in uses]
    return bool(uses) and all(isinstance(item, ast.keyword) and item.arg is None for item in parents)


@dataclass(frozen=True, eq=False)
class Mismatch:
    """An argument that a URL passes and the function does not accept, or that it needs and nothing passes."""

    handler: Handler
    name: str
    is_missing: bool


def mismatches(pattern: Pattern) -> Iterator[Mismatch]:
    """The first argument of each handler of a pattern with which a call raises `TypeError`.

    Where a class stands behind several patterns, a method that one of them fits is not meant for the others,
    unless one of these fits no method at all.
    """
    known = handlers(pattern)
    found = list(_mismatches(pattern, known)) if known else []
    if len(found) == len(known):
        yield from found[:1]  # every request fails, for one reason or another
        return
    if found:
        others = [other for other in _patterns_of(pattern) if other.call is not pattern.call]
        found = [item for item in found if not any(_is_meant(item, other) for other in others)]
    yield from found


def _mismatches(pattern: Pattern, known: list[Handler]) -> Iterator[Mismatch]:
    if pattern.names is None:
        return
    around = passed_around(pattern)
    for handler in known:
        refused = sorted(name for name in pattern.names - pattern.optional if not handler.accepts(name))
        if refused:
            yield Mismatch(handler, refused[0], is_missing=False)
            continue
        if around is None or pattern.unnamed:
            continue
        missing = [name for name in handler.required() if name not in pattern.names | around]
        if missing:
            yield Mismatch(handler, missing[0], is_missing=True)


def _is_meant(mismatch: Mismatch, pattern: Pattern) -> bool:
    """Whether a method is rather for another pattern: one that it fits, or that passes the wrong name."""
    node = mismatch.handler.function.node
    same = [other for other in handlers(pattern) if other.function.node is node]
    if not same:
        return pattern.names is None
    found = list(_mismatches(pattern, same))
    return not found or (mismatch.is_missing and not found[0].is_missing)


def _patterns_of(pattern: Pattern) -> list[Pattern]:
    """The patterns of the project that lead to the same class-based view."""
    index, module = pattern.module.modules, pattern.module
    name = _class_of(pattern)
    if name is None or not isinstance(index, Index):
        return []
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("patterns of views", root), lambda: _patterns_by_class(index, module)).get(name, [])


def _patterns_by_class(index: Index, module: Module) -> dict[str, list[Pattern]]:
    found: dict[str, list[Pattern]] = {}
    for other in urlconfs(index, module):
        for pattern in patterns(other):
            name = _class_of(pattern)
            if name is not None:
                found.setdefault(name, []).append(pattern)
    return found


def _class_of(pattern: Pattern) -> str | None:
    """The qualified name of the class whose `as_view` a pattern calls."""
    view = pattern.view
    while isinstance(view, ast.Call):
        if isinstance(view.func, ast.Attribute) and view.func.attr == "as_view":
            return pattern.module.qualified_name(view.func.value)
        view = view.args[0] if len(view.args) == 1 else None
    return None


def patterns_to(function: FunctionInfo) -> list[Pattern]:
    """The patterns of the project that certainly lead to a function or to a method of a class-based view."""
    index, module = function.module.modules, function.module
    if not isinstance(index, Index):
        return []
    key = "patterns to a function", function.name, id(module.source)
    return index.fact(key, lambda: list(_patterns_to(function, index)))


def _patterns_to(function: FunctionInfo, index: Index) -> Iterator[Pattern]:
    view = function.owner.node.name if function.owner is not None else function.node.name
    for module in urlconfs(index, function.module):
        for pattern in patterns(module) if view.encode() in module.source.data else ():
            if any(handler.function.node is function.node for handler in handlers(pattern)):
                yield pattern


def converter(pattern: Pattern, name: str) -> str | None:
    """What a pattern lets through as an argument: a converter of `path`, or a group's regular expression."""
    if pattern.route is None:
        return None
    if not pattern.is_regex:
        kinds = {other: kind or "str" for kind, other in _PARAMETER.findall(pattern.route)}
        return kinds.get(name)
    found = re.search(rf"\(\?P<{re.escape(name)}>((?:\\.|\[[^\]]*\]|[^()\\\[])*)\)", pattern.route)
    return found[1] if found is not None else None


def passed_around(pattern: Pattern) -> frozenset[str] | None:
    """The arguments that the includes around a pattern may pass; None where they are not all known."""
    names, container = _names_around(pattern.call, pattern.module)
    above = _names_above(pattern.module, container, ()) if container is not None else None
    return names | above if names is not None and above is not None else None


def _names_around(call: ast.AST, module: Module) -> tuple[frozenset[str] | None, str | None]:
    """The arguments of the patterns around a call in the same list, and the variable that holds the list."""
    names: frozenset[str] | None = frozenset()
    for ancestor in module.source.ancestors(call):
        match ancestor:
            case ast.Call():
                outer = pattern_of(ancestor, module)
                if outer is not None:
                    passed = outer.names if not outer.unnamed else None
                    names = names | passed if names is not None and passed is not None else None
                elif module.qualified_name(ancestor.func) not in _INCLUDES | {_I18N}:
                    return None, None
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AugAssign(target=ast.Name(id=target)):
                return names, target
            case ast.AnnAssign(target=ast.Name(id=target)):
                return names, target
            case ast.stmt():
                return None, None
    return None, None


_I18N = "django.conf.urls.i18n.i18n_patterns"


def _names_above(module: Module, container: str, seen: tuple[str, ...]) -> frozenset[str] | None:
    """The arguments of patterns that include a list of a module; None where they are not all known."""
    key = module.name if container == "urlpatterns" else f"{module.name}.{container}"
    table = _inclusions(module)
    if table is None or key in seen or len(seen) > 6:
        return None
    found = table.get(key, [])
    if container != "urlpatterns" and not found:
        return None
    names: frozenset[str] = frozenset()
    for place, other in found:
        around, outer = _names_around(place, other)
        above = _names_above(other, outer, (*seen, key)) if outer is not None else None
        if around is None or above is None:
            return None
        names |= around | above
    return names


_Inclusions = dict[str, list[tuple[ast.expr, Module]]]


def _inclusions(module: Module) -> _Inclusions | None:
    """Where a project's URLconfs include modules or use lists, by what they use; None if one is unknown."""
    index = module.modules
    if not isinstance(index, Index):
        return None
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("url includes", root), lambda: _find_inclusions(index, module))


def _find_inclusions(index: Index, module: Module) -> _Inclusions | None:
    found: _Inclusions = {}
    for other in urlconfs(index, module):
        for call in other.source.calls.get("include", ()):
            if not is_include(call, other):
                continue
            kind, target = included(call, other)
            if kind == "unknown":
                return None
            if isinstance(target, Module):
                found.setdefault(target.name, []).append((call, other))
        for used in _lists_used(other):
            name = other.qualified_name(used)
            if name is not None:
                found.setdefault(name.removesuffix(".urlpatterns"), []).append((used, other))
    return found


def _lists_used(module: Module) -> Iterator[ast.expr]:
    """Where a module reads lists of its own, or things that it imports from others by name."""
    names = {
        alias.asname or alias.name for node in module.source.nodes(ast.ImportFrom) for alias in node.names
    }
    for assigned in module.source.nodes(ast.Assign):
        if isinstance(assigned.value, (ast.List, ast.BinOp, ast.Call)):
            names.update(target.id for target in assigned.targets if isinstance(target, ast.Name))
    for name in module.source.nodes(ast.Name):
        if name.id in names and isinstance(name.ctx, ast.Load) and _is_listed(name, module):
            yield name
    for attribute in module.source.nodes(ast.Attribute):
        if attribute.attr == "urlpatterns" or (
            isinstance(attribute.ctx, ast.Load) and _is_included_alone(attribute, module)
        ):
            yield attribute


def _is_listed(name: ast.Name, module: Module) -> bool:
    """Whether a name is read as a list may be: not called, and no attribute of it is read."""
    parent = module.source.parent(name)
    return not (isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is name))


def _is_included_alone(attribute: ast.Attribute, module: Module) -> bool:
    parent = module.source.parent(attribute)
    return isinstance(parent, ast.Call) and attribute in parent.args[:1] and is_include(parent, module)


def urlconfs(index: Index, module: Module) -> Iterator[Module]:
    """The modules of a project that mention `urlpatterns`, but for tests."""
    root = index.layout.workspace_root(os.path.dirname(index.path_of(module)))
    for path in files_with(index, module, b"urlpatterns"):
        other = None if is_test_file(path, root) else index.at(path, module)
        if other is not None:
            yield other


def included_pair(call: ast.Call, module: Module) -> ast.Tuple | None:
    """The patterns and the namespace that a call of `include` is given together, in place or by a name."""
    given = argument(call, 0, "arg")
    if isinstance(given, ast.Name):
        bindings = module.scope.bindings.get(given.id, [])
        given = bindings[0].value if len(bindings) == 1 and not bindings[0].path else None
    return given if isinstance(given, ast.Tuple) and len(given.elts) > 1 else None


def included(call: ast.Call, module: Module) -> tuple[str, Module | str | ast.expr | None]:
    """What a call of `include` includes: a `module`, a `library`'s, a `list` in place, or `unknown`."""
    pair = included_pair(call, module)
    target = pair.elts[0] if pair is not None else argument(call, 0, "arg")
    match target:
        case ast.Constant(value=str(dotted)):
            found = module.modules.import_module(dotted, module)
            if found is not None:
                return "module", found
            top = module.modules.import_module(dotted.partition(".")[0], module)
            return ("unknown", None) if top is not None else ("library", dotted)
        case ast.List() | ast.ListComp():
            return "list", target
        case ast.Name() | ast.Attribute():
            known = module.type_of(target)
            if known is not None and known.kind is Kind.MODULE:
                found = module.modules.module(known.name)
                return ("module", found) if found is not None else ("library", known.name)
            name = module.qualified_name(target)
            if name is not None and module.modules.variable_bindings(name) is not None:
                return "list", target
            return (
                ("library", name) if name is not None and not module.modules.owns(name) else ("list", target)
            )
    return "unknown", None


# Duplicates


def duplicates(module: Module) -> list[tuple[Pattern, Pattern]]:
    """Pairs of patterns in one list of which the second matches nothing that the first does not match.

    Both lead to views, and to different ones: a second name for the same view can be on purpose.
    """
    found: list[tuple[Pattern, Pattern]] = []
    lists: dict[tuple[int, str], dict[tuple[bool, str], Pattern]] = {}
    for pattern in patterns(module):
        place = _list_of(pattern)
        if place is None or pattern.route is None or pattern.view is None or _is_include(pattern):
            continue
        route = pattern.route if pattern.is_regex else _PARAMETER.sub(r"<\1>", pattern.route)
        known = lists.setdefault(place, {})
        earlier = known.get((pattern.is_regex, route))
        if earlier is None and _is_view(pattern.view, module):
            known[(pattern.is_regex, route)] = pattern
        elif earlier is not None and earlier.view is not None:
            source = module.source
            if source.segment(earlier.view) != source.segment(pattern.view):
                found.append((earlier, pattern))
    return found


def _is_include(pattern: Pattern) -> bool:
    view, module = pattern.view, pattern.module
    if isinstance(view, ast.Call):
        return is_include(view, module)
    return isinstance(view, ast.Tuple) or (isinstance(view, ast.Attribute) and view.attr == "urls")


def _is_view(view: ast.expr, module: Module) -> bool:
    """Whether an expression is certainly a view, and not what some function of the project includes."""
    match view:
        case ast.Name() | ast.Attribute() | ast.Lambda() | ast.Call(func=ast.Attribute(attr="as_view")):
            return True
        case ast.Call(func=decorator):
            return passes_arguments_on(decorator, module)
    return False


def _list_of(pattern: Pattern) -> tuple[int, str] | None:
    """What tells the list that a pattern stands in from others, where it certainly becomes part of it.

    A list in place counts by itself; those that are added to one variable of the module by `+=` count
    together.
    """
    source = pattern.module.source
    parent = source.parent(pattern.call)
    if not isinstance(parent, (ast.List, ast.Tuple)):
        return None
    around = source.parent(parent)
    while isinstance(around, ast.BinOp) and isinstance(around.op, ast.Add):
        around = source.parent(around)
    match around:
        case ast.AugAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            if isinstance(source.parent(around), ast.Module):
                return 0, name
    return id(parent), ""


# Views that are no functions


@dataclass(frozen=True, slots=True, eq=False)
class UncalledView:
    """A class-based view that a pattern leads to without what `as_view()` gives.

    - `node`: the expression; `cls`: the part of it that names the class.
    """

    node: ast.expr
    cls: ast.expr


def uncalled_view(call: ast.Call, module: Module) -> UncalledView | None:
    """The class, instance or `as_view` itself that a pattern has in place of a view function, or None."""
    if not is_pattern(call, module):
        return None
    view = argument(call, 1, "view")
    for _ in range(4):
        match view:
            case ast.Call(func=decorator, args=[inner], keywords=[]) if passes_arguments_on(
                decorator, module
            ):
                view = inner
            case _:
                break
    cls = view
    if isinstance(view, ast.Attribute) and view.attr == "as_view":
        cls = view.value
    elif isinstance(view, ast.Call) and not view.args:
        cls = view.func
    if view is None or cls is None or not _is_plain_view_class(cls, module):
        return None
    return UncalledView(view, cls)


def _is_plain_view_class(cls: ast.expr, module: Module) -> bool:
    """Whether an expression is a class-based view that cannot be made from a request."""
    name = module.qualified_name(cls)
    info = module.modules.class_info(name) if name is not None else None
    if info is None:
        return name is not None and VIEW in module.modules.library_mro(name)
    own = ("__init__", "__new__", "__call__", "as_view", "__init_subclass__")
    if not info.is_a(VIEW) or not info.is_closed or any(info.member(item) is not None for item in own):
        return False
    return not any(isinstance(item, ClassInfo) and item.node.keywords for item in info.mro)
