"""Classes and functions of the project: bases, members, parameters and results."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pybackend_lint.semantic import generics, lambdas
from pybackend_lint.semantic.circles import answered_once
from pybackend_lint.semantic.decorators import gives_coroutines, keeps, wrappers
from pybackend_lint.semantic.scopes import COMPREHENSIONS, FUNCTIONS, Binding, Function, Scope, parameters
from pybackend_lint.semantic.types import (
    NONE,
    Kind,
    Type,
    context_manager,
    coroutine,
    instance,
    join,
    with_facts,
)

if TYPE_CHECKING:
    from pybackend_lint.semantic.module import Module

Node = TypeVar("Node", bound=ast.AST)

_LIKE_LOOPS = frozenset({ast.Lambda, *COMPREHENSIONS})
_CONTEXT_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
# Decorators that give back a function with the same parameters and result.
_TRANSPARENT = frozenset(
    {
        "builtins.staticmethod", "builtins.classmethod", "abc.abstractmethod", "typing.override",
        "typing.final", "functools.wraps", "functools.cache", "functools.lru_cache",
        "django.db.transaction.atomic", "django.views.decorators.csrf.csrf_exempt", "warnings.deprecated",
        "typing_extensions.deprecated", "slowapi.Limiter.limit", "langfuse.observe", "sentry_sdk.trace",
        "backoff.on_exception", "backoff.on_predicate", "retry.retry", "stamina.retry", "tenacity.retry",
    }
)  # fmt: skip
_PROPERTIES = frozenset(
    {
        "builtins.property", "functools.cached_property", "django.utils.functional.cached_property",
        "sqlalchemy.ext.hybrid.hybrid_property", "werkzeug.utils.cached_property", "abc.abstractproperty",
    }
)  # fmt: skip


class FunctionInfo:
    """A function or method of the project."""

    def __init__(self, module: Module, node: Function, qualname: str, owner: ClassInfo | None) -> None:
        self.module = module
        self.node = node
        self.name = f"{module.name}.{qualname}"
        self.owner = owner

    @property
    def is_async(self) -> bool:
        """Whether it was written as `async def`."""
        return isinstance(self.node, ast.AsyncFunctionDef)

    @answered_once
    def decorators(self) -> tuple[str | None, ...]:
        """Qualified names of the decorators (of what is called, where it is a call); None where unknown."""
        names: list[str | None] = []
        for decorator in self.node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(target, ast.Attribute) and target.attr in {"setter", "getter", "deleter"}:
                names.append(f"builtins.property.{target.attr}")
                continue
            name = self.module.qualified_name(target)
            if isinstance(target, ast.Attribute):
                known = self.module.type_of(target)
                name = known.name if known is not None and known.kind is Kind.EXTERNAL else name
            names.append(name)
        return tuple(names)

    @answered_once
    def is_accessor(self) -> bool:
        """Whether it only adds a setter or an overload to an attribute that another function defines."""
        return any(
            name is not None
            and (name.startswith("builtins.property.") or name.endswith((".overload", ".dispatch")))
            for name in self.decorators
        )

    @answered_once
    def is_property(self) -> bool:
        """Whether reading the attribute calls it."""
        return any(name in _PROPERTIES for name in self.decorators)

    @answered_once
    def is_static(self) -> bool:
        """Whether it is a static method."""
        return "builtins.staticmethod" in self.decorators

    @answered_once
    def is_class_method(self) -> bool:
        """Whether its first parameter is the class."""
        return "builtins.classmethod" in self.decorators or self.node.name in {
            "__init_subclass__", "__class_getitem__", "__new__",
        }  # fmt: skip

    def own_nodes(self) -> list[ast.AST]:
        """The nodes of the body that run in this function itself, in no particular order.

        Bodies of comprehensions are included, and those of lambdas that are called for every item of
        something at once; those of nested functions, other lambdas and classes are not.
        """
        source = self.module.source
        found: list[ast.AST] = []
        pending: list[ast.AST] = [self.node]
        while pending:
            nodes = source.scope_nodes(pending.pop())
            found.extend(nodes)
            inner = [node for node in nodes if node.__class__ in _LIKE_LOOPS]
            pending += [
                node
                for node in inner
                if not isinstance(node, ast.Lambda) or lambdas.runs_at_once(node, source)
            ]
        return found

    @cached_property
    def _own_scopes(self) -> list[ast.AST]:
        """The nodes that open the scopes whose nodes run in this function: itself and those like loops."""
        source = self.module.source
        kinds = [kind for kind in COMPREHENSIONS if kind in source.types]
        has_lambdas = ast.Lambda in source.types
        found: list[ast.AST] = [self.node]
        for opener in found:
            for kind in kinds:
                found.extend(source.in_scope(kind, opener))
            if has_lambdas:
                within = source.in_scope(ast.Lambda, opener)
                found.extend(node for node in within if lambdas.runs_at_once(node, source))
        return found

    def own(self, cls: type[Node]) -> list[Node]:
        """The `own_nodes` of exactly this type."""
        source = self.module.source
        scopes = self._own_scopes
        if len(scopes) == 1:
            return source.in_scope(cls, self.node)
        return [node for opener in scopes for node in source.in_scope(cls, opener)]

    @cached_property
    def yields(self) -> list[ast.expr | None]:
        """The values it yields (None for `yield from`); empty for a function that is no generator."""
        source = self.module.source
        found: list[ast.expr | None] = [node.value for node in source.in_scope(ast.Yield, self.node)]
        found.extend(None for _ in source.in_scope(ast.YieldFrom, self.node))
        return found

    @cached_property
    def returned(self) -> list[ast.expr | None]:
        """The values of its `return` statements, None for a bare `return`."""
        return [node.value for node in self.module.source.in_scope(ast.Return, self.node)]

    @answered_once
    def is_transparent(self) -> bool:
        """Whether calling the decorated name has the result of the function itself, as far as is known."""
        return all(
            name in _TRANSPARENT or name in _PROPERTIES or self._is_kept_by(name, isinstance(node, ast.Call))
            for node, name in zip(self.node.decorator_list, self.decorators, strict=True)
        )

    @property
    def stays_coroutine(self) -> bool:
        """Whether calling the decorated name of an `async def` gives a coroutine, whatever its result is."""
        return self.is_transparent or all(
            name in _TRANSPARENT or self._is_replaced_by_coroutine(name, isinstance(node, ast.Call))
            for node, name in zip(self.node.decorator_list, self.decorators, strict=True)
        )

    def _is_replaced_by_coroutine(self, decorator: str | None, called: bool) -> bool:
        known = self.module.modules.function_info(decorator) if decorator is not None else None
        return known is not None and (
            keeps(known, self, called=called) or gives_coroutines(known, called=called)
        )

    def _is_kept_by(self, decorator: str | None, called: bool) -> bool:
        known = self.module.modules.function_info(decorator) if decorator is not None else None
        return known is not None and keeps(known, self, called=called)

    @answered_once
    def wrappers(self) -> tuple[FunctionInfo, ...] | None:
        """What `decorators.wrappers` says of this function, where it is a decorator."""
        return wrappers(self)

    def parameters(self) -> Iterator[tuple[ast.arg, ast.expr | None]]:
        """The named parameters with their defaults, `self` and `cls` included."""
        return parameters(self.node.args)

    def body_type(self) -> Type | None:
        """What the body returns, before `async`, generators and decorators change it."""
        if self.node.returns is not None:
            annotated = self.module.annotation_type(self.node.returns, self.node)
            if annotated is not None:
                return (
                    with_facts(annotated, self._returned_type())
                    if self._carries_facts(annotated)
                    else annotated
                )
        return self._returned_type()

    def _carries_facts(self, declared: Type) -> bool:
        """Whether a framework may know more of a value than its class: objects of classes, library values."""
        if declared.name.startswith(("builtins.", "typing.")):
            return any(part is not None and self._carries_facts(part) for part in declared.args)
        modules = self.module.modules
        return modules.class_info(declared.name) is not None or modules.provider(declared.name) is not None

    def _returned_type(self) -> Type | None:
        if not self.returned:
            return NONE
        types = [NONE if value is None else self.module.type_of(value) for value in self.returned]
        # An empty list beside another says nothing about elements.
        filled = [
            known
            for known, value in zip(types, self.returned, strict=True)
            if not isinstance(value, ast.List) or value.elts
        ]
        if filled and len(filled) < len(types):
            found = join(filled)
            if found is not None and found.is_instance("builtins.list"):
                return found
        return join(types)

    def yield_type(self) -> Type | None:
        """What a generator yields."""
        if self.node.returns is not None:
            annotated = self.module.annotation_type(self.node.returns, self.node)
            if annotated is not None and annotated.args:
                return annotated.args[0]
        return join(NONE if value is None else self.module.type_of(value) for value in self.yields)

    @answered_once
    def call_type(self) -> Type | None:
        """What a call gives: a coroutine for `async def`, the `as` target for a context manager."""
        return self.module.guarded(("call", id(self.node)), self._call_type)

    def call_type_for(self, receiver: Type) -> Type | None:
        """What a call gives for a receiver: as `call_type`, with type variables of the class replaced."""
        if not self.type_variables or not self.is_transparent or self.yields:
            return self.call_type
        found = generics.result(self, receiver)
        if found is None:
            return self.call_type
        if self._carries_facts(found):
            found = with_facts(found, self._returned_type())
        return coroutine(found) if self.is_async else found

    @answered_once
    def type_variables(self) -> frozenset[str]:
        """The names in the annotation of its result that stand for something else in each receiver."""
        return generics.variables_of(self)

    def _call_type(self) -> Type | None:
        if any(name in _CONTEXT_MANAGERS for name in self.decorators):
            return context_manager(self.yield_type()) if self.yields else None
        if not self.is_transparent:
            return None
        if self.yields:
            kind = "typing.AsyncIterator" if self.is_async else "typing.Iterator"
            return instance(kind, self.yield_type())
        return coroutine(self.body_type()) if self.is_async else self.body_type()


class ClassInfo:
    """A class of the project."""

    def __init__(self, module: Module, node: ast.ClassDef, qualname: str) -> None:
        self.module = module
        self.node = node
        self.name = f"{module.name}.{qualname}"

    def __repr__(self) -> str:
        return f"<class {self.name}>"

    @cached_property
    def scope(self) -> Scope:
        """The names bound in the class body."""
        return self.module.scope_of(self.node)

    @answered_once
    def bases(self) -> tuple[str | None, ...]:
        """Qualified names of the bases; a call's result is written `name()`; None where unknown."""
        return tuple(self.module.base_name(base) for base in self.node.bases)

    @answered_once
    def mro(self) -> tuple[ClassInfo | str, ...]:
        """The method resolution order as far as it is known: project classes and names of other bases.

        Bases of library classes that the frameworks declare are included.
        """
        result = self.module.guarded(("mro", id(self.node)), self._linearise)
        return result if result is not None else (self,)

    def _linearise(self) -> tuple[ClassInfo | str, ...]:
        sequences: list[list[ClassInfo | str]] = []
        direct: list[ClassInfo | str] = []
        for name in self.bases:
            if name is None:
                continue
            base = self.module.modules.class_info(name)
            if base is self:
                continue
            if base is not None:
                direct.append(base)
                sequences.append(list(base.mro))
            else:
                direct.append(name)
                sequences.append(list(self.module.modules.library_mro(name)))
        merged = _merge([*sequences, direct])
        if merged is None:
            flat = [item for sequence in sequences for item in sequence]
            merged = [item for i, item in enumerate(flat) if _key(item) not in {_key(o) for o in flat[:i]}]
        return (self, *merged)

    @answered_once
    def type_parameters(self) -> tuple[str, ...]:
        """The names of its type variables, in the order in which they are given values."""
        return generics.type_parameters(self)

    @answered_once
    def libraries(self) -> frozenset[str]:
        """Qualified names of all bases outside the project, however far away."""
        return frozenset(item for item in self.mro if isinstance(item, str))

    @answered_once
    def is_closed(self) -> bool:
        """Whether every base, at any distance, is a known class of the project or a named library class."""
        return all(isinstance(item, str) or None not in item.bases for item in self.mro)

    def is_a(self, *names: str) -> bool:
        """Whether one of these qualified names is this class or a base at any distance."""
        return any(_key(item) in names for item in self.mro)

    def members(self, name: str) -> Iterator[tuple[ClassInfo, list[Binding]]]:
        """The definitions of an attribute in class bodies, nearest class first."""
        for item in self.mro:
            if isinstance(item, ClassInfo):
                bindings = item.scope.bindings.get(name)
                if bindings:
                    yield item, bindings

    def member(self, name: str) -> tuple[ClassInfo, Binding] | None:
        """The nearest definition of an attribute in a class body; the last one where it is defined twice."""
        for owner, bindings in self.members(name):
            return owner, owner.effective(bindings)
        return None

    def effective(self, bindings: list[Binding]) -> Binding:
        """The binding that decides what an attribute of this class is: the last that is no accessor."""
        for binding in reversed(bindings):
            node = binding.node
            if not isinstance(node, FUNCTIONS) or not node.decorator_list:
                return binding
            if not self.module.function_info(node).is_accessor:
                return binding
        return bindings[-1]

    def method(self, name: str) -> FunctionInfo | None:
        """The method of this name, also inherited from project classes."""
        found = self.member(name)
        if found is None or not isinstance(found[1].node, FUNCTIONS):
            return None
        return found[0].module.function_info(found[1].node)

    def methods(self) -> Iterator[FunctionInfo]:
        """The functions defined in the body of this class itself."""
        for statement in self.node.body:
            if isinstance(statement, FUNCTIONS):
                yield self.module.function_info(statement)

    @cached_property
    def instance_attributes(self) -> dict[str, list[tuple[ast.expr | None, ast.expr | None]]]:
        """Attributes set on `self` in this class's own methods: name to (annotation, value) pairs."""
        found: dict[str, list[tuple[ast.expr | None, ast.expr | None]]] = {}
        for method in self.methods():
            arguments = [*method.node.args.posonlyargs, *method.node.args.args]
            if not arguments or method.is_static or method.is_class_method:
                continue
            this = arguments[0].arg
            source = self.module.source
            for declaration in source.in_scope(ast.AnnAssign, method.node):
                name = _attribute_of(declaration.target, this)
                if name is not None:
                    found.setdefault(name, []).append((declaration.annotation, declaration.value))
            for assignment in source.in_scope(ast.Assign, method.node):
                for target in assignment.targets:
                    for element, value in _flatten(target, assignment.value):
                        name = _attribute_of(element, this)
                        if name is not None:
                            found.setdefault(name, []).append((None, value))
            for change in source.in_scope(ast.AugAssign, method.node):
                name = _attribute_of(change.target, this)
                if name is not None:
                    found.setdefault(name, []).append((None, None))
        return found


def _attribute_of(target: ast.expr, this: str) -> str | None:
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == this:
        return target.attr
    return None


def _flatten(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """The parts of a target with what each is given, None where that is a part of something unknown."""
    if isinstance(target, (ast.Tuple, ast.List)):
        values: list[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
            if not any(isinstance(item, ast.Starred) for item in (*target.elts, *value.elts)):
                values = [*value.elts]
        for element, part in zip(target.elts, values, strict=True):
            yield from _flatten(element, part)
    else:
        yield target, value


def _key(item: ClassInfo | str) -> str:
    return item if isinstance(item, str) else item.name


def _merge(sequences: list[list[ClassInfo | str]]) -> list[ClassInfo | str] | None:
    """C3 linearisation; None when the orders contradict each other."""
    result: list[ClassInfo | str] = []
    rest = [list(sequence) for sequence in sequences if sequence]
    while rest:
        for sequence in rest:
            head = _key(sequence[0])
            if not any(head == _key(item) for other in rest for item in other[1:]):
                break
        else:
            return None
        chosen = sequence[0]
        result.append(chosen)
        rest = [
            remaining
            for remaining in ([item for item in other if _key(item) != _key(chosen)] for other in rest)
            if remaining
        ]
    return result
