"""Facts about Django's responses: which of them write JSON by themselves."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from pybackend_lint.frameworks.django_urls import argument
from pybackend_lint.semantic.module import Module

# Response class to the status that it sets, None where it leaves that to the caller.
_RESPONSES: Final = {
    f"django.http{module}.{name}": status
    for module in ("", ".response")
    for name, status in (
        ("HttpResponse", None), ("HttpResponseBadRequest", 400), ("HttpResponseForbidden", 403),
        ("HttpResponseNotFound", 404), ("HttpResponseServerError", 500),
    )
}  # fmt: skip
RESPONSE_NAMES: Final = tuple(sorted({name.rpartition(".")[2] for name in _RESPONSES}))
JSON_RESPONSE: Final = "django.http.JsonResponse"
_ENCODER: Final = "django.core.serializers.json.DjangoJSONEncoder"
_JSON: Final = "application/json"
_KEPT: Final = frozenset({"status", "reason", "charset", "headers"})
_OPTIONS: Final = frozenset(
    {"skipkeys", "ensure_ascii", "check_circular", "allow_nan", "indent", "separators", "sort_keys"}
)


@dataclass(frozen=True, slots=True, eq=False)
class WrittenJson:
    """A response whose body is the text of `json.dumps`, and nothing else needs that text.

    - `call`: the response; `dumps`: the call that writes the text; `data`: what is written.
    - `status`: the status that the class of the response sets; None where it sets none.
    - `content_type`: the argument that says that it is JSON; None where it is sent as HTML.
    - `options`: arguments of `json.dumps` that change the text.
    """

    call: ast.Call
    dumps: ast.Call
    data: ast.expr
    status: int | None
    content_type: ast.expr | ast.keyword | None
    options: tuple[ast.keyword, ...]

    @property
    def is_exact(self) -> bool:
        """Whether the content type is the one that `JsonResponse` sends."""
        value = self.content_type.value if isinstance(self.content_type, ast.keyword) else self.content_type
        return isinstance(value, ast.Constant) and value.value == _JSON


def written_json(call: ast.Call, module: Module) -> WrittenJson | None:
    """The JSON that a call of a response class sends as its body, None where `JsonResponse` is no equal."""
    name = module.qualified_name(call.func)
    if name not in _RESPONSES or any(keyword.arg is None for keyword in call.keywords):
        return None
    body = argument(call, 0, "content")
    if len(call.args) > 2 or body is None:
        return None
    dumps = _dumped(body, module)
    options = _options(dumps, module) if dumps is not None else None
    if dumps is None or options is None:
        return None
    types: list[ast.expr | ast.keyword] = [*call.args[1:]]
    for keyword in call.keywords:
        if keyword.arg == "content_type":
            types.append(keyword)
        elif keyword.arg == "headers" or keyword.arg not in _KEPT | {"content"}:
            return None
    content_type = types[0] if types else None
    if content_type is not None and not _is_json(content_type):
        return None
    if not isinstance(module.source.parent(call), ast.Return):
        return None  # its type may be set later, or it is offered as a file
    return WrittenJson(call, dumps, dumps.args[0], _RESPONSES[name], content_type, options)


def _is_json(content_type: ast.expr | ast.keyword) -> bool:
    value = content_type.value if isinstance(content_type, ast.keyword) else content_type
    if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return False
    kind, _, parameter = value.value.lower().replace(" ", "").partition(";")
    return kind == _JSON and parameter in {"", "charset=utf-8", "charset=utf8"}


def _dumped(body: ast.expr, module: Module) -> ast.Call | None:
    """The call of `json.dumps` that gives a body, at its place or by a name that is read only there."""
    if isinstance(body, ast.Name):
        found = module.lookup(body.id, body)
        bindings = found[0].bindings.get(body.id, []) if found is not None else []
        if found is None or found[0].kind != "function" or len(bindings) != 1 or bindings[0].path:
            return None
        reads = [
            node
            for node in module.source.nodes(ast.Name)
            if node.id == body.id and isinstance(node.ctx, ast.Load)
            if module.source.enclosing_function(node) is found[0].node
        ]
        if len(reads) != 1 or not isinstance(bindings[0].value, ast.Call):
            return None
        body = bindings[0].value
    if not isinstance(body, ast.Call) or module.qualified_name(body.func) != "json.dumps":
        return None
    plain = len(body.args) == 1 and not isinstance(body.args[0], ast.Starred)
    return body if plain else None


def _options(dumps: ast.Call, module: Module) -> tuple[ast.keyword, ...] | None:
    """The arguments that `json_dumps_params` takes; None where another encoder makes the text."""
    found = []
    for keyword in dumps.keywords:
        if keyword.arg == "cls" and module.qualified_name(keyword.value) == _ENCODER:
            continue
        if keyword.arg not in _OPTIONS:
            return None
        found.append(keyword)
    return tuple(found)


def is_dictionary(node: ast.expr, module: Module) -> bool:
    """Whether the value of an expression is certainly a dictionary."""
    known = module.type_of(node)
    return isinstance(node, (ast.Dict, ast.DictComp)) or (
        known is not None and known.is_instance("builtins.dict") and not known.optional
    )
