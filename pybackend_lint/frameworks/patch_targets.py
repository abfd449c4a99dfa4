"""What tests replace by `patch` and `monkeypatch.setattr`, looked up in the project's own modules."""

from __future__ import annotations

import ast
import builtins
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pybackend_lint.finding import Position, Related
from pybackend_lint.frameworks import testing
from pybackend_lint.project.import_graph import import_graph
from pybackend_lint.project.import_order import is_type_checking
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind

_BUILTINS = frozenset(dir(builtins))
_PLAIN_BASES = frozenset({"builtins.object", "typing.Generic", "abc.ABC"})
_MOST_FILES = 150  # that mention a name and are looked at
_MOST_DISTANCE = 2  # between a name that is missing and the one that was meant
_SETATTR = "pytest.MonkeyPatch.setattr"


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a call replaces: `name` of a module or class, as written in the literal `node`.

    `path` is the dotted path when it is written as one. `module` is the project module whose names are
    asked for first, `names` the names behind it, of which the last is replaced.
    """

    node: ast.Constant
    path: str | None
    module: Module
    names: tuple[str, ...]
    is_mock: bool  # by `unittest.mock`, which makes up built-in names of a module itself


@dataclass(frozen=True, slots=True)
class Missing:
    """A replaced name that does not exist: the one that was meant, if that is clear, and where to look."""

    near: str | None
    where: Related


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """A name that is replaced where nobody looks it up, and the imports that have copied it.

    `users` are pairs of a dotted path as the test would write it and the place of the import.
    """

    users: tuple[tuple[str, Related], ...]


def target(call: ast.Call, module: Module) -> Target | None:
    """The name of a project module that a call replaces; None where it may make the name up or is unclear."""
    match call.args:
        case [ast.Constant(value=str(written)) as node, *rest]:
            holder = None
        case [holder, ast.Constant(value=str(written)) as node, *rest]:
            pass
        case _:
            return None
    if any(k.arg in {None, "create", "raising"} for k in call.keywords) or any(
        isinstance(argument, ast.Starred) for argument in rest
    ):
        return None
    callee = testing.replacing_call(call, module)
    if callee is None or len(rest) > (1 if callee == _SETATTR else 3):
        return None
    if holder is None:
        found = None if callee.endswith(".object") else _by_path(written, module)
        if found is None or (callee == _SETATTR and len(rest) != 1):
            return None
        return Target(node, written, *found, is_mock=callee != _SETATTR)
    if callee not in {_SETATTR, "unittest.mock.patch.object"}:
        return None
    name = module.qualified_name(holder)
    index = module.modules
    if name is None or not isinstance(index, Index):
        return None
    home = index.module(name)
    if home is not None:
        return Target(node, None, home, (written,), callee != _SETATTR)
    info = index.class_info(name)
    if info is None or "." in (local := name.removeprefix(f"{info.module.name}.")):
        return None
    return Target(node, None, info.module, (local, written), callee != _SETATTR)


def _by_path(dotted: str, module: Module) -> tuple[Module, tuple[str, ...]] | None:
    """The longest prefix of a dotted path that is a module, and the names behind it, as `patch` takes it."""
    index = module.modules
    parts = dotted.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts) or not isinstance(index, Index):
        return None
    found = index.imported(index.path_of(module), 0, dotted)
    if found is None or not found[0].endswith(".py") or not found[1]:
        return None
    home = index.at(found[0], module)
    return (home, tuple(found[1])) if home is not None else None


def missing(found: Target) -> Missing | None:
    """The first name of a target that certainly does not exist."""
    home, names = found.module, found.names
    while names:
        name, *rest = names
        if name.startswith("__") or (found.is_mock and name in _BUILTINS and not rest):
            return None
        if not _has_name(home, name):
            return _missing_of_module(home, name) if not _is_open(home) else None
        qualified = home.export(name)
        if not rest or qualified is None:
            return None
        index = home.modules
        below = index.module(qualified)
        if below is None:
            info = index.class_info(qualified)
            return _missing_member(info, rest[0]) if info is not None else None
        if not below.source.path.endswith(".py"):
            return None
        home, names = below, tuple(rest)
    return None


def _has_name(module: Module, name: str) -> bool:
    """Whether a module has a name at run time, may have it, or has a file of that name beside it."""
    bindings = module.scope.bindings.get(name)
    if bindings:
        return any(not _only_for_types(binding.node, module) for binding in bindings)
    if module.export(name) is not None:
        return True
    index = module.modules
    assert isinstance(index, Index)
    path = index.path_of(module)
    if not path.endswith("__init__.py"):
        return False
    # Modules that are compiled or generated, or that cannot be parsed.
    return name in {entry.partition(".")[0] for entry in index.files.listing(os.path.dirname(path))}


def _only_for_types(node: ast.AST, module: Module) -> bool:
    child = node
    for ancestor in module.source.ancestors(node) if isinstance(node, ast.stmt) else ():
        if isinstance(ancestor, ast.If) and is_type_checking(ancestor.test) and child in ancestor.body:
            return True
        child = ancestor
    return False


def _is_open(module: Module) -> bool:
    """Whether a module may have names that its text does not bind."""
    data = module.source.data
    if "__getattr__" in module.scope.bindings or module.scope.stars:
        return True
    if any(isinstance(call.func, ast.Name) for call in module.source.calls.get("exec", ())):
        return True
    words = (b"globals()", b"vars()", b"sys.modules", b"modules[__name__]", b"__dict__")
    return any(word in data for word in words)


def _missing_of_module(module: Module, name: str) -> Missing | None:
    if name.endswith(("_pb2", "_pb2_grpc")) or name in {"_version", "version"}:
        return None
    index = module.modules
    assert isinstance(index, Index)
    where = Related(index.path_of(module), Position(1, 1), f"`{module.name}` has no `{name}`")
    return Missing(_near(name, module.scope.bindings), where)


def _missing_member(info: ClassInfo, name: str) -> Missing | None:
    """The member of a class that is missing; instances may have more, but a class is what is patched."""
    classes = [item for item in info.mro if isinstance(item, ClassInfo)]
    mangled = f"_{info.node.name.lstrip('_')}__"
    if name.startswith(mangled):
        name = f"__{name.removeprefix(mangled)}"
    elif name.startswith("__"):
        return None
    if not info.is_closed or not info.libraries <= _PLAIN_BASES:
        return None
    for item in classes:
        if item.node.keywords or item.node.decorator_list or item.member("__getattr__") is not None:
            return None
        if "__slots__" in item.scope.bindings:  # which makes members of its own
            return None
        if b"setattr(" in item.module.source.data:
            return None
    if info.member(name) is not None:
        return None
    # An attribute that only instances have is missing in the class as well.
    source = info.module.source
    where = Related(
        source.path, source.position(source.start(info.node)), f"`{info.node.name}` has no `{name}`"
    )
    members = {member for item in classes for member in item.scope.bindings}
    return Missing(_near(name, sorted(members)), where)


def _near(name: str, known: Iterable[str]) -> str | None:
    """The one name that differs least, by no more than can be a slip."""
    alike = [
        other
        for other in known
        if abs(len(other) - len(name)) <= _MOST_DISTANCE < len(name) // 2
        and testing.distance(name, other) <= _MOST_DISTANCE
    ]
    return alike[0] if len(alike) == 1 else None


# Names that were copied


def copies(found: Target, test: Module) -> Copies | None:
    """The imports that keep a replacement from having an effect; None where something may look the name up.

    The name is one of a module. Everything that reads it was imported by the test with
    `from module import name` at the top level of a module, so it holds the original for good.
    """
    index = test.modules
    if len(found.names) != 1 or not isinstance(index, Index):
        return None
    name = found.names[0]
    home = found.module
    qualified = home.export(name)
    bindings = home.exit_bindings(name)
    if qualified is None or len(bindings) != 1 or bindings[0].kind not in {"function", "class", "assign"}:
        return None
    if index.module(qualified) is not None or _reads(home, name) or _may_import_late(found.node, test):
        return None
    paths = files_with(index, test, name.encode())
    if len(paths) > _MOST_FILES:
        return None
    reachable = cache(lambda: import_graph(index).reachable(index.path_of(test)))
    users: list[tuple[Module, ast.ImportFrom, str]] = []
    for path in paths:
        other = index.at(path, test)
        if other is None:
            return None
        if other is home or (_is_named_as_test(path) and path not in reachable()):
            continue  # tests of other files do not run while this one does
        imports = _imports_by_value(other, name, qualified, home)
        if imports is None or _looks_up(other, name, qualified, home):
            return None
        if other is not test and not _is_test(path, index):
            users += imports
    named = [
        (_as_written(found, user.name, local), _place(user, statement, name))
        for user, statement, local in users
        if index.path_of(user) in reachable() and _reads(user, local)
    ]
    return Copies(tuple(named)) if named else None


def _is_named_as_test(path: str) -> bool:
    return os.path.basename(path).startswith("test_")


def _is_test(path: str, index: Index) -> bool:
    return is_test_file(path, index.layout.workspace_root(os.path.dirname(path)))


def _reads(module: Module, name: str) -> bool:
    """Whether a module uses a name of its own, which is looked up anew each time, or may do so by text."""
    return any(
        node.id == name and isinstance(node.ctx, ast.Load) for node in module.source.nodes(ast.Name)
    ) or any(isinstance(node.value, str) and node.value == name for node in _strings(module))


def _strings(module: Module) -> Iterator[ast.Constant]:
    for node in module.source.nodes(ast.Constant):
        if isinstance(node.value, str):
            holder = module.source.parent(node)
            statement = module.source.parent(holder) if holder is not None else None
            if isinstance(statement, ast.Assign) and any(
                isinstance(item, ast.Name) and item.id == "__all__" for item in statement.targets
            ):
                continue
            yield node


def _may_import_late(node: ast.AST, test: Module) -> bool:
    """Whether the test may import the code under test while the replacement is in place."""
    if b"reload" in test.source.data or b"import_module" in test.source.data:
        return True
    return any(
        test.source.enclosing_function(statement) is not None
        for cls in (ast.Import, ast.ImportFrom)
        for statement in test.source.nodes(cls)
    )


def _imports_by_value(
    module: Module, name: str, qualified: str, home: Module
) -> list[tuple[Module, ast.ImportFrom, str]] | None:
    """The statements at a module's top level that copy the name; None when one runs later or copies all."""
    found: list[tuple[Module, ast.ImportFrom, str]] = []
    index = module.modules
    assert isinstance(index, Index)
    for statement in module.source.nodes(ast.ImportFrom):
        for alias in statement.names:
            if alias.name == "*":
                files = import_graph(index).files_of(
                    index.path_of(module), statement.level, statement.module or ""
                )
                if index.path_of(home) in files:
                    return None
            if alias.name != name or _only_for_types(statement, module):
                continue
            local = alias.asname or name
            if module.name_of(local, statement) != qualified and module.export(local) != qualified:
                continue
            if module.source.enclosing_function(statement) is not None:
                return None
            found.append((module, statement, local))
    return found


