"""Facts about the relations that templates read from the rows of Django's models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pybackend_lint.frameworks import django_models, django_reads
from pybackend_lint.frameworks.django_reads import PathRead, Row
from pybackend_lint.frameworks.templates import ELEMENT, TemplateUse, template_uses
from pybackend_lint.semantic.module import Module

_MOST_STEPS = 6
_COUNTS = frozenset({"count", "exists"})


def template_reads(
    template: str, variables: Iterable[str], model: str, asker: Module, *, is_one: bool
) -> tuple[PathRead, ...]:
    """The relations that a template reads from every row of `model` that some variables give it.

    `is_one`: each of them holds one object; then those paths count that are read from the rows of one of
    its relations. Longest paths only; empty where the template is not found.
    """
    found: list[PathRead] = []
    for use in template_uses(template, variables, asker):
        found += _reads(use, model, asker, is_one=is_one)
    return django_reads.longest(found)


def _reads(use: TemplateUse, model: str, asker: Module, *, is_one: bool) -> Iterator[PathRead]:
    """The relations that a use reads on its way from one object, or from something that gives rows."""
    row = Row((), model)
    path = list(use.path)
    if not is_one:
        while path and _name(path[0]) in {"all", "object_list"}:
            del path[0]
        if not path or path.pop(0) != ELEMENT:
            return
    while path and len(row.path) < _MOST_STEPS:
        step = path.pop(0)
        name = _name(step)
        if row.parent is not None and name == row.back:
            row = row.parent
            continue
        relation = django_models.relation(row.model, name, asker)
        from_many = row.many or not is_one
        if relation is None:
            if from_many:
                yield from _member_reads(row, step, use, asker)
            return
        place = replace(use.place, message=f"reads `{name}`")
        if not relation.is_single:
            method = _name(path[0]) if path else ""
            if method == "all" and path[1:2] and _name(path[1]) in _COUNTS:
                method = _name(path[1])
            if from_many and method in {"all", *_COUNTS}:
                yield row.read(name, relation, place, counted=method in _COUNTS and not row.many)
            if path[:2] != [path[0] if method == "all" else "", ELEMENT]:
                return
            del path[:2]
        elif from_many:
            yield row.read(name, relation, place)
        below = row.below(name, relation)
        if below is None:
            return
        row = below


def _name(step: str) -> str:
    return step.removesuffix("()")


def _member_reads(row: Row, step: str, use: TemplateUse, asker: Module) -> Iterator[PathRead]:
    """What a property or method of a row's model reads, where the template asks for it or calls it."""
    name = _name(step)
    method = django_reads.member(row, name, asker)
    if method is None or not (method.is_property or use.calls or step != name):
        return
    if sum(default is None for _, default in method.parameters()) == 1:
        place = replace(use.place, message=f"shows `{name}`")
        yield from django_reads.member_reads(row, method, place)
