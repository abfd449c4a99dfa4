"""Statements and results of SQLAlchemy: what is selected, and what rows hold."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from pybackend_lint.frameworks import sqlalchemy_names as names
from pybackend_lint.frameworks.sqlalchemy_mapping import (
    Mapped,
    Relation,
    attributes,
    mapped_class,
)
from pybackend_lint.frameworks.sqlalchemy_options import AttributeOf, Options, options_among
from pybackend_lint.semantic.module import Module, Modules
from pybackend_lint.semantic.types import OBJECT, Kind, Nameable, Type, class_object, coroutine, instance


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement starts (`select(E)`) or an object is fetched (`session.get(E, key)`)."""

    module: str
    path: str
    row: int
    column: int


NOWHERE = Place("", "", 0, 0)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a `select()` or a query selects.

    - `columns`: the type of each value of a row; classes stand for their objects, None for unknown.
    - `options`: the loader options applied to it, None where some are not known.
    - `unique`: a legacy query, which drops repeated objects itself.
    """

    columns: tuple[Type | None, ...]
    options: Options | None
    place: Place
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A result: the statement that gave it, and whether `unique()` was called on it."""

    statement: Statement | None
    is_async: bool
    unique: bool = False
    streaming: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A relationship on the way to an object: of which class, and the option that loads it ("" for none)."""

    owner: str
    name: str
    strategy: str


@dataclass(frozen=True, slots=True)
class Loaded(Nameable):
    """An object that a session loaded.

    - `options`: the loader options applied to it, None where some are not known.
    - `place`: where the statement starts; `entity`: the class it selects.
    - `path`: the steps that lead from that class to the object.
    """

    is_async: bool
    options: Options | None
    place: Place
    entity: str
    path: tuple[Step, ...] = ()

    def named(self, name: str) -> Loaded:
        """The same for an object of a class that was not known where it was loaded."""
        return replace(self, entity=name)

    def has(self, relation: str) -> bool:
        """Whether an option decides how a relationship of the object is loaded; True where unknown.

        So may an option that leads away and back to the class: the object may be among those it finds.
        """
        if self.options is None:
            return True
        return any(
            step.name in (relation, "*")
            and step.strategy in names.LOADS_EAGERLY | names.NEVER_LOADS
            and (number == 0 or (number > 1 and step.owner == path[0].owner))
            for path in self.options
            for number, step in enumerate(path)
        )

    def step(self, owner: str, relation: str) -> Loaded:
        """What is known about the objects that a relationship of this object, of class `owner`, leads to."""
        rest: Options | None = None
        strategy = ""
        if self.options is not None:
            strategies = {path[0].strategy for path in self.options if path[0].name == relation}
            strategy = strategies.pop() if len(strategies) == 1 else ""
            rest = frozenset(path[1:] for path in self.options if path[0].name == relation and len(path) > 1)
        return replace(self, options=rest, path=(*self.path, Step(owner, relation, strategy)))


def place_of(call: ast.Call, module: Module) -> Place:
    """The place of a call."""
    return Place(module.name, module.source.path, call.lineno, call.col_offset)


def selected(call: ast.Call, module: Module, *, legacy: bool) -> Statement | None:
    """What the arguments of `select()` or `query()` select; None for the list form of 1.3."""
    columns: list[Type | None] = []
    for argument in call.args:
        if isinstance(argument, (ast.Starred, ast.List)):
            return None
        known = module.type_of(argument)
        if known is not None and known.kind is Kind.CLASS:
            is_entity = mapped_class(known.name, module.modules) is not None
            columns.append(class_object(known.name) if is_entity else None)
        elif known is not None and known.is_instance(names.ATTRIBUTE):
            columns.append(known.argument())
        else:
            columns.append(class_object(OBJECT) if known is None and _may_be_class(argument) else None)
    return Statement(tuple(columns), frozenset(), place_of(call, module), legacy)


_CLASS_WORDS = ("model", "entity", "orm", "cls", "class")


def _may_be_class(node: ast.expr) -> bool:
    """Whether an expression of an unknown type is by its name the class of a repository: `self.model`."""
    match node:
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            return name.lower().endswith(_CLASS_WORDS)
    return False


def extended(callee: Type, call: ast.Call, module: Module) -> Type | None:
    """The statement or query that a method of one gives."""
    receiver = callee.receiver
    if receiver is None or not isinstance(receiver.fact, Statement):
        return None
    name = callee.name.rpartition(".")[2]
    if receiver.fact.place is NOWHERE:  # `Model.query` of Flask-SQLAlchemy starts with its first method
        receiver = _placed(receiver, receiver.fact, place_of(call, module))
    assert isinstance(receiver.fact, Statement)
    if name in names.KEEPS_ENTITIES:
        return receiver
    if name == "options":
        options = options_among(call.args, module)
        before = receiver.fact.options
        known = None if options is None or before is None else before | options
        return _placed(receiver, replace(receiver.fact, options=known), receiver.fact.place)
    if name in {"with_only_columns", "with_entities", "add_columns", "add_entity", "add_column"}:
        fact = replace(receiver.fact, columns=(None, None))
        return replace(receiver, fact=fact)
    return None


def _placed(query: Type, statement: Statement, place: Place) -> Type:
    """A statement or query with other facts; what iterating a query gives follows them."""
    fact = replace(statement, place=place)
    return replace(query, fact=fact, args=(query_item(fact),) if query.args else ())


def element_of(column: Type | None, statement: Statement, *, is_async: bool) -> Type | None:
    """The value that a column of a statement has in a row of its result."""
    if column is None or column.kind is not Kind.CLASS:
        return column
    return instance(column.name, fact=Loaded(is_async, statement.options, statement.place, column.name))


def fetched(call: ast.Call, module: Module, *, is_async: bool, optional: bool) -> Type | None:
    """The value of `session.get(E, key)`."""
    entity = module.type_of(call.args[0]) if call.args else None
    if entity is None and call.args and _may_be_class(call.args[0]):
        entity = class_object(OBJECT)
    elif entity is None or entity.kind is not Kind.CLASS or not mapped_class(entity.name, module.modules):
        return None
    options: Options | None = frozenset()
    for keyword in call.keywords:
        if keyword.arg == "options":
            options = options_among([ast.Starred(keyword.value)], module)
        elif keyword.arg is None:
            options = None
    fact = Loaded(is_async, options, place_of(call, module), entity.name)
    return replace(instance(entity.name, fact=fact), optional=optional)


def executed(method: str, call: ast.Call, module: Module, *, is_async: bool) -> Type | None:
    """The value of `session.execute(statement)` and its relatives, before it is awaited."""
    argument = call.args[0] if call.args else None
    known = module.type_of(argument) if argument is not None else None
    statement = known.fact if known is not None and isinstance(known.fact, Statement) else None
    streaming = method.startswith("stream")
    rows = Rows(statement, is_async, streaming=streaming)
    first = (
        element_of(statement.columns[0], statement, is_async=is_async)
        if statement and statement.columns
        else None
    )
    if method in {"scalars", "stream_scalars"} or (
        method == "exec" and statement and len(statement.columns) == 1
    ):
        return instance(names.SCALARS, first, fact=rows)
    if method == "scalar":
        return replace(first, optional=True) if first is not None else None
    return instance(names.RESULT, _row(rows), fact=rows)


def _row(rows: Rows) -> Type | None:
    if rows.statement is None or not rows.statement.columns:
        return None
    statement = rows.statement
    return instance(
        "builtins.tuple",
        *(element_of(column, statement, is_async=rows.is_async) for column in statement.columns),
    )


def result_method(callee: Type) -> Type | None:
    """The value of a method of a result."""
    receiver = callee.receiver
    if receiver is None or not isinstance(receiver.fact, Rows):
        return None
    rows = receiver.fact
    method = callee.name.rpartition(".")[2]
    found: Type | None = None
    item = receiver.argument()
    if method == "unique":
        return replace(receiver, fact=replace(rows, unique=True))
    if method in {"yield_per", "columns"}:
        return receiver
    if method == "scalars":
        first = item.argument() if item is not None else None
        return instance(names.SCALARS, first, fact=rows)
    if method == "partitions":
        return instance("typing.Iterator", instance("builtins.list", item))
    if method in names.RESULT_METHODS_ALL:
        found = instance("builtins.list", item)
    elif method in names.RESULT_METHODS_ONE:
        found = item
    elif method in names.RESULT_METHODS_SCALAR:
        found = item.argument() if item is not None else None
    if found is not None and method in names.OPTIONAL_RESULTS:
        found = replace(found, optional=True)
    return coroutine(found) if rows.streaming and found is not None else found


def query_end(callee: Type, call: ast.Call, module: Module) -> Type | None:
    """The value of the method that runs a legacy query."""
    receiver = callee.receiver
    if receiver is None or not isinstance(receiver.fact, Statement):
        return None
    statement = receiver.fact
    if statement.place is NOWHERE:
        statement = replace(statement, place=place_of(call, module))
    method = callee.name.rpartition(".")[2]
    item = query_item(statement)
    if method == "count":
        return instance("builtins.int")
    if method == "all":
        return instance("builtins.list", item)
    if method == "paginate":
        return instance(names.PAGINATION, item)
    if method in {"first", "one", "one_or_none", "get", "scalar", "first_or_404", "get_or_404", "one_or_404"}:
        if method == "scalar" and item is not None and item.name == "builtins.tuple":
            item = item.argument()
        return (
            replace(item, optional=not method.endswith("404") and method != "one")
            if item is not None
            else None
        )
    return None


def query_item(statement: Statement) -> Type | None:
    """What iterating a legacy query gives: objects of its one entity, or rows."""
    values = [element_of(column, statement, is_async=False) for column in statement.columns]
    if len(values) == 1 and statement.columns[0] is not None and statement.columns[0].kind is Kind.CLASS:
        return values[0]
    return instance("builtins.tuple", *values) if values else None


def mapped_attribute(value: Type, name: str, mapped: Mapped) -> Type | None:
    """The type of a mapped attribute of a class or of an object; None for other attributes."""
    relation = mapped.relations.get(name)
    if relation is None and name not in mapped.columns:
        return None
    held = _held(value, relation) if relation is not None else mapped.columns[name]
    if value.kind is Kind.CLASS:
        return instance(names.ATTRIBUTE, held, fact=AttributeOf(value.name, name))
    return held if held is not None else instance("builtins.object")


def _held(value: Type, relation: Relation) -> Type | None:
    """What an object holds in a relationship."""
    fact = value.fact.step(value.name, relation.name) if isinstance(value.fact, Loaded) else None
    target = instance(relation.target, fact=fact) if relation.target is not None else None
    if relation.collection:
        return instance("builtins.list", target)
    if relation.collection is None:
        return None
    return target


def joined_collection(statement: Statement, modules: Modules) -> str | None:
    """The collection that a statement loads by a join, so that rows repeat their objects; or None.

    Options of the statement come first, `lazy="joined"` of the mapping second; unknown options hide both.
    """
    if statement.options is None:
        return None
    for path in sorted(statement.options, key=lambda path: [step.name for step in path]):
        for step in path:
            if step.strategy != "joinedload":
                break
            if step.collection:
                return step.name
    decided = {path[0].name for path in statement.options}
    if "*" in decided:
        return None
    for column in statement.columns:
        info = (
            mapped_class(column.name, modules) if column is not None and column.kind is Kind.CLASS else None
        )
        if info is not None:
            for name, relation in sorted(attributes(info).relations.items()):
                if relation.collection and relation.lazy in {"joined", "False"} and name not in decided:
                    return name
    return None
