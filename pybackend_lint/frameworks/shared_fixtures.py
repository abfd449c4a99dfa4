"""Facts about fixtures whose value several tests share, and the tests that change it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import testing
from pybackend_lint.frameworks.shared_defaults import CHANGING_METHODS, LITERALS, constant, first_change
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function

_SHARED = frozenset({"class", "module", "package", "session"})
_REMOVING = frozenset({"pop", "popitem", "clear", "remove", "discard"})


@dataclass(frozen=True, slots=True, eq=False)
class ChangedFixture:
    """A shared fixture, what changes its value, and where that is made when it is a module's variable."""

    fixture: testing.Fixture
    function: Function
    change: ast.expr
    origin: Related | None


def changed_fixtures(module: Module) -> Iterator[ChangedFixture]:
    """The shared fixtures whose value a test or fixture of a module changes for those that run after it.

    Only lists, dicts and sets with content: one that starts empty is there to be filled, and a fixture that
    goes on after its `yield` looks at what was put in. Nothing is said where the function takes something
    out again, or where nothing else asks for the fixture.
    """
    for node, changed in _changing_functions(module).items():
        function = module.function_info(node)
        is_own = testing.is_test(function) or testing.fixture_of(function) is not None
        known = testing.requested(function) if is_own else {}
        for parameter, default in function.parameters():
            fixture = known.get(parameter.arg) if parameter.arg in changed and default is None else None
            value = _value_of(fixture) if fixture is not None else None
            if fixture is None or value is None or _restores(parameter.arg, function):
                continue
            change = first_change(parameter, value[0], function)
            if change is not None and _has_other_users(fixture, function):
                yield ChangedFixture(fixture, node, change, value[1])


def _changing_functions(module: Module) -> dict[Function, set[str]]:
    """The functions that change what a parameter of theirs holds, whatever it is, and those parameters."""
    source = module.source
    names = [item.value for item in source.nodes(ast.Subscript) if not isinstance(item.ctx, ast.Load)]
    for method in CHANGING_METHODS & source.calls.keys():
        names += [call.func.value for call in source.calls[method] if isinstance(call.func, ast.Attribute)]
    found: dict[Function, set[str]] = {}
    for name in names:
        node = source.enclosing_function(name) if isinstance(name, ast.Name) else None
        if isinstance(name, ast.Name) and isinstance(node, FUNCTIONS):
            if any(parameter.arg == name.id for parameter in node.args.args):
                found.setdefault(node, set()).add(name.id)
    return found


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
