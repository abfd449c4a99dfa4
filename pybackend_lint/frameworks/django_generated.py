"""Facts about generated fields of Django's models: the database computes them, whatever the code writes."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pybackend_lint.frameworks import django, django_models, django_queries, django_web
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module

_GENERATED: Final = "django.db.models.GeneratedField"
# Methods whose keyword arguments are values that they write; those of `get_or_create` look for rows as well.
_WRITERS: Final = frozenset({"create", "acreate", "update", "aupdate"})


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedWrite:
    """A place that gives a generated field a value.

    - `node`: the argument, the assignment, or the name in the fields of a form.
    - `field`: the field; `in_form`: whether a form lists it, which Django refuses.
    """

    node: ast.AST
    field: django_models.Field
    in_form: bool


def generated_writes(module: Module) -> Iterator[GeneratedWrite]:
    """The places of a module that give generated fields of the project's models a value."""
    names = {name for name in _names(module) if name.encode() in module.source.data}
    if not names:
        return
    for keyword in module.source.nodes(ast.keyword):
        if keyword.arg in names:
            field = _field(_written_model(keyword, module), keyword.arg)
            if field is not None:
                yield GeneratedWrite(keyword, field, in_form=False)
    for assignment in module.source.nodes(ast.Assign):
        yield from _assigned(assignment, names, module)


def _assigned(assignment: ast.Assign, names: set[str], module: Module) -> Iterator[GeneratedWrite]:
    for target in assignment.targets:
        match target:
            case ast.Attribute(value=ast.Name() as row, attr=attr) if attr in names:
                known = module.type_of(row)
                model = django.model_of(known, module) if django.is_model_instance(known, module) else None
                field = _field(model, attr)
                if field is not None and django_queries.saved_later(assignment, row.id, module) is not None:
                    yield GeneratedWrite(assignment, field, in_form=False)
            case ast.Name(id="fields"):
                site = django_web.form_of_fields(assignment, module)
                listed = assignment.value
                if site is None or not isinstance(listed, (ast.List, ast.Tuple)):
                    continue
                for item in listed.elts:
                    name = item.value if isinstance(item, ast.Constant) else None
                    field = _field(site.model, name) if isinstance(name, str) else None
                    if field is not None:
                        yield GeneratedWrite(item, field, in_form=True)


def _written_model(keyword: ast.keyword, module: Module) -> ClassInfo | None:
    """The model of which a call writes its keyword arguments to a row: it is made, created or updated."""
    call = module.source.parent(keyword)
    if not isinstance(call, ast.Call):
        return None
    model = module.class_named(call.func)
    if model is not None:
        plain = django_models.is_model(model) and model.method("__init__") is None
        return model if plain else None
    own = django.own_method(call.func, module)
    return django.model_of(own[1], module) if own is not None and own[0] in _WRITERS else None


def _field(model: ClassInfo | None, name: str) -> django_models.Field | None:
    field = django_models.fields(model).get(name) if model is not None else None
    return field if field is not None and field.cls == _GENERATED and field.is_builtin else None


def _names(module: Module) -> frozenset[str]:
    """The names of all generated fields of a project."""
    index = module.modules
    if not isinstance(index, Index):
        return frozenset()
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    return index.fact(("generated fields", root), lambda: frozenset(_find_names(index, module)))


def _find_names(index: Index, module: Module) -> Iterator[str]:
    for path in files_with(index, module, b"GeneratedField"):
        home = index.at(path, module)
        for node in home.source.nodes(ast.ClassDef) if home is not None else ():
            info = home.class_info_of(node) if home is not None else None
            if info is not None and django_models.is_model(info):
                for name, field in django_models.fields(info).items():
                    if field.cls == _GENERATED:
                        yield name
