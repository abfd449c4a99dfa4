"""Facts about asynchronous code: coroutines, the event loop, what blocks it, tasks and cancellation."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from pybackend_lint.finding import Edit
from pybackend_lint.frameworks.data.coroutines import COROUTINES
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.calls import imported_modules, renamed_imports
from pybackend_lint.project.index import Index
from pybackend_lint.semantic import inference
from pybackend_lint.semantic.code_edits import line_after
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import COMPREHENSIONS, FUNCTIONS
from pybackend_lint.semantic.types import Kind, Type, context_manager, coroutine, instance
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

ROOTS = (
    "asyncio", "anyio", "aiofiles", "threading", "queue", "concurrent", "multiprocessing", "subprocess",
    "requests", "httpx", "urllib", "urllib3", "http", "redis", "boto3", "botocore", "psycopg2", "psycopg",
    "pymysql", "sqlite3", "pymongo", "asyncpg", "aiohttp", "smtplib", "paramiko", "bcrypt", "passlib",
    "argon2", "pwdlib", "google", "azure", "slack_sdk", "elasticsearch", "supabase", "postgrest", "PIL",
    "zipfile", "tarfile", "pathlib", "asgiref", "channels",
)  # fmt: skip
BASES: dict[str, tuple[str, ...]] = {}
ALIASES: dict[str, str] = {
    **{
        f"asyncio.{module}.": "asyncio."
        for module in ("tasks", "events", "futures", "locks", "queues", "exceptions", "streams", "threads")
    },
    "asyncio.taskgroups.TaskGroup": "asyncio.TaskGroup",
    "concurrent.futures.thread.": "concurrent.futures.",
    "concurrent.futures.process.": "concurrent.futures.",
    "concurrent.futures._base.": "concurrent.futures.",
    "requests.api.": "requests.",
    "requests.sessions.": "requests.",
    "requests.models.Response": "requests.Response",
    "httpx2": "httpx",
    "httpx2.": "httpx.",
    "urllib3.poolmanager.": "urllib3.",
    "urllib3.connectionpool.": "urllib3.",
    "redis.StrictRedis": "redis.Redis",
    "redis.client.Redis": "redis.Redis",
    "redis.client.StrictRedis": "redis.Redis",
    "redis.asyncio.client.Redis": "redis.asyncio.Redis",
    "redis.asyncio.StrictRedis": "redis.asyncio.Redis",
    "boto3.session.Session": "boto3.Session",
    "pymongo.mongo_client.MongoClient": "pymongo.MongoClient",
    "passlib.apps.": "passlib.context.",
    "elasticsearch.client.Elasticsearch": "elasticsearch.Elasticsearch",
    "google.cloud.storage.client.Client": "google.cloud.storage.Client",
    "google.cloud.storage.bucket.Bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.blob.Blob": "google.cloud.storage.Blob",
    "slack_sdk.web.WebClient": "slack_sdk.WebClient",
    "slack_sdk.web.client.WebClient": "slack_sdk.WebClient",
    "PIL.ImageFile.ImageFile": "PIL.Image.Image",
    "pika.adapters.blocking_connection.BlockingConnection": "pika.BlockingConnection",
}

_RESULTS = {
    **dict.fromkeys(
        ("asyncio.get_event_loop", "asyncio.get_running_loop", "asyncio.new_event_loop"),
        "asyncio.AbstractEventLoop",
    ),
    "asyncio.AbstractEventLoop.run_in_executor": "asyncio.Future",
    "asyncio.AbstractEventLoop.create_future": "asyncio.Future",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    "concurrent.futures.ThreadPoolExecutor.submit": "concurrent.futures.Future",
    "concurrent.futures.ProcessPoolExecutor.submit": "concurrent.futures.Future",
    "requests.session": "requests.Session",
    **dict.fromkeys(
        (
            f"{owner}.{verb}"
            for owner in ("requests", "requests.Session")
            for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request")
        ),
        "requests.Response",
    ),
    **dict.fromkeys(
        (
            f"{owner}.{verb}"
            for owner in ("httpx", "httpx.Client")
            for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request")
        ),
        "httpx.Response",
    ),
    "sqlite3.connect": "sqlite3.Connection",
    "sqlite3.Connection.cursor": "sqlite3.Cursor",
    "sqlite3.Connection.execute": "sqlite3.Cursor",
    "sqlite3.Cursor.execute": "sqlite3.Cursor",
    "psycopg2.connect": "psycopg2.extensions.connection",
    "psycopg2.extensions.connection.cursor": "psycopg2.extensions.cursor",
    "psycopg.connect": "psycopg.Connection",
    "psycopg.Connection.connect": "psycopg.Connection",
    "psycopg.Connection.cursor": "psycopg.Cursor",
    "psycopg.Connection.execute": "psycopg.Cursor",
    "pymysql.connect": "pymysql.connections.Connection",
    "pymysql.connections.Connection.cursor": "pymysql.cursors.Cursor",
    "redis.from_url": "redis.Redis",
    "redis.Redis.from_url": "redis.Redis",
    "redis.Redis.pipeline": "redis.client.Pipeline",
    "redis.asyncio.from_url": "redis.asyncio.Redis",
    "redis.asyncio.Redis.from_url": "redis.asyncio.Redis",
    "google.cloud.storage.Client.bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.Client.get_bucket": "google.cloud.storage.Bucket",
    "google.cloud.storage.Bucket.blob": "google.cloud.storage.Blob",
    "google.cloud.storage.Bucket.get_blob": "google.cloud.storage.Blob",
    "azure.storage.blob.BlobServiceClient.from_connection_string": "azure.storage.blob.BlobServiceClient",
    "azure.storage.blob.BlobServiceClient.get_blob_client": "azure.storage.blob.BlobClient",
    "azure.storage.blob.BlobServiceClient.get_container_client": "azure.storage.blob.ContainerClient",
    "azure.storage.blob.ContainerClient.get_blob_client": "azure.storage.blob.BlobClient",
    "supabase.create_client": "supabase.Client",
    **dict.fromkeys(
        (f"supabase.Client.{name}" for name in ("table", "from_", "rpc")), "postgrest.SyncQueryRequestBuilder"
    ),
    "PIL.Image.open": "PIL.Image.Image",
    **dict.fromkeys(
        (f"PIL.Image.Image.{name}" for name in ("convert", "copy", "crop", "filter", "resize", "rotate")),
        "PIL.Image.Image",
    ),
    "tarfile.open": "tarfile.TarFile",
    **dict.fromkeys(
        (
            f"pathlib.Path.{name}"
            for name in (
                "absolute",
                "cwd",
                "expanduser",
                "home",
                "joinpath",
                "relative_to",
                "resolve",
                "with_name",
                "with_stem",
                "with_suffix",
            )
        ),
        "pathlib.Path",
    ),
    "pwdlib.PasswordHash.recommended": "pwdlib.PasswordHash",
    "boto3.client": "botocore.client.BaseClient",
    "boto3.Session.client": "botocore.client.BaseClient",
    "boto3.resource": "boto3.resources.base.ServiceResource",
    "boto3.Session.resource": "boto3.resources.base.ServiceResource",
}
TASK_FUNCTIONS = frozenset(
    {
        "asyncio.create_task", "asyncio.ensure_future", "asyncio.AbstractEventLoop.create_task",
    }
)  # fmt: skip
_PATHS_BELOW = frozenset({"pathlib.Path.glob", "pathlib.Path.iterdir", "pathlib.Path.rglob"})
_QUEUES = frozenset({"queue.Queue", "queue.LifoQueue", "queue.PriorityQueue"})
BOUNDED = "bounded"


class AsyncioKnowledge(Knowledge):
    """Types of asyncio's names and of the clients whose calls block."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """Tasks, futures, coroutines and what the factory functions of clients give."""
        name = callee.name
        result = _RESULTS.get(name)
        if result is not None:
            return instance(result)
        if name in TASK_FUNCTIONS or name == "asyncio.TaskGroup.create_task":
            return instance("asyncio.Task", _awaited(module, call))
        if name in {"asyncio.wait_for", "asyncio.shield"}:
            awaited = _awaited(module, call)
            return coroutine(awaited) if name.endswith("for") else instance("asyncio.Future", awaited)
        if name == "asyncio.gather":
            if any(isinstance(argument, ast.Starred) for argument in call.args):
                return instance("asyncio.Future")
            values = [module.type_of(argument) for argument in call.args]
            results = [value.argument() if value is not None else None for value in values]
            return instance("asyncio.Future", instance("builtins.tuple", *results))
        if name == "asyncio.to_thread" and call.args:
            function = module.type_of(call.args[0])
            return coroutine(inference.called(module, function, call) if function is not None else None)
        if name in SYNC_TO_ASYNC and call.args:
            return _in_thread(call.args[0], module)
        if name == _IN_THREAD:
            wrapped = callee.receiver
            return coroutine(inference.called(module, wrapped, call) if wrapped else callee.argument())
        if name in _PATHS_BELOW:
            return instance("typing.Iterator", instance("pathlib.Path"))
        if name == "aiofiles.open":
            return context_manager(instance("aiofiles.threadpool.text.AsyncTextIOWrapper"))
        if name in COROUTINES:
            return coroutine(instance(COROUTINES[name]) if COROUTINES[name] else None)
        if name in _QUEUES:
            return instance(name, fact=BOUNDED if _has_limit(call) else None)
        receiver = callee.receiver
        if (
            receiver is not None
            and receiver.name == "postgrest.SyncQueryRequestBuilder"
            and not name.endswith(".execute")
        ):
            return receiver
        if receiver is not None and receiver.name == "boto3.resources.base.ServiceResource":
            return receiver if name.rpartition(".")[2][:1].isupper() else None
        return None

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """The folder of a path; databases and collections of MongoDB, which are named as attributes."""
        if name == "parent" and value.is_instance("pathlib.Path"):
            return value
        return _mongo_child(value) if not name.startswith("_") and name not in _MONGO_METHODS else None

    def subscript(self, value: Type, index: ast.expr, module: Module) -> Type | None:
        """Databases and collections of MongoDB."""
        return _mongo_child(value)


