"""Facts about FastAPI and Starlette: routers, routes, prefixes, dependencies and kinds of parameters."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding, Function
from pybackend_lint.semantic.types import COROUTINE, Kind, Type, instance

Fact = TypeVar("Fact")

ROOTS = ("fastapi", "starlette")

_APP = "fastapi.FastAPI"
ROUTER = "fastapi.APIRouter"
_ROUTERS = (_APP, ROUTER)
_STARLETTE = "starlette.applications.Starlette"
_RESPONSE = "starlette.responses.Response"
_CONNECTION = "starlette.requests.HTTPConnection"
_REQUEST = "starlette.requests.Request"
_HTTP_EXCEPTION = "starlette.exceptions.HTTPException"

BASES: dict[str, tuple[str, ...]] = {
    _APP: (_STARLETTE,),
    ROUTER: ("starlette.routing.Router",),
    _REQUEST: (_CONNECTION,),
    "starlette.websockets.WebSocket": (_CONNECTION,),
    "fastapi.HTTPException": (_HTTP_EXCEPTION,),
    _HTTP_EXCEPTION: ("builtins.Exception",),
    "fastapi.BackgroundTasks": ("starlette.background.BackgroundTasks",),
    "fastapi.UploadFile": ("starlette.datastructures.UploadFile",),
    "fastapi.security.OAuth2PasswordRequestFormStrict": ("fastapi.security.OAuth2PasswordRequestForm",),
    **{
        f"starlette.responses.{name}": (_RESPONSE,)
        for name in (
            "FileResponse", "HTMLResponse", "JSONResponse", "PlainTextResponse", "RedirectResponse",
            "StreamingResponse",
        )
    },
    "fastapi.responses.ORJSONResponse": ("starlette.responses.JSONResponse",),
    "fastapi.responses.UJSONResponse": ("starlette.responses.JSONResponse",),
}  # fmt: skip

# What FastAPI re-exports from Starlette is known by Starlette's name; the rest by `fastapi.<name>`.
ALIASES: dict[str, str] = {
    "fastapi.applications.": "fastapi.",
    "fastapi.routing.APIRouter": ROUTER,
    "fastapi.params.": "fastapi.",
    "fastapi.param_functions.": "fastapi.",
    "fastapi.exceptions.HTTPException": "fastapi.HTTPException",
    "fastapi.exceptions.WebSocketException": "fastapi.WebSocketException",
    "fastapi.background.BackgroundTasks": "fastapi.BackgroundTasks",
    "fastapi.datastructures.UploadFile": "fastapi.UploadFile",
    "fastapi.security.oauth2.": "fastapi.security.",
    "fastapi.Request": _REQUEST,
    "fastapi.Response": _RESPONSE,
    "fastapi.WebSocket": "starlette.websockets.WebSocket",
    "fastapi.WebSocketDisconnect": "starlette.websockets.WebSocketDisconnect",
    "fastapi.status": "starlette.status",
    "fastapi.requests.": "starlette.requests.",
    "fastapi.websockets.": "starlette.websockets.",
    "fastapi.status.": "starlette.status.",
    "fastapi.testclient.": "starlette.testclient.",
    "fastapi.staticfiles.": "starlette.staticfiles.",
    "fastapi.templating.": "starlette.templating.",
    "fastapi.middleware.": "starlette.middleware.",
    "fastapi.concurrency.run_in_threadpool": "starlette.concurrency.run_in_threadpool",
    "fastapi.concurrency.iterate_in_threadpool": "starlette.concurrency.iterate_in_threadpool",
    **{
        f"fastapi.responses.{name}": f"starlette.responses.{name}"
        for name in (
            "FileResponse", "HTMLResponse", "JSONResponse", "PlainTextResponse", "RedirectResponse",
            "Response", "StreamingResponse",
        )
    },
}  # fmt: skip

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
_DECORATORS = _METHODS | {"api_route", "websocket", "route", "websocket_route"}
_ADDERS = ("add_api_route", "add_api_websocket_route")
_DEPENDENCIES = frozenset({"fastapi.Depends", "fastapi.Security"})
_MARKERS = _DEPENDENCIES | {
    f"fastapi.{name}" for name in ("Query", "Path", "Header", "Cookie", "Body", "Form", "File")
}
_SECURITY = "fastapi.security."
_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})


_SEQUENCES = frozenset(
    {"builtins.list", "builtins.tuple", "builtins.set", "typing.Sequence", "typing.Iterable"}
)
_LIFESPAN_ARGUMENTS = frozenset({None, "lifespan", "on_startup", "on_shutdown"})
_MOST_FACTORIES = 4  # that call each other to make an application
_UNCALLABLE = frozenset(
    f"builtins.{name}"
    for name in ("None", "bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple")
)
_PLAIN_BASES = frozenset(
    {"abc.ABC", "builtins.object", "pydantic.BaseModel", "pydantic_settings.BaseSettings", "typing.Generic"}
)
_ERRORS_OF_ROUTES = frozenset(
    {"builtins.Exception", "builtins.BaseException", "fastapi.HTTPException", _HTTP_EXCEPTION}
)


@dataclass(frozen=True, eq=False)
class Route:
    """One registration of a function as a route.

    - `call`: the decorator, or the call of `add_api_route`; `router` is what it is called on.
    - `path`: what the registration itself says, without prefixes; None when it is no constant.
    - `methods`: HTTP methods in upper case; empty for a WebSocket, None when they are not constant.
    """

    module: Module
    call: ast.Call
    router: ast.expr
    function: FunctionInfo | None
    path: str | None
    methods: frozenset[str] | None


@dataclass(frozen=True, eq=False)
class Injected:
    """What a `Depends` or `Security` injects.

    - `function`: the project function (`__init__` of a class, `__call__` of an instance) that runs.
    - `result`: the type of the value that is injected, or None when it is not known.
    - `is_security`: a scheme of `fastapi.security`, which only reads headers, cookies or the query.
    """

    marker: ast.Call
    function: FunctionInfo | None
    result: Type | None
    is_security: bool


def is_router(node: ast.expr, module: Module) -> bool:
    """Whether an expression is certainly a `FastAPI` or `APIRouter`, or a subclass of one."""
    known = module.type_of(node)
    if known is None or known.kind is not Kind.INSTANCE:
        return False
    info = module.modules.class_info(known.name)
    return info.is_a(*_ROUTERS) if info is not None else known.name in _ROUTERS


def routes(module: Module) -> list[Route]:
    """The routes that a module registers, by decorators and by `add_api_route`, in source order."""
    return fact(module, "fastapi routes", _routes)


def _routes(module: Module) -> list[Route]:
    found: list[Route] = []
    source = module.source
    functions: list[Function] = [*source.nodes(ast.FunctionDef), *source.nodes(ast.AsyncFunctionDef)]
    for node in functions:
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Attribute(value=router, attr=name)) if (
                    name in _DECORATORS and is_router(router, module)
                ):
                    found.append(_route(module, decorator, router, name, module.function_info(node)))
    for name in _ADDERS:
        for call in source.calls.get(name, ()):
            match call.func:
                case ast.Attribute(value=router) if is_router(router, module):
                    endpoint = argument(call, 1, "endpoint")
                    function = target(endpoint, module) if endpoint is not None else None
                    found.append(_route(module, call, router, name, function))
    return sorted(found, key=lambda route: (route.call.lineno, route.call.col_offset))


def _route(
    module: Module, call: ast.Call, router: ast.expr, name: str, function: FunctionInfo | None
) -> Route:
    path = argument(call, 0, "path")
    methods: frozenset[str] | None
    if "websocket" in name:
        methods = frozenset()
    elif name in _METHODS:
        methods = frozenset({name.upper()})
    else:
        methods = _methods(argument(call, None, "methods"))
    text = constant_text(path, module) if path is not None else None
    return Route(module, call, router, function, text, methods)


def _methods(listed: ast.expr | None) -> frozenset[str] | None:
    if listed is None:
        return frozenset({"GET"})
    if not isinstance(listed, (ast.List, ast.Tuple, ast.Set)):
        return None
    names = [item.value for item in listed.elts if isinstance(item, ast.Constant)]
    if len(names) != len(listed.elts):
        return None
    return frozenset(str(name).upper() for name in names)


def is_route(function: FunctionInfo) -> bool:
    """Whether a function is certainly a route: its module decorates it, or adds it to a router."""
    return any(
        route.function is not None and route.function.node is function.node
        for route in routes(function.module)
    )


def response_model(function: FunctionInfo) -> ClassInfo | None:
    """The Pydantic model by which FastAPI serialises what a route returns, or lists of it; None without one.

    It is that of `response_model=`, else of the return annotation; None as well where routes differ.
    """
    module = function.module
    found: set[ClassInfo | None] = set()
    for route in routes_of(function):
        written = argument(route.call, None, "response_model") or function.node.returns
        if written is None or not route.methods or any(item.arg is None for item in route.call.keywords):
            return None
        home = route.module if written is not function.node.returns else module
        known = home.annotation_type(written, route.call)
        while known is not None and known.name in _SEQUENCES:
            known = known.argument()
        info = module.modules.class_info(known.name) if known is not None else None
        found.add(info if info is not None and info.is_a("pydantic.BaseModel") else None)
    return found.pop() if len(found) == 1 else None


def can_be_plain(function: FunctionInfo) -> bool:
    """Whether a route or dependency works as a plain `def` as well, which FastAPI runs in a thread.

    It awaits nothing, uses nothing of the event loop, and only FastAPI calls it.
    """
    registered = [route.call for route in routes_of(function)]
    decorators = function.node.decorator_list
    if not function.is_async or function.owner is not None or any(d not in registered for d in decorators):
        return False
    if any(not route.methods for route in routes_of(function)):
        return False  # a WebSocket
    module, nodes = function.module, function.own_nodes()
    if any(_needs_event_loop(node, module) for node in nodes) or (registered and function.yields):
        return False
    return bool(registered or is_dependency(function)) and not _is_used_otherwise(function)


def _needs_event_loop(node: ast.AST, module: Module) -> bool:
    match node:
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith() | ast.comprehension(is_async=1):
            return True
        case ast.Call(func=func):
            callee, result = module.type_of(func), module.type_of(node)
            return (result is not None and result.name == COROUTINE) or (
                callee is not None
                and callee.name.startswith(("asyncio.", "anyio.", "starlette.concurrency."))
            )
    return False


def _is_used_otherwise(function: FunctionInfo) -> bool:
    """Whether some file calls a function itself, or its own hands it to something but FastAPI."""
    module, name = function.module, function.node.name
    index = module.modules
    if not isinstance(index, Index):
        return True
    for use in module.source.nodes(ast.Name):
        if use.id == name and isinstance(use.ctx, ast.Load) and module.qualified_name(use) == function.name:
            call = module.source.parent(use)
            call = module.source.parent(call) if isinstance(call, ast.keyword) else call
            if not isinstance(call, ast.Call) or call.func is use:
                return True
            adds = isinstance(call.func, ast.Attribute) and call.func.attr == "add_api_route"
            if not adds and not is_injection(call, module):
                return True
    for path in files_with(index, module, name.encode()):
        other = index.at(path, module)
        for call in other.source.calls.get(name, ()) if other is not None else ():
            if other is not None and other.qualified_name(call.func) in {function.name, None}:
                return True
    return False


def assigned_call(node: ast.expr, module: Module) -> tuple[Module, Binding, ast.Call] | None:
    """The call that makes the value of a variable with one assignment, and where that is, in any module."""
    found: tuple[Module, Binding] | None = None
    if isinstance(node, ast.Name):
        looked_up = module.lookup(node.id, node)
        if looked_up is not None and len(looked_up[1]) == 1 and looked_up[1][0].kind == "assign":
            found = module, looked_up[1][0]
    if found is None or not isinstance(found[1].value, ast.Call):
        name = module.qualified_name(node)
        found = module.modules.variable(name) if name is not None else None
    if found is None or found[1].path or not isinstance(found[1].value, ast.Call):
        return None
    return found[0], found[1], found[1].value


def made_by(node: ast.expr, module: Module) -> tuple[Module, ast.Call] | None:
    """The call that makes the value of a variable or of what functions of the project return."""
    for _ in range(_MOST_FACTORIES):
        if not isinstance(node, ast.Call):
            made = assigned_call(node, module)
            if made is None:
                return None
            module, _, node = made
        maker = module.function_called(node)
        if maker is None:
            return module, node
        if len(maker.returned) != 1 or maker.is_async or maker.yields or not maker.is_transparent:
            return None
        returned = maker.returned[0]
        if returned is None:
            return None
        module, node = maker.module, returned
    return None


def argument(call: ast.Call, position: int | None, name: str) -> ast.expr | None:
    """The argument of a call at a position or of a name; None when it is absent or hidden by unpacking."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is None or position >= len(call.args):
        return None
    if any(isinstance(item, ast.Starred) for item in call.args[: position + 1]):
        return None
    return call.args[position]


