"""What a rule is: its metadata, the decorator that declares it and the context it asks questions of."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Any

from pybackend_lint.edits import apply
from pybackend_lint.finding import Applicability, Edit, Finding, Fix, Position, Related, Severity
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.types import Type

if TYPE_CHECKING:
    from pybackend_lint.project.project import Project
    from pybackend_lint.project.versions import VersionRange

SAFE = Applicability.SAFE
UNSAFE = Applicability.UNSAFE

_CODE = re.compile(r"PB\d{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAGS = frozenset({"performance", "correctness", "security", "deprecation", "style"})

Check = Callable[[Any, "Context"], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule as the decorator `rule` declares it.

    - `nodes`: exact node types the engine hands over, one at a time; `ast.Module` for one call a file.
    - `names`: for `ast.Call`: only calls whose last name is one of these; for `ast.Attribute`: only
      attributes of these names; empty means all.
    - `words`: the rule is skipped when none of these words occurs in the text of the file. A word that
      starts with `*` may stand inside a longer one (`*Mixin`); one that holds more than letters, digits
      and underscores (`async def`) may stand anywhere.
    - `applies`: requirements in PEP 508 form without extras or markers, separated by commas between
      packages, such as `"sqlalchemy>=1.4"` or `"django"`; `python>=3.11` asks `requires-python`.
    - `bound`: where only a range of versions is known, the end that must satisfy `applies`:
      `"lower"` for rules that propose an API, `"upper"` for rules about an API that is gone.
    - `fix`: the best applicability that a finding of this rule may carry.
    - `tests`: `"skip"` (not in test files), `"only"` or `"both"`; `migrations` likewise.
    - `file`: `"python"`, or the name of the project file it checks (`"pyproject.toml"`); then `check`
      receives a `ProjectFile`.
    """

    code: str
    name: str
    message: str
    nodes: tuple[type[ast.AST], ...]
    names: tuple[str, ...]
    words: tuple[str, ...]
    applies: str
    bound: str
    fix: Applicability | None
    severity: Severity
    default: bool
    tags: tuple[str, ...]
    since: str
    tests: str
    migrations: str
    file: str
    check: Check
    documentation: str
    module: str

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """Names of the placeholders in the message."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.message) if name)


def rule(
    code: str,
    name: str,
    message: str,
    *,
    nodes: Sequence[type[ast.AST]] = (),
    names: Sequence[str] = (),
    words: Sequence[str] = (),
    applies: str = "",
    bound: str = "lower",
    fix: Applicability | None = None,
    severity: Severity | str = Severity.WARNING,
    default: bool = True,
    tags: Sequence[str] = (),
    since: str = "0.1",
    tests: str = "skip",
    migrations: str = "skip",
    file: str = "python",
) -> Callable[[Check], Rule]:
    """Declare the decorated generator as a rule; see `Rule` for what the arguments mean.

    Raises `ValueError` when the metadata breaks the conventions of codes, names or messages.
    """
    problems = [
        (not _CODE.fullmatch(code), "a code is PB and three digits"),
        (not _NAME.fullmatch(name), "a name is lower case words joined by hyphens"),
        (message.endswith(".") or "\n" in message, "a message is one line without full stop"),
        (file == "python" and not nodes, "a rule names the node types it wants"),
        (not set(tags) <= _TAGS, f"tags are of {sorted(_TAGS)}"),
        (bound not in {"lower", "upper"}, "bound is lower or upper"),
        ({tests, migrations} - {"skip", "only", "both"}, "tests and migrations are skip, only or both"),
    ]
    for broken, reason in problems:
        if broken:
            raise ValueError(f"rule {code} ({name}): {reason}")

    def declare(check: Check) -> Rule:
        return Rule(
            code=code,
            name=name,
            message=message,
            nodes=tuple(nodes),
            names=tuple(names),
            words=tuple(words),
            applies=applies,
            bound=bound,
            fix=fix,
            severity=Severity(severity),
            default=default,
            tags=tuple(tags),
            since=since,
            tests=tests,
            migrations=migrations,
            file=file,
            check=check,
            documentation=check.__doc__ or "",
            module=check.__module__,
        )

    return declare


@dataclass(frozen=True)
class ProjectFile:
    """A project file such as `pyproject.toml`, parsed: `data` are its values, `text` what was written."""

    path: str
    text: str
    data: dict[str, Any]

    def offset_of_table(self, header: str) -> int:
        """The offset of the line `[header]`; 0 when there is no such line."""
        match = re.search(rf"^[ \t]*\[[ \t]*{re.escape(header)}[ \t]*\]", self.text, re.MULTILINE)
        return match.start() if match else 0


class Context:
    """What a rule may ask about the file under check; one per file and rule.

    `path` is the path to report; `source.path` is absolute.

    A rule never opens a file and never sees another module's tree: everything beyond the file
    comes as names, types and facts.
    """

    def __init__(self, rule: Rule, module: Module, project: Project, path: str) -> None:
        self.rule = rule
        self.path = path
        self.module = module
        self.project = project
        self.source = module.source

    def qualified_name(self, node: ast.AST) -> str | None:
        """The dotted name of what an expression refers to (`sqlalchemy.orm.Session`), or None."""
        return self.module.qualified_name(node)

    def type_of(self, node: ast.expr) -> Type | None:
        """The type of an expression's value, or None when it is not known for certain."""
        return self.module.type_of(node)

    def text(self, node: ast.AST) -> str:
        """The text of a node, as it was written."""
        return self.source.segment(node)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that contains this one; `None` for the module."""
        return self.source.parent(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around this one, from the inside out."""
        return self.source.ancestors(node)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that contains this node (the node itself when it is one)."""
        return self.source.statement(node)

    def enclosing_function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """The innermost function or lambda whose body contains this node."""
        return self.source.enclosing_function(node)

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class whose body contains this node, also through functions."""
        return self.source.enclosing_class(node)

    def in_coroutine(self, node: ast.AST) -> bool:
        """Whether this node runs in an `async def` itself, not in a function inside it that runs later."""
        function = self.function_around(node)
        return function is not None and function.is_async

    @property
    def function_around(self) -> Callable[[ast.AST], FunctionInfo | None]:
        """The function in which a node runs: the innermost one, or the one that calls a lambda at once."""
        return self.module.function_around

    @property
    def function_info(self) -> Callable[[ast.FunctionDef | ast.AsyncFunctionDef], FunctionInfo]:
        """What is known about a function that this file defines."""
        return self.module.function_info

    @property
    def class_info(self) -> Callable[[ast.ClassDef], ClassInfo]:
        """What is known about a class that this file defines."""
        return self.module.class_info_of

    def version(self, package: str) -> VersionRange | None:
        """What the project says about a package's version (`python` for the interpreter), or None."""
        return self.project.versions.get(package)

    def finding(
        self,
        node: ast.AST,
        *,
        fix: Fix | None = None,
        related: Sequence[Related] = (),
        end: ast.AST | None = None,
        end_offset: int | None = None,
        severity: Severity | None = None,
        message: str | None = None,
        **placeholders: object,
    ) -> Finding:
        """A finding of this rule at a node, its message filled in.

        It ends with `end` or before the character `end_offset`, when one is given.

        `message` replaces the rule's own template for a case that needs other words.
        """
        source = self.source
        last = source.end(end or node) if end_offset is None else end_offset
        return self.finding_at(
            source.start(node),
            last,
            fix=fix,
            related=related,
            severity=severity,
            message=message,
            **placeholders,
        )

    def finding_at(
        self,
        start: int,
        end: int,
        *,
        fix: Fix | None = None,
        related: Sequence[Related] = (),
        severity: Severity | None = None,
        message: str | None = None,
        **placeholders: object,
    ) -> Finding:
        """A finding between two offsets, such as of a table in a project file; see `finding`."""
        text = (message or self.rule.message).format(**placeholders)
        return Finding(
            code=self.rule.code,
            name=self.rule.name,
            message=" ".join(text.split()),
            path=self.path,
            start=self.source.position(start),
            end=self.source.position(end),
            severity=severity or self.rule.severity,
            fix=fix if fix is None or self._fits(fix) else None,
            related=tuple(related),
        )

    def related(self, node: ast.AST, message: str) -> Related:
        """A place in this file that helps to prove a finding."""
        return Related(self.path, self.source.position(self.source.start(node)), message)

    def definition(self, of: ClassInfo | FunctionInfo, message: str) -> Related:
        """The place in any file of the project where a class or function is defined."""
        source = of.module.source
        path = self.path if of.module is self.module else source.path
        return Related(path, source.position(source.start(of.node)), message)

    def fix(self, message: str, *edits: Edit, applicability: Applicability | None = None) -> Fix:
        """A fix of these edits, as applicable as the rule declares unless said otherwise.

        One that deletes a comment is never safe.
        """
        chosen = applicability or self.rule.fix
        if chosen is None:
            raise ValueError(f"rule {self.rule.code} declares no fix")
        if chosen is SAFE and self._deletes_comment(edits):
            chosen = UNSAFE
        return Fix(message, tuple(sorted(set(edits))), chosen)

    def _deletes_comment(self, edits: Sequence[Edit]) -> bool:
        lost = [comment for edit in edits for comment in self.source.comments(edit.start, edit.end)]
        if not lost:
            return False
        written = "\n".join(edit.text for edit in edits)
        return any(written.count(comment) < lost.count(comment) for comment in lost)

    def _fits(self, fix: Fix) -> bool:
        """Whether edits fit the code around them, as far as is known without parsing the result.

        Brackets of the user's own may stand where a rule does not look for them: `(f)(x)`, `g((x))`. Where
        more of them go than come, the result is parsed. Quotes do not fit into every f-string.
        """
        if any(self.source.ends_string(edit.start, edit.text) for edit in fix.edits):
            return False
        old = "".join(self.source.text[edit.start : edit.end] for edit in fix.edits)
        new = "".join(edit.text for edit in fix.edits)
        if all(old.count(a) - old.count(b) == new.count(a) - new.count(b) for a, b in ("()", "[]", "{}")):
            return True
        try:
            ast.parse(apply(self.source.text, fix.edits))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return True

    def edit(self, node: ast.AST, text: str, *, end: ast.AST | None = None) -> Edit:
        """The edit that replaces a node (up to the end of `end`, when given) by a text."""
        return Edit(self.source.start(node), self.source.end(end or node), text)

    def insert_before(self, node: ast.AST, text: str) -> Edit:
        """The edit that inserts a text before a node and the parentheses around it."""
        start, _ = self.source.outer_range(node)
        return Edit(start, start, text)

    def insert_after(self, node: ast.AST, text: str) -> Edit:
        """The edit that inserts a text behind a node and the parentheses around it.

        What continues a chain, such as `.first()`, stays with it inside its parentheses.
        """
        continues = text.startswith(".") and isinstance(node, (ast.Name, ast.Attribute, ast.Call))
        end = self.source.end(node) if continues else self.source.outer_range(node)[1]
        return Edit(end, end, text)

    def insert_at(self, offset: int, text: str) -> Edit:
        """The edit that inserts a text before the character at an offset."""
        return Edit(offset, offset, text)

    def replace_range(self, start: int, end: int, text: str) -> Edit:
        """The edit that replaces the characters between two offsets."""
        return Edit(start, end, text)

    def position(self, offset: int) -> Position:
        """The position of an offset in the text."""
        return self.source.position(offset)
