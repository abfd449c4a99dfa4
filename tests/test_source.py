"""Positions, encodings and the walk of a source file."""

from __future__ import annotations

import ast

import pytest

from pybackend_lint.finding import Position
from pybackend_lint.source import Source, SourceError

ENCODED = {
    "plain": b"x = probe(1)\n",
    "no newline at end": b"x = probe(1)",
    "byte order mark": b"\xef\xbb\xbfx = probe(1)\n",
    "latin-1 by PEP 263": b"# -*- coding: latin-1 -*-\ns = '\xe9\xe8'; x = probe(1)\n",
    "windows line endings": b"a = 1\r\nx = probe(1)\r\n",
    "old mac line endings": b"a = 1\rx = probe(1)\r",
    "form feed": b"a = 1\n\x0c\nx = probe(1)\n",
    "form feed in a line": b"a = 1\n\x0cx = probe(1)\n",
    "tab": b"if a:\n\tx = probe(1)\n",
    "two bytes before": "s = 'é'; x = probe(1)\n".encode(),
    "astral character before": "s = '\N{GRINNING FACE}'; x = probe(1)\n".encode(),
    "line separator in a string": "s = '\u2028'\nx = probe(1)\n".encode(),
    "vertical tab in a comment": b"# a\x0bb\nx = probe(1)\n",
    "continued line": b"y = 1 + \\\n  2\nx = probe(1)\n",
    "multi-line string before": b'"""a\r\nb"""; x = probe(1)\n',
}


@pytest.mark.parametrize("data", ENCODED.values(), ids=ENCODED)
def test_positions(data: bytes) -> None:
    source = Source("f.py", data)
    (call,) = source.calls["probe"]
    assert source.segment(call) == "probe(1)"
    position = source.position(source.start(call))
    assert source.line(position.row)[position.column - 1 :].startswith("probe(1)")
    assert source.encode(source.text) == data


BROKEN = {
    "unclosed bracket": (b"x = (\n", Position(1, 5), "'(' was never closed"),
    "null byte": (b"x = 1\0\n", Position(1, 1), "null bytes"),
    "undecodable": (b"x = 1\ny = '\xff'\n", Position(2, 1), "cannot be decoded as utf-8"),
    "unknown encoding": (b"# coding: klingon\n", Position(1, 1), "unknown encoding: klingon"),
    "too deep": (b"(" * 5000 + b")" * 5000, Position(1, 1), "too"),
}


@pytest.mark.parametrize(("data", "start", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken(data: bytes, start: Position, reason: str) -> None:
    with pytest.raises(SourceError) as raised:
        _ = Source("f.py", data).tree
    assert reason in raised.value.reason
    assert raised.value.start.row == start.row


TEXT = """
@decorate(lambda d: d)
class A(base()):
    x = [i for i in outer() if i]

    def method(self, a=default(), *, b: note = None) -> result:
        def inner(): return 1
        return {k: v for k, v in self.items() for w in v if (y := w)}, lambda: a

match subject:
    case {"k": value, **rest}:
        with open(f) as (one, *two):
            raise E from None
"""


def test_parent_of_every_node_contains_it() -> None:
    source = Source("f.py", TEXT.encode())
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.Module, ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)):
            continue
        if isinstance(node, (ast.alias, ast.MatchSingleton)):
            continue
        parent = source.parent(node)
        assert parent is not None
        assert any(node is child for child in ast.iter_child_nodes(parent)), ast.dump(node)


def test_every_node_is_walked_once() -> None:
    source = Source("f.py", TEXT.encode())
    walked = [node for cls in {type(node) for node in ast.walk(source.tree)} for node in source.nodes(cls)]
    assert len({id(node) for node in walked}) == len(walked)
    expected = {
        id(n) for n in ast.walk(source.tree) if isinstance(n, (ast.stmt, ast.expr, ast.comprehension))
    }
    assert expected <= {id(node) for node in walked}


def scope_name(source: Source, node: ast.AST) -> str:
    opener, _ = source.scope_opener(source.scope_index(node))
    return getattr(opener, "name", type(opener).__name__)


def test_scopes_of_headers_and_bodies() -> None:
    source = Source("f.py", TEXT.encode())
    by_name = {name: scope_name(source, calls[0]) for name, calls in source.calls.items()}
    assert by_name == {
        "decorate": "Module",
        "base": "Module",
        "outer": "A",
        "default": "A",
        "items": "method",
        "open": "Module",
    }
    (walrus,) = source.nodes(ast.NamedExpr)
    assert scope_name(source, walrus) == "DictComp"
    method = next(node for node in source.nodes(ast.FunctionDef) if node.name == "method")
    assert source.walruses(method) == [walrus]
    assert source.enclosing_function(walrus) is method
    assert source.enclosing_class(walrus) is source.nodes(ast.ClassDef)[0]


OUTER = {
    "an argument": ("f(x)", "x"),
    "an argument in parentheses": ("f((x))", "(x)"),
    "one of several": ("f((x), 2)", "(x)"),
    "an argument with a comma": ("f((x),)", "(x)"),
    "a keyword's value": ("f(a=(x))", "(x)"),
    "what is called": ("((x))(1)", "((x))"),
    "a base": ("class A(x): pass", "x"),
    "a base in parentheses": ("class A((x)): pass", "(x)"),
    "a decorator": ("@(x)\ndef g(): pass", "(x)"),
    "a pattern": ("match 1:\n    case A(x.y): pass", "x"),
    "comments": ("f(  # a (\n    (  # b (\n        x  # c )\n    )  # d\n)", "(  # b (\n        x  # c )\n    )"),
    "line continuations": ("y = (\\\n    x\\\n)", "(\\\n    x\\\n)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), OUTER.values(), ids=OUTER)
def test_parentheses_around_an_expression(text: str, expected: str) -> None:
    source = Source("a.py", text.encode())
    (name,) = (node for node in source.nodes(ast.Name) if node.id == "x")
    start, end = source.outer_range(name)
    assert text[start:end] == expected


def test_comments_between_offsets() -> None:
    source = Source("a.py", b"a = '# no'  # one\r\nb = 1\r\n# two\r\n")
    assert source.comments(0, len(source.text)) == ["# one", "# two"]
    assert source.comments(0, 10) == []


@pytest.mark.parametrize(
    ("text", "step"),
    [("a\n", "    "), ("if a: b\n", "    "), ("a\nif a:\n\tb\n", "\t"), ("if a:\n  b\n", "  ")],
)
def test_indentation_step(text: str, step: str) -> None:
    assert Source("a.py", text.encode()).indentation_step == step
