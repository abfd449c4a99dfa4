"""Light types: what is known for certain about the value of an expression."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from pybackend_lint.semantic.module import Module


class Kind(StrEnum):
    """What sort of thing a type describes.

    `EXTERNAL` is anything of a library that was reached by name only: class, function or variable.
    """

    INSTANCE = "instance"
    CLASS = "class"
    FUNCTION = "function"
    MODULE = "module"
    EXTERNAL = "external"


class Mergeable:
    """A fact that can tell what is left of it where another of its class may hold instead."""

    __slots__ = ()

    def either(self, other: Self) -> Self | None:
        """What is true of a value for which this fact or the other holds; None for nothing."""
        raise NotImplementedError


class Nameable:
    """A fact about a value of an unknown class, which can be told the class."""

    __slots__ = ()

    def named(self, name: str) -> Self:
        """The fact for a value of the class of a qualified name."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Type:
    """What an expression's value is.

    - `name`: qualified name of the class (`INSTANCE`, `CLASS`), function or module, or of the thing of
      a library; project names are those of `Module.name`.
    - `args`: generic arguments; by convention the first is what iterating or awaiting gives.
    - `receiver`: for a bound method, the value it is bound to.
    - `fact`: what a framework knows in addition, such as the relations a queryset has loaded.
    - `optional`: the value may also be None.
    """

    name: str
    kind: Kind = Kind.INSTANCE
    args: tuple[Type | None, ...] = ()
    receiver: Type | None = None
    fact: Hashable = None
    optional: bool = False

    def argument(self, index: int = 0) -> Type | None:
        """The generic argument at an index, None when there is none or it is unknown."""
        return self.args[index] if index < len(self.args) else None

    def is_instance(self, *names: str) -> bool:
        """Whether this is a value of exactly one of these classes."""
        return self.kind is Kind.INSTANCE and self.name in names


NONE = Type("builtins.None")
OBJECT = "builtins.object"
COROUTINE = "typing.Coroutine"
CONTEXT_MANAGER = "contextlib.AbstractContextManager"


def instance(name: str, *args: Type | None, fact: Hashable = None) -> Type:
    """A value of a class."""
    return Type(name, Kind.INSTANCE, args, fact=fact)


def class_object(name: str) -> Type:
    """A class itself."""
    return Type(name, Kind.CLASS)


def coroutine(result: Type | None) -> Type:
    """What calling an asynchronous function gives: awaiting it gives `result`."""
    return Type(COROUTINE, Kind.INSTANCE, (result,))


def context_manager(target: Type | None) -> Type:
    """A context manager whose `as` target is `target`."""
    return Type(CONTEXT_MANAGER, Kind.INSTANCE, (target,))


def join(types: Iterable[Type | None]) -> Type | None:
    """The type that all alternatives share, or None; a None among them makes it optional."""
    found: Type | None = None
    optional = False
    for item in types:
        if item is None:
            return None
        optional = optional or item.optional
        if item == NONE:
            optional = True
            continue
        bare = replace(item, optional=False) if item.optional else item
        if found is None:
            found = bare
        elif found != bare:
            fact = found.fact if found.fact == bare.fact else _either(found.fact, bare.fact)
            if (found.name, found.kind) != (bare.name, bare.kind) or (
                fact is None and found.fact != bare.fact
            ):
                return None
            same = len(found.args) == len(bare.args)
            args = tuple(join(pair) for pair in zip(found.args, bare.args, strict=True)) if same else ()
            found = replace(found, args=args, receiver=None, fact=fact)
    if found is None:
        return NONE if optional else None
    return replace(found, optional=True) if optional else found


def _either(one: Hashable, other: Hashable) -> Hashable:
    """What holds of a value of which either of two facts is true; None where nothing does."""
    return one.either(other) if isinstance(one, Mergeable) and type(one) is type(other) else None


def with_facts(declared: Type, value: Type | None) -> Type:
    """A declared type with what the frameworks know of the value itself, where both are of one class.

    The elements of containers are refined likewise: a function declared to give a `Sequence[Order]`
    gives the orders that its query has loaded. So are the parts of tuples, such as a page and a total.
    """
    if value is None or value.kind is not declared.kind:
        return declared
    if value.name == OBJECT and isinstance(value.fact, Nameable):
        known = value.fact.named(declared.name)
        return replace(declared, fact=known, optional=declared.optional or value.optional)
    if value.name == declared.name and (value.fact is not None or not any(declared.args)):
        return replace(value, optional=declared.optional or value.optional)
    item, found = declared.argument(), value.argument()
    if len(declared.args) == 1 and item and found and found.name in (item.name, OBJECT):
        return replace(declared, args=(with_facts(item, found),))
    if declared.name == value.name == "builtins.tuple" and len(declared.args) == len(value.args):
        pairs = zip(declared.args, value.args, strict=True)
        return replace(declared, args=tuple(one and with_facts(one, other) for one, other in pairs))
    return declared


class Provider(Protocol):
    """What a framework tells type inference about its own names.

    Every answer is None where the framework has nothing to say.
    """

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """The value of a call whose callee is the framework's."""

    def attribute(self, value: Type, name: str, module: Module) -> Type | None:
        """An attribute of a framework's value or class, or of a project class that inherits from it."""

    def subscript(self, value: Type, index: ast.expr, module: Module) -> Type | None:
        """The value of a subscription of a framework's value."""

    def parameter(self, argument: ast.arg, default: ast.expr, module: Module) -> Type | None:
        """The type of a parameter without annotation whose default the framework understands."""
