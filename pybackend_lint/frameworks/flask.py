"""Facts about Flask: applications, their configuration, what a request brings in, names that are gone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pybackend_lint.finding import Related
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind, Type, instance
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

APPLICATION = "flask.Flask"
BLUEPRINT = "flask.Blueprint"
CONFIG = "flask.Config"

ROOTS = ("flask", "werkzeug", "jinja2", "markupsafe")
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {
    "flask.app.Flask": APPLICATION,
    "flask.blueprints.Blueprint": BLUEPRINT,
    "flask.config.Config": CONFIG,
    "flask.globals.": "flask.",
    "flask.templating.": "flask.",
    "flask.helpers.": "flask.",
    "flask.wrappers.Request": "flask.Request",
    "jinja2.environment.": "jinja2.",
}

_APPLICATION_ATTRIBUTES = {"config": CONFIG, "jinja_env": "jinja2.Environment"}


class FlaskKnowledge(Knowledge):
    """Types of Flask."""

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """The configuration and template environment of an application, its sub-classes and `current_app`."""
        known = _APPLICATION_ATTRIBUTES.get(name)
        return instance(known) if known is not None and _is_application(value, module) else None


KNOWLEDGE = FlaskKnowledge()


def _is_application(value: Type | None, module: Module) -> bool:
    if value is None:
        return False
    if value.name == "flask.current_app":
        return True
    if value.kind is not Kind.INSTANCE:
        return False
    info = module.modules.class_info(value.name)
    return info.is_a(APPLICATION) if info is not None else value.name == APPLICATION


def is_application(expression: ast.expr, ctx: Context) -> bool:
    """Whether the value of an expression is a Flask application."""
    return _is_application(ctx.type_of(expression), ctx.module)


def is_application_or_blueprint(expression: ast.expr, ctx: Context) -> bool:
    """Whether the value of an expression is a Flask application or a blueprint."""
    value = ctx.type_of(expression)
    if value is None or value.kind is not Kind.INSTANCE:
        return False
    info = ctx.module.modules.class_info(value.name)
    names = (APPLICATION, BLUEPRINT)
    return info.is_a(*names) if info is not None else value.name in names


# Configuration


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a file gives the configuration of an application.

    `place` is what stands in this file; `value` may be an expression of another one, of `module`.
    """

    key: str
    value: ast.expr
    place: ast.AST
    module: Module

    def related(self, ctx: Context) -> list[Related]:
        """Where the value is set, when that is another place than the finding."""
        if self.value is self.place or self.module is ctx.module:
            return []
        source = self.module.source
        return [Related(source.path, source.position(source.start(self.value)), f"`{self.key}` is set here")]


_ATTRIBUTE_SETTINGS = {"debug": "DEBUG", "secret_key": "SECRET_KEY", "testing": "TESTING"}
_OVERRIDES = ("from_prefixed_env", "from_envvar", "from_pyfile", "from_file", "from_json")


def settings(key: str, ctx: Context) -> Iterator[Setting]:
    """The values that a file gives a key of an application's configuration.

    Not those of configurations for development and tests, which are recognised by the name of their class
    or module or by the condition around them, and none where the file loads the key from elsewhere, but for
    what another factory of the file loads into its own application.
    """
    source = ctx.source
    if is_sample(ctx.module):
        return
    overrides = [c for name in _OVERRIDES for c in source.calls.get(name, ()) if _is_config(c.func, ctx)]
    found: set[ast.AST] = set()
    for at, setting in (*_assigned(key, ctx), *_updated(key, ctx), *_loaded(key, ctx)):
        if setting.place in found or _is_for_development(setting.place, ctx):
            continue
        if not any(_may_override(override, at, ctx) for override in overrides):
            found.add(setting.place)
            yield setting


def _may_override(override: ast.Call, at: ast.AST, ctx: Context) -> bool:
    """Whether a call that loads values may do so for the application that is configured at a place."""
    source = ctx.source
    loading, setting = source.enclosing_function(override), source.enclosing_function(at)
    if loading is None or setting is None or loading is setting:
        return True
    made = source.calls.get("Flask", ())
    return not any(source.enclosing_function(call) is loading for call in made)


def _assigned(key: str, ctx: Context) -> Iterator[tuple[ast.AST, Setting]]:
    for statement in ctx.source.nodes(ast.Assign):
        for target in statement.targets:
            match target:
                case ast.Subscript(value=value, slice=ast.Constant(value=name)) if name == key:
                    if _is(value, CONFIG, ctx):
                        yield statement, Setting(key, statement.value, statement.value, ctx.module)
                case ast.Attribute(value=value, attr=attr) if _ATTRIBUTE_SETTINGS.get(attr) == key:
                    if is_application(value, ctx):
                        yield statement, Setting(key, statement.value, statement.value, ctx.module)


