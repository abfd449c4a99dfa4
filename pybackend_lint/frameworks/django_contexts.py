"""Facts about the rows that views of Django give to templates, and under which names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pybackend_lint.frameworks import django, django_models, django_reads, django_templates, template_contexts
from pybackend_lint.frameworks.django import Loaded
from pybackend_lint.frameworks.django_reads import PathRead
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Kind, Type, instance, join

_LISTS: Final = "django.views.generic.MultipleObjectMixin"
_ONE: Final = "django.views.generic.SingleObjectMixin"
_TEMPLATE: Final = "django.views.generic.TemplateResponseMixin"
# What the names of templates end in that generic views choose themselves.
_SUFFIXES: Final = {"django.views.generic.ListView": "list", "django.views.generic.DetailView": "detail"}


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A value that a view gives to a template: rows, or one object (`is_one`).

    - `template`: the template's name; `variables`: the names that it gets the value by.
    - `node`: the expression to report; `queryset`: the expression of this module that builds the rows, None
      where they come from elsewhere; `row`: a row, with what comes with it.
    """

    template: str
    variables: frozenset[str]
    node: ast.expr
    queryset: ast.expr | None
    row: Type
    is_one: bool

    def missing(self, module: Module) -> tuple[PathRead, ...]:
        """The relations that the template reads from every row and that do not come with the rows."""
        fact = self.row.fact
        assert isinstance(fact, Loaded)
        reads = django_templates.template_reads(
            self.template, self.variables, self.row.name, module, is_one=self.is_one
        )
        missing = [
            read
            for read in reads
            if not django_reads.is_loaded(read, fact) and not _comes_by_default(read, self.row.name, module)
        ]
        attached = _attached(self.node, module) if missing else frozenset()
        return tuple(read for read in missing if attached.isdisjoint({"*", *read.path.split("__")}))


def _attached(node: ast.expr, module: Module) -> frozenset[str]:
    """The attributes that a view may set on the rows which it gives to a template; `*` for any.

    It sets them itself, or a function of the project does that it hands the rows to.
    """
    source = module.source
    around = source.enclosing_class(node) or source.enclosing_function(node)
    found = _stored_between(around, module) if around is not None else frozenset()
    for use in django.other_uses(node, module) if isinstance(node, ast.Name) else ():
        call = source.parent(use)
        if not isinstance(call, ast.Call) or use not in call.args:
            continue
        function = module.function_called(call)
        if function is not None:
            text = function.module.source.segment(function.node)
            found |= {"*"} if "prefetch" in text else _stored_between(function.node, function.module)
    return found


def _stored_between(around: ast.AST, module: Module) -> frozenset[str]:
    """The attributes that the lines of a class or function set on elements of loops, or on parameters."""
    first, last = getattr(around, "lineno", 0), getattr(around, "end_lineno", 0)
    return frozenset(
        node.attr
        for node in module.source.nodes(ast.Attribute)
        if isinstance(node.ctx, ast.Store)
        and first <= node.lineno <= last
        and isinstance(node.value, ast.Name)
        and node.value.id != "self"
        and (found := module.lookup(node.value.id, node.value)) is not None
        and any(binding.kind in {"for", "comprehension", "parameter"} for binding in found[1])
    )


def _comes_by_default(read: PathRead, model: str, module: Module) -> bool:
    """Whether the managers of the models on a path load the rest of it, or may do so."""
    parts = read.path.split("__")
    for position, name in enumerate(parts[:-1]):
        relation = django_models.relation(model, name, module)
        if relation is None or relation.target is None:
            return True
        model = relation.target
        if relation.is_single:
            continue
        info = module.modules.class_info(model)
        manager = django.manager(info, "_default_manager") if info is not None else None
        fact = django.loaded(manager)
        if fact is None or fact.covers("__".join(parts[position + 1 :])):
            return True
    return False


def shown_by_call(call: ast.Call, module: Module) -> Iterator[Shown]:
    """What a call such as `render(request, "orders.html", {"orders": orders})` gives to its template."""
    rendered = template_contexts.rendered_by(call, module)
    if rendered is not None:
        for variable, value in rendered.given:
            shown = _shown(rendered.template, variable, value, module)
            if shown is not None:
                yield shown


