"""The call graph: what a function calls, across files, and the chains by which it reaches a call."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass

from pybackend_lint.finding import Position, Related
from pybackend_lint.project.implementations import implementation, is_placeholder
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

MAX_DEPTH = 8
_CACHED = frozenset(
    {
        "functools.cache", "functools.lru_cache", "functools.cached_property",
        "django.utils.functional.cached_property", "werkzeug.utils.cached_property",
    }
)  # fmt: skip
_CONTEXT_MANAGER = "contextlib.contextmanager"
_EXHAUSTING = frozenset({"list", "tuple", "set", "dict", "sorted", "sum", "min", "max", "next"})
_PASS_ON = frozenset({"builtins.staticmethod", "builtins.classmethod", "typing.override", "typing.final"})


@dataclass(frozen=True, slots=True)
class CallSite:
    """One call, read of a property or entry of a `with` block in a function's own body.

    `name` is the qualified name of what is called; methods of a library's value are named by the
    value's class, such as `requests.Session.get`.
    """

    name: str
    callee: Type
    node: ast.expr
    awaited: bool
    module: Module


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a chain of calls: where it stands and what is called there."""

    path: str
    start: Position
    name: str

    def related(self) -> Related:
        """The step as a related location of a finding."""
        return Related(self.path, self.start, f"calls `{self.name}`")


def call_sites(function: FunctionInfo) -> list[CallSite]:
    """The calls that run when a function runs, in source order; calls of unknown things are left out.

    Calls in nested functions, and in lambdas that are called later, do not belong to it.
    """
    index = function.module.modules
    if isinstance(index, Index):
        return index.fact(
            ("call sites", function.module.name, id(function.node)), lambda: _call_sites(function)
        )
    return _call_sites(function)


def _call_sites(function: FunctionInfo) -> list[CallSite]:
    awaited = {id(node.value) for node in function.own(ast.Await)}
    return in_order(
        site for node in candidates(function) for site in sites_of(node, function.module, awaited)
    )


def in_order(sites: Iterable[CallSite]) -> list[CallSite]:
    """Call sites in source order, the outer one first where two start at the same place."""
    return sorted(sites, key=_place)


def _place(site: CallSite) -> tuple[int, int, int, int]:
    node = site.node
    return node.lineno, node.col_offset, -(node.end_lineno or 0), -(node.end_col_offset or 0)


def candidates(function: FunctionInfo) -> Iterator[ast.AST]:
    """The nodes of a function that may call something, in no particular order; nothing is resolved yet.

    Attributes that are read are among them where their name is that of a property of the module or of
    one that it imports.
    """
    yield from function.own(ast.With)
    made = function.own(ast.Call)
    yield from made
    properties = _property_names(function.module)
    if properties:
        called = {id(node.func) for node in made}
        for node in function.own(ast.Attribute):
            if node.attr in properties and isinstance(node.ctx, ast.Load) and id(node) not in called:
                yield node


def sites_of(node: ast.AST, module: Module, awaited: Set[int]) -> Iterator[CallSite]:
    """What a candidate calls, as far as it is known; `awaited` holds the identities of awaited calls."""
    if isinstance(node, ast.Call):
        callee = module.type_of(node.func)
        if callee is not None:
            yield CallSite(callee.name, callee, node, id(node) in awaited, module)
    elif isinstance(node, ast.Attribute):
        found = property_of(module, node)
        if found is not None:
            yield CallSite(found.name, Type(found.name, Kind.FUNCTION), node, False, module)
    elif isinstance(node, ast.With):
        for item in node.items:
            for method in _entered(module, item.context_expr):
                callee = Type(method.name, Kind.FUNCTION)
                yield CallSite(method.name, callee, item.context_expr, False, module)


def imported_modules(module: Module) -> list[Module]:
    """The modules of the project that a module imports, or imports something from."""
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("imported modules", module.name, id(module)), lambda: _imported_modules(module))


def _imported_modules(module: Module) -> list[Module]:
    statements: list[ast.Import | ast.ImportFrom] = [*module.source.nodes(ast.ImportFrom)]
    statements += module.source.nodes(ast.Import)
    found = {other.name: other for statement in statements for other in _imported_by(statement, module)}
    return list(found.values())


