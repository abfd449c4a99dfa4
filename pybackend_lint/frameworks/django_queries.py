"""Facts about calls that run a query of Django's ORM at once, in a function or in what it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import django
from pybackend_lint.project import calls
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import COMPREHENSIONS, FUNCTIONS
from pybackend_lint.semantic.types import Kind

_EVALUATING = frozenset(
    {"len", "list", "tuple", "set", "frozenset", "sorted", "bool", "sum", "max", "min", "any", "all", "dict"}
)
_FROM_CACHE = frozenset({"count", "exists", "contains", "first", "last"})
_SAVES = frozenset({"save", "asave"})
_RELOADS = frozenset({"refresh_from_db", "arefresh_from_db"})
_SAVEPOINTS = frozenset(
    f"django.db.transaction.{name}"
    for name in ("savepoint", "savepoint_rollback", "savepoint_commit", "set_rollback", "clean_savepoints")
)
_WRITES = frozenset(
    {
        "create", "bulk_create", "bulk_update", "update", "delete", "save", "add", "remove", "set", "clear",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A call that runs a query.

    - `method`: the name of what is called; `twin`: the name of its asynchronous twin, empty without one.
    - `since`: the release of Django that has the twin; `receiver`: what the method is called on.
    """

    method: str
    twin: str
    since: str
    node: ast.Call


def query_of(site: CallSite) -> Query | None:
    """The query that a call runs at once in this place, or None, also where it may be answered without."""
    node = site.node
    if not isinstance(node, ast.Call) or site.callee.kind is not Kind.EXTERNAL:
        return None
    method = site.name.rpartition(".")[2]
    receiver = site.callee.receiver
    module = site.module
    if receiver is None:
        return _evaluation(site, node) if site.name.startswith("builtins.") else None
    if django.is_model_instance(receiver, module):
        if method in django.MODEL_TWINS:
            return Query(method, f"a{method}", "4.2", node)
        return None
    if not django.is_queryset_or_manager(receiver, module):
        return None
    if django.is_related_manager(receiver) and method in django.RELATED_TWINS:
        since = "4.1" if method in django.TWINS else "4.2"
        return Query(method, f"a{method}", since, node)
    if method in django.TWINS:
        if method in _FROM_CACHE and django.may_be_cached(receiver):
            return None
        return Query(method, f"a{method}", "4.1", node)
    return None


def _evaluation(site: CallSite, node: ast.Call) -> Query | None:
    name = site.name.removeprefix("builtins.")
    if name not in _EVALUATING or len(node.args) != 1:
        return None
    argument = node.args[0]
    value = site.module.type_of(argument)
    if value is None or not django.is_queryset(value, site.module) or may_be_evaluated(argument, site.module):
        return None
    return Query(name, "", "4.1", node)


def indexed(function: FunctionInfo) -> Iterator[ast.Subscript]:
    """The places where a function takes one row of a queryset by its number, which runs a query."""
    for node in function.own(ast.Subscript):
        if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant):
            module = function.module
            if isinstance(node.slice.value, int) and is_rows(node.value, module):
                if not may_be_evaluated(node.value, module):
                    yield node


def may_be_evaluated(queryset: ast.expr, module: Module) -> bool:
    """Whether the rows of a queryset may be at hand: prefetched, or loaded by another use of its name."""
    value = module.type_of(queryset)
    row = value.argument() if value is not None else None
    if row is not None and row.fact is not None and value is not None and django.may_be_cached(value):
        return True
    while isinstance(queryset, ast.Subscript) and isinstance(queryset.slice, ast.Slice):
        queryset = queryset.value  # a slice runs a query of its own, unless all rows are at hand
    if isinstance(queryset, ast.Name):
        for use in django.other_uses(queryset, module):
            if _comes_later(use, queryset, module):
                continue
            parent = module.source.parent(use)
            if isinstance(parent, (ast.Call, ast.AsyncFor, ast.keyword)):
                return True
            if isinstance(parent, ast.comprehension) and parent.is_async:
                return True
        return False
    return not isinstance(queryset, ast.Call)


def _comes_later(use: ast.Name, name: ast.Name, module: Module) -> bool:
    """Whether a use of a name runs only after another one: it stands behind it, and no loop leads back."""
    if (use.lineno, use.col_offset) < (name.lineno, name.col_offset):
        return False
    child: ast.AST = name
    for around in module.source.ancestors(name):
        if isinstance(around, FUNCTIONS):
            return True
        if isinstance(around, (ast.For, ast.AsyncFor, ast.While, *COMPREHENSIONS)) and (
            child is not getattr(around, "iter", None) and use.lineno <= (around.end_lineno or 0)
        ):
            return False
        child = around
    return True


