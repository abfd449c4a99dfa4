"""Facts about SQLAlchemy, SQLModel and Flask-SQLAlchemy: sessions, mapped classes, statements, results."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.frameworks.sqlalchemy_mapping import (
    Relation,
    attributes,
    column_type,
    is_mapped,
    keyword,
    library_name,
    mapped_class,
    relation_of,
)
from pybackend_lint.frameworks.sqlalchemy_options import AttributeOf, loader_option
from pybackend_lint.frameworks.sqlalchemy_statements import (
    NOWHERE,
    Loaded,
    Rows,
    Statement,
    executed,
    extended,
    fetched,
    joined_collection,
    mapped_attribute,
    query_end,
    query_item,
    result_method,
    selected,
)
from pybackend_lint.project.data_flow import place_of
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind, Type, class_object, context_manager, coroutine, instance

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

ROOTS = names.ROOTS
BASES = names.BASES
ALIASES = names.ALIASES

_SESSION_ATTRIBUTES = frozenset({names.SCOPED_SESSION, names.ASYNC_SCOPED_SESSION})
_ASYNC_PLAIN = frozenset(
    {"add", "add_all", "expunge", "expunge_all", "expire", "expire_all", "begin", "begin_nested"}
)
_EXECUTES = frozenset({"execute", "scalars", "scalar", "exec", "stream", "stream_scalars"})


class SQLAlchemyKnowledge(Knowledge):
    """Types of SQLAlchemy."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The value of a call of SQLAlchemy's functions, classes and methods, or of a session factory."""
        if callee.kind is Kind.INSTANCE:
            return _made(callee, module)
        if _is_database(callee, module.modules.class_info(callee.name)) and callee.receiver is None:
            custom = keyword(call, "query_class") is not None
            return instance(callee.name, fact=names.CUSTOM_QUERIES if custom else None)
        if callee.kind is not Kind.EXTERNAL:
            return None
        owner, _, method = callee.name.rpartition(".")
        if callee.receiver is not None:
            return _method(owner, method, callee, call, module)
        return _function(callee, call, module)

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """An attribute of a session, database object, mapped class or mapped object."""
        if value.name in _SESSION_ATTRIBUTES:
            made = value.argument()
            owner = names.SESSION if value.name == names.SCOPED_SESSION else names.ASYNC_SESSION
            if name in {"remove", "registry", "configure", "query_property"}:
                return None
            return Type(f"{owner}.{name}", Kind.EXTERNAL, receiver=made)
        if name == "items" and value.is_instance(names.PAGINATION):
            return instance("builtins.list", value.argument())
        info = module.modules.class_info(value.name)
        if value.kind is Kind.INSTANCE and _is_database(value, info):
            return _database_attribute(value, name)
        if info is None or not is_mapped(info):
            return None
        if value.kind in {Kind.INSTANCE, Kind.CLASS}:
            found = mapped_attribute(value, name, attributes(info))
            if found is not None:
                return found
            if name == "query" and value.kind is Kind.CLASS and info.is_a(names.FLASK_MODEL):
                return _model_query(info)
        return None


KNOWLEDGE = SQLAlchemyKnowledge()


def _function(callee: Type, call: ast.Call, module: Module) -> Type | None:
    """The value of a call of a function or class of SQLAlchemy."""
    name = callee.name
    last = name.rpartition(".")[2]
    match name:
        case names.SESSION_MAKER | names.ASYNC_SESSION_MAKER:
            return instance(name, _made_session(name, call, module))
        case names.SCOPED_SESSION | names.ASYNC_SCOPED_SESSION:
            return instance(name, _scoped(name, call, module))
        case "sqlalchemy.create_engine":
            return instance(names.ENGINE)
        case "sqlalchemy.orm.registry":
            return instance(name)
        case "sqlalchemy.ext.asyncio.create_async_engine":
            return instance(names.ASYNC_ENGINE)
        case "sqlalchemy.select":
            statement = selected(call, module, legacy=False)
            return instance(names.SELECT, fact=statement)
        case "sqlalchemy.update" | "sqlalchemy.delete":
            return instance(names.UPDATE if name == "sqlalchemy.update" else names.DELETE)
        case "sqlalchemy.orm.aliased":
            known = module.type_of(call.args[0]) if call.args else None
            is_entity = known is not None and known.kind is Kind.CLASS
            return (
                known
                if is_entity and known is not None and mapped_class(known.name, module.modules)
                else None
            )
        case "sqlalchemy.Column" | "sqlalchemy.orm.mapped_column":
            kind = names.COLUMN if name == names.COLUMN else names.MAPPED_COLUMN
            found = column_type(call, module)
            return instance(kind, found[1].type if found is not None else None)
        case "sqlalchemy.orm.relationship" | "sqlmodel.Relationship" | "sqlalchemy.orm.dynamic_loader":
            return instance(names.RELATIONSHIP)
        case "sqlmodel.Field":
            return instance(names.MAPPED_COLUMN)
        case "sqlmodel.col":
            return module.type_of(call.args[0]) if call.args else None
    if last in names.LOADER_OPTIONS | names.COLUMN_OPTIONS and name.startswith("sqlalchemy.orm."):
        return loader_option(callee, call, module)
    if name.startswith("sqlalchemy.func.") or name in names.CLAUSE_FUNCTIONS:
        return instance(names.CLAUSE)
    return None


