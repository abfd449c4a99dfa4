"""What a request fills in: kinds of parameters, dependencies of routes, bodies that nothing validates."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from pybackend_lint.frameworks import fastapi
from pybackend_lint.frameworks.fastapi import Route
from pybackend_lint.frameworks.similar_names import edit_distance
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding

_REQUEST = "starlette.requests.Request"
_CONNECTION = "starlette.requests.HTTPConnection"
_APPLICATION = "fastapi.FastAPI"
_CONNECTIONS = frozenset(
    {"starlette.requests.HTTPConnection", "starlette.responses.Response", "fastapi.BackgroundTasks",
     "starlette.background.BackgroundTasks", "fastapi.security.SecurityScopes"}
)  # fmt: skip
_ADD_TASK = frozenset(
    {"fastapi.BackgroundTasks.add_task", "starlette.background.BackgroundTasks.add_task",
     "starlette.background.BackgroundTask"}
)  # fmt: skip
_UPLOADS = frozenset({"fastapi.UploadFile", "starlette.datastructures.UploadFile"})
_DICTIONARIES = frozenset({"builtins.dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping"})
_COLLECTIONS = _DICTIONARIES | {
    f"{module}.{name}"
    for module, names in (
        ("builtins", ("list", "tuple", "set", "frozenset")),
        ("typing", ("List", "Tuple", "Set", "FrozenSet", "Sequence", "Iterable")),
        ("collections.abc", ("Sequence", "Iterable")),
    )
    for name in names
}
_SCALARS = frozenset(
    {"builtins.str", "builtins.int", "builtins.float", "builtins.bool", "builtins.bytes", "typing.Any",
     "uuid.UUID", "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta",
     "decimal.Decimal", "pathlib.Path", "typing.Literal", "typing_extensions.Literal"}
)  # fmt: skip
_MOST_STEPS = 4  # through variables that hold each other
_UNIONS = frozenset({"typing.Union", "typing.Optional"})
# Bases that add no parameters to a class that FastAPI calls.
_PLAIN_BASES = frozenset({"abc.ABC", "builtins.object", "pydantic.BaseModel", "typing.Generic"})
# Packages whose names in annotations are types, and no aliases that inject something.
_WITHOUT_ALIASES = sys.stdlib_module_names | {"fastapi", "pydantic", "sqlalchemy", "sqlmodel", "starlette"}
# Decorators after which a function still shows its own parameters to FastAPI.
_KEEP_PARAMETERS = frozenset(
    {
        "builtins.staticmethod", "contextlib.asynccontextmanager", "contextlib.contextmanager",
        "dependency_injector.wiring.inject", "fastapi_cache.decorator.cache", "functools.cache",
        "functools.lru_cache", "slowapi.Limiter.exempt", "slowapi.Limiter.limit",
        "slowapi.Limiter.shared_limit", "typing.no_type_check",
    }
)  # fmt: skip
_PARAMETER_OF_PATH = re.compile(r"\{(\w+)(?::\w+)?\}")


class ParameterKind(Enum):
    """Where FastAPI takes the value of a parameter from."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    FORM = "form"
    FILE = "file"
    DEPENDENCY = "dependency"
    CONNECTION = "connection"  # the request, response, background tasks or scopes themselves


_MARKED = {
    "fastapi.Path": ParameterKind.PATH,
    "fastapi.Query": ParameterKind.QUERY,
    "fastapi.Header": ParameterKind.HEADER,
    "fastapi.Cookie": ParameterKind.COOKIE,
    "fastapi.Body": ParameterKind.BODY,
    "fastapi.Form": ParameterKind.FORM,
    "fastapi.File": ParameterKind.FILE,
    "fastapi.Depends": ParameterKind.DEPENDENCY,
    "fastapi.Security": ParameterKind.DEPENDENCY,
}


