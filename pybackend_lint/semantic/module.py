"""One module as the rest of the project sees it: its names, definitions and the types of its expressions."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Protocol, TypeVar, cast

from pybackend_lint.semantic import inference
from pybackend_lint.semantic.circles import Circles
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.lambdas import runs_at_once
from pybackend_lint.semantic.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    Binding,
    Function,
    Scope,
    at_exit,
    build_scope,
    is_unbound_yet,
    reaching,
    star_exports,
)
from pybackend_lint.semantic.types import Kind, Provider, Type
from pybackend_lint.source import Source, last_name

_BUILTINS = frozenset(dir(builtins))
_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "builtins.ImportError"})
_OPEN = object()
_MAX_DEPTH = 40  # of expressions that need each other's types, before the innermost is asked first

Value = TypeVar("Value")


class _TooDeep(Exception):
    """An expression's type needs too many others to be answered on top of them."""

    def __init__(self, module: Module, node: ast.expr, key: int | tuple[int, str]) -> None:
        super().__init__()
        self.asked = module, node, key


class Modules(Protocol):
    """What a module may ask of the other modules of the project and of the frameworks."""

    circles: Circles

    def canonical(self, dotted: str, asker: Module) -> str:
        """The qualified name that a dotted name, as written in `asker`, leads to."""

    def imported_name(self, dotted: str, name: str, asker: Module) -> str:
        """The qualified name that `from dotted import name`, as written in `asker`, leads to."""

    def submodule(self, package: Module, name: str) -> Module | None:
        """A module directly below a package."""

    def import_module(self, dotted: str, asker: Module) -> Module | None:
        """The project module that an absolute dotted name means in `asker`."""

    def module(self, name: str) -> Module | None:
        """The project module of a qualified name."""

    def owns(self, name: str) -> bool:
        """Whether a qualified name is of the project."""

    def relative(self, asker: Module, level: int, dotted: str) -> str | None:
        """The qualified name of a relative import's module; None when it leaves the project."""

    def class_info(self, name: str) -> ClassInfo | None:
        """The project class of a qualified name."""

    def function_info(self, name: str) -> FunctionInfo | None:
        """The project function or method of a qualified name."""

    def variable(self, name: str) -> tuple[Module, Binding] | None:
        """The assignment that binds a module variable of the project, when there is exactly one."""

    def variable_bindings(self, name: str) -> tuple[Module, list[Binding]] | None:
        """All assignments that may bind a module variable of the project."""

    def member_name(self, owner: str, name: str) -> str:
        """The qualified name of an attribute of a project module or class, or of a library's name."""

    def provider(self, name: str) -> Provider | None:
        """The framework that knows a qualified name outside the project."""

    def library_mro(self, name: str) -> tuple[str, ...]:
        """A library class and the bases of it that matter, nearest first."""