def _looks_up(module: Module, name: str, qualified: str, home: Module) -> bool:
    """Whether a module may read the name from its own module when it runs."""
    for node in module.source.nodes(ast.Attribute):
        if node.attr == name and isinstance(node.ctx, ast.Load):
            known = module.qualified_name(node)
            if known == qualified:
                return True
            if known is None and isinstance(node.value, (ast.Name, ast.Call)):
                owner = module.type_of(node.value)
                if owner is None and not _is_parameter(node.value, module):
                    return True
                if owner is not None and owner.kind is Kind.MODULE:
                    return True
    ending = f".{name}"
    index = module.modules
    assert isinstance(index, Index)
    if _is_test(index.path_of(module), index):
        return False
    return any(
        node.value == name or str(node.value).endswith((ending, f":{name}")) for node in _strings(module)
    )


def _is_parameter(node: ast.expr, module: Module) -> bool:
    """Whether a name is a parameter or local variable: an object that was handed in, hardly a module."""
    if not isinstance(node, ast.Name):
        return False
    found = module.lookup(node.id, node)
    return found is not None and found[0].kind != "module"


def _as_written(found: Target, user: str, name: str) -> str:
    """The path of a name in the module `user`, as the test writes the paths of this project."""
    prefix = ""
    if found.path is not None:
        written = found.path.rpartition(".")[0]
        prefix = found.module.name.removesuffix(written)
    return f"{user.removeprefix(prefix)}.{name}"


def _place(module: Module, statement: ast.ImportFrom, name: str) -> Related:
    source = module.source
    return Related(
        source.path, source.position(source.start(statement)), f"imports `{name}` itself, not its module"
    )