def constant_text(node: ast.expr, module: Module, depth: int = 0) -> str | None:
    """The text of an expression made of literals and of constants of the project, or None."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, other = constant_text(left, module, depth), constant_text(right, module, depth)
            return one + other if one is not None and other is not None else None
        case ast.Name() | ast.Attribute() if depth < 8:
            name = module.qualified_name(node)
            variable = module.modules.variable(name) if name is not None else None
            if variable is not None and variable[1].value is not None and not variable[1].path:
                return constant_text(variable[1].value, variable[0], depth + 1)
    return None


# Dependencies


def marker_of(node: ast.expr | None, module: Module) -> str | None:
    """The name of the parameter marker that a call makes (`fastapi.Depends`, `fastapi.Query`), or None."""
    if not isinstance(node, ast.Call):
        return None
    name = module.qualified_name(node.func)
    return name if name in _MARKERS else None


def is_injection(node: ast.expr | None, module: Module) -> bool:
    """Whether an expression is a call of `Depends` or `Security`."""
    return marker_of(node, module) in _DEPENDENCIES


def target(node: ast.expr, module: Module) -> FunctionInfo | None:
    """The project function that runs when FastAPI calls a value: function, class, callable or partial."""
    return _target(node, module)[0]


def _target(node: ast.expr, module: Module) -> tuple[FunctionInfo | None, Type | None]:
    """The project function that runs when a value is called, and what the call gives in the end."""
    if isinstance(node, ast.Call) and module.qualified_name(node.func) == "functools.partial" and node.args:
        return _target(node.args[0], module)
    inner = _made(node, module) if isinstance(node, ast.Call) else None
    if inner is not None:
        return inner, _provided(inner)
    known = module.type_of(node)
    if known is None:
        return None, None
    modules = module.modules
    match known.kind:
        case Kind.FUNCTION:
            function = modules.function_info(known.name)
            return function, _provided(function) if function is not None else None
        case Kind.CLASS:
            info = modules.class_info(known.name)
            return info.method("__init__") if info is not None else None, instance(known.name)
        case Kind.INSTANCE:
            info = modules.class_info(known.name)
            method = info.method("__call__") if info is not None else None
            return method, _provided(method) if method is not None else None
        case Kind.EXTERNAL if known.name.rpartition(".")[2][:1].isupper():
            return None, instance(known.name)
    return None, None


def _made(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The inner function that a call gives, where every `return` of a plain project function gives it."""
    known = module.type_of(call.func)
    maker = module.modules.function_info(known.name) if known and known.kind is Kind.FUNCTION else None
    if maker is None or maker.is_async or maker.yields or maker.node.decorator_list:
        return None
    inner: set[FunctionInfo | None] = set()
    for statement in maker.own(ast.Return):
        name, home = statement.value, maker.module
        found = home.lookup(name.id, name) if isinstance(name, ast.Name) else None
        nodes = [binding.node for binding in found[1]] if found is not None else []
        local = found is not None and found[0] is home.scope_of(maker.node) and len(nodes) == 1
        inner.add(home.function_info(nodes[0]) if local and isinstance(nodes[0], FUNCTIONS) else None)
    return inner.pop() if len(inner) == 1 else None


