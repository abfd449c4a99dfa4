"""Edits that take statements and arguments out of the code and leave no trace of them."""

from __future__ import annotations

import ast

from pybackend_lint.finding import Edit
from pybackend_lint.source import Source


def line_end(source: Source, node: ast.AST) -> int:
    """The offset behind the last character, comments included, of the line on which a node ends."""
    row = source.position(source.end(node)).row
    return source.line_starts[row - 1] + len(source.line(row))


def stands_alone(text: str) -> bool:
    """Whether an expression is one also without the brackets that stood around it: lines may need them."""
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def has_own_lines(source: Source, node: ast.stmt | ast.expr) -> bool:
    """Whether nothing but a comment is written on the lines of a statement, decorator or element."""
    first, last = source.line_starts[node.lineno - 1], line_end(source, node)
    before, behind = source.text[first : source.start(node)], source.text[source.end(node) : last]
    if isinstance(node, ast.expr):
        behind = behind.replace(",", "", 1)
        if node in getattr(source.parent(node), "decorator_list", ()):
            if before.strip() != "@":
                return False
            before = ""
    return not before.strip() and not behind.partition("#")[0].strip()


def line_after(source: Source, statement: ast.stmt, text: str, *, blank_lines: int = 0) -> Edit | None:
    """The edit that adds lines behind a statement and its comment; None where it shares its lines."""
    if not has_own_lines(source, statement):
        return None
    end = line_end(source, statement)
    written = _indented(source, statement, text)
    return Edit(end, end, "\n" * (blank_lines + 1) + written)


def line_before(source: Source, statement: ast.stmt, text: str, *, blank_lines: int = 0) -> Edit | None:
    """The edit that adds lines before a statement and its decorators; None where it shares its line."""
    decorators = getattr(statement, "decorator_list", ())
    first = min(statement.lineno, *(one.lineno for one in decorators)) if decorators else statement.lineno
    line = source.line(first)
    start = source.line_starts[first - 1]
    column = len(line) - len(line.lstrip())
    if not decorators and source.start(statement) != start + column:
        return None
    written = _indented(source, statement, text)
    return Edit(start + column, start + column, written[column:] + "\n" * (blank_lines + 1) + line[:column])


def put_below(source: Source, header: str, first: ast.stmt, last: ast.stmt) -> tuple[Edit, ...]:
    """The edits that put statements of one block below a header of their own, such as `with x:`.

    Empty where they share lines with other code, and where a string over several lines would change.
    """
    top = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", ()))])
    bottom = last.end_lineno or last.lineno
    above = line_before(source, first, header)
    has_long_text = any(
        top <= text.lineno <= bottom and text.end_lineno != text.lineno
        for kind in (ast.Constant, ast.JoinedStr)
        for text in source.nodes(kind)
    )
    if (
        above is None
        or has_long_text
        or source.text[source.end(last) : line_end(source, last)].lstrip()[:1] == ";"
    ):
        return ()
    step = source.indentation_step
    starts = [source.line_starts[row - 1] for row in range(top + 1, bottom + 1) if source.line(row).strip()]
    return (Edit(above.start, above.end, above.text + step), *(Edit(start, start, step) for start in starts))


def _indented(source: Source, statement: ast.stmt, text: str) -> str:
    indentation = source.indentation(statement)
    return "\n".join(indentation + line if line else line for line in text.split("\n"))


def delete_lines(source: Source, node: ast.stmt | ast.expr, *, blank_lines: bool = False) -> Edit | None:
    """The edit that deletes the lines of a statement or decorator, None when it shares them.

    Its decorators and the comment behind it go too; with `blank_lines` also the blank lines before it.
    """
    if not has_own_lines(source, node):
        return None
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    while blank_lines and first > 1 and not source.line(first - 1).strip():
        first -= 1
    last = node.end_lineno or node.lineno
    starts = source.line_starts
    end = starts[last] if last < len(starts) else len(source.text)
    return Edit(starts[first - 1], end, "")


def remove_argument(source: Source, call: ast.Call, argument: ast.expr | ast.keyword) -> Edit | None:
    """The edit that removes an argument of a call with its comma; None where a comment is in the way."""
    arguments = sorted([*call.args, *call.keywords], key=source.start)
    index = next(i for i, other in enumerate(arguments) if other is argument)
    own = source.outer_range(argument)
    if index > 0:
        start, end = source.outer_range(arguments[index - 1])[1], own[1]
    elif len(arguments) > 1:
        start, end = own[0], source.outer_range(arguments[1])[0]
    else:
        start, end = source.text.index("(", source.outer_range(call.func)[1]) + 1, source.end(call) - 1
    outside = [*source.comments(start, own[0]), *source.comments(own[1], end)]
    return None if outside else Edit(start, end, "")


def remove_element(source: Source, element: ast.expr) -> Edit | None:
    """The edit that removes an element behind the first of a list or tuple with its comma.

    Lines that it has for itself go whole. None where a comment or a bracket is in the way, and where the
    tuple would be left with one element.
    """
    container = source.parent(element)
    if not isinstance(container, (ast.List, ast.Tuple)) or container.elts[0] is element:
        return None
    if isinstance(container, ast.Tuple) and len(container.elts) == 2:
        return None
    before = source.end(container.elts[container.elts.index(element) - 1])
    start, end = source.start(element), source.end(element)
    if source.text[before:start].strip() != ",":
        return None
    first, last = source.line_starts[element.lineno - 1], line_end(source, element)
    if source.text[first:start].strip():
        return Edit(before, end, "")
    match source.text[end:last].strip():
        case ",":
            return delete_lines(source, element)
        case behind if "#" in behind:
            return None
    return Edit(before, end, "")
