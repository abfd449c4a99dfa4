"""Asynchronous generators: what they clean up, and loops that leave them before they end."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.frameworks.awaiting import is_defined_once
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module

# Context managers that leave nothing open.
_NO_CLEAN_UP = frozenset({"contextlib.suppress", "contextlib.nullcontext"})
_TRIES = (ast.Try, ast.TryStar)


def early_exit(loop: ast.AsyncFor) -> ast.stmt | None:
    """The first statement in the body of a loop that leaves the loop, or None."""
    return next(_exits(loop.body, breaks=True, raises=True), None)


def _exits(body: list[ast.stmt], *, breaks: bool, raises: bool) -> Iterator[ast.stmt]:
    """Statements that leave a loop: a `break` of an inner loop and a `raise` that is caught do not."""
    for statement in body:
        match statement:
            case ast.Return():
                yield statement
            case ast.Break():
                if breaks:
                    yield statement
            case ast.Raise():
                if raises:
                    yield statement
            case ast.For() | ast.AsyncFor() | ast.While():
                yield from _exits(statement.body, breaks=False, raises=raises)
                yield from _exits(statement.orelse, breaks=breaks, raises=raises)
            case ast.Try() | ast.TryStar():
                yield from _exits(statement.body, breaks=breaks, raises=raises and not statement.handlers)
                for handler in statement.handlers:
                    yield from _exits(handler.body, breaks=breaks, raises=raises)
                yield from _exits(statement.orelse, breaks=breaks, raises=raises)
                yield from _exits(statement.finalbody, breaks=breaks, raises=raises)
            case ast.If():
                yield from _exits(statement.body, breaks=breaks, raises=raises)
                yield from _exits(statement.orelse, breaks=breaks, raises=raises)
            case ast.With() | ast.AsyncWith():
                yield from _exits(statement.body, breaks=breaks, raises=raises)
            case ast.Match():
                for case in statement.cases:
                    yield from _exits(case.body, breaks=breaks, raises=raises)


def generator_of(call: ast.Call, module: Module) -> FunctionInfo | None:
    """The asynchronous generator function of the project that a call calls, or None."""
    function = module.function_called(call)
    if function is None or not function.is_async or not function.yields:
        return None
    return function if function.is_transparent and is_defined_once(function) else None


def clean_up(generator: FunctionInfo) -> ast.stmt | None:
    """What a generator does when it is closed at any of its `yield`s: a `finally` or a `with` block.

    None where a consumer that leaves it at some `yield` may leave nothing open.
    """
    yields = generator.module.source.in_scope(ast.Yield, generator.node)
    found = [_clean_up_around(node, generator) for node in yields]
    return found[0] if found and None not in found else None


def _clean_up_around(node: ast.Yield, generator: FunctionInfo) -> ast.stmt | None:
    inner: ast.AST = node
    for ancestor in generator.module.source.ancestors(node):
        if ancestor is generator.node:
            return None
        if isinstance(ancestor, _TRIES):
            if ancestor.finalbody and inner not in ancestor.finalbody:
                return ancestor.finalbody[0]
        elif isinstance(ancestor, (ast.With, ast.AsyncWith)) and _cleans_up(ancestor, generator):
            return ancestor
        inner = ancestor
    return None


def _cleans_up(block: ast.With | ast.AsyncWith, generator: FunctionInfo) -> bool:
    """Whether one of the context managers has something to give back that is not its caller's."""
    given = {argument.arg for argument, _ in generator.parameters()}
    for item in block.items:
        manager = item.context_expr
        if isinstance(manager, ast.Call):
            if generator.module.qualified_name(manager.func) not in _NO_CLEAN_UP:
                return True
        elif isinstance(manager, ast.Name) and manager.id in given:
            continue  # who gave it may close it
        elif isinstance(block, ast.AsyncWith) or generator.module.type_of(manager) is not None:
            return True
    return False