def parameter_kind(
    parameter: ast.arg, default: ast.expr | None, module: Module, path: frozenset[str] | None
) -> ParameterKind | None:
    """Where the value of a parameter of a route or dependency comes from, or None where it is not known.

    `path` names the parameters in the path of the route, None where that is not known. The order of the
    decisions is that of `fastapi.dependencies.utils.analyze_param`.
    """
    bare, markers = parameter.annotation, [fastapi.marker_of(default, module)]
    home = module
    if bare is not None:
        bare, metadata, home = fastapi.annotated(bare, module)
        markers += [fastapi.marker_of(item, home) for item in metadata]
    for marker in markers:
        if marker is not None:
            return _MARKED[marker]
    shape = _shape(bare, home) if bare is not None else ParameterKind.QUERY
    if shape is ParameterKind.CONNECTION:
        return shape
    if path is not None and parameter.arg in path:
        return ParameterKind.PATH
    return None if shape is ParameterKind.QUERY and path is None else shape


def _shape(annotation: ast.expr, module: Module) -> ParameterKind | None:
    """Where a value of a type comes from by default: `QUERY` for single ones, `BODY` for structured ones."""
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _any_of([left, right], module)
        case ast.Subscript(value=value, slice=inner):
            name = module.qualified_name(value)
            if name in _UNIONS:
                return _any_of(inner.elts if isinstance(inner, ast.Tuple) else [inner], module)
            if name in _COLLECTIONS and _shape_of_name(inner, module) is ParameterKind.FILE:
                return ParameterKind.FILE
            return _shape_of_name(value, module)
        case ast.Name() | ast.Attribute():
            return _shape_of_name(annotation, module)
    return None


def _any_of(alternatives: list[ast.expr], module: Module) -> ParameterKind | None:
    shapes = {
        _shape(item, module)
        for item in alternatives
        if not (isinstance(item, ast.Constant) and item.value is None)
    }
    if None not in shapes and ParameterKind.BODY in shapes:
        return ParameterKind.BODY
    return shapes.pop() if len(shapes) == 1 else None


def _shape_of_name(node: ast.expr, module: Module) -> ParameterKind | None:
    name = module.qualified_name(node)
    if name is None:
        return None
    if name in _SCALARS:
        return ParameterKind.QUERY
    if name in _COLLECTIONS:
        return ParameterKind.BODY
    if name in _UPLOADS:
        return ParameterKind.FILE
    info = module.modules.class_info(name)
    bases = info.libraries if info is not None else frozenset(module.modules.library_mro(name))
    if bases & _CONNECTIONS:
        return ParameterKind.CONNECTION
    if info is None:
        return None
    if info.is_a("enum.Enum", "enum.StrEnum", "enum.IntEnum"):
        return ParameterKind.QUERY
    is_structured = info.is_a("pydantic.BaseModel", "typing.TypedDict", "typing_extensions.TypedDict")
    return ParameterKind.BODY if is_structured or _is_dataclass(info) else None


def _is_dataclass(info: ClassInfo) -> bool:
    return any(
        info.module.qualified_name(item.func if isinstance(item, ast.Call) else item)
        in {"dataclasses.dataclass", "pydantic.dataclasses.dataclass"}
        for item in info.node.decorator_list
    )


@dataclass(frozen=True, eq=False)
class DependencyTree:
    """The project functions that run before a route, each once, what routers and the application want first.

    - `names`: the parameters and fields by which they and classes take values of the request, by alias.
    - `has_security`: schemes of `fastapi.security` are among them.
    - `is_open`: some dependency is not known, so that there may be more.
    """

    functions: tuple[FunctionInfo, ...]
    names: frozenset[str]
    has_security: bool
    is_open: bool


def route_dependencies(route: Route) -> DependencyTree:
    """What FastAPI runs before a route: for its parameters, and for all `dependencies=` on its way."""
    calls, is_open = _registrations(route)
    found = _closure([*_wanted_by_calls(calls), *_wanted_by_function(route)])
    return replace(found, is_open=found.is_open or is_open)