KNOWLEDGE = AsyncioKnowledge()


SYNC_TO_ASYNC = frozenset({"asgiref.sync.sync_to_async", "channels.db.database_sync_to_async"})
_IN_THREAD = "asgiref.sync.SyncToAsync"


def _in_thread(function: ast.expr, module: Module) -> Type:
    """What runs a function in a thread: calling it gives a coroutine of what the function gives."""
    if isinstance(function, ast.Lambda):
        return instance(_IN_THREAD, module.type_of(function.body))
    return Type(_IN_THREAD, Kind.INSTANCE, receiver=module.type_of(function))


_MONGO_METHODS = frozenset(
    {
        "admin_command", "aggregate", "close", "command", "create_collection", "drop_collection",
        "drop_database", "get_collection", "get_database", "get_default_database", "list_collection_names",
        "list_database_names", "server_info", "start_session", "watch", "name", "client", "codec_options",
    }
)  # fmt: skip


def _mongo_child(value: Type) -> Type | None:
    if value.is_instance("pymongo.MongoClient"):
        return instance("pymongo.database.Database")
    return (
        instance("pymongo.collection.Collection") if value.is_instance("pymongo.database.Database") else None
    )


def _awaited(module: Module, call: ast.Call) -> Type | None:
    """What awaiting the first argument gives."""
    if not call.args:
        return None
    value = module.type_of(call.args[0])
    return value.argument() if value is not None else None


