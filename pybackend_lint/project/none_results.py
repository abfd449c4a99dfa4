"""Errors that become None: handlers that return it, and callers that use the result as if it were a value."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.project import raises
from pybackend_lint.project.callers import Caller, callers
from pybackend_lint.project.data_checks import is_check
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.endings import falls_through
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.source import last_name

_MOST_SHOWN = 3
_NEEDS_VALUE = frozenset({"len", "int", "float", "sum", "sorted", "list", "tuple", "set", "enumerate"})
_WRONG_TYPE = frozenset({"builtins.TypeError", "builtins.AttributeError"})
_CONDITIONS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Assert, ast.Match)


@dataclass(frozen=True, slots=True, eq=False)
class Unchecked:
    """A use of a call's result that raises where the result is None; `error` is what it raises."""

    caller: Caller
    node: ast.expr
    error: str

    def related(self) -> Related:
        """The use as a related location of a finding."""
        source = self.caller.module.source
        message = f"uses the result unchecked: `{self.error}` where it is `None`"
        return Related(source.path, source.position(source.start(self.node)), message)


def turning_errors_to_none(function: FunctionInfo) -> ast.ExceptHandler | None:
    """The first handler of a function that makes it return None where it otherwise returns values.

    Not one that raises on some path, for callers may choose, nor one that only some arguments lead to.
    """
    if function.yields or not any(_is_value(value) for value in function.returned):
        return None
    handlers = sorted(function.own(ast.ExceptHandler), key=lambda item: item.lineno)
    return next((handler for handler in handlers if _returns_none(handler, function)), None)


def _returns_none(handler: ast.ExceptHandler, function: FunctionInfo) -> bool:
    last = handler.body[-1]
    if isinstance(last, ast.Raise) or (isinstance(last, ast.Return) and _is_value(last.value)):
        return False
    if any(isinstance(node, ast.Raise) for statement in handler.body for node in ast.walk(statement)):
        return False
    if _depends_on_arguments(handler, function) or _guards_input(handler, function):
        return False
    if isinstance(last, ast.Return):
        before = handler.body[:-1]
        return not before or falls_through(before, function.module)
    if not falls_through(handler.body, function.module):
        return False
    return _ends_function(handler, function) or _leaves_none(handler, function)


def _guards_input(handler: ast.ExceptHandler, function: FunctionInfo) -> bool:
    """Whether a handler does nothing but turn away arguments of a type that callers do not pass."""
    caught = raises.handled_names(handler, function.module)
    return len(handler.body) == 1 and set(caught) <= _WRONG_TYPE


def _is_value(node: ast.expr | None) -> bool:
    return node is not None and not _is_none(node)


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _depends_on_arguments(handler: ast.ExceptHandler, function: FunctionInfo) -> bool:
    """Whether a handler stands in a branch for some arguments of the function only."""
    parameters = {argument.arg for argument, _ in function.parameters()}
    for ancestor in function.module.source.ancestors(handler):
        if ancestor is function.node:
            return False
        if isinstance(ancestor, (ast.If, ast.Match)):
            asked = ancestor.test if isinstance(ancestor, ast.If) else ancestor.subject
            if any(isinstance(node, ast.Name) and node.id in parameters for node in ast.walk(asked)):
                return True
    return False


def _ends_function(handler: ast.ExceptHandler, function: FunctionInfo) -> bool:
    """Whether nothing of a function runs after a handler."""
    child: ast.AST = handler
    for ancestor in function.module.source.ancestors(handler):
        if ancestor is function.node:
            return child is function.node.body[-1]
        match ancestor:
            case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
                if child not in handlers or _returns(ancestor.finalbody):
                    return False
            case ast.With(body=body) | ast.AsyncWith(body=body):
                if child is not body[-1]:
                    return False
            case _:
                return False
        child = ancestor
    return False


def _returns(body: list[ast.stmt]) -> bool:
    return any(isinstance(statement, ast.Return) for statement in body)


def _leaves_none(handler: ast.ExceptHandler, function: FunctionInfo) -> bool:
    """Whether a handler leaves the None that a name was given before, which is then returned as it is."""
    source = function.module.source
    block = source.parent(handler)
    around = source.parent(block) if block is not None else None
    body: list[ast.stmt] = getattr(around, "body", [])
    if not isinstance(block, ast.Try) or block not in body or not isinstance(body[-1], ast.Return):
        return False
    value = body[-1].value
    if not isinstance(value, ast.Name) or block.finalbody or block.orelse:
        return False
    rest = [*handler.body, *body[body.index(block) + 1 : -1]]
    named = {node.id for statement in rest for node in ast.walk(statement) if isinstance(node, ast.Name)}
    found = function.module.lookup(value.id, value)
    if value.id in named or found is None or found[0].node is not function.node:
        return False
    bindings = [binding for binding in found[1] if binding.kind == "assign"]
    before = [binding for binding in bindings if binding.node.lineno < block.lineno]  # type: ignore[attr-defined]
    return len(bindings) == len(found[1]) == 2 and len(before) == 1 and _is_none(before[0].value)


