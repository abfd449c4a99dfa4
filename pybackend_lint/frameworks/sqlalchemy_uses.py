"""Relationships that functions, methods, properties and schemas read from objects they are given.

What a function does with a parameter is summarised once, without knowing the class of the object; the
summary is then followed with what is known of an object at the place where it is handed over.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import template_contexts, text_conversion
from pybackend_lint.frameworks.sqlalchemy_loading import LazyRead, may_be_loaded, may_name_attribute
from pybackend_lint.frameworks.sqlalchemy_mapping import library_name, relation_of
from pybackend_lint.frameworks.sqlalchemy_serialised import VALIDATES as VALIDATES
from pybackend_lint.frameworks.sqlalchemy_serialised import (
    answered,
    plain_fields,
    validated_reads,
    validations,
)
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded
from pybackend_lint.frameworks.sqlalchemy_words import functions_with_queries, relation_names
from pybackend_lint.frameworks.templates import ELEMENT, TemplateUse, template_uses
from pybackend_lint.project.calls import CallSite, follows, target
from pybackend_lint.project.index import Index
from pybackend_lint.semantic import inference
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context

_ITEM = "[0]"  # one of them
_DEEPEST = 3
_LONGEST = 6
_PROXY = "sqlalchemy.ext.associationproxy.association_proxy"
_KEEPS_ELEMENTS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted",
                             "builtins.reversed", "builtins.iter"})  # fmt: skip
TEXTS = frozenset({"__str__", "__repr__", "__format__"})
# Methods that end with objects, or lists of them.
_ENDS = frozenset({"all", "first", "one", "one_or_none", "get", "get_one", "scalar", "scalar_one",
                   "scalar_one_or_none", "scalars", "first_or_404", "get_or_404", "one_or_404", "exec",
                   "unique", "execute", "query"})  # fmt: skip
NO_ROWS = frozenset({"range", "enumerate", "zip", "items", "keys", "values", "split", "splitlines", "len",
                      "str", "int", "dict", "set", "open", "join", "format", "getattr"})  # fmt: skip
_WITH_TEXT = ("sqlmodel.SQLModel", "pydantic.BaseModel")  # have a `__str__` of their own
# A function that mentions one of these looks at what is loaded.
_LOOKS = frozenset({"unloaded", "__dict__", "instance_dict", "NO_VALUE", "object_session", "run_sync",
                    "awaitable_attrs"})  # fmt: skip
_CATCHES = frozenset({"Exception", "BaseException", "MissingGreenlet", "StatementError", "SQLAlchemyError",
                      "DetachedInstanceError", "InvalidRequestError"})  # fmt: skip
# Awaited methods of a session that load nothing into the object they are given.
_LOADS_NOTHING = frozenset({"delete", "refresh", "flush", "commit"})


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """What a function does with a value that it reaches from a parameter.

    - `path`: the attributes that lead there; `"[]"` for an element, `"name()"` for a call of a method.
    - `callee`, `parameter`: the function that is given the value, and as which parameter.
    - `model`: the model of Pydantic that reads the value's attributes.
    - `loaded`: names of attributes that the function may have loaded itself.
    """

    path: tuple[str, ...]
    node: ast.expr
    module: Module
    loaded: frozenset[str]
    callee: FunctionInfo | None = None
    parameter: str = ""
    model: ClassInfo | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A lazy load that handing over an object leads to.

    `steps` are the places on the way to it, from the call of the checked function on; `name` is the
    function, property or model that is given the object; `repeated` whether it is one of many objects
    that the value given leads to.
    """

    read: LazyRead
    name: str
    steps: tuple[Related, ...]
    repeated: bool = False


def uses(function: FunctionInfo, parameter: str) -> tuple[Use, ...]:
    """What certainly happens with a parameter when a function runs, in source order.

    Reads that depend on other parameters, or whose failure the function handles, are left out.
    """
    index = function.module.modules
    if not isinstance(index, Index) or not follows(function):
        return ()
    return index.fact(
        ("sqlalchemy uses", function.module.name, id(function.node), parameter),
        lambda: tuple(_Summary(function, parameter).uses()),
    )


