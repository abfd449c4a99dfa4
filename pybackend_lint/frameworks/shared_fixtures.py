"""Facts about fixtures whose value several tests share, and the tests that change it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import testing
from pybackend_lint.frameworks.shared_defaults import LITERALS, constant, first_change
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import Function

_SHARED = frozenset({"class", "module", "package", "session"})
_KINDS = ("list", "dict", "set")
_REMOVING = frozenset({"pop", "popitem", "clear", "remove", "discard"})


@dataclass(frozen=True, slots=True, eq=False)
class ChangedFixture:
    """A shared fixture, what changes its value, and where that is made when it is a module's variable."""

    fixture: testing.Fixture
    change: ast.expr
    origin: Related | None


def changed_fixtures(node: Function, module: Module) -> Iterator[ChangedFixture]:
    """The shared fixtures whose value a test or fixture changes for those that run after it.

    Only lists, dicts and sets with content: one that starts empty is there to be filled, and a fixture that
    goes on after its `yield` looks at what was put in. Nothing is said where the function takes something
    out again, or where nothing else asks for the fixture.
    """
    function = module.function_info(node)
    known: dict[str, testing.Fixture | None] | None = None
    for parameter, default in function.parameters():
        if default is not None or not any(first_change(parameter, kind, function) for kind in _KINDS):
            continue
        if known is None:
            is_own = testing.is_test(function) or testing.fixture_of(function) is not None
            known = testing.requested(function) if is_own else {}
        fixture = known.get(parameter.arg)
        value = _value_of(fixture) if fixture is not None else None
        if fixture is None or value is None or _restores(parameter.arg, function):
            continue
        change = first_change(parameter, value[0], function)
        if change is not None and _has_other_users(fixture, function):
            yield ChangedFixture(fixture, change, value[1])


def _restores(name: str, function: FunctionInfo) -> bool:
    """Whether a function may undo what it did to a value: it takes something out, or has a `finally`."""
    for node in function.own_nodes():
        match node:
            case ast.Try(finalbody=[_, *_]):
                return True
            case ast.Subscript(value=ast.Name(id=held), ctx=ast.Del()) if held == name:
                return True
            case ast.Attribute(value=ast.Name(id=held), attr=method) if held == name and method in _REMOVING:
                return True
    return False


def _value_of(fixture: testing.Fixture) -> tuple[str, Related | None] | None:
    """The kind of the value that tests share, when it has content, and where a module makes it."""
    function = fixture.function
    values = function.yields or function.returned
    if len(values) != 1 or values[0] is None or _goes_on(function):
        return None
    value = values[0]
    if isinstance(value, (ast.Name, ast.Attribute)):
        shared = constant(value, function.module)
        name = function.module.qualified_name(value)
        variable = function.module.modules.variable(name) if shared is not None and name is not None else None
        if shared is not None and variable is not None:
            return shared if not _is_empty(variable[1].value) else None
    if fixture.scope not in _SHARED:
        return None
    if isinstance(value, ast.Name):
        found = function.module.lookup(value.id, value)
        if found is None or [(b.kind, b.path) for b in found[1]] != [("assign", ())]:
            return None
        value = found[1][0].value or value
    kind = LITERALS.get(type(value))
    return (kind, None) if kind is not None and not _is_empty(value) else None


def _is_empty(value: ast.expr | None) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Call(args=[], keywords=[]):
            return True
    return False


def _goes_on(function: FunctionInfo) -> bool:
    """Whether a fixture has statements behind its `yield`."""
    match function.node.body[-1]:
        case ast.Expr(value=ast.Yield()):
            return False
    return bool(function.yields)


def _has_other_users(fixture: testing.Fixture, function: FunctionInfo) -> bool:
    """Whether something besides one run of a function asks for a fixture."""
    module, name = function.module, fixture.name
    if any(mark == "parametrize" for mark in testing.marks(function.node, module)):
        return True
    asking = [argument for argument in module.source.nodes(ast.arg) if argument.arg == name]
    if len(asking) > 1 or fixture.function.module is module:
        return len(asking) > 1
    index = module.modules
    if not isinstance(index, Index):
        return False
    homes = {index.path_of(module), index.path_of(fixture.function.module)}
    return any(path not in homes for path in files_with(index, module, name.encode()))
