"""Facts about JSON Web Tokens: calls of PyJWT and python-jose that do not verify, who reads the claims."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Position, Related
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function

_PYJWT_DECODE = frozenset(
    {
        "jwt.decode",
        "jwt.decode_complete",
        "jwt.api_jwt.decode",
        "jwt.PyJWT.decode",
        "jwt.PyJWT.decode_complete",
    }
)
_JOSE_DECODE = frozenset({"jose.jwt.decode"})
_JOSE_CLAIMS = frozenset({"jose.jwt.get_unverified_claims"})
# Claims that say who somebody is or what they may do; times and issuers are often read before verifying.
_IDENTITY = frozenset(
    {
        "sub", "uid", "user", "identity", "user_id", "userid", "userId", "username", "preferred_username",
        "upn", "email", "account_id", "client_id", "role", "roles", "scope", "scopes", "permissions",
        "groups", "is_admin", "is_staff", "is_superuser", "tenant_id", "org_id", "organization_id",
    }
)  # fmt: skip
# Calls that take a token and say nothing about who signed it.
_BLIND = frozenset({"builtins.len", "builtins.str", "builtins.isinstance", "builtins.print", "builtins.repr"})
_BLIND_METHODS = frozenset(
    {"debug", "info", "warning", "error", "exception", "get_unverified_header", "decode", "encode", "split",
     "removeprefix", "strip", "replace", "startswith"}
)  # fmt: skip
_DEEPEST = 2


@dataclass(frozen=True, eq=False)
class Unverified:
    """A call that reads a token without verifying it: what in it says so, and the token."""

    option: str
    token: ast.expr


def _decoder(call: ast.Call, module: Module) -> str | None:
    callee = module.type_of(call.func)
    return callee.name if callee is not None else module.qualified_name(call.func)


def unverified(call: ast.Call, module: Module, *, old_pyjwt: bool) -> Unverified | None:
    """How a call reads a token without verifying its signature, or None for any other call.

    `old_pyjwt` says whether PyJWT is certainly older than 2, where `verify=False` had an effect.
    """
    name = _decoder(call, module)
    token = next((keyword.value for keyword in call.keywords if keyword.arg in {"jwt", "token"}), None)
    if call.args and not isinstance(call.args[0], ast.Starred):
        token = call.args[0]
    if token is None or name is None:
        return None
    if name in _JOSE_CLAIMS:
        return Unverified("get_unverified_claims", token)
    if name not in _PYJWT_DECODE | _JOSE_DECODE:
        return None
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    options: ast.expr | None = call.args[3] if len(call.args) > 3 else keywords.get("options")
    if options is not None and _is_false(_constant(_entry(options, "verify_signature", module), module)):
        return Unverified("verify_signature=False", token)
    if old_pyjwt and name in _PYJWT_DECODE and _is_false(keywords.get("verify")):
        return Unverified("verify=False", token)
    return None


def ignored_verify(call: ast.Call, module: Module) -> ast.keyword | None:
    """The `verify=False` of a call of PyJWT's `decode`, which PyJWT 2 ignores, or None."""
    if _decoder(call, module) not in _PYJWT_DECODE:
        return None
    return next((item for item in call.keywords if item.arg == "verify" and _is_false(item.value)), None)


