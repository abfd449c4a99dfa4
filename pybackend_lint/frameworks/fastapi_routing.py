"""FastAPI's routes as a whole: which a router serves, through the routers it includes, and in what order."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import fastapi
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding

_WEBSOCKET = frozenset({"WEBSOCKET"})
_UNKNOWN = "\0"  # begins the part of a path that is known by the name of a variable only
# What loads modules that no import names, and with them their routers.
_LOADERS = (b"import_module", b"iter_modules", b"walk_packages", b"__import__", b"spec_from_file_location")


@dataclass(frozen=True, eq=False)
class Entry:
    """One route as one router of a module serves it, in the order in which routes are tried.

    - `path`: below the router, prefixes of included routers in front; `place`: what registers it here,
      a decorator or the call of `include_router`; `statement`: the one around it.
    - `added`: what it registers, an expression for a router or the decorator itself.
    - `related`: for an included route, the includes on the way to it and where it is declared.
    """

    path: str
    methods: frozenset[str]
    place: ast.Call
    added: ast.expr
    statement: ast.stmt
    body: list[ast.stmt]
    function: ast.AST
    name: str
    related: tuple[Related, ...] = ()

    @property
    def shown(self) -> str:
        """The path for a reader; what stands for an unknown prefix is the name of its variable."""
        return self.path.replace(_UNKNOWN, "")

    @property
    def served(self) -> str:
        """The methods for a reader, such as `GET` or `POST, PUT`."""
        return ", ".join(sorted(self.methods))

    def precedes(self, other: Entry) -> bool:
        """Whether the statement of another entry is the next one of the same body."""
        if self.body is not other.body:
            return False
        index = next(i for i, statement in enumerate(self.body) if statement is self.statement)
        return index + 1 < len(self.body) and self.body[index + 1] is other.statement


def shadowed_routes(module: Module) -> list[tuple[Entry, Entry]]:
    """Pairs of routes of which no request reaches the second, because the first matches all its paths.

    Only routes of one router are compared whose order is certain: registered side by side in one body,
    by decorators or through `include_router`.
    """
    found: list[tuple[Entry, Entry]] = []
    for entries in _tables(module).values():
        general: list[tuple[Entry, list[_Segment]]] = []  # a path without parameter covers no other
        for later in _without_repetitions(entries):
            segments = _segments(later.path)
            for earlier, covering in general:
                if _compete(earlier, later) and _covers(covering, segments):
                    found.append((earlier, later))
                    break
            if "{" in later.path:
                general.append((later, segments))
    return [pair for pair in found if _is_served(pair[1], module)]


def duplicate_routes(module: Module) -> list[tuple[Entry, Entry]]:
    """Pairs of routes of different functions with the same path, but for names, and a common method."""
    found: list[tuple[Entry, Entry]] = []
    for entries in _tables(module).values():
        known: dict[tuple[_Segment, ...], list[Entry]] = {}
        for later in _without_repetitions(entries):
            same = known.setdefault(tuple(_segments(later.path)), [])
            earlier = next((entry for entry in same if _compete(entry, later)), None)
            if earlier is not None:
                found.append((earlier, later))
            same.append(later)
    return [pair for pair in found if _is_served(pair[1], module)]


def _without_repetitions(entries: list[Entry]) -> Iterator[Entry]:
    """The entries but for those that only say again what the same function serves already."""
    known: dict[tuple[ast.AST, str], frozenset[str]] = {}
    for entry in entries:
        key = (entry.function, entry.path)
        served = known.get(key, frozenset())
        known[key] = served | entry.methods
        if not entry.methods <= served:
            yield entry


def _compete(one: Entry, other: Entry) -> bool:
    """Whether a request may be meant for either of two entries that a module itself brings together."""
    return (
        one.added is not other.added
        and one.function is not other.function
        and bool(one.methods & other.methods)
    )


def repeated_inclusions(module: Module) -> list[tuple[Entry, Entry]]:
    """Pairs of entries of one route with the same path, where a call of `include_router` adds the second.

    One pair for each such call.
    """
    found: dict[int, tuple[Entry, Entry]] = {}
    for entries in _tables(module).values():
        known: dict[tuple[ast.AST, str], Entry] = {}
        for later in entries:
            earlier = known.setdefault((later.function, later.path), later)
            if (
                earlier.added is not later.added
                and earlier.methods & later.methods
                and later.added is not later.place
                and earlier.added is not earlier.place
            ):
                found.setdefault(id(later.place), (earlier, later))
    return [pair for pair in found.values() if _is_served(pair[1], module)]


def _is_served(entry: Entry, module: Module) -> bool:
    """Whether requests may reach the router that an entry is registered on.

    None reach an `APIRouter` that is left over in a project with an application: nothing is done with it
    but registering routes, and no other file that may know its module has its name.
    """
    router = entry.place.func.value if isinstance(entry.place.func, ast.Attribute) else None
    index, source = module.modules, module.source
    if not isinstance(router, ast.Name) or not isinstance(index, Index):
        return True
    made = fastapi.assigned_call(router, module)
    if made is None or made[0] is not module or module.qualified_name(made[2].func) != fastapi.ROUTER:
        return True
    for node in source.nodes(ast.Name):
        if node.id == router.id and isinstance(node.ctx, ast.Load):
            used = source.parent(node)
            if not isinstance(used, ast.Attribute) or not isinstance(source.parent(used), ast.Call):
                return True
    path = index.path_of(module)
    root = index.layout.workspace_root(os.path.dirname(path))
    loading = (file for word in _LOADERS for file in files_with(index, module, word))
    if not files_with(index, module, b"FastAPI") or not all(is_test_file(file, root) for file in loading):
        return True
    folder = os.path.dirname(path) + os.sep if module.is_package else None
    knowing = set(files_with(index, module, module.name.rpartition(".")[2].encode()))
    return any(
        other != path and (other in knowing or (folder is not None and other.startswith(folder)))
        for other in files_with(index, module, router.id.encode())
    )


def routes_without_path(module: Module) -> list[Entry]:
    """Entries of includes where neither the prefixes nor the path of a route say anything."""
    return [
        entry
        for entries in _tables(module).values()
        for entry in entries
        if not entry.path and entry.added is not entry.place
    ]


def late_routes(module: Module) -> list[tuple[Entry, ast.Call]]:
    """Routes that a module adds to a router of its own behind the last call that includes the router."""
    source, top = module.source, module.source.tree.body
    included: dict[int, ast.Call] = {}
    for call in sorted(source.calls.get("include_router", ()), key=source.start):
        router = fastapi.argument(call, 0, "router")
        made = _made(router, module) if router is not None else None
        if made is not None and made[0] is module:
            included[id(made[1])] = call
    return [
        (entry, included[router])
        for (router, body), entries in _tables(module).items()
        if isinstance(router, int) and router in included and body == id(top)
        for entry in entries
        if entry.added is entry.place
        and source.start(entry.place) > source.start(included[router])
        and source.parent(source.statement(included[router])) is source.tree
    ]


_Tables = dict[tuple[int | str, int], list[Entry]]


def _tables(module: Module) -> _Tables:
    """The entries of the routers of a module, in order, by router and by the body that registers them."""
    return fastapi.fact(module, "fastapi tables", _collect_tables)


def _identity(router: ast.expr, module: Module) -> int | str:
    """What tells a router of a module from others: the one binding of its name, else its text."""
    if isinstance(router, ast.Name):
        found = module.lookup(router.id, router)
        if found is not None and len(found[1]) == 1:
            return id(found[1][0])
    return module.source.segment(router)


def _collect_tables(module: Module) -> _Tables:
    """The entries of routes and of includes; tables are filled in the order of the statements.

    So a router that the same module includes is as full as it is when the include runs; functions run
    when the module is complete.
    """
    source = module.source
    items: list[tuple[ast.stmt, ast.Call, ast.expr, fastapi.Route | None]] = []
    for route in fastapi.routes(module):
        statement = source.parent(route.call)
        if isinstance(statement, (ast.Expr, *FUNCTIONS)):
            items.append((statement, route.call, route.router, route))
    for call in source.calls.get("include_router", ()):
        statement = source.parent(call)
        if (
            isinstance(statement, ast.Expr)
            and isinstance(call.func, ast.Attribute)
            and fastapi.is_router(call.func.value, module)
        ):
            items.append((statement, call, call.func.value, None))
    tables: _Tables = {}
    top = source.tree.body
    ordered = []
    for item in items:
        around, each = _around(item[0], module)
        body = _body(around, module)
        ordered.append((body is not top, source.start(around), item, around, each, body))
    for _, _, (statement, place, router, own), around, each, body in sorted(
        ordered, key=lambda item: item[:2]
    ):
        if body is None:
            continue
        table = tables.setdefault((_identity(router, module), id(body)), [])
        if own is None:
            for included in _routers(place, each):
                table.extend(_included(place, included, around, body, module, tables))
        elif own.path is not None and own.methods is not None and each is None:
            function = own.function.node if own.function is not None else None
            given = fastapi.argument(place, 1, "endpoint") or place
            name = function.name if function is not None else source.segment(given).partition("\n")[0]
            methods, endpoint = own.methods or _WEBSOCKET, function or statement
            table.append(Entry(own.path, methods, place, place, statement, body, endpoint, name))
    return tables


def _around(statement: ast.stmt, module: Module) -> tuple[ast.stmt, ast.For | None]:
    """The statement itself, or the loop whose whole body it is."""
    loop = module.source.parent(statement)
    if isinstance(loop, ast.For) and loop.body == [statement] and not loop.orelse:
        return loop, loop
    return statement, None


def _routers(call: ast.Call, loop: ast.For | None) -> list[ast.expr]:
    """What a call of `include_router` includes, one after the other where a loop goes over a literal."""
    router = fastapi.argument(call, 0, "router")
    if loop is None:
        return [router] if router is not None else []
    match router, loop.target, loop.iter:
        case ast.Name(id=used), ast.Name(id=target), ast.Tuple(elts=items) | ast.List(elts=items) if (
            used == target
        ):
            return items
    return []


def _body(statement: ast.stmt, module: Module) -> list[ast.stmt] | None:
    """The body of the module or function that a statement is in, when nothing else is around it."""
    parent = module.source.parent(statement)
    return parent.body if isinstance(parent, (ast.Module, *FUNCTIONS)) else None


def _included(
    call: ast.Call,
    router: ast.expr,
    statement: ast.stmt,
    body: list[ast.stmt],
    module: Module,
    tables: _Tables,
) -> Iterator[Entry]:
    """The routes that a call of `include_router` adds; none where the router or its prefix is unknown."""
    made = _made(router, module)
    prefix = _prefix(call, module)
    if made is None or prefix is None:
        return
    home, binding, constructor = made
    own = _prefix(constructor, home)
    if own is None:
        return
    if home is module:
        bodies = (body, module.source.tree.body)
        table = next((tables[key] for part in bodies if (key := (id(binding), id(part))) in tables), [])
    else:
        found = module.guarded(("included", id(call)), lambda: _tables(home))
        table = (found or {}).get((id(binding), id(home.source.tree.body)), [])
    source = home.source
    for entry in list(table):
        place = Related(source.path, source.position(source.start(entry.place)), f"`{entry.name}` is here")
        if entry.related:
            place = Related(place.path, place.start, "included here")
        yield Entry(
            prefix + own + entry.path,
            entry.methods,
            call,
            router,
            statement,
            body,
            entry.function,
            entry.name,
            (place, *entry.related),
        )


def _made(router: ast.expr, module: Module) -> tuple[Module, Binding, ast.Call] | None:
    """The call that makes a router of a variable, where that behaves as `APIRouter` does."""
    made = fastapi.assigned_call(router, module)
    return made if made is not None and _is_plain_router(made[2], made[0]) else None


def _is_plain_router(call: ast.Call, module: Module) -> bool:
    """Whether a call makes a router that takes the arguments and registers routes as `APIRouter` does."""
    name = module.qualified_name(call.func)
    if name == fastapi.ROUTER:
        return True
    info = module.modules.class_info(name) if name is not None else None
    changed = ("__init__", "include_router", "add_api_route", "api_route")
    return info is not None and info.is_a(fastapi.ROUTER) and not any(map(info.method, changed))


def _prefix(call: ast.Call, module: Module) -> str | None:
    """The prefix that a call gives a router, empty without one; None where it is not known.

    A variable whose value is not known stands in it by its name, so that two of it can be compared.
    """
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    written = fastapi.argument(call, None, "prefix")
    return _text(written, module) if written is not None else ""


def _text(node: ast.expr, module: Module) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [_text(left, module), _text(right, module)]
        case ast.JoinedStr(values=values):
            parts = [_text(value, module) for value in values]
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return _text(value, module)
        case ast.Name() | ast.Attribute():
            known = fastapi.constant_text(node, module)
            name = module.qualified_name(node) or _parameter(node, module)
            return known if known is not None or name is None else f"{_UNKNOWN}{name}"
        case _:
            return None
    texts = [part for part in parts if part is not None]
    return "".join(texts) if len(texts) == len(parts) else None


def _parameter(node: ast.expr, module: Module) -> str | None:
    """The name of a parameter of the function around that nothing else binds: it has one value in a call."""
    found = module.lookup(node.id, node) if isinstance(node, ast.Name) else None
    is_parameter = found is not None and [binding.kind for binding in found[1]] == ["parameter"]
    return node.id if is_parameter and isinstance(node, ast.Name) else None


_Segment = tuple[str, str]  # ("text", literal), ("mixed", text without names) or (converter, "")


def _segments(path: str) -> list[_Segment]:
    return [_segment(part) for part in path.split("/")]


def _segment(part: str) -> _Segment:
    if _UNKNOWN in part:
        return ("unknown", part)
    if "{" not in part:
        return ("text", part)
    if part.count("{") == 1 and part.startswith("{") and part.endswith("}"):
        return (part[1:-1].partition(":")[2] or "str", "")
    pieces = [piece.partition("}") for piece in part.split("{")]
    return ("mixed", "|".join(rest if closed else text for text, closed, rest in pieces))


def _covers(earlier: list[_Segment], later: list[_Segment]) -> bool:
    """Whether every path that the later template matches is matched by the earlier, different one."""
    if earlier == later:
        return False
    for position, (kind, text) in enumerate(earlier):
        if position >= len(later):
            return False
        if kind == "path" and position == len(earlier) - 1:
            return True
        other, literal = later[position]
        if kind == "str":
            if other in {"path", "unknown"} or (other == "text" and not literal):
                return False
        elif kind == "int":
            if other != "int" and not (other == "text" and literal.isdigit()):
                return False
        elif (kind, text) != (other, literal):
            return False
    return len(earlier) == len(later)