def tested(function: FunctionInfo) -> Iterator[ast.Name | ast.Call]:
    """The querysets whose rows a function reads only to see whether there are any, as in `if orders:`."""
    module = function.module
    pending = [node.test for node in function.own(ast.If)]
    pending += [node.test for node in function.own(ast.While)]
    pending += [node.test for node in function.own(ast.IfExp)]
    while pending:
        match pending.pop():
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                pending.append(operand)
            case ast.BoolOp(values=values):
                pending.extend(values)
            case (ast.Name() | ast.Call()) as rows:
                if is_rows(rows, module) and not may_be_evaluated(rows, module):
                    yield rows


def is_rows(node: ast.expr, module: Module) -> bool:
    """Whether an expression is certainly a queryset of Django's."""
    return django.is_queryset(module.type_of(node), module)


def sites_within(nodes: Iterable[ast.AST], module: Module) -> list[CallSite]:
    """The calls of a function that stand in some of its statements, in source order."""
    found: list[CallSite] = []
    for node in nodes:
        function = module.source.enclosing_function(node)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
            found += [
                site
                for site in calls.call_sites(module.function_info(function))
                if first <= site.node.lineno <= last
            ]
    return found


def runs_query(site: CallSite) -> bool:
    """Whether a call runs a query at once, awaited or not, itself or in the project function it calls."""
    if query_of(site) is not None or asynchronous_query(site):
        return True
    function = calls.target(site)
    return function is not None and chain_to_query(function) is not None


ASYNC_METHODS = tuple(sorted(f"a{name}" for name in django.TWINS | django.MODEL_TWINS | django.RELATED_TWINS))


def is_async_query(call: ast.Call, module: Module) -> bool:
    """Whether a call gives a coroutine of Django's ORM."""
    callee = module.type_of(call.func)
    return callee is not None and asynchronous_query(CallSite(callee.name, callee, call, False, module))


def asynchronous_query(site: CallSite) -> bool:
    """Whether a call is that of an asynchronous twin of a method that runs a query."""
    name = site.name.rpartition(".")[2]
    receiver = site.callee.receiver
    return (
        site.callee.kind is Kind.EXTERNAL
        and name.startswith("a")
        and name[1:] in django.TWINS | django.MODEL_TWINS | django.RELATED_TWINS
        and (
            django.is_queryset_or_manager(receiver, site.module)
            or django.is_model_instance(receiver, site.module)
        )
    )


@dataclass(frozen=True, slots=True)
class AtomicBlock:
    """A block of statements in a transaction, and the `atomic` that opens it."""

    body: tuple[ast.stmt, ...]
    opening: ast.expr


def atomic_block(node: ast.AST, module: Module) -> AtomicBlock | None:
    """The innermost `atomic` block around a node in its function: a `with` or the function's decorator."""
    child = node
    for around in module.source.ancestors(node):
        if isinstance(around, (ast.With, ast.AsyncWith)) and child in around.body:
            for item in around.items:
                if django.is_atomic(item.context_expr, module):
                    return AtomicBlock(tuple(around.body), item.context_expr)
        elif isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in around.decorator_list:
                if django.is_atomic(decorator, module):
                    return AtomicBlock(tuple(around.body), decorator)
            return None
        elif isinstance(around, (ast.Lambda, ast.ClassDef)):
            return None
        child = around
    return None


def is_count(node: ast.AST | None, module: Module) -> bool:
    """Whether a node asks a queryset or manager for the number of its rows."""
    if not isinstance(node, ast.Call):
        return False
    found = django.own_method(node.func, module)
    return found is not None and found[0] in {"count", "acount"}


def is_length(node: ast.AST | None, module: Module) -> bool:
    """Whether a node is a call of the built-in `len`."""
    return isinstance(node, ast.Call) and module.qualified_name(node.func) == "builtins.len"


def is_savepoint(site: CallSite) -> bool:
    """Whether a call handles savepoints or the state of the transaction by hand."""
    return site.name in _SAVEPOINTS


def breaks_transaction(site: CallSite) -> bool:
    """Whether a database error in this call leaves the transaction around it unusable.

    `get_or_create` and `update_or_create` are not among them: they set a savepoint of their own.
    """
    query = query_of(site)
    return query is not None and query.method in _WRITES