def _has_limit(call: ast.Call) -> bool:
    values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "maxsize")]
    return any(not (isinstance(value, ast.Constant) and value.value in {0, None}) for value in values)


# Coroutines and tasks


def can_await(node: ast.AST, ctx: Context) -> bool:
    """Whether an `await` may be written in place of an expression."""
    for ancestor in ctx.ancestors(node):
        if isinstance(ancestor, ast.AsyncFunctionDef):
            return ctx.in_coroutine(node)
        if isinstance(ancestor, (*COMPREHENSIONS, ast.Lambda, ast.FunctionDef, ast.ClassDef)):
            return False
    return False


def await_edits(call: ast.Call, ctx: Context) -> tuple[Edit, ...]:
    """The edits that await a call, with parentheses where more is done with its value."""
    before, after = parentheses(call, ctx)
    edits = (ctx.insert_before(call, f"{before}await "),)
    return (*edits, ctx.insert_after(call, after)) if after else edits


def parentheses(call: ast.Call, ctx: Context) -> tuple[str, str]:
    """The parentheses that an awaited call needs where more is done with its value."""
    match ctx.parent(call):
        case ast.Attribute():
            return "(", ")"
        case ast.Subscript(value=value) | ast.Call(func=value) if value is call:
            return "(", ")"
    return "", ""


def coroutine_of(call: ast.Call, module: Module) -> str | None:
    """The qualified name of the coroutine function that a call calls; None when it is not certain.

    Functions that return the coroutine of another function count, functions that are only annotated to
    return some awaitable do not: it may be a task that runs already.
    """
    callee = module.type_of(call.func)
    if callee is None:
        return None
    if callee.kind is Kind.EXTERNAL:
        if callee.name in COROUTINES:
            return callee.name
        return None
    if callee.kind is Kind.INSTANCE:
        info = module.modules.class_info(callee.name)
        function = info.method("__call__") if info is not None else None
    elif callee.kind is Kind.FUNCTION:
        function = module.modules.function_info(callee.name)
    else:
        return None
    return function.name if function is not None and is_coroutine_function(function) else None


def is_coroutine_function(function: FunctionInfo) -> bool:
    """Whether every call of a function gives a coroutine that nothing runs yet."""
    if function.is_async:
        return function.stays_coroutine and not function.yields and not function.is_property
    if SYNC_TO_ASYNC.intersection(function.decorators[:1]):
        return True
    if function.yields or not function.is_transparent:
        return False
    returned = [value for value in function.returned if isinstance(value, ast.Call)]
    if not returned or len(returned) != len(function.returned) or not _gives_value(function.node.body):
        return False
    return all(coroutine_of(value, function.module) is not None for value in returned)