def shown_by_view(node: ast.ClassDef, module: Module) -> Iterator[Shown]:
    """What a class-based view gives to its template."""
    info = module.class_info_of(node)
    if not info.is_a(_TEMPLATE) or not django.is_plain_view(info):
        return
    own = _context_of(info)
    listed = _listed(info) if own is not None and info.is_a(_LISTS, _ONE) else None
    template = _template_of(info, listed[0] if listed is not None else None)
    if template is None or own is None:
        return
    for variable, value in own:
        shown = _shown(template, variable, value, module)
        if shown is not None:
            yield shown
    if listed is None:
        return
    row, place, is_only = listed
    given = {variable for variable, _ in own}
    names = _object_names(info, row)
    if names.isdisjoint(given):
        yield Shown(template, names, place, place if is_only else None, row, not info.is_a(_LISTS))


def _shown(template: str, variable: str, value: ast.expr, module: Module) -> Shown | None:
    known = module.type_of(value)
    if known is None or known.kind is not Kind.INSTANCE:
        return None
    names = frozenset({variable})
    if django.is_model_instance(known, module):
        return Shown(template, names, value, None, known, True) if _is_known(known, module) else None
    is_list = known.name in {"builtins.list", "builtins.tuple"}
    if not is_list and not django.is_page(known) and not django.is_queryset(known, module):
        return None
    row = known.argument()
    if row is None or not _is_known(row, module):
        return None
    return Shown(template, names, value, value, row, False)


def _is_known(row: Type, module: Module) -> bool:
    """Whether it is known what comes with a row of a model, and that there may be several."""
    fact = row.fact
    return (
        isinstance(fact, Loaded)
        and django.is_model_instance(row, module)
        and (fact.limit is None or fact.limit > 1)
    )


def _template_of(info: ClassInfo, row: Type | None) -> str | None:
    """The name of the only template of a class-based view."""
    if info.method("get_template_names") is not None:
        return None
    found = info.member("template_name")
    if found is not None:
        value = found[1].value
        return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    model = info.module.modules.class_info(row.name) if row is not None else None
    label = django_models.label_of(model) if model is not None else None
    suffix = next((suffix for view, suffix in _SUFFIXES.items() if info.is_a(view)), None)
    if model is None or label is None or suffix is None or info.member("template_name_suffix") is not None:
        return None
    return f"{label}/{model.node.name.lower()}_{suffix}.html"


def _object_names(info: ClassInfo, row: Type) -> frozenset[str]:
    """The names by which a template gets the object or the objects of a generic view."""
    is_list = info.is_a(_LISTS)
    names = {"object_list", "page_obj"} if is_list else {"object"}
    own = info.member("context_object_name")
    if own is None:
        model = row.name.rpartition(".")[2].lower()
        names.add(f"{model}_list" if is_list else model)
    elif isinstance(own[1].value, ast.Constant) and isinstance(own[1].value.value, str):
        names.add(own[1].value.value)
    return frozenset(names)


def _context_of(info: ClassInfo) -> list[tuple[str, ast.expr]] | None:
    """What the class's own `get_context_data` adds; None where a context is made in another way."""
    if any(info.method(name) is not None for name in ("render_to_response", "get_context_object_name")):
        return None
    method = info.method("get_context_data")
    if method is None or method.owner is None or method.owner.name != info.name:
        return []
    return template_contexts.single(_added(method))


def _added(method: FunctionInfo) -> list[tuple[str, ast.expr]]:
    found: list[tuple[str, ast.expr]] = []
    for value in method.returned:
        match value:
            case ast.Name():
                found += template_contexts.stored(value, method.module)
            case ast.Dict():
                found += template_contexts.written(value)
    return list(dict.fromkeys(found))


def _listed(info: ClassInfo) -> tuple[Type, ast.expr, bool] | None:
    """A row of what a generic view shows, the expression to report, and whether that alone gives the rows."""
    if any(info.method(name) is not None for name in ("get_object", "paginate_queryset", "get")):
        return None
    method = info.method("get_queryset")
    if method is None:
        for name in ("queryset", "model"):
            found = info.member(name)
            if found is None or found[1].value is None or found[1].path:
                continue
            known = django.view_queryset(info)
            row = known.argument() if known is not None else None
            if row is None or not _is_known(row, info.module) or found[0].module is not info.module:
                return None
            return row, found[1].value, name == "queryset"
        return None
    if method.module is not info.module or not method.is_transparent or method.is_async or method.yields:
        return None
    body = django.Body(method, instance(info.name))
    places = [value for value in method.returned if value is not None]
    known = join([body.value(value) for value in places])
    if len(places) != len(method.returned) or known is None or not django.is_queryset(known, info.module):
        return None
    row = known.argument()
    return (row, places[-1], len(places) == 1) if row is not None and _is_known(row, info.module) else None