def _made_session(name: str, call: ast.Call, module: Module) -> Type:
    """The session that a factory makes."""
    chosen = keyword(call, "class_")
    fact = names.CUSTOM_QUERIES if keyword(call, "query_cls") is not None else None
    known = module.type_of(chosen) if chosen is not None else None
    if (
        known is not None
        and known.kind in {Kind.CLASS, Kind.EXTERNAL}
        and _is_session_class(known.name, module)
    ):
        return instance(known.name, fact=fact)
    return instance(names.SESSION if name == names.SESSION_MAKER else names.ASYNC_SESSION, fact=fact)


def _is_session_class(name: str, module: Module) -> bool:
    info = module.modules.class_info(name)
    wanted = (names.SESSION, names.ASYNC_SESSION)
    return info.is_a(*wanted) if info is not None else name in wanted


def _scoped(name: str, call: ast.Call, module: Module) -> Type:
    """The session behind a registry such as `scoped_session(factory)`."""
    factory = module.type_of(call.args[0]) if call.args else None
    made = factory.argument() if factory is not None else None
    return made or instance(names.SESSION if name == names.SCOPED_SESSION else names.ASYNC_SESSION)


def _made(callee: Type, module: Module) -> Type | None:
    """What calling a session factory or registry gives."""
    if callee.name in {names.SESSION_MAKER, names.SCOPED_SESSION}:
        return callee.argument() or instance(names.SESSION)
    if callee.name in {names.ASYNC_SESSION_MAKER, names.ASYNC_SCOPED_SESSION}:
        return callee.argument() or instance(names.ASYNC_SESSION)
    return None


def _method(owner: str, method: str, callee: Type, call: ast.Call, module: Module) -> Type | None:
    """The value of a method of SQLAlchemy's values."""
    receiver = callee.receiver
    assert receiver is not None
    match owner:
        case names.SESSION | names.ASYNC_SESSION | names.CONNECTION | names.ASYNC_CONNECTION:
            return _session_method(owner, method, receiver, call, module)
        case names.SESSION_MAKER | names.ASYNC_SESSION_MAKER if method == "begin":
            return context_manager(_made(receiver, module))
        case names.ENGINE | names.ASYNC_ENGINE if method in {"connect", "begin"}:
            connection = instance(names.CONNECTION if owner == names.ENGINE else names.ASYNC_CONNECTION)
            return connection if method == "connect" else context_manager(connection)
        case names.SELECT:
            return extended(callee, call, module)
        case names.UPDATE | names.DELETE:
            return receiver if method in names.KEEPS_ENTITIES | {"values", "returning"} else None
        case names.QUERY:
            return extended(callee, call, module) or query_end(callee, call, module)
        case names.RESULT | names.SCALARS:
            return result_method(callee)
        case names.LOADER:
            return loader_option(callee, call, module)
        case names.ATTRIBUTE if method in {"of_type", "and_"}:
            return receiver
        case names.ATTRIBUTE | names.CLAUSE:
            return instance(names.CLAUSE)
        case names.FLASK_DATABASE if method == "select":
            return instance(names.SELECT, fact=selected(call, module, legacy=False))
        case names.FLASK_DATABASE if method == "get_or_404":
            return fetched(call, module, is_async=False, optional=False)
        case names.FLASK_DATABASE if method in {"first_or_404", "one_or_404"}:
            row = executed("scalar", call, module, is_async=False)
            return replace(row, optional=False) if row is not None else None
        case names.FLASK_DATABASE if method == "paginate" and call.args:
            rows = executed("scalars", call, module, is_async=False)
            return instance(names.PAGINATION, rows.argument() if rows is not None else None)
    return None


def _session_method(owner: str, method: str, receiver: Type, call: ast.Call, module: Module) -> Type | None:
    is_async = owner in names.ASYNC_EXECUTORS
    if method == "query" and not is_async:
        statement = selected(call, module, legacy=True)
        if statement is None:
            return instance(names.QUERY)
        return instance(names.QUERY, query_item(statement), fact=statement)
    if method in {"begin", "begin_nested"}:
        return None
    found: Type | None
    if method in {"get", "get_one"}:
        found = fetched(call, module, is_async=is_async, optional=method == "get")
    elif method in _EXECUTES:
        found = executed(method, call, module, is_async=is_async)
    else:
        found = None
    return coroutine(found) if is_async and method not in _ASYNC_PLAIN else found