class _Summary:
    """The uses of one parameter of one function."""

    def __init__(self, function: FunctionInfo, parameter: str) -> None:
        self.function = function
        self.module = function.module
        self.parameter = parameter
        self.names = relation_names(self.module)
        self.wanted = self.names.relations | self.names.readers

    def uses(self) -> Iterator[Use]:
        found = [(node, item) for node in self._candidates() for item in self._of(node)]
        loaded = self._loaded() if found else None
        if loaded is None:
            return
        until = self._awaited()
        found.sort(key=lambda item: (item[0].lineno, item[0].col_offset, -(item[0].end_col_offset or 0)))
        for node, (path, callee, parameter, model) in found:
            if until is not None and not self._is_before(node, until):
                continue
            if not loaded.intersection(path) and len(path) <= _LONGEST and self._always(node):
                yield Use(path, node, self.module, loaded, callee, parameter, model)

    def _candidates(self) -> Iterator[ast.expr]:
        for node in self.function.own(ast.Attribute):
            if node.attr in self.wanted:
                yield node
        yield from self.function.own(ast.Call)
        if not self.names.readers.isdisjoint(TEXTS):
            yield from self.function.own(ast.FormattedValue)

    def _of(
        self, node: ast.expr
    ) -> Iterator[tuple[tuple[str, ...], FunctionInfo | None, str, ClassInfo | None]]:
        match node:
            case ast.Attribute(ctx=ast.Load()):
                path = self.path(node)
                if path is not None:
                    call = self.module.source.parent(node)
                    called = isinstance(call, ast.Call) and call.func is node
                    yield (*path[:-1], f"{path[-1]}()") if called else path, None, "", None
            case ast.FormattedValue(value=value):
                path = self.path(value)
                if path is not None:
                    yield (
                        (*path, "__repr__()" if node.conversion == ord("r") else "__str__()"),
                        None,
                        "",
                        None,
                    )
            case ast.Call():
                if all(self.path(argument) is None for argument in arguments(node)):
                    return
                for argument, callee, parameter in handed_over(node, self.module):
                    path = self.path(argument)
                    if path is not None:
                        yield path, callee, parameter, None
                for argument, method in text_conversion.converted(node, self.module):
                    path = self.path(argument)
                    if path is not None:
                        yield (*path, f"{method}()"), None, "", None
                for model, value in validations(node, self.module):
                    path = self.path(value)
                    if path is not None:
                        yield path, None, "", model

    def path(self, node: ast.expr, depth: int = 0) -> tuple[str, ...] | None:
        """How an expression is reached from the parameter; None where it is not, or may be another value."""
        if depth > 8:
            return None
        match node:
            case ast.Name(id=name):
                found = self.module.lookup(name, node)
                if found is None or len(found[1]) != 1:
                    return None
                binding = found[1][0]
                if binding.kind == "parameter":
                    is_own = found[0].node is self.function.node
                    return () if is_own and name == self.parameter else None
                if binding.path or binding.value is None:
                    return None
                if binding.kind == "assign":
                    return self.path(binding.value, depth + 1)
                if binding.kind in {"for", "comprehension"}:
                    outer = self.path(binding.value, depth + 1)
                    return (*outer, ELEMENT) if outer is not None else None
            case ast.Attribute(value=value, attr=attr):
                outer = self.path(value, depth + 1)
                return (*outer, attr) if outer is not None else None
            case ast.NamedExpr(value=value):
                return self.path(value, depth + 1)
            case ast.Subscript(value=value, slice=ast.Constant(value=int())):
                outer = self.path(value, depth + 1)
                return (*outer, _ITEM) if outer is not None else None
            case ast.Call(func=ast.Name() as func, args=[value, *_]) if (
                self.module.qualified_name(func) in _KEEPS_ELEMENTS
            ):
                return self.path(value, depth + 1)
            case ast.BoolOp(op=ast.Or(), values=[value, ast.List(elts=[]) | ast.Tuple(elts=[])]):
                return self.path(value, depth + 1)
        return None

    def _loaded(self) -> frozenset[str] | None:
        """The attributes that the function may load or set itself; None where that may be any."""
        found: set[str] = set()
        for node in self.function.own_nodes():
            match node:
                case ast.Attribute(attr=attr) if attr in _LOOKS:
                    return None
                case ast.Attribute(attr=attr, ctx=ast.Store() | ast.Del()):
                    found.add(attr)
                case ast.Attribute(attr=attr, value=value) if (
                    attr in self.names.relations and self.path(value) is None
                ):
                    if self.function.is_async or isinstance(value, ast.Name):
                        known = self.module.type_of(value)
                        if known is None or known.kind is Kind.CLASS:
                            found.add(attr)
                case ast.Constant(value=str(text)) if may_name_attribute(node, self.module):
                    found.add(text)
        return frozenset(found)

    def _awaited(self) -> ast.Await | None:
        """The first call that is awaited and may load something, for the value or a part of it is given."""
        for node in sorted(self.function.own(ast.Await), key=lambda node: (node.lineno, node.col_offset)):
            match node.value:
                case ast.Call(func=func) as call if not (
                    isinstance(func, ast.Attribute) and func.attr in _LOADS_NOTHING
                ):
                    if any(self.path(argument) is not None for argument in arguments(call)):
                        return node
                    if isinstance(func, ast.Attribute) and self.path(func.value) == ():
                        return node
        return None

    def _is_before(self, node: ast.expr, awaited: ast.Await) -> bool:
        """Whether a node is evaluated before a coroutine is awaited, for the first time and ever again."""
        source = self.module.source
        for ancestor in source.ancestors(awaited):
            if ancestor is self.function.node:
                break
            if isinstance(ancestor, (ast.For, ast.AsyncFor, ast.While)):
                return False
        return source.start(node) < source.end(awaited)

    def _always(self, node: ast.expr) -> bool:
        """Whether a node runs whatever the other parameters are, and its failure is not handled."""
        source = self.module.source
        child: ast.AST = node
        for ancestor in source.ancestors(node):
            match ancestor:
                case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                    if child is not test and not self._decides(test):
                        return False
                case ast.BoolOp(values=values):
                    before = values[: values.index(child)] if child in values else []
                    if not all(map(self._decides, before)):
                        return False
                case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                    tests = [test for item in ancestor.generators for test in item.ifs]
                    if child not in ancestor.generators and not all(map(self._decides, tests)):
                        return False
                case ast.Try() | ast.TryStar():
                    if child in ancestor.body and any(map(_handles, ancestor.handlers)):
                        return False
                case ast.ExceptHandler() | ast.Match():
                    return False
                case ast.With() | ast.AsyncWith():
                    if any(_suppresses(item.context_expr) for item in ancestor.items):
                        return False
            if ancestor is self.function.node:
                break
            child = ancestor
        return not any(
            other.lineno < node.lineno
            and any(isinstance(last, (ast.Return, ast.Continue, ast.Break)) for last in other.body[-1:])
            and not self._decides(other.test)
            for other in self.function.own(ast.If)
        )

    def _decides(self, test: ast.expr) -> bool:
        """Whether a condition asks only about the value itself."""
        for node in _parts(test):
            if isinstance(node, ast.Name) and self.path(node) is None:
                found = self.module.lookup(node.id, node)
                kinds = {binding.kind for binding in found[1]} if found is not None else {"import"}
                if not kinds <= {"import", "from", "class", "function"}:
                    return False
        return True


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(ast.iter_child_nodes(current))