def _updated(key: str, ctx: Context) -> Iterator[tuple[ast.AST, Setting]]:
    for name in ("update", "from_mapping", "setdefault"):
        for call in ctx.source.calls.get(name, ()):
            values = [keyword.value for keyword in call.keywords if keyword.arg == key]
            for argument in call.args[:1]:
                if isinstance(argument, ast.Dict):
                    pairs = zip(argument.keys, argument.values, strict=True)
                    values += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == key]
                elif name == "setdefault" and isinstance(argument, ast.Constant) and argument.value == key:
                    values += call.args[1:2]
            if values and _is_config(call.func, ctx):
                for value in values:
                    yield call, Setting(key, value, value, ctx.module)


def _loaded(key: str, ctx: Context) -> Iterator[tuple[ast.AST, Setting]]:
    """Values of the classes and modules that the file loads with `from_object`."""
    for call in ctx.source.calls.get("from_object", ()):
        if not call.args or not _is_config(call.func, ctx):
            continue
        for name in _object_names(call.args[0], ctx):
            if _names_development(name):
                continue
            info = ctx.module.modules.class_info(name)
            if info is not None:
                found = _class_value(info, key)
            else:
                variable = ctx.module.modules.variable(f"{name}.{key}")
                found = (variable[0], variable[1].value) if variable is not None else None
            module, value = found or (ctx.module, None)
            if value is not None:
                place = value if module is ctx.module else call.args[0]
                yield call, Setting(key, value, place, module)


def _object_names(argument: ast.expr, ctx: Context) -> list[str]:
    """The qualified names of what `from_object` may load, also of one of several in a dictionary."""
    match argument:
        case ast.Subscript(value=table) | ast.Call(func=ast.Attribute(value=table, attr="get")):
            name = ctx.qualified_name(table)
            variable = ctx.module.modules.variable(name) if name is not None else None
            if variable is not None and isinstance(variable[1].value, ast.Dict) and not variable[1].path:
                names = [variable[0].qualified_name(value) for value in variable[1].value.values]
                return [name for name in names if name is not None]
            return []
    name = _object_name(argument, ctx)
    return [name] if name is not None else []


def _class_value(info: ClassInfo, key: str) -> tuple[Module, ast.expr | None] | None:
    member = info.member(key)
    if member is None or member[1].path or _names_development(member[0].name):
        return None
    if len(member[0].scope.bindings[key]) > 1:  # it depends on a condition which of them counts
        return None
    return member[0].module, member[1].value


def _object_name(argument: ast.expr, ctx: Context) -> str | None:
    """The qualified name of the class or module that `from_object` loads."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return ctx.module.modules.canonical(argument.value, ctx.module)
    if isinstance(argument, ast.Call):
        return ctx.qualified_name(argument.func)
    if isinstance(argument, ast.Name):
        found = ctx.module.lookup(argument.id, argument)
        if found is not None and [binding.kind for binding in found[1]] == ["parameter"]:
            default = found[1][0].value
            return _object_name(default, ctx) if default is not None else None
    return ctx.qualified_name(argument)


def _is(expression: ast.expr, name: str, ctx: Context) -> bool:
    value = ctx.type_of(expression)
    return value is not None and value.is_instance(name)


def _is_config(func: ast.expr, ctx: Context) -> bool:
    return isinstance(func, ast.Attribute) and _is(func.value, CONFIG, ctx)


_SAMPLES = frozenset({"examples", "demos", "samples"})


def is_sample(module: Module) -> bool:
    """Whether a module lies in a folder of examples, which nobody deploys."""
    return not _SAMPLES.isdisjoint(module.name.split(".")[:-1])


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def stays_on_the_machine(call: ast.Call, module: Module) -> bool:
    """Whether `app.run` is told to serve this machine only, or does so unless the environment says more."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "host"] or call.args[:1]
    return bool(given) and _is_loopback(given[0], module)


def _is_loopback(value: ast.expr, module: Module) -> bool:
    match value:
        case ast.Constant():
            return value.value in _LOOPBACK
        case ast.Call(args=[_, default]) if _reads_environment(value, module):
            return _is_loopback(default, module)
        case ast.Name(id=name):
            bindings = [binding.value for binding in (module.lookup(name, value) or (None, ()))[1]]
            return bool(bindings) and all(
                isinstance(bound, (ast.Constant, ast.Call)) and _is_loopback(bound, module)
                for bound in bindings
            )
    return False


