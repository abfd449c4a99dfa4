"""Templates of Django and Jinja: what they do with a value that a view gives them.

What a template does counts when it certainly happens for every element of the value, or for elements that
it chooses by themselves. What depends on anything else, and what lies inside tags that are not known, does
not count.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pybackend_lint.finding import Position, Related
from pybackend_lint.project.files import folders_below
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.module import Module

# The folders of an app that Django's own loaders for templates look into.
_FOLDERS: Final = ("templates", "jinja2")
_SKIPPED = frozenset({"node_modules", "site-packages", "build", "dist", "venv", "env", "static", "media"})
_MOST_FOLDERS = 20_000
_MOST_INCLUDED = 4

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
_MACRO = re.compile(
    r"\{%[-+]?\s*macro\s+(?P<name>\w+)\s*\((?P<parameters>[^)]*)\)\s*[-+]?%\}(?P<body>.*?)"
    r"\{%[-+]?\s*endmacro",
    re.DOTALL,
)
_IMPORTS = re.compile(r"\{%[-+]?\s*(?:import|from)\s+(.*?)\s*[-+]?%\}", re.DOTALL)
_IMPORT = re.compile(r"[\"']([^\"']+)[\"']\s+(?:as\s+(\w+)|import\s+(.+))", re.DOTALL)
_NAMED = re.compile(r"(?:^|\s)as\s+(\w+)$")
_OPERATOR = re.compile(r"\s(?:and|or)\s")
_WORDS = frozenset({"not", "in", "is", "True", "False", "None", "true", "false", "none", "defined"})
# Tags that show what is inside them, whatever their arguments are.
_TRANSPARENT = frozenset(
    {
        "block", "blocktrans", "blocktranslate", "trans", "autoescape", "spaceless", "filter", "localize",
        "localtime", "timezone", "language", "compress", "set",
    }
)  # fmt: skip
_LITERAL = frozenset({"comment", "verbatim", "raw"})
# Tags that ask for the values of their arguments.
_ASKING = frozenset({"url", "blocktrans", "blocktranslate", "widthratio", "ifchanged"})
# Filters that hand on the rows that they are given.
_KEEPS_ROWS = frozenset({"dictsort", "dictsortreversed", "slice", "list", "sort", "reverse", "safe"})


# Files


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template of the project: its path and its text."""

    path: str
    text: str


def template_file(name: str, asker: Module) -> TemplateFile | None:
    """The only file of the project that a template's name can mean, or None.

    What is made of the answer is computed again when such a file appears, goes or changes.
    """
    index = asker.modules
    assert isinstance(index, Index)
    if not name or name.startswith(("/", ".")) or "\\" in name:
        return None
    root = index.layout.project_root(os.path.dirname(index.path_of(asker)))
    index.rest_on(folders_below(root))
    found = [
        (path, data)
        for folder in index.lasting_fact(("template folders", root), lambda: _folders(index, root))
        if (data := index.text(path := os.path.join(folder, *name.split("/")), asker)) is not None
    ]
    return TemplateFile(found[0][0], found[0][1].decode("utf-8", "replace")) if len(found) == 1 else None


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


# Uses

ELEMENT: Final = "[]"  # each element of what comes before it
TEXT: Final = "__str__()"

