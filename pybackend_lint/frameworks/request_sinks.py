"""Calls that must not get what a client sent: of databases, files, servers, interpreters and browsers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import django, django_models, django_sql, flask, sqlalchemy_text
from pybackend_lint.frameworks.fastapi import argument
from pybackend_lint.frameworks.sqlalchemy_mapping import is_mapped
from pybackend_lint.frameworks.sqlalchemy_names import QUERY
from pybackend_lint.project.data_flow import text_parts
from pybackend_lint.rule import Context
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name


@dataclass(frozen=True, slots=True, eq=False)
class Sink:
    """A value that is used dangerously, and what uses it, as it is written (`cursor.execute()`)."""

    value: ast.expr
    user: str


def _name(call: ast.Call, module: Module) -> str | None:
    """The qualified name of what is called, also of methods of a library's values."""
    known = module.type_of(call.func)
    if known is not None and known.kind in {Kind.EXTERNAL, Kind.CLASS}:
        return known.name
    return module.qualified_name(call.func) if isinstance(call.func, ast.Name) else None


def is_fixed(node: ast.expr | None) -> bool:
    """Whether an expression is a literal, so that there is nothing to follow."""
    return node is None or isinstance(node, ast.Constant)


# SQL

SQL_CALLS = (
    "execute", "executemany", "executescript", "raw", "extra", "RawSQL", "text", "literal_column",
    "exec_driver_sql", "scalar", "scalars", "exec", "stream", "fetch", "fetchrow", "fetchval", "fetch_all",
    "fetch_one", "fetch_val", "iterate", "read_sql", "read_sql_query",
)  # fmt: skip
_DB_API = frozenset({"execute", "executemany", "executescript"})
_ASYNC_DRIVERS = frozenset(
    {"fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val", "iterate"}
)
_PANDAS = frozenset({"pandas.read_sql", "pandas.read_sql_query"})
_DRIVERS = (
    "sqlite3.", "psycopg.", "psycopg2.", "pymysql.", "MySQLdb.", "mysql.connector.", "asyncpg.", "aiosqlite.",
    "aiomysql.", "aiopg.", "pyodbc.", "cx_Oracle.", "oracledb.", "duckdb.", "databases.", "pymssql.",
)  # fmt: skip
_STATEMENT = re.compile(
    r"\s*\(?\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s|DELETE\s+FROM\s|WITH\s|CALL\s|EXEC\s|MERGE\s|REPLACE\s+INTO\s|"
    r"TRUNCATE\s|DROP\s|ALTER\s|CREATE\s)",
    re.IGNORECASE,
)
_MOST_STEPS = 4


def sql_sinks(call: ast.Call, ctx: Context) -> Iterator[Sink]:
    """The SQL texts that a call runs, but for those whose shape is a fault that another rule reports."""
    module = ctx.module
    if ctx.project.satisfies("django", "lower"):
        for statement in django_sql.statements(call, module):
            if django_sql.interpolated_value(statement.sql, module) is None:
                yield Sink(statement.sql, statement.runner)
            return
    text = sqlalchemy_text.sql_text(call, ctx)
    if text is not None:
        if not sqlalchemy_text.interpolated_values(text, ctx):
            yield Sink(text, f"{last_name(call.func)}()")
        return
    name = last_name(call.func)
    if not call.args or isinstance(call.args[0], (ast.Constant, ast.Starred)):
        return
    sql = call.args[0]
    if name in _DB_API and isinstance(call.func, ast.Attribute):
        if _STATEMENT.match(_beginning(sql, module)) or _is_of_driver(call.func.value, module):
            yield Sink(sql, f"{name}()")
    elif (name in _ASYNC_DRIVERS and _STATEMENT.match(_beginning(sql, module))) or (
        name.startswith("read_sql") and _name(call, module) in _PANDAS
    ):
        yield Sink(sql, f"{name}()")


