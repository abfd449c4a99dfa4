"""Edits that take statements and arguments out of the code and leave no trace of them."""

from __future__ import annotations

import ast

from pybackend_lint.finding import Edit
from pybackend_lint.source import Source


def line_end(source: Source, node: ast.AST) -> int:
    """The offset behind the last character, comments included, of the line on which a node ends."""
    row = source.position(source.end(node)).row
    return source.line_starts[row - 1] + len(source.line(row))


def delete_lines(source: Source, node: ast.stmt | ast.expr, *, blank_lines: bool = False) -> Edit:
    """The edit that deletes the lines of a statement or decorator that has them for itself.

    Its decorators and the comment behind it go too; with `blank_lines` also the blank lines before it.
    """
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
    if index > 0:
        start, end = source.end(arguments[index - 1]), source.end(argument)
    elif len(arguments) > 1:
        start, end = source.start(argument), source.start(arguments[1])
    else:
        start, end = source.text.index("(", source.end(call.func)) + 1, source.end(call) - 1
    between = source.text[start : source.start(argument)] + source.text[source.end(argument) : end]
    return None if "#" in between else Edit(start, end, "")


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