_DEVELOPMENT = ("dev", "test", "local", "debug")


def _names_development(name: str) -> bool:
    return any(part.lstrip("_").lower().startswith(_DEVELOPMENT) for part in name.split(".")[-2:])


def _is_for_development(place: ast.AST, ctx: Context) -> bool:
    for ancestor in ctx.ancestors(place):
        if isinstance(ancestor, ast.If):
            if any(word in ast.unparse(ancestor.test).lower() for word in _DEVELOPMENT):
                return True
        elif isinstance(ancestor, (ast.ClassDef, *FUNCTIONS)) and _names_development(ancestor.name):
            return True
    return False


def written_secret(value: ast.expr, module: Module) -> ast.expr | None:
    """The literal that a secret falls back to or consists of; None where it comes from outside.

    Nothing for a literal that the file compares with: such a placeholder is refused later.
    """
    literal: ast.expr | None = value
    if isinstance(value, ast.Call) and _reads_environment(value, module):
        literal = value.args[1] if len(value.args) > 1 else None
        for keyword in value.keywords:
            literal = keyword.value if keyword.arg == "default" else literal
    elif isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or):
        first = value.values[0]
        literal = (
            value.values[-1] if isinstance(first, ast.Call) and _reads_environment(first, module) else None
        )
    if (
        not isinstance(literal, ast.Constant)
        or not isinstance(literal.value, (str, bytes))
        or not literal.value
    ):
        return None
    for comparison in module.source.nodes(ast.Compare):
        for part in ast.walk(comparison):
            if isinstance(part, ast.Constant) and part.value == literal.value:
                return None
    return literal


def _reads_environment(call: ast.Call, module: Module) -> bool:
    return module.qualified_name(call.func) in {"os.environ.get", "os.getenv", "os.environ.setdefault"}


def environment_variable(value: ast.expr, module: Module) -> str | None:
    """The name of the environment variable that an expression reads first, or None."""
    call = value.values[0] if isinstance(value, ast.BoolOp) else value
    if isinstance(call, ast.Call) and _reads_environment(call, module) and call.args:
        name = call.args[0]
        return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None
    return None


# What a request brings in

