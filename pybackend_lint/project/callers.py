"""Who calls a function: the calls in its own file and in those of the project that can know its name."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind
from pybackend_lint.source import last_name

_MOST_FILES = 40


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """One call of a project function, and the function in whose body it stands (None for a module's)."""

    call: ast.Call
    module: Module
    function: FunctionInfo | None

    def related(self) -> Related:
        """The call as a related location of a finding."""
        source = self.module.source
        name = last_name(self.call.func)
        return Related(source.path, source.position(source.start(self.call)), f"calls `{name}`")


def callers(function: FunctionInfo) -> tuple[Caller, ...]:
    """The calls that certainly run a function, in the order of files and lines; not those of tests.

    Constructors count as calls of `__init__`. A file is looked at when it mentions the name and the module,
    package or class that the function is of. Empty as well where too many files do.
    """
    index = function.module.modules
    if not isinstance(index, Index):
        return ()
    return index.fact(
        ("callers", function.module.name, id(function.node)), lambda: tuple(_callers(function, index))
    )


def _callers(function: FunctionInfo, index: Index) -> Iterator[Caller]:
    owner = function.owner
    is_constructor = owner is not None and function.node.name == "__init__"
    name = owner.node.name if owner is not None and is_constructor else function.node.name
    home = function.module
    root = index.layout.project_root(os.path.dirname(index.path_of(home)))
    mentions = {*home.name.split(".")[-2:], *({owner.node.name} if owner is not None else ())}
    knowing = {path for word in sorted(mentions) for path in files_with(index, home, word.encode())}
    own = index.path_of(home)
    paths = {
        path
        for path in files_with(index, home, name.encode())
        if path in knowing and not is_test_file(path, root)
    } | {own}
    if len(paths) > _MOST_FILES:
        return
    for path in sorted(paths):
        module = home if path == own else index.at(path, home)
        if module is None:
            continue
        calls = module.source.calls.get(name, ())
        for call in sorted(calls, key=lambda item: (item.lineno, item.col_offset)):
            known = module.type_of(call.func)
            if known is None:
                continue
            if is_constructor and owner is not None:
                is_call = known.kind is Kind.CLASS and known.name == owner.name
            else:
                is_call = known.kind is Kind.FUNCTION and known.name == function.name
            if is_call:
                yield Caller(call, module, module.function_around(call))


def arguments(call: ast.Call, function: FunctionInfo, module: Module) -> dict[str, ast.expr] | None:
    """The arguments of a call of a project function by the names of its parameters.

    None where some are unpacked; parameters that get no argument are absent.
    """
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None
    parameters = function.node.args
    names = [item.arg for item in (*parameters.posonlyargs, *parameters.args)]
    if function.owner is not None and not function.is_static:
        receiver = module.type_of(call.func.value) if isinstance(call.func, ast.Attribute) else None
        by_class = receiver is not None and receiver.kind is Kind.CLASS
        if not by_class or function.is_class_method or function.node.name == "__init__":
            names = names[1:]
    given = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        given[keyword.arg] = keyword.value
    return given


def depends_on_arguments(node: ast.expr, function: FunctionInfo) -> bool:
    """Whether tests of a function's parameters decide that it comes to a node."""
    source = function.module.source
    arguments = function.node.args
    names = {item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    tests: list[ast.expr] = [
        test.test
        for test in source.in_scope(ast.If, function.node)
        if test.lineno < node.lineno and isinstance(test.body[-1], ast.Return)
    ]
    for around in source.ancestors(node):
        if around is function.node:
            break
        if isinstance(around, (ast.If, ast.While, ast.IfExp)):
            tests.append(around.test)
        elif isinstance(around, ast.BoolOp):
            tests.append(around)
    parts = (part for test in tests for part in ast.walk(test))
    return any(isinstance(part, ast.Name) and part.id in names - {"self", "cls"} for part in parts)