_Wanted = tuple[ast.arg | None, Module, ast.expr | None]
_Call = tuple[Module, ast.Call]


def _wanted_by_calls(calls: Iterable[_Call]) -> Iterator[_Wanted]:
    """The items of `dependencies=` in calls; a None among them stands for a list that is not known."""
    for module, call in calls:
        listed = _listed(call, module)
        if listed is None:
            yield None, module, None
        for home, item in listed or ():
            yield None, home, item


def _wanted_by_function(route: Route) -> Iterator[_Wanted]:
    if route.function is None:
        yield None, route.module, None
        return
    home = route.function.module
    for parameter, default in route.function.parameters():
        yield parameter, home, default


def _closure(wanted: Iterable[_Wanted]) -> DependencyTree:
    found: dict[str, FunctionInfo] = {}
    names: set[str] = set()
    has_security = is_open = False
    pending = deque(wanted)
    while pending:
        parameter, module, default = pending.popleft()
        if parameter is not None:
            injected = fastapi.injected(parameter, default, module)
            if injected is None:
                names.add(_name_in_request(parameter, default, module))
                is_open = is_open or _may_hide_dependency(parameter, default, module)
        else:
            injected = _marker(default, module)
            is_open = is_open or injected is None
        has_security = has_security or (injected is not None and injected.is_security)
        if injected is None or injected.is_security:
            continue
        function, result = injected.function, injected.result
        info = module.modules.class_info(result.name) if result is not None else None
        if function is None or function.node.name == "__init__":
            fields = _fields(info) if info is not None else None
            names.update(fields or ())
            from_library = result is not None and result.name.startswith("fastapi.")
            is_open = is_open or (function is None and fields is None and not from_library)
        if function is not None and function.name not in found:
            found[function.name] = function
            pending += [(item, function.module, value) for item, value in function.parameters()]
    return DependencyTree(tuple(found.values()), frozenset(names), has_security, is_open)


def _may_hide_dependency(parameter: ast.arg, default: ast.expr | None, module: Module) -> bool:
    """Whether the annotation of a parameter may be an alias that injects something, from who knows where."""
    if parameter.annotation is None or fastapi.marker_of(default, module) is not None:
        return False
    bare, metadata, home = fastapi.annotated(parameter.annotation, module)
    if metadata or not isinstance(bare, (ast.Name, ast.Attribute)):
        return False
    name = home.qualified_name(bare)
    if name is None:
        return True
    return home.modules.class_info(name) is None and name.partition(".")[0] not in _WITHOUT_ALIASES


def _name_in_request(parameter: ast.arg, default: ast.expr | None, module: Module) -> str:
    """The name under which a parameter is looked for in a request: its alias, else its own."""
    markers = [(default, module)]
    if parameter.annotation is not None:
        _, metadata, home = fastapi.annotated(parameter.annotation, module)
        markers += [(item, home) for item in metadata]
    for marker, home in markers:
        if isinstance(marker, ast.Call) and fastapi.marker_of(marker, home) is not None:
            alias = fastapi.argument(marker, None, "alias")
            text = fastapi.constant_text(alias, home) if alias is not None else None
            if text is not None:
                return text
    return parameter.arg


def _fields(info: ClassInfo) -> frozenset[str] | None:
    """The parameters of a class without `__init__` of its own, or None where they are not known."""
    if not info.is_closed or info.libraries - _PLAIN_BASES:
        return None
    return frozenset(
        name
        for item in info.mro
        if isinstance(item, ClassInfo)
        for name, bindings in item.scope.bindings.items()
        if any(binding.annotation is not None for binding in bindings)
    )