_Path = tuple[str, ...]
_OWN: Final = "."  # the file itself, where a macro is defined and used in one
_Names = dict[str, _Path | None]


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A value that a template asks for, of what it was given.

    - `path`: the names that lead to it; `ELEMENT` for each element, `name()` for a method that is called,
      `TEXT` where the value is shown.
    - `calls`: whether the template calls by itself what can be called.
    - `place`: where it is asked for.
    """

    path: _Path
    calls: bool
    place: Related


@dataclass(slots=True)
class _Frame:
    """A tag that is open: the names that hold something else inside it, and whether its content counts."""

    tag: str
    names: _Names = field(default_factory=dict)
    counts: bool = True
    is_loop: bool = False


def template_uses(template: str, variables: Iterable[str], asker: Module) -> tuple[TemplateUse, ...]:
    """What a template certainly asks of the value that some variables give it, in the order of its text.

    Empty where the template is not found.
    """
    file = template_file(template, asker)
    if file is None:
        return ()
    reader = _Reader(asker)
    reader.read(file, dict.fromkeys(variables, ()))
    return tuple(dict.fromkeys(reader.found))


class _Reader:
    """Walks through a template and those that it includes."""

    def __init__(self, asker: Module) -> None:
        self.found: list[TemplateUse] = []
        self._asker = asker
        self._frames: list[_Frame] = []
        self._open: list[tuple[TemplateFile, str]] = []  # files with the macros that are read of them
        self._imports: dict[str, tuple[str, str]] = {}  # name to the template and, of one macro, its name
        self._text = ""
        self._ends: frozenset[str] = frozenset()
        self._is_jinja = False

    def read(self, file: TemplateFile, names: _Names, macro: str = "") -> None:
        """Collect what the template of a file asks for, or one of its macros.

        `names` are those that hold parts of the value; for a macro by its parameters, and by their places.
        """
        if (file, macro) in self._open or len(self._open) > _MOST_INCLUDED:
            return
        around = self._text, self._ends, self._is_jinja, self._frames, self._imports
        self._text = file.text
        self._ends = frozenset(_ENDS.findall(self._text))
        self._is_jinja = f"{os.sep}jinja2{os.sep}" in file.path or _JINJA.search(self._text) is not None
        self._imports = dict.fromkeys((match["name"] for match in _MACRO.finditer(self._text)), (_OWN, ""))
        for item in _IMPORTS.findall(self._text):
            self._import(item)
        span = 0, len(self._text)
        if macro:
            span, names = self._macro(macro, names)
        self._frames = [_Frame("", names, self._certain, self._in_loop)]
        self._open.append((file, macro))
        self._walk(*span)
        self._open.pop()
        self._text, self._ends, self._is_jinja, self._frames, self._imports = around

    def _macro(self, name: str, given: _Names) -> tuple[tuple[int, int], _Names]:
        """The span of a macro's body, and what its parameters hold by their names."""
        found = next((item for item in _MACRO.finditer(self._text) if item["name"] == name), None)
        if found is None:
            return (0, 0), {}
        parameters = [item.partition("=")[0].strip() for item in found["parameters"].split(",")]
        return found.span("body"), {
            parameter: given.get(parameter, given.get(str(place)))
            for place, parameter in enumerate(parameters)
        }

    def _walk(self, start: int, end: int) -> None:
        ending = ""
        for token in _TOKEN.finditer(self._text, start, end):
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
        names: _Names = {name.strip(): None for name in targets.strip("() ").split(",")}
        iterated, is_filtered, _ = iterated.partition(" if ")
        value = self._iterated(iterated)
        if value is None:
            return _Frame("for", names)
        self._note(value, place)
        if len(names) == 1:
            names = dict.fromkeys(names, (*value, ELEMENT))
        return _Frame("for", names, not is_filtered, is_loop=True)

    def _iterated(self, text: str) -> _Path | None:
        expression, *filters = text.strip().removesuffix(" reversed").split("|")
        if any(re.split(r"[:(]", item, maxsplit=1)[0].strip() not in _KEEPS_ROWS for item in filters):
            return None
        return self._value(expression.strip())

    def _otherwise(self, word: str, rest: str, place: int) -> None:
        frame = self._frames[-1]
        if frame.tag == "for":
            frame.names = dict.fromkeys(frame.names)
            frame.is_loop = False
        elif frame.tag == "if" and word == "elif" and frame.counts:
            frame.counts = self._condition(rest, place)

    def _condition(self, text: str, place: int) -> bool:
        """Note what a condition asks for; whether nothing but elements decides about what it guards."""
        for operand in _OPERATOR.split(text):
            self._ask(operand, place)
            for chain in _CHAIN.findall(operand) if self._in_loop else ():
                name = chain.partition(".")[0]
                if name not in _WORDS and self._lookup(name) is None:
                    return False
        return True

    def _assigned(self, text: str, place: int) -> _Names:
        """The names that `a=b c=d`, `b as a` or `a = b` give to values."""
        before, is_named, after = text.partition(" as ")
        found: _Names = {}
        for name, value in [(after, before)] if is_named else _PAIR.findall(text):
            found[name.strip()] = known = self._value(value.strip())
            if known is None or not known or known[-1].removesuffix("()") != "all":
                self._ask(value, place)  # a queryset runs when it is iterated
        return found

    def _include(self, rest: str, place: int) -> None:
        match = _INCLUDED.match(rest)
        file = template_file(match[1], self._asker) if match is not None and self._certain else None
        if match is None or file is None:
            return
        names: _Names = {}
        for frame in self._frames if not match["only"] else ():
            names |= frame.names
        names |= self._assigned(_without_text(match["names"] or ""), place)
        if any(value is not None for value in names.values()):
            self.read(file, names)

    def _import(self, rest: str) -> None:
        """Remember the names that `import "x" as y` or `from "x" import y as z` gives to macros."""
        match = _IMPORT.match(rest)
        if match is None:
            return
        if match[2]:
            self._imports[match[2]] = match[1], ""
        for item in re.split(r"\s+with(?:out)?\s+context", match[3] or "")[0].split(","):
            name, _, alias = item.strip().partition(" as ")
            self._imports[(alias or name).strip()] = match[1], name

    # Expressions

    def _output(self, text: str, place: int) -> None:
        if re.search(r"\sif\s", text):
            return  # which part is shown depends on the condition
        first = _OPERATOR.split(text)[0]
        self._ask(first, place)
        shown = self._value(first.partition("|")[0].strip())
        if shown is not None:
            self._note((*shown, TEXT), place)

    def _ask(self, text: str, place: int) -> None:
        """Note what the chains of names in an expression ask for."""
        for match in _CHAIN.finditer(text):
            after = text[match.end() : match.end() + 1]
            value = self._value(match[0] + ("()" if after == "(" else ""))
            if value and after != "=":
                self._note(value, place)
            elif after == "(" and self._certain:
                self._call(match[0], text[match.end() :])

    def _call(self, callee: str, text: str) -> None:
        """Read the macro of a name, where it is one, with the arguments that a text begins with."""
        alias, _, macro = callee.partition(".")
        template, own = self._imports.get(alias, ("", ""))
        names: _Names = {
            name or str(place): self._value(given) for place, (name, given) in enumerate(_arguments(text))
        }
        macro = macro or own or alias
        if template and any(value is not None for value in names.values()):
            file = self._open[-1][0] if template == _OWN else template_file(template, self._asker)
            if file is not None:
                self.read(file, names, macro)

    def _lookup(self, name: str) -> _Path | None:
        for frame in reversed(self._frames):
            if name in frame.names:
                return frame.names[name]
        return None

    def _value(self, text: str) -> _Path | None:
        """The path to what an expression is, None where it is nothing of the value."""
        if not _NAMES.fullmatch(text):
            return None
        name, *steps = text.split(".")
        known = self._lookup(name)
        return (*known, *steps) if known is not None else None

    def _note(self, path: _Path, place: int) -> None:
        if self._certain and path:
            self.found.append(TemplateUse(path, not self._is_jinja, self._place(place, path)))

    def _place(self, place: int, path: _Path) -> Related:
        row = self._text.count("\n", 0, place) + 1
        column = place - self._text.rfind("\n", 0, place)
        last = next((name for name in reversed(path) if name not in {ELEMENT, TEXT}), "")
        return Related(self._open[-1][0].path, Position(row, column), f"reads `{last}`")


def _without_text(expression: str) -> str:
    """An expression with blanks in place of what its strings say."""
    return _STRING.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', expression)


def _arguments(text: str) -> Iterator[tuple[str, str]]:
    """The arguments of a call, of which a text begins with the bracket: names (or nothing) and values."""
    depth, start = 0, 1
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 or (depth == 1 and character == ","):
            name, separator, value = text[start:position].partition("=")
            yield (
                (name.strip(), value.strip())
                if separator and name.strip().isidentifier()
                else ("", text[start:position].strip())
            )
            start = position + 1
        if depth == 0:
            return
