"""What stands in the place of methods that only say what they do: of abstract classes and of protocols."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator

from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS

_ABSTRACT = "abc.abstractmethod"
_PROTOCOLS = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
_MOST_MENTIONS = 60  # files; what more of them mention is no interface with one implementation


def is_placeholder(function: FunctionInfo) -> bool:
    """Whether a method is there to be replaced: it is abstract, or one of a protocol without a body.

    `__call__` of a protocol is not, for which functions stand in as well.
    """
    if _ABSTRACT in function.decorators:
        return True
    owner, node = function.owner, function.node
    return owner is not None and node.name != "__call__" and _is_protocol(owner) and _is_stub(node.body)


def implementation(function: FunctionInfo) -> FunctionInfo | None:
    """The only method of the project, tests aside, that stands in the place of a placeholder.

    It is one of a subclass, or of a class that has all members of a protocol with the same parameters.
    """
    index = function.module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("implementation", function.module.name, id(function.node)), lambda: _find_implementation(function)
    )


def _is_protocol(info: ClassInfo) -> bool:
    return not _PROTOCOLS.isdisjoint(info.bases)


def _is_stub(body: list[ast.stmt]) -> bool:
    """Whether a body only documents: a text, `...`, `pass` or `raise NotImplementedError`."""
    return all(
        isinstance(statement, (ast.Pass, ast.Raise))
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in body
    )


def _find_implementation(function: FunctionInfo) -> FunctionInfo | None:
    name, owner = function.node.name, function.owner
    if owner is None:
        return None
    found: dict[str, FunctionInfo] = {}
    pending = [owner]
    seen = {owner.name}
    while pending:
        above = pending.pop()
        below = _subclasses(above, function.module)
        if below is None:
            return None
        for info in below:
            if info.name not in seen:
                seen.add(info.name)
                pending.append(info)
                own = [method for method in info.methods() if method.node.name == name]
                found.update({method.name: method for method in own if not is_placeholder(method)})
    if _is_protocol(owner) and len(found) < 2:
        alike = _lookalikes(function, owner)
        if alike is None:
            return None
        found.update({method.name: method for method in alike})
    return found.popitem()[1] if len(found) == 1 else None


def _subclasses(above: ClassInfo, asker: Module) -> list[ClassInfo] | None:
    """The classes directly below a class, those of tests aside; None where too many files mention it."""
    return _classes(above.node.name.encode(), asker, lambda info: above.name in info.bases)


def _lookalikes(function: FunctionInfo, protocol: ClassInfo) -> list[FunctionInfo] | None:
    """The methods that classes define in the place of one of a protocol, of which they have all members."""
    name = function.node.name

    def fits(info: ClassInfo) -> bool:
        defined = any(isinstance(item, FUNCTIONS) and item.name == name for item in info.node.body)
        return defined and not _is_protocol(info) and _has_members(info, protocol)

    found = _classes(b"def " + name.encode(), function.module, fits)
    if found is None:
        return None
    methods = [info.method(name) for info in found]
    return [method for method in methods if method is not None and not is_placeholder(method)]


def _classes(text: bytes, asker: Module, wanted: Callable[[ClassInfo], bool]) -> list[ClassInfo] | None:
    """The classes of a kind in files with a text, those of tests aside; None where too many files have it."""
    index = asker.modules
    assert isinstance(index, Index)
    root = index.layout.workspace_root(index.layout.project_root(os.path.dirname(index.path_of(asker))))
    paths = files_with(index, asker, text)
    if len(paths) > _MOST_MENTIONS:
        return None
    found: list[ClassInfo] = []
    for path in paths:
        if is_test_file(path, root):
            continue
        module = index.at(path, asker)
        if module is None:
            return None
        found += filter(wanted, map(module.class_info_of, module.source.nodes(ast.ClassDef)))
    return found


def _has_members(info: ClassInfo, protocol: ClassInfo) -> bool:
    for name, method in _members(protocol):
        own = info.method(name)
        if method is None or method.is_property:
            if info.member(name) is None and not any(
                name in item.instance_attributes for item in info.mro if isinstance(item, ClassInfo)
            ):
                return False
        elif own is None or own.is_async is not method.is_async or not _takes(own, method):
            return False
    return True


def _members(protocol: ClassInfo) -> Iterator[tuple[str, FunctionInfo | None]]:
    """The names that a protocol and those it extends ask for, with the methods among them."""
    for item in protocol.mro:
        if isinstance(item, ClassInfo) and _is_protocol(item):
            for name, bindings in item.scope.bindings.items():
                is_method = any(isinstance(binding.node, FUNCTIONS) for binding in bindings)
                if not (name.startswith("__") and name.endswith("__") and not is_method):
                    yield name, item.method(name) if is_method else None


def _takes(method: FunctionInfo, wanted: FunctionInfo) -> bool:
    """Whether a method takes the parameters of another by the same places and names, and asks for no more."""
    own, asked = method.node.args, wanted.node.args
    places = [item.arg for item in [*own.posonlyargs, *own.args][1:]]
    asked_places = [item.arg for item in [*asked.posonlyargs, *asked.args][1:]]
    asked_names = {item.arg for item in asked.kwonlyargs}
    if own.vararg is None and places[: len(asked_places)] != asked_places:
        return False
    if own.kwarg is None and not asked_names <= {*places, *(item.arg for item in own.kwonlyargs)}:
        return False
    asked_names.update(asked_places)
    return all(
        default is not None or parameter.arg in asked_names
        for parameter, default in [*method.parameters()][1:]
    )
