"""Facts about templates of Django and Jinja: what they read from the rows that a view gives them.

A read counts when the template certainly makes it for every row, or for rows that it chooses by the row
itself. What depends on anything else, and what lies inside tags that are not known, does not count.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pybackend_lint.finding import Position, Related
from pybackend_lint.frameworks import django_models, django_reads
from pybackend_lint.frameworks.django_models import Relation
from pybackend_lint.frameworks.django_reads import PathRead, Row
from pybackend_lint.project.files import folders_below
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module

# The folders of an app that Django's own loaders for templates look into.
_FOLDERS: Final = ("templates", "jinja2")
_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env", "static", "media"})
_MOST_FOLDERS = 20_000
_MOST_INCLUDED = 4
_MOST_STEPS = 6

_TOKEN = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*(?P<tag>.*?)\s*[-+]?%\}|\{\{-?\s*(?P<value>.*?)\s*-?\}\}", re.DOTALL
)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_CHAIN = re.compile(r"(?<![\w.|])[A-Za-z_]\w*(?:\.\w+|\(\))*")
_JINJA = re.compile(r"\{%[-+]?\s*(?:set|macro|import|from|call|do)\b|\{\{[^}\"']*\w\(")
_NAMES = re.compile(r"[A-Za-z_]\w*(?:\.\w+|\(\))*")
_ENDS = re.compile(r"\{%[-+]?\s*end(\w+)")
_PAIR = re.compile(r"(\w+)\s*=(?!=)\s*([^=]*?)\s*(?=\s\w+\s*=|$)")
_INCLUDED = re.compile(r"[\"']([^\"']+)[\"']\s*(?:with\s+(?P<names>.*?))?\s*(?P<only>\bonly)?$", re.DOTALL)
_NAMED = re.compile(r"(?:^|\s)as\s+(\w+)$")
_OPERATOR = re.compile(r"\s(?:and|or)\s")
_WORDS = frozenset({"not", "in", "is", "True", "False", "None", "true", "false", "none", "defined"})
# Tags that show what is inside them, whatever their arguments are.
_TRANSPARENT = frozenset(
    {
        "block", "blocktrans", "blocktranslate", "trans", "autoescape", "spaceless", "filter", "localize",
        "localtime", "timezone", "language", "compress",
    }
)  # fmt: skip
_LITERAL = frozenset({"comment", "verbatim", "raw"})
# Tags that ask for the values of their arguments.
_ASKING = frozenset({"url", "blocktrans", "blocktranslate", "widthratio", "ifchanged"})
# Filters that hand on the rows that they are given.
_KEEPS_ROWS = frozenset({"dictsort", "dictsortreversed", "slice", "list", "sort", "reverse", "safe"})


# Files


def template_file(name: str, asker: Module) -> str | None:
    """The path of the only file of the project that a template's name can mean, or None.

    What is made of the answer is computed again when such a file appears, goes or changes.
    """
    index = asker.modules
    assert isinstance(index, Index)
    if not name or name.startswith(("/", ".")) or "\\" in name:
        return None
    root = index.layout.project_root(os.path.dirname(index.path_of(asker)))
    index.rest_on(folders_below(root))
    found = [
        path
        for folder in index.lasting_fact(("template folders", root), lambda: _folders(index, root))
        if index.text(path := os.path.join(folder, *name.split("/")), asker) is not None
    ]
    return found[0] if len(found) == 1 else None


def _folders(index: Index, root: str) -> tuple[str, ...]:
    found: list[str] = []
    pending = [root]
    seen = 0
    while pending and seen < _MOST_FOLDERS:
        index.may_read(seen)
        directory = pending.pop()
        for name, is_directory in sorted(index.files.listing(directory).items()):
            if not is_directory or name[0] in "._" or name in _SKIPPED:
                continue
            seen += 1
            (found if name in _FOLDERS else pending).append(os.path.join(directory, name))
    return tuple(sorted(found))


# Reads


@dataclass(frozen=True, slots=True)
class _Rows:
    """A value that gives rows when it is iterated; `base` is the row whose relation it asks then, if any."""

    row: Row
    base: Row | None = None
    relation: Relation | None = None


_Value = Row | _Rows | None


@dataclass(slots=True)
class _Frame:
    """A tag that is open: the names that hold something else inside it, and whether its content counts."""

    tag: str
    names: dict[str, _Value] = field(default_factory=dict)
    counts: bool = True
    is_loop: bool = False


def template_reads(
    template: str, variables: Iterable[str], model: str, asker: Module, *, is_one: bool
) -> tuple[PathRead, ...]:
    """The relations that a template reads from every row of `model` that some variables give it.

    `is_one`: each of them holds one object; then those paths count that are read from the rows of one of
    its relations. Longest paths only; empty where the template is not found.
    """
    path = template_file(template, asker)
    if path is None:
        return ()
    row = Row((), model)
    reader = _Reader(asker, is_one=is_one)
    reader.read(path, dict.fromkeys(variables, row if is_one else _Rows(row)))
    return django_reads.longest(reader.found)


class _Reader:
    """Walks through a template and those that it includes."""

    def __init__(self, asker: Module, *, is_one: bool) -> None:
        self.found: list[PathRead] = []
        self._asker = asker
        self._is_one = is_one
        self._frames: list[_Frame] = []
        self._open: list[str] = []
        self._text = ""
        self._ends: frozenset[str] = frozenset()
        self._is_jinja = False

    def read(self, path: str, names: dict[str, _Value]) -> None:
        """Collect what the template of a path reads; `names` are those that hold rows."""
        index = self._asker.modules
        assert isinstance(index, Index)
        data = index.text(path, self._asker)
        if data is None or path in self._open or len(self._open) > _MOST_INCLUDED:
            return
        around = self._text, self._ends, self._is_jinja, self._frames
        self._frames = [_Frame("", names, self._certain, self._in_loop)]
        self._text = data.decode("utf-8", "replace")
        self._ends = frozenset(_ENDS.findall(self._text))
        self._is_jinja = f"{os.sep}jinja2{os.sep}" in path or _JINJA.search(self._text) is not None
        self._open.append(path)
        self._walk()
        self._open.pop()
        self._text, self._ends, self._is_jinja, self._frames = around

    def _walk(self) -> None:
        ending = ""
        for token in _TOKEN.finditer(self._text):
            word, rest = [*(token["tag"] or "").split(None, 1), "", ""][:2]
            if ending:
                ending = "" if word == ending else ending
            elif token["value"] is not None:
                self._output(_without_text(token["value"]), token.start())
            elif word in _LITERAL:
                ending = f"end{word}"
            elif word == "include":
                self._include(rest, token.start())
            elif word:
                self._tag(word, _without_text(rest), token.start())

    @property
    def _certain(self) -> bool:
        return all(frame.counts for frame in self._frames)

    @property
    def _in_loop(self) -> bool:
        return any(frame.is_loop for frame in self._frames)

    # Tags

    def _tag(self, word: str, rest: str, place: int) -> None:
        match word:
            case "for":
                self._frames.append(self._loop(rest, place))
            case "if":
                self._frames.append(_Frame("if", counts=self._condition(rest, place)))
            case "elif" | "else" | "empty":
                self._otherwise(word, rest, place)
            case "with":
                self._frames.append(_Frame("with", self._assigned(rest, place)))
            case "set" if "=" in rest:
                self._frames[-1].names |= self._assigned(rest, place)
            case _ if word.startswith("end"):
                self._end(word.removeprefix("end"))
            case _:
                if word in _ASKING:
                    self._ask(rest, place)
                if word in self._ends:
                    self._frames.append(_Frame(word, counts=word in _TRANSPARENT))
                named = _NAMED.search(rest)
                if named is not None:
                    self._frames[-1].names[named[1]] = None

    def _end(self, tag: str) -> None:
        for position in range(len(self._frames) - 1, 0, -1):
            if self._frames[position].tag == tag:
                del self._frames[position:]
                return

    def _loop(self, rest: str, place: int) -> _Frame:
        targets, _, iterated = rest.partition(" in ")
        names: dict[str, _Value] = {name.strip(): None for name in targets.strip("() ").split(",")}
        iterated, is_filtered, _ = iterated.partition(" if ")
        value = self._iterated(iterated)
        if value is None:
            return _Frame("for", names)
        if value.base is not None and value.relation is not None:
            self._note(value.base, value.row.path[-1], value.relation, place)
        if len(names) == 1:
            names = dict.fromkeys(names, value.row)
        return _Frame("for", names, not is_filtered, is_loop=True)

    def _iterated(self, text: str) -> _Rows | None:
        expression, *filters = text.strip().removesuffix(" reversed").split("|")
        if any(re.split(r"[:(]", item, maxsplit=1)[0].strip() not in _KEEPS_ROWS for item in filters):
            return None
        value = self._value(expression.strip())
        return value if isinstance(value, _Rows) else None

    def _otherwise(self, word: str, rest: str, place: int) -> None:
        frame = self._frames[-1]
        if frame.tag == "for":
            frame.names = dict.fromkeys(frame.names)
            frame.is_loop = False
        elif frame.tag == "if" and word == "elif" and frame.counts:
            frame.counts = self._condition(rest, place)

    def _condition(self, text: str, place: int) -> bool:
        """Note what a condition reads; whether nothing but rows decides about what it guards."""
        for operand in _OPERATOR.split(text):
            self._ask(operand, place)
            for chain in _CHAIN.findall(operand) if self._in_loop else ():
                name = chain.partition(".")[0]
                if name not in _WORDS and self._lookup(name) is None:
                    return False
        return True

    def _assigned(self, text: str, place: int) -> dict[str, _Value]:
        """The names that `a=b c=d`, `b as a` or `a = b` give to values."""
        before, is_named, after = text.partition(" as ")
        found: dict[str, _Value] = {}
        for name, value in [(after, before)] if is_named else _PAIR.findall(text):
            found[name.strip()] = known = self._value(value.strip())
            if not isinstance(known, _Rows):
                self._ask(value, place)
        return found

    def _include(self, rest: str, place: int) -> None:
        match = _INCLUDED.match(rest)
        path = template_file(match[1], self._asker) if match is not None and self._certain else None
        if match is None or path is None:
            return
        names: dict[str, _Value] = {}
        for frame in self._frames if not match["only"] else ():
            names |= frame.names
        names |= self._assigned(_without_text(match["names"] or ""), place)
        if any(value is not None for value in names.values()):
            self.read(path, names)

    # Expressions

    def _output(self, text: str, place: int) -> None:
        if re.search(r"\sif\s", text):
            return  # which part is shown depends on the condition
        first = _OPERATOR.split(text)[0]
        self._ask(first, place)
        row = self._value(first.partition("|")[0].strip())
        if isinstance(row, Row):
            self._member(row, "__str__", place)

    def _ask(self, text: str, place: int) -> None:
        """Note what the chains of names in an expression read."""
        for match in _CHAIN.finditer(text):
            after = text[match.end() : match.end() + 1]
            if after != "=":
                self._chain(match[0] + ("()" if after == "(" else ""), place)

    def _lookup(self, name: str) -> _Value:
        for frame in reversed(self._frames):
            if name in frame.names:
                return frame.names[name]
        return None

    def _value(self, text: str) -> _Value:
        """The row or rows that an expression is, None for everything else."""
        if not _NAMES.fullmatch(text):
            return None
        name, *steps = text.replace("()", "").split(".")
        value = self._lookup(name)
        if isinstance(value, _Rows):
            return value if not steps or steps in (["all"], ["object_list"]) else None
        for position, step in enumerate(steps):
            if value is None or len(value.path) >= _MOST_STEPS:
                return None
            if value.parent is not None and step == value.back:
                value = value.parent
                continue
            relation = django_models.relation(value.model, step, self._asker)
            if relation is None or relation.target is None:
                return None
            below = Row(
                (*value.path, step),
                relation.target,
                value,
                relation.back or "",
                value.many or not relation.is_single,
            )
            if not relation.is_single:
                return _Rows(below, value, relation) if steps[position + 1 :] == ["all"] else None
            value = below
        return value

    def _chain(self, text: str, place: int) -> None:
        """Note the relations that a chain of names reads."""
        name, *steps = text.split(".")
        row = self._lookup(name)
        for position, step in enumerate(steps):
            if not isinstance(row, Row) or len(row.path) >= _MOST_STEPS:
                return
            if row.parent is not None and step == row.back:
                row = row.parent
                continue
            relation = django_models.relation(row.model, step.removesuffix("()"), self._asker)
            if relation is None:
                self._member(row, step, place)
                return
            if not relation.is_single:
                rest = [item.removesuffix("()") for item in steps[position + 1 :]]
                if rest in (["all"], ["count"], ["exists"], ["all", "count"], ["all", "exists"]):
                    self._note(row, step, relation, place, counted=rest != ["all"])
                return
            self._note(row, step, relation, place)
            if relation.target is None:
                return
            row = Row((*row.path, step), relation.target, row, relation.back or "", row.many)

    def _member(self, row: Row, name: str, place: int) -> None:
        """Note what a property or method of a row's model reads, where the template asks or calls it."""
        if not self._counts(row):
            return
        is_called = name.endswith("()") or not self._is_jinja or name == "__str__"
        name = name.removesuffix("()")
        method = django_reads.member(row, name, self._asker)
        if method is None or not (is_called or method.is_property):
            return
        if sum(default is None for _, default in method.parameters()) == 1:
            step = self._step(place, f"shows `{name}`")
            self.found += django_reads.member_reads(row, method, step)

    def _note(self, row: Row, name: str, relation: Relation, place: int, *, counted: bool = False) -> None:
        if self._counts(row):
            path = "__".join(row.beyond((name,)))
            many = row.many or not relation.is_single
            step = self._step(place, f"reads `{name}`")
            self.found.append(PathRead(path, relation, many, (step,), counted=counted))

    def _counts(self, row: Row) -> bool:
        """Whether what is read now from a row is certainly read from each of many."""
        return self._certain and (row.many or not self._is_one)

    def _step(self, place: int, message: str) -> Related:
        line = self._text.count("\n", 0, place) + 1
        column = place - self._text.rfind("\n", 0, place)
        return Related(self._open[-1], Position(line, column), message)


def _without_text(expression: str) -> str:
    """An expression with blanks in place of what its strings say."""
    return _STRING.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', expression)
