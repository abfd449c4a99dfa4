"""Facts about calls that render a template: which one, and what they give it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pybackend_lint.frameworks import django
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

_TAG: Final = "django.template.Library.inclusion_tag"
_JINJA: Final = "starlette.templating.Jinja2Templates.TemplateResponse"
# The places of the template and of the context among the arguments; keywords are the context without one.
_RENDERING: Final[dict[str, tuple[int, int | None]]] = {
    "django.shortcuts.render": (1, 2),
    "django.template.response.TemplateResponse": (1, 2),
    "django.template.response.SimpleTemplateResponse": (0, 1),
    "django.template.loader.render_to_string": (0, 1),
    "flask.render_template": (0, None),
    "flask.stream_template": (0, None),
    _JINJA: (1, 2),
    _TAG: (0, None),
}
CALLS: Final = frozenset(name.rpartition(".")[2] for name in _RENDERING)


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A template and the names and values that it is given; a name with several values is left out."""

    template: str
    given: tuple[tuple[str, ast.expr], ...]


def rendered_by(call: ast.Call, module: Module) -> Rendered | None:
    """What a call such as `render_template("orders.html", orders=orders)` renders, None for other calls."""
    name = last_name(call.func)
    if name not in CALLS or any(isinstance(item, ast.Starred) for item in call.args):
        return None
    known = module.qualified_name(call.func) or ""
    if known not in _RENDERING:
        callee = module.type_of(call.func)
        known = callee.name if callee is not None and callee.kind is Kind.EXTERNAL else ""
    places = _RENDERING.get(known)
    if places is None:
        return None
    position, context = places
    if known == _JINJA and call.args and isinstance(call.args[0], ast.Constant):
        position, context = 0, 1  # before Starlette 0.29 the request was part of the context
    template = _argument(call, position, ("template_name", "template", "name", "filename"))
    if not (isinstance(template, ast.Constant) and isinstance(template.value, str)):
        return None
    if known == _TAG:
        given = _returned(call, module)
    elif context is None:
        given = [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg is not None]
    else:
        value = _argument(call, context, ("context",))
        given = _items(value, module) if value is not None else []
    return Rendered(template.value, tuple(given))


def _argument(call: ast.Call, position: int, names: tuple[str, ...]) -> ast.expr | None:
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)


def _returned(decorator: ast.Call, module: Module) -> list[tuple[str, ast.expr]]:
    """The names and values of the context that a decorated function returns."""
    function = module.source.parent(decorator)
    if not isinstance(function, ast.FunctionDef) or decorator not in function.decorator_list:
        return []
    contexts = module.function_info(function).returned
    return single(item for value in contexts if value is not None for item in _items(value, module))


def single(items: Iterable[tuple[str, ast.expr]]) -> list[tuple[str, ast.expr]]:
    """Those of some names and values whose name comes once."""
    found = list(items)
    names = [name for name, _ in found]
    return [(name, value) for name, value in found if names.count(name) == 1]


def _items(context: ast.expr, module: Module) -> list[tuple[str, ast.expr]]:
    """The names and values of a context that has no other values under them."""
    found = written(context)
    if isinstance(context, ast.Name):
        binding = module.lookup(context.id, context)
        if binding is None or len(binding[1]) != 1 or binding[1][0].value is None or binding[1][0].path:
            return []
        found = [*written(binding[1][0].value), *stored(context, module)]
    return single(found)


def written(node: ast.expr) -> list[tuple[str, ast.expr]]:
    """The names and values of `{"a": b}` and `dict(a=b)`."""
    match node:
        case ast.Dict(keys=keys, values=values):
            return [
                (key.value, value)
                for key, value in zip(keys, values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            ]
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return [(keyword.arg, keyword.value) for keyword in keywords if keyword.arg is not None]
    return []


def stored(context: ast.Name, module: Module) -> Iterator[tuple[str, ast.expr]]:
    """What the function of a name stores in the dictionary that the name holds."""
    for use in django.other_uses(context, module):
        around = module.source.parent(use)
        match around, module.source.parent(around) if around is not None else None:
            case (
                ast.Subscript(slice=ast.Constant(value=str(key)), ctx=ast.Store()),
                ast.Assign(targets=[_], value=value),
            ):
                yield key, value
            case ast.Attribute(attr="update"), ast.Call(args=[given], keywords=[]):
                yield from written(given)
            case ast.Attribute(attr="update"), ast.Call(args=[], keywords=keywords):
                yield from ((item.arg, item.value) for item in keywords if item.arg is not None)
