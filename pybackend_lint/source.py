"""One Python file: its bytes, text, syntax tree, nodes by type, calls by name and positions."""

from __future__ import annotations

import ast
import bisect
import gc
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar, cast

from pybackend_lint.finding import Position

Node = TypeVar("Node", bound=ast.AST)

_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(r"\r\n|\r|\n")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NO_CHILDREN = frozenset(
    """ctx op ops id attr kind module level asname type_comment simple is_async conversion
    type_ignores rest tag arg kwd_attrs str""".split()
)
_NAMED_BY_STRING = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchStar, ast.MatchAs,
)  # fmt: skip
_LEAVES = (ast.Constant, ast.Name, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.MatchSingleton)


def _child_fields(cls: type[ast.AST]) -> tuple[str, ...]:
    if issubclass(cls, _LEAVES):
        return ()
    skipped = _NO_CHILDREN
    if cls in _NAMED_BY_STRING or cls.__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple"}:
        skipped = _NO_CHILDREN | {"name"}
    return tuple(field for field in cls._fields if field not in skipped)


_CLASSES = [cls for cls in vars(ast).values() if isinstance(cls, type) and issubclass(cls, ast.AST)]
# `None` stands in the lists of some fields (keys of `{**x}`, defaults of keyword-only parameters).
_FIELDS: dict[type, tuple[str, ...]] = {type(None): (), **{cls: _child_fields(cls) for cls in _CLASSES}}


class SourceError(Exception):
    """A file that cannot be decoded or parsed.

    `reason` is one line for the user; `start` is where the parser stopped.
    """

    def __init__(self, path: str, reason: str, start: Position) -> None:
        super().__init__(f"{path}:{start.row}:{start.column}: {reason}")
        self.path = path
        self.reason = reason
        self.start = start