def renamed_imports(module: Module) -> dict[str, str]:
    """The names that a module imports from the project under others than they are defined by, and those.

    As in `from shop.mail import notify`, where `shop.mail` has `from .sender import send as notify`.
    """
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("renamed imports", module.name, id(module)), lambda: _renamed_imports(module))


def _renamed_imports(module: Module) -> dict[str, str]:
    found = {}
    for statement in module.source.nodes(ast.ImportFrom):
        for alias, name in zip(statement.names, _imported_names(statement, module)[1:], strict=False):
            local, defined = alias.asname or alias.name, name.rpartition(".")[2]
            if local != defined and module.modules.owns(name):
                found[local] = defined
    return found


def _imported_names(statement: ast.ImportFrom, module: Module) -> list[str]:
    """The qualified names of the module that a statement imports from, then of what it imports."""
    modules = module.modules
    if statement.level:
        name = modules.relative(module, statement.level, statement.module or "")
        if name is None:
            return []
        return [name, *(modules.member_name(name, alias.name) for alias in statement.names)]
    name = modules.canonical(statement.module or "", module)
    if not modules.owns(name):
        return [name]
    return [
        name,
        *(modules.canonical(f"{statement.module}.{alias.name}", module) for alias in statement.names),
    ]


def _imported_by(statement: ast.Import | ast.ImportFrom, module: Module) -> Iterator[Module]:
    modules = module.modules
    if isinstance(statement, ast.Import):
        dotted = [modules.canonical(alias.name, module) for alias in statement.names]
    else:
        dotted = _imported_names(statement, module)
    for name in dotted:
        while name and modules.owns(name):
            found = modules.module(name)
            if found is not None:
                yield found
                break
            name = name.rpartition(".")[0]


def _property_names(module: Module) -> frozenset[str]:
    """The names of the properties that a module and those it imports define."""
    index = module.modules
    if not isinstance(index, Index):
        return _own_property_names(module)
    return index.fact(
        ("property names in reach", module.name, id(module)),
        lambda: frozenset().union(*map(_known_property_names, (module, *imported_modules(module)))),
    )


def _known_property_names(module: Module) -> frozenset[str]:
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("property names", module.name, id(module)), lambda: _own_property_names(module))


def _own_property_names(module: Module) -> frozenset[str]:
    if b"property" not in module.source.data:
        return frozenset()
    return frozenset(
        node.name
        for node in module.source.nodes(ast.FunctionDef)
        if any(map(_is_property_like, node.decorator_list))
    )


def _is_property_like(decorator: ast.expr) -> bool:
    return last_name(decorator).endswith("property")


def property_of(module: Module, node: ast.Attribute) -> FunctionInfo | None:
    """The property of a project class that reading an attribute runs, or None."""
    owner = module.type_of(node.value)
    if owner is None or owner.kind is not Kind.INSTANCE:
        return None
    info = module.modules.class_info(owner.name)
    method = info.method(node.attr) if info is not None else None
    return method if method is not None and method.is_property else None


def _entered(module: Module, manager: ast.expr) -> Iterator[FunctionInfo]:
    """The methods of a project class that a `with` statement runs."""
    known = module.type_of(manager)
    info = (
        module.modules.class_info(known.name) if known is not None and known.kind is Kind.INSTANCE else None
    )
    for name in ("__enter__", "__exit__"):
        method = info.method(name) if info is not None else None
        if method is not None:
            yield method


def target(site: CallSite) -> FunctionInfo | None:
    """The project function whose body runs when a call is made, or None where it is not known.

    For a class it is `__init__`; for a coroutine function the body runs only when it is awaited. For an
    abstract method, or one of a protocol, it is the one that the project has in its place, where there is
    only one.
    """
    modules = site.module.modules
    if site.callee.kind is Kind.CLASS:
        info = modules.class_info(site.name)
        return info.method("__init__") if info is not None else None
    if site.callee.kind is Kind.INSTANCE:
        info = modules.class_info(site.name)
        return info.method("__call__") if info is not None else None
    if site.callee.kind is Kind.FUNCTION:
        function = modules.function_info(site.name)
        if function is not None and is_placeholder(function) and not _is_of_super(site):
            return implementation(function) or function
        return function
    return None