def _handles(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(item is None or last_name(item) in _CATCHES for item in caught)


def _suppresses(manager: ast.expr) -> bool:
    function = manager.func if isinstance(manager, ast.Call) else manager
    return last_name(function) == "suppress"


def handed_over(call: ast.Call, module: Module) -> Iterator[tuple[ast.expr, FunctionInfo, str]]:
    """The arguments of a call of a project function, with the function and the parameter that gets each."""
    if not call.args and not call.keywords:
        return
    callee = module.type_of(call.func)
    if callee is None or callee.kind not in {Kind.FUNCTION, Kind.CLASS}:
        return
    function = target(CallSite(callee.name, callee, call, False, module))
    if function is None:
        return
    declared = function.node.args
    positional = [item.arg for item in (*declared.posonlyargs, *declared.args)]
    if function.owner is not None and not function.is_static:
        through_class = callee.kind is Kind.FUNCTION and callee.receiver is None
        if not through_class or function.is_class_method:
            positional = positional[1:]
    for argument, parameter in zip(call.args, positional, strict=False):
        if isinstance(argument, ast.Starred):
            break
        yield argument, function, parameter
    named = {*positional, *(item.arg for item in declared.kwonlyargs)}
    for keyword in call.keywords:
        if keyword.arg in named:
            yield keyword.value, function, keyword.arg


def has_uses(call: ast.Call, module: Module) -> bool:
    """Whether a call gives some argument to a function of the project that does something known with it."""
    if not _is_near_by(call.func, module):
        return False
    return any(uses(function, parameter) for _, function, parameter in handed_over(call, module))


def loaded_object(known: Type | None) -> Type | None:
    """The object that a value is, or of which it is a list, where a session loaded it."""
    while known is not None and known.kind is Kind.INSTANCE:
        if isinstance(known.fact, Loaded):
            return known
        known = known.argument()
    return None


@dataclass(frozen=True, slots=True, eq=False)
class LazyUse:
    """A lazy load that an expression of a function leads to, because it hands over a loaded object.

    `place` is the object, or a list of such objects; `node` is what hands it over.
    """

    place: ast.expr
    node: ast.expr
    reached: Reached


def lazy_uses(
    function: FunctionInfo, ctx: Context, nodes: Iterable[ast.expr], *, is_async: bool
) -> list[LazyUse]:
    """The lazy loads that a function of the checked file leads to by handing over loaded objects.

    It gives them to functions and methods of the project, reads their properties, makes them texts, has
    Pydantic validate them, or returns them from a route with a response model. The objects are those of
    asynchronous sessions, or those of synchronous ones. `nodes` are the expressions to look at, such as
    those that `candidates` finds. Relationships that the function itself reads or
    may load are left out; each relationship of each object is reported once.
    """
    found: list[LazyUse] = []
    seen: set[tuple[str, str]] = set()
    nodes = sorted(nodes, key=lambda node: (node.lineno, node.col_offset, -(node.end_col_offset or 0)))
    for node in nodes:
        for place, reached in (*_reached(node, ctx), *_answered(node, function, ctx)):
            read, key = reached.read, (ctx.text(place), reached.read.relation.name)
            if read.loaded.is_async is not is_async or key in seen:
                continue
            if not may_be_loaded(read, place, function, ctx, apart=node):
                seen.add(key)
                found.append(LazyUse(place, node, reached))
    return found


def candidates(function: FunctionInfo) -> Iterator[ast.expr]:
    """The expressions of a function that may hand over a loaded object; no type is asked for yet."""
    names = relation_names(function.module)
    if not names.relations:
        return
    has_text = not names.readers.isdisjoint(TEXTS)
    for call in function.own(ast.Call):
        name = last_name(call.func)
        if (
            name in VALIDATES
            or name in template_contexts.CALLS
            or (has_text and (name in text_conversion.BUILTINS or name in text_conversion.LOGS))
            or any(_may_be_loaded_here(value, function) for value in arguments(call))
        ):
            yield call
    for attribute in function.own(ast.Attribute):
        if attribute.attr in names.readers or attribute.attr in names.relations:
            yield attribute
    if has_text:
        yield from function.own(ast.FormattedValue)
    yield from returned(function)


def returned(function: FunctionInfo) -> Iterator[ast.expr]:
    """The values that a decorated function returns: those of a route may have a response model."""
    if function.node.decorator_list:
        yield from (node.value for node in function.own(ast.Return) if node.value is not None)


def arguments(call: ast.Call) -> Iterator[ast.expr]:
    """The values of all arguments of a call."""
    yield from call.args
    for keyword in call.keywords:
        yield keyword.value


def _may_be_loaded_here(node: ast.expr, function: FunctionInfo) -> bool:
    """Whether an argument may be an object that the function has loaded, as far as its form tells."""
    while isinstance(node, (ast.Await, ast.Attribute, ast.Subscript)):
        node = node.value
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if isinstance(node.func, ast.Name) and f"builtins.{name}" in _KEEPS_ELEMENTS:
            return any(_may_be_loaded_here(value, function) for value in node.args)
        is_end = isinstance(node.func, ast.Attribute) and name in _ENDS
        return is_end or name in functions_with_queries(function.module)
    if not isinstance(node, ast.Name):
        return False
    found = function.module.lookup(node.id, node)
    return found is not None and any(map(_may_load, found[1]))


def _may_load(binding: Binding) -> bool:
    value = binding.value
    while isinstance(value, (ast.Await, ast.Attribute, ast.Subscript)):
        value = value.value
    if isinstance(value, ast.Call) and last_name(value.func) in NO_ROWS:
        return False
    if binding.kind in {"for", "comprehension"}:
        return True
    return binding.kind == "assign" and isinstance(value, (ast.Call, ast.Name, ast.BinOp, ast.ListComp))


def _is_near_by(function: ast.expr, module: Module) -> bool:
    """Whether what is called can be found without knowing the values of local variables."""
    while isinstance(function, ast.Attribute):
        function = function.value
    if isinstance(function, ast.Call):
        return last_name(function.func)[:1].isupper()
    if not isinstance(function, ast.Name):
        return False
    found = module.lookup(function.id, function)
    return found is None or all(
        binding.kind in {"import", "from", "class", "function", "parameter"}
        or (isinstance(binding.value, ast.Call) and last_name(binding.value.func)[:1].isupper())
        for binding in found[1]
    )


def _answered(node: ast.expr, function: FunctionInfo, ctx: Context) -> Iterator[tuple[ast.expr, Reached]]:
    """The lazy loads of the response model for a value that a route returns."""
    statement = ctx.parent(node)
    if not isinstance(statement, ast.Return):
        return
    found = answered(statement, function)
    known = ctx.type_of(node) if found is not None else None
    if found is not None and known is not None:
        for model, read in validated_reads(found[0], known, ctx.module):
            step = ctx.related(statement, f"the response is a `{model.node.name}`")
            yield node, Reached(read, model.node.name, (step,), _repeats(read, known, ctx.module))
        for reached in _read_by_fields(found[0], known, node, ctx):
            yield node, reached


def _read_by_fields(model: ClassInfo, given: Type, node: ast.expr, ctx: Context) -> Iterator[Reached]:
    """The lazy loads behind properties of an object, or of those in a list, that a model has fields for."""
    owner = loaded_object(given)
    names = relation_names(ctx.module).readers
    if owner is None or not names:
        return
    for name in plain_fields(model):
        if name in names:
            for found in _member_reads(owner, name, ctx.module, 1, (), ctx.related(node, "")):
                yield replace(found, name=model.node.name)


def _reached(node: ast.expr, ctx: Context) -> Iterator[tuple[ast.expr, Reached]]:
    """The lazy loads that an expression leads to, with the loaded object or list of them."""
    module = ctx.module
    match node:
        case ast.Call():
            given = handed_over(node, module) if _is_near_by(node.func, module) else ()
            for argument, callee, parameter in given:
                summary = uses(callee, parameter) if _may_be_object(argument) else ()
                known = module.type_of(argument) if summary else None
                if loaded_object(known) is not None and known is not None:
                    step = ctx.related(node, f"calls `{_shown(callee)}`")
                    for found in _follow(summary, known, 1, (step,), _shown(callee)):
                        yield argument, found
            for argument, method in text_conversion.converted(node, module):
                yield from _read(argument, f"{method}()", node, ctx)
            for asked, value in validations(node, module):
                known = ctx.type_of(value)
                if known is None:
                    continue
                for model, read in validated_reads(asked, known, module):
                    step = ctx.related(node, f"`{model.node.name}` reads `{read.relation.name}`")
                    yield value, Reached(read, model.node.name, (step,), _repeats(read, known, module))
                for reached in _read_by_fields(asked, known, node, ctx):
                    yield value, reached
            yield from _rendered(node, module)
        case ast.Attribute(value=value, attr=attr, ctx=ast.Load()):
            parent = ctx.parent(node)
            called = isinstance(parent, ast.Call) and parent.func is node
            yield from _read(value, f"{attr}()" if called else attr, node, ctx)
        case ast.FormattedValue(value=value):
            yield from _read(value, "__repr__()" if node.conversion == ord("r") else "__str__()", value, ctx)


def _rendered(call: ast.Call, module: Module) -> Iterator[tuple[ast.expr, Reached]]:
    """The lazy loads of a template that a call renders, with the value that it gives it."""
    rendered = template_contexts.rendered_by(call, module)
    if rendered is None:
        return
    for variable, value in rendered.given:
        known = module.type_of(value) if _may_be_object(value) else None
        if known is not None and known.kind is Kind.INSTANCE:
            for use in template_uses(rendered.template, (variable,), module):
                for found in _asked(use, known, module):
                    yield value, replace(found, name=rendered.template)


def _asked(use: TemplateUse, given: Type, module: Module) -> Iterator[Reached]:
    """The lazy loads on the way from a value to what a template asks of it."""
    current: Type | None = given
    for position, name in enumerate(use.path):
        if current is None or current.kind is not Kind.INSTANCE:
            return
        if name == ELEMENT:
            current = inference.element(module, current)
            continue
        if isinstance(current.fact, Loaded):
            relation = relation_of(current.name, name, module.modules)
            if relation is None:
                if position == len(use.path) - 1:
                    for found in _member_reads(current, name, module, 1, (), use.place):
                        yield replace(found, repeated=found.repeated or ELEMENT in use.path)
                return
            if relation.loads_on_read and not current.fact.has(name):
                place = replace(use.place, message=f"reads `{name}`")
                read = LazyRead(current.fact, current.name, relation)
                yield Reached(read, "", (place,), ELEMENT in use.path[:position])
                return
        current = inference.attribute(module, current, name)


def _repeats(read: LazyRead, given: Type, module: Module) -> bool:
    """Whether a read is of an element of a collection of the object that was given."""
    owner = loaded_object(given)
    known = len(owner.fact.path) if owner is not None and isinstance(owner.fact, Loaded) else 0
    steps = (relation_of(step.owner, step.name, module.modules) for step in read.loaded.path[known:])
    return any(step is not None and step.collection is True for step in steps)


def _may_be_object(node: ast.expr) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute, ast.Await, ast.Call, ast.Subscript, ast.NamedExpr))


