"""What a function raises: its own exceptions and those of the functions it calls that nothing catches."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.finding import Related
from pybackend_lint.project.calls import call_sites, target
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module, Modules
from pybackend_lint.semantic.types import Kind

MAX_DEPTH = 5
_MODEL = "django.db.models.Model"
_MODEL_ERRORS = {
    "DoesNotExist": "django.core.exceptions.ObjectDoesNotExist",
    "MultipleObjectsReturned": "django.core.exceptions.MultipleObjectsReturned",
}
_ANY = ("builtins.Exception", "builtins.BaseException")


@dataclass(frozen=True, slots=True)
class Escape:
    """An exception that leaves a function: its qualified name and the calls down to the `raise`."""

    name: str
    steps: tuple[Related, ...]


def superclasses(name: str, modules: Modules) -> tuple[str, ...] | None:
    """The qualified names of an exception class and its bases; None where they are not all known."""
    owner, _, last = name.rpartition(".")
    base = _MODEL_ERRORS.get(last)
    if base is not None:
        model = modules.class_info(owner)
        if model is not None and model.is_a(_MODEL):
            return (name, *modules.library_mro(base))
    info = modules.class_info(name)
    if info is not None:
        if not info.is_closed:
            return None
        names = tuple(item.name if isinstance(item, ClassInfo) else item for item in info.mro)
        return names if "builtins.BaseException" in names else None
    found = modules.library_mro(name)
    return found if "builtins.BaseException" in found else None


def handled_names(handler: ast.ExceptHandler, module: Module) -> list[str | None]:
    """Qualified names of the exceptions that a handler catches; None for one that is not known."""
    if handler.type is None:
        return ["builtins.BaseException"]
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [_class_name(item, module) for item in caught]


def _class_name(node: ast.expr, module: Module) -> str | None:
    if isinstance(node, ast.Attribute) and node.attr in _MODEL_ERRORS:
        return module.qualified_name(node)  # each model has its own
    return _named_class(node, module)


def _named_class(node: ast.expr, module: Module) -> str | None:
    """The class that a name certainly is, not the one that a variable may hold."""
    known = module.type_of(node)
    if known is None or known.kind not in {Kind.CLASS, Kind.EXTERNAL} or known.receiver is not None:
        return None
    return known.name if module.qualified_name(node) == known.name else None


def raised_class(node: ast.Raise, module: Module) -> str | None:
    """The qualified name of the class that a statement certainly raises."""
    if node.exc is None:
        return None
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return _named_class(error, module)


def escapes(function: FunctionInfo, depth: int = 0) -> tuple[Escape, ...]:
    """The exceptions that can leave a function, each class once, its own before those of what it calls.

    Only what certainly can: unknown handlers count as catching, calls of unknown things raise nothing.
    """
    index = function.module.modules
    if not isinstance(index, Index):
        return ()
    return index.fact(
        ("escapes", function.module.name, id(function.node), depth), lambda: _escapes(function, depth)
    )


def _escapes(function: FunctionInfo, depth: int) -> tuple[Escape, ...]:
    found: dict[str, Escape] = {}
    for _, escape in sources(function, depth):
        found.setdefault(escape.name, escape)
    return tuple(found.values())


def sources(function: FunctionInfo, depth: int = 0) -> Iterator[tuple[ast.AST, Escape]]:
    """Where exceptions that can leave a function come from in its body: `raise` statements, then calls."""
    module = function.module
    for node in sorted(function.own(ast.Raise), key=lambda item: item.lineno):
        name = raised_class(node, module)
        if name is not None and leaves(node, name, function):
            yield node, Escape(name, (_place(node, module, f"raises `{name.rpartition('.')[2]}`"),))
    if depth >= MAX_DEPTH:
        return
    for site in call_sites(function):
        inner = target(site)
        if inner is None or inner is function or inner.yields or (inner.is_async and not site.awaited):
            continue
        if not inner.is_transparent or "tenacity.retry" in inner.decorators:
            continue  # tenacity raises an error of its own when it gives up
        for escape in escapes(inner, depth + 1):
            if leaves(site.node, escape.name, function):
                step = _place(site.node, module, f"calls `{inner.node.name}()`")
                yield site.node, Escape(escape.name, (step, *escape.steps))


def _place(node: ast.AST, module: Module, message: str) -> Related:
    source = module.source
    return Related(source.path, source.position(source.start(node)), message)


def leaves(node: ast.AST, name: str, function: FunctionInfo) -> bool:
    """Whether an exception of a class that is raised at a node certainly can leave the function."""
    module = function.module
    above = superclasses(name, module.modules)
    child: ast.AST = node
    for ancestor in module.source.ancestors(node):
        if ancestor is function.node:
            return True
        if isinstance(ancestor, (ast.Try, ast.TryStar)) and any(child is item for item in ancestor.body):
            for handler in ancestor.handlers:
                if _catches(handler, above, module) and not _raises_again(handler):
                    return False
        elif isinstance(ancestor, (ast.With, ast.AsyncWith)) and any(
            _may_suppress(item.context_expr, module) for item in ancestor.items
        ):
            return False
        child = ancestor
    return True


def _catches(handler: ast.ExceptHandler, above: tuple[str, ...] | None, module: Module) -> bool:
    caught = handled_names(handler, module)
    if above is None or None in caught:
        return True
    return any(name in above for name in caught) or any(
        name is not None and superclasses(name, module.modules) is None for name in caught
    )


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(statement, ast.Raise) and statement.exc is None for statement in handler.body)


def _may_suppress(manager: ast.expr, module: Module) -> bool:
    """Whether a context manager may swallow exceptions: `suppress`, or one of the project."""
    if not isinstance(manager, ast.Call):
        return False
    name = module.qualified_name(manager.func) or ""
    return name.endswith((".suppress", ".raises")) or module.modules.owns(name)


def hidden_handlers(
    block: ast.Try | ast.TryStar, module: Module
) -> Iterator[tuple[ast.ExceptHandler, str, ast.ExceptHandler, str]]:
    """The handlers that can never run: each with what it names, and the earlier one that catches the same."""
    for position, handler in enumerate(block.handlers):
        names = handled_names(handler, module)
        shadows: list[tuple[ast.ExceptHandler, str]] = []
        for name in names:
            above = superclasses(name, module.modules) if name is not None else None
            earlier = (
                (other, caught)
                for other in block.handlers[:position]
                for caught in handled_names(other, module)
                if above is not None and caught in above
            )
            found = next(earlier, None)
            if found is not None:
                shadows.append((found[0], str(found[1])))
        if names and len(shadows) == len(names):
            yield handler, str(names[0]), shadows[0][0], shadows[0][1]