def chain_to_query(function: FunctionInfo) -> tuple[Step, ...] | None:
    """The shortest chain of calls from a synchronous function's body to a query, or None."""
    return calls.reach(
        function,
        "django query",
        lambda site: not site.awaited and query_of(site) is not None,
        lambda inner: not inner.is_async,
    )


def saved_later(statement: ast.stmt, row: str, module: Module) -> ast.Call | None:
    """The call that saves the row of a name in a later statement of the same block, or of one around it.

    None where the row is read again, the name is bound again or the function is left before.
    """
    node: ast.AST = statement
    for parent in module.source.ancestors(statement):
        for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if isinstance(block, list) and node in block:
                for later in block[block.index(node) + 1 :]:
                    if _ends_use(later, row):
                        return None
                    call = _method_call(later, row)
                    if call is not None and call[0] in _SAVES:
                        return call[1]
                    if call is not None and call[0] in _RELOADS:
                        return None
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return None
        node = parent
    return None


def _ends_use(statement: ast.stmt, row: str) -> bool:
    match statement:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name == row
    return False


def _method_call(statement: ast.stmt, row: str) -> tuple[str, ast.Call] | None:
    """The method that a statement calls on a name, awaited or not."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    match value.value if isinstance(value, ast.Await) else value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) as call if name == row:
            return method, call
    return None


def reads_between(statement: ast.stmt, saved: ast.Call, row: ast.Name, field: str, module: Module) -> bool:
    """Whether Python needs the value of a row's field between the statement that changes it and its saving.

    That is so where the change or the code behind it reads the field or hands on the row, and where the
    field is set in another place of the function.
    """
    source = module.source
    first, last = statement.lineno, saved.end_lineno or saved.lineno
    own = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    if sum(name.id == row.id for name in own) > (1 if isinstance(statement, ast.AugAssign) else 2):
        return True
    for use in django.other_uses(row, module):
        parent = source.parent(use)
        if not isinstance(parent, ast.Attribute):
            if first < use.lineno <= last:
                return True
            continue
        if isinstance(parent.ctx, ast.Store):
            if parent.attr == field and use not in own:
                return True
        elif first < use.lineno <= last and parent is not saved.func:
            called = source.parent(parent)
            if parent.attr == field or (isinstance(called, ast.Call) and called.func is parent):
                return True
    return False


_PLACES = ("order", "position", "sequence", "rank", "index", "sort")


def is_copied(row: ast.Name, module: Module) -> bool:
    """Whether a function takes the key from a row, so that saving it makes a new one."""
    source = module.source
    function = source.enclosing_function(row)
    return any(
        isinstance(node.ctx, ast.Store)
        and node.attr in {"pk", "id", "adding"}
        and source.segment(node.value).partition(".")[0] == row.id
        and source.enclosing_function(node) is function
        for node in source.nodes(ast.Attribute)
    )


def is_moved(row: ast.Name, field: str, module: Module) -> bool:
    """Whether a loop moves rows up or down a list with a field, so that the places of others count."""
    return any(word in field for word in _PLACES) and any(
        isinstance(around, ast.For) and isinstance(around.target, ast.Name) and around.target.id == row.id
        for around in module.source.ancestors(row)
    )


def is_in_lock(node: ast.AST, module: Module) -> bool:
    """Whether a `with` around a node holds a lock of another kind than the database's, by its name."""
    return any(
        "lock" in module.source.segment(item.context_expr).lower()
        for around in module.source.ancestors(node)
        if isinstance(around, (ast.With, ast.AsyncWith))
        for item in around.items
    )


def merged_filters(node: ast.BinOp, module: Module) -> list[ast.Call]:
    """The calls of `filter` on one and the same manager that `|` merges; empty where it merges others."""
    calls: list[ast.Call] = []
    operand: ast.expr = node
    while isinstance(operand, ast.BinOp) and isinstance(operand.op, ast.BitOr):
        if not isinstance(operand.right, ast.Call):
            return []
        calls.insert(0, operand.right)
        operand = operand.left
    if not calls or not isinstance(operand, ast.Call):
        return []
    calls.insert(0, operand)
    managers = set()
    for call in calls:
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "filter":
            return []
        managers.add(ast.dump(call.func.value))
    if len(managers) > 1 or any(_unpacks(call) for call in calls):
        return []
    if any(not (call.args or call.keywords) for call in calls):
        return []
    own = [django.own_method(call.func, module) for call in calls]
    return calls if all(item is not None and django.is_manager(item[1], module) for item in own) else []


def _unpacks(call: ast.Call) -> bool:
    return any(isinstance(item, ast.Starred) for item in call.args) or any(
        item.arg is None for item in call.keywords
    )