def _gives_value(body: list[ast.stmt]) -> bool:
    """Whether a block certainly ends with `return` or `raise`, by the statements at its end alone."""
    match body[-1:]:
        case [ast.Return() | ast.Raise()]:
            return True
        case [ast.If(body=inner, orelse=other)]:
            return _gives_value(inner) and _gives_value(other)
        case [ast.With(body=inner)]:
            return _gives_value(inner)
        case [ast.Try(body=inner, handlers=handlers, finalbody=last)]:
            ends = _gives_value(inner) and all(_gives_value(handler.body) for handler in handlers)
            return ends or _gives_value(last)
    return False


_SURELY_SYNCHRONOUS = frozenset(
    {
        "append", "extend", "insert", "sort", "discard", "setdefault", "join", "split", "strip", "format",
        "startswith", "endswith", "print", "debug", "info", "warning", "error", "exception", "critical",
        "log", "__init__", "add_argument", "setattr",
    }
)  # fmt: skip


def coroutine_names(module: Module) -> frozenset[str]:
    """The names of the coroutine functions that a module defines or that modules it imports define."""
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("coroutine names", module.name, id(module)), lambda: _coroutine_names(module))


def _coroutine_names(module: Module) -> frozenset[str]:
    names = frozenset().union(*map(_own_coroutine_names, (module, *imported_modules(module))))
    return names | renamed_among(names, module) if names else names


def renamed_among(names: frozenset[str], module: Module) -> frozenset[str]:
    """The names under which a module imports something that is defined by one of these names."""
    return frozenset(local for local, defined in renamed_imports(module).items() if defined in names)


def _own_coroutine_names(module: Module) -> frozenset[str]:
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("own coroutine names", module.name, id(module)), lambda: _names_of_coroutines(module))


def _names_of_coroutines(module: Module) -> frozenset[str]:
    if b"async" not in module.source.data:
        return frozenset()
    source = module.source
    names = {node.name for node in source.nodes(ast.AsyncFunctionDef)}
    for statement in source.nodes(ast.Return):  # functions that return the coroutine of another one
        if isinstance(statement.value, ast.Call) and last_name(statement.value.func) in names:
            function = source.enclosing_function(statement)
            if isinstance(function, ast.FunctionDef):
                names.add(function.name)
    if b"sync_to_async" in source.data:
        names.update(
            node.name
            for node in source.nodes(ast.FunctionDef)
            if node.decorator_list and _runs_in_thread(node.decorator_list[0])
        )
    return frozenset(names)


def _runs_in_thread(decorator: ast.expr) -> bool:
    callee = decorator.func if isinstance(decorator, ast.Call) else decorator
    return last_name(callee).endswith("sync_to_async")


def may_be_coroutine(call: ast.Call, names: frozenset[str], *, everywhere: bool) -> bool:
    """Whether, by its name alone, a call may be of a coroutine function.

    `names` are those of `coroutine_names`; `everywhere` admits names that are not among them, for methods
    whose classes are defined in files that the module does not import itself.
    """
    name = last_name(call.func)
    if name in names:
        return True
    return everywhere and isinstance(call.func, ast.Attribute) and name not in _SURELY_SYNCHRONOUS


# What takes its first argument apart, and what tests the elements of a comprehension that it gets.
_FINISHED = frozenset(
    {
        "json.dumps",
        *(f"builtins.{name}" for name in (
            "all", "any", "bool", "dict", "enumerate", "float", "frozenset", "int", "len", "list", "max",
            "min", "set", "sorted", "sum", "tuple",
        )),
    }
)  # fmt: skip
_FINISHED_ARGUMENTS = frozenset(name.rpartition(".")[2] for name in _FINISHED)
_TESTED = frozenset({"all", "any"})
_COLLECTED = (ast.GeneratorExp, ast.ListComp)
_COROUTINE_ATTRIBUTES = frozenset(
    {"close", "send", "throw", "cr_await", "cr_code", "cr_frame", "cr_origin", "cr_running", "__await__"}
)


_NAMES_IN_LIBRARIES = frozenset(name.rpartition(".")[2] for name in COROUTINES)


def unawaited_candidates(module: Module) -> Iterator[ast.Call]:
    """The calls whose value is dropped, or used as only a finished result can be used.

    Only those whose name lets them be calls of coroutine functions; `coroutine_of` decides.
    """
    source = module.source
    if b"async" not in source.data:
        yield from _imported_calls(module)
        return
    names = coroutine_names(module)
    everywhere = b"async def" in source.data
    for statement in source.nodes(ast.Expr):
        dropped = statement.value
        if isinstance(dropped, (ast.ListComp, ast.SetComp)):
            dropped = dropped.elt
        if isinstance(dropped, ast.Call) and may_be_coroutine(dropped, names, everywhere=everywhere):
            yield dropped
    of_libraries = _NAMES_IN_LIBRARIES if everywhere else frozenset()
    if names.isdisjoint(source.calls) and of_libraries.isdisjoint(source.calls):
        return
    for value in _values_taken_apart(module):
        if isinstance(value, ast.NamedExpr):
            value = value.value
        if isinstance(value, ast.Call) and _is_named_among(value, names, of_libraries, module):
            yield value
    for assignment in source.nodes(ast.Assign):
        value = assignment.value
        if isinstance(value, ast.Call) and _is_named_among(value, names, of_libraries, module):
            if _is_assigned_as_finished(assignment, module):
                yield value


