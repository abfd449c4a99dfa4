"""One Python file: its bytes, text, syntax tree, nodes by type, calls by name and positions."""

from __future__ import annotations

import ast
import bisect
import contextlib
import io
import re
import tokenize
import warnings
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple, TypeVar, cast

from pybackend_lint import garbage_collection
from pybackend_lint.finding import Position

Node = TypeVar("Node", bound=ast.AST)

_BOM = b"\xef\xbb\xbf"
_CONTINUED = ("\\\n", "\\\r")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_OPENING_QUOTES = re.compile(r"""\w*("{3}|'{3}|"|')""")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_NO_CHILDREN = frozenset(
    {
        "ctx", "op", "ops", "id", "attr", "kind", "module", "level", "asname", "type_comment", "simple",
        "is_async", "conversion", "type_ignores", "rest", "tag", "arg", "kwd_attrs", "str",
    }
)  # fmt: skip
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


# Everything but letters, digits, underscores and bytes of other alphabets becomes a space.
_WORDS = bytes(
    code if code > 127 or chr(code).isalnum() or code == ord("_") else ord(" ") for code in range(256)
)


def words(data: bytes) -> set[bytes]:
    """The words of a file, those of comments and strings included: letters, digits and underscores."""
    return set(data.translate(_WORDS).split())


def mentions(data: bytes, text: bytes, known: set[bytes] | None = None) -> bool:
    """Whether a file holds a text that begins and ends where words do; after `*` it may be part of a word.

    `known` are the words of the file, for who asks about many texts.
    """
    if text.startswith(b"*"):
        return text[1:] in data
    if known is not None:
        return words(text) <= known and text in data
    return text in data and words(text) <= words(data)


_CLASSES = [cls for cls in vars(ast).values() if isinstance(cls, type) and issubclass(cls, ast.AST)]
_FIELDS: dict[type, tuple[str, ...]] = {cls: _child_fields(cls) for cls in _CLASSES}
# `None` stands in the lists of some fields: keys of `{**x}`, defaults of keyword-only parameters.
_WITH_GAPS = frozenset({ast.Dict, ast.arguments})

_OPENERS = frozenset(
    {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *_COMPREHENSIONS}
)  # fmt: skip