class Source:
    """One Python file, parsed once.

    Raises `SourceError` from `text` when the bytes cannot be decoded and from `tree` when they
    are not valid Python. Positions of nodes are those of `ast` (rows from 1, columns in UTF-8
    bytes); everything the linter reports counts characters.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._parents: dict[int, dict[int, ast.AST]] = {}

    @cached_property
    def encoding(self) -> str:
        """The encoding by PEP 263; `utf-8-sig` when the file starts with a byte order mark."""
        try:
            return tokenize.detect_encoding(io.BytesIO(self.data).readline)[0]
        except SyntaxError as error:
            raise SourceError(self.path, str(error.msg), Position(1, 1)) from error

    @cached_property
    def text(self) -> str:
        """The decoded text without byte order mark; line endings are kept as they are."""
        try:
            return self.data.removeprefix(_BOM).decode(self.encoding.removesuffix("-sig"))
        except UnicodeDecodeError as error:
            row = self.data[: error.start].count(b"\n") + 1
            reason = f"cannot be decoded as {self.encoding}: {error.reason}"
            raise SourceError(self.path, reason, Position(row, 1)) from error

    def encode(self, text: str) -> bytes:
        """Encode a changed text as this file was encoded; raises `UnicodeEncodeError`."""
        bom = _BOM if self.data.startswith(_BOM) else b""
        return bom + text.encode(self.encoding.removesuffix("-sig"))

    @cached_property
    def newline(self) -> str:
        """The line ending that the first line of the file uses; `\\n` when it has only one line."""
        match = _NEWLINE.search(self.text)
        return match.group() if match else "\n"

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset in characters of the first character of every line."""
        return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    def line(self, row: int) -> str:
        """The text of a line (rows from 1) without its line ending; empty beyond the last line."""
        starts = self.line_starts
        if not 1 <= row <= len(starts):
            return ""
        end = starts[row] if row < len(starts) else len(self.text)
        return self.text[starts[row - 1] : end].rstrip("\r\n")

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        text = self.text
        collecting = gc.isenabled()
        gc.disable()  # a tree is all survivors: collecting while it grows makes parsing four times slower
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text)
        except SyntaxError as error:
            row = error.lineno or 1
            start = Position(row, max(1, min(error.offset or 1, len(self.line(row)) + 1)))
            raise SourceError(self.path, error.msg, start) from error
        except ValueError as error:
            raise SourceError(self.path, str(error), Position(1, 1)) from error
        except (RecursionError, MemoryError) as error:
            raise SourceError(self.path, "nested too deeply to be parsed", Position(1, 1)) from error
        finally:
            if collecting:
                gc.enable()

    @cached_property
    def _nodes(self) -> dict[type, list[ast.AST]]:
        lists: dict[type, list[ast.AST]] = {cls: [] for cls in _FIELDS}
        fields = _FIELDS
        stack: list[ast.AST] = [self.tree]
        pop, push, extend = stack.pop, stack.append, stack.extend
        while stack:
            node = pop()
            cls = node.__class__
            lists[cls].append(node)
            for field in fields[cls]:
                child = getattr(node, field)
                if child.__class__ is list:
                    extend(child)
                elif child is not None:
                    push(child)
        return lists

    def nodes(self, cls: type[Node]) -> list[Node]:
        """All nodes of exactly this type, in no particular order."""
        return cast("list[Node]", self._nodes.get(cls, []))

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """Calls by the last name of what is called: `f(x)` and `a.f(x)` are both under `f`."""
        calls: dict[str, list[ast.Call]] = {}
        for call in self.nodes(ast.Call):
            func = call.func
            if func.__class__ is ast.Attribute:
                name = cast(ast.Attribute, func).attr
            elif func.__class__ is ast.Name:
                name = cast(ast.Name, func).id
            else:
                continue
            calls.setdefault(name, []).append(call)
        return calls

    @cached_property
    def _units(self) -> tuple[list[int], list[ast.stmt], list[ast.AST]]:
        """Statements of the module and of its classes by first line: the pieces of the parent map."""
        starts: list[int] = []
        units: list[ast.stmt] = []
        owners: list[ast.AST] = []

        def visit(owner: ast.Module | ast.ClassDef) -> None:
            for statement in owner.body:
                first = statement.lineno
                for decorator in getattr(statement, "decorator_list", ()):
                    first = min(first, decorator.lineno)
                starts.append(first)
                units.append(statement)
                owners.append(owner)
                if isinstance(statement, ast.ClassDef):
                    visit(statement)

        visit(self.tree)
        return starts, units, owners

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that contains this one; `None` for the module."""
        if isinstance(node, ast.Module):
            return None
        row = getattr(node, "lineno", None)
        starts, units, owners = self._units
        if row is not None:
            index = bisect.bisect_right(starts, row)
            while index > 0:  # several statements may share a line
                index -= 1
                found = self._unit_parents(index, units[index], owners[index]).get(id(node))
                if found is not None:
                    return found
                if starts[index] < row and not isinstance(units[index], ast.ClassDef):
                    break
        for index, unit in enumerate(units):
            found = self._unit_parents(index, unit, owners[index]).get(id(node))
            if found is not None:
                return found
        return None

    def _unit_parents(self, index: int, unit: ast.stmt, owner: ast.AST) -> dict[int, ast.AST]:
        parents = self._parents.get(index)
        if parents is None:
            parents = self._parents[index] = {id(unit): owner}
            stack: list[ast.AST] = [unit]
            while stack:
                node = stack.pop()
                for field in _FIELDS[node.__class__]:
                    if node is unit and field == "body" and isinstance(unit, ast.ClassDef):
                        continue  # statements of a class are units of their own
                    child = getattr(node, field)
                    for item in child if child.__class__ is list else (child,):
                        if item is not None:
                            parents[id(item)] = node
                            stack.append(item)
        return parents

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around this one, from the inside out; the module is the last."""
        parent = self.parent(node)
        while parent is not None:
            yield parent
            parent = self.parent(parent)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that contains this node (the node itself when it is one)."""
        if isinstance(node, ast.stmt):
            return node
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, ast.stmt):
                return ancestor
        raise ValueError("a module is not inside a statement")

    def enclosing_function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """The innermost function or lambda whose body, not its header, contains this node.

        Decorators, defaults and annotations belong to the scope around the function.
        """
        child = node
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, _FUNCTIONS):
                if isinstance(child, ast.stmt) and child is not ancestor and child in ancestor.body:
                    return ancestor
            elif isinstance(ancestor, ast.Lambda):
                if child is ancestor.body:
                    return ancestor
            elif isinstance(ancestor, ast.ClassDef):
                if isinstance(child, ast.stmt):
                    return None
            child = ancestor
        return None

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class whose body contains this node, also through functions."""
        child = node
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, ast.ClassDef) and isinstance(child, ast.stmt) and child in ancestor.body:
                return ancestor
            child = ancestor
        return None

    def offset(self, row: int, column: int) -> int:
        """The offset in characters of a position of `ast` (row from 1, column in UTF-8 bytes)."""
        start = self.line_starts[row - 1]
        if self._ascii:
            return start + column
        return start + len(self.line(row).encode()[:column].decode(errors="ignore"))

    def start(self, node: ast.AST) -> int:
        """The offset of a node's first character."""
        place = cast(ast.expr, node)
        return self.offset(place.lineno, place.col_offset)

    def end(self, node: ast.AST) -> int:
        """The offset behind a node's last character."""
        place = cast(ast.expr, node)
        assert place.end_lineno is not None
        assert place.end_col_offset is not None
        return self.offset(place.end_lineno, place.end_col_offset)

    def segment(self, node: ast.AST) -> str:
        """The text of a node, as it was written."""
        return self.text[self.start(node) : self.end(node)]

    def position(self, offset: int) -> Position:
        """The position (row and column from 1, in characters) of an offset."""
        row = bisect.bisect_right(self.line_starts, offset)
        return Position(row, offset - self.line_starts[row - 1] + 1)