def _is_named_among(
    call: ast.Call, names: frozenset[str], of_libraries: frozenset[str], module: Module
) -> bool:
    """Whether what is called is named like a coroutine function, of a library in coroutines only."""
    name = last_name(call.func)
    if name in names:
        return True
    function = module.source.enclosing_function(call) if name in of_libraries else None
    return isinstance(function, ast.AsyncFunctionDef)


def _imported_calls(module: Module) -> Iterator[ast.Call]:
    """The dropped calls of functions that a file without coroutines imports by name."""
    source = module.source
    imported = {
        alias.asname or alias.name for statement in source.nodes(ast.ImportFrom) for alias in statement.names
    }
    for statement in source.nodes(ast.Expr):
        call = statement.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in imported:
            yield call


def _values_taken_apart(module: Module) -> Iterator[ast.expr]:
    """Expressions that are tested, compared, formatted, iterated, or whose attributes and items are read."""
    source = module.source
    yield from (node.test for node in source.nodes(ast.If))
    yield from (node.test for node in source.nodes(ast.While))
    yield from (node.test for node in source.nodes(ast.IfExp))
    yield from (node.test for node in source.nodes(ast.Assert))
    for case in source.nodes(ast.match_case):
        if case.guard is not None:
            yield case.guard
    for negation in source.nodes(ast.UnaryOp):
        if isinstance(negation.op, ast.Not):
            yield negation.operand
    for choice in source.nodes(ast.BoolOp):
        yield from choice.values[:-1]
    for comparison in source.nodes(ast.Compare):
        yield comparison.left
        yield from comparison.comparators
    for operation in source.nodes(ast.BinOp):
        yield from (operation.left, operation.right)
    for formatted in source.nodes(ast.FormattedValue):
        yield formatted.value
    yield from (node.iter for node in source.nodes(ast.For))
    for comprehension in source.nodes(ast.comprehension):
        yield from comprehension.ifs
        if not comprehension.is_async:
            yield comprehension.iter
    for name in _FINISHED_ARGUMENTS & source.calls.keys():
        for call in source.calls[name]:
            if call.args:
                given = call.args[0]
                yield given.elt if name in _TESTED and isinstance(given, _COLLECTED) else given
    for subscript in source.nodes(ast.Subscript):
        yield subscript.value
    for attribute in source.nodes(ast.Attribute):
        if attribute.attr not in _COROUTINE_ATTRIBUTES:
            yield attribute.value


def is_used_as_finished(call: ast.Call, module: Module) -> bool:
    """Whether the value of a call is dropped, or used as only a finished result can be used."""
    around = module.source.parent(call)
    match around:
        case ast.Expr() | ast.Assert() | ast.Compare() | ast.FormattedValue() | ast.BinOp():
            return True
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is call
        case ast.UnaryOp(op=op):
            return isinstance(op, ast.Not)
        case ast.BoolOp(values=values):
            return call in values[:-1]
        case ast.comprehension(iter=iterated, ifs=ifs, is_async=is_async):
            return call in ifs or (iterated is call and not is_async)
        case ast.For(iter=iterated):
            return iterated is call
        case ast.match_case(guard=guard):
            return guard is call
        case ast.Subscript(value=value):
            return value is call
        case ast.Attribute(attr=attr):
            return attr not in _COROUTINE_ATTRIBUTES
        case ast.Assign() as assignment:
            return _is_assigned_as_finished(assignment, module)
        case ast.Call(args=[first, *_]) if first is call:
            return module.qualified_name(around.func) in _FINISHED
        case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element) if element is call:
            taker = module.source.parent(around)
            return (
                isinstance(taker, ast.Call)
                and taker.args[:1] == [around]
                and isinstance(taker.func, ast.Name)
                and taker.func.id in _TESTED
                and module.qualified_name(taker.func) in _FINISHED
            )
    return False


def _is_assigned_as_finished(assignment: ast.Assign, module: Module) -> bool:
    """Whether a value is unpacked, never read, or read from its variable as only a finished result can be."""
    target = assignment.targets[0]
    if isinstance(target, (ast.Tuple, ast.List)) or is_never_read(assignment, module):
        return True
    function = module.source.enclosing_function(assignment)
    if len(assignment.targets) != 1 or not isinstance(target, ast.Name) or function is None:
        return False
    reads = [
        name
        for name in module.source.in_scope(ast.Name, function)
        if name.id == target.id and isinstance(name.ctx, ast.Load)
    ]
    known = module.lookup(target.id, reads[0]) if reads else None
    if known is None or [binding.value for binding in known[1]] != [assignment.value]:
        return False
    if any(_is_taken_apart(name, module) for name in reads):
        return True
    return len(reads) == _reads_within(target.id, function, module) and all(
        _is_tested(name, module) for name in reads
    )


