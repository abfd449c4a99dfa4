"""Facts about cross-origin requests: which configurations let every site send a user's cookies."""

from __future__ import annotations

import ast

from pybackend_lint.frameworks import django_web
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.module import Module

_STARLETTE = "starlette.middleware.cors.CORSMiddleware"
_STARLETTE_WRAPPER = "starlette.middleware.Middleware"
_FLASK = frozenset({"flask_cors.CORS", "flask_cors.cross_origin", "flask_cors.extension.CORS"})
_CREDENTIALS = frozenset({"allow_credentials", "supports_credentials"})
_DJANGO_ALL = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
_DJANGO_CREDENTIALS = "CORS_ALLOW_CREDENTIALS"
# Regular expressions that every origin matches.
_ANY_ORIGIN = frozenset(
    {".*", "^.*$", ".+", "^.+$", "https?://.*", "^https?://.*$", "http.*", "https://.*", "^https://.*$"}
)
_DEVELOPMENT = ("debug", "dev", "local", "test")
_DEEPEST = 4


def _constant(node: ast.expr | None, module: Module, depth: int = 0) -> tuple[ast.expr | None, Module]:
    """The expression behind a name that is bound once: a constant of a module or a local."""
    if not isinstance(node, (ast.Name, ast.Attribute)) or depth > _DEEPEST:
        return node, module
    if isinstance(node, ast.Name):
        found = module.lookup(node.id, node)
        if found is not None and found[0].kind == "function":
            binding = found[1][0]
            if len(found[0].bindings[node.id]) != 1 or binding.kind != "assign" or binding.path:
                return None, module
            return _constant(binding.value, module, depth + 1)
    name = module.qualified_name(node)
    variable = module.modules.variable(name) if name is not None else None
    if variable is None or variable[1].path:
        return None, module
    return _constant(variable[1].value, variable[0], depth + 1)


def _is_true(node: ast.expr | None, module: Module) -> bool:
    value, _ = _constant(node, module)
    return isinstance(value, ast.Constant) and value.value is True


def _has_star(node: ast.expr | None, module: Module, *, regex: bool = False) -> bool:
    """Whether a string or a literal list of strings contains `*` (or a pattern that matches everything)."""
    value, home = _constant(node, module)
    match value:
        case ast.Constant(value=str(text)):
            return text == "*" or (regex and text in _ANY_ORIGIN)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return any(_has_star(element, home, regex=regex) for element in elements)
        case ast.Call(args=[pattern, *_], func=func) if regex and home.qualified_name(func) == "re.compile":
            return _has_star(pattern, home, regex=True)
    return False


def opens_to_all(call: ast.Call, module: Module) -> str | None:
    """What in a call lets every site send the user's cookies: the argument at fault, or None."""
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    if arguments.keys().isdisjoint(_CREDENTIALS) or None in arguments or _is_for_development(call, module):
        return None
    name = module.qualified_name(call.func)
    if name in _FLASK:
        return _flask(call, arguments, module)
    middleware = name == _STARLETTE or (
        bool(call.args)
        and module.qualified_name(call.args[0]) == _STARLETTE
        and (name == _STARLETTE_WRAPPER or _is_add_middleware(call))
    )
    if not middleware or not _is_true(arguments.get("allow_credentials"), module):
        return None
    if _has_star(arguments.get("allow_origins"), module):
        return 'allow_origins=["*"]'
    pattern = arguments.get("allow_origin_regex")
    if _has_star(pattern, module, regex=True):
        return "allow_origin_regex"
    return None


def _is_add_middleware(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "add_middleware"


def _flask(call: ast.Call, arguments: dict[str | None, ast.expr], module: Module) -> str | None:
    if not _is_true(arguments.get("supports_credentials"), module):
        return None
    resources, home = _constant(arguments.get("resources"), module)
    default = arguments.get("origins")
    chosen: list[tuple[ast.expr | None, Module]] = [(default, module)]
    if isinstance(resources, ast.Dict):
        chosen = []
        for value in resources.values:
            if not isinstance(value, ast.Dict):
                return None
            entries = zip(value.keys, value.values, strict=True)
            named = [
                item for key, item in entries if isinstance(key, ast.Constant) and key.value == "origins"
            ]
            chosen.append((named[-1], home) if named else (default, module))
    elif "resources" in arguments:
        return None
    for origins, place in chosen:
        if origins is None:
            return None if _is_configured(module) else "origins"
        if _has_star(origins, place, regex=True):
            return "origins"
    return None


def _is_configured(module: Module) -> bool:
    """Whether some file sets the origins in the configuration of the Flask application."""
    index = module.modules
    return isinstance(index, Index) and bool(files_with(index, module, b"CORS_ORIGINS"))


def setting_opens_to_all(node: ast.Assign, module: Module) -> str | None:
    """The setting that an assignment makes, when it lets every site send cookies under Django, or None."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _DJANGO_ALL:
            pass
        case _:
            return None
    if not django_web.is_settings_module(module) or _is_for_development(node, module):
        return None
    for setting in (name, _DJANGO_CREDENTIALS):
        bindings = module.exit_bindings(setting)
        if len(bindings) != 1 or bindings[0].kind != "assign" or not _is_true(bindings[0].value, module):
            return None
    return name


def _is_for_development(node: ast.AST, module: Module) -> bool:
    """Whether code runs on a developer's machine only: a condition or the name of the module says so."""
    if any(word in module.name.lower().rpartition(".")[2] for word in _DEVELOPMENT):
        return True
    source = module.source
    return any(
        word in source.segment(ancestor.test).lower()
        for ancestor in source.ancestors(node)
        if isinstance(ancestor, (ast.If, ast.IfExp))
        for word in (*_DEVELOPMENT, "prod", "env")
    )