def _provided(function: FunctionInfo) -> Type | None:
    """The value that a dependency function provides: awaited, or what it yields."""
    if function.yields:
        return function.yield_type()
    result = function.call_type
    if result is not None and result.name == COROUTINE:
        return result.argument()
    return result


def injected(parameter: ast.arg, default: ast.expr | None, module: Module) -> Injected | None:
    """What FastAPI injects for a parameter: by its default, or by the `Annotated` of its annotation."""
    if is_injection(default, module):
        assert isinstance(default, ast.Call)
        return _injected(default, parameter.annotation, module)
    if parameter.annotation is None:
        return None
    annotation, metadata, home = annotated(parameter.annotation, module)
    for item in metadata:
        if is_injection(item, home):
            assert isinstance(item, ast.Call)
            return _injected(item, annotation, home)
    return None


def _injected(marker: ast.Call, annotation: ast.expr | None, module: Module) -> Injected:
    wanted = argument(marker, 0, "dependency")
    if wanted is None or (isinstance(wanted, ast.Constant) and wanted.value is None):
        wanted = annotation
    function, result = _target(wanted, module) if wanted is not None else (None, None)
    known = module.type_of(wanted) if wanted is not None else None
    security = known is not None and known.kind is Kind.INSTANCE and known.name.startswith(_SECURITY)
    return Injected(marker, function, result, security)