def untaken_path_parameters(route: Route) -> list[str]:
    """The names in the path of a route, as its own registration writes it, that nothing takes.

    Neither the route does nor any dependency on its way. A function that also has a path without the
    name cannot take it. Empty where one of them is not known or may
    read the parameters from the request itself. A route that gets the request may forward it with its
    path, or answer with a page that reads it: there a query parameter must be required instead.
    """
    function = route.function
    names = _PARAMETER_OF_PATH.findall(route.path or "")
    if not names or function is None or function.owner is not None:
        return []
    home = function.module
    own = {
        _name_in_request(item, value, home)
        for item, value in function.parameters()
        if fastapi.injected(item, value, home) is None
    }
    others = [other.path or "" for other in fastapi.routes_of(function)]
    names = [
        name
        for name in names
        if name not in own and all(name in _PARAMETER_OF_PATH.findall(path) for path in others)
    ]
    if names and _takes(function, _REQUEST):
        names = [name for name in names if _requires_similar(route, name)]
    if not names or not _keeps_parameters(function):
        return []
    calls, is_open = _registrations(route)
    wanted = [*_wanted_by_calls(calls), *_wanted_by_function(route)]
    if is_open:
        wanted += _wanted_by_calls(_calls_with_dependencies(route.module))
    tree = _closure(wanted)
    if tree.is_open or not all(map(_keeps_parameters, tree.functions)):
        return []
    names = [name for name in names if name not in tree.names]
    return [] if names and _may_read_path(function, tree.functions) else names


def lists_in_bodies(route: Route) -> list[ast.arg]:
    """The parameters of a GET or HEAD route that hold several plain values and so are its body."""
    return _own_lists(route.function) if route.function is not None and _has_no_body(route) else []


def _has_no_body(route: Route) -> bool:
    return bool(route.methods) and not (route.methods or frozenset()) - {"GET", "HEAD"}


