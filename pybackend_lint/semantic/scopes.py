"""Scopes, the bindings they hold, and which bindings reach a use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pybackend_lint.source import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SIMPLE = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.Delete,
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef,
)  # fmt: skip
_BINDS_NOTHING = frozenset({ast.Expr, ast.Return, ast.Raise, ast.Pass, ast.Assert, ast.Break, ast.Continue})
_RUNS_ON = frozenset(
    {ast.Expr, ast.Pass, ast.Assert, ast.Global, ast.Nonlocal, ast.Assign, ast.AnnAssign, ast.AugAssign,
     ast.Import, ast.ImportFrom, ast.Delete, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
)  # fmt: skip
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


@dataclass(slots=True, eq=False)
class Binding:
    """One place that gives a name a meaning.

    - `kind`: `import`, `from`, `function`, `class`, `assign`, `augmented`, `declare` (annotation
      without value), `for`, `comprehension`, `with`, `except`, `parameter`, `match`, `type`, `delete`.
    - `node`: the statement, alias, argument or comprehension that binds.
    - `value`: the expression the value comes from: right-hand side, iterated or managed expression.
    - `path`: the steps from that value to the name in an unpacking; `-1` where the index is open.
    """

    name: str
    kind: str
    node: ast.AST
    value: ast.expr | None = None
    path: tuple[int, ...] = ()
    annotation: ast.expr | None = None
    is_async: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """A namespace: of a module, class, function, lambda or comprehension."""

    kind: str
    node: ast.AST
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, str] = field(default_factory=dict)  # name -> "global" or "nonlocal"
    stars: list[ast.ImportFrom] = field(default_factory=list)
    flows: dict[str, _Flow] = field(default_factory=dict)
    direct: frozenset[int] = frozenset()  # ids of the simple statements that always run, one after the other

    def add(self, binding: Binding) -> None:
        """Record a binding, in source order."""
        self.bindings.setdefault(binding.name, []).append(binding)


def build_scope(source: Source, node: ast.AST) -> Scope:
    """The scope that a module, class, function, lambda or comprehension opens."""
    if isinstance(node, ast.Module):
        scope = Scope("module", node, direct=_always_run(node.body))
        _collect(scope, node.body)
        for walrus in source.walruses(node):
            _bind_walrus(scope, walrus)
        _add_globals(source, scope)
        return scope
    if isinstance(node, ast.ClassDef):
        scope = Scope("class", node, direct=_always_run(node.body))
        _collect(scope, node.body)
        return scope
    if isinstance(node, COMPREHENSIONS):
        scope = Scope("comprehension", node)
        for generator in node.generators:
            _bind_target(
                scope, generator.target, "comprehension", generator, generator.iter,
                is_async=bool(generator.is_async),
            )  # fmt: skip
        return scope
    if isinstance(node, ast.Lambda):
        scope = Scope("lambda", node)
        _bind_parameters(scope, node.args)
        return scope
    assert isinstance(node, FUNCTIONS)
    scope = Scope("function", node, direct=_always_run(node.body))
    _bind_parameters(scope, node.args)
    _collect(scope, node.body)
    for walrus in source.walruses(node):
        _bind_walrus(scope, walrus)
    return scope


def _always_run(body: list[ast.stmt]) -> frozenset[int]:
    return frozenset(id(statement) for statement in body if isinstance(statement, _SIMPLE))


def _bind_walrus(scope: Scope, walrus: ast.NamedExpr) -> None:
    scope.add(Binding(walrus.target.id, "assign", walrus, walrus.value))


def _add_globals(source: Source, scope: Scope) -> None:
    """Functions that declare a name global bind it in the module."""
    for declaration in source.nodes(ast.Global):
        function = source.enclosing_function(declaration)
        if isinstance(function, FUNCTIONS):
            inner = Scope("function", function)
            _collect(inner, function.body)
            for name in declaration.names:
                for binding in inner.bindings.get(name, ()):
                    scope.add(binding)


def parameters(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """The named parameters of a function with their defaults, in order, without `*args` and `**kwargs`."""
    positional = [*arguments.posonlyargs, *arguments.args]
    missing = len(positional) - len(arguments.defaults)
    for index, argument in enumerate(positional):
        yield argument, arguments.defaults[index - missing] if index >= missing else None
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)


def _bind_parameters(scope: Scope, arguments: ast.arguments) -> None:
    for argument, default in parameters(arguments):
        scope.add(Binding(argument.arg, "parameter", argument, default, annotation=argument.annotation))
    for variadic in (arguments.vararg, arguments.kwarg):
        if variadic is not None:
            scope.add(Binding(variadic.arg, "parameter", variadic, annotation=variadic.annotation))


def _bind_target(
    scope: Scope,
    target: ast.expr,
    kind: str,
    node: ast.AST,
    value: ast.expr | None,
    path: tuple[int, ...] = (),
    *,
    is_async: bool = False,
) -> None:
    if isinstance(target, ast.Name):
        scope.add(Binding(target.id, kind, node, value, path, is_async=is_async))
    elif isinstance(target, ast.Starred):
        _bind_target(scope, target.value, kind, node, value, (*path[:-1], -1), is_async=is_async)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for index, element in enumerate(target.elts):
            _bind_target(scope, element, kind, node, value, (*path, index), is_async=is_async)


def _bind_pattern(scope: Scope, pattern: ast.AST, node: ast.stmt) -> None:
    for inner in ast.walk(pattern):
        if isinstance(inner, (ast.MatchAs, ast.MatchStar)) and inner.name:
            scope.add(Binding(inner.name, "match", node))
        elif isinstance(inner, ast.MatchMapping) and inner.rest:
            scope.add(Binding(inner.rest, "match", node))


def _collect(scope: Scope, body: Iterable[ast.stmt]) -> None:
    for statement in body:
        if statement.__class__ in _BINDS_NOTHING:
            continue
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    _bind_target(scope, target, "assign", statement, value)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                kind = "declare" if value is None else "assign"
                scope.add(Binding(name, kind, statement, value, annotation=annotation))
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                scope.add(Binding(name, "augmented", statement, value))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                scope.add(Binding(name, "function", statement))
            case ast.ClassDef(name=name):
                scope.add(Binding(name, "class", statement))
            case ast.Import(names=names):
                for alias in names:
                    scope.add(Binding(alias.asname or alias.name.partition(".")[0], "import", statement))
            case ast.ImportFrom(names=names):
                for alias in names:
                    if alias.name == "*":
                        scope.stars.append(statement)
                    else:
                        scope.add(Binding(alias.asname or alias.name, "from", statement))
            case ast.If(body=inner, orelse=orelse) | ast.While(body=inner, orelse=orelse):
                _collect(scope, inner)
                _collect(scope, orelse)
            case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
                is_async = isinstance(statement, ast.AsyncFor)
                _bind_target(scope, target, "for", statement, iterated, is_async=is_async)
                _collect(scope, statement.body)
                _collect(scope, statement.orelse)
            case ast.With(items=items, body=inner) | ast.AsyncWith(items=items, body=inner):
                is_async = isinstance(statement, ast.AsyncWith)
                for item in items:
                    if item.optional_vars is not None:
                        _bind_target(
                            scope, item.optional_vars, "with", statement, item.context_expr, is_async=is_async
                        )
                _collect(scope, inner)
            case ast.Try() | ast.TryStar():
                _collect(scope, statement.body)
                for handler in statement.handlers:
                    if handler.name:
                        scope.add(Binding(handler.name, "except", handler, handler.type))
                    _collect(scope, handler.body)
                _collect(scope, statement.orelse)
                _collect(scope, statement.finalbody)
            case ast.Match(cases=cases):
                for branch in cases:
                    _bind_pattern(scope, branch.pattern, statement)
                    _collect(scope, branch.body)
            case ast.Global(names=names):
                scope.outer.update(dict.fromkeys(names, "global"))
            case ast.Nonlocal(names=names):
                scope.outer.update(dict.fromkeys(names, "nonlocal"))
            case ast.Delete(targets=targets):
                for target in targets:
                    _bind_target(scope, target, "delete", statement, None)
            case _ if type(statement).__name__ == "TypeAlias":
                alias_name: ast.Name = statement.name  # type: ignore[attr-defined]
                scope.add(Binding(alias_name.id, "type", statement, statement.value))  # type: ignore[attr-defined]


def star_exports(tree: ast.Module) -> frozenset[str] | None:
    """The names in `__all__` when it is a literal list or tuple, extended at most by literals; else None."""
    names: set[str] | None = None
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=value)
            ):
                names = set()
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value) if names is not None:
                pass
            case _:
                continue
        if not isinstance(value, (ast.List, ast.Tuple)):
            return None
        for element in value.elts:
            if not (isinstance(element, ast.Constant) and isinstance(element.value, str)):
                return None
            names.add(element.value)
    return None if names is None else frozenset(names)


Reaching = frozenset[Binding]
_NOTHING: Reaching = frozenset()


class _Flow:
    """Reaching definitions of one name in one function, class or module body.

    A structured forward pass over the statements: branches join, loops are run until nothing
    changes, `try` bodies may stop anywhere. `at` holds what reaches each statement.
    """

    def __init__(self, scope: Scope, name: str) -> None:
        self.at: dict[int, Reaching] = {}
        self.own: dict[int, list[Binding]] = {}
        entry: set[Binding] = set()
        for binding in scope.bindings.get(name, ()):
            if binding.kind == "parameter":
                entry.add(binding)
            else:
                self.own.setdefault(id(binding.node), []).append(binding)
        self.walrus = [b for b in scope.bindings.get(name, ()) if isinstance(b.node, ast.NamedExpr)]
        self._breaks: list[set[Binding]] = []
        self._continues: list[set[Binding]] = []
        self._tries: list[set[Binding]] = []
        body = getattr(scope.node, "body", [])
        self.exit = self._block(body if isinstance(body, list) else [], frozenset(entry))

    def _bound(self, node: ast.AST, before: Reaching | None) -> Reaching | None:
        bindings = self.own.get(id(node))
        if before is None or not bindings:
            return before
        for binding in bindings:
            for stopped in self._tries:
                stopped.add(binding)
        return frozenset(bindings[-1:])

    def _block(self, body: list[ast.stmt], before: Reaching | None) -> Reaching | None:
        for statement in body:
            before = self._statement(statement, before)
        return before

    def _statement(self, statement: ast.stmt, before: Reaching | None) -> Reaching | None:
        key = id(statement)
        if before is not None:
            if self.walrus:
                before = self._with_walrus(statement, before)
            known = self.at.get(key)
            self.at[key] = before if known is None else known | before
        else:
            self.at.setdefault(key, _NOTHING)
        if statement.__class__ in _RUNS_ON:
            return self._bound(statement, before) if key in self.own else before
        match statement:
            case ast.If(body=body, orelse=orelse):
                return _join(self._block(body, before), self._block(orelse, before))
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(statement, before)
            case ast.With(body=body) | ast.AsyncWith(body=body):
                return self._block(body, self._bound(statement, before))
            case ast.Try() | ast.TryStar():
                return self._try(statement, before)
            case ast.Match(cases=cases):
                after = before
                for branch in cases:
                    after = _join(after, self._block(branch.body, self._bound(statement, before)))
                return after
            case ast.Return() | ast.Raise():
                return None
            case ast.Break() | ast.Continue():
                stack = self._breaks if isinstance(statement, ast.Break) else self._continues
                if stack and before is not None:
                    stack[-1].update(before)
                return None
            case _:
                return self._bound(statement, before)

    def _with_walrus(self, statement: ast.stmt, before: Reaching) -> Reaching:
        for binding in self.walrus:
            node = binding.node
            header_end = statement.end_lineno or statement.lineno
            body = getattr(statement, "body", None)
            if isinstance(body, list) and body:
                header_end = body[0].lineno
            if statement.lineno <= node.lineno <= header_end:  # type: ignore[attr-defined]
                before = before | {binding} if before else frozenset({binding})
        return before

    def _loop(self, loop: ast.For | ast.AsyncFor | ast.While, before: Reaching | None) -> Reaching | None:
        endless = (
            isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant) and bool(loop.test.value)
        )
        head = before
        self._breaks.append(set())
        while True:
            self._continues.append(set())
            end = self._block(loop.body, self._bound(loop, head))
            again = _join(end, frozenset(self._continues.pop()) or None)
            joined = _join(head, again)
            if joined == head:
                break
            head = joined
            self.at[id(loop)] = self.at.get(id(loop), _NOTHING) | (head or _NOTHING)
        broken = frozenset(self._breaks.pop()) or None
        done = None if endless else self._block(loop.orelse, head)
        return _join(done, broken)

    def _try(self, statement: ast.Try | ast.TryStar, before: Reaching | None) -> Reaching | None:
        self._tries.append(set(before or ()))
        body = self._block(statement.body, before)
        stopped = frozenset(self._tries.pop()) if before is not None else None
        after = self._block(statement.orelse, body)
        for handler in statement.handlers:
            after = _join(after, self._block(handler.body, self._bound(handler, stopped)))
        if statement.finalbody:
            after_final = self._block(statement.finalbody, _join(after, stopped))
            return None if after is None else self._final(statement, after, after_final)
        return after

    def _final(
        self, statement: ast.Try | ast.TryStar, after: Reaching, final: Reaching | None
    ) -> Reaching | None:
        bound = {b for inner in statement.finalbody for b in self.own.get(id(inner), ())}
        return final if bound else after


def _join(one: Reaching | None, other: Reaching | None) -> Reaching | None:
    if one is None:
        return other
    return one if other is None else one | other


def flow(scope: Scope, name: str) -> _Flow:
    """The reaching definitions of a name in a scope, computed once."""
    found = scope.flows.get(name)
    if found is None:
        found = scope.flows[name] = _Flow(scope, name)
    return found


def reaching(source: Source, scope: Scope, name: str, use: ast.AST) -> list[Binding]:
    """The bindings of `name` that may reach a use in the body of the same scope.

    Where the order cannot tell, all bindings are returned.
    """
    bindings = scope.bindings.get(name, [])
    if len(bindings) < 2 or scope.kind not in {"module", "class", "function"}:
        return bindings
    if all(binding.kind == "parameter" or id(binding.node) in scope.direct for binding in bindings):
        return _last_before(bindings, use)
    found = flow(scope, name)
    statement = source.statement(use)
    while id(statement) not in found.at:
        parent = source.parent(statement)
        if parent is None or isinstance(parent, ast.Module):
            return bindings
        statement = source.statement(parent)
    return sorted(found.at[id(statement)], key=_row) or bindings


def is_unbound_yet(scope: Scope, name: str, use: ast.AST) -> bool:
    """Whether a use in the body of a class runs before the body binds the name, which is then one of outside.

    `uuid = UUIDField(default=uuid.uuid4)` is the usual case.
    """
    bindings = scope.bindings.get(name, [])
    place = (use.lineno, use.col_offset)  # type: ignore[attr-defined]
    return all(
        id(binding.node) in scope.direct and (binding.node.end_lineno, binding.node.end_col_offset) > place  # type: ignore[attr-defined]
        for binding in bindings
    )


def _last_before(bindings: list[Binding], use: ast.AST) -> list[Binding]:
    """The last of some bindings, all of which run one after the other, that is complete at a use."""
    place = (use.lineno, use.col_offset)  # type: ignore[attr-defined]
    before = [
        binding
        for binding in bindings
        if binding.kind == "parameter" or (binding.node.end_lineno, binding.node.end_col_offset) <= place  # type: ignore[attr-defined]
    ]
    return before[-1:] or bindings


def at_exit(scope: Scope, name: str) -> list[Binding]:
    """The bindings of a module's or class's name that hold once its body has run."""
    bindings = scope.bindings.get(name, [])
    if len(bindings) < 2 or scope.kind not in {"module", "class"}:
        return bindings
    if all(id(binding.node) in scope.direct for binding in bindings):
        return bindings[-1:]
    found = flow(scope, name)
    assigned_elsewhere = [b for b in bindings if id(b.node) not in found.at and b.kind != "except"]
    return sorted({*(found.exit or bindings), *assigned_elsewhere}, key=_row)


def _row(binding: Binding) -> tuple[int, int]:
    return (getattr(binding.node, "lineno", 0), getattr(binding.node, "col_offset", 0))