def _read(value: ast.expr, name: str, node: ast.expr, ctx: Context) -> Iterator[tuple[ast.expr, Reached]]:
    """The lazy loads behind a property, proxy or method of the object that an expression is."""
    known = ctx.type_of(value) if _may_be_object(value) else None
    if known is None or not isinstance(known.fact, Loaded):
        return
    for found in _member_reads(known, name, ctx.module, 0, (), ctx.related(node, "")):
        yield value, found


def _member_reads(
    owner: Type, name: str, module: Module, depth: int, steps: tuple[Related, ...], here: Related
) -> Iterator[Reached]:
    """The lazy loads of reading a property or association proxy, or of calling a method (`"name()"`)."""
    info = module.modules.class_info(owner.name)
    if info is None:
        return
    plain = name.removesuffix("()")
    method = info.method(plain)
    if method is None and plain == "__str__" and not info.is_a(*_WITH_TEXT):
        method = info.method("__repr__")
    if method is None:
        relation = _proxied(info, plain) if plain == name else None
        found = relation_of(owner.name, relation, module.modules) if relation is not None else None
        if found is not None and found.loads_on_read and isinstance(owner.fact, Loaded):
            if not owner.fact.has(found.name):
                step = Related(here.path, here.start, f"`{plain}` stands for `{found.name}`")
                yield Reached(LazyRead(owner.fact, owner.name, found), plain, (*steps, step))
        return
    if method.is_property is (plain != name) or method.is_static or method.is_class_method:
        return
    declared = (*method.node.args.posonlyargs, *method.node.args.args)
    if declared:
        verb = "reads" if method.is_property else "calls"
        step = Related(here.path, here.start, f"{verb} `{_shown(method)}`")
        yield from _follow(uses(method, declared[0].arg), owner, depth + 1, (*steps, step), _shown(method))