def _own_lists(function: FunctionInfo) -> list[ast.arg]:
    return [
        parameter
        for parameter, default in function.parameters()
        if parameter.annotation is not None
        and fastapi.marker_of(default, function.module) is None
        and _is_list_of_values(parameter.annotation, function.module)
        and _keeps_parameters(function)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class HiddenList:
    """A list of plain values that a dependency asks for: a parameter, or a field of a class.

    `place` is the parameter or the field's statement.
    """

    module: Module
    name: str
    place: ast.arg | ast.AnnAssign
    annotation: ast.expr


def lists_of_dependencies(route: Route) -> Iterator[tuple[ast.arg, HiddenList]]:
    """As `lists_in_bodies`, for what the parameters of a route inject; with the parameter that does."""
    function = route.function
    if function is None or not _has_no_body(route) or not _keeps_parameters(function):
        return
    for parameter, default in function.parameters():
        injected = fastapi.injected(parameter, default, function.module)
        if injected is not None:
            for hidden in _hidden_lists(injected, function.module):
                yield parameter, hidden


def _hidden_lists(injected: fastapi.Injected, module: Module) -> list[HiddenList]:
    """The lists that a dependency, or one of those that it wants itself, asks for."""
    index, function = module.modules, injected.function
    if not isinstance(index, Index) or injected.is_security:
        return []
    if function is not None:
        key = ("lists of a dependency", function.module.name, id(function.node))
        return index.fact(key, lambda: _lists_below(function))
    info = index.class_info(injected.result.name) if injected.result is not None else None
    if info is None:
        return []
    return index.fact(("lists of a class", info.module.name, id(info.node)), lambda: _lists_in_fields(info))


def _lists_below(function: FunctionInfo) -> list[HiddenList]:
    found: list[HiddenList] = []
    seen = {function.name}
    pending = deque([function])
    while pending:
        current = pending.popleft()
        module = current.module
        found += [
            HiddenList(module, item.arg, item, item.annotation)
            for item in _own_lists(current)
            if item.annotation is not None
        ]
        for parameter, default in current.parameters():
            injected = fastapi.injected(parameter, default, module)
            inner = injected.function if injected is not None else None
            if inner is not None and inner.name not in seen:
                seen.add(inner.name)
                pending.append(inner)
    return found


def _lists_in_fields(info: ClassInfo) -> list[HiddenList]:
    """The lists among the fields of a model or dataclass, which are parameters where it is a dependency."""
    if _fields(info) is None or not (_is_dataclass(info) or info.is_a("pydantic.BaseModel")):
        return []
    module = info.module
    return [
        HiddenList(module, statement.target.id, statement, statement.annotation)
        for statement in info.node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and _is_list_of_values(statement.annotation, module)
        and not (isinstance(statement.value, ast.Call) and _holds_marker(statement.value, module))
    ]


def _holds_marker(call: ast.Call, module: Module) -> bool:
    """Whether a default is a marker, or a `Field` whose default is one."""
    given = [call, *call.args, *(keyword.value for keyword in call.keywords)]
    return any(fastapi.marker_of(value, module) is not None for value in given)


def _is_list_of_values(annotation: ast.expr, module: Module) -> bool:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _is_list_of_values(left, module)
        case ast.Subscript(value=value, slice=inner):
            name = module.qualified_name(value)
            if name == "typing.Optional":
                return _is_list_of_values(inner, module)
            if name not in _COLLECTIONS or name in _DICTIONARIES:
                return False
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            plain = [item for item in items if not (isinstance(item, ast.Constant) and item.value is ...)]
            return bool(plain) and all(_shape(item, module) is ParameterKind.QUERY for item in plain)
    return False


def similar_query_parameter(route: Route, name: str) -> ast.arg | None:
    """The one parameter of a route that reads the query and is named nearly like a path parameter.

    `name` is the one that nothing takes. None where the prefixes of the route's routers are not known.
    """
    function, path = route.function, path_parameters(route)
    if function is None or path is None:
        return None
    found = [
        parameter
        for parameter, default in function.parameters()
        if _are_similar(parameter.arg, name)
        and fastapi.marker_of(default, function.module) is None
        and parameter_kind(parameter, default, function.module, path) is ParameterKind.QUERY
        and (parameter.annotation is None or not fastapi.annotated(parameter.annotation, function.module)[1])
    ]
    return found[0] if len(found) == 1 else None


def _requires_similar(route: Route, name: str) -> bool:
    """Whether a request must give a query parameter that is named nearly like a path parameter."""
    similar = similar_query_parameter(route, name)
    parameters = route.function.parameters() if route.function is not None else ()
    return any(parameter is similar and default is None for parameter, default in parameters)


def _are_similar(one: str, other: str) -> bool:
    """Whether two names differ by little: case, underscores, a missing part at an end, or two letters."""
    short, long = sorted((one.lower().replace("_", ""), other.lower().replace("_", "")), key=len)
    if long.startswith(short) or long.endswith(short):
        return True
    return len(short) > 3 and edit_distance(short, long) <= 2


def _keeps_parameters(function: FunctionInfo) -> bool:
    """Whether FastAPI sees a function's own parameters through its decorators."""
    module, modules = function.module, function.module.modules
    for decorator, name in zip(function.node.decorator_list, function.decorators, strict=True):
        callee = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(callee, ast.Attribute) and fastapi.is_router(callee.value, module):
            continue
        known = modules.function_info(name) if name is not None else None
        text = known.module.source.segment(known.node) if known is not None else ""
        if name not in _KEEP_PARAMETERS and ("wraps(" not in text or "signature" in text):
            return False
    return True


def _takes(function: FunctionInfo, *classes: str) -> bool:
    """Whether a parameter of a function is annotated with one of some classes or a subclass of one."""
    for parameter, _ in function.parameters():
        if parameter.annotation is not None:
            bare, _, home = fastapi.annotated(parameter.annotation, function.module)
            name = home.qualified_name(bare) or ""
            info = home.modules.class_info(name)
            bases = info.libraries if info is not None else home.modules.library_mro(name)
            if any(item in classes for item in bases):
                return True
    return False


def _may_read_path(route: FunctionInfo, dependencies: Iterable[FunctionInfo]) -> bool:
    """Whether a route or dependency may read path parameters from the connection itself."""
    index = route.module.modules
    if not isinstance(index, Index) or not files_with(index, route.module, b"path_params"):
        return False
    return any(_takes(function, _CONNECTION) for function in (route, *dependencies))


def _calls_with_dependencies(module: Module) -> list[_Call]:
    """All calls of a project with an argument `dependencies=`, whatever they are calls of, but for routes."""
    index = module.modules
    if not isinstance(index, Index):
        return []
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("fastapi dependencies of routers", root), lambda: _find_dependencies(index, module))