def _is_taken_apart(name: ast.Name, module: Module) -> bool:
    """Whether a variable is used as no coroutine can be; comparisons for identity and tests work with any."""
    match module.source.parent(name):
        case ast.BinOp():
            return True
        case ast.Compare(ops=operators):
            return all(isinstance(item, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for item in operators)
        case ast.For(iter=used) | ast.comprehension(iter=used, is_async=0) | ast.Subscript(value=used):
            return used is name
        case ast.Attribute(attr=attr):
            return attr not in _COROUTINE_ATTRIBUTES
    return False


def _is_tested(name: ast.Name, module: Module) -> bool:
    """Whether nothing is asked of a variable but whether it is true, which every coroutine is."""
    match module.source.parent(name):
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            return test is name
        case ast.UnaryOp(op=ast.Not()) | ast.FormattedValue():
            return True
    return False


def is_never_read(assignment: ast.Assign, module: Module) -> bool:
    """Whether an assignment gives a local variable a value that nothing ever reads."""
    source = module.source
    function = source.enclosing_function(assignment)
    target = assignment.targets[0]
    if len(assignment.targets) != 1 or not isinstance(target, ast.Name) or function is None:
        return False
    if target.id in module.scope_of(function).outer:
        return False
    return not _reads_within(target.id, function, module)


def _reads_within(name: str, function: ast.AST, module: Module) -> int:
    """How often a name is read between the first and the last line of a function."""
    first, last = getattr(function, "lineno", 0), getattr(function, "end_lineno", 0)
    index = module.modules
    assert isinstance(index, Index)
    rows = index.fact(("rows of reads", module.name, id(module)), lambda: _rows_of_reads(module))
    return sum(first <= row <= last for row in rows.get(name, ()))


def _rows_of_reads(module: Module) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for name in module.source.nodes(ast.Name):
        if isinstance(name.ctx, ast.Load):
            rows.setdefault(name.id, []).append(name.lineno)
    return rows


_TASK_METHODS = ("create_task", "ensure_future")


def dropped_tasks(module: Module) -> Iterator[ast.Call]:
    """The calls that make a task which nothing refers to afterwards."""
    source = module.source
    if b"async" not in source.data:
        return
    names = {*_TASK_METHODS, *_task_wrappers(module)}
    for statement in source.nodes(ast.ImportFrom):
        if statement.module == "asyncio":
            names |= {
                alias.asname for alias in statement.names if alias.asname and alias.name in _TASK_METHODS
            }
    for name in sorted(names):
        for call in source.calls.get(name, ()):
            parent = source.parent(call)
            if _keeps_nothing(parent, call, module) and task_factory(call, module) is not None:
                yield call


def _keeps_nothing(around: ast.AST | None, call: ast.Call, module: Module) -> bool:
    """Whether what stands around a call drops its value, or only tells whom to call when the task is done.

    A task refers to its callbacks, but nothing refers to the task.
    """
    source = module.source
    match around:
        case ast.Expr():
            return True
        case ast.ListComp() | ast.SetComp():
            return isinstance(source.parent(around), ast.Expr)
        case ast.Attribute(attr="add_done_callback") if call.args and isinstance(call.args[0], ast.Call):
            called = source.parent(around)
            return called is not None and isinstance(source.parent(called), ast.Expr)
        case ast.Assign():
            return is_never_read(around, module)
    return False


def _task_wrappers(module: Module) -> frozenset[str]:
    """The names of functions in a module, and in those it imports, that return a new task."""
    index = module.modules
    assert isinstance(index, Index)
    found: set[str] = set()
    for other in (module, *imported_modules(module)):
        found |= index.fact(("task wrappers", other.name, id(other)), partial(_own_wrappers, other))
    return frozenset(found) | renamed_among(frozenset(found), module) if found else frozenset()


def _own_wrappers(module: Module) -> frozenset[str]:
    source = module.source
    if not any(name.encode() in source.data for name in _TASK_METHODS):
        return frozenset()
    names = set()
    for statement in source.nodes(ast.Return):
        if isinstance(statement.value, ast.Call) and last_name(statement.value.func) in _TASK_METHODS:
            function = source.enclosing_function(statement)
            if isinstance(function, ast.FunctionDef):
                names.add(function.name)
    return frozenset(names)


def task_factory(call: ast.Call, module: Module) -> str | None:
    """The qualified name of the function when a call makes a task that only the caller can keep.

    That is asyncio's own functions, and functions of the project that return such a task and keep no
    reference to it. A task group keeps its tasks itself.
    """
    callee = module.type_of(call.func)
    if callee is None:
        return None
    if callee.name in TASK_FUNCTIONS:
        return callee.name
    function = module.modules.function_info(callee.name) if callee.kind is Kind.FUNCTION else None
    if function is None or function.is_async or function.yields or not function.is_transparent:
        return None
    values = function.returned
    if not values or not all(isinstance(value, ast.Call) for value in values):
        return None
    made = [task_factory(cast(ast.Call, value), function.module) for value in values]
    return function.name if all(made) else None


_TASKS = "_background_tasks"


def kept_task_edits(call: ast.Call, ctx: Context) -> tuple[Edit, ...]:
    """The edits that keep a dropped task in a set of the module until it is done; empty where none fit."""
    source, module = ctx.source, ctx.module
    statement = ctx.statement(call)
    row = statement.lineno
    indent = source.line(row)[: statement.col_offset]
    rest = source.line(statement.end_lineno or row)[(statement.end_col_offset or 0) :].strip()
    task = next((name for name in ("task", "background_task") if module.lookup(name, call) is None), None)
    function = source.enclosing_function(call)
    if not isinstance(statement, ast.Expr) or indent.strip() or (rest and not rest.startswith("#")):
        return ()
    if statement.value is not call or task is None or function is None or isinstance(function, ast.Lambda):
        return ()
    kept = f"\n{indent}{_TASKS}.add({task})\n{indent}{task}.add_done_callback({_TASKS}.discard)"
    end = source.line_starts[(statement.end_lineno or row) - 1] + len(
        source.line(statement.end_lineno or row)
    )
    edits = (ctx.insert_before(call, f"{task} = "), Edit(end, end, kept))
    existing = module.scope.bindings.get(_TASKS)
    if existing:
        values = [binding.value for binding in existing]
        return edits if all(_is_new_set(value) for value in values) else ()
    imports = [node for node in source.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    name = next((a.asname or a.name for node in imports for a in node.names if a.name == "asyncio"), None)
    if not imports or name is None:
        return ()
    last = imports[-1].end_lineno or imports[-1].lineno
    place = source.line_starts[last - 1] + len(source.line(last))
    return (*edits, Edit(place, place, f"\n\n{_TASKS}: set[{name}.Task[object]] = set()"))


def _is_new_set(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "set"


# Cancellation

_CANCELLED = "asyncio.CancelledError"
_BASE = "builtins.BaseException"
_LOG_METHODS = frozenset(
    {
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "exception",
        "critical",
        "log",
        "print",
        "str",
        "repr",
        "type",
    }
)


def swallowed_cancellation(handler: ast.ExceptHandler, ctx: Context) -> str | None:
    """The name of the coroutine that goes on after a handler caught its cancellation; None elsewhere.

    None as well where another task's cancellation may be meant, where the exception is passed on, and
    where the coroutine ends with its handler of `CancelledError`.
    """
    caught = _caught(handler, ctx)
    function = ctx.enclosing_function(handler)
    statement = ctx.parent(handler)
    if not caught or not isinstance(function, ast.AsyncFunctionDef) or not isinstance(statement, ast.Try):
        return None
    before = statement.handlers[: statement.handlers.index(handler)]
    if any(_caught(other, ctx) for other in before):
        return None
    awaits = [node for node in _own_nodes(statement.body) if isinstance(node, _SUSPENDS)]
    if not awaits or all(_awaits_a_task(node, ctx) for node in awaits):
        return None
    body = _own_nodes(handler.body)
    if any(isinstance(node, ast.Raise) for node in body) or _passes_on(handler, body):
        return None
    if _is_cleaning_up(statement, ctx) or _records(body):
        return None
    if _BASE not in caught and (isinstance(handler.body[-1], ast.Return) or _names_errors(handler, ctx)):
        return None  # who names the cancellation and returns answers it on purpose
    nodes = ctx.function_info(function).own_nodes()
    if any(isinstance(node, ast.Call) and last_name(node.func) in _OTHER_TASKS for node in nodes):
        return None
    if any(isinstance(node, ast.Call) and ctx.qualified_name(node.func) in _EXITS for node in body):
        return None
    if (_BASE not in caught or _is_task(function, ctx)) and _ends(handler.body, statement, function, ctx):
        return None  # nothing goes on
    return function.name


_SUSPENDS = (ast.Await, ast.AsyncFor, ast.AsyncWith)
_OTHER_TASKS = frozenset({"cancel", "cancelled", "cancelling", "uncancel"})
_EXITS = frozenset({"sys.exit", "os._exit", "builtins.exit", "builtins.quit"})
_TASK_WAITS = frozenset({"asyncio.wait", "asyncio.gather", "asyncio.wait_for"})
_RECORDED = ("cancel", "interrupt", "stop", "abort", "shutdown", "shutting")


def _caught(handler: ast.ExceptHandler, ctx: Context) -> frozenset[str]:
    """Which of the classes that catch a cancellation a handler names; the base class when it names none."""
    if handler.type is None:
        return frozenset({_BASE})
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return frozenset(name for item in named if (name := ctx.qualified_name(item)) in {_CANCELLED, _BASE})


def _names_errors(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a handler names errors of a library or the project too, whose calls are cancelled by them."""
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else []
    return any(not (ctx.qualified_name(item) or "").startswith(("builtins.", "asyncio.")) for item in named)


def _own_nodes(body: Iterable[ast.stmt]) -> list[ast.AST]:
    found: list[ast.AST] = []
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        found.append(node)
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(node))
    return found


def _awaits_a_task(node: ast.AST, ctx: Context) -> bool:
    """Whether an `await` waits for a task or future that exists already and may be cancelled by itself."""
    if not isinstance(node, ast.Await):
        return False
    value = node.value
    if isinstance(value, ast.Call):
        name = ctx.qualified_name(value.func)
        inlined = any(isinstance(argument, ast.Call) for argument in value.args[:1])
        return name == "asyncio.shield" or (name in _TASK_WAITS and not inlined)
    return True


def _is_cleaning_up(statement: ast.Try, ctx: Context) -> bool:
    """Whether a `try` stands in a `finally` block or in another handler, where clean-up has to go on."""
    child: ast.AST = statement
    for ancestor in ctx.ancestors(statement):
        if isinstance(ancestor, ast.ExceptHandler):
            return True
        if isinstance(ancestor, ast.Try) and child in ancestor.finalbody:
            return True
        if isinstance(ancestor, (*FUNCTIONS, ast.Lambda)):
            break
        child = ancestor
    return False


def _records(body: list[ast.AST]) -> bool:
    """Whether a handler remembers the cancellation in a variable that is named so."""
    targets = [node for node in body if isinstance(node, (ast.Name, ast.Attribute)) and _is_stored(node)]
    names = [node.id if isinstance(node, ast.Name) else node.attr for node in targets]
    return any(word in name.lower() for name in names for word in _RECORDED)


def _is_stored(node: ast.Name | ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _passes_on(handler: ast.ExceptHandler, body: list[ast.AST]) -> bool:
    """Whether the caught exception is kept or given to somebody, other than a log."""
    if handler.name is None:
        return False
    logged = set()
    for node in body:
        if isinstance(node, ast.Call):
            func = node.func
            name = (
                func.attr
                if isinstance(func, ast.Attribute)
                else func.id
                if isinstance(func, ast.Name)
                else ""
            )
            if name in _LOG_METHODS:
                logged |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.FormattedValue):
            logged |= {id(part) for part in ast.walk(node)}
    return any(isinstance(n, ast.Name) and n.id == handler.name and id(n) not in logged for n in body)


def _ends(body: list[ast.stmt], statement: ast.Try, function: ast.AsyncFunctionDef, ctx: Context) -> bool:
    """Whether the coroutine ends behind a handler, with no more than clean-up and a result in between."""
    last: ast.stmt = body[-1]
    if isinstance(last, ast.Return):
        return True
    inner: ast.AST = statement
    if isinstance(last, ast.Break):
        inner = next(a for a in ctx.ancestors(last) if isinstance(a, (ast.For, ast.AsyncFor, ast.While)))
    elif isinstance(last, ast.Continue):
        return False
    while inner is not function:
        outer = ctx.parent(inner)
        if outer is None or isinstance(outer, (ast.For, ast.AsyncFor, ast.While)):
            return False
        for block in (getattr(outer, name, ()) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and inner in block:
                after = _own_nodes(block[block.index(inner) + 1 :])
                if any(isinstance(node, _SUSPENDS) for node in after):
                    return False
        inner = outer
    return True


_STARTERS = ("create_task", "ensure_future", "gather", "start_soon", "run", "run_until_complete")


def _is_task(function: ast.AsyncFunctionDef, ctx: Context) -> bool:
    """Whether the file makes a task of the coroutine, so that no caller goes on with its result."""
    return any(
        isinstance(argument, ast.Call) and last_name(argument.func) == function.name
        for name in _STARTERS
        for call in ctx.source.calls.get(name, ())
        for argument in call.args
    )


def reraising_edits(handler: ast.ExceptHandler, ctx: Context) -> tuple[Edit, ...]:
    """The edits after which a handler lets the cancellation through; empty where none fit."""
    if handler.type is None:
        start = ctx.source.start(handler) + len("except")
        return (Edit(start, start, " Exception"),)
    if isinstance(handler.type, ast.Tuple):
        return ()
    if ctx.qualified_name(handler.type) == _BASE:
        return (ctx.edit(handler.type, "Exception"),)
    last = handler.body[-1]
    if isinstance(last, (ast.Pass, ast.Continue, ast.Break, ast.Return)):
        return (ctx.edit(last, "raise"),)
    edit = line_after(ctx.source, last, "raise")
    return (edit,) if edit is not None else ()