def _shown(function: FunctionInfo) -> str:
    if function.owner is None:
        return function.node.name
    if function.node.name == "__init__":
        return function.owner.node.name
    return f"{function.owner.node.name}.{function.node.name}"


def _proxied(info: ClassInfo, name: str) -> str | None:
    """The relationship behind an association proxy."""
    found = info.member(name)
    if found is None or isinstance(found[1].node, FUNCTIONS) or found[1].path:
        return None
    match found[1].value:
        case ast.Call(func=func, args=[ast.Constant(value=str(relation)), *_]):
            return relation if library_name(func, found[0].module) == _PROXY else None
    return None


def _follow(
    summary: tuple[Use, ...], given: Type, depth: int, steps: tuple[Related, ...], name: str
) -> Iterator[Reached]:
    """The lazy loads of the uses of a value of which a type is known."""
    for use in summary:
        for found in _one(use, given, depth, steps):
            if found.read.relation.name not in use.loaded:
                yield Reached(found.read, name, found.steps, found.repeated or ELEMENT in use.path)


def _one(use: Use, given: Type, depth: int, steps: tuple[Related, ...]) -> Iterator[Reached]:
    module = use.module
    source = module.source
    here = Related(source.path, source.position(source.start(use.node)), "")
    current: Type | None = given
    for position, name in enumerate(use.path):
        if current is None or current.kind is not Kind.INSTANCE:
            return
        if name in (ELEMENT, _ITEM):
            current = inference.element(module, current)
            continue
        if not isinstance(current.fact, Loaded):
            return
        relation = relation_of(current.name, name, module.modules)
        if relation is None:
            if position == len(use.path) - 1 and depth < _DEEPEST:
                yield from _member_reads(current, name, module, depth, steps, here)
            return
        if relation.loads_on_read and not current.fact.has(name):
            # Every prefix of a path is a use of its own.
            if position == len(use.path) - 1 and use.callee is None and use.model is None:
                step = Related(here.path, here.start, f"reads `{name}`")
                yield Reached(LazyRead(current.fact, current.name, relation), "", (*steps, step))
            return
        current = inference.attribute(module, current, name)
    if current is None:
        return
    if use.callee is not None and depth < _DEEPEST:
        step = Related(here.path, here.start, f"calls `{use.callee.node.name}`")
        yield from _follow(uses(use.callee, use.parameter), current, depth + 1, (*steps, step), "")
    if use.model is not None:
        for model, read in validated_reads(use.model, current, module):
            step = Related(here.path, here.start, f"`{model.node.name}` reads `{read.relation.name}`")
            yield Reached(read, "", (*steps, step), _repeats(read, current, module))
