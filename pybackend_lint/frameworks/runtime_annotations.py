"""Facts about annotations that frameworks evaluate when the program runs, and the imports they need then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import fastapi, pydantic, sqlalchemy_mapping
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.import_removal import is_type_checking, local_name
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding, Function

_LITERAL = frozenset({"typing.Literal", "typing_extensions.Literal"})
_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})
_VALIDATED_CALL = frozenset({"pydantic.validate_call", "pydantic.validate_arguments"})
_MOST_MODULES = 300

Import = ast.Import | ast.ImportFrom


@dataclass(frozen=True, eq=False)
class Needed:
    """A name that only type checkers import, in an annotation that a framework evaluates.

    - `use`: the name, or the quoted annotation that contains it; `framework`: who evaluates it.
    - `statement`, `alias`: the import; `is_cyclic`: importing it at run time closes a cycle of modules.
    """

    name: str
    use: ast.expr
    framework: str
    statement: Import
    alias: ast.alias
    is_cyclic: bool


def needed_imports(block: ast.If, module: Module) -> Iterator[Needed]:
    """The imports of an `if TYPE_CHECKING:` block that the program needs, each at its first use."""
    if not is_type_checking(block) or module.source.parent(block) is not module.source.tree:
        return
    guarded: dict[str, tuple[Import, ast.alias]] = {}
    for statement in block.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            for alias in statement.names:
                name = local_name(statement, alias)
                if all(binding.node is statement for binding in module.scope.bindings.get(name, ())):
                    guarded[name] = (statement, alias)
    if not guarded:
        return
    seen: set[str] = set()
    for annotation, framework in sorted(
        _evaluated(module), key=lambda item: (item[0].lineno, item[0].col_offset)
    ):
        for name, use in _names(annotation, module):
            if name in guarded and name not in seen and _is_of_module(name, use, module):
                seen.add(name)
                statement, alias = guarded[name]
                yield Needed(name, use, framework, statement, alias, _closes_cycle(statement, alias, module))


@dataclass(frozen=True, eq=False)
class Unresolved:
    """A name of a function, in an annotation that FastAPI looks up in the module and does not find there.

    - `use`: the name in the annotation; `definition`: what binds it inside the function.
    """

    name: str
    use: ast.Name
    definition: ast.AST


def defers_annotations(statement: ast.ImportFrom) -> bool:
    """Whether a statement is `from __future__ import annotations`."""
    return statement.module == "__future__" and any(alias.name == "annotations" for alias in statement.names)


def unresolved_names(module: Module) -> Iterator[Unresolved]:
    """The names that FastAPI cannot resolve when the annotations of a module are texts, at their first use.

    FastAPI evaluates such a text with the names of the module alone. A parameter whose annotation stays
    unresolved becomes one of the query; a model that is the annotated result fails when it is serialised.
    """
    source = module.source
    functions: list[Function] = [*source.nodes(ast.FunctionDef), *source.nodes(ast.AsyncFunctionDef)]
    seen: set[int] = set()
    for node in sorted(functions, key=lambda function: function.lineno):
        if not isinstance(source.enclosing_function(node), FUNCTIONS) or not _names_locals(node, module):
            continue
        for annotation, framework in _of_function(module.function_info(node)):
            for use in ast.walk(annotation) if framework == "FastAPI" else ():
                if not isinstance(use, ast.Name):
                    continue
                binding = _local(use, module)
                if binding is None or id(binding.node) in seen:
                    continue
                if annotation is not node.returns or _is_model(use, module):
                    seen.add(id(binding.node))
                    yield Unresolved(binding.name, use, binding.node)


def _names_locals(node: Function, module: Module) -> bool:
    """Whether an annotation of a function names something that the function around it binds."""
    annotations = [argument.annotation for argument, _ in module.function_info(node).parameters()]
    return any(
        isinstance(use, ast.Name) and _local(use, module) is not None
        for annotation in (*annotations, node.returns)
        if annotation is not None
        for use in ast.walk(annotation)
    )


def _local(use: ast.Name, module: Module) -> Binding | None:
    """The binding of a name inside a function, when the module itself has no such name."""
    found = module.lookup(use.id, use)
    if found is None or found[0].kind != "function" or not found[1] or use.id in module.scope.bindings:
        return None
    return found[1][0]


def _is_model(node: ast.expr, module: Module) -> bool:
    info = module.class_named(node)
    return info is not None and pydantic.is_model(info)


def _is_of_module(name: str, use: ast.AST, module: Module) -> bool:
    found = module.lookup(name, use)
    return found is not None and found[0] is module.scope


def _evaluated(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """The annotations of a module that a framework evaluates, each with the name of the framework."""
    source = module.source
    for node in source.nodes(ast.ClassDef):
        info = module.class_info_of(node)
        if pydantic.is_model(info) or pydantic.is_v1_model(info):
            if not _is_rebuilt(info):
                yield from ((field.annotation, "Pydantic") for field in _fields(info))
        elif sqlalchemy_mapping.is_mapped(info):
            yield from ((annotation, "SQLAlchemy") for annotation in _columns(info))
    functions: list[Function] = [*source.nodes(ast.FunctionDef), *source.nodes(ast.AsyncFunctionDef)]
    for function in functions:
        yield from _of_function(module.function_info(function))


def _fields(info: ClassInfo) -> Iterator[pydantic.Field]:
    for field in pydantic.own_fields(info):
        # a relationship of SQLModel is resolved by the registry of the models
        value = field.default
        if isinstance(value, ast.Call) and info.module.qualified_name(value.func) == "sqlmodel.Relationship":
            continue
        if "SkipValidation" not in info.module.source.segment(field.annotation):
            yield field


def _is_rebuilt(info: ClassInfo) -> bool:
    """Whether some file completes the model once the names are known, or may do so for all models."""
    index, module = info.module.modules, info.module
    if not isinstance(index, Index):
        return True
    if b"model_rebuild" in module.source.data or b"update_forward_refs" in module.source.data:
        return True
    name = info.node.name.encode()
    rebuilding = {
        *files_with(index, module, b"model_rebuild"),
        *files_with(index, module, b"update_forward_refs"),
    }
    return any(name in (index.files.read(path) or b"") for path in rebuilding)


def _columns(info: ClassInfo) -> Iterator[ast.expr]:
    """The annotations of a mapped class that SQLAlchemy turns into column types; not those of relations."""
    module = info.module
    for statement in info.node.body:
        match statement:
            case ast.AnnAssign(annotation=ast.Subscript(value=outer) as annotation, value=value):
                if module.qualified_name(outer) != "sqlalchemy.orm.Mapped":
                    continue
                if isinstance(value, ast.Call):
                    if module.qualified_name(value.func) == "sqlalchemy.orm.mapped_column":
                        yield annotation.slice
                elif value is None:
                    yield annotation.slice


def _of_function(function: FunctionInfo) -> Iterator[tuple[ast.expr, str]]:
    node, module = function.node, function.module
    if any(name in _VALIDATED_CALL for name in function.decorators):
        yield from ((a.annotation, "Pydantic") for a, _ in function.parameters() if a.annotation is not None)
        return
    is_route = fastapi.is_route(function)
    if not is_route and not (_mentions_fastapi(module) and fastapi.is_dependency(function)):
        return
    for parameter, default in function.parameters():
        # with `= Depends(function)` FastAPI does not look at the annotation
        named = isinstance(default, ast.Call) and bool(default.args or default.keywords)
        if parameter.annotation is not None and not (named and fastapi.is_injection(default, module)):
            yield parameter.annotation, "FastAPI"
    if is_route and node.returns is not None and _uses_return(function):
        yield node.returns, "FastAPI"


def _mentions_fastapi(module: Module) -> bool:
    return b"fastapi" in module.source.data or b"starlette" in module.source.data


def _uses_return(function: FunctionInfo) -> bool:
    """Whether the type of a route's result becomes its response model."""
    return any(
        route.methods != frozenset()
        and not any(keyword.arg in {"response_model", None} for keyword in route.call.keywords)
        for route in fastapi.routes(function.module)
        if route.function is not None and route.function.node is function.node
    )


