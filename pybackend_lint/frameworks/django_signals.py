"""Facts about Django's signals: the receivers of `post_save`, and what certainly happens in them again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from pybackend_lint.frameworks import django, django_models
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function

_POST_SAVE: Final = "django.db.models.signals.post_save"
_RECEIVERS: Final = frozenset({"django.dispatch.receiver", "django.dispatch.dispatcher.receiver"})
_EXITS = (ast.Return, ast.Raise)


def saves_again(call: ast.Call, module: Module) -> str | None:
    """The name of the row whose saving a receiver of `post_save` saves again without end, or None.

    Only where nothing on the way to the call can differ the second time: conditions may ask for `created`
    and for fields that the receiver leaves alone.
    """
    source = module.source
    function = source.enclosing_function(call)
    if not isinstance(function, FUNCTIONS) or not isinstance(call.func, ast.Attribute):
        return None
    around = source.parent(call)
    if isinstance(around, ast.Await):
        around = source.parent(around)
    row = call.func.value
    if not isinstance(around, ast.Expr) or not isinstance(row, ast.Name) or not _is_instance(row, module):
        return None
    connected = _connections(function, module)
    if not connected or any(item.attr == "disconnect" for item in source.in_scope(ast.Attribute, function)):
        return None
    conditions = _conditions(around, function, module)
    if conditions is None:
        return None
    models = [model for item in connected for model in _senders(item, module)]
    if all(_holds_again(test, holds, row.id, models, function, module) for test, holds in conditions):
        return row.id
    return None


def _is_instance(row: ast.Name, module: Module) -> bool:
    """Whether a name is the receiver's parameter `instance`, or was taken from its keyword arguments."""
    found = module.lookup(row.id, row)
    bindings = found[0].bindings.get(row.id, []) if found is not None else []
    if len(bindings) != 1:
        return False
    match bindings[0].value:
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value="instance")):
            return True
    return bindings[0].kind == "parameter" and row.id == "instance"


def is_for_new_rows(call: ast.Call, module: Module) -> bool:
    """Whether a call stands in a receiver of `post_save`, where this comes to for new rows only."""
    function = module.source.enclosing_function(call)
    if not isinstance(function, FUNCTIONS) or not _connections(function, module):
        return False
    conditions = _conditions(module.source.statement(call), function, module)
    return any(_asks_for_new(test, holds) for test, holds in conditions or ())