def _constant(node: ast.expr | None, module: Module) -> ast.expr | None:
    """What a constant of a module holds, another expression as it is."""
    name = module.qualified_name(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
    variable = module.modules.variable(name) if name is not None else None
    return variable[1].value if variable is not None and variable[1].value is not None else node


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _entry(options: ast.expr, key: str, module: Module) -> ast.expr | None:
    """The value of a key in a dictionary that is written in place, as a local or as a module's constant."""
    match options:
        case ast.Dict(keys=keys, values=values):
            for item, value in zip(reversed(keys), reversed(values), strict=True):
                if item is None:
                    return None
                if isinstance(item, ast.Constant) and item.value == key:
                    return value
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return next((keyword.value for keyword in keywords if keyword.arg == key), None)
        case ast.Name():
            found = module.lookup(options.id, options)
            bindings = found[1] if found is not None else []
            if len(bindings) != 1:
                return None
            written = bindings[0].value
            if bindings[0].kind == "assign" and isinstance(written, (ast.Dict, ast.Call)):
                return _entry(written, key, module)
            return _constant_entry(options, key, module)
        case ast.Attribute():
            return _constant_entry(options, key, module)
    return None


def _constant_entry(options: ast.expr, key: str, module: Module) -> ast.expr | None:
    name = module.qualified_name(options)
    variable = module.modules.variable(name) if name is not None else None
    if variable is None or not isinstance(variable[1].value, (ast.Dict, ast.Call)):
        return None
    return _entry(variable[1].value, key, variable[0])


def trusted_claim(call: ast.Call, token: ast.expr, module: Module, depth: int = 0) -> Related | None:
    """Where a claim of an unverified token says who somebody is or what they may do, or None.

    `call` gives the claims; functions that return them are followed to their callers. None as well when
    the same token is handed to anything else, which may verify it.
    """
    source = module.source
    function = source.enclosing_function(call)
    if not isinstance(function, FUNCTIONS) or _is_handed_on(token, call, function, module):
        return None
    returned = False
    for value in (call, *_uses(call, function, module)):
        parent = source.parent(value)
        match parent:
            case ast.Subscript(value=inner, slice=ast.Constant(value=key)) if inner is value:
                pass
            case ast.Attribute(value=inner, attr="get") if inner is value:
                read = source.parent(parent)
                first = read.args[:1] if isinstance(read, ast.Call) else []
                key = first[0].value if first and isinstance(first[0], ast.Constant) else None
            case ast.keyword(arg=None):
                key = "**"
            case ast.Return():
                returned, key = True, None
            case _:
                continue
        if key in _IDENTITY or key == "**":
            what = "the claims are" if key == "**" else f"the claim `{key}` is"
            return _related(module, source.position(source.start(value)), f"{what} trusted here")
    return _trusted_by_callers(function, module, depth) if returned and depth < _DEEPEST else None


def _related(module: Module, start: Position, message: str) -> Related:
    return Related(module.source.path, start, message)


def _uses(call: ast.Call, function: Function, module: Module) -> Iterator[ast.Name]:
    """The reads of the variable to which a call's value is assigned."""
    source = module.source
    match source.parent(call):
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            for use in source.in_scope(ast.Name, function):
                if use.id == name and isinstance(use.ctx, ast.Load):
                    found = module.lookup(name, use)
                    if found is not None and any(binding.value is call for binding in found[1]):
                        yield use


def _is_handed_on(token: ast.expr, call: ast.Call, function: Function, module: Module) -> bool:
    """Whether a function passes a token to anything besides the call that reads it."""
    source = module.source
    text = source.segment(token)
    for other in module.function_info(function).own_nodes():
        if not isinstance(other, ast.Call) or other is call:
            continue
        if isinstance(other.func, ast.Attribute) and other.func.attr in _BLIND_METHODS:
            if not _verifies(other, module):
                continue
        if module.qualified_name(other.func) in _BLIND:
            continue
        values = [*other.args, *(keyword.value for keyword in other.keywords)]
        if any(source.segment(value) == text for value in values):
            return True
    return False


def _verifies(call: ast.Call, module: Module) -> bool:
    name = _decoder(call, module)
    return name in _PYJWT_DECODE | _JOSE_DECODE and unverified(call, module, old_pyjwt=False) is None


def _trusted_by_callers(function: Function, module: Module, depth: int) -> Related | None:
    index = module.modules
    info = module.function_info(function)
    if not isinstance(index, Index):
        return None
    for path in files_with(index, module, f"{function.name}(".encode()):
        other = index.at(path, module)
        for call in other.source.calls.get(function.name, ()) if other is not None else ():
            if other is not None and call.args:
                callee = other.type_of(call.func)
                if callee is not None and callee.name == info.name:
                    found = trusted_claim(call, call.args[0], other, depth + 1)
                    if found is not None:
                        return found
    return None