def _is_database(value: Type, info: ClassInfo | None) -> bool:
    return value.name == names.FLASK_DATABASE or (info is not None and info.is_a(names.FLASK_DATABASE))


def _database_attribute(value: Type, name: str) -> Type | None:
    """What Flask-SQLAlchemy's `db` offers: its session and model, and the names of SQLAlchemy."""
    if name == "session":
        return instance(names.SCOPED_SESSION, instance(names.SESSION, fact=value.fact))
    if name == "engine":
        return instance(names.ENGINE)
    if name == "Model":
        return Type(names.FLASK_MODEL, Kind.EXTERNAL)
    if name in names.ORM_NAMES:
        return Type(f"sqlalchemy.orm.{name}", Kind.EXTERNAL)
    if name[:1].isupper() or name in names.CORE_NAMES:
        return Type(f"sqlalchemy.{name}", Kind.EXTERNAL)
    return None


def _model_query(info: ClassInfo) -> Type | None:
    """`Model.query` of Flask-SQLAlchemy; None where the class may have a query class of its own."""
    if info.member("query_class") is not None or info.member("query") is not None:
        return None
    statement = Statement((class_object(info.name),), frozenset(), NOWHERE, legacy=True)
    return instance(names.QUERY, query_item(statement), fact=statement)


# Questions of rules


def is_session(node: ast.expr, module: Module) -> bool:
    """Whether the value is a session, synchronous or not."""
    return session_is_async(node, module) is not None


def session_is_async(node: ast.expr, module: Module) -> bool | None:
    """Whether the value is an asynchronous session (True) or a synchronous one (False); None for others."""
    return _executor(module.type_of(node), module, sessions_only=True)


def has_plain_queries(node: ast.expr, ctx: Context) -> bool:
    """Whether the value is a synchronous session whose queries are, as far as is known, plain `Query`s."""
    known = ctx.type_of(node)
    if known is None or session_is_async(node, ctx.module) is not False:
        return False
    made = known.argument() if known.name == names.SCOPED_SESSION else known
    return made is None or made.fact != names.CUSTOM_QUERIES


def executor_is_async(node: ast.expr, ctx: Context) -> bool | None:
    """As `session_is_async`, for sessions and connections."""
    return _executor(ctx.type_of(node), ctx.module, sessions_only=False)


def _executor(known: Type | None, module: Module, *, sessions_only: bool) -> bool | None:
    if known is None or known.kind is not Kind.INSTANCE:
        return None
    info = module.modules.class_info(known.name)
    bases = {item for item in info.mro if isinstance(item, str)} if info is not None else {known.name}
    if bases & {names.ASYNC_SESSION, names.ASYNC_SCOPED_SESSION}:
        return True
    if bases & {names.SESSION, names.SCOPED_SESSION}:
        return False
    if not sessions_only and bases & {names.CONNECTION, names.ASYNC_CONNECTION}:
        return names.ASYNC_CONNECTION in bases
    return None


def name_of(node: ast.expr, ctx: Context) -> str | None:
    """The canonical name of the function or class of a library that an expression refers to."""
    return library_name(node, ctx.module)


def is_clause(node: ast.expr, ctx: Context) -> bool:
    """Whether an expression is a SQL expression: a mapped attribute, a comparison of one, `func.x()`."""
    match node:
        case ast.Compare(left=left, comparators=[right], ops=[op]) if not isinstance(
            op, (ast.Is, ast.IsNot, ast.In, ast.NotIn)
        ):
            return is_clause(left, ctx) or is_clause(right, ctx)
        case ast.BinOp(left=left, right=right):
            return is_clause(left, ctx) or is_clause(right, ctx)
        case ast.UnaryOp(op=ast.Invert() | ast.USub(), operand=operand):
            return is_clause(operand, ctx)
    known = ctx.type_of(node)
    return known is not None and known.is_instance(names.ATTRIBUTE, names.CLAUSE)


def eager_collection(statement: Statement, ctx: Context) -> str | None:
    """The collection that a statement loads by a join (see `joined_collection`)."""
    return joined_collection(statement, ctx.module.modules)


def entity_of(node: ast.expr, ctx: Context) -> ClassInfo | None:
    """The mapped class that an expression is."""
    known = ctx.type_of(node)
    if known is None or known.kind is not Kind.CLASS:
        return None
    return mapped_class(known.name, ctx.module.modules)


def statement_of(node: ast.expr, module: Module) -> Statement | None:
    """What is known of a statement or legacy query."""
    known = module.type_of(node)
    return known.fact if known is not None and isinstance(known.fact, Statement) else None