_REQUEST = "flask.request"
_INPUTS = frozenset(
    {"args", "form", "values", "json", "get_json", "cookies", "headers", "files", "data", "get_data",
     "view_args", "path", "url", "full_path", "base_url", "query_string", "referrer", "stream"}
)  # fmt: skip
_ROUTES = frozenset({"route", "get", "post", "put", "patch", "delete", "websocket"})
_SAFE_TYPES = frozenset({"builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "datetime.date"})
_CONVERSIONS = frozenset({"builtins.int", "builtins.float", "builtins.bool", "builtins.len", "uuid.UUID"})
_MAX_STEPS = 5


def user_input(expression: ast.expr, ctx: Context, *, parameters: bool) -> ast.expr | None:
    """The part of an expression that comes from the request, or None.

    Names are followed to their assignments in the function. `parameters`: those of the function that
    have no harmless type count as well; those of a view always do. Conversions to numbers and values
    that the function compares with a collection are harmless.
    """
    return _input_in(expression, ctx, parameters, _MAX_STEPS)


def _input_in(node: ast.AST, ctx: Context, parameters: bool, steps: int) -> ast.expr | None:
    if steps == 0 or isinstance(node, ast.Lambda):
        return None
    match node:
        case ast.Attribute(value=value, attr=attr) if attr in _INPUTS:
            if ctx.qualified_name(value) == _REQUEST:
                return node
        case ast.Call(func=func):
            callee = ctx.type_of(func)
            if callee is not None and callee.name in _CONVERSIONS:
                return None
        case ast.Name():
            return _input_of_name(node, ctx, parameters, steps)
        case ast.IfExp():
            return _input_in(node.body, ctx, parameters, steps) or _input_in(
                node.orelse, ctx, parameters, steps
            )
    for child in ast.iter_child_nodes(node):
        found = _input_in(child, ctx, parameters, steps)
        if found is not None:
            return found
    return None


def _input_of_name(name: ast.Name, ctx: Context, parameters: bool, steps: int) -> ast.expr | None:
    found = ctx.module.lookup(name.id, name)
    if found is None or found[0].kind != "function" or _is_checked(name, ctx):
        return None
    scope, bindings = found
    for binding in bindings:
        if binding.kind == "parameter":
            function = cast("ast.FunctionDef | ast.AsyncFunctionDef", scope.node)
            if (parameters or _is_view(function, ctx)) and not _is_harmless(name, ctx):
                return name
        elif binding.value is not None and binding.kind in {"assign", "for", "with"}:
            if _input_in(binding.value, ctx, parameters, steps - 1) is not None:
                return name
    return None


def _is_harmless(name: ast.Name, ctx: Context) -> bool:
    if name.id in {"self", "cls"}:
        return True
    value = ctx.type_of(name)
    return value is not None and (value.kind is not Kind.INSTANCE or value.name in _SAFE_TYPES)


def _is_checked(name: ast.Name, ctx: Context) -> bool:
    """Whether the function asks if the value is one of a collection."""
    function = ctx.enclosing_function(name)
    return any(
        isinstance(comparison.ops[0], (ast.In, ast.NotIn))
        and isinstance(comparison.left, ast.Name)
        and comparison.left.id == name.id
        and ctx.enclosing_function(comparison) is function
        for comparison in ctx.source.nodes(ast.Compare)
    )


def _is_view(function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in _ROUTES
        and is_application_or_blueprint(decorator.func.value, ctx)
        for decorator in function.decorator_list
    )


def template_source(call: ast.Call, ctx: Context) -> ast.expr | None:
    """The text that a call compiles as a template, or None for other calls and for sandboxes."""
    name = ctx.qualified_name(call.func)
    callee = ctx.type_of(call.func) if isinstance(call.func, ast.Attribute) else None
    known = {"flask.render_template_string": "source", "jinja2.Template": "source"}
    if name not in known and (callee is None or callee.name != "jinja2.Environment.from_string"):
        return None
    named = [keyword.value for keyword in call.keywords if keyword.arg == "source"]
    return next(iter([*call.args[:1], *named]), None)


def is_built(expression: ast.expr, ctx: Context) -> bool:
    """Whether an expression puts a text together from parts, also where a name holds the result."""
    match expression:
        case ast.JoinedStr(values=values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format")):
            return True
        case ast.Name():
            found = ctx.module.lookup(expression.id, expression)
            bindings = found[1] if found is not None else []
            assigned = [binding.value for binding in bindings if not isinstance(binding.value, ast.Name)]
            return any(value is not None and is_built(value, ctx) for value in assigned)
    return False


def is_flask_template(call: ast.Call, ctx: Context) -> bool:
    """Whether a call renders its template as the answer to a request."""
    return ctx.qualified_name(call.func) == "flask.render_template_string"


# Names that are gone


@dataclass(frozen=True, slots=True)
class Removed:
    """A name of Flask that is gone: since which version, and what to use.

    `new` is the qualified name to import, the new keyword or the expression behind `app.`, where a
    rename does it; otherwise it is empty and `advice` says what to do.
    """

    since: str
    advice: str
    new: str = ""

    @property
    def shown(self) -> str:
        """What to use, as it stands in a message."""
        return self.advice if " " in self.advice else f"`{self.advice}`"


REMOVED_IMPORTS = {
    "flask.Markup": Removed("3.0", "markupsafe.Markup", "markupsafe.Markup"),
    "flask.escape": Removed("3.0", "markupsafe.escape", "markupsafe.escape"),
    "flask.safe_join": Removed("2.1", "werkzeug.utils.safe_join", "werkzeug.utils.safe_join"),
    "flask._app_ctx_stack": Removed("3.0", "flask.g"),
    "flask._request_ctx_stack": Removed("3.0", "flask.g"),
    "flask.json.JSONEncoder": Removed("2.3", "flask.json.provider.DefaultJSONProvider"),
    "flask.json.JSONDecoder": Removed("2.3", "flask.json.provider.DefaultJSONProvider"),
}
_IN_FACTORY = "a call in the factory, under `app.app_context()`"
_PROVIDER = "app.json_provider_class"
REMOVED_ATTRIBUTES = {
    "before_first_request": Removed("2.3", _IN_FACTORY),
    "before_app_first_request": Removed("2.3", _IN_FACTORY),
    "json_encoder": Removed("2.3", _PROVIDER),
    "json_decoder": Removed("2.3", _PROVIDER),
    "env": Removed("2.3", "app.debug"),
}
REMOVED_SETTINGS = {
    "JSON_AS_ASCII": Removed("2.3", "app.json.ensure_ascii", "json.ensure_ascii"),
    "JSON_SORT_KEYS": Removed("2.3", "app.json.sort_keys", "json.sort_keys"),
    "JSONIFY_MIMETYPE": Removed("2.3", "app.json.mimetype", "json.mimetype"),
    "JSONIFY_PRETTYPRINT_REGULAR": Removed("2.3", "app.json.compact"),
}
_CONFIGURATION = re.compile(r"config|setting", re.IGNORECASE)
REMOVED_ARGUMENTS = {
    "flask.send_file": {
        "attachment_filename": Removed("2.2", "download_name", "download_name"),
        "cache_timeout": Removed("2.2", "max_age", "max_age"),
        "add_etags": Removed("2.2", "etag", "etag"),
    },
    "flask.send_from_directory": {
        "filename": Removed("2.2", "path", "path"),
        "attachment_filename": Removed("2.2", "download_name", "download_name"),
        "cache_timeout": Removed("2.2", "max_age", "max_age"),
        "add_etags": Removed("2.2", "etag", "etag"),
    },
}


REMOVED_KEYWORDS = frozenset(name for names in REMOVED_ARGUMENTS.values() for name in names)
_REMOVED_WORDS = frozenset(name.rpartition(".")[2] for name in REMOVED_IMPORTS)


def is_gone(removed: Removed, node: ast.AST, ctx: Context) -> bool:
    """Whether the project's Flask may be a version without the name, and the code does not provide for it."""
    if not ctx.project.satisfies(f"flask>={removed.since}", "upper"):
        return False
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, ast.Try):
            return False
        if isinstance(ancestor, ast.If):
            test = ast.unparse(ancestor.test)
            if "version" in test.lower() or "hasattr" in test:
                return False
    return True


def removed_import(statement: ast.ImportFrom, alias: ast.alias, ctx: Context) -> tuple[str, Removed] | None:
    """The removed name that an import asks for, with its qualified name."""
    if statement.level or alias.name not in _REMOVED_WORDS:
        return None
    name = ctx.module.modules.canonical(f"{statement.module}.{alias.name}", ctx.module)
    removed = REMOVED_IMPORTS.get(name)
    return (name, removed) if removed is not None else None


def removed_attribute(node: ast.Attribute, ctx: Context) -> tuple[str, Removed] | None:
    """The removed name that an attribute of Flask's module, an application or a blueprint asks for."""
    removed = REMOVED_ATTRIBUTES.get(node.attr)
    if removed is not None:
        if node.attr == "env" and not isinstance(node.ctx, ast.Load):
            return None
        return (ctx.text(node), removed) if is_application_or_blueprint(node.value, ctx) else None
    name = ctx.qualified_name(node) if node.attr in _REMOVED_WORDS else None
    removed = REMOVED_IMPORTS.get(name) if name is not None else None
    return (name, removed) if name is not None and removed is not None else None


def removed_arguments(call: ast.Call, ctx: Context) -> Iterator[tuple[ast.keyword, Removed]]:
    """The arguments of a call that Flask's function no longer takes."""
    if any(keyword.arg in REMOVED_KEYWORDS for keyword in call.keywords):
        known = REMOVED_ARGUMENTS.get(ctx.qualified_name(call.func) or "", {})
        for keyword in call.keywords:
            if keyword.arg in known:
                yield keyword, known[keyword.arg]


def removed_values(node: ast.Call | ast.Assign, ctx: Context) -> Iterator[tuple[ast.AST, str]]:
    """The keys without effect that a call gives an application's configuration, or a class for one sets.

    A class is for one when its name or that of its module says so, and no other file mentions the key.
    """
    if isinstance(node, ast.Call):
        if node.keywords and last_name(node.func) in {"update", "from_mapping"}:
            found = [keyword for keyword in node.keywords if keyword.arg in REMOVED_SETTINGS]
            if found and _is_config(node.func, ctx):
                yield from ((keyword, keyword.arg or "") for keyword in found)
        return
    match node.targets:
        case [ast.Name(id=key)] if key in REMOVED_SETTINGS:
            around = ctx.source.parent(node)
            named = ctx.module.name.rpartition(".")[2]
            if isinstance(around, ast.ClassDef):
                named += around.name
            elif not isinstance(around, ast.Module):
                return
            index = ctx.module.modules
            if _CONFIGURATION.search(named) and isinstance(index, Index):
                if files_with(index, ctx.module, key.encode()) == [index.path_of(ctx.module)]:
                    yield node.targets[0], key


def removed_settings(statement: ast.Assign, ctx: Context) -> Iterator[tuple[str, ast.expr, Removed]]:
    """The keys without effect that an assignment sets in the configuration of an application."""
    for target in statement.targets:
        match target:
            case ast.Subscript(
                value=ast.Attribute(value=app, attr="config"), slice=ast.Constant(value=str(key))
            ):
                if key in REMOVED_SETTINGS and is_application(app, ctx):
                    yield key, app, REMOVED_SETTINGS[key]