def injected_by(marker: ast.expr, module: Module) -> Injected | None:
    """What an item of a list of dependencies injects: a call of `Depends` or `Security`."""
    if not is_injection(marker, module):
        return None
    assert isinstance(marker, ast.Call)
    return _injected(marker, None, module)


def annotated(annotation: ast.expr, module: Module) -> tuple[ast.expr, list[ast.expr], Module]:
    """An annotation without its `Annotated`: the type, the metadata, and the module that they stand in.

    Aliases of the project (`DbSession = Annotated[...]`) are followed into their files.
    """
    metadata: list[ast.expr] = []
    home = module
    for _ in range(8):
        match annotation:
            case ast.Subscript(value=value, slice=ast.Tuple(elts=[inner, *rest])) if (
                home.qualified_name(value) in _ANNOTATED
            ):
                metadata, annotation = [*rest, *metadata], inner
            case ast.Name() | ast.Attribute():
                alias = _alias(annotation, home)
                if alias is None or metadata:
                    break
                home, annotation = alias
            case _:
                break
    return annotation, metadata, home


def _alias(node: ast.Name | ast.Attribute, module: Module) -> tuple[Module, ast.expr] | None:
    name = module.qualified_name(node)
    variable = module.modules.variable(name) if name is not None else None
    if variable is None or variable[1].path or not isinstance(variable[1].value, ast.Subscript):
        return None
    home, binding = variable
    assert isinstance(binding.value, ast.Subscript)
    return (home, binding.value) if home.qualified_name(binding.value.value) in _ANNOTATED else None