def _names(annotation: ast.expr, module: Module) -> Iterator[tuple[str, ast.expr]]:
    """The names in an annotation, also in quoted parts, each with the expression to point at."""
    match annotation:
        case ast.Name(id=name):
            yield name, annotation
        case ast.Constant(value=str(text)):
            try:
                parsed = ast.parse(text.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return
            for node in ast.walk(parsed):
                if isinstance(node, ast.Name):
                    yield node.id, annotation
        case ast.Attribute(value=value):
            yield from _names(value, module)
        case ast.Subscript(value=value, slice=inner):
            yield from _names(value, module)
            outer = module.qualified_name(value)
            if outer in _LITERAL:
                return
            if outer in _ANNOTATED and isinstance(inner, ast.Tuple):
                inner = inner.elts[0]
            yield from _names(inner, module)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            for element in elements:
                yield from _names(element, module)
        case ast.BinOp(left=left, right=right):
            yield from _names(left, module)
            yield from _names(right, module)


def _closes_cycle(statement: Import, alias: ast.alias, module: Module) -> bool:
    """Whether the module that a statement imports needs this one to be imported first."""
    first = _imported(statement, alias, module)
    pending = [first] if first is not None else []
    seen = {other.name for other in pending}
    while pending and len(seen) < _MOST_MODULES:
        current = pending.pop()
        if current is module:
            return True
        for inner in current.source.tree.body:
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                for name in inner.names:
                    other = _imported(inner, name, current)
                    if other is not None and other.name not in seen:
                        seen.add(other.name)
                        pending.append(other)
    return len(seen) >= _MOST_MODULES


def _imported(statement: Import, alias: ast.alias, module: Module) -> Module | None:
    """The project module that an import runs."""
    modules = module.modules
    if not isinstance(modules, Index):
        return None
    if isinstance(statement, ast.Import):
        return modules.import_module(alias.name, module)
    if statement.level:
        base = modules.relative(module, statement.level, statement.module or "")
        found = modules.module(base) if base is not None else None
    else:
        found = modules.import_module(statement.module or "", module)
    if found is not None and found.is_package:
        return modules.submodule(found, alias.name) or found
    return found
