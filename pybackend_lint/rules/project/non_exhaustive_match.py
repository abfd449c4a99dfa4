"""Rule PB025: non-exhaustive-match."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.project import closed_types
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_end
from pybackend_lint.semantic.import_edits import add_import

_SHOWN = 3


@rule(
    "PB025",
    "non-exhaustive-match",
    "Handle {missing} in this `match` or end it with `assert_never`: else {consequence}",
    nodes=(ast.Match,),
    words=("match",),
    applies="python>=3.10",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.Match, ctx: Context) -> Iterator[Finding]:
    """A `match` over an enum, a `Literal` or a union of classes leaves out one of the alternatives.

    ## Why
    `match` does nothing where no case fits. Where every case returns a value and nothing follows, the
    function then ends with `None`; where every case sets a variable, the next use of it raises
    `UnboundLocalError`. That happens on the day that somebody adds a member to an enum in another
    file, far away from the function that had to learn it. `assert_never` fails at the place instead, and
    type checkers report the missing case before that.

    ## Bad
    ```python
    from shop.states import OrderStatus


    def label(status: OrderStatus) -> str:
        match status:
            case OrderStatus.OPEN:
                return "waiting for payment"
            case OrderStatus.PAID:
                return "on its way"
    ```
    ```python file=shop/states.py
    from enum import Enum


    class OrderStatus(Enum):
        OPEN = "open"
        PAID = "paid"
        REFUNDED = "refunded"
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.11"
    ```

    ## Good
    ```python
    from typing import assert_never

    from shop.states import OrderStatus


    def label(status: OrderStatus) -> str:
        match status:
            case OrderStatus.OPEN:
                return "waiting for payment"
            case OrderStatus.PAID:
                return "on its way"
            case _:
                assert_never(status)
    ```

    ## Not reported
    ```python
    from dataclasses import dataclass
    from enum import Enum


    class Channel(Enum):
        MAIL = "mail"
        SMS = "sms"
        PUSH = "push"


    @dataclass
    class Sent:
        number: str


    @dataclass
    class Refused:
        reason: str


    def price(channel: Channel) -> int:
        match channel:
            case Channel.MAIL:
                return 0
            case Channel.SMS:
                return 7
        return 1  # what holds for all others


    def notify(channel: Channel, sent: list[str]) -> None:
        match channel:  # the others need nothing
            case Channel.MAIL:
                sent.append("mail")
            case Channel.SMS:
                sent.append("sms")


    def describe(result: Sent | Refused) -> str:
        match result:
            case Sent(number=number):
                return number
            case Refused(reason):
                return reason
    ```
    A `match` that leaves out alternatives and is followed by code for them, or whose cases only act, may
    mean it; it is left alone. So is one whose subject another test of the function asks about,
    one with patterns whose alternatives are not certain, and `None` of an optional subject. Chains of
    `if` and `elif` are not looked at.

    ## Fix safety
    Unsafe: the function raises `AssertionError` for the missing alternatives afterwards.

    ## When not to use it
    Where `None` is the intended answer for all other alternatives.

    ## References
    - Python documentation, typing.assert_never
    - Typing documentation, "Unreachable code and exhaustiveness checking"
    - PEP 634, Structural Pattern Matching: Specification
    """
    if len(node.cases) < 2 or any(
        isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None for case in node.cases
    ):
        return
    consequence = closed_types.consequence(node, ctx.module)
    if consequence is None:
        return
    missing, optional = closed_types.unhandled(node, ctx.module)
    if not missing or closed_types.is_narrowed(node, ctx.module):
        return
    names = [f"`{one.text}`" for one in missing[:_SHOWN]]
    if len(missing) > _SHOWN:
        names.append(f"{len(missing) - _SHOWN} more")
    text = " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
    owner = next((one.owner for one in missing if one.owner is not None), None)
    yield ctx.finding(
        node.subject,
        missing=text,
        consequence=consequence,
        related=() if owner is None else (ctx.definition(owner, f"{text} without a case"),),
        fix=None if optional else _fix(node, ctx),
    )


def _fix(node: ast.Match, ctx: Context) -> Fix | None:
    """Ends the `match` with `assert_never`, where the subject is a name or an attribute of one."""
    subject = node.subject
    root = subject.value if isinstance(subject, ast.Attribute) else subject
    last = node.cases[-1]
    source = ctx.source
    if not isinstance(root, ast.Name) or not ctx.project.satisfies("python>=3.11", "lower"):
        return None
    first = source.line(last.pattern.lineno)
    indent, body = first[: len(first) - len(first.lstrip())], source.indentation(last.body[0])
    if not first.lstrip().startswith("case") or last.pattern.lineno == last.body[0].lineno:
        return None
    name, imports = add_import(source, "typing.assert_never")
    case = f"\n{indent}case _:\n{body}{name}({ctx.text(subject)})"
    added = ctx.insert_at(line_end(source, last.body[-1]), case)
    return ctx.fix("End the `match` with `assert_never`", *imports, added)