@dataclass(frozen=True, eq=False)
class Marked:
    """A parameter whose default is a marker such as `Depends(...)` or `Query(...)`.

    - `default`: the default value that the marker holds, or None when there is none.
    - `arguments`: of the marker, without the default; `has_default_argument`: it was among them.
    - `is_movable`: the marker means the same inside `Annotated`.
    """

    parameter: ast.arg
    marker: ast.Call
    default: ast.expr | None
    arguments: tuple[ast.expr | ast.keyword, ...]
    has_default_argument: bool
    is_movable: bool


def marked_parameters(function: FunctionInfo) -> list[Marked]:
    """The parameters of a function that have a marker as default, where `Annotated` could hold it.

    Empty for a function that its own file calls and leaves such a parameter to its default.
    """
    module = function.module
    found: list[Marked] = []
    for parameter, default in function.parameters():
        name = marker_of(default, module)
        if name is None:
            continue
        assert isinstance(default, ast.Call)
        annotation = parameter.annotation
        if annotation is None and name not in _DEPENDENCIES:
            continue
        if annotation is not None:
            _, metadata, home = annotated(annotation, module)
            if any(marker_of(item, home) for item in metadata):
                continue
        found.append(_marked(parameter, default, name, module))
    left_out = {item.parameter.arg for item in found}
    return [] if found and any(_leaves_out(call, left_out) for call in _direct_calls(function)) else found


def _marked(parameter: ast.arg, marker: ast.Call, name: str, module: Module) -> Marked:
    default = None if name in _DEPENDENCIES else argument(marker, 0, "default")
    parts: list[ast.expr | ast.keyword] = [*marker.args, *marker.keywords]
    arguments = tuple(
        part
        for part in parts
        if default is None or default not in {part, part.value if isinstance(part, ast.keyword) else None}
    )
    held = default
    if isinstance(default, ast.Constant) and default.value is Ellipsis:
        default = None
    annotation = parameter.annotation
    movable = (
        annotation is not None
        and not isinstance(default, (ast.List, ast.Dict, ast.Set))
        and not any(isinstance(part, ast.Starred) for part in marker.args)
        and all(keyword.arg is not None for keyword in marker.keywords)
        and _can_be_evaluated(annotation, module)
        and (not _defers_annotations(module) or _is_global(marker, module))
    )
    return Marked(parameter, marker, default, arguments, held is not None, movable)


