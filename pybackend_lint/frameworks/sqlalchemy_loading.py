"""Which relationships of loaded objects are loaded, and the options that would load the others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.finding import Edit, Fix, Position, Related
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.frameworks.sqlalchemy_mapping import Relation
from pybackend_lint.frameworks.sqlalchemy_statements import Loaded
from pybackend_lint.frameworks.sqlalchemy_words import relation_names
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.import_edits import replace_imports
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

if TYPE_CHECKING:
    from pybackend_lint.rule import Context


@dataclass(frozen=True, slots=True)
class LazyRead:
    """A read of a relationship that nothing has loaded: the object, its class and the relationship."""

    loaded: Loaded
    owner: str
    relation: Relation

    @property
    def loader(self) -> str:
        """The option that loads the relationship best: a join for one object, `IN` for several."""
        return "joinedload" if self.relation.collection is False else "selectinload"


def attributes_read(function: FunctionInfo) -> Iterator[ast.Attribute]:
    """The attributes that a function reads and does not call, where a relationship may have their name."""
    wanted = relation_names(function.module).relations
    if not wanted:
        return
    called = {id(call.func) for call in function.own(ast.Call)}
    for node in function.own(ast.Attribute):
        if node.attr in wanted and isinstance(node.ctx, ast.Load) and id(node) not in called:
            yield node


def lazy_read(node: ast.Attribute, ctx: Context) -> LazyRead | None:
    """The lazy load that reading an attribute starts; None where it is loaded, or may be.

    The object must come from a statement or `session.get()` whose options are known. An object that the
    identity map may answer (many-to-one, with an object of the target class at hand) counts as loaded.
    """
    found = _unloaded(node, ctx)
    if found is None:
        return None
    if isinstance(node.value, ast.Attribute) and _unloaded(node.value, ctx) is not None:
        return None  # the read of `node.value` is the one that fails
    return None if _is_set_in_function(node, found, ctx) else found


def _unloaded(node: ast.Attribute, ctx: Context) -> LazyRead | None:
    owner = ctx.type_of(node.value)
    if owner is None or owner.kind is not Kind.INSTANCE or not isinstance(owner.fact, Loaded):
        return None
    relation = sqlalchemy.relation(node, ctx)
    if relation is None or not relation.loads_on_read or owner.fact.has(relation.name):
        return None
    return LazyRead(owner.fact, owner.name, relation)


def _is_set_in_function(node: ast.Attribute, read: LazyRead, ctx: Context) -> bool:
    """Whether something else in the function loads or sets the attribute, or holds the object it leads to."""
    function = ctx.function_around(node)
    if function is None:
        return True
    owner_text, name = ctx.text(node.value), node.attr
    target, many = read.relation.target, read.relation.collection is True
    if not many and (target is None or any(step.owner == target for step in read.loaded.path)):
        return True
    for other in function.own_nodes():
        match other:
            case ast.Attribute(value=value, attr=attr, ctx=ast.Load()) if (
                attr == name and _is_before(other, node) and ctx.text(value) == owner_text
            ):
                return True  # the first read is the one that fails
            case ast.Attribute(attr=attr, ctx=ast.Store() | ast.Del()) if attr == name:
                return True
            case ast.Attribute(value=ast.Attribute(attr="awaitable_attrs"), attr=attr) if attr == name:
                return True
            case ast.Call(args=[_, *_]) if _names_attribute(other, owner_text, name, ctx):
                return True
        if isinstance(other, ast.expr) and other is not node and holds_target(other, read, ctx):
            return True
    return not many and any(
        _is_object(ctx.module.annotation_type(argument.annotation, argument), target)
        for argument, _ in function.parameters()
        if argument.annotation is not None
    )


def _is_before(one: ast.expr, other: ast.expr) -> bool:
    return (one.lineno, one.col_offset) < (other.lineno, other.col_offset)


def _names_attribute(call: ast.Call, owner: str, name: str, ctx: Context) -> bool:
    """Whether a call such as `refresh(order, ["lines"])` is given the object and may be given the name."""
    if not any(ctx.text(argument) == owner for argument in call.args):
        return False
    others = [argument for argument in call.args if ctx.text(argument) != owner]
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if method in {"run_sync", "run_in_threadpool"}:
        return True
    for value in [*others, *(keyword.value for keyword in call.keywords)]:
        elements = value.elts if isinstance(value, (ast.List, ast.Tuple, ast.Set)) else [value]
        for element in elements:
            if isinstance(element, ast.Constant):
                if element.value == name:
                    return True
            elif method == "refresh":
                return True
    return False


def holds_target(other: ast.expr, read: LazyRead, ctx: Context) -> bool:
    """Whether an expression holds what the relationship leads to, or the object with it loaded."""
    if not isinstance(other, (ast.Call, ast.Name, ast.Await)):
        return False
    known = ctx.type_of(other)
    if read.relation.collection is not True and _is_object(known, read.relation.target):
        return True
    element = known.argument() if known is not None and known.kind is Kind.INSTANCE else None
    return any(
        item is not None
        and item.name == read.owner
        and isinstance(item.fact, Loaded)
        and item.fact.place != read.loaded.place
        and item.fact.has(read.relation.name)
        for item in (known, element)
    )


def _is_object(known: Type | None, target: str | None) -> bool:
    """Whether a value is an object of the target class, or a list of them."""
    while known is not None and known.kind is Kind.INSTANCE:
        if known.name == target:
            return True
        known = known.argument()
    return False


def may_name_attribute(node: ast.Constant, module: Module) -> bool:
    """Whether a text may tell a function which attribute to load or set: an argument, or in a list of names.

    Keys of dictionaries that are written down are not.
    """
    parent = module.source.parent(node)
    return isinstance(parent, (ast.Call, ast.keyword, ast.List, ast.Tuple, ast.Set, ast.Starred, ast.Compare))


def may_be_loaded(
    read: LazyRead, value: ast.expr, function: FunctionInfo, ctx: Context, apart: ast.expr
) -> bool:
    """Whether something in a function may load the relationship, set it, or hold what it leads to.

    `value` is the expression whose object is read; what the expression `apart` does with it is known.
    """
    name, target = read.relation.name, read.relation.target
    text = ctx.text(value)
    many = read.relation.collection is True
    if not many and (target is None or any(step.owner == target for step in read.loaded.path)):
        return True
    for node in function.own_nodes():
        match node:
            case ast.Attribute(attr=attr, value=owner) if attr == name:
                known = ctx.type_of(owner)
                if known is None or known.kind is not Kind.CLASS:
                    return True
            case ast.Constant(value=constant) if constant == name and may_name_attribute(node, ctx.module):
                return True
            case ast.Attribute(attr="run_sync"):
                return True
            case ast.Await(value=ast.Call(args=[_, *_] as arguments, func=func) as call) if call is not apart:
                given = any(ctx.text(argument) == text for argument in arguments)
                if given and not (isinstance(func, ast.Attribute) and func.attr in {"refresh", "delete"}):
                    return True  # may load it for the object
        if isinstance(node, ast.expr) and holds_target(node, read, ctx):
            return True
    return not many and any(
        _is_object(ctx.module.annotation_type(argument.annotation, argument), target)
        for argument, _ in function.parameters()
        if argument.annotation is not None
    )


def source_call(read: LazyRead, node: ast.AST, ctx: Context) -> ast.Call | None:
    """The `select(E)` or `session.get(E, key)` the object comes from, when `node`'s function contains it."""
    function = ctx.function_around(node)
    place = read.loaded.place
    if function is None or place.module != ctx.module.name:
        return None
    found = [
        call
        for call in function.own(ast.Call)
        if (call.lineno, call.col_offset) == (place.row, place.column)
        and (
            sqlalchemy.statement_of(call, ctx.module) is not None
            or any(sqlalchemy.entity_of(argument, ctx) is not None for argument in call.args)
        )
    ]
    return min(found, key=ctx.source.end, default=None)


