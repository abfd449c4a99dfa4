"""Objects whose attributes cannot be read any more: expired by a commit or rollback, or detached.

Source: SQLAlchemy, "Session Basics" ("Committing", "Rolling Back", "Closing") and "Asynchronous I/O"; tried
under 2.0 and 2.1: a commit expires every attribute of every object of the session unless
`expire_on_commit=False`, a rollback does so whatever the flag says, and closing detaches the objects.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_loading import LazyRead, lazy_read
from pybackend_lint.frameworks.sqlalchemy_mapping import attributes, library_name, mapped_class
from pybackend_lint.frameworks.sqlalchemy_serialised import answered, first_read, validations
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded
from pybackend_lint.frameworks.sqlalchemy_words import functions_with_sessions, opens_sessions, relation_names
from pybackend_lint.project.callers import arguments, callers
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import CONTEXT_MANAGER, Kind, Type
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

# What reads an attribute of an object, the name of the object, the attribute and further places.
Read = tuple[ast.expr, str, str, tuple[Related, ...]]
_MOST_RETURNS = 2  # functions in a row that return the object
_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_ENDS_TRANSACTION = frozenset({"commit", "rollback"})
_MAKERS = (
    b"sessionmaker",
    b"async_sessionmaker",
    b"create_engine",
    b"create_async_engine",
    b"flask_sqlalchemy",
)
# Methods of a session after which an object is not expired, or not its own any more.
_DETACHES = frozenset({"expunge", "expunge_all", "make_transient", "merge"})


@dataclass(frozen=True, slots=True, eq=False)
class ExpiredRead:
    """A read of an attribute of an object that a commit or rollback has expired.

    `ended` is the statement that did; `method` is `"commit"` or `"rollback"`. `node` is the attribute, or the
    object itself where a Pydantic model or a caller reads it; `places` say where.
    """

    node: ast.expr
    name: str
    attribute: str
    session: str
    method: str
    ended: ast.Expr
    places: tuple[Related, ...] = ()


def expires_on_commit(module: Module) -> bool:
    """Whether the sessions of a project expire their objects.

    They do where the project makes them, or their engine, and no file but tests sets `expire_on_commit`.
    """
    index = module.modules
    if not isinstance(index, Index) or not any(any(_files(module, index, name)) for name in _MAKERS):
        return False
    naming = (index.at(path, module) for path in _files(module, index, b"expire_on_commit"))
    return not any(other is None or _keeps_objects(other) for other in naming)


def _files(module: Module, index: Index, word: bytes) -> Iterator[str]:
    """The files of the project, other than tests, that mention a word."""
    root = index.layout.workspace_root(os.path.dirname(index.path_of(module)))
    return (path for path in files_with(index, module, word) if not is_test_file(path, root))


def _keeps_objects(module: Module) -> bool:
    """Whether the code of a module, and not just a comment, says what happens to objects on commit."""
    source, option = module.source, "expire_on_commit"
    return (
        any(keyword.arg == option for keyword in source.nodes(ast.keyword))
        or any(constant.value == option for constant in source.nodes(ast.Constant))
        or any(name.id == option for name in source.nodes(ast.Name))
        or any(attribute.attr == option for attribute in source.nodes(ast.Attribute))
    )


def expired_reads(function: FunctionInfo) -> Iterator[ExpiredRead]:
    """The reads of expired attributes in a coroutine function, the first for each object and end.

    After a commit only where `expires_on_commit` holds; after a rollback always, for loaded objects.
    """
    module = function.module
    for awaited in function.own(ast.Await):
        ended = _end_of_transaction(awaited, module)
        if ended is None:
            continue
        statement, session, method = ended
        objects = _objects(function, statement, session, method)
        if objects and (method == "rollback" or expires_on_commit(module)):
            yield from _reads(function, statement, session, method, objects)


def _end_of_transaction(awaited: ast.Await, module: Module) -> tuple[ast.Expr, str, str] | None:
    """The statement, session and method of `await session.commit()` or `await session.rollback()`."""
    match awaited.value:
        case ast.Call(func=ast.Attribute(value=session, attr=method), args=[]) if method in _ENDS_TRANSACTION:
            statement = module.source.parent(awaited)
            known = module.type_of(session) if isinstance(statement, ast.Expr) else None
            if isinstance(statement, ast.Expr) and is_async_session(known, module):
                return statement, module.source.segment(session), method
    return None


def is_async_session(known: Type | None, module: Module, *, registries: bool = True) -> bool:
    """Whether a value is an asynchronous session.

    `registries` tells whether one that gives each task a session of its own counts.
    """
    if known is None or known.kind is not Kind.INSTANCE:
        return False
    info = module.modules.class_info(known.name)
    wanted = (names.ASYNC_SESSION, names.ASYNC_SCOPED_SESSION) if registries else (names.ASYNC_SESSION,)
    return info.is_a(*wanted) if info is not None else known.name in wanted


def _objects(function: FunctionInfo, end: ast.Expr, session: str, method: str) -> set[str]:
    """The names of a function that hold objects of a session where a transaction ends."""
    module, source = function.module, function.module.source
    added = {
        argument.id
        for call in function.own(ast.Call)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "add"
        and source.segment(call.func.value) == session
        and call.lineno <= end.lineno
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    found: set[str] = set()
    for name in function.own(ast.Name):
        if name.id in found or not isinstance(name.ctx, ast.Load) or name.lineno < end.lineno:
            continue
        if not isinstance(source.parent(name), (ast.Attribute, ast.Call, ast.Return)):
            continue
        bindings = module.lookup(name.id, name)
        if bindings is None or bindings[0].node is not function.node or len(bindings[1]) != 1:
            continue
        binding = bindings[1][0]
        if binding.kind not in {"assign", "for"} or not _is_before(binding.node, end):
            continue
        known = module.type_of(name)
        if (
            known is None
            or mapped_class(known.name, module.modules) is None
            or known.kind is not Kind.INSTANCE
        ):
            continue
        is_loaded = isinstance(known.fact, Loaded) and known.fact.is_async
        if is_loaded or (method == "commit" and name.id in added and isinstance(binding.value, ast.Call)):
            found.add(name.id)
    return found


def _is_before(node: ast.AST, end: ast.stmt) -> bool:
    return getattr(node, "lineno", 0) < end.lineno


def _reads(
    function: FunctionInfo, end: ast.Expr, session: str, method: str, objects: set[str]
) -> Iterator[ExpiredRead]:
    for node, name, attribute, places in first_reads(function, end, session, objects):
        yield ExpiredRead(node, name, attribute, session, method, end, places)


def first_reads(
    function: FunctionInfo,
    end: ast.stmt,
    session: str | None,
    objects: set[str],
    wanted: frozenset[str] | None = None,
    depth: int = 0,
) -> Iterator[Read]:
    """The first read of each of some objects behind a statement, as long as nothing may load them again.

    Reads are those of `wanted` attributes, None for all mapped ones, in the function, by the Pydantic model
    that the object is validated with, and by callers that get it.
    """
    module = function.module
    left = set(objects)
    for statement in after(end, function):
        nodes = [
            node
            for node in inside(statement)
            if isinstance(
                node,
                (ast.Attribute, ast.Call, ast.Await, ast.Name, ast.AsyncFor, ast.AsyncWith, ast.Return),
            )
        ]
        nodes.sort(key=lambda node: (node.lineno, node.col_offset))
        for node in nodes:
            found: Read | None = None
            match node:
                case ast.AsyncFor() | ast.AsyncWith():
                    return
                case ast.Await():
                    # May load objects again; what is read in its arguments is read before.
                    for inner in inside(node):
                        found = (
                            _read(inner, left, wanted, module) if isinstance(inner, ast.Attribute) else None
                        )
                        if found is not None:
                            left.discard(found[1])
                            yield found
                    if not _loads_nothing(node, session, module):
                        return
                    left -= {item.id for item in inside(node) if isinstance(item, ast.Name)}
                    continue
                case ast.Call(func=ast.Attribute(attr=attr)) if attr in _DETACHES:
                    return
                case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()) if name in left:
                    left.discard(name)
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    left.discard(name)
                case ast.Attribute():
                    found = _read(node, left, wanted, module)
                case ast.Call():
                    for given in validations(node, module) if left else ():
                        found = found or _read_by_model(given, left, wanted, module)
                case ast.Return(value=ast.Name(id=name) as value) if name in left:
                    found = _read_by_model(answered(node, function), left, wanted, module)
                    if found is None:
                        found = _read_by_callers(value, function, end, wanted, depth)
            if found is not None:
                left.discard(found[1])
                yield found
        if not left:
            return


def _read_by_model(
    given: tuple[ClassInfo, ast.expr] | None,
    objects: set[str],
    wanted: frozenset[str] | None,
    module: Module,
) -> Read | None:
    """The first attribute of an object that a Pydantic model reads, when the object is one of `objects`."""
    if given is None or not isinstance(given[1], ast.Name) or given[1].id not in objects:
        return None
    model, value = given
    known = module.type_of(value)
    attribute = first_read(model, known, wanted, module)
    source = model.module.source
    place = Related(source.path, source.position(source.start(model.node)), f"`{model.node.name}` reads it")
    return (value, given[1].id, attribute, (place,)) if attribute is not None else None


def _read_by_callers(
    value: ast.Name, function: FunctionInfo, end: ast.stmt, wanted: frozenset[str] | None, depth: int
) -> Read | None:
    """The first read by a caller, of an object that a coroutine function returns behind a statement."""
    if depth >= _MOST_RETURNS or not function.is_async or not function.is_transparent or function.yields:
        return None
    asked = _parameters_asked(end, function)
    for caller in callers(function):
        home = caller.function
        awaited = caller.module.source.parent(caller.call)
        if home is None or home is function or not isinstance(awaited, ast.Await):
            continue
        given = (arguments(caller.call, function, caller.module) or {}) if asked else {}
        if any(_is_off(given.get(name)) for name in asked):
            continue
        found = _read_of_result(awaited, home, wanted, depth)
        if found is not None:
            node, _, attribute, places = found
            source = caller.module.source
            step = Related(source.path, source.position(source.start(node)), f"reads `{attribute}` of it")
            return value, value.id, attribute, (step, *places)
    return None


def _is_off(argument: ast.expr | None) -> bool:
    return argument is None or (isinstance(argument, ast.Constant) and not argument.value)


def _parameters_asked(node: ast.stmt, function: FunctionInfo) -> set[str]:
    """The parameters of a function in the conditions around a statement."""
    tests = [item.test for item in function.module.source.ancestors(node) if isinstance(item, ast.If)]
    used = {part.id for test in tests for part in ast.walk(test) if isinstance(part, ast.Name)}
    return used & {parameter.arg for parameter, _ in function.parameters()}


def _read_of_result(
    awaited: ast.Await, function: FunctionInfo, wanted: frozenset[str] | None, depth: int
) -> Read | None:
    """The first read of what a call gives: in the expression around it, or of the variable that holds it."""
    module = function.module
    parent = module.source.parent(awaited)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) if (
            module.source.enclosing_function(parent) is function.node
        ):
            return next(first_reads(function, parent, None, {name}, wanted, depth + 1), None)
        case ast.Return():
            given = answered(parent, function)
            known = module.type_of(awaited) if given is not None else None
            attribute = first_read(given[0], known, wanted, module) if given is not None else None
            return (awaited, "", attribute, ()) if attribute is not None else None
    return None


def _loads_nothing(awaited: ast.Await, session: str | None, module: Module) -> bool:
    """Whether awaiting a call leaves other objects expired: it refreshes one, or ends a transaction."""
    match awaited.value:
        case ast.Call(func=ast.Attribute(value=owner, attr="refresh" | "commit" | "flush")):
            return module.source.segment(owner) == session
    return False


def _read(
    node: ast.Attribute, objects: set[str], wanted: frozenset[str] | None, module: Module
) -> Read | None:
    """The read of a wanted attribute, when the object is one of `objects`."""
    if not (isinstance(node.value, ast.Name) and node.value.id in objects and isinstance(node.ctx, ast.Load)):
        return None
    known = module.type_of(node.value)
    info = mapped_class(known.name, module.modules) if known is not None else None
    if info is None:
        return None
    mapped = attributes(info)
    names_read = wanted if wanted is not None else mapped.columns.keys() | mapped.relations.keys()
    return (node, node.value.id, node.attr, ()) if node.attr in names_read else None


def after(statement: ast.stmt, function: FunctionInfo) -> Iterator[ast.stmt]:
    """The statements that run behind a statement on some path, up to the end of the function.

    Handlers, `else` branches and further turns of loops are left out.
    """
    source = function.module.source
    current: ast.AST = statement
    while current is not function.node:
        parent = source.parent(current)
        if parent is None:
            return
        for block in ("body", "orelse", "finalbody", "handlers"):
            listed = getattr(parent, block, None)
            if isinstance(listed, list) and current in listed and isinstance(current, ast.stmt):
                for item in listed[listed.index(current) + 1 :]:
                    yield item
                    if isinstance(item, _EXITS):
                        return
        current = parent


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement or expression without the bodies of functions, lambdas and classes in it."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if not isinstance(current, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(current))


@dataclass(frozen=True, slots=True, eq=False)
class DetachedRead:
    """A read of an attribute of an object whose session is closed.

    - `name`: how the object is written; `attribute`: what is read of it.
    - `block`: the `with` statement whose end closed the session, in the module `home`.
    """

    node: ast.Attribute
    name: str
    attribute: str
    block: ast.With | ast.AsyncWith
    home: Module
    read: LazyRead


def detached_reads(ctx: Context) -> Iterator[DetachedRead]:
    """The reads, in the checked file, of what objects of closed sessions do not hold; the first of each."""
    source, module = ctx.source, ctx.module
    relations = relation_names(module).relations
    openers = functions_with_sessions(module) if relations else frozenset()
    if not openers or not (opens_sessions(source.data) or not openers.isdisjoint(source.calls)):
        return
    seen: set[tuple[FunctionInfo, str, str]] = set()
    for node in source.nodes(ast.Attribute):
        function = ctx.function_around(node) if node.attr in relations else None
        if function is None or not isinstance(node.ctx, ast.Load):
            continue
        found = _detached(node, function, ctx)
        if found is not None and (function, found.name, found.attribute) not in seen:
            seen.add((function, found.name, found.attribute))
            yield found


def _detached(node: ast.Attribute, function: FunctionInfo, ctx: Context) -> DetachedRead | None:
    binding = _origin(node.value, function, ctx.module)
    if binding is None or binding.value is None:
        return None
    closed = _closed_before(binding.node, node, ctx) or _closed_by_callee(binding.value, ctx.module)
    if closed is None:
        return None
    read = lazy_read(node, ctx)
    if read is None:
        return None
    return DetachedRead(node, ctx.text(node.value), node.attr, *closed, read)


def _origin(node: ast.expr, function: FunctionInfo, module: Module) -> Binding | None:
    """The assignment that gives a function the object, or list of objects, that an expression comes from."""
    for _ in range(3):
        while isinstance(node, ast.Attribute):
            node = node.value
        found = module.lookup(node.id, node) if isinstance(node, ast.Name) else None
        if found is None or len(found[1]) != 1:
            return None
        binding = found[1][0]
        if binding.kind == "assign":
            return binding if found[0].node is function.node else None
        if binding.kind not in {"for", "comprehension"} or binding.value is None:
            return None
        node = binding.value
    return None


Closed = tuple[ast.With | ast.AsyncWith, Module]


def _closed_before(bound: ast.AST, node: ast.Attribute, ctx: Context) -> Closed | None:
    """The `with` block that opened a session around a binding and has ended where an attribute is read."""
    around = list(ctx.ancestors(node))
    for ancestor in ctx.ancestors(bound):
        if isinstance(ancestor, FUNCTIONS):
            return None
        if isinstance(ancestor, (ast.With, ast.AsyncWith)) and ancestor not in around:
            if opens_session(ancestor, ctx.module) and (ancestor.end_lineno or 0) < node.lineno:
                return ancestor, ctx.module
    return None


def _closed_by_callee(value: ast.expr, module: Module) -> Closed | None:
    """The block of the called function whose end closed the session of all that it returns."""
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call) or last_name(value.func) not in functions_with_sessions(module):
        return None
    callee = module.type_of(value.func)
    if callee is None or callee.kind is not Kind.FUNCTION:
        return None
    called = module.modules.function_info(callee.name)
    if called is None or called.yields or not called.is_transparent:
        return None
    source, blocks = called.module.source, set()
    for returned in called.returned:
        if returned is None or (isinstance(returned, ast.Constant) and returned.value is None):
            continue
        block = next(
            (
                ancestor
                for ancestor in source.ancestors(returned)
                if isinstance(ancestor, (ast.With, ast.AsyncWith)) and opens_session(ancestor, called.module)
            ),
            None,
        )
        if block is None:
            return None
        blocks.add(block)
    return (blocks.pop(), called.module) if len(blocks) == 1 else None


def opens_session(block: ast.With | ast.AsyncWith, module: Module) -> bool:
    """Whether a `with` statement makes a session of its own, which its end closes."""
    return any(_makes_session(item.context_expr, module) for item in block.items)


def _makes_session(manager: ast.expr, module: Module) -> bool:
    if not isinstance(manager, ast.Call):
        return False
    known = module.type_of(manager)
    if known is None or known.kind is not Kind.INSTANCE:
        return False
    callee = module.type_of(manager.func)
    if known.name == CONTEXT_MANAGER:
        if not _is_session(known.argument(), module) or callee is None:
            return False
        if callee.kind is Kind.FUNCTION:
            function = module.modules.function_info(callee.name)
            return function is not None and _closes(function)
        receiver = callee.receiver
        return receiver is not None and receiver.name in {names.SESSION_MAKER, names.ASYNC_SESSION_MAKER}
    if not _is_session(known, module) or callee is None:
        return False
    is_factory = callee.is_instance(names.SESSION_MAKER, names.ASYNC_SESSION_MAKER)
    return is_factory or callee.name in {names.SESSION, names.ASYNC_SESSION}


def _is_session(known: Type | None, module: Module) -> bool:
    if known is None or known.kind is not Kind.INSTANCE:
        return False
    info = module.modules.class_info(known.name)
    wanted = (names.SESSION, names.ASYNC_SESSION)
    return info.is_a(*wanted) if info is not None else known.name in wanted


def _closes(function: FunctionInfo) -> bool:
    """Whether a context manager of the project closes the session that it gives."""
    source = function.module.source
    yields = source.in_scope(ast.Yield, function.node)
    if any(
        isinstance(call.func, ast.Attribute) and call.func.attr == "close" for call in function.own(ast.Call)
    ):
        return True
    return bool(yields) and all(
        any(
            isinstance(ancestor, (ast.With, ast.AsyncWith)) and opens_session(ancestor, function.module)
            for ancestor in source.ancestors(item)
        )
        for item in yields
    )


@dataclass(frozen=True, slots=True, eq=False)
class LostRead:
    """A read of an attribute that a commit has expired, behind the end of the block of its session.

    - `ended`: the statement that commits; the block itself where its end does.
    - `refresh`: what, right behind that statement, loads the attribute again; None where that is not known.
    """

    node: ast.Attribute
    entity: str
    block: ast.With | ast.AsyncWith
    ended: ast.stmt
    refresh: str | None


def lost_reads(ctx: Context) -> Iterator[LostRead]:
    """The reads, in the checked file, of expired attributes of objects whose session is closed.

    The first of each object; behind `await session.commit()` they are those of `expired_reads`.
    """
    source, module = ctx.source, ctx.module
    if not opens_sessions(source.data):
        return
    blocks: list[ast.With | ast.AsyncWith] = [*source.nodes(ast.With), *source.nodes(ast.AsyncWith)]
    for block in blocks:
        around = source.enclosing_function(block)
        if isinstance(around, FUNCTIONS) and len(block.items) == 1:
            yield from _lost(block, module.function_info(around))


def _lost(block: ast.With | ast.AsyncWith, function: FunctionInfo) -> Iterator[LostRead]:
    item, module = block.items[0], function.module
    if not isinstance(item.optional_vars, ast.Name) or not isinstance(item.context_expr, ast.Call):
        return
    session = item.optional_vars.id
    ended = _commit(block, session, item.context_expr, module)
    if isinstance(block, ast.AsyncWith) and ended is not block:
        return
    if ended is None or not opens_session(block, module) or not _expires(item.context_expr, module):
        return
    behind = block.body[block.body.index(ended) + 1 :] if ended is not block else []
    used = {node.id for statement in behind for node in inside(statement) if isinstance(node, ast.Name)}
    if session in used:
        return  # may load the objects again
    left = _held(block, ended, session, function) - used
    for statement in after(block, function):
        uses = [node for node in inside(statement) if isinstance(node, ast.Name) and node.id in left]
        for node in sorted(uses, key=lambda use: (use.lineno, use.col_offset)):
            if node.id not in left:
                continue
            place, known = module.source.parent(node), module.type_of(node)
            info = mapped_class(known.name, module.modules) if known is not None else None
            mapped = attributes(info) if info is not None else None
            if info is not None and mapped is not None and isinstance(place, ast.Attribute):
                is_column = place.attr in mapped.columns
                if isinstance(place.ctx, ast.Load) and (is_column or place.attr in mapped.relations):
                    may_refresh = is_column and ended is not block
                    refresh = f"{session}.refresh({node.id})" if may_refresh else None
                    yield LostRead(place, info.node.name, block, ended, refresh)
            left.discard(node.id)  # a read is reported once; anything else may attach the object again


def _commit(
    block: ast.With | ast.AsyncWith, session: str, manager: ast.Call, module: Module
) -> ast.stmt | None:
    """The statement of a block that certainly commits last: a call in it, or its end."""
    if isinstance(manager.func, ast.Attribute) and manager.func.attr == "begin":
        return block
    for statement in reversed(block.body):
        value = statement.value if isinstance(statement, ast.Expr) else None
        match value.value if isinstance(value, ast.Await) else value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="commit"), args=[]) if (
                owner == session
            ):
                return statement
    return block if _commits_at_end(manager, module) else None


def _scope(manager: ast.Call, module: Module) -> tuple[FunctionInfo, ast.Yield] | None:
    """The generator of the project that is a context manager for a session, and its only `yield`."""
    function = module.function_called(manager)
    if function is None or not function.decorators or function.decorators[0] not in names.SCOPES:
        return None
    yields = function.module.source.in_scope(ast.Yield, function.node)
    return (function, yields[0]) if len(yields) == 1 else None


def _commits_at_end(manager: ast.Call, module: Module) -> bool:
    """Whether a context manager of the project commits the session that it gives, but for errors."""
    scope = _scope(manager, module)
    if scope is None or not isinstance(scope[1].value, ast.Name):
        return False
    function, given = scope
    statement = function.module.source.parent(given)
    around = function.module.source.parent(statement) if isinstance(statement, ast.Expr) else None
    behind = [*around.orelse] if isinstance(around, ast.Try) and statement in around.body else []
    if isinstance(statement, ast.Expr):
        behind += after(statement, function)
    for item in behind:
        value = item.value if isinstance(item, ast.Expr) else None
        match value.value if isinstance(value, ast.Await) else value:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="commit"), args=[]):
                if owner == getattr(given.value, "id", None):
                    return True
    return False


def _expires(manager: ast.Call, module: Module) -> bool:
    """Whether the sessions that a call opens expire their objects on commit, as they do by default."""
    made, home = manager, module
    known = module.type_of(manager.func)
    scope = _scope(manager, module)
    if scope is not None:
        function, given = scope
        found = function.module.lookup(given.value.id, given) if isinstance(given.value, ast.Name) else None
        opened = found[1][0].value if found is not None and len(found[1]) == 1 else None
        return isinstance(opened, ast.Call) and _expires(opened, function.module)
    if known is None or known.name not in {names.SESSION, names.ASYNC_SESSION}:
        factory = manager.func
        if isinstance(factory, ast.Attribute) and factory.attr == "begin":
            factory = factory.value
        name = module.qualified_name(factory)
        variable = module.modules.variable(name) if name is not None else None
        if variable is None or variable[1].path or not isinstance(variable[1].value, ast.Call):
            return False
        home, made = variable[0], variable[1].value
    return b"expire_on_commit" not in home.source.data and not any(item.arg is None for item in made.keywords)


def _held(block: ast.With | ast.AsyncWith, ended: ast.stmt, session: str, function: FunctionInfo) -> set[str]:
    """The names of objects that belong to the session of a block where it commits."""
    module = function.module
    last = (ended.end_lineno or 0) + 1 if ended is block else ended.lineno
    found: set[str] = set()
    for node in function.own(ast.Name):
        if node.id in found or node.lineno <= (block.end_lineno or 0) or not isinstance(node.ctx, ast.Load):
            continue
        looked_up = module.lookup(node.id, node)
        known = module.type_of(node) if looked_up is not None and len(looked_up[1]) == 1 else None
        if looked_up is None or known is None or mapped_class(known.name, module.modules) is None:
            continue
        binding = looked_up[1][0]
        row = getattr(binding.node, "lineno", last)
        if looked_up[0].node is not function.node or binding.kind != "assign" or row >= last:
            continue
        is_loaded = isinstance(known.fact, Loaded) and row > block.lineno
        if is_loaded or (isinstance(binding.value, ast.Call) and _is_added(node.id, block, session, last)):
            found.add(node.id)
    return found


def _is_added(name: str, block: ast.With | ast.AsyncWith, session: str, last: int) -> bool:
    for statement in block.body:
        match statement:
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=owner), attr="add"), args=[ast.Name(id=added)]
                )
            ) if owner == session and added == name and statement.lineno <= last:
                return True
    return False


def is_detached(node: ast.Attribute, function: FunctionInfo, ctx: Context) -> bool:
    """Whether the session of an object is closed where a relationship of it is read."""
    return _detached(node, function, ctx) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A read of an expired object somewhere in the project, and the module that it stands in."""

    read: ExpiredRead
    module: Module


def is_expiring_factory(call: ast.Call, module: Module) -> bool:
    """Whether a call makes asynchronous sessions, or one, whose objects expire on commit."""
    if any(item.arg in {None, "expire_on_commit"} for item in call.keywords):
        return False
    known = module.type_of(call)
    callee = library_name(call.func, module)
    match callee:
        case names.ASYNC_SESSION_MAKER | names.ASYNC_SESSION:
            return True
        case names.SESSION_MAKER:
            return known is not None and is_async_session(known.argument(), module)
    return False


def first_read_after_commit(module: Module) -> Evidence | None:
    """The first read, by path, of an object that a commit has expired in the project of a module."""
    index = module.modules
    if not isinstance(index, Index) or not expires_on_commit(module):
        return None
    for path in files_with(index, module, b"commit"):
        other = index.at(path, module)
        for node in other.source.nodes(ast.AsyncFunctionDef) if other is not None else ():
            assert other is not None
            for read in expired_reads(other.function_info(node)):
                if read.method == "commit":
                    return Evidence(read, other)
    return None