def _can_be_evaluated(annotation: ast.expr, module: Module) -> bool:
    """Whether the names of an annotation exist at run time, where FastAPI evaluates `Annotated`."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return False
        if isinstance(node, ast.Name):
            found = module.lookup(node.id, annotation)
            if found is not None and any(_for_type_checkers(item.node, module) for item in found[1]):
                return False
    return not _defers_annotations(module) or _is_global(annotation, module)


def _for_type_checkers(node: ast.AST, module: Module) -> bool:
    return any(
        isinstance(ancestor, ast.If) and "TYPE_CHECKING" in module.source.segment(ancestor.test)
        for ancestor in module.source.ancestors(node)
    )


def _defers_annotations(module: Module) -> bool:
    return any(
        statement.module == "__future__" and any(alias.name == "annotations" for alias in statement.names)
        for statement in module.source.nodes(ast.ImportFrom)
    )


def _is_global(node: ast.expr, module: Module) -> bool:
    """Whether all names of an expression are of the module or built in."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found = module.lookup(part.id, part)
            if found is not None and found[0].kind != "module":
                return False
    return True


def is_called_directly(function: FunctionInfo) -> bool:
    """Whether code of its own file calls a function, which injection does not."""
    return any(True for _ in _direct_calls(function))


def _direct_calls(function: FunctionInfo) -> Iterator[ast.Call]:
    owner, module = function.owner, function.module
    name, qualified = function.node.name, function.name
    if owner is not None and name == "__init__":
        name, qualified = owner.node.name, owner.name
    for call in module.source.calls.get(name, ()):
        known = module.type_of(call.func)
        if known is not None and known.name == qualified:
            yield call


def _leaves_out(call: ast.Call, names: set[str]) -> bool:
    given = {keyword.arg for keyword in call.keywords}
    return not call.args and None not in given and bool(names - given)


def is_dependency(function: FunctionInfo) -> bool:
    """Whether some `Depends` or `Security` of the workspace calls a function.

    It may stand in a default, in an `Annotated` alias or in `dependencies=`, in any file.
    """
    module = function.module
    if _is(function, _dependencies(module)):
        return True
    index = module.modules
    if not isinstance(index, Index):
        return False
    owner = function.owner
    constructs = owner is not None and function.node.name in {"__init__", "__call__"}
    name = owner.node.name if owner is not None and constructs else function.node.name
    markers = {*files_with(index, module, b"Depends"), *files_with(index, module, b"Security")}
    for path in files_with(index, module, name.encode()):
        if path not in markers:
            continue
        other = index.at(path, module)
        if other is not None and other is not module and _is(function, _dependencies(other)):
            return True
    return False


def _is(function: FunctionInfo, found: frozenset[str]) -> bool:
    if function.name in found:
        return True
    owner = function.owner
    return owner is not None and function.node.name in {"__init__", "__call__"} and owner.name in found


def _dependencies(module: Module) -> frozenset[str]:
    """Qualified names of the functions and classes that a module injects somewhere."""
    return fact(module, "fastapi dependencies", lambda module: frozenset(_injected_names(module)))


def _injected_names(module: Module) -> Iterator[str]:
    names = {"Depends", "Security"}
    for statement in module.source.nodes(ast.ImportFrom):
        names.update(alias.asname for alias in statement.names if alias.asname and alias.name in names)
    for name in names:
        for call in module.source.calls.get(name, ()):
            if not is_injection(call, module):
                continue
            wanted = argument(call, 0, "dependency")
            if wanted is None:
                continue
            function = target(wanted, module)
            if function is not None:
                yield function.name
            known = module.type_of(wanted)
            if known is not None and known.kind in {Kind.CLASS, Kind.INSTANCE}:
                yield known.name


