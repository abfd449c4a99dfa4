"""What a function checks before it uses it: values that are compared with known ones or validated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.source import last_name

# A call whose name holds one of these words decides whether a value may be used.
_CHECKING = (
    "valid", "check", "verif", "ensure", "assert", "saniti", "clean", "allow", "permi", "guard", "restrict",
    "safe", "secure", "escape", "quote", "trust", "whitelist", "reject", "forbid", "authori",
    "relative_to", "commonpath", "fullmatch", "match",
)  # fmt: skip
_NO_CHECKS = frozenset({"check_output", "check_call", "mark_safe", "unquote", "unquote_plus", "unescape"})
_CONVERTS = frozenset(
    {"int", "float", "UUID", "Decimal", "ip_address", "ip_network", "strptime", "fromisoformat"}
)
# Tests of these say nothing about what a text holds.
_SAYS_NOTHING = frozenset({"len", "bool", "print", "hasattr", "type", "str", "getattr"})
_SAME_TEXT = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "casefold", "encode", "decode", "get"})
# What a function makes of a value to look at a part of it.
_LOOKS_INTO = frozenset(
    {"urlparse", "urlsplit", "url_parse", "parse", "Path", "PurePath", "PosixPath", "resolve", "realpath",
     "abspath", "normpath", "basename", "dirname", "splitext", "split", "rsplit", "partition", "rpartition",
     "join", "commonpath", "commonprefix", "strip", "lower", "gethostbyname", "getaddrinfo", "search",
     "guess_type", "URL", "joinpath"}
)  # fmt: skip
# Of a URL that was taken apart: asking whether it has one is a check.
_PARTS_OF_URLS = frozenset({"netloc", "hostname", "host", "scheme", "domain"})
_DEEPEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Checks:
    """Texts of expressions: those checked, those asked for a part, those equal to a literal in a block."""

    whole: frozenset[str]
    parts: frozenset[str]
    equal: tuple[tuple[str, ast.If], ...]


def is_checked(node: ast.expr, function: FunctionInfo, use: ast.AST, *, inside: bool) -> bool:
    """Whether a function looks at what an expression holds, so that a use of it may be harmless.

    It does where it compares the value with anything but an empty one, hands it to a call that is named as
    a check or stands in a condition, or converts it to a number. Whether the check is good is not judged.
    `inside`: only something in the value is used, so that a test for a key of it is none.
    """
    checks = _checks(function)
    shown = ast.unparse(node)
    if shown in checks.whole or (not inside and shown in checks.parts):
        return True
    return any(shown == text and _stands_in(use, branch) for text, branch in checks.equal)


def _stands_in(use: ast.AST, branch: ast.If) -> bool:
    """Whether a use stands in the body of an `if`, not in its `else`."""
    last = branch.body[-1]
    return branch.body[0].lineno <= getattr(use, "lineno", 0) <= (last.end_lineno or last.lineno)


def _checks(function: FunctionInfo) -> _Checks:
    index = function.module.modules
    if isinstance(index, Index):
        key = ("data checks", function.module.name, id(function.node))
        return index.fact(key, lambda: _found(function))
    return _found(function)


def _found(function: FunctionInfo) -> _Checks:
    whole: set[str] = set()
    parts: set[str] = set()
    equal: list[tuple[str, ast.If]] = []
    for test, owner in _tests(function):
        _read_test(test, owner, whole, parts, equal)
    for call in function.own(ast.Call):
        name = last_name(call.func)
        if name in _CONVERTS or is_check(name):
            for item in _handed(call):
                whole.update(_mentions(item))
    roots = {root for text in whole for root in _roots(text)}
    for _ in range(_DEEPEST):
        for assignment in function.own(ast.Assign):
            targets = {name.id for name in assignment.targets if isinstance(name, ast.Name)}
            if targets & roots:
                found = {text for call in _looking(assignment.value) for item in _handed(call)
                         for text in _mentions(item)}  # fmt: skip
                whole |= found
                roots |= {root for text in found for root in _roots(text)}
    return _Checks(frozenset(whole), frozenset(parts), tuple(equal))


def _tests(function: FunctionInfo) -> Iterator[tuple[ast.expr, ast.If | None]]:
    for branch in function.own(ast.If):
        yield branch.test, branch
    for loop in function.own(ast.While):
        yield loop.test, None
    for choice in function.own(ast.IfExp):
        yield choice.test, None
    for assertion in function.own(ast.Assert):
        yield assertion.test, None
    for clause in function.own(ast.comprehension):
        for test in clause.ifs:
            yield test, None
    for match in function.own(ast.Match):
        yield ast.Compare(match.subject, [ast.In()], [ast.Tuple([], ast.Load())]), None


def _read_test(
    test: ast.expr,
    owner: ast.If | None,
    whole: set[str],
    parts: set[str],
    equal: list[tuple[str, ast.If]],
) -> None:
    match test:
        case ast.BoolOp(values=values):
            for value in values:
                _read_test(value, owner if isinstance(test.op, ast.And) else None, whole, parts, equal)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _read_test(operand, None, whole, parts, equal)
        case ast.NamedExpr(value=value):
            _read_test(value, owner, whole, parts, equal)
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
            if isinstance(left, ast.Constant):
                parts.update(_mentions(right))
            else:
                whole.update(_mentions(left))
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()]):
            pass
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            operands = [left, *comparators]
            if any(_is_empty(item) for item in operands):
                for item in operands:
                    _read_test(item, None, whole, parts, equal)
                return
            texts = {
                text for item in operands if not isinstance(item, ast.Constant) for text in _mentions(item)
            }
            literal = any(isinstance(item, ast.Constant) for item in operands)
            if literal and all(isinstance(op, ast.Eq) for op in ops):
                if owner is not None:
                    equal.extend((text, owner) for text in sorted(texts))
            else:
                whole.update(texts)
        case ast.Attribute(value=value, attr=attr) if attr in _PARTS_OF_URLS or isinstance(value, ast.Call):
            whole.update(_mentions(test))
        case ast.Call():
            name = last_name(test.func)
            if name == "isinstance":
                kinds = test.args[1:2]
                if any(isinstance(kind, ast.Name) and kind.id in {"str", "dict", "list"} for kind in kinds):
                    return
            if name not in _SAYS_NOTHING and name not in _SAME_TEXT:
                for item in _handed(test):
                    whole.update(_mentions(item))


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def is_check(name: str) -> bool:
    """Whether a function of this name decides whether a value may be used."""
    lowered = name.lower()
    if name in _NO_CHECKS:
        return False
    return lowered.startswith("is_") or any(word in lowered for word in _CHECKING)


def _handed(call: ast.Call) -> list[ast.expr]:
    """What a call is given: its arguments and the value whose method it is."""
    items = [*call.args, *(keyword.value for keyword in call.keywords)]
    if isinstance(call.func, ast.Attribute):
        items.append(call.func.value)
    return items


def _mentions(node: ast.expr) -> Iterator[str]:
    """The texts of the values that an expression looks at."""
    match node:
        case ast.Constant():
            return
        case ast.Call():
            name = last_name(node.func)
            if name in _SAYS_NOTHING - {"str"}:  # what is asked of the text is asked of the value
                return
            yield ast.unparse(node)
            if name == "get":
                return  # one key of a mapping
            for item in _handed(node):
                yield from _mentions(item)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield ast.unparse(node)
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.value, ast.Call):
                yield from _mentions(node.value)
        case ast.Await(value=inner) | ast.Starred(value=inner) | ast.NamedExpr(value=inner):
            yield from _mentions(inner)
        case ast.BinOp(left=left, right=right):
            yield from _mentions(left)
            yield from _mentions(right)
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield from _mentions(value.value)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.BoolOp(values=items):
            for item in items:
                yield from _mentions(item)


def _looking(node: ast.expr) -> Iterator[ast.Call]:
    """The calls in an assigned value that take another one apart."""
    pending: list[ast.AST] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, ast.Call):
            name = last_name(current.func)
            if name in _LOOKS_INTO or is_check(name):
                yield current
        if isinstance(current, ast.expr):
            pending.extend(ast.iter_child_nodes(current))


def _roots(text: str) -> Iterator[str]:
    """The name that an expression starts with."""
    head = text.partition(".")[0].partition("[")[0].partition("(")[0]
    if head.isidentifier() and head not in {"self", "cls", "request"}:
        yield head
