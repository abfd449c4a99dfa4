"""Types with a closed set of values (enums, literals, unions of classes) and what a `match` leaves out."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pybackend_lint.semantic.inference import annotation_name
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import NONE, Kind
from pybackend_lint.source import is_none

if TYPE_CHECKING:
    from pybackend_lint.semantic.definitions import ClassInfo
    from pybackend_lint.semantic.module import Module

_TYPING = ("typing.", "typing_extensions.")
_ENUMS = (
    "enum.Enum", "enum.StrEnum", "enum.IntEnum", "django.db.models.TextChoices",
    "django.db.models.IntegerChoices", "django.db.models.Choices",
)  # fmt: skip
_FLAGS = ("enum.Flag", "enum.IntFlag")
_MAX_DEPTH = 12
_NONE = ("literal", "NoneType", "None")
Keys = set[tuple[str, ...]]


@dataclass(frozen=True)
class Member:
    """One alternative of a closed type: a member of an enum, a literal, or a class of a union."""

    key: tuple[str, ...]
    text: str
    owner: ClassInfo | None = None


def unhandled(node: ast.Match, module: Module) -> tuple[list[Member], bool]:
    """The alternatives of the subject that no case of a `match` handles, and whether it may be None.

    None itself is not among them. A case behind a guard handles nothing for certain; alternatives
    with more than one such case are left out, since together their guards may be complete.
    """
    members = _closed(node.subject, module)
    if members is None:
        return [], False
    handled: Keys = set()
    partial: list[tuple[str, ...]] = []
    for case in node.cases:
        found = _handled(case.pattern, members, module)
        if found is None:
            return [], False
        whole, parts = found
        if case.guard is None:
            handled |= whole
            partial += parts
        else:
            partial += whole | parts
    return [
        one for one in members if one.key not in handled and partial.count(one.key) < 2 and one.key != _NONE
    ], any(one.key == _NONE for one in members)


def consequence(node: ast.Match, module: Module) -> str | None:
    """What an alternative without a case does to the function: it ends with None, or a name is unbound."""
    function = module.source.enclosing_function(node)
    if not isinstance(function, FUNCTIONS) or module.function_info(function).yields:
        return None
    going = [case.body for case in node.cases if not isinstance(case.body[-1], (ast.Return, ast.Raise))]
    if going:
        return _unbound(node, going, function, module)
    values = [case.body[-1].value for case in node.cases if isinstance(case.body[-1], ast.Return)]
    if not values or any(value is None or is_none(value) for value in values):
        return None
    if _may_be_none(function, module) or not _is_last(node, function, module):
        return None
    return "`None` is returned"


def _is_last(node: ast.stmt, function: ast.AST, module: Module) -> bool:
    """Whether the function ends where a statement does."""
    while node is not function:
        parent = module.source.parent(node)
        if isinstance(parent, ast.match_case):
            branches, parent = [parent.body], module.source.parent(parent)
        elif isinstance(parent, ast.If):
            branches = [parent.body, parent.orelse]
        elif isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.With, ast.AsyncWith)):
            branches = [parent.body]
        else:
            return False
        if not any(branch and branch[-1] is node for branch in branches) or not isinstance(parent, ast.stmt):
            return False
        node = parent
    return True


def _may_be_none(function: ast.FunctionDef | ast.AsyncFunctionDef, module: Module) -> bool:
    """Whether a function is not annotated with a type that certainly excludes None."""
    if function.returns is None:
        return True
    known = module.annotation_type(function.returns, function)
    if known is not None:
        return known.optional or known == NONE
    members = _members(module, function.returns, function, 0)
    return members is None or any(one.key == _NONE for one in members)


def _unbound(
    node: ast.Match,
    going: list[list[ast.stmt]],
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    module: Module,
) -> str | None:
    names = set.intersection(*({name for line in body for name in _assigned(line)} for body in going))
    scope = module.scope_of(function)
    uses = module.function_info(function).own(ast.Name)
    for name in sorted(names - scope.outer.keys()):
        inside = all(_within(binding.node, node) for binding in scope.bindings.get(name, ()))
        if inside and any(use.id == name and _always_follows(use, node, module) for use in uses):
            return f"`{name}` is unbound"
    return None


def _always_follows(use: ast.Name, node: ast.Match, module: Module) -> bool:
    """Whether a name is read by a later statement of the block that a `match` stands in."""
    source = module.source
    later = isinstance(use.ctx, ast.Load) and use.lineno > (node.end_lineno or 0)
    return later and source.parent(source.statement(use)) is source.parent(node)


def _assigned(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return [statement.target.id]
    return []


def _within(inner: ast.AST, outer: ast.stmt) -> bool:
    first = getattr(inner, "lineno", 0)
    return outer.lineno <= first <= (outer.end_lineno or 0)


def is_narrowed(node: ast.Match, module: Module) -> bool:
    """Whether another test of the function asks about the subject, before or after it."""
    source = module.source
    function = source.enclosing_function(node)
    if not isinstance(function, FUNCTIONS):
        return True
    info = module.function_info(function)
    tests: list[ast.expr] = [one.test for one in info.own(ast.If)]
    tests += [one.test for one in info.own(ast.While)]
    tests += [one.test for one in info.own(ast.Assert)]
    tests += [one.test for one in info.own(ast.IfExp)]
    tests += [one.subject for one in info.own(ast.Match) if one is not node]
    root = node.subject
    while isinstance(root, (ast.Attribute, ast.Await)):
        root = root.value
    name = root.id if isinstance(root, ast.Name) else ""
    found = module.lookup(name, root)
    if found is not None and found[0].node is not function:
        return True
    whole = ast.dump(node.subject)
    return any(
        ast.dump(part) == whole or (name != "self" and isinstance(part, ast.Name) and part.id == name)
        for test in tests
        for part in ast.walk(test)
    )


def _closed(subject: ast.expr, module: Module) -> list[Member] | None:
    """The alternatives of a value, where they are known for certain to be all."""
    declared = _declared(subject, module)
    if declared is not None:
        home, annotation, use = declared
        found = _members(home, annotation, use, 0)
        if found is not None:
            distinct = {one.key: one for one in found}
            return list(distinct.values()) if len(distinct.keys() - {_NONE}) > 1 else None
        if home.annotation_type(annotation, use) is None:
            return None
    known = module.type_of(subject)
    info = module.modules.class_info(known.name) if known is not None else None
    if known is None or info is None or known.kind is not Kind.INSTANCE:
        return None
    members = _enum_members(info)
    return [*members, Member(_NONE, "None")] if members is not None and known.optional else members


def _declared(subject: ast.expr, module: Module) -> tuple[Module, ast.expr, ast.AST] | None:
    """The annotation that says what a value is."""
    match subject:
        case ast.Name(id=name):
            found = module.lookup(name, subject)
            if found is None or len(found[1]) != 1:
                return None
            return _declared_by(found[1][0], found[0].node, module)
        case ast.Attribute(value=value, attr=attr):
            owner = module.type_of(value)
            if owner is None or owner.kind is not Kind.INSTANCE or owner.optional:
                return None
            info = module.modules.class_info(owner.name)
            member = info.member(attr) if info is not None else None
            if member is None or member[1].annotation is None:
                return None
            return member[0].module, member[1].annotation, member[1].node
        case ast.Await(value=ast.Call() as call):
            return _result(call, module, is_async=True)
        case ast.Call():
            return _result(subject, module, is_async=False)
    return None


def _declared_by(binding: Binding, owner: ast.AST, module: Module) -> tuple[Module, ast.expr, ast.AST] | None:
    if binding.kind == "parameter" and binding.annotation is not None:
        argument = binding.node
        if not isinstance(owner, FUNCTIONS) or argument in (owner.args.vararg, owner.args.kwarg):
            return None
        return module, binding.annotation, argument
    if binding.kind != "assign" or binding.path:
        return None
    if binding.annotation is not None:
        return module, binding.annotation, binding.node
    if isinstance(binding.value, (ast.Call, ast.Await)):
        return _declared(binding.value, module)
    return None


def _result(call: ast.Call, module: Module, *, is_async: bool) -> tuple[Module, ast.expr, ast.AST] | None:
    function = module.function_called(call)
    if function is None or function.node.returns is None or function.is_async is not is_async:
        return None
    if not function.is_transparent or function.yields:
        return None
    return function.module, function.node.returns, function.node


def _members(module: Module, annotation: ast.expr, use: ast.AST, depth: int) -> list[Member] | None:
    if depth > _MAX_DEPTH:
        return None
    match annotation:
        case ast.Constant(value=None):
            return [Member(_NONE, "None")]
        case ast.Constant(value=str(text)):
            try:
                parsed = ast.parse(text.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return None
            return _members(module, parsed, use, depth + 1)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _all(module, [left, right], use, depth)
        case ast.Name() | ast.Attribute():
            return _named(module, annotation, use, depth)
        case ast.Subscript(value=value, slice=index):
            name = annotation_name(module, value, use) or ""
            parts = index.elts if isinstance(index, ast.Tuple) else [index]
            if not name.startswith(_TYPING):
                return _named(module, value, use, depth, generic=True)
            match name.rpartition(".")[2]:
                case "Union":
                    return _all(module, parts, use, depth)
                case "Optional":
                    return _all(module, [*parts, ast.Constant(None)], use, depth)
                case "Annotated" | "Final":
                    return _members(module, parts[0], use, depth + 1)
                case "Literal":
                    return _literals(module, parts)
    return None


def _all(module: Module, parts: list[ast.expr], use: ast.AST, depth: int) -> list[Member] | None:
    found: list[Member] = []
    for part in parts:
        members = _members(module, part, use, depth + 1)
        if members is None:
            return None
        found += members
    return found


def _named(
    module: Module, node: ast.expr, use: ast.AST, depth: int, *, generic: bool = False
) -> list[Member] | None:
    name = annotation_name(module, node, use)
    if name is None:
        return None
    info = module.modules.class_info(name)
    if info is not None:
        if info.is_a(*_ENUMS, *_FLAGS, "enum.ReprEnum"):
            return _enum_members(info)
        return [Member(("class", info.name), info.node.name, info)]
    variable = module.modules.variable(name)
    if variable is None or variable[1].value is None:
        return None
    home, binding = variable
    if generic and binding.kind != "type" and not isinstance(binding.value, (ast.BinOp, ast.Subscript)):
        return None
    return _members(home, binding.value, binding.node, depth + 1) if binding.value is not None else None


def _literals(module: Module, parts: list[ast.expr]) -> list[Member] | None:
    found = []
    for part in parts:
        if not isinstance(part, ast.Constant):
            return None
        found.append(Member(_literal(part.value), repr(part.value)))
    return found


def _literal(value: object) -> tuple[str, ...]:
    return ("literal", type(value).__name__, repr(value))


def _enum_members(info: ClassInfo) -> list[Member] | None:
    """The members of an enum, without aliases; None where its body does not tell."""
    if not info.is_a(*_ENUMS) or info.is_a(*_FLAGS) or not info.is_closed:
        return None
    found: dict[str, Member] = {}
    for statement in info.node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name.startswith("_"):
                    continue
                if isinstance(value, (ast.Lambda, ast.Name, ast.Attribute, ast.Subscript)):
                    return None
                maker = info.module.qualified_name(value.func) if isinstance(value, ast.Call) else None
                if maker in {"enum.nonmember", "builtins.property", "builtins.staticmethod"}:
                    return None
                text = f"{info.node.name}.{name}"
                key = name if isinstance(value, ast.Call) else ast.dump(value)
                found.setdefault(key, Member(("enum", info.name, name), text, info))
            case ast.FunctionDef() | ast.Pass() | ast.Expr() | ast.AnnAssign(value=None):
                continue
            case _:
                return None
    return list(found.values()) if len(found) > 1 else None


def _handled(pattern: ast.pattern, members: list[Member], module: Module) -> tuple[Keys, Keys] | None:
    """The alternatives a pattern matches for certain, and those it may match; None where unknown."""
    keys = {one.key for one in members}
    match pattern:
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _handled(inner, members, module)
        case ast.MatchOr(patterns=patterns):
            whole: Keys = set()
            parts: Keys = set()
            for one in patterns:
                found = _handled(one, members, module)
                if found is None:
                    return None
                whole |= found[0]
                parts |= found[1]
            return whole, parts - whole
        case ast.MatchSingleton(value=value):
            return ({_literal(value)} & keys, set()) if value is None or _literal(value) in keys else None
        case ast.MatchValue(value=ast.Constant(value=value)):
            return ({_literal(value)}, set()) if _literal(value) in keys else None
        case ast.MatchValue(value=ast.Attribute(value=owner, attr=attr)):
            known = module.type_of(owner)
            key = ("enum", known.name, attr) if known is not None and known.kind is Kind.CLASS else ()
            return ({key}, set()) if key in keys else None
        case ast.MatchClass(cls=cls, patterns=patterns, kwd_patterns=keywords):
            name = module.qualified_name(cls)
            found_keys = {one.key for one in members if one.owner is not None and one.owner.is_a(name or "")}
            if not found_keys:
                return None
            if all(_matches_all(one) for one in (*patterns, *keywords)):
                return found_keys, set()
            return set(), found_keys
    return None


def _matches_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _matches_all(pattern.pattern))