@dataclass(frozen=True, eq=False)
class EventHandler:
    """One handler of `startup` or `shutdown`.

    - `place`: the decorator, call or keyword that registers it; `function_name`: what is used for it.
    - `call_text`: how a coroutine runs the handler, or None where that is not certain.
    """

    event: str
    name: str
    place: ast.expr
    function_name: ast.expr
    call_text: str | None


@dataclass(frozen=True, eq=False)
class EventHandlers:
    """The handlers that a module registers on one router, in the order in which they run.

    - `router`: the expression that they are registered on, where it is first written.
    - `constructor`: the call that makes the application, where it is a variable of the module.
    - `is_complete`: nothing else in the project registers handlers or sets a lifespan, and all handlers
      can be run by `call_text`; `is_handed_on`: other code gets the application and may add some.
    """

    router: ast.expr
    handlers: tuple[EventHandler, ...]
    constructor: ast.Call | None
    is_complete: bool
    is_handed_on: bool


def event_handlers(module: Module) -> list[EventHandlers]:
    """The handlers of `startup` and `shutdown` in a module, by the router they are registered on."""
    found: dict[tuple[str, int], list[EventHandler]] = {}
    routers: dict[tuple[str, int], ast.expr] = {}
    for name in ("on_event", "add_event_handler"):
        for call in module.source.calls.get(name, ()):
            if not isinstance(call.func, ast.Attribute) or not is_router(call.func.value, module):
                continue
            handler = _event_handler(call, module)
            if handler is not None:
                router = call.func.value
                looked_up = module.lookup(router.id, router) if isinstance(router, ast.Name) else None
                key = module.source.segment(router), id(looked_up[0]) if looked_up is not None else 0
                found.setdefault(key, []).append(handler)
                routers.setdefault(key, router)
    answer = []
    for key, handlers in found.items():
        handlers.sort(key=lambda handler: module.source.start(handler.place))
        constructor = _constructor(routers[key], module)
        complete = (
            len(found) == 1
            and all(handler.call_text is not None for handler in handlers)
            and constructor is not None
            and not any(keyword.arg in _LIFESPAN_ARGUMENTS for keyword in constructor.keywords)
            and _registers_alone(module)
        )
        handed_on = _is_handed_on(key[0], module)
        answer.append(EventHandlers(routers[key], tuple(handlers), constructor, complete, handed_on))
    return answer


def event_arguments(module: Module) -> Iterator[tuple[ast.Call, ast.keyword]]:
    """The arguments by which a module gives handlers to an application or router that it makes."""
    for keyword in module.source.nodes(ast.keyword):
        if keyword.arg in {"on_startup", "on_shutdown"}:
            call = module.source.parent(keyword)
            is_empty = isinstance(keyword.value, ast.Constant)
            if isinstance(call, ast.Call) and not is_empty and is_router(call, module):
                yield call, keyword


def _event_handler(call: ast.Call, module: Module) -> EventHandler | None:
    event = argument(call, 0, "event_type")
    if not isinstance(event, ast.Constant) or event.value not in {"startup", "shutdown"}:
        return None
    decorated = module.source.parent(call)
    if not isinstance(decorated, FUNCTIONS):
        given = argument(call, 1, "func")
        return (
            EventHandler(event.value, module.source.segment(given), call, call.func, None) if given else None
        )
    text = (
        f"await {decorated.name}()" if isinstance(decorated, ast.AsyncFunctionDef) else f"{decorated.name}()"
    )
    arguments = decorated.args
    plain = (
        isinstance(module.source.parent(decorated), ast.Module)
        and all(
            isinstance(item, ast.Call)
            and isinstance(item.func, ast.Attribute)
            and item.func.attr == "on_event"
            for item in decorated.decorator_list
        )
        and not (arguments.posonlyargs or arguments.args or arguments.kwonlyargs)
        and len(module.scope.bindings.get(decorated.name, ())) == 1
    )
    return EventHandler(event.value, decorated.name, call, call.func, text if plain else None)


def _constructor(router: ast.expr, module: Module) -> ast.Call | None:
    """The call that makes an application, where it is assigned once to a variable of the module."""
    if not isinstance(router, ast.Name):
        return None
    bindings = module.scope.bindings.get(router.id, [])
    value = bindings[0].value if len(bindings) == 1 and not bindings[0].path else None
    if not isinstance(value, ast.Call) or module.qualified_name(value.func) != _APP:
        return None
    return value if isinstance(module.source.parent(bindings[0].node), ast.Module) else None


