"""Errors that become None: handlers that return it, and callers that use the result as if it were a value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pybackend_lint.finding import Related
from pybackend_lint.project import raises
from pybackend_lint.project.callers import Caller, arguments, callers
from pybackend_lint.project.calls import CallSite, follows, target
from pybackend_lint.project.data_checks import is_check
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.endings import falls_through
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import is_none, last_name

_MOST_SHOWN = 3
_MOST_RETURNS = 2  # functions in a row that return the result as it is
_MOST_PARAMETERS = 2  # functions in a row that are given it
_NEEDS_VALUE = frozenset({"len", "int", "float", "sum", "sorted", "list", "tuple", "set", "enumerate"})
_NOT_FOUND = ("DoesNotExist", "NotFound", "NoResultFound")
_WRONG_TYPE = frozenset({"builtins.TypeError", "builtins.AttributeError"})
_CONDITIONS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Assert, ast.Match)


@dataclass(frozen=True, slots=True, eq=False)
class Unchecked:
    """A use of a call's result that raises where the result is None; `error` is what it raises.

    `function` is the one that gets the result, `steps` are the places where it is returned or handed over
    on the way to the use, `place` is the use itself.
    """

    function: FunctionInfo
    place: Related
    error: str
    steps: tuple[Related, ...] = ()

    def related(self) -> tuple[Related, ...]:
        """The use as related locations of a finding, behind those that lead to it."""
        return (*self.steps, self.place)


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
    return node is not None and not is_none(node)


def _depends_on_arguments(node: ast.AST, function: FunctionInfo) -> bool:
    """Whether a node stands in a branch for some arguments of the function only.

    Not where the other branch raises: whoever gets a result has come through the one of the node.
    """
    parameters = {argument.arg for argument, _ in function.parameters()}
    child = node
    for ancestor in function.module.source.ancestors(node):
        if ancestor is function.node:
            return False
        if isinstance(ancestor, (ast.If, ast.Match)):
            asked = ancestor.test if isinstance(ancestor, ast.If) else ancestor.subject
            if any(isinstance(part, ast.Name) and part.id in parameters for part in ast.walk(asked)):
                other = [] if isinstance(ancestor, ast.Match) else ancestor.orelse
                if child in other or not other or not isinstance(other[-1], ast.Raise):
                    return True
        child = ancestor
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
    return len(bindings) == len(found[1]) == 2 and len(before) == 1 and is_none(before[0].value)


def unchecked_uses(function: FunctionInfo) -> list[Unchecked]:
    """Where the project uses what a function returns as if it were never None, in the order of callers.

    Callers that return the result, and functions that they give it to, are followed, unless the function
    looks for a row: whether it is there, callers have often asked before. Not where a caller looks at the
    result in any condition, or catches what the use raises.
    """
    if function.is_property or not follows(function):
        return []
    found: list[Unchecked] = []
    is_search = _is_search(function)
    for use in _by_callers(function, 0):
        if is_search and use.steps:
            continue
        found.append(use)
        if len(found) == _MOST_SHOWN:
            break
    return found


def _is_search(function: FunctionInfo) -> bool:
    """Whether a function handles that something is not there, such as a row of the database."""
    caught = [
        name
        for handler in function.own(ast.ExceptHandler)
        for name in raises.handled_names(handler, function.module)
    ]
    return any(name is None or name.endswith(_NOT_FOUND) for name in caught)


def _by_callers(function: FunctionInfo, depth: int) -> Iterator[Unchecked]:
    for caller in callers(function):
        if caller.function is not None and caller.function is not function:
            yield from _unchecked(caller, caller.function, depth, awaited=function.is_async)


def _unchecked(caller: Caller, function: FunctionInfo, depth: int, *, awaited: bool) -> Iterator[Unchecked]:
    module = caller.module
    source = module.source
    value: ast.expr = caller.call
    parent = source.parent(value)
    if awaited:
        if not isinstance(parent, ast.Await):
            return
        value, parent = parent, source.parent(parent)
    if _is_asked_before(caller, function):
        return
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
            source.enclosing_function(parent) is function.node
        ):
            nodes: list[ast.expr] = [*_uses(name, parent, function)]
        case _:
            nodes = [value]
    if any(_is_looked_at(node, module) for node in nodes):
        return
    failing = next(((node, use) for node in nodes if (use := _use(node, function, 0)) is not None), None)
    if failing is not None:
        if _leaves(*failing, function):
            yield failing[1]
    elif depth < _MOST_RETURNS and not function.is_property and follows(function):
        returned = next((node for node in nodes if isinstance(source.parent(node), ast.Return)), None)
        if returned is not None and not _depends_on_arguments(returned, function):
            step = _place(returned, function, f"`{function.node.name}()` returns the result as it is")
            for use in _by_callers(function, depth + 1):
                yield replace(use, steps=(step, *use.steps))


def _use(node: ast.expr, function: FunctionInfo, depth: int) -> Unchecked | None:
    """The use of an expression, here or by a function that it is given to, that fails where it is None."""
    error = _dereference(node, function.module.source.parent(node))
    if error is not None:
        place = _place(node, function, f"uses the result unchecked: `{error}` where it is `None`")
        return Unchecked(function, place, error)
    given = _given(node, function.module) if depth < _MOST_PARAMETERS else None
    if given is None:
        return None
    callee, parameter = given
    nodes = _uses_of_parameter(callee, parameter)
    if any(_is_looked_at(inner, callee.module) for inner in nodes):
        return None
    first = next((inner for inner in nodes if _always(inner, callee)), None)
    use = _use(first, callee, depth + 1) if first is not None else None
    if first is None or use is None or not _leaves(first, use, callee):
        return None
    step = _place(node, function, f"gives it to `{callee.node.name}()`")
    return Unchecked(function, use.place, use.error, (step, *use.steps))


def _given(node: ast.expr, module: Module) -> tuple[FunctionInfo, str] | None:
    """The function of the project that certainly runs with a value as an argument, and its parameter."""
    call = module.source.parent(node)
    if isinstance(call, ast.keyword):
        call = module.source.parent(call)
    if not isinstance(call, ast.Call) or node is call.func:
        return None
    known = module.type_of(call.func)
    if known is None or known.kind is not Kind.FUNCTION:
        return None
    callee = target(CallSite(known.name, known, call, False, module))
    if callee is None or callee.yields or not callee.is_transparent:
        return None
    if callee.is_async and not isinstance(module.source.parent(call), ast.Await):
        return None
    given = arguments(call, callee, module) or {}
    return next(((callee, name) for name, value in given.items() if value is node), None)


def _uses_of_parameter(function: FunctionInfo, parameter: str) -> list[ast.Name]:
    """The uses of a parameter that is not declared to take None, and never bound again."""
    declared = next((item for item, _ in function.parameters() if item.arg == parameter), None)
    bound = function.module.scope_of(function.node).bindings.get(parameter, ())
    if declared is None or len(bound) != 1 or _takes_none(declared.annotation):
        return []
    used = [node for node in function.own(ast.Name) if node.id == parameter]
    return sorted(used, key=_position)


def _takes_none(annotation: ast.expr | None) -> bool:
    text = ast.unparse(annotation) if annotation is not None else ""
    return "None" in text or "Optional" in text


def _always(node: ast.expr, function: FunctionInfo) -> bool:
    """Whether a node is evaluated each time that a function runs."""
    source = function.module.source
    child: ast.AST = node
    for ancestor in source.ancestors(node):
        if ancestor is function.node:
            break
        match ancestor:
            case ast.If(test=first) | ast.IfExp(test=first) | ast.While(test=first):
                is_first = child is first
            case ast.For(iter=first) | ast.AsyncFor(iter=first):
                is_first = child is first
            case ast.BoolOp(values=[first, *_]) | ast.Compare(left=first):
                is_first = child is first
            case ast.ExceptHandler() | ast.Match() | ast.Lambda() | ast.comprehension():
                is_first = False
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                is_first = False
            case _:
                is_first = True
        if not is_first:
            return False
        child = ancestor
    return not any(other.lineno < node.lineno for other in function.own(ast.Return))


def _place(node: ast.expr, function: FunctionInfo, message: str) -> Related:
    source = function.module.source
    return Related(source.path, source.position(source.start(node)), message)


def _uses(name: str, assignment: ast.stmt, function: FunctionInfo) -> list[ast.Name]:
    """The uses of a name behind an assignment up to the statement that next binds the name again."""
    named = [node for node in function.own(ast.Name) if node.id == name]
    end = _end(assignment)
    later = [node for node in named if _position(node) > end and not isinstance(node.ctx, ast.Load)]
    statements = [function.module.source.statement(node) for node in later]
    last = min((_end(item) for item in statements), default=(1 << 30, 0))
    uses = [node for node in named if isinstance(node.ctx, ast.Load) and end < _position(node) < last]
    return sorted(uses, key=_position)


def _position(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _leaves(node: ast.expr, use: Unchecked, function: FunctionInfo) -> bool:
    """Whether the error of a use leaves the function that it stands in, and no type checker is told of it."""
    if "type: ignore" in function.module.source.line(node.lineno):
        return False
    return raises.leaves(node, f"builtins.{use.error}", function)


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
        case ast.Dict(keys=keys, values=values):
            return "TypeError" if keys[values.index(node)] is None else None
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


def _is_looked_at(node: ast.expr, module: Module, depth: int = 0) -> bool:
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
            given = _given(node, module) if depth < _MOST_PARAMETERS else None
            return given is None or _looks_at_parameter(*given, depth + 1)
        child = ancestor
    return False


def _looks_at_parameter(function: FunctionInfo, parameter: str, depth: int) -> bool:
    """Whether a function may tell None from other values of a parameter."""
    nodes = _uses_of_parameter(function, parameter)
    return not nodes or any(_is_looked_at(node, function.module, depth) for node in nodes)
