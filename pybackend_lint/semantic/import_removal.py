"""Imported names, and edits that remove them, so that nothing superfluous is left behind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from pybackend_lint.finding import Edit
from pybackend_lint.source import Source

Import = ast.Import | ast.ImportFrom
ImportedName = tuple[ast.stmt, ast.alias]

_WORD = re.compile(r"\w+")
_NOQA_UNUSED = re.compile(r"#\s*noqa(?!\s*:)|#\s*noqa\s*:.*\bF401\b", re.IGNORECASE)


def remove_names(source: Source, names: Iterable[ImportedName]) -> tuple[Edit, ...]:
    """The edits that remove imported names, with their statement when none of its names is left.

    A block that would become empty keeps a `pass`; an `if TYPE_CHECKING:` block is removed whole.
    """
    going = list(names)
    removed: dict[int, set[int]] = {}
    statements: dict[int, ast.stmt] = {}
    for statement, name in going:
        statements[id(statement)] = statement
        removed.setdefault(id(statement), set()).add(id(name))
    edits: list[Edit] = []
    whole: list[ast.stmt] = []
    for key, statement in statements.items():
        kept = [name for name in names_of(statement) if id(name) not in removed[key]]
        if kept:
            edits += _alias_deletions(source, statement, removed[key])
        else:
            whole.append(statement)
    vanishing = _vanishing_blocks(source, whole)
    unneeded = [
        (statement, name)
        for statement, name in orphaned(source, vanishing)
        if id(name) not in removed.get(id(statement), ())
    ]
    if unneeded:
        return remove_names(source, [*going, *unneeded])
    edits += _statement_deletions(source, whole, vanishing)
    return _without_overlaps(edits)


def orphaned(source: Source, removed: Sequence[ast.AST]) -> list[ImportedName]:
    """The names imported by the module that nothing but the removed nodes uses.

    Only names that the removed nodes do use. Never those that other modules may want (`__all__`,
    `__init__.py`, `import x as x`), that strings mention (annotations) or that `noqa` keeps.
    """
    inside: set[int] = set()
    words: set[str] = set()
    for root in removed:
        for node in ast.walk(root):
            inside.add(id(node))
            if isinstance(node, ast.Name):
                words.add(node.id)
    if not words:
        return []
    used = {node.id for node in source.nodes(ast.Name) if node.id in words and id(node) not in inside}
    return [
        (statement, name)
        for statement, name, local in _removable(source)
        if local in words and local not in used and not _mentioned(source, local, inside)
    ]


def unused_since(before: Source, after: Source, *, with_comments: bool) -> tuple[Edit, ...]:
    """The edits of `after` that remove the imports which `before` uses and `after` does not.

    One whose removal deletes a comment goes only `with_comments`.
    """
    used = {node.id for node in after.nodes(ast.Name)}
    unused = [found for found in _removable(after) if found[2] not in used]
    if not unused:
        return ()
    imported = {local for _, _, local in _removable(before)}
    previous = {node.id for node in before.nodes(ast.Name)} & imported
    going = [
        (statement, name)
        for statement, name, local in unused
        if local in previous and not _mentioned(after, local, ())
    ]
    edits = remove_names(after, going)
    if with_comments or not _deletes_comment(after, edits):
        return edits
    silent = [one for one in going if not _deletes_comment(after, remove_names(after, [one]))]
    edits = remove_names(after, silent)
    return () if _deletes_comment(after, edits) else edits


def _deletes_comment(source: Source, edits: Iterable[Edit]) -> bool:
    return any(source.comments(edit.start, edit.end) for edit in edits)


def names_of(statement: ast.stmt) -> list[ast.alias]:
    """The names that a statement imports; none when it is no import."""
    return statement.names if isinstance(statement, Import) else []


def module_of(statement: ast.ImportFrom) -> str:
    """The module that a `from` import names, with the dots of a relative one."""
    return "." * statement.level + (statement.module or "")


def modules_of(statement: Import) -> list[str]:
    """The modules that a statement imports, or imports from."""
    if isinstance(statement, ast.ImportFrom):
        return [module_of(statement)]
    return [name.name for name in statement.names]


def target_of(statement: ast.stmt, name: ast.alias) -> tuple[str, str | None]:
    """The module and the name in it that are imported; no name when it is the module itself."""
    if isinstance(statement, ast.ImportFrom):
        return module_of(statement), name.name
    return name.name, None


def local_name(statement: ast.stmt, name: ast.alias) -> str:
    """The name that an import binds."""
    if name.asname:
        return name.asname
    return name.name if isinstance(statement, ast.ImportFrom) else name.name.partition(".")[0]


def is_type_checking(statement: ast.AST) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`, whose body only type checkers read."""
    match statement:
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
    return False