def _registers_alone(module: Module) -> bool:
    """Whether no other file of the project mentions another way to run code at start and stop."""
    index = module.modules
    if not isinstance(index, Index):
        return False
    own = index.path_of(module)
    words = (b"on_event", b"add_event_handler", b"on_startup", b"on_shutdown", b"lifespan_context")
    return not any(path != own for word in words for path in files_with(index, module, word))


def _is_handed_on(name: str, module: Module) -> bool:
    """Whether a variable is an argument of some call, but for those that only serve an application."""
    for calls in module.source.calls.values():
        for call in calls:
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            if any(isinstance(item, ast.Name) and item.id == name for item in given):
                callee = module.qualified_name(call.func)
                if callee not in {"uvicorn.run", "uvicorn.Config"}:
                    return True
    return False


def is_uncallable(node: ast.expr, module: Module) -> bool:
    """Whether a call of a project function or class certainly gives a value that cannot be called."""
    if not isinstance(node, ast.Call):
        return False
    callee, modules = module.type_of(node.func), module.modules
    if callee is None or callee.kind not in {Kind.FUNCTION, Kind.CLASS}:
        return False
    result: Type | None = instance(callee.name)
    if callee.kind is Kind.FUNCTION:
        function = modules.function_info(callee.name)
        if function is None or not function.is_transparent:
            return False
        if function.is_async or function.yields:
            return True
        result = function.body_type()
    if result is None or result.kind is not Kind.INSTANCE:
        return False
    info = modules.class_info(result.name)
    if info is None:
        return result.name in _UNCALLABLE
    return info.is_closed and info.method("__call__") is None and info.libraries <= _PLAIN_BASES


def swallowing_handlers(statement: ast.Try, function: FunctionInfo) -> list[ast.ExceptHandler]:
    """The handlers around a `yield` of a generator that certainly end an error of whoever uses it.

    Only those that catch what a route raises: everything, `HTTPException`, or an error of the database.
    """
    if function.decorators:
        return []
    module, source = function.module, function.module.source
    start, end = source.start(statement.body[0]), source.end(statement.body[-1])
    own = function.own_nodes()
    if not any(isinstance(node, ast.Yield) and start <= source.start(node) < end for node in own):
        return []
    return [
        handler
        for handler in statement.handlers
        if _catches_errors_of_routes(handler.type, module)
        and not any(_may_raise(part, module) for inner in handler.body for part in ast.walk(inner))
    ]


def _catches_errors_of_routes(caught: ast.expr | None, module: Module) -> bool:
    if caught is None:
        return True
    items = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    names = [module.qualified_name(item) or "" for item in items]
    return any(name in _ERRORS_OF_ROUTES or name.startswith("sqlalchemy.exc.") for name in names)


def _may_raise(node: ast.AST, module: Module) -> bool:
    """Whether a node of a handler raises, or calls something that may be there to raise."""
    if isinstance(node, (ast.Raise, ast.Yield, ast.YieldFrom)):
        return True
    if not isinstance(node, ast.Call):
        return False
    known = module.type_of(node.func)
    if known is None:
        return isinstance(node.func, ast.Name)
    called = module.modules.function_info(known.name) if known.kind is Kind.FUNCTION else None
    return called is not None and any(isinstance(inner, ast.Raise) for inner in called.own_nodes())


def routes_of(function: FunctionInfo) -> list[Route]:
    """The registrations of a function as a route in its own module."""
    return [
        route
        for route in routes(function.module)
        if route.function is not None and route.function.node is function.node
    ]


def fact(module: Module, key: str, compute: Callable[[Module], Fact]) -> Fact:
    """What is known about a module, computed once for each version of its source."""
    index = module.modules
    if isinstance(index, Index):
        return index.fact((key, module.name, id(module.source)), lambda: compute(module))
    return compute(module)


class FastAPIKnowledge(Knowledge):
    """Types of FastAPI: what it injects into parameters."""

    def parameter(self, argument: ast.arg, default: ast.expr, module: Module) -> Type | None:
        """The type of a parameter without annotation whose default is `Depends(...)`."""
        found = injected(argument, default, module)
        return found.result if found is not None else None


KNOWLEDGE = FastAPIKnowledge()