def last_name(node: ast.AST | None) -> str:
    """The last name of an expression such as `f` or `a.f`, empty for other ones."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_none(node: ast.AST | None) -> bool:
    """Whether an expression is written as `None`; False where there is none."""
    return isinstance(node, ast.Constant) and node.value is None


class Span(NamedTuple):
    """The nodes of one scope; `outer` is the number of the scope around it."""

    opener: ast.AST
    outer: int
    nodes: list[ast.AST]


def _opened(node: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """What is evaluated inside the scope that a node opens, and what around it."""
    if isinstance(node, _COMPREHENSIONS):
        first, *others = node.generators
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return [*results, *others, first.target, *first.ifs], [first.iter]
    if isinstance(node, ast.Lambda):
        return [node.body], [node.args]
    assert isinstance(node, (*_FUNCTIONS, ast.ClassDef))
    around: list[ast.AST] = [*node.decorator_list, *getattr(node, "type_params", ())]
    if isinstance(node, ast.ClassDef):
        around += [*node.bases, *node.keywords]
    else:
        around.append(node.args)
        if node.returns is not None:
            around.append(node.returns)
    return [*node.body], around


class SourceError(Exception):
    """A file that cannot be decoded or parsed.

    `reason` is one line for the user; `start` is where the parser stopped, `line` the text of that
    line; it is empty when the file cannot be decoded or read at all.
    """

    def __init__(self, path: str, reason: str, start: Position, line: str = "") -> None:
        super().__init__(f"{path}:{start.row}:{start.column}: {reason}")
        self.path = path
        self.reason = reason
        self.start = start
        self.line = line


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
        self.memo: dict[tuple[object, ...], object] = {}  # what others computed about this source
        self._by_scope: dict[int, defaultdict[type, list[ast.AST]]] = {}

    @cached_property
    def encoding(self) -> str:
        """The encoding by PEP 263; `utf-8-sig` when the file starts with a byte order mark."""
        try:
            return tokenize.detect_encoding(io.BytesIO(self.data).readline)[0]
        except SyntaxError as error:
            if str(error.msg).startswith("invalid or missing"):
                return "utf-8"  # nothing is declared; decoding will tell which byte is wrong
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
        if "\r" in self.text:
            return [0, *(match.end() for match in _NEWLINE.finditer(self.text))]
        lengths = map(len, self.text.split("\n"))
        return list(accumulate(lengths, lambda start, length: start + length + 1, initial=0))[:-1]

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
    def _comments(self) -> list[tuple[int, int]]:
        """Where comments start and end."""
        found = []
        with contextlib.suppress(tokenize.TokenError, SyntaxError):
            for token in tokenize.generate_tokens(io.StringIO(self.text, newline=None).readline):
                if token.type == tokenize.COMMENT:
                    start = self.line_starts[token.start[0] - 1] + token.start[1]
                    found.append((start, start + len(token.string)))
        return found

    def comments(self, start: int, end: int) -> list[str]:
        """The comments that stand between two offsets."""
        if self.text.find("#", start, end) < 0:
            return []
        return [self.text[first:last] for first, last in self._comments if start <= first < end]

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        text = self.text
        try:
            with garbage_collection.paused(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text)
        except SyntaxError as error:
            row = error.lineno or 1
            line = self.line(row)
            start = Position(row, max(1, min(error.offset or 1, len(line) + 1)))
            raise SourceError(self.path, error.msg, start, line) from error
        except ValueError as error:
            raise SourceError(self.path, str(error), Position(1, 1)) from error
        except (RecursionError, MemoryError) as error:
            raise SourceError(self.path, "nested too deeply to be parsed", Position(1, 1)) from error

    @cached_property
    def _walked(self) -> tuple[dict[type, list[ast.AST]], list[Span], dict[str, list[ast.Call]]]:
        """One walk: nodes by type, the scopes with their nodes, and calls by the last name of the callee."""
        lists: defaultdict[type, list[ast.AST]] = defaultdict(list)
        spans: list[Span] = []
        calls: defaultdict[str, list[ast.Call]] = defaultdict(list)
        tree = self.tree
        lists[ast.Module].append(tree)
        tree.scope_index = 0  # type: ignore[attr-defined]
        pending: list[tuple[ast.AST, int, list[Any]]] = [(tree, -1, [*tree.body])]
        fields = _FIELDS
        ast_name, ast_constant, ast_attribute, ast_call = ast.Name, ast.Constant, ast.Attribute, ast.Call
        while pending:
            opener, outer, nodes = pending.pop()
            index = len(spans)
            spans.append(Span(opener, outer, nodes))
            clauses: list[ast.comprehension] = []
            push, extend = nodes.append, nodes.extend
            for node in nodes:  # the list grows while it is walked
                cls = node.__class__
                lists[cls].append(node)
                node.scope_index = index
                # The four types that most nodes are of come first, without a loop over their fields.
                if cls is ast_name or cls is ast_constant:
                    continue
                if cls is ast_attribute:
                    push(node.value)
                    continue
                if cls is ast_call:
                    func = node.func
                    if func.__class__ is ast_attribute:
                        calls[func.attr].append(node)
                    elif func.__class__ is ast_name:
                        calls[func.id].append(node)
                    push(func)
                    extend(node.args)
                    extend(node.keywords)
                    continue
                if cls in _OPENERS:
                    inside, around = _opened(node)
                    pending.append((node, index, inside))
                    extend(around)
                    if cls in _COMPREHENSIONS:
                        clauses.append(node.generators[0])
                    continue
                for field in fields[cls]:
                    child = getattr(node, field)
                    if child.__class__ is list:
                        extend(child if cls not in _WITH_GAPS else filter(None, child))
                    elif child is not None:
                        push(child)
            for clause in clauses:  # it stands around the comprehension, its target inside
                lists[ast.comprehension].append(clause)
                clause.scope_index = index  # type: ignore[attr-defined]
            nodes += clauses
        lists.default_factory = calls.default_factory = None
        return lists, spans, calls

    def nodes(self, cls: type[Node]) -> list[Node]:
        """All nodes of exactly this type, in no particular order."""
        return cast("list[Node]", self._walked[0].get(cls, []))

    @cached_property
    def types(self) -> frozenset[type[ast.AST]]:
        """The exact types of the nodes that there are."""
        return frozenset(self._walked[0])

    @property
    def calls(self) -> dict[str, list[ast.Call]]:
        """Calls by the last name of what is called: `f(x)` and `a.f(x)` are both under `f`."""
        return self._walked[2]

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Attributes by name."""
        found: defaultdict[str, list[ast.Attribute]] = defaultdict(list)
        for node in self.nodes(ast.Attribute):
            found[node.attr].append(node)
        found.default_factory = None
        return found

    def scope_index(self, node: ast.AST) -> int:
        """The number of the scope in which a node is evaluated; 0 is the module.

        Decorators, defaults, annotations, bases and the first iterable of a comprehension are
        evaluated in the scope around what they belong to.
        """
        _ = self._walked
        return node.scope_index  # type: ignore[attr-defined, no-any-return]

    def scope_opener(self, index: int) -> tuple[ast.AST, int]:
        """The node that opens a scope, and the number of the scope around it (-1 for the module)."""
        span = self._walked[1][index]
        return span.opener, span.outer

    def scope_nodes(self, opener: ast.AST) -> list[ast.AST]:
        """The nodes evaluated in the scope that a node opens itself, in no particular order."""
        return self._walked[1][self._opened_index[id(opener)]].nodes

    @cached_property
    def _opened_index(self) -> dict[int, int]:
        return {id(span.opener): index for index, span in enumerate(self._walked[1])}

    def in_scope(self, cls: type[Node], opener: ast.AST) -> list[Node]:
        """The nodes of exactly this type that are evaluated in the scope that `opener` opens itself."""
        index = self._opened_index[id(opener)]
        grouped = self._by_scope.get(index)
        if grouped is None:
            grouped = self._by_scope[index] = defaultdict(list)
            for node in self._walked[1][index].nodes:
                grouped[node.__class__].append(node)
            grouped.default_factory = None
        return cast("list[Node]", grouped.get(cls, []))

    @cached_property
    def _walruses(self) -> dict[int, list[ast.NamedExpr]]:
        owners: dict[int, list[ast.NamedExpr]] = {}
        for walrus in self.nodes(ast.NamedExpr):
            index = self.scope_index(walrus)
            opener, outer = self.scope_opener(index)
            while isinstance(opener, _COMPREHENSIONS):
                index = outer
                opener, outer = self.scope_opener(index)
            owners.setdefault(index, []).append(walrus)
        return owners

    def walruses(self, opener: ast.AST) -> list[ast.NamedExpr]:
        """The assignment expressions that bind in the scope that a node opens."""
        return self._walruses.get(self._opened_index[id(opener)], [])

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that contains this one; `None` for the module."""
        if node is self.tree:
            return None
        index = self.scope_index(node)
        parents = self._parents.get(index)
        if parents is None:
            parents = self._parents[index] = self._parents_in(self._walked[1][index])
        return parents[id(node)]

    def _parents_in(self, span: Span) -> dict[int, ast.AST]:
        opener = span.opener
        owners = [*span.nodes, opener]
        if isinstance(opener, _COMPREHENSIONS):
            owners.append(opener.generators[0])  # it stands around the comprehension, its target inside
        parents: dict[int, ast.AST] = {}
        for owner in owners:
            cls = owner.__class__
            if cls is ast.Name or cls is ast.Constant:
                continue
            if cls is ast.Attribute:
                parents[id(owner.value)] = owner  # type: ignore[attr-defined]
                continue
            for field in _FIELDS[cls]:
                child = getattr(owner, field)
                if child.__class__ is list:
                    for item in child:
                        parents[id(item)] = owner
                elif child is not None:
                    parents[id(child)] = owner
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
        """The innermost function or lambda in whose body, not in whose header, this node is evaluated.

        None in the body of a class, also of a class inside a function.
        """
        index = self.scope_index(node)
        while index > 0:
            opener, index = self.scope_opener(index)
            if isinstance(opener, (*_FUNCTIONS, ast.Lambda)):
                return opener
            if isinstance(opener, ast.ClassDef):
                return None
        return None

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class whose body contains this node, also through functions."""
        index = self.scope_index(node)
        while index > 0:
            opener, index = self.scope_opener(index)
            if isinstance(opener, ast.ClassDef):
                return opener
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

    def outer_range(self, node: ast.AST) -> tuple[int, int]:
        """Where a node starts and ends with the parentheses that stand around nothing but it.

        Those of a call or of a class's bases belong to the call and the class.
        """
        start, end = self.start(node), self.end(node)
        if not isinstance(node, ast.expr):
            return start, end
        owner = self.parent(node)
        if isinstance(owner, ast.pattern):
            return start, end
        while True:
            before, after = self._code_before(start) - 1, self._code_behind(end)
            if self.text[max(before, 0) : before + 1] != "(" or self.text[after : after + 1] != ")":
                return start, end
            if isinstance(owner, ast.Call) and node is not owner.func and after + 1 == self.end(owner):
                return start, end
            if isinstance(owner, ast.ClassDef) and node not in owner.decorator_list:
                if self.text[self._code_before(before) - 1] != "(":
                    return start, end
            start, end = before, after + 1

    def _code_before(self, offset: int) -> int:
        """Where the code before an offset ends, without blanks, line breaks and comments."""
        while offset > 0:
            if self.text[offset - 1].isspace() or self.text.startswith(_CONTINUED, offset - 1):
                offset -= 1
            else:
                row = self.position(offset).row
                comments = self._comments if "#" in self.line(row) else []
                inside = [start for start, end in comments if start < offset <= end]
                if not inside:
                    break
                offset = inside[0]
        return offset

    def _code_behind(self, offset: int) -> int:
        """Where the code behind an offset starts."""
        text = self.text
        while offset < len(text):
            if text[offset] == "#":
                offset += len(self.line(self.position(offset).row)) + 1 - self.position(offset).column
            elif text[offset].isspace() or text.startswith(_CONTINUED, offset):
                offset += 1
            else:
                break
        return offset

    @cached_property
    def _formatted(self) -> list[tuple[int, int, str]]:
        """Where f-strings start and end, and their quotes."""
        found = []
        for node in self.nodes(ast.JoinedStr):
            start, end = self.start(node), self.end(node)
            opening = _OPENING_QUOTES.match(self.text, start)
            if opening is not None:
                found.append((start, end, opening[1]))
        return found

    def ends_string(self, offset: int, text: str) -> bool:
        """Whether a text would end the f-string in which an offset is, or is more than Python 3.11 allows."""
        if not any(character in text for character in "\"'\\\n"):
            return False
        return any(
            start < offset < end and (quotes in text or "\\" in text or ("\n" in text and len(quotes) == 1))
            for start, end, quotes in self._formatted
        )

    def opening(self, call: ast.Call) -> int:
        """Where the parenthesis is that opens the arguments of a call."""
        return self._code_behind(self.outer_range(call.func)[1])

    def indentation(self, node: ast.stmt | ast.expr | ast.keyword) -> str:
        """The blanks and tabs at the beginning of the line on which a node starts."""
        line = self.line(node.lineno)
        return line[: len(line) - len(line.lstrip())]

    @cached_property
    def indentation_step(self) -> str:
        """What the code of this file is indented by, four blanks where nothing tells."""
        for statement in self.tree.body:
            body = getattr(statement, "body", None)
            if body and body[0].lineno != statement.lineno and self.indentation(body[0]):
                return self.indentation(body[0])
        return "    "

    def position(self, offset: int) -> Position:
        """The position (row and column from 1, in characters) of an offset."""
        row = bisect.bisect_right(self.line_starts, offset)
        return Position(row, offset - self.line_starts[row - 1] + 1)