class Module:
    """One module: everything is computed when asked for, once.

    `name` is unique in the workspace: it is the path below the workspace's root with dots.
    """

    def __init__(self, name: str, source: Source, modules: Modules, *, is_package: bool) -> None:
        self.name = name
        self.source = source
        self.modules = modules
        self.is_package = is_package
        self._scopes: dict[int, Scope] = {}
        self._types: dict[int | tuple[int, str], Type | int | None] = {}  # depths of what is under way
        self._bound: dict[Binding, Type | int | None] = {}
        self._lookups: dict[tuple[int, str], tuple[Scope, list[Binding], bool] | None] = {}
        self._names: dict[int, str | int | None] = {}
        self._exports: dict[str, str | int | None] = {}
        self._imports: dict[Binding, str | None] = {}
        self._classes: dict[int, ClassInfo] = {}
        self._functions: dict[int, FunctionInfo] = {}
        self._under_way: dict[Hashable, int] = {}

    def __repr__(self) -> str:
        return f"<module {self.name}>"

    @property
    def package(self) -> str:
        """The name of the package this module belongs to."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def guarded(self, key: Hashable, compute: Callable[[], Value]) -> Value | None:
        """The value, or None when computing it needs the same value again."""
        return self.modules.circles.ask(self._under_way, key, compute)

    def forget(self, *, keep_source: bool = False) -> None:
        """Give back all memory; the module cannot be used any more, nor its source unless it is kept.

        Modules, definitions and scopes refer to each other, so that it would take a run of the
        garbage collector otherwise, which is off in long runs.
        """
        for info in (*self._classes.values(), *self._functions.values()):
            info.__dict__.clear()
        if not keep_source:
            self.source.__dict__.clear()
        self.__dict__.clear()

    # Scopes

    def scope_of(self, node: ast.AST) -> Scope:
        """The scope that a module, class, function, lambda or comprehension opens."""
        scope = self._scopes.get(id(node))
        if scope is None:
            scope = self._scopes[id(node)] = build_scope(self.source, node)
        return scope

    @cached_property
    def scope(self) -> Scope:
        """The scope of the module itself."""
        return self.scope_of(self.source.tree)

    def lookup(self, name: str, use: ast.AST) -> tuple[Scope, list[Binding]] | None:
        """The scope in which a name is found from a use, and the bindings that may reach it.

        None for built-in and unbound names.
        """
        key = (self.source.scope_index(use), name)
        known = self._lookups.get(key, _OPEN)
        if known is _OPEN:
            known = self._lookups[key] = self._found(*key)
        if known is None:
            return None
        scope, bindings, ordered = cast("tuple[Scope, list[Binding], bool]", known)
        if not ordered:
            return scope, bindings
        if scope.kind == "class" and is_unbound_yet(scope, name, use):
            return self.lookup(name, scope.node)
        reached = reaching(self.source, scope, name, use)
        return scope, self.preferred(reached) if scope.kind == "module" else reached

    def _found(self, index: int, name: str) -> tuple[Scope, list[Binding], bool] | None:
        """The scope and bindings of a name in a numbered scope, and whether the place of the use matters."""
        source = self.source
        direct = True  # whether the use runs when the scope's own body runs
        only_global = False
        while index > 0:
            opener, outer = source.scope_opener(index)
            is_class = isinstance(opener, ast.ClassDef)
            if not only_global and (direct or not is_class):
                scope = self.scope_of(opener)
                declared = scope.outer.get(name)
                if declared == "global":
                    only_global = True
                elif declared is None and name in scope.bindings:
                    bindings = scope.bindings[name]
                    return scope, bindings, direct and (is_class or len(bindings) > 1)
            direct = direct and isinstance(opener, COMPREHENSIONS)
            index = outer
        scope = self.scope
        bindings = scope.bindings.get(name, [])
        if not bindings:
            return None
        if direct and len(bindings) > 1:
            return scope, bindings, True
        return scope, self.preferred(at_exit(scope, name)), False

    def preferred(self, bindings: list[Binding]) -> list[Binding]:
        """Without the alternatives for a failed import or for run time next to `TYPE_CHECKING`."""
        if len(bindings) < 2:
            return bindings
        kept = [binding for binding in bindings if not self._is_fallback(binding)]
        return kept or bindings

    def _is_fallback(self, binding: Binding) -> bool:
        if not isinstance(binding.node, ast.stmt):
            return False
        child: ast.AST = binding.node
        for ancestor in self.source.ancestors(binding.node):
            if isinstance(ancestor, ast.ExceptHandler):
                names = ancestor.type.elts if isinstance(ancestor.type, ast.Tuple) else [ancestor.type]
                if any(isinstance(n, ast.Name) and n.id in _IMPORT_ERRORS for n in names):
                    try_body = cast(ast.Try, self.source.parent(ancestor)).body
                    return any(isinstance(s, (ast.Import, ast.ImportFrom)) for s in try_body)
            elif isinstance(ancestor, ast.If):
                if child in ancestor.orelse and _is_type_checking(ancestor.test):
                    return True
            elif isinstance(ancestor, (*FUNCTIONS, ast.ClassDef)):
                break
            child = ancestor
        return False

    # Definitions

    def qualname(self, node: ast.AST) -> str:
        """The dotted path of a class or function inside the module."""
        parts = [cast(ast.ClassDef, node).name]
        index = self.source.scope_index(node)
        while index > 0:
            opener, index = self.source.scope_opener(index)
            parts.append(getattr(opener, "name", "<lambda>"))
        return ".".join(reversed(parts))

    def class_named(self, node: ast.AST) -> ClassInfo | None:
        """The project class that a name or attribute refers to."""
        name = self.qualified_name(node)
        return self.modules.class_info(name) if name is not None else None

    def function_called(self, call: ast.Call) -> FunctionInfo | None:
        """The project function or method that a call calls; None for classes and everything else."""
        callee = self.type_of(call.func)
        if callee is None or callee.kind is not Kind.FUNCTION:
            return None
        return self.modules.function_info(callee.name)

    def class_info_of(self, node: ast.ClassDef) -> ClassInfo:
        """The class that a statement of this module defines."""
        info = self._classes.get(id(node))
        if info is None:
            info = self._classes[id(node)] = ClassInfo(self, node, self.qualname(node))
        return info

    def function_info(self, node: Function) -> FunctionInfo:
        """The function that a statement of this module defines."""
        info = self._functions.get(id(node))
        if info is None:
            opener, _ = self.source.scope_opener(self.source.scope_index(node))
            owner = self.class_info_of(opener) if isinstance(opener, ast.ClassDef) else None
            info = self._functions[id(node)] = FunctionInfo(self, node, self.qualname(node), owner)
        return info

    def function_around(self, node: ast.AST) -> FunctionInfo | None:
        """The function in which a node runs: the innermost one, or the one that calls a lambda at once."""
        function = self.source.enclosing_function(node)
        while isinstance(function, ast.Lambda) and runs_at_once(function, self.source):
            function = self.source.enclosing_function(function)
        return self.function_info(function) if isinstance(function, FUNCTIONS) else None

    def exit_bindings(self, name: str) -> list[Binding]:
        """The bindings of a module-level name that hold once the module has run."""
        return self.preferred(at_exit(self.scope, name))

    def definition(self, path: str) -> Binding | None:
        """The one binding of a dotted path of classes and functions inside this module."""
        scope = self.scope
        parts = path.split(".")
        for index, part in enumerate(parts):
            bindings = self.preferred(at_exit(scope, part))
            if len(bindings) != 1:
                return None
            binding = bindings[0]
            if index == len(parts) - 1:
                return binding
            if not isinstance(binding.node, (*FUNCTIONS, ast.ClassDef)):
                return None
            scope = self.scope_of(binding.node)
        return None

    # Names

    @cached_property
    def exports_all(self) -> frozenset[str] | None:
        """The names of a literal `__all__`, or None."""
        return star_exports(self.source.tree)

    def export(self, name: str) -> str | None:
        """The qualified name that an attribute of this module leads to, or None when it has none."""
        return self.modules.circles.answer(self._exports, name, self._export, name)

    def _export(self, name: str) -> str | None:
        bindings = self.preferred(at_exit(self.scope, name))
        if bindings:
            names = {self._binding_name(self.scope, binding) for binding in bindings}
            return names.pop() if len(names) == 1 else f"{self.name}.{name}"
        if not name.startswith("_"):
            for star in reversed(self.scope.stars):
                found = self._star_export(star, name)
                if found is not None:
                    return found
        below = self.modules.submodule(self, name) if self.is_package else None
        return below.name if below is not None else None

    def _star_export(self, star: ast.ImportFrom, name: str) -> str | None:
        target = self._star_module(star)
        if target is None or (target.exports_all is not None and name not in target.exports_all):
            return None
        return target.export(name)

    def _star_module(self, star: ast.ImportFrom) -> Module | None:
        if star.level:
            name = self.modules.relative(self, star.level, star.module or "")
            return self.modules.module(name) if name else None
        return self.modules.import_module(star.module or "", self)

    def _from_name(self, statement: ast.ImportFrom, name: str) -> str | None:
        if statement.level:
            base = self.modules.relative(self, statement.level, statement.module or "")
            return self.modules.member_name(base, name) if base is not None else None
        return self.modules.imported_name(statement.module or "", name, self)

    def _binding_name(self, scope: Scope, binding: Binding) -> str | None:
        if binding.kind not in {"import", "from"}:
            return self._new_binding_name(scope, binding)
        known = self._imports.get(binding, _OPEN)
        if known is _OPEN:
            known = self._imports[binding] = self._new_binding_name(scope, binding)
            self.modules.circles.note(self._imports, binding)
        return cast("str | None", known)

    def _new_binding_name(self, scope: Scope, binding: Binding) -> str | None:
        node = binding.node
        match binding.kind:
            case "import":
                for alias in cast(ast.Import, node).names:
                    if alias.asname == binding.name:
                        return self.modules.canonical(alias.name, self)
                    if alias.asname is None and alias.name.partition(".")[0] == binding.name:
                        return self.modules.canonical(binding.name, self)
            case "from":
                statement = cast(ast.ImportFrom, node)
                for alias in statement.names:
                    if (alias.asname or alias.name) == binding.name:
                        return self._from_name(statement, alias.name)
            case "function" | "class":
                return f"{self.name}.{self.qualname(node)}"
            case "assign" if not binding.path and isinstance(binding.value, (ast.Name, ast.Attribute)):
                followed = self.guarded(
                    ("name", id(node)), lambda: self.qualified_name(cast(ast.AST, binding.value))
                )
                if followed == f"{self.name}.{binding.name}" and scope.kind == "module":
                    return self._first_of_circle(binding, followed)
                if followed is not None:
                    return followed
        if scope.kind == "module":
            return f"{self.name}.{binding.name}"
        if scope.kind == "class":
            return f"{self.name}.{self.qualname(scope.node)}.{binding.name}"
        return None

    def _first_of_circle(self, binding: Binding, name: str) -> str:
        """The name that all variables share which are set to each other: the first in alphabetical order."""
        module, names = self, [name]
        while True:
            value = binding.value
            owner = module.qualified_name(value.value) if isinstance(value, ast.Attribute) else module.name
            found = self.modules.variable(f"{owner}.{last_name(value)}")
            if found is None:
                return name
            module, binding = found
            if f"{module.name}.{binding.name}" in names:
                return min(names)
            names.append(f"{module.name}.{binding.name}")

    def qualified_name(self, node: ast.AST) -> str | None:
        """The dotted name of what a name or attribute refers to, or None when it is not certain.

        Project names start with `Module.name`; built-in names with `builtins`.
        """
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None
        key = id(node)
        known = self._names.get(key, _OPEN)
        if known is not _OPEN and known.__class__ is not int:
            return cast("str | None", known)
        return self.modules.circles.answer(self._names, key, self._qualified_name, node)

    def _qualified_name(self, node: ast.Name | ast.Attribute) -> str | None:
        if isinstance(node, ast.Name):
            return self.name_of(node.id, node)
        owner = self.qualified_name(node.value)
        return None if owner is None else self.modules.member_name(owner, node.attr)

    def name_of(self, name: str, use: ast.AST) -> str | None:
        """The qualified name that a bare name has at the place of `use`."""
        found = self.lookup(name, use)
        if found is None:
            for star in reversed(self.scope.stars):
                exported = self._star_export(star, name)
                if exported is not None:
                    return exported
            opaque = [star for star in self.scope.stars if self._star_module(star) is None]
            if name in _BUILTINS and not opaque:
                return f"builtins.{name}"
            if len(opaque) == 1 and len(self.scope.stars) == 1 and not opaque[0].level:
                return f"{opaque[0].module}.{name}"
            return None
        scope, bindings = found
        names = {self._binding_name(scope, binding) for binding in bindings}
        if len(names) == 1:
            return names.pop()
        return f"{self.name}.{name}" if scope.kind == "module" else None

    def base_name(self, base: ast.expr) -> str | None:
        """The qualified name of a base class; `name()` for the result of a library's call."""
        if isinstance(base, ast.Subscript):
            base = base.value
        if isinstance(base, ast.Call):
            return self._call_result_name(base)
        name = self.qualified_name(base)
        if name is not None and self.modules.class_info(name) is None:
            variable = self.modules.variable(name)
            if variable is not None:
                module, binding = variable
                if isinstance(binding.value, ast.Call):
                    return module._call_result_name(binding.value)
                return None
        if isinstance(base, ast.Attribute) and (name is None or self.modules.class_info(name) is None):
            known = self.type_of(base)
            if known is not None and known.kind in {Kind.EXTERNAL, Kind.CLASS}:
                return known.name
        return name

    def _call_result_name(self, call: ast.Call) -> str | None:
        callee = self.type_of(call.func)
        if callee is not None and callee.kind is Kind.EXTERNAL:
            return f"{callee.name}()"
        result = self.type_of(call)
        return result.name if result is not None and result.kind is Kind.CLASS else None

    # Types

    def type_of(self, node: ast.expr) -> Type | None:
        """The type of an expression's value, or None when it is not known for certain."""
        key: int | tuple[int, str] = id(node)
        if node.__class__ is ast.Name and not self._is_ordered(node):
            key = (node.scope_index, node.id)  # type: ignore[attr-defined]
        known = self._types.get(key, _OPEN)
        if known is not _OPEN and known.__class__ is not int:
            return cast("Type | None", known)
        circles = self.modules.circles
        nested = circles.types
        if nested == 0:
            return self._outermost_type(node, key)
        if nested > _MAX_DEPTH and known is _OPEN:
            raise _TooDeep(self, node, key)
        circles.types = nested + 1
        try:
            return circles.answer(self._types, key, inference.infer, self, node)
        finally:
            circles.types = nested

    def _outermost_type(self, node: ast.expr, key: int | tuple[int, str]) -> Type | None:
        """A type that no other type waits for: what is too deep below it is asked before it."""
        circles = self.modules.circles
        pending = [(self, node, key)]
        put_off = 0
        try:
            while True:
                module, asked, place = pending[-1]
                circles.types = 1
                mark = circles.mark()
                try:
                    result = circles.answer(module._types, place, inference.infer, module, asked)
                except _TooDeep as deep:
                    circles.put_off(module._types, place, mark)
                    put_off += 1
                    pending.append(deep.asked)
                    continue
                if not put_off:
                    return result
                pending.pop()
                module, _, place = pending[-1]
                circles.take_up(module._types, place)
                put_off -= 1
        finally:
            circles.types = 0
            for module, _, place in reversed(pending[:put_off]):
                circles.take_up(module._types, place)

    def _is_ordered(self, node: ast.Name) -> bool:
        """Whether what a name means depends on the place in its scope."""
        key = (self.source.scope_index(node), node.id)
        known = self._lookups.get(key, _OPEN)
        if known is _OPEN:
            known = self._lookups[key] = self._found(*key)
        return known is not None and cast("tuple[Scope, list[Binding], bool]", known)[2]

    def once(self, binding: Binding, compute: Callable[[], Type | None]) -> Type | None:
        """The type that a binding gives its name: computed once, None while it is computed."""
        return self.modules.circles.answer(self._bound, binding, compute)

    def annotation_type(self, annotation: ast.expr, use: ast.AST) -> Type | None:
        """The type of the values that an annotation describes; names are looked up at `use`."""
        return inference.annotated(self, annotation, use)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