def _asks_for_new(test: ast.expr, holds: bool) -> bool:
    """Whether a test that is true, or false, says that the row of a receiver is new."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _asks_for_new(operand, not holds)
        case ast.BoolOp(op=operator, values=values):
            return holds is isinstance(operator, ast.And) and any(_asks_for_new(v, holds) for v in values)
        case ast.Name(id="created") | ast.Subscript(slice=ast.Constant(value="created")):
            return holds
    return False


def _connections(function: Function, module: Module) -> list[ast.Call]:
    """The calls that connect a function to `post_save`, where nothing else decorates it."""
    found: list[ast.Call] = []
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=func, args=[signals, *_]) if module.qualified_name(func) in _RECEIVERS:
                listed = signals.elts if isinstance(signals, (ast.List, ast.Tuple)) else [signals]
                if any(module.qualified_name(signal) == _POST_SAVE for signal in listed):
                    found.append(decorator)
            case _:
                return []
    for call in module.source.calls.get("connect", ()):
        if module.qualified_name(call.func) == f"{_POST_SAVE}.connect" and call.args:
            target = module.qualified_name(call.args[0])
            if target is not None and target == module.function_info(function).name:
                found.append(call)
    return found


def _senders(connection: ast.Call, module: Module) -> Iterator[ClassInfo | None]:
    """The model whose rows a receiver hears of; None for one that is not known."""
    for keyword in connection.keywords:
        if keyword.arg == "sender":
            yield module.class_named(keyword.value)
            return
    yield None


_Condition = tuple[ast.expr, bool]


def _conditions(statement: ast.stmt, function: Function, module: Module) -> list[_Condition] | None:
    """What must hold, or not hold, for a statement of a function to run; None where it is more than tests."""
    found: list[_Condition] = []
    child: ast.AST = statement
    for ancestor in module.source.ancestors(statement):
        match ancestor:
            case ast.If(test=test, body=body, orelse=orelse):
                found.append((test, child in body))
                block = body if child in body else orelse
            case ast.With(items=items, body=block) | ast.AsyncWith(items=items, body=block):
                if not all(django.is_atomic(item.context_expr, module) for item in items):
                    return None
            case _ if ancestor is function:
                block = function.body
            case _:
                return None
        for earlier in block[: block.index(child)] if child in block else ():
            ends = _end(earlier)
            if ends is None:
                continue
            if not isinstance(ends, ast.expr):
                return None
            found.append((ends, False))
        if ancestor is function:
            return found
        child = ancestor
    return None


def _end(statement: ast.stmt) -> ast.expr | ast.stmt | None:
    """The test under which a statement leaves the function; itself where that is not so plain."""
    match statement:
        case ast.If(test=test, body=[*before, ast.Return() | ast.Raise()], orelse=[]) if not any(
            map(_leaves, before)
        ):
            return test
    return statement if _leaves(statement) else None


def _leaves(statement: ast.stmt) -> bool:
    if isinstance(statement, (*_EXITS, ast.Try, ast.Match, ast.Assert)):
        return True
    blocks = [getattr(statement, name, []) for name in ("body", "orelse")]
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return False
    return any(_leaves(inner) for block in blocks for inner in block)


def _holds_again(
    test: ast.expr,
    holds: bool,
    row: str,
    models: list[ClassInfo | None],
    function: Function,
    module: Module,
) -> bool:
    """Whether a test that was true (or false) in a receiver certainly is so when the row is saved again."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _holds_again(operand, not holds, row, models, function, module)
        case ast.Name(id="created") | ast.Name(id="raw"):
            return not holds and _is_parameter(test, module)
        case ast.BoolOp(values=values):
            return all(_holds_again(value, holds, row, models, function, module) for value in values)
        case ast.Compare(left=left, comparators=others):
            return all(_stays(part, row, models, function, module) for part in (left, *others))
    return _stays(test, row, models, function, module)


def _is_parameter(name: ast.Name, module: Module) -> bool:
    found = module.lookup(name.id, name)
    return found is not None and [binding.kind for binding in found[1]] == ["parameter"]


def _stays(
    node: ast.expr, row: str, models: list[ClassInfo | None], function: Function, module: Module
) -> bool:
    """Whether an expression is a constant, or a field of the row that nothing changes between two saves."""
    match node:
        case ast.Constant():
            return True
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == row:
            return not _may_change(row, attr, function, module) and all(
                _is_plain_field(model, attr) for model in models
            )
    return False


def _may_change(row: str, attribute: str, function: Function, module: Module) -> bool:
    """Whether a function sets an attribute, or hands the row to code that may set it."""
    for name in module.source.nodes(ast.Name):
        if name.id != row or module.source.enclosing_function(name) is not function:
            continue
        around = module.source.parent(name)
        if not isinstance(around, ast.Attribute):
            return True
        if around.attr == attribute and not isinstance(around.ctx, ast.Load):
            return True
        call = module.source.parent(around)
        if isinstance(call, ast.Call) and call.func is around and around.attr not in {"save", "asave"}:
            return True
    return False


def _is_plain_field(model: ClassInfo | None, name: str) -> bool:
    """Whether an attribute of a model's rows is a column whose value saving does not change."""
    if model is None or not django_models.saves_itself(model):
        return False
    declared = django_models.fields(model).get(name)
    return declared is not None and declared.is_builtin and not declared.flag("auto_now")