def _beginning(node: ast.expr, module: Module, steps: int = _MOST_STEPS) -> str:
    """The literal text at the beginning of an expression, empty where there is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = text_parts(node)
    if parts:
        first = parts[0]
        return first if isinstance(first, str) else _beginning(first, module, steps - 1) if steps else ""
    if isinstance(node, ast.Name) and steps:
        found = module.lookup(node.id, node)
        for binding in found[0].bindings.get(node.id, []) if found is not None else []:
            if binding.kind == "assign" and binding.value is not None and not binding.path:
                return _beginning(binding.value, module, steps - 1)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _beginning(node.func.value, module, steps - 1) if steps else ""
    return ""


def _is_of_driver(node: ast.expr, module: Module, steps: int = _MOST_STEPS) -> bool:
    """Whether a value is a connection or cursor of a database driver."""
    known = module.type_of(node)
    if known is not None and known.kind is not Kind.FUNCTION:
        return known.name.startswith(_DRIVERS)
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="cursor")) if steps:
            return _is_of_driver(owner, module, steps - 1)
        case ast.Call(func=func):
            return (module.qualified_name(func) or "").startswith(_DRIVERS)
        case ast.Await(value=value):
            return _is_of_driver(value, module, steps)
        case ast.Name() if steps:
            found = module.lookup(node.id, node)
            bindings = found[1] if found is not None else []
            return bool(bindings) and all(
                binding.kind in {"assign", "with"}
                and not binding.path
                and binding.value is not None
                and _is_of_driver(binding.value, module, steps - 1)
                for binding in bindings
            )
    return False


# Redirects

REDIRECT_CALLS = (
    "redirect", "RedirectResponse", "HttpResponseRedirect", "HttpResponsePermanentRedirect", "Response",
)  # fmt: skip
_REDIRECTS = {
    "flask.redirect": "location", "quart.redirect": "location", "werkzeug.utils.redirect": "location",
    "django.shortcuts.redirect": "to", "django.http.HttpResponseRedirect": "redirect_to",
    "django.http.HttpResponsePermanentRedirect": "redirect_to",
    "django.http.response.HttpResponseRedirect": "redirect_to",
    "django.http.response.HttpResponsePermanentRedirect": "redirect_to",
    "starlette.responses.RedirectResponse": "url", "fastapi.responses.RedirectResponse": "url",
}  # fmt: skip


_RESPONSES = frozenset(
    {"flask.Response", "quart.Response", "werkzeug.wrappers.Response", "starlette.responses.Response",
     "fastapi.responses.Response", "aiohttp.web.Response"}
)  # fmt: skip
_DJANGO_RESPONSES = frozenset({"django.http.HttpResponse", "django.http.response.HttpResponse"})


def redirect_target(call: ast.Call, module: Module) -> Sink | None:
    """The address that a call sends the client to."""
    location = _location(argument(call, None, "headers"))
    if last_name(call.func) == "Response" and location is None:
        return None
    name = _name(call, module)
    keyword = _REDIRECTS.get(name) if name is not None else None
    target = argument(call, 0, keyword) if keyword is not None else None
    if name in _RESPONSES:
        target = location
    if target is None or is_fixed(target):
        return None
    return Sink(target, f"{last_name(call.func)}()")


def _location(headers: ast.expr | None) -> ast.expr | None:
    if isinstance(headers, ast.Dict):
        for key, value in zip(headers.keys, headers.values, strict=True):
            if key is not None and _is_location(key):
                return value
    return None


def _is_location(key: ast.expr) -> bool:
    return isinstance(key, ast.Constant) and key.value in {"Location", "location"}


def locations_set(module: Module) -> Iterator[Sink]:
    """The addresses that a file sets as the location of a response: `response.headers["Location"] = url`."""
    if b"ocation" not in module.source.data:
        return
    for statement in module.source.nodes(ast.Assign):
        match statement.targets[0]:
            case ast.Subscript(value=ast.Attribute(attr="headers"), slice=key) if _is_location(key):
                shown = 'headers["Location"]'
            case ast.Subscript(value=ast.Name() as response, slice=key) if _is_location(key):
                known = module.type_of(response)  # Django's responses hold their headers as items
                if known is None or known.name not in _DJANGO_RESPONSES:
                    continue
                shown = f'{response.id}["Location"]'
            case ast.Attribute(value=response, attr="location"):
                known = module.type_of(response)
                if known is None or not known.is_instance(*_RESPONSES):
                    continue
                shown = "location"
            case _:
                continue
        if not is_fixed(statement.value):
            yield Sink(statement.value, shown)


# Files

FILE_CALLS = (
    "open", "send_file", "FileResponse", "remove", "unlink", "rmtree", "listdir", "scandir", "makedirs",
    "mkdir", "rename", "replace", "copy", "copyfile", "copy2", "copytree", "move", "save", "read_text",
    "read_bytes", "write_text", "write_bytes", "rmdir", "iterdir", "extractall",
)  # fmt: skip
_FILES: dict[str, tuple[int, ...]] = {
    "builtins.open": (0,), "io.open": (0,), "aiofiles.open": (0,), "anyio.open_file": (0,),
    "codecs.open": (0,),
    "flask.send_file": (0,), "quart.send_file": (0,), "starlette.responses.FileResponse": (0,),
    "fastapi.responses.FileResponse": (0,), "os.open": (0,), "gzip.open": (0,),
    **{f"os.{name}": (0,) for name in ("remove", "unlink", "rmdir", "listdir", "scandir", "mkdir")},
    "os.makedirs": (0,),
    "os.rename": (0, 1), "os.replace": (0, 1), "shutil.rmtree": (0,),
    **{f"shutil.{name}": (0, 1) for name in ("copy", "copyfile", "copy2", "copytree", "move")},
}  # fmt: skip
_PATH_METHODS = frozenset(
    {"open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rmdir", "mkdir", "iterdir"}
)
# Names of methods of lists, texts and dictionaries too: only looked at behind the module's name.
_OFTEN_OTHERS = frozenset({"remove", "replace", "copy", "rename", "move"})
_PATHS = ("pathlib.Path", "pathlib.PosixPath", "anyio.Path")


def file_paths(call: ast.Call, module: Module) -> Iterator[Sink]:
    """The paths of files that a call reads, writes or deletes."""
    func = call.func
    if isinstance(func, ast.Attribute) and func.attr in _OFTEN_OTHERS:
        if not (isinstance(func.value, ast.Name) and func.value.id in {"os", "shutil"}):
            return
    if isinstance(func, ast.Attribute) and func.attr == "save":
        if call.args and not is_fixed(call.args[0]) and _is_upload(func.value, module):
            yield Sink(call.args[0], "save()")
        return
    if isinstance(func, ast.Attribute) and func.attr in _PATH_METHODS:
        known = module.type_of(func.value)
        built = isinstance(func.value, ast.BinOp) and isinstance(func.value.op, ast.Div)
        if (known is not None and known.is_instance(*_PATHS)) or (known is None and built):
            yield Sink(func.value, f"{func.attr}()")
            return
    positions = _FILES.get(_name(call, module) or "")
    for position in positions or ():
        value = call.args[position] if position < len(call.args) else None
        if value is None and position == 0:
            value = next((word.value for word in call.keywords if word.arg in {"path", "file"}), None)
        if value is not None and not is_fixed(value) and not isinstance(value, ast.Starred):
            yield Sink(value, f"{last_name(func)}()")


def _is_upload(node: ast.expr, module: Module) -> bool:
    """Whether a value is an upload of Flask: taken from `request.files`."""
    for _ in range(_MOST_STEPS):
        match node:
            case ast.Name():
                found = module.lookup(node.id, node)
                if found is None or len(found[1]) != 1 or found[1][0].value is None or found[1][0].path:
                    return False
                if found[1][0].kind not in {"assign", "for"}:
                    return False
                node = found[1][0].value
            case ast.Subscript(value=value) | ast.Call(func=ast.Attribute(value=value)):
                node = value
            case ast.Attribute(attr="files", value=value):
                return module.qualified_name(value) in {"flask.request", "quart.request"}
            case _:
                return False
    return False


# Other servers

REQUEST_CALLS = (
    "get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "urlopen", "urlretrieve",
    "Request", "send",
)  # fmt: skip
REQUEST_WORDS = ("requests", "httpx", "aiohttp", "urlopen", "urlretrieve")
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_MODULES = frozenset({"requests", "httpx", "request", "urllib"})
_CLIENT_WORDS = (b"ession", b"Client", b"client", b"urllib")
_CLIENTS = (
    "requests", "requests.Session", "requests.sessions.Session", "httpx", "httpx.Client", "httpx.AsyncClient",
    "aiohttp.ClientSession",
)  # fmt: skip
_REQUESTS: dict[str, int] = {
    **{f"{client}.{method}": 0 for client in _CLIENTS for method in _METHODS},
    **{f"{client}.request": 1 for client in _CLIENTS},
    **{f"httpx{client}.stream": 1 for client in ("", ".Client", ".AsyncClient")},
    "urllib.request.urlopen": 0, "urllib.request.urlretrieve": 0, "urllib.request.Request": 0,
}  # fmt: skip


def requested_url(call: ast.Call, module: Module) -> Sink | None:
    """The URL that a call requests from the server."""
    func = call.func
    if isinstance(func, ast.Attribute) and isinstance(func.value, (ast.Constant, ast.Dict)):
        return None
    if call.args and len(call.args) == 1 and is_fixed(call.args[0]):
        return None
    if isinstance(func, ast.Attribute) and not (
        isinstance(func.value, ast.Name) and func.value.id in _MODULES
    ):
        if not any(word in module.source.data for word in _CLIENT_WORDS):
            return None
    name = _name(call, module)
    position = _REQUESTS.get(name) if name is not None else None
    url = argument(call, position, "url") if position is not None else None
    if url is None or is_fixed(url):
        return None
    return Sink(url, f"{ast.unparse(func)}()" if len(ast.unparse(func)) < 40 else f"{last_name(func)}()")


# Interpreters

CODE_CALLS = (
    "eval", "unsafe_eval", "exec", "compile", "loads", "load", "unsafe_load", "full_load", "load_all",
    "unsafe_load_all", "decode", "system", "popen", "run", "call", "check_call", "check_output", "Popen",
    "getoutput", "getstatusoutput", "create_subprocess_shell", "create_subprocess_exec", "import_module",
    "__import__", "Template", "from_string",
)  # fmt: skip
_INTERPRETED = frozenset(
    {"builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__", "importlib.import_module",
     "pickle.loads", "pickle.load", "_pickle.loads", "cPickle.loads", "dill.loads", "dill.load",
     "cloudpickle.loads", "marshal.loads", "marshal.load", "jsonpickle.decode", "jsonpickle.loads",
     "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
     "asyncio.create_subprocess_shell",
     "asyncio.subprocess.create_subprocess_shell", "yaml.unsafe_load", "yaml.unsafe_load_all", "joblib.load",
     "builtins.execfile", "PIL.ImageMath.eval", "PIL.ImageMath.unsafe_eval"}
)  # fmt: skip
_COMMANDS = frozenset(
    {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
     "asyncio.create_subprocess_shell", "asyncio.subprocess.create_subprocess_shell"}
)  # fmt: skip
_WHOLE_NAMES = frozenset({"builtins.__import__", "importlib.import_module"})
_SHELLS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))
_SHELL_PROGRAMS = frozenset({"sh", "bash", "dash", "ksh", "zsh"})
_UNSAFE_LOADERS = frozenset({"yaml.Loader", "yaml.UnsafeLoader", "yaml.FullLoader", "yaml.CLoader"})
_TEMPLATES = frozenset({"jinja2.Template", "mako.template.Template", "jinja2.Environment.from_string"})


@dataclass(frozen=True, slots=True, eq=False)
class CodeSink(Sink):
    """What a call runs as a program; `whole`: only the beginning of the text decides.

    `command`: the text begins with a command of our own, so that what a client adds to it is no design.
    """

    whole: bool = False
    command: bool = False


def run_code(call: ast.Call, ctx: Context) -> CodeSink | None:
    """The text, data or program that a call runs."""
    module = ctx.module
    name = _name(call, module)
    if name is None or not call.args or is_fixed(call.args[0]) or isinstance(call.args[0], ast.Starred):
        return None
    first = call.args[0]
    shown = f"{ast.unparse(call.func)}()" if len(ast.unparse(call.func)) < 40 else f"{last_name(call.func)}()"
    if name in _INTERPRETED:
        command = name in _COMMANDS and bool(_beginning(first, module))
        return CodeSink(first, shown, name in _WHOLE_NAMES, command)
    if name in _SHELLS:
        shell = argument(call, None, "shell")
        if isinstance(shell, ast.Constant) and shell.value:
            if isinstance(first, (ast.List, ast.Tuple)):
                return CodeSink(first.elts[0], f"{shown} with a shell") if first.elts else None
            return CodeSink(first, f"{shown} with a shell", command=bool(_beginning(first, module)))
        if shell is None:
            return _program(first, shown, module)
        return None
    if name == "asyncio.create_subprocess_exec":
        return CodeSink(first, shown, whole=True)
    if name in {"yaml.load", "yaml.load_all"}:
        loader = argument(call, 1, "Loader")
        if loader is not None and module.qualified_name(loader) in _UNSAFE_LOADERS - {"yaml.FullLoader"}:
            return CodeSink(first, shown)
        return None
    if name in _TEMPLATES and (name.startswith("mako.") or b"flask" not in module.source.data):
        # Templates of Jinja in files that use Flask have a rule of their own.
        return CodeSink(first, shown)
    return None


def _program(command: ast.expr, shown: str, module: Module) -> CodeSink | None:
    """The program of a command without a shell: the first item of its list, or what that shell is to run."""
    if isinstance(command, ast.Name):
        found = module.lookup(command.id, command)
        bindings = found[1] if found is not None else []
        if len(bindings) == 1 and bindings[0].kind == "assign" and bindings[0].value is not None:
            command = bindings[0].value
    if isinstance(command, (ast.List, ast.Tuple)):
        match command.elts:
            case [ast.Constant(value=str(program)), ast.Constant(value="-c" | "-lc"), text, *_] if (
                program.rpartition("/")[2] in _SHELL_PROGRAMS and not is_fixed(text)
            ):
                return CodeSink(text, f"{shown} with a shell", command=bool(_beginning(text, module)))
            case [first, *_] if not is_fixed(first):
                return CodeSink(first, shown, whole=True)
        return None
    if isinstance(command, ast.Call) and last_name(command.func) == "split":
        return CodeSink(command, shown, whole=True)
    return None


# HTML

HTML_CALLS = ("HTMLResponse", "HttpResponse", "Markup", "make_response", "Response")
_HTML = frozenset(
    {
        "starlette.responses.HTMLResponse",
        "fastapi.responses.HTMLResponse",
        "markupsafe.Markup",
        "flask.Markup",
    }
)
_HTML_BY_DEFAULT = frozenset(
    {"django.http.HttpResponse", "django.http.response.HttpResponse", "flask.make_response", "flask.Response",
     "werkzeug.wrappers.Response"}
)  # fmt: skip


def html_texts(module: Module) -> Iterator[ast.expr]:
    """The texts that a file sends as HTML or marks as safe HTML by calls."""
    for called in HTML_CALLS:
        for call in module.source.calls.get(called, ()):
            content = argument(call, 0, "content")
            if content is None or is_fixed(content):
                continue
            around = module.source.parent(call)
            if isinstance(around, ast.Attribute) and around.attr in {"unescape", "striptags"}:
                continue
            name = _name(call, module)
            if name in _HTML or (name in _HTML_BY_DEFAULT and _is_html(call)):
                yield content


def _is_html(call: ast.Call) -> bool:
    for word in call.keywords:
        match word:
            case ast.keyword(arg="content_type" | "mimetype", value=ast.Constant(value=str(kind))):
                if not kind.startswith("text/html"):
                    return False
            case ast.keyword(arg=None | "content_type" | "mimetype" | "headers"):
                return False
    return len(call.args) <= 2


# Columns of models


@dataclass(frozen=True, slots=True, eq=False)
class Columns(Sink):
    """A value whose keys become columns of a model, and the mapping that holds them."""

    mapping: ast.expr


_DJANGO_WRITES = frozenset({"create", "update", "get_or_create", "update_or_create", "acreate", "aupdate"})
_STATEMENT_WRITES = frozenset({"update", "values"})
_STATEMENTS = frozenset(
    {"sqlalchemy.insert", "sqlalchemy.update"}
    | {f"sqlalchemy.dialects.{dialect}.insert" for dialect in ("postgresql", "mysql", "sqlite")}
)


def filled_by_mapping(module: Module) -> Iterator[Columns]:
    """The mappings that a file unpacks into the columns of a model: `Order(**data)`, `setattr` in a loop."""
    source = module.source
    for name, calls in source.calls.items():
        if not (name[:1].isupper() or name in _DJANGO_WRITES or name in _STATEMENT_WRITES):
            continue
        for call in calls:
            values = [keyword.value for keyword in call.keywords if keyword.arg is None]
            if name in _STATEMENT_WRITES and len(call.args) == 1:
                values += call.args
            for value in values:
                if isinstance(value, (ast.Dict, ast.DictComp, ast.List, ast.Constant)):
                    continue
                model = _filled_model(call, module)
                if model is not None and not _is_reduced(value, module):
                    yield Columns(value, model, value)
    for call in source.calls.get("setattr", ()):
        match call.args:
            case [_, ast.Name() as key, _] if isinstance(call.func, ast.Name):
                mapping = _looped_over(key, module)
                known = module.type_of(call.args[0])
                model = (
                    _model(known.name, module) if known is not None and known.kind is Kind.INSTANCE else None
                )
                if mapping is not None and model is not None and not _is_reduced(mapping, module):
                    yield Columns(key, model, mapping)


def _looped_over(key: ast.Name, module: Module) -> ast.expr | None:
    """The mapping whose `items()` a loop goes through for a key."""
    found = module.lookup(key.id, key)
    binding = found[1][0] if found is not None and len(found[1]) == 1 else None
    if binding is None or binding.kind != "for" or binding.path != (0,):
        return None
    match binding.value:
        case ast.Call(func=ast.Attribute(value=mapping, attr="items"), args=[]):
            return mapping
    return None


def _filled_model(call: ast.Call, module: Module) -> str | None:
    """The name of the model whose columns a call sets by its keywords."""
    func = call.func
    if isinstance(func, ast.Attribute) and func.attr in _STATEMENT_WRITES:
        written = _written_model(func, module)
        if written is not None or call.args:
            return written
    known = module.type_of(func)
    if known is None:
        return None
    if known.kind is Kind.CLASS:
        info = module.modules.class_info(known.name)
        init = info.method("__init__") if info is not None else None
        return _model(known.name, module) if init is None or init.node.args.kwarg is not None else None
    if isinstance(func, ast.Attribute) and func.attr in _DJANGO_WRITES:
        method = django.own_method(func, module)
        model = django.model_of(method[1], module) if method is not None else None
        return model.node.name if model is not None else None
    return None


def _written_model(method: ast.Attribute, module: Module) -> str | None:
    """The name of the mapped class whose rows a statement of SQLAlchemy writes, or a legacy query updates."""
    if method.attr == "update":
        known = module.type_of(method.value)
        rows = known.argument() if known is not None and known.is_instance(QUERY) else None
        return _model(rows.name, module) if rows is not None else None
    node: ast.expr = method.value
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if module.qualified_name(node.func) in _STATEMENTS:
            break
        node = node.func.value
    match node:
        case ast.Call(func=func, args=[target, *_]) if module.qualified_name(func) in _STATEMENTS:
            known = module.type_of(target)
            return _model(known.name, module) if known is not None and known.kind is Kind.CLASS else None
    return None


def _model(name: str, module: Module) -> str | None:
    info = module.modules.class_info(name)
    if info is None or not (django_models.is_model(info) or is_mapped(info)):
        return None
    return info.node.name


def _is_reduced(mapping: ast.expr, module: Module) -> bool:
    """Whether the function takes keys out of a mapping, so that it thought of which are there."""
    if not isinstance(mapping, ast.Name):
        return False
    source = module.source
    function = source.enclosing_function(mapping)
    for call in source.calls.get("pop", ()):
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            if call.func.value.id == mapping.id and source.enclosing_function(call) is function:
                return True
    return any(
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id == mapping.id
        for statement in source.nodes(ast.Delete)
        for target in statement.targets
    )


def is_sample(ctx: Context) -> bool:
    """Whether a file is among examples, which nobody deploys."""
    return flask.is_sample(ctx.module)