def loading_fix(read: LazyRead, node: ast.AST, ctx: Context) -> Fix | None:
    """The fix that loads the relationship where its object is fetched, when `node`'s function does that."""
    call = source_call(read, node, ctx)
    edits = loading_edits(read, call, ctx) if call is not None else None
    return ctx.fix(f"Add `{read.loader}()` to the statement", *edits) if edits is not None else None


def proof(read: LazyRead) -> list[Related]:
    """Where the object is loaded and where its class says that the relationship loads on access."""
    place = read.loaded.place
    start = Position(place.row, place.column + 1)
    loaded = [Related(place.path, start, "the object is loaded here")] if place.path else []
    return [
        *loaded,
        Related(read.relation.path, Position(read.relation.row, 1), "the relationship loads on access"),
    ]


def loading_edits(read: LazyRead, call: ast.Call, ctx: Context) -> tuple[Edit, ...] | None:
    """The edits that add the option which loads the relationship to the call its object comes from."""
    steps = [*((step.owner, step.name, step.strategy) for step in read.loaded.path)]
    steps.append((read.owner, read.relation.name, read.loader))
    imports = list(dict.fromkeys(f"sqlalchemy.orm.{strategy}" for _, _, strategy in steps[:1]))
    owners = [_class_text(owner, call, ctx) for owner, _, _ in steps]
    if None in owners or any(not strategy for _, _, strategy in steps):
        return None
    (first,), edits = replace_imports(ctx.source, imports, ())
    option = ""
    for index, (owner, (_, name, strategy)) in enumerate(zip(owners, steps, strict=True)):
        before, last_step = option, f".{strategy}({owner}.{name})"
        option += last_step if index else f"{first}({owner}.{name})"
    for known in _written_options(call, ctx) if len(steps) > 1 else ():
        if ctx.text(known) == before:
            return (ctx.insert_after(known, last_step),)
    if sqlalchemy.statement_of(call, ctx.module) is not None:
        return (*edits, ctx.insert_after(call, f".options({option})"))
    given = [keyword.value for keyword in call.keywords if keyword.arg == "options"]
    if not given:
        last = call.keywords[-1].value if call.keywords else call.args[-1]
        return (*edits, ctx.insert_after(last, f", options=[{option}]"))
    if isinstance(given[0], ast.List) and given[0].elts:
        return (*edits, ctx.insert_after(given[0].elts[-1], f", {option}"))
    if isinstance(given[0], (ast.Name, ast.Attribute, ast.Call, ast.Tuple)):
        return (*edits, ctx.insert_before(given[0], "[*"), ctx.insert_after(given[0], f", {option}]"))
    return None


def _written_options(call: ast.Call, ctx: Context) -> Iterator[ast.expr]:
    """The loader options that are written in the expression around a `select(E)` or `session.get(E, key)`."""
    for keyword in call.keywords:
        if keyword.arg == "options" and isinstance(keyword.value, (ast.List, ast.Tuple)):
            yield from keyword.value.elts
    around = ctx.parent(call)
    while isinstance(around, (ast.Attribute, ast.Call)):
        if isinstance(around, ast.Call) and last_name(around.func) == "options":
            yield from around.args
        around = ctx.parent(around)


def _class_text(name: str, call: ast.Call, ctx: Context) -> str | None:
    """How the code around a call may refer to a class of the project."""
    for argument in call.args:
        known = ctx.type_of(argument)
        if known is not None and known.kind is Kind.CLASS and known.name == name:
            return ctx.text(argument)
    last = name.rpartition(".")[2]
    return last if ctx.module.name_of(last, call) == name else None