def _find_dependencies(index: Index, module: Module) -> list[_Call]:
    found: list[_Call] = []
    for path in files_with(index, module, b"dependencies"):
        other = index.at(path, module)
        for keyword in other.source.nodes(ast.keyword) if other is not None else ():
            if other is not None and keyword.arg == "dependencies":
                call = other.source.parent(keyword)
                if isinstance(call, ast.Call) and not _is_decorator(call, other):
                    found.append((other, call))
    return found


def _is_decorator(call: ast.Call, module: Module) -> bool:
    around = module.source.parent(call)
    return isinstance(around, FUNCTIONS) and call in around.decorator_list


def _marker(node: ast.expr | None, module: Module) -> fastapi.Injected | None:
    """What an item of `dependencies=[...]` injects: `Depends(...)`, or a variable that holds one."""
    for _ in range(_MOST_STEPS):
        if isinstance(node, ast.Call):
            return fastapi.injected_by(node, module)
        name = module.qualified_name(node) if node is not None else None
        variable = module.modules.variable(name) if name is not None else None
        if variable is None or variable[1].path:
            return None
        module, node = variable[0], variable[1].value
    return None


def _listed(call: ast.Call, module: Module) -> list[tuple[Module, ast.expr]] | None:
    """The items of the argument `dependencies=` of a call, with their modules; None where not known."""
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    written = fastapi.argument(call, None, "dependencies")
    if written is None or (isinstance(written, ast.Constant) and written.value is None):
        return []
    return _items(written, module, 0)