def is_bracketed(source: Source, statement: ast.stmt) -> bool:
    """Whether the names of an import stand in brackets."""
    return "(" in source.text[source.start(statement) : source.start(names_of(statement)[0])]


def last_row(statement: ast.stmt | ast.alias) -> int:
    """The row (from 1) in which a node of a parsed source ends."""
    assert statement.end_lineno is not None
    return statement.end_lineno


def _removable(source: Source) -> Iterator[tuple[ast.stmt, ast.alias, str]]:
    """The module's imported names that nobody outside the module is known to want, with local names."""
    if PurePath(source.path).stem == "__init__":
        return
    statements: list[ast.stmt] = []
    for top in source.tree.body:
        statements += top.body if isinstance(top, ast.If) and is_type_checking(top) else [top]
    bound = [local_name(statement, name) for statement in statements for name in names_of(statement)]
    for statement in statements:
        if not isinstance(statement, Import) or "__future__" in modules_of(statement):
            continue
        for name in statement.names:
            local = local_name(statement, name)
            row = source.line(name.lineno) + source.line(statement.lineno)
            if name.name != "*" and name.asname != name.name and bound.count(local) == 1:
                if not _NOQA_UNUSED.search(row):
                    yield statement, name, local


def _mentioned(source: Source, local: str, inside: Iterable[int]) -> bool:
    """Whether a string outside some nodes may mean a name: in an annotation, or in `__all__`."""
    if source.text.count(local) == 0:
        return False
    ignored = set(inside)
    for constant in source.nodes(ast.Constant):
        value = constant.value
        if isinstance(value, str) and local in value and id(constant) not in ignored:
            if local in _WORD.findall(value):
                try:
                    ast.parse(value.strip(), mode="eval")
                except (SyntaxError, ValueError):
                    continue
                return True
    return False


def _vanishing_blocks(source: Source, statements: Sequence[ast.stmt]) -> list[ast.If]:
    """The `if TYPE_CHECKING:` statements of which nothing is left without some statements."""
    going = {id(statement) for statement in statements}
    return [
        block
        for block in source.nodes(ast.If)
        if going
        and is_type_checking(block)
        and not block.orelse
        and all(id(inner) in going for inner in block.body)
    ]


def _statement_deletions(
    source: Source, statements: Sequence[ast.stmt], vanishing: Sequence[ast.If]
) -> Iterator[Edit]:
    """The edits that delete whole statements."""
    inside = {id(inner) for block in vanishing for inner in block.body}
    going: list[ast.stmt] = [statement for statement in statements if id(statement) not in inside]
    going += vanishing
    gone = {id(statement) for statement in going}
    rows: set[int] = set()
    for statement in going:
        block = _block(source, statement)
        if block[0] is statement and all(id(one) in gone for one in block):
            if not isinstance(source.parent(statement), ast.Module):
                yield Edit(source.start(statement), source.end(statement), "pass")
                continue
        first, last = statement.lineno, last_row(statement)
        start, end = source.start(statement), source.end(statement)
        before = source.text[source.line_starts[first - 1] : start]
        after = source.text[end : _row_end(source, last)]
        if not before.strip() and re.fullmatch(r"\s*;?\s*(#.*)?\s*", after):
            rows.update(range(first, last + 1))
        elif semicolon := re.match(r"\s*;\s*", after):
            yield Edit(start, end + semicolon.end(), "")
        else:
            yield Edit(start - len(before) + len(re.sub(r"\s*;\s*$", "", before)), end, "")
    yield from _row_deletions(source, sorted(rows))


