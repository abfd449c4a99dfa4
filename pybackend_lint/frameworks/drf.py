"""Facts about Django REST framework: what serializers read from rows, and which rows views give them."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterable, Iterator, Set
from dataclasses import dataclass, replace
from typing import Final

from pybackend_lint.finding import Related
from pybackend_lint.frameworks import django, django_models, django_reads
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_models import Field
from pybackend_lint.frameworks.django_reads import PathRead, Row
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind, Type, instance, join

SERIALIZER: Final = "rest_framework.serializers.BaseSerializer"
_MODEL_SERIALIZER: Final = "rest_framework.serializers.ModelSerializer"
_LISTS: Final = "rest_framework.mixins.ListModelMixin"
_VIEW: Final = "rest_framework.generics.GenericAPIView"

ROOTS: tuple[str, ...] = ()  # the types of `rest_framework` are those of the ORM's facts
BASES: dict[str, tuple[str, ...]] = {
    "rest_framework.serializers.Serializer": (SERIALIZER,),
    "rest_framework.serializers.ListSerializer": (SERIALIZER,),
    _MODEL_SERIALIZER: ("rest_framework.serializers.Serializer",),
    "rest_framework.serializers.HyperlinkedModelSerializer": (_MODEL_SERIALIZER,),
    "drf_writable_nested.serializers.WritableNestedModelSerializer": (_MODEL_SERIALIZER,),
    "rest_flex_fields.serializers.FlexFieldsModelSerializer": (_MODEL_SERIALIZER,),
    "i18nfield.rest_framework.I18nAwareModelSerializer": (_MODEL_SERIALIZER,),
    "taggit.serializers.TaggitSerializer": ("rest_framework.serializers.Serializer",),
}
ALIASES: dict[str, str] = {
    "rest_framework.fields.": "rest_framework.serializers.",
    "rest_framework.relations.": "rest_framework.serializers.",
    "drf_writable_nested.WritableNestedModelSerializer": (
        "drf_writable_nested.serializers.WritableNestedModelSerializer"
    ),
    "rest_flex_fields.FlexFieldsModelSerializer": "rest_flex_fields.serializers.FlexFieldsModelSerializer",
}
KNOWLEDGE = Knowledge()

_FIELDS: Final = "rest_framework.serializers."
# What the bases of a serializer may come from so that it shows all its fields, unless it is asked for less.
_PLAIN = (
    "rest_framework.", "builtins.", "typing.", "abc.", "drf_writable_nested.", "django.", "rest_flex_fields.",
    "drf_dynamic_fields.", "i18nfield.", "taggit.",
)  # fmt: skip
# Parts of the names of packages and of their mixins for views and filters that load by themselves, or
# list something else than rows.
_OWN_ROWS = (
    "prefetch", "eager", "related", "optimi", "dynamic_rest", "cache", "elastic", "haystack", "mongo",
    "flexfieldsfilter",
)  # fmt: skip
# Fields of relations that show the key only, and those that need the row.
_KEYS = frozenset({"PrimaryKeyRelatedField", "HyperlinkedRelatedField"})
_ROWS = frozenset({"StringRelatedField", "SlugRelatedField"})
# Methods by which a serializer or view may decide what it shows, or load what it needs.
_DYNAMIC = frozenset({"get_fields", "fields", "_readable_fields", "data", "build_field", "many_init"})
_OWN_LIST = frozenset({"list", "get_serializer", "filter_queryset", "paginate_queryset"})
_LOADERS = ("eager", "prefetch", "select_related")
# What the code of such a method says when it lists other rows, or shows less of them.
_LISTS_OTHERWISE = (
    "_related", "prefetch", "cache", ".only(", ".defer(", ".values", "fields", "omit", "exclude=",
    "self.queryset",
)  # fmt: skip
# The arguments of serializers and fields that do not change what is shown.
_USUAL_ARGUMENTS = frozenset(
    {
        "many", "read_only", "required", "source", "allow_null", "help_text", "label", "write_only",
        "default", "partial", "context", "instance", "data", "style", "validators", "error_messages",
        "initial", "allow_empty", "min_length", "max_length", "child",
    }
)  # fmt: skip
_MOST_NESTED = 4


# Serializers


def is_serializer(info: ClassInfo) -> bool:
    """Whether a project class is a serializer."""
    return info.is_a(SERIALIZER)


def serializer_reads(info: ClassInfo, model: str) -> tuple[PathRead, ...]:
    """The relations that a serializer reads from every row of `model` that it shows, longest paths only.

    What is not known for certain is left out.
    """
    index = info.module.modules
    assert isinstance(index, Index)
    return index.fact(
        ("drf reads", info.name, id(info.node), model),
        lambda: django_reads.longest(_reads(info, Row((), model), (), info.module)),
    )


def _reads(info: ClassInfo, row: Row, stack: tuple[str, ...], asker: Module) -> Iterator[PathRead]:
    if info.name in stack or len(stack) >= _MOST_NESTED or not _is_plain_serializer(info):
        return
    dropped = _dropped(info)
    if dropped is None:
        return
    declared = _declared(info)
    for name, place in _shown(info, declared, row, asker).items():
        if name in dropped:
            continue
        field = declared.get(name)
        if field is not None:
            owner, call = field
            yield from _declared_reads(info, owner, name, call, row, (*stack, info.name))
        elif place is not None:
            yield from _default_reads(info, name, place, row)
    shown = info.method("to_representation")
    model = serialized_model(info)
    if model is not None and not _is_same_model(model, row.model, info.module):
        return
    if shown is not None and shown.owner is not None:
        step = django_reads.related(
            shown.node, f"`{shown.owner.node.name}` shows more than its fields", shown.module
        )
        yield from _argument_reads(shown, row, step)


def _is_plain_serializer(info: ClassInfo) -> bool:
    """Whether the fields are those that the classes declare, shown as they are."""
    if not info.is_closed or not all(name.startswith(_PLAIN) for name in info.libraries):
        return False
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        if any(word in name for name in item.scope.bindings for word in _LOADERS):
            return False
        if not _DYNAMIC.isdisjoint(item.scope.bindings):
            return False
        shown = item.method("to_representation")
        if shown is not None and not _calls_super(shown, "to_representation"):
            return False
    return _meta(info, "list_serializer_class") is None


def _dropped(info: ClassInfo) -> frozenset[str] | None:
    """The fields that a serializer's `__init__` may take away or change; None where any may be.

    What it takes away under a condition by names that it is given counts only where such are given.
    """
    names: set[str] = set()
    for start in {item.method("__init__") for item in info.mro if isinstance(item, ClassInfo)} - {None}:
        assert start is not None
        source = start.module.source
        for node in start.own(ast.Attribute):
            if node.attr != "fields" or not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                continue
            around = source.parent(node)
            match around, source.parent(around) if around is not None else None:
                case (ast.Subscript(slice=key), _) | (ast.Attribute(attr="pop"), ast.Call(args=[key, *_])):
                    if isinstance(key, ast.Constant):
                        names.add(str(key.value))
                    elif not _is_on_demand(node, start):
                        return None
                case (ast.Attribute(attr="update" | "clear" | "popitem") | ast.Assign(), _):
                    return None
    return frozenset(names)


def _is_on_demand(node: ast.AST, function: FunctionInfo) -> bool:
    """Whether a node runs only when some value is there: `if fields:` or `if fields is not None:`."""
    child = node
    for parent in function.module.source.ancestors(node):
        if parent is function.node:
            return False
        if isinstance(parent, ast.If) and child in parent.body:
            match parent.test:
                case (
                    ast.Name()
                    | ast.NamedExpr()
                    | ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)])
                ):
                    return True
        child = parent
    return False


def _asks_for_less(info: ClassInfo, call: ast.Call) -> bool:
    """Whether a call of a serializer gives it arguments of its own, by which it may show less."""
    return any(keyword.arg not in _USUAL_ARGUMENTS for keyword in call.keywords) and any(
        isinstance(item, ClassInfo) and item.method("__init__") is not None for item in info.mro
    )


def _calls_super(function: FunctionInfo, method: str) -> bool:
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == method
        and isinstance(call.func.value, ast.Call)
        and isinstance(call.func.value.func, ast.Name)
        and call.func.value.func.id == "super"
        for call in function.own(ast.Call)
    )


def _declared(info: ClassInfo) -> dict[str, tuple[ClassInfo, ast.Call]]:
    """The fields in the class bodies by name, nearest class first."""
    found: dict[str, tuple[ClassInfo, ast.Call]] = {}
    taken: set[str] = set()
    for item in info.mro:
        if not isinstance(item, ClassInfo):
            continue
        for name, bindings in item.scope.bindings.items():
            if name in taken:
                continue
            taken.add(name)
            value = item.effective(bindings).value
            if isinstance(value, ast.Call) and _is_field(value, item.module):
                found[name] = item, value
    return found


def _is_field(call: ast.Call, module: Module) -> bool:
    name = module.qualified_name(call.func)
    if name is None:
        return False
    info = module.modules.class_info(name)
    names = info.libraries if info is not None else (name,)
    return any(item.startswith(_FIELDS) for item in names)


def _meta(info: ClassInfo, option: str) -> tuple[Module, ast.expr] | None:
    """The value of an option of the nearest `class Meta`, with the module that says it."""
    found = info.member("Meta")
    if found is None or not isinstance(found[1].node, ast.ClassDef):
        return None
    member = found[0].module.class_info_of(found[1].node).member(option)
    if member is None or member[1].value is None or member[1].path:
        return None
    return member[0].module, member[1].value


def serialized_model(info: ClassInfo) -> str | None:
    """The qualified name of the model in the `Meta` of a serializer."""
    found = _meta(info, "model")
    return found[0].qualified_name(found[1]) if found is not None else None


def _shown(
    info: ClassInfo, declared: dict[str, tuple[ClassInfo, ast.Call]], row: Row, asker: Module
) -> dict[str, tuple[Module, ast.expr] | None]:
    """The names of the fields that are certainly shown, with the place that lists those not declared."""
    if not info.is_a(_MODEL_SERIALIZER):
        return dict.fromkeys(declared)
    model = serialized_model(info)
    hidden = _write_only(info)
    if model is None or not _is_same_model(model, row.model, info.module) or hidden is None:
        return {}
    listed, excluded = _meta(info, "fields"), _meta(info, "exclude")
    if listed is None and excluded is not None:
        left_out = _names_in(excluded[1], excluded[0])
        if isinstance(excluded[1], (ast.List, ast.Tuple)) and len(left_out) == len(excluded[1].elts):
            return _all_fields(model, declared, hidden | left_out.keys(), excluded, asker)
    if listed is None:
        return {name: None for name in declared if name not in hidden}
    module, value = listed
    if isinstance(value, ast.Constant) and value.value == "__all__":
        return _all_fields(model, declared, hidden, listed, asker)
    constants = _names_in(value, module)
    return {name: place for name, place in constants.items() if name not in hidden}


def _all_fields(
    model: str, declared: Iterable[str], hidden: Set[str], place: tuple[Module, ast.expr], asker: Module
) -> dict[str, tuple[Module, ast.expr] | None]:
    """The declared fields and the relations of a model that are shown unless a serializer hides them."""
    target = asker.modules.class_info(model)
    every = django_models.fields(target) if target is not None else {}
    names = [*declared, *(name for name, field in every.items() if field.is_relation)]
    return {name: place for name in names if name not in hidden}


def _is_same_model(model: str, other: str, module: Module) -> bool:
    info = module.modules.class_info(other)
    return model == other or (info is not None and info.is_a(model))


def _names_in(node: ast.expr, module: Module, depth: int = 0) -> dict[str, tuple[Module, ast.expr] | None]:
    """The strings of a list or tuple, also of sums of them and of the lists of other classes."""
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            found: dict[str, tuple[Module, ast.expr] | None] = {}
            for element in elements:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    found[element.value] = module, element
                elif isinstance(element, ast.Starred):
                    found |= _names_in(element.value, module, depth + 1)
            return found
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _names_in(left, module, depth + 1) | _names_in(right, module, depth + 1)
        case ast.Attribute(value=ast.Attribute(value=owner, attr="Meta"), attr=option) if depth < 4:
            info = module.class_named(owner)
            other = _meta(info, option) if info is not None else None
            return _names_in(other[1], other[0], depth + 1) if other is not None else {}
    return {}


def _write_only(info: ClassInfo) -> frozenset[str] | None:
    """The names that `Meta.extra_kwargs` does not show or redirects; None when that is not known."""
    found = _meta(info, "extra_kwargs")
    if found is None:
        return frozenset()
    if not isinstance(found[1], ast.Dict):
        return None
    names: set[str] = set()
    for key, value in zip(found[1].keys, found[1].values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(value, ast.Dict)):
            return None
        options = {item.value for item in value.keys if isinstance(item, ast.Constant)}
        if options & {"write_only", "source"}:
            names.add(key.value)
    return frozenset(names)


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _declared_reads(
    info: ClassInfo, owner: ClassInfo, name: str, call: ast.Call, row: Row, stack: tuple[str, ...]
) -> Iterator[PathRead]:
    module = owner.module
    source = _argument(call, "source")
    if source is not None and not (isinstance(source, ast.Constant) and isinstance(source.value, str)):
        return
    if _is_true(_argument(call, "write_only")) or any(keyword.arg is None for keyword in call.keywords):
        return
    given = source.value if isinstance(source, ast.Constant) and isinstance(source.value, str) else name
    step = django_reads.related(call, f"`{info.node.name}` shows `{name}`", module)
    cls = module.qualified_name(call.func) or ""
    nested = module.modules.class_info(cls)
    kind = cls.removeprefix(_FIELDS) if nested is None else ""
    many = _is_true(_argument(call, "many"))
    if kind == "SerializerMethodField":
        yield from _method_reads(info, name, call, row, step)
    elif kind in {"HiddenField", "HyperlinkedIdentityField"}:
        return
    elif nested is not None and is_serializer(nested):
        if _asks_for_less(nested, call):
            return
        if given == "*":
            yield from _reads(nested, row, stack, module)
            return
        reached = yield from _walked(row, given.split("."), step, module, many=many)
        if reached is not None:
            yield from (
                replace(read, steps=(step, *read.steps)) for read in _reads(nested, reached, stack, module)
            )
    elif kind in _ROWS or kind in _KEYS:
        parts = given.split(".")
        keys = kind in _KEYS and not many and _argument(call, "lookup_field") is None
        reached = yield from _walked(row, parts, step, module, many=many, key=keys)
        if reached is not None and kind == "StringRelatedField":
            yield from _shown_member(reached, "__str__", step, module)
    elif given != "*":
        yield from _walked(row, given.split("."), step, module, plain=True)


def _walked(
    row: Row,
    parts: list[str],
    step: Related,
    module: Module,
    *,
    many: bool = False,
    key: bool = False,
    plain: bool = False,
) -> Generator[PathRead, None, Row | None]:
    """The reads of a dotted source; returns the row at its end, None where that is not known.

    - `many`: the end is a relation to many rows; `key`: only the key of the row at the end is shown;
      `plain`: the end is shown as it is.
    """
    for position, name in enumerate(parts):
        is_last = position == len(parts) - 1
        if row.parent is not None and name == row.back:
            row = row.parent
            continue
        relation = django_models.relation(row.model, name, module)
        if relation is None:
            yield from _shown_member(row, name, step, module)
            return None
        if relation.is_single:
            if is_last and (plain or (key and relation.kind == "forward")):
                return None
            yield row.read(name, relation, step)
            below = row.below(name, relation)
            if below is None:
                return None
            row = below
            continue
        following = "" if is_last else parts[position + 1]
        if (is_last and many) or following in {"all", "count", "exists"}:
            counted = following in {"count", "exists"} and not row.many
            yield row.read(name, relation, step, counted=counted)
        below = row.below(name, relation) if is_last and many else None
        if below is None:
            return None
        row = below
    return row


def _shown_member(row: Row, name: str, step: Related, module: Module) -> Iterator[PathRead]:
    method = django_reads.member(row, name, module)
    if method is not None:
        yield from django_reads.member_reads(row, method, step)


def _method_reads(info: ClassInfo, name: str, call: ast.Call, row: Row, step: Related) -> Iterator[PathRead]:
    match _argument(call, "method_name") or (call.args[0] if call.args else None):
        case None:
            method = info.method(f"get_{name}")
        case ast.Constant(value=str(given)):
            method = info.method(given)
        case _:
            return
    if method is not None:
        yield from _argument_reads(method, row, step)


def _argument_reads(method: FunctionInfo, row: Row, step: Related) -> Iterator[PathRead]:
    """What a method of a serializer reads from the row that it is given."""
    arguments = [*method.node.args.posonlyargs, *method.node.args.args]
    position = 0 if method.is_static else 1
    if len(arguments) > position:
        reads = django_reads.reads_of(method, arguments[position].arg, row.model)
        yield from django_reads.reads_below(row, reads, step)


def _default_reads(
    info: ClassInfo, name: str, place: tuple[Module, ast.expr], row: Row
) -> Iterator[PathRead]:
    """What the field reads that a model serializer builds for a name."""
    module, node = place
    step = django_reads.related(node, f"`{info.node.name}` shows `{name}`", module)
    if row.parent is not None and name == row.back:
        return
    relation = django_models.relation(row.model, name, module)
    if relation is None:
        if name not in _columns(row.model, module):
            yield from _shown_member(row, name, step, module)
    elif (
        not relation.is_single or relation.kind == "reverse" or (relation.kind == "forward" and _depth(info))
    ):
        yield row.read(name, relation, step)


def _columns(model: str, module: Module) -> dict[str, Field]:
    info = module.modules.class_info(model)
    return django_models.fields(info) if info is not None else {}


def _depth(info: ClassInfo) -> int:
    found = _meta(info, "depth")
    value = found[1].value if found is not None and isinstance(found[1], ast.Constant) else 0
    return value if isinstance(value, int) else 0


# Views


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """Rows that a serializer shows, one after the other.

    - `node`: the expression or name to report; `queryset`: the expression that builds the queryset in this
      module, None when it stands elsewhere; `row`: a row, with what comes with it; `serializers`: the
      classes one of which shows them.
    """

    node: ast.AST
    queryset: ast.expr | None
    row: Type
    serializers: tuple[ClassInfo, ...]

    @property
    def missing(self) -> tuple[PathRead, ...]:
        """The relations that every one of the serializers reads and that do not come with the rows."""
        fact = self.row.fact
        assert isinstance(fact, Loaded)
        common: dict[str, PathRead] | None = None
        for info in self.serializers:
            reads = {read.path: read for read in serializer_reads(info, self.row.name)}
            if common is None:
                common = reads
            common = {path: read for path, read in common.items() if path in reads}
        return tuple(read for read in (common or {}).values() if not django_reads.is_loaded(read, fact))


def served_by_view(node: ast.ClassDef, module: Module) -> Served | None:
    """The rows that a view lists with its serializer; None where either is not known."""
    info = module.class_info_of(node)
    if not (info.is_a(_LISTS) and info.is_a(_VIEW)) or not _is_plain_view(info):
        return None
    serializers = _serializers_of(info)
    if not serializers:
        return None
    found = _queryset_of(info, serializers)
    if found is None:
        return None
    place, queryset, row, is_only = found
    if place is module:
        return Served(queryset, queryset if is_only else None, row, serializers)
    return Served(node.bases[0], None, row, serializers)


def _is_plain_view(info: ClassInfo) -> bool:
    if not info.is_closed or any(_loads_by_itself(name) for name in info.libraries):
        return False
    filters = info.member("filter_backends")
    if filters is not None and filters[1].value is not None:
        if _loads_by_itself(filters[0].module.source.segment(filters[1].value)):
            return False
    return not any(
        isinstance(item, ClassInfo)
        and (
            any(name in item.scope.bindings and not _keeps_list(item, name) for name in _OWN_LIST)
            or any(word in name for name in item.scope.bindings for word in _LOADERS)
        )
        for item in info.mro
    )


def _loads_by_itself(name: str) -> bool:
    return any(word in name.lower() for word in _OWN_ROWS)


def _keeps_list(info: ClassInfo, name: str) -> bool:
    """Whether a class lists the same rows as its bases do, and shows as much of them.

    Its own method calls theirs, or does for `list` what theirs does; and it keeps no answer.
    """
    method = info.method(name)
    if method is None:
        return False
    text = method.module.source.segment(method.node)
    decorators = [method.module.source.segment(item) for item in method.node.decorator_list]
    if any("cache" in item for item in decorators) or any(word in text for word in _LISTS_OTHERWISE):
        return False
    if _calls_super(method, name):
        return True
    is_usual = all(word in text for word in ("self.get_queryset()", "self.get_serializer(", "many=True"))
    return name == "list" and is_usual and "Serializer(" not in text


def _serializers_of(info: ClassInfo) -> tuple[ClassInfo, ...]:
    """The serializers that a view may choose for a list; empty where they are not known."""
    chooser = info.method("get_serializer_class")
    names = [_class_attribute(info, "serializer_class")]
    if chooser is not None:
        names = []
        for value in _for_list(chooser):
            match value:
                case ast.Attribute(value=ast.Name(id="self"), attr="serializer_class"):
                    names.append(_class_attribute(info, "serializer_class"))
                case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=method)):
                    known = method == "get_serializer_class"
                    names.append(_class_attribute(info, "serializer_class") if known else None)
                case _:
                    names.append(chooser.module.qualified_name(value) if value is not None else None)
    found: list[ClassInfo] = []
    for name in names:
        serializer = info.module.modules.class_info(name) if name is not None else None
        if serializer is None or not is_serializer(serializer):
            return ()
        found.append(serializer)
    return tuple(found)


def _class_attribute(info: ClassInfo, name: str) -> str | None:
    found = info.member(name)
    if found is None or found[1].value is None or found[1].path:
        return None
    return found[0].module.qualified_name(found[1].value)


def _for_list(function: FunctionInfo) -> list[ast.expr | None]:
    """The values that a method of a view set returns for the action `list`, as far as its tests tell."""
    source = function.module.source
    kept: list[ast.expr | None] = []
    for statement in sorted(source.in_scope(ast.Return, function.node), key=lambda node: node.lineno):
        answer = _runs_for_list(statement, function)
        if answer is True:
            return [statement.value]
        if answer is None:
            kept.append(statement.value)
    return kept


def _runs_for_list(statement: ast.AST, function: FunctionInfo) -> bool | None:
    """Whether tests of `self.action` around a statement let it run for lists; None without such tests."""
    answer = None
    child = statement
    for parent in function.module.source.ancestors(statement):
        if parent is function.node:
            break
        if isinstance(parent, ast.If):
            concerned = _concerns_list(parent.test)
            if concerned is not None and child in parent.body:
                answer = concerned
            elif concerned is True and child in parent.orelse:
                answer = False
        child = parent
    return answer


def _concerns_list(test: ast.expr) -> bool | None:
    """Whether a test of `self.action` holds for lists; None for other tests."""
    match test:
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id="self"), attr="action"), ops=[operator], comparators=[other]
        ):
            items = other.elts if isinstance(other, (ast.List, ast.Tuple, ast.Set)) else [other]
            names = {item.value for item in items if isinstance(item, ast.Constant)}
            if len(names) != len(items) or not isinstance(operator, (ast.Eq, ast.In, ast.NotEq, ast.NotIn)):
                return None
            return ("list" in names) == isinstance(operator, (ast.Eq, ast.In))
    return None


def _queryset_of(
    info: ClassInfo, serializers: tuple[ClassInfo, ...]
) -> tuple[Module, ast.expr, Type, bool] | None:
    """The queryset that a view lists: its module and expression, its rows, and whether there is no other.

    Of several, the rows are those that any of them may give.
    """
    method = info.method("get_queryset")
    written = info.member("queryset")
    if method is None:
        if written is None or written[1].value is None or written[1].path:
            return None
        row = _row(written[0].module.type_of(written[1].value), written[0].module)
        return (written[0].module, written[1].value, row, True) if row is not None else None
    if not method.is_transparent or method.is_async or method.yields:
        return None
    models = {serialized_model(item) for item in serializers}
    shown = info.module.modules.class_info(models.pop() or "") if len(models) == 1 else None
    body = django.Body(
        method,
        instance(info.name),
        lambda node: _runs_for_list(node, method) is False,
        lambda name: django.rows_leading_to(shown, name) if shown is not None else None,
    )
    rows: dict[ast.expr, Type] = {}
    for value in _for_list(method):
        match value:
            case None:
                return None
            case ast.List(elts=[]) | ast.Call(func=ast.Attribute(attr="none")):
                continue
        row = _row(body.value(value), method.module)
        if row is None:
            return None
        rows[value] = row
    row = _row(instance("builtins.list", join(rows.values())), method.module)
    if row is None:
        return None
    if method.module is not info.module and written is not None and written[0].module is info.module:
        if isinstance(written[1].value, ast.expr) and not written[1].path:
            return info.module, written[1].value, row, False
    return method.module, [*rows][-1], row, len(rows) == 1


def listed_row(info: ClassInfo) -> Type | None:
    """A row of the queryset that a view lists, with what comes with it; None where that is not known."""
    found = _queryset_of(info, ())
    return found[2] if found is not None else None


def _row(known: Type | None, module: Module) -> Type | None:
    if known is None or known.kind is not Kind.INSTANCE:
        return None
    is_list = known.name in {"builtins.list", "builtins.tuple"}
    if not is_list and not django.is_queryset_or_manager(known, module):
        return None
    row = known.argument()
    if row is None or not isinstance(row.fact, Loaded) or not django.is_model_instance(row, module):
        return None
    return row


def served_by_call(call: ast.Call, module: Module) -> Served | None:
    """The rows that a call `Serializer(rows, many=True)` or `self.get_serializer(rows, many=True)` shows."""
    if not _is_true(_argument(call, "many")):
        return None
    given = call.args[0] if call.args else _argument(call, "instance")
    if given is None or _argument(call, "data") is not None:
        return None
    serializer = _called_serializer(call, module)
    if serializer is None:
        return None
    row = _row(module.type_of(given), module)
    if row is None or not isinstance(row.fact, Loaded):
        return None
    if row.fact.limit is not None and row.fact.limit <= 1:
        return None
    return Served(given, given, row, (serializer,))


def _called_serializer(call: ast.Call, module: Module) -> ClassInfo | None:
    info = module.class_named(call.func)
    if info is None and isinstance(call.func, ast.Attribute) and call.func.attr != "get_serializer":
        known = module.type_of(call.func)  # such as `self.OutputSerializer`
        is_class = known is not None and known.kind is Kind.CLASS
        info = module.modules.class_info(known.name) if known is not None and is_class else None
    if info is None and isinstance(call.func, ast.Attribute) and call.func.attr == "get_serializer":
        around = module.source.enclosing_class(call)
        view = module.class_info_of(around) if around is not None else None
        if (
            around is None
            or view is None
            or not view.is_a(_VIEW)
            or view.method("get_serializer") is not None
        ):
            return None
        function = module.source.enclosing_function(call)
        if isinstance(function, FUNCTIONS) and function.name == "list" and served_by_view(around, module):
            return None
        chosen = _serializers_of(view) if view.method("get_serializer_class") is None else ()
        return chosen[0] if chosen else None
    if info is None or not is_serializer(info) or _asks_for_less(info, call):
        return None
    return info