def _items(node: ast.expr, module: Module, depth: int) -> list[tuple[Module, ast.expr]] | None:
    """The items of a literal list, also where variables of modules hold it or parts of it."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            parts = [
                _items(item.value, module, depth) if isinstance(item, ast.Starred) else [(module, item)]
                for item in elements
            ]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [_items(left, module, depth), _items(right, module, depth)]
        case ast.Name() | ast.Attribute() if depth < _MOST_STEPS:
            name = module.qualified_name(node)
            variable = module.modules.variable(name) if name is not None else None
            value = variable[1].value if variable is not None and not variable[1].path else None
            if variable is None or value is None or _is_extended(variable[1].name, variable[0]):
                return None
            parts = [_items(value, variable[0], depth + 1)]
        case _:
            return None
    known = [part for part in parts if part is not None]
    return [item for part in known for item in part] if len(known) == len(parts) else None


def _is_extended(name: str, module: Module) -> bool:
    """Whether the module of a list puts more into it."""
    return any(
        isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", None) == name
        for method in ("append", "extend", "insert")
        for call in module.source.calls.get(method, ())
    )


def _registrations(route: Route) -> tuple[list[_Call], bool]:
    """The calls that register a route: its own, those that make its routers, and those that include them.

    The flag says that there may be others.
    """
    calls, is_open = [(route.module, route.call)], False
    pending = [(route.module, route.router)]
    seen: set[Binding] = set()
    while pending:
        module, router = pending.pop()
        made = fastapi.assigned_call(router, module)
        if made is None:
            is_open = True
            continue
        home, binding, constructor = made
        if binding in seen:
            continue
        seen.add(binding)
        calls.append((home, constructor))
        maker = home.qualified_name(constructor.func)
        if maker == _APPLICATION:
            continue
        inclusions = _inclusions(home)
        is_open = is_open or maker != fastapi.ROUTER or inclusions.is_open
        for other, call, parent in inclusions.of.get(binding, ()):
            calls.append((other, call))
            pending.append((other, parent))
    return calls, is_open


@dataclass(frozen=True, slots=True)
class _Inclusions:
    """The calls of `include_router` in a project by the router that they include, with the one they are of.

    `is_open`: of some calls it is not known what they include, or whether they are FastAPI's.
    """

    of: dict[Binding, list[tuple[Module, ast.Call, ast.expr]]]
    is_open: bool


def _inclusions(module: Module) -> _Inclusions:
    index = module.modules
    if not isinstance(index, Index):
        return _Inclusions({}, is_open=False)
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("fastapi inclusions", root), lambda: _find_inclusions(index, module))


def _made_router(node: ast.expr, module: Module) -> tuple[Module, Binding, ast.Call] | None:
    """The call that makes a router: that of a variable, or of what a function of the project returns."""
    if not isinstance(node, ast.Call):
        return fastapi.assigned_call(node, module)
    name = module.qualified_name(node.func)
    function = module.modules.function_info(name) if name is not None else None
    if function is None or len(function.returned) != 1 or function.is_async or not function.is_transparent:
        return None
    returned = function.returned[0]
    return fastapi.assigned_call(returned, function.module) if isinstance(returned, ast.Name) else None


def _find_inclusions(index: Index, module: Module) -> _Inclusions:
    found: dict[Binding, list[tuple[Module, ast.Call, ast.expr]]] = {}
    root = index.layout.workspace_root(os.path.dirname(index.path_of(module)))
    is_open = False
    for path in files_with(index, module, b"include_router"):
        other = index.at(path, module)
        for call in other.source.calls.get("include_router", ()) if other is not None else ():
            if other is None or not isinstance(call.func, ast.Attribute):
                continue
            router = fastapi.argument(call, 0, "router")
            made = _made_router(router, other) if router is not None else None
            is_certain = made is not None and fastapi.is_router(call.func.value, other)
            is_open = is_open or not (is_certain or is_test_file(path, root))
            if made is not None:
                found.setdefault(made[1], []).append((other, call, call.func.value))
    return _Inclusions(found, is_open)


def path_parameters(route: Route) -> frozenset[str] | None:
    """The names in the path of a route, with the prefixes of its routers; None where they are not known."""
    calls, is_open = _registrations(route)
    texts = [route.path]
    for module, call in calls[1:]:
        written = fastapi.argument(call, None, "prefix")
        texts.append(fastapi.constant_text(written, module) if written is not None else "")
    if is_open or None in texts:
        return None
    return frozenset(name for text in texts for name in _PARAMETER_OF_PATH.findall(text or ""))


def unvalidated_bodies(function: FunctionInfo) -> Iterator[tuple[ast.expr | ast.arg, str]]:
    """Where a route reads keys of a request's body that nothing has validated: the place, and what it is.

    A body that is handed on as a whole is left alone: whoever gets it may validate or forward it. So is
    one whose bytes are read as well, by the route or a dependency, as checks of signatures do.
    """
    module, routes = function.module, fastapi.routes_of(function)
    names: dict[str, tuple[ast.expr | ast.arg, str]] = {}
    if any(route.methods == frozenset() for route in routes):
        return  # a WebSocket has no body
    for parameter, default in function.parameters():
        kind = parameter_kind(parameter, default, module, frozenset())
        if parameter.annotation is None or kind is not ParameterKind.BODY:
            continue
        bare, _, home = fastapi.annotated(parameter.annotation, module)
        if _is_free_form(bare, home) or home.qualified_name(bare) == "typing.Any":
            names[parameter.arg] = (parameter, parameter.arg)
    nodes = function.own_nodes()
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Await(value=ast.Call() as call)):
                known = module.type_of(call.func)
                if known is not None and known.name == f"{_REQUEST}.json":
                    names[name] = (node.value, module.source.segment(call))
    if not names or any(_reads_raw_body(node, module) for node in nodes):
        return
    for route in routes:
        for dependency in route_dependencies(route).functions:
            if any(_reads_raw_body(node, dependency.module) for node in dependency.own_nodes()):
                return
    for name, found in names.items():
        uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
        loads = [use for use in uses if isinstance(use.ctx, ast.Load)]
        parents = [(use, module.source.parent(use)) for use in loads]
        if any(_reads_key(use, parent, module) for use, parent in parents) and all(
            _reads_key(use, parent, module) or _only_looks(parent, module) for use, parent in parents
        ):
            yield found


def _is_free_form(annotation: ast.expr, module: Module) -> bool:
    """Whether an annotation is a dictionary whose values may be anything."""
    match annotation:
        case ast.Name() | ast.Attribute():
            return module.qualified_name(annotation) in _DICTIONARIES
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[_, item])):
            return module.qualified_name(value) in _DICTIONARIES and (
                module.qualified_name(item) in {"typing.Any", "builtins.object"}
            )
        case ast.Subscript(value=value, slice=inner):
            return module.qualified_name(value) == "typing.Optional" and _is_free_form(inner, module)
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _is_free_form(left, module)
    return False


def _reads_raw_body(node: ast.AST, module: Module) -> bool:
    if not isinstance(node, ast.Attribute) or node.attr not in {"body", "stream"}:
        return False
    known = module.type_of(node)
    return known is not None and known.name in {f"{_REQUEST}.body", f"{_REQUEST}.stream"}


def _reads_key(use: ast.Name, parent: ast.AST | None, module: Module) -> bool:
    """Whether a dictionary is asked for one certain key, or unpacked into a function of the project."""
    match parent:
        case ast.keyword(arg=None):
            call = module.source.parent(parent)
            known = module.type_of(call.func) if isinstance(call, ast.Call) else None
            called = module.modules.function_info(known.name) if known is not None else None
            return called is not None and called.node.args.kwarg is None
        case ast.Subscript(value=value, slice=ast.Constant(value=str()), ctx=ast.Load()):
            return value is use
        case ast.Attribute(attr="get" | "pop"):
            call = module.source.parent(parent)
            match call:
                case ast.Call(func=func, args=[ast.Constant(value=str()), *_]):
                    return func is parent
    return False


def _only_looks(parent: ast.AST | None, module: Module) -> bool:
    """Whether a use of a dictionary as a whole can neither validate it nor hand it on."""
    match parent:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.If() | ast.FormattedValue():
            return True
        case ast.Call(func=function):
            return module.qualified_name(function) in {
                "builtins.isinstance",
                "builtins.len",
                "builtins.print",
            }
    return False


def values_closed_before(call: ast.Call, module: Module) -> list[tuple[ast.Name, FunctionInfo]]:
    """The arguments of a background task that a dependency with `yield` gives and cleans up."""
    known = module.type_of(call.func)
    if known is None or known.name not in _ADD_TASK:
        return []
    found: list[tuple[ast.Name, FunctionInfo]] = []
    for node in [*call.args[1:], *(keyword.value for keyword in call.keywords)]:
        looked_up = module.lookup(node.id, node) if isinstance(node, ast.Name) else None
        if not isinstance(node, ast.Name) or looked_up is None or len(looked_up[1]) != 1:
            continue
        binding = looked_up[1][0]
        if binding.kind == "parameter" and isinstance(binding.node, ast.arg):
            injected = fastapi.injected(binding.node, binding.value, module)
            function = injected.function if injected is not None else None
            if function is not None and function.yields:
                found.append((node, function))
    return found
