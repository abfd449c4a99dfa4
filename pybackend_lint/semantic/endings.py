"""How the body of a function ends: with a value, with an exception, or by falling off its end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pybackend_lint.semantic.types import Kind

if TYPE_CHECKING:
    from pybackend_lint.semantic.definitions import FunctionInfo
    from pybackend_lint.semantic.module import Module

_NEVER_RETURN = frozenset(
    {"sys.exit", "os._exit", "os.abort", "builtins.exit", "builtins.quit", "flask.abort", "quart.abort",
     "werkzeug.exceptions.abort", "pytest.fail", "pytest.skip", "pytest.exit"}
)  # fmt: skip
_NO_RETURN_ANNOTATIONS = frozenset({"typing.NoReturn", "typing.Never", "typing_extensions.Never"})


def ends_without_value(function: FunctionInfo) -> bool:
    """Whether some path through a function certainly ends without `return <value>` and without `raise`.

    A bare `return` counts. A path that ends with a call of something unknown does not: it may raise.
    """
    if any(value is None for value in function.returned):
        return True
    return falls_through(function.node.body, function.module)


def never_returns(function: FunctionInfo) -> bool:
    """Whether every call of a function ends with an exception, by its annotation or its body."""
    returns = function.node.returns
    if returns is not None and function.module.qualified_name(returns) in _NO_RETURN_ANNOTATIONS:
        return True
    if function.returned or function.yields or function.is_async:
        return False
    falls = function.module.guarded(
        ("falls", id(function.node)), lambda: falls_through(function.node.body, function.module)
    )
    return falls is False


def falls_through(body: list[ast.stmt], module: Module) -> bool:
    """Whether control certainly can leave a block at its end."""
    for statement in body[:-1]:
        if not _passes(statement, module, last=False):
            return False
    return _passes(body[-1], module, last=True) if body else True


def _passes(statement: ast.stmt, module: Module, *, last: bool) -> bool:
    match statement:
        case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
            return False
        case ast.Expr(value=ast.Call() as call):
            return _call_returns(call, module, unknown=not last)
        case ast.Assert(test=ast.Constant(value=value)):
            return bool(value)
        case ast.If(test=test, body=body, orelse=orelse):
            if isinstance(test, ast.Constant):
                return falls_through(body if test.value else orelse, module)
            return falls_through(body, module) or falls_through(orelse, module)
        case ast.While(test=ast.Constant(value=value)) if value:
            return _breaks(statement.body)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return falls_through(body, module)
        case ast.Try() | ast.TryStar():
            if statement.finalbody and not falls_through(statement.finalbody, module):
                return False
            if any(falls_through(handler.body, module) for handler in statement.handlers):
                return True
            return falls_through([*statement.body, *statement.orelse], module)
        case ast.Match(cases=cases):
            if any(falls_through(case.body, module) for case in cases):
                return True
            return not any(_catches_all(case) for case in cases)
    return True


def _catches_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _breaks(body: list[ast.stmt]) -> bool:
    """Whether a `break` leaves the loop that this body belongs to."""
    for statement in body:
        match statement:
            case ast.Break():
                return True
            case ast.For(orelse=orelse) | ast.AsyncFor(orelse=orelse) | ast.While(orelse=orelse):
                blocks = [orelse]  # a break in an inner loop's body leaves that one
            case ast.If(body=inner, orelse=orelse):
                blocks = [inner, orelse]
            case ast.With(body=inner) | ast.AsyncWith(body=inner):
                blocks = [inner]
            case ast.Try() | ast.TryStar():
                handlers = [handler.body for handler in statement.handlers]
                blocks = [statement.body, *handlers, statement.orelse, statement.finalbody]
            case ast.Match(cases=cases):
                blocks = [case.body for case in cases]
            case _:
                continue
        if any(_breaks(block) for block in blocks):
            return True
    return False


def _call_returns(call: ast.Call, module: Module, *, unknown: bool) -> bool:
    """Whether a call gives back control; `unknown` where it is not known what is called."""
    callee = module.type_of(call.func)
    if callee is None or callee.kind is Kind.INSTANCE:
        return unknown  # an instance is called by a method, a parameter may be any function
    if callee.name in _NEVER_RETURN:
        return False
    if callee.kind is Kind.FUNCTION:
        function = module.modules.function_info(callee.name)
        return function is None or not never_returns(function)
    if callee.kind is Kind.EXTERNAL and _is_hidden(callee.name):
        return unknown
    return True


def _is_hidden(name: str) -> bool:
    """Whether a library's name is an attribute of an attribute of a class, of which nothing is known."""
    parts = name.split(".")
    classes = [index for index, part in enumerate(parts) if part.lstrip("_")[:1].isupper()]
    return bool(classes) and len(parts) - classes[0] > 2