def _is_of_super(site: CallSite) -> bool:
    """Whether a method of `super()` is called, which is the one of the base class itself."""
    match site.node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")))):
            return True
    return False


def step(site: CallSite) -> Step:
    """A call site as a link of a chain."""
    source = site.module.source
    index = site.module.modules
    name = index.local_name(site.name) if isinstance(index, Index) else site.name
    return Step(source.path, source.position(source.start(site.node)), name)


def reach(
    function: FunctionInfo,
    key: str,
    sink: Callable[[CallSite], bool],
    enters: Callable[[FunctionInfo], bool],
    passes: Callable[[CallSite], bool] = lambda _: False,
) -> tuple[Step, ...] | None:
    """The shortest chain of calls from a function's body to a call that `sink` accepts.

    Only project functions that `enters` accepts are followed, and no call that `passes` accepts.
    Functions whose decorators are not known to keep the function, and cached ones, are not followed
    either. `key` names the question, so that its answer is computed once for each function.
    """
    index = function.module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("reach", key, function.module.name, id(function.node)),
        lambda: _reach(function, sink, enters, passes),
    )


def _reach(
    function: FunctionInfo,
    sink: Callable[[CallSite], bool],
    enters: Callable[[FunctionInfo], bool],
    passes: Callable[[CallSite], bool],
) -> tuple[Step, ...] | None:
    seen = {function.name}
    pending: deque[tuple[FunctionInfo, tuple[CallSite, ...]]] = deque([(function, ())])
    while pending:
        current, chain = pending.popleft()
        followed: list[tuple[FunctionInfo, tuple[CallSite, ...]]] = []
        for site in call_sites(current):
            if sink(site):
                return tuple(map(step, (*chain, site)))
            if len(chain) + 1 < MAX_DEPTH:
                inner = target(site)
                if inner is None or inner.name in seen or not runs(site, inner) or not enters(inner):
                    continue
                if not passes(site):
                    seen.add(inner.name)
                    followed.append((inner, (*chain, site)))
        pending.extend(followed)
    return None


def runs(site: CallSite, function: FunctionInfo) -> bool:
    """Whether the body of a function runs where it is called: `follows`, or a generator is iterated there."""
    if follows(function):
        return True
    if not function.yields or function.is_async or not function.is_transparent:
        return False
    match site.module.source.parent(site.node):
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) | ast.YieldFrom(value=iterated):
            return iterated is site.node
        case ast.Call(func=ast.Name(id=name), args=[iterated, *_]):
            return name in _EXHAUSTING and iterated is site.node
    return False


def follows(function: FunctionInfo) -> bool:
    """Whether the body of a function runs each time it is called, as far as its decorators tell.

    Generators run later, when they are iterated; those of `contextmanager` run in the `with` block.
    """
    if any(name in _CACHED for name in function.decorators):
        return False
    if function.yields:
        return function.decorators == (_CONTEXT_MANAGER,) and not function.is_async
    return function.is_transparent or _keeps_running(function)


def _keeps_running(function: FunctionInfo) -> bool:
    """Whether every decorator is known to call the function each time the decorated name is called.

    Those of the project do where the function that they put in its place calls it, and returns nothing
    but its result.
    """
    if function.is_async or function.is_property:
        return False
    modules = function.module.modules
    for name in function.decorators:
        if name is None or name in _PASS_ON:
            continue
        decorator = modules.function_info(name)
        if decorator is None or decorator.is_async or decorator.yields or not _runs_argument(decorator):
            return False
    return None not in function.decorators


def _runs_argument(decorator: FunctionInfo, depth: int = 0) -> bool:
    nested = {node.name: node for node in decorator.own(ast.FunctionDef)}
    match decorator.returned:
        case [ast.Name(id=name)] if name in nested:
            inner = decorator.module.function_info(nested[name])
        case _:
            return False
    parameters = [argument.arg for argument, _ in decorator.parameters()]
    made = [
        call
        for call in inner.own(ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id in parameters[:1]
    ]
    if not made:
        return depth == 0 and _runs_argument(inner, 1)
    results = {
        target.id
        for node in inner.own(ast.Assign)
        if node.value in made
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return not inner.yields and all(
        value is None or value in made or (isinstance(value, ast.Name) and value.id in results)
        for value in inner.returned
    )
