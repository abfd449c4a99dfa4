"""Edits of statements and arguments that stand in unusual places."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from pybackend_lint.edits import apply
from pybackend_lint.finding import Edit
from pybackend_lint.semantic.code_edits import delete_lines, line_after, line_before, remove_argument
from pybackend_lint.source import Source

ADDED = {
    "behind a comment": ("if a:\n    b  # why\n", "if a:\n    b  # why\n    new\n", line_after),
    "with tabs": ("if a:\n\tb\n", "if a:\n\tb\n\tnew\n", line_after),
    "at the end of a file": ("if a:\n    b", "if a:\n    b\n    new", line_after),
    "behind several lines": ("if a:\n    b(\n    )\n", "if a:\n    b(\n    )\n    new\n", line_after),
    "not between two on a line": ("b; c\n", None, line_after),
    "not behind a header": ("if a: b\n", None, line_after),
    "before": ("if a:\n    b\n", "if a:\n    new\n    b\n", line_before),
    "before a decorator": ("if a:\n\t@b\n\tdef f(): b\n", "if a:\n\tnew\n\t@b\n\tdef f(): b\n", line_before),
    "before two on a line": ("if a:\n    b; c\n", "if a:\n    new\n    b; c\n", line_before),
    "not in a header": ("if a: b\n", None, line_before),
    "deletes the comment": ("a\nb  # why\nc\n", "a\nc\n", lambda *args: delete_lines(*args[:2])),
    "does not delete a neighbour": ("a\nb; c\n", None, lambda *args: delete_lines(*args[:2])),
    "does not delete a trailing semicolon alone": ("a\nb;\n", None, lambda *args: delete_lines(*args[:2])),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "edit"), ADDED.values(), ids=ADDED)
def test_lines(text: str, expected: str | None, edit: Callable[[Source, ast.stmt, str], Edit | None]) -> None:
    source = Source("a.py", text.encode())
    name = next(node for node in source.nodes(ast.Name) if node.id == "b")
    statement = source.statement(name)
    found = edit(source, statement, "new")
    assert (None if found is None else apply(text, [found])) == expected


REMOVED = {
    "behind another": ("f(a, b)", "f(a)"),
    "before another": ("f(b, a)", "f(a)"),
    "alone": ("f(b)", "f()"),
    "alone, with a comma": ("f(b,)", "f()"),
    "in parentheses": ("f((a), (b))", "f((a))"),
    "before parentheses": ("f((b), (a))", "f((a))"),
    "of a function in parentheses": ("(f)((b))", "(f)()"),
    "not what a comment explains": ("f(\n    a,\n    # why\n    b,\n)", None),
}


@pytest.mark.parametrize(("text", "expected"), REMOVED.values(), ids=REMOVED)
def test_arguments(text: str, expected: str | None) -> None:
    source = Source("a.py", text.encode())
    (call,) = source.nodes(ast.Call)
    argument = next(node for node in call.args if isinstance(node, ast.Name) and node.id == "b")
    found = remove_argument(source, call, argument)
    assert (None if found is None else apply(text, [found])) == expected