def rows_of(node: ast.expr, ctx: Context) -> Rows | None:
    """What is known of a result."""
    known = ctx.type_of(node)
    return known.fact if known is not None and isinstance(known.fact, Rows) else None


def loaded(node: ast.expr, ctx: Context) -> Loaded | None:
    """What is known of an object that a session loaded."""
    known = ctx.type_of(node)
    return known.fact if known is not None and isinstance(known.fact, Loaded) else None


def relation(node: ast.Attribute, ctx: Context) -> Relation | None:
    """The relationship that an attribute of a mapped object or class is."""
    known = ctx.type_of(node.value)
    return relation_of(known.name, node.attr, ctx.module.modules) if known is not None else None


def attribute_of(node: ast.expr, module: Module) -> AttributeOf | None:
    """The mapped attribute of a class (`Order.lines`) that an expression is."""
    known = module.type_of(node)
    return known.fact if known is not None and isinstance(known.fact, AttributeOf) else None


def is_query(node: ast.expr, module: Module) -> bool:
    """Whether the value is a legacy `Query`."""
    known = module.type_of(node)
    return known is not None and known.is_instance(names.QUERY)


# Methods that read rows in a way that must know which of them repeat; `first()` and `scalar()` need not.
READS_ROWS = names.READS_ROWS

_MAY_BLOCK = names.BLOCKING_METHODS | names.QUERY_ENDS


def blocking_calls(function: ast.AsyncFunctionDef, ctx: Context) -> Iterator[tuple[ast.Call, ast.expr, str]]:
    """The calls in a coroutine's own body by which a synchronous session or connection waits.

    Each comes with the session and the method's name, in source order; a query is run by its last call.
    """
    info = ctx.function_info(function)
    awaited = {id(node.value) for node in info.own(ast.Await)}
    calls = [
        (call, call.func.value, call.func.attr)
        for call in info.own(ast.Call)
        if isinstance(call.func, ast.Attribute) and call.func.attr in _MAY_BLOCK and id(call) not in awaited
    ]
    calls.sort(key=lambda found: (found[0].end_lineno or 0, found[0].end_col_offset or 0))
    for call, owner, method in calls:
        if method in names.BLOCKING_METHODS and executor_is_async(owner, ctx) is False:
            yield call, owner, method
        elif method in names.QUERY_ENDS and is_query(owner, ctx.module):
            session = _session_of_query(owner)
            if session is not None:
                yield call, session, f"query(...).{method}"


def origin_of_session(session: ast.expr, module: Module) -> Related | None:
    """Where a session comes from: its alias, dependency, factory or class, else what binds its name."""
    place, asked = None, session
    found = module.lookup(session.id, session) if isinstance(session, ast.Name) else None
    if found is not None:
        binding = found[1][0]
        place = place_of(binding.node, module, f"`{binding.name}` is a synchronous session")
        asked = binding.annotation or binding.value or session
        if isinstance(binding.node, ast.arg):
            asked = _depended_on(binding.node, module) or asked
    while isinstance(asked, (ast.Call, ast.Await)):
        asked = asked.func if isinstance(asked, ast.Call) else asked.value
    name = module.qualified_name(asked) if isinstance(asked, (ast.Name, ast.Attribute)) else None
    if name is None or not module.modules.owns(name):
        return place
    variable = module.modules.variable(name)
    if variable is not None:
        return place_of(variable[1].node, variable[0], "gives a synchronous session")
    made = module.modules.function_info(name) or module.modules.class_info(name)
    return place_of(made.node, made.module, "gives a synchronous session") if made is not None else place


def _depended_on(parameter: ast.arg, module: Module) -> ast.expr | None:
    """What `Depends(...)` names in the default value of a parameter."""
    arguments = module.source.parent(parameter)
    function = module.source.parent(arguments) if arguments is not None else None
    if isinstance(function, FUNCTIONS):
        for argument, default in module.function_info(function).parameters():
            if argument is parameter and isinstance(default, ast.Call) and default.args:
                return default.args[0]
    return None


def _session_of_query(node: ast.expr) -> ast.expr | None:
    """The session at the start of a chain `session.query(...)...`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "query":
            return node.func.value
        node = node.func.value
    return None


def is_script_entry(function: ast.AsyncFunctionDef, ctx: Context) -> bool:
    """Whether a coroutine function is what its own file gives to `asyncio.run()`."""
    return any(
        isinstance(argument, ast.Call)
        and isinstance(argument.func, ast.Name)
        and argument.func.id == function.name
        for call in ctx.source.calls.get("run", ())
        if ctx.qualified_name(call.func) in {"asyncio.run", "anyio.run"}
        for argument in call.args
    )


def is_loaded(known: Type) -> bool:
    """Whether a value is an object that a session loaded, or a row that holds one."""
    return isinstance(known.fact, Loaded) or any(
        item is not None and isinstance(item.fact, Loaded) for item in known.args
    )