def unchecked_uses(function: FunctionInfo) -> list[Unchecked]:
    """Where the project uses what a function returns as if it were never None, in the order of callers.

    Not where the caller looks at the result in any condition, or catches what the use raises.
    """
    if not function.is_transparent or function.is_property:
        return []
    found: list[Unchecked] = []
    for caller in callers(function):
        use = _unchecked(caller, awaited=function.is_async) if caller.function is not None else None
        if use is not None:
            found.append(use)
        if len(found) == _MOST_SHOWN:
            break
    return found


def _unchecked(caller: Caller, *, awaited: bool) -> Unchecked | None:
    module, function = caller.module, caller.function
    assert function is not None
    source = module.source
    value: ast.expr = caller.call
    parent = source.parent(value)
    if awaited:
        if not isinstance(parent, ast.Await):
            return None
        value, parent = parent, source.parent(parent)
    if _is_asked_before(caller, function):
        return None
    error = _dereference(value, parent)
    if error is not None:
        return _certain(Unchecked(caller, value, error), function)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
            module.source.enclosing_function(parent) is function.node
        ):
            pass
        case _:
            return None
    uses = _uses(name, parent, function)
    if any(_is_looked_at(node, module) for node in uses):
        return None
    for node in uses:
        error = _dereference(node, source.parent(node))
        if error is not None:
            return _certain(Unchecked(caller, node, error), function)
    return None


def _uses(name: str, assignment: ast.stmt, function: FunctionInfo) -> list[ast.Name]:
    """The uses of a name behind an assignment up to the statement that next binds the name again."""
    named = [node for node in function.own(ast.Name) if node.id == name]
    end = _end(assignment)
    later = [node for node in named if _place(node) > end and not isinstance(node.ctx, ast.Load)]
    statements = [function.module.source.statement(node) for node in later]
    last = min((_end(item) for item in statements), default=(1 << 30, 0))
    uses = [node for node in named if isinstance(node.ctx, ast.Load) and end < _place(node) < last]
    return sorted(uses, key=_place)


def _place(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _certain(use: Unchecked, function: FunctionInfo) -> Unchecked | None:
    """A use whose error leaves the function that it stands in, unless it is told to a type checker."""
    if "type: ignore" in function.module.source.line(use.node.lineno):
        return None
    return use if raises.leaves(use.node, f"builtins.{use.error}", function) else None


def _dereference(node: ast.expr, parent: ast.AST | None) -> str | None:
    """The error that a use of None raises: its attribute, item or members are asked for."""
    match parent:
        case ast.Attribute(attr=name):
            return None if name.startswith("__") else "AttributeError"
        case ast.Subscript(value=value) if value is node:
            return "TypeError"
        case ast.For(iter=value) | ast.AsyncFor(iter=value) | ast.comprehension(iter=value) if value is node:
            return "TypeError"
        case ast.Starred() | ast.keyword(arg=None):
            return "TypeError"
        case ast.Call(func=ast.Name(id=name), args=[first]) if first is node and name in _NEEDS_VALUE:
            return "TypeError"
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            return "TypeError"
        case ast.Assign(targets=[ast.Tuple() | ast.List()]):
            return "TypeError"
    return None


def _is_asked_before(caller: Caller, function: FunctionInfo) -> bool:
    """Whether the function looks at the result of the same call elsewhere."""
    name = last_name(caller.call.func)
    others = [
        call for call in function.own(ast.Call) if call is not caller.call and last_name(call.func) == name
    ]
    text = ast.unparse(caller.call) if others else ""
    return any(_is_result_looked_at(call, function) for call in others if ast.unparse(call) == text)


def _is_result_looked_at(call: ast.Call, function: FunctionInfo) -> bool:
    module = function.module
    value = module.source.parent(call)
    if _is_looked_at(call, module):
        return True
    match module.source.parent(value) if isinstance(value, ast.Await) else value:
        case ast.Assign(targets=[ast.Name(id=name)]) as assignment:
            return any(_is_looked_at(node, module) for node in _uses(name, assignment, function))
    return False


def _is_looked_at(node: ast.expr, module: Module) -> bool:
    """Whether a value itself stands in a condition, so that the code may tell None from others.

    What is asked of its attributes or items is no such look: that raises where it is None.
    """
    child: ast.AST = node
    if _dereference(node, module.source.parent(node)) is not None:
        return False
    for ancestor in module.source.ancestors(node):
        if isinstance(ancestor, _CONDITIONS):
            return True
        if isinstance(ancestor, (ast.If, ast.While, ast.IfExp)):
            return ancestor.test is child
        if isinstance(ancestor, ast.comprehension) and any(test is child for test in ancestor.ifs):
            return True
        if isinstance(ancestor, (ast.stmt, *FUNCTIONS, ast.Lambda)):
            return False
        if isinstance(ancestor, ast.Call) and is_check(last_name(ancestor.func)):
            return True
        child = ancestor
    return False