def _block(source: Source, statement: ast.stmt) -> list[ast.stmt]:
    """The list of statements that a statement is in."""
    parent = source.parent(statement)
    for field in ("body", "orelse", "finalbody"):
        block = getattr(parent, field, None)
        if isinstance(block, list) and any(one is statement for one in block):
            return block
    return [statement]


def _row_end(source: Source, row: int) -> int:
    """The offset behind a row's line ending."""
    return source.line_starts[row] if row < len(source.line_starts) else len(source.text)


def _row_deletions(source: Source, rows: Sequence[int]) -> Iterator[Edit]:
    """Delete whole lines, and the blank lines that would be one too many."""
    starts = source.line_starts
    total = len(starts) if source.line(len(starts)) else len(starts) - 1

    def blank(row: int) -> bool:
        return 1 <= row <= total and not source.line(row).strip()

    at = 0
    while at < len(rows):
        first = last = rows[at]
        at += 1
        while at < len(rows) and rows[at] == last + 1:
            last = rows[at]
            at += 1
        above = below = 0
        while blank(first - above - 1):
            above += 1
        while blank(last + below + 1):
            below += 1
        heading = source.line(first - above - 1).rstrip()
        if first - above == 1 or (not above and heading.endswith(":")):
            superfluous = below
        else:
            superfluous = min(above, below)
        start = starts[first - 1]
        end = _row_end(source, last)
        if last + below >= total:  # nothing follows: the lines above become the end of the file
            start = starts[first - above - 1]
            if last >= len(starts) and start:
                start = starts[first - above - 2] + len(source.line(first - above - 1))
        yield Edit(start, end, "")
        if superfluous:
            yield Edit(end, _row_end(source, last + superfluous), "")


def _alias_deletions(source: Source, statement: ast.stmt, removed: set[int]) -> Iterator[Edit]:
    """The edits that delete some of a statement's names."""
    names = names_of(statement)
    text, starts = source.text, source.line_starts
    bracketed = is_bracketed(source, statement)
    at = 0
    while at < len(names):
        if id(names[at]) not in removed:
            at += 1
            continue
        first = at
        while at < len(names) and id(names[at]) in removed:
            at += 1
        run = names[first:at]
        if bracketed and all(_has_own_rows(source, name) for name in run):
            for name in run:
                yield Edit(starts[name.lineno - 1], starts[last_row(name)], "")
            continue
        start, end = source.start(run[0]), source.end(run[-1])
        if at < len(names):
            wide = (start, source.start(names[at]))
        else:
            wide = (source.end(names[first - 1]), end)
        if "#" in text[wide[0] : wide[1]]:  # a comment between the names stays
            comma = re.match(r"\s*,", text[end:]) if at < len(names) else None
            yield Edit(start, end + (comma.end() if comma else 0), "")
        else:
            yield Edit(*wide, "")


def _has_own_rows(source: Source, name: ast.alias) -> bool:
    """Whether nothing else is written on the lines of a name, but for a comma and a comment."""
    starts, last = source.line_starts, last_row(name)
    before = source.text[starts[name.lineno - 1] : source.start(name)]
    end = _row_end(source, last)
    after = source.text[source.end(name) : end]
    return not before.strip() and re.fullmatch(r"\s*,?\s*(#.*)?\s*", after) is not None


def _without_overlaps(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Edits with deletions that overlap joined into one."""
    joined: list[Edit] = []
    for edit in sorted(set(edits)):
        last = joined[-1] if joined else None
        if last is not None and edit.start < last.end and not edit.text and not last.text:
            joined[-1] = Edit(last.start, max(last.end, edit.end), "")
        else:
            joined.append(edit)
    return tuple(joined)
