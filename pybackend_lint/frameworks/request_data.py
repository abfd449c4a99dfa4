"""What clients send: the data of requests in Django, Flask and FastAPI, and what makes it harmless."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pybackend_lint.frameworks import django_urls, django_web, fastapi, flask, pydantic
from pybackend_lint.frameworks.fastapi_requests import ParameterKind, parameter_kind
from pybackend_lint.project.data_flow import Flow, Origin, Place, dumped_model, flow_to, place_of
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function
from pybackend_lint.semantic.types import Kind


class Sent(Enum):
    """By which part of a request data comes."""

    QUERY = "the query string"
    FORM = "a form"
    BODY = "the body"
    HEADER = "a header"
    COOKIE = "a cookie"
    FILE = "an upload"
    SEGMENT = "a segment of the path"  # holds no slash
    PATH = "the path"


_FLASK_REQUEST = frozenset({"flask.request", "quart.request"})
_FLASK = {
    "args": Sent.QUERY, "form": Sent.FORM, "values": Sent.QUERY, "json": Sent.BODY, "get_json": Sent.BODY,
    "data": Sent.BODY, "get_data": Sent.BODY, "stream": Sent.BODY, "cookies": Sent.COOKIE,
    "headers": Sent.HEADER, "files": Sent.FILE, "view_args": Sent.SEGMENT, "path": Sent.PATH,
    "full_path": Sent.PATH, "query_string": Sent.QUERY,
}  # fmt: skip
_DJANGO = {
    "GET": Sent.QUERY, "POST": Sent.FORM, "FILES": Sent.FILE, "COOKIES": Sent.COOKIE, "body": Sent.BODY,
    "headers": Sent.HEADER, "data": Sent.BODY, "query_params": Sent.QUERY,
}  # fmt: skip
_REST_FRAMEWORK_ONLY = frozenset({"data", "query_params"})
_STARLETTE = {
    "query_params": Sent.QUERY, "headers": Sent.HEADER, "cookies": Sent.COOKIE, "path_params": Sent.SEGMENT,
    "json": Sent.BODY, "body": Sent.BODY, "form": Sent.FORM, "stream": Sent.BODY,
}  # fmt: skip
_OWN_PATH = frozenset({"path", "full_path"})
_AIOHTTP = {
    "query": Sent.QUERY, "headers": Sent.HEADER, "cookies": Sent.COOKIE, "match_info": Sent.SEGMENT,
    "post": Sent.FORM, "json": Sent.BODY, "text": Sent.BODY, "read": Sent.BODY,
}  # fmt: skip
_READ_BY_CALL = frozenset({"json", "body", "form", "stream", "get_json", "get_data", "post", "text", "read"})
_ATTRIBUTES = frozenset(_FLASK) | frozenset(_DJANGO) | frozenset(_STARLETTE) | frozenset(_AIOHTTP)
_STARLETTE_REQUESTS = frozenset({"starlette.requests.Request", "starlette.requests.HTTPConnection"})
_AIOHTTP_REQUESTS = frozenset({"aiohttp.web.Request", "aiohttp.web_request.Request"})
_DJANGO_REQUESTS = frozenset(
    {"django.http.HttpRequest", "django.http.request.HttpRequest", "django.core.handlers.wsgi.WSGIRequest",
     "rest_framework.request.Request"}
)  # fmt: skip
_HARMLESS = frozenset(
    {"builtins.int", "builtins.float", "builtins.bool", "builtins.complex", "builtins.None", "uuid.UUID",
     "datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "decimal.Decimal",
     "ipaddress.IPv4Address", "ipaddress.IPv6Address"}
)  # fmt: skip
_URLS = frozenset({"pydantic.HttpUrl", "pydantic.AnyHttpUrl", "pydantic.AnyUrl", "pydantic.networks.HttpUrl"})
_CONSTRAINTS = frozenset({"pattern", "regex"})
_SHORT = 16  # characters, too few for anything that would do harm
_TRYING = re.compile(r"(?:test|check|verify|probe|ping)_.*(?:connect|proxy|webhook|server|endpoint|health)")
_NEGATIONS = (ast.Not, ast.NotEq, ast.NotIn, ast.IsNot)
_STAFF = re.compile(
    r"admin|superuser|staff|personnel|root_user|moderator|owner_only|system_?(?:scope|role|user)",
    re.IGNORECASE,
)
_HTML_RESPONSES = frozenset({"starlette.responses.HTMLResponse", "fastapi.responses.HTMLResponse"})
_FILE_MEMBERS = frozenset({"filename", "file", "stream"})
_ROUTES = frozenset({"route", "get", "post", "put", "patch", "delete"})
_FLASK_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_FLASK_PARAMETER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
# Converters of Django's `path` and groups of its `re_path` that let every text through.
_ANY_PATH = frozenset({"path", ".*", ".+", ".*?", ".+?"})
_ANY_SEGMENT = frozenset({"str", "[^/]+", "[^/]*", "[^/]+?"})
_KINDS = {
    ParameterKind.QUERY: Sent.QUERY, ParameterKind.HEADER: Sent.HEADER, ParameterKind.COOKIE: Sent.COOKIE,
    ParameterKind.BODY: Sent.BODY, ParameterKind.FORM: Sent.FORM, ParameterKind.FILE: Sent.FILE,
}  # fmt: skip
_LONGEST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class RequestData:
    """The question whether data of a request reaches a use.

    - `sent`: the parts of a request that an attacker can choose for this use.
    - `urls`: values that Pydantic has checked to be URLs count as well.
    - `mappings`: whole mappings matter, so that a model whose fields are known is harmless.
    - `by_design`: those who run the site may do it, so that what only they can send does not count.
    """

    key: str
    sent: frozenset[Sent]
    urls: bool = False
    mappings: bool = False
    by_design: bool = False

    def origin(self, node: ast.expr, module: Module, place: Place) -> Origin | None:
        """The data of a request that an expression reads."""
        attribute = node.func if isinstance(node, ast.Call) else node
        if not isinstance(attribute, ast.Attribute):
            return None
        if attribute.attr in _ATTRIBUTES:
            sent = _sent_by(attribute, module, is_call=isinstance(node, ast.Call))
        elif isinstance(node, ast.Attribute) and node.attr == "kwargs":
            sent = Sent.SEGMENT if _is_of_django_view(node.value, module) else None
        else:
            return None
        if sent is None or sent not in self.sent:
            return None
        if attribute.attr in _OWN_PATH and place in {Place.START, Place.HOST}:
            return None  # the routes of the application begin with one slash, so that it names no host
        around = module.source.enclosing_function(node)
        if (
            self.by_design
            and isinstance(around, FUNCTIONS)
            and self._is_meant(module.function_info(around), node)
        ):
            return None
        return self._entering(sent, node, module)

    def _is_meant(self, function: FunctionInfo, read: ast.expr | None = None) -> bool:
        """Whether a route is for those who run the site, or there to try a connection."""
        return is_for_staff(function, read) or (self.urls and _TRYING.match(function.node.name) is not None)

    def _entering(self, sent: Sent, node: ast.expr, module: Module) -> Origin:
        whole = _whole_access(node, module)
        shown = " ".join(module.source.segment(whole).split())
        shown = shown if len(shown) <= _LONGEST_SHOWN else " ".join(module.source.segment(node).split())
        return Origin(shown, place_of(whole, module, f"`{shown}` comes from {sent.value}"))

    def parameter(
        self, function: FunctionInfo, parameter: ast.arg, default: ast.expr | None, place: Place, inside: bool
    ) -> Origin | FunctionInfo | None:
        """The data of a request that a parameter of a route holds, or the dependency that fills it in."""
        sent = _sent_to_flask(function, parameter) or _sent_to_django(function, parameter)
        if sent is None:
            answer = self._sent_to_fastapi(function, parameter, default, inside)
            if isinstance(answer, FunctionInfo):
                return answer
            sent = answer
        if sent is None or sent not in self.sent or (self.by_design and self._is_meant(function)):
            return None
        related = place_of(parameter, function.module, f"`{parameter.arg}` comes from {sent.value}")
        return Origin(parameter.arg, related)

    def _sent_to_fastapi(
        self, function: FunctionInfo, parameter: ast.arg, default: ast.expr | None, inside: bool
    ) -> Sent | FunctionInfo | None:
        module = function.module
        if parameter.annotation is None and not isinstance(default, ast.Call):
            return None
        injected = fastapi.injected(parameter, default, module)
        if injected is not None:
            made = injected.function
            return made if made is not None and made.node.name not in {"__init__", "__call__"} else None
        routes = fastapi.routes_of(function)
        if not routes and not fastapi.is_dependency(function):
            return None
        paths = [route.path or "" for route in routes]
        if any(f"{{{parameter.arg}" in path for path in paths):
            found: Sent | None = Sent.SEGMENT
            if all(f"{{{parameter.arg}:path}}" in path for path in paths):
                found = Sent.PATH
        else:
            kind = parameter_kind(parameter, default, module, frozenset())
            found = _KINDS.get(kind) if kind is not None else None
            if kind is ParameterKind.FILE:
                return Sent.FILE
            if kind is None and parameter.annotation is not None:
                found = Sent.QUERY  # a type that FastAPI reads from a text, such as a URL
            if kind is ParameterKind.BODY and inside and self._is_structure(parameter, module):
                return Sent.BODY
        if found is None or parameter.annotation is None:
            return None
        return found if self._is_free(parameter.annotation, default, module) else None

    def _is_structure(self, parameter: ast.arg, module: Module) -> bool:
        """Whether a parameter is a model or dictionary, whose members are judged where they are read."""
        assert parameter.annotation is not None
        known = module.annotation_type(fastapi.annotated(parameter.annotation, module)[0], parameter)
        if known is None:
            return False
        info = module.modules.class_info(known.name)
        if info is not None and info.is_a("pydantic.BaseModel"):
            return not self.mappings
        return known.name == "builtins.dict"

    def _is_free(self, annotation: ast.expr, default: ast.expr | None, module: Module) -> bool:
        """Whether an annotation lets any text through."""
        bare, metadata, home = fastapi.annotated(annotation, module)
        for item in (*metadata, default):
            if isinstance(item, ast.Call) and any(_constrains(word) for word in item.keywords):
                return False
        if any(not isinstance(item, ast.Constant) and _validates(item, home) for item in metadata):
            return False
        known = home.annotation_type(bare, annotation if home is module else bare)
        if known is not None and known.name in {"builtins.list", "builtins.set", "builtins.tuple"}:
            known = known.argument()
        if known is None:
            return home.qualified_name(bare) == "typing.Any"
        return known.name in {"builtins.str", "builtins.bytes", "builtins.dict"} or (
            self.urls and known.name in _URLS
        )

    def is_harmless(self, node: ast.expr, module: Module) -> bool:
        """Whether a value is of a type without freedom: a number, a date, a UUID, a member of an enum."""
        if isinstance(node, ast.Call) and any(
            word.arg == "type" and getattr(word.value, "id", "") != "str" for word in node.keywords
        ):
            return True  # `request.args.get("page", type=int)`
        known = module.type_of(node)
        if known is None or known.kind is not Kind.INSTANCE:
            return False
        if known.name in _HARMLESS:
            return True
        info = module.modules.class_info(known.name)
        return info is not None and info.is_a("enum.Enum", "enum.StrEnum", "enum.IntEnum")

    def keeps(self, value: ast.expr, name: str, module: Module) -> bool:
        """Whether an attribute of foreign data is foreign: a field of a body, the name of an upload."""
        known = module.type_of(value)
        info = (
            module.modules.class_info(known.name)
            if known is not None and known.kind is Kind.INSTANCE
            else None
        )
        if info is None:
            return name in _FILE_MEMBERS
        return info.is_a("pydantic.BaseModel") and self._is_free_field(info, name)

    def _is_free_field(self, info: ClassInfo, name: str) -> bool:
        found = info.member(name)
        if found is None or found[1].annotation is None or _has_validator(info, name):
            return False
        owner, binding = found
        assert binding.annotation is not None
        if self._is_free(binding.annotation, binding.value, owner.module):
            return True
        known = owner.module.annotation_type(binding.annotation, binding.node)
        inner = owner.module.modules.class_info(known.name) if known is not None else None
        return inner is not None and inner.is_a("pydantic.BaseModel")


_EVERYTHING = frozenset(Sent)
# A header or cookie of somebody else's browser is not the attacker's to choose, nor is a body in JSON. Who
# can make a browser send a form can send it anywhere, and needs no redirect.
_BY_LINK = frozenset({Sent.QUERY, Sent.PATH})
SQL = RequestData("sql", _EVERYTHING)
CODE = RequestData("code", _EVERYTHING, by_design=True)
COMMANDS = RequestData("commands", _EVERYTHING)
BODIES = RequestData("bodies", frozenset({Sent.BODY}), by_design=True)
PATHS = RequestData("path", _EVERYTHING - {Sent.SEGMENT})
REQUESTS = RequestData("request", _EVERYTHING - {Sent.SEGMENT}, urls=True, by_design=True)
REDIRECTS = RequestData("redirect", _BY_LINK, urls=True)
FIELDS = RequestData("fields", frozenset({Sent.QUERY, Sent.FORM, Sent.BODY}), mappings=True, by_design=True)
HTML = RequestData("html", _BY_LINK | {Sent.FORM, Sent.SEGMENT})


def opened_model(mapping: ast.expr, module: Module) -> Flow | None:
    """The way of a body to a mapping made of a model that keeps whatever the client sends besides its fields.

    None for models that name their fields, which is the usual.
    """
    model = dumped_model(mapping, module, whole=True)
    known = module.type_of(model) if model is not None else None
    info = module.modules.class_info(known.name) if known is not None else None
    if model is None or info is None or not info.is_a("pydantic.BaseModel"):
        return None
    match pydantic.config(info).get("extra"):
        case ast.Constant(value="allow") | ast.Attribute(attr="allow"):
            return flow_to(model, module, BODIES, inside=True)
    return None


def _sent_by(attribute: ast.Attribute, module: Module, *, is_call: bool) -> Sent | None:
    """By which part of a request the value of an attribute of a request comes; None for other values."""
    value, name = attribute.value, attribute.attr
    if name in _FLASK and module.qualified_name(value) in _FLASK_REQUEST:
        return _FLASK[name] if is_call == name.startswith("get_") else None
    known = module.type_of(value)
    if known is not None and known.kind is Kind.INSTANCE and known.name in _STARLETTE_REQUESTS:
        return _STARLETTE.get(name) if is_call == (name in _READ_BY_CALL) else None
    if known is not None and known.kind is Kind.INSTANCE and known.name in _AIOHTTP_REQUESTS:
        return _AIOHTTP.get(name) if is_call == (name in _READ_BY_CALL) else None
    if name in _DJANGO and not is_call and _is_django_request(value, name, module):
        return _DJANGO[name]
    return None


def _is_django_request(node: ast.expr, attribute: str, module: Module) -> bool:
    known = module.type_of(node)
    if known is not None and known.kind is Kind.INSTANCE:
        return known.name in _DJANGO_REQUESTS
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr="request"):
            return _is_of_django_view(node.value, module)
        case ast.Name(id="request"):
            found = module.lookup(node.id, node)
            if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
                return False
            if attribute.isupper():
                return True
            if attribute in _REST_FRAMEWORK_ONLY:
                return b"rest_framework" in module.source.data or _is_method_of_django_view(node, module)
            return b"django" in module.source.data
    return False


def _is_method_of_django_view(node: ast.AST, module: Module) -> bool:
    around = module.source.enclosing_class(node)
    return around is not None and django_web.is_view(module.class_info_of(around))


def _is_of_django_view(node: ast.expr, module: Module) -> bool:
    return isinstance(node, ast.Name) and node.id == "self" and _is_method_of_django_view(node, module)


def _whole_access(node: ast.expr, module: Module) -> ast.expr:
    """What is read of the data at this place: `request.args` together with `.get("next")` or `["next"]`."""
    parent = module.source.parent(node)
    if isinstance(parent, ast.Subscript) and parent.value is node:
        return parent
    if isinstance(parent, ast.Attribute):
        call = module.source.parent(parent)
        if isinstance(call, ast.Call) and call.func is parent:
            return call
    return node


def _sent_to_flask(function: FunctionInfo, parameter: ast.arg) -> Sent | None:
    """By which part of a request a parameter of a Flask view is filled in; None for checked ones."""
    module = function.module
    for decorator in function.node.decorator_list:
        match decorator:
            case ast.Call(
                func=ast.Attribute(value=router, attr=name), args=[ast.Constant(value=str(rule)), *_]
            ) if name in _ROUTES and _is_flask_router(router, module):
                for converter, argument in _FLASK_PARAMETER.findall(rule):
                    if argument == parameter.arg:
                        return {"": Sent.SEGMENT, "string": Sent.SEGMENT, "path": Sent.PATH}.get(converter)
    return None


def _sent_to_django(function: FunctionInfo, parameter: ast.arg) -> Sent | None:
    """By which part of the URL a parameter of a Django view is filled in; None for checked ones."""
    arguments = [*function.node.args.posonlyargs, *function.node.args.args]
    given = [argument.arg for argument in arguments[: 2 if function.owner is not None else 1]]
    if "request" not in given or parameter.arg in given:
        return None
    kinds = {django_urls.converter(pattern, parameter.arg) for pattern in django_urls.patterns_to(function)}
    if not kinds.isdisjoint(_ANY_PATH):
        return Sent.PATH
    return Sent.SEGMENT if not kinds.isdisjoint(_ANY_SEGMENT) else None


def _is_flask_router(node: ast.expr, module: Module) -> bool:
    known = module.type_of(node)
    if known is None or known.kind is not Kind.INSTANCE:
        return False
    info = module.modules.class_info(known.name)
    names = (flask.APPLICATION, flask.BLUEPRINT)
    return info.is_a(*names) if info is not None else known.name in names


def is_flask_view(function: FunctionInfo) -> bool:
    """Whether a function is a view of Flask: by `@app.route(...)` or its like, or in a class of views."""
    owner = function.owner
    if owner is not None:
        name = function.node.name
        if name in _FLASK_METHODS:
            return owner.is_a("flask.views.MethodView")
        return name == "dispatch_request" and owner.is_a("flask.views.View")
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in _ROUTES
        and _is_flask_router(decorator.func.value, function.module)
        for decorator in function.node.decorator_list
    )


def flask_views(module: Module) -> Iterator[FunctionInfo]:
    """The functions of a file that are Flask views."""
    source = module.source
    nodes: list[Function] = [*source.nodes(ast.FunctionDef), *source.nodes(ast.AsyncFunctionDef)]
    has_classes = b"flask.views" in source.data
    functions = (module.function_info(node) for node in nodes if node.decorator_list or has_classes)
    return filter(is_flask_view, functions)


def html_routes(module: Module) -> Iterator[FunctionInfo]:
    """The routes of FastAPI in a file that say with `response_class=` that their texts are HTML."""
    for route in fastapi.routes(module) if b"response_class" in module.source.data else ():
        written = fastapi.argument(route.call, None, "response_class")
        function = route.function
        if written is not None and function is not None and function.module is module:
            if module.qualified_name(written) in _HTML_RESPONSES:
                yield function


def _constrains(word: ast.keyword) -> bool:
    """Whether an argument of a field lets no text through that could do harm."""
    if word.arg == "max_length" and isinstance(word.value, ast.Constant):
        return isinstance(word.value.value, int) and word.value.value <= _SHORT
    return word.arg in _CONSTRAINTS


def is_for_staff(function: FunctionInfo, read: ast.expr | None = None) -> bool:
    """Whether a route is for those who run the site, by its module or by what guards it or what it asks.

    `read` is where data of the request is read: what is asked elsewhere than around it must end the route.
    """
    node = function.node
    if _STAFF.search(function.module.name.rpartition(".")[2]):
        return True
    guards: list[ast.AST] = [*node.decorator_list, *node.args.defaults]
    guards += [default for default in node.args.kw_defaults if default is not None]
    guards += [
        argument.annotation for argument, _ in function.parameters() if argument.annotation is not None
    ]
    if function.owner is not None:
        owner = function.owner.node
        guards += [*owner.bases, *owner.decorator_list]
        guards += [
            statement
            for statement in owner.body
            if isinstance(statement, ast.Assign) and "permission" in ast.unparse(statement.targets[0])
        ]
    guards += [branch.test for branch in function.own(ast.If) if read is None or _decides(branch, read)]
    return any(_STAFF.search(ast.unparse(guard)) for guard in guards)


def _decides(branch: ast.If, read: ast.expr) -> bool:
    """Whether a branch lets the function go on to a place, or ends it."""
    if branch.lineno <= read.lineno <= (branch.end_lineno or branch.lineno):
        return True
    turns_away = any(isinstance(node, _NEGATIONS) for node in ast.walk(branch.test))
    is_before = branch.lineno < read.lineno
    return (is_before or turns_away) and isinstance(branch.body[-1], (ast.Return, ast.Raise, ast.Expr))


def _validates(item: ast.expr, module: Module) -> bool:
    """Whether an item of `Annotated` may check the value: anything but a marker of FastAPI or Pydantic."""
    name = module.qualified_name(item.func if isinstance(item, ast.Call) else item)
    return name is None or not name.startswith(("fastapi.", "pydantic.Field", "typing"))


def _has_validator(info: ClassInfo, field: str) -> bool:
    """Whether a model has a validator for a field, for all fields or for the whole."""
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        for statement in item.node.body:
            if not isinstance(statement, FUNCTIONS):
                continue
            for decorator in statement.decorator_list:
                target = decorator.func if isinstance(decorator, ast.Call) else decorator
                name = (item.module.qualified_name(target) or "").rpartition(".")[2]
                if name in {"model_validator", "root_validator"}:
                    return True
                if name in {"field_validator", "validator"} and isinstance(decorator, ast.Call):
                    named = {arg.value for arg in decorator.args if isinstance(arg, ast.Constant)}
                    if not named or named & {field, "*"}:
                        return True
    return False
