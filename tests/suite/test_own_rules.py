"""The rules about rules find what they are there for, and accept a good rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.own_rules import check_file, documentation_problems, message_problems

GOOD = '''"""Rule PB599: late-close."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB599",
    "late-close",
    "Close `{session}` before the response is sent",
    nodes=(ast.Call,),
    names=("close",),
    fix=SAFE,
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """The session is closed late.

    ## Why
    Connections are scarce.

    ## Bad
    ```python
    close()
    ```

    ## Good
    ```python
    pass
    ```

    ## Not reported
    Nothing.

    ## Fix safety
    The same.

    ## When not to use it
    Never.

    ## References
    - None
    """
    if isinstance(call.func, ast.Attribute) and call.func.attr == "close" and ctx.type_of(call.func.value):
        yield ctx.finding(call, session="x")
'''


def faults(tmp_path: Path, source: str, name: str = "late_close.py") -> list[str]:
    path = tmp_path / name
    path.write_text(source, "utf-8")
    return [fault.text for fault in check_file(path)]


def test_a_good_rule_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    if isinstance", "    ast.walk(call)\n    if isinstance", "`ast.walk`"),
        ("import ast\n", "import ast\nimport os.path\n", "does not import `os.path`"),
        ("import ast\n", "import ast\nfrom re import compile\n", "does not import `re`"),
        ("    if isinstance", "    open('x')\n    if isinstance", "does not call `open`"),
        ("    if isinstance", "    call.path.read_text()\n    if isinstance", "does not open files"),
        ("def check(", "def verify(", "is named `check`"),
        ('"late-close"', '"early-close"', "named `early_close.py`"),
        ("    fix=SAFE,\n", "", "exactly where the rule declares a fix"),
        ("    if isinstance", "    x = 1\n" * 79 + "    if isinstance", "82 lines of logic"),
        ('"Close `', '"close `', "starts with a verb"),
    ],
)
def test_faults_are_found(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = faults(tmp_path, GOOD.replace(old, new, 1))
    assert len(found) == 1
    assert expected in found[0]


def test_a_name_is_no_evidence(tmp_path: Path) -> None:
    helper = "\n\ndef _is_get(node: ast.Attribute) -> bool:\n    return node.attr == {word!r}\n"
    (found,) = faults(tmp_path, GOOD + helper.format(word="filter_by"))
    assert "(`filter_by`) is no evidence" in found
    assert faults(tmp_path, GOOD + helper.format(word="append")) == []


def test_one_rule_a_module(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == ["a module holds one rule, not 0"]
    assert "a module holds one rule, not 2" in faults(tmp_path, GOOD + GOOD[GOOD.index("@rule") :])


@pytest.mark.parametrize(
    "message",
    ["Use `{a}`.", "Use `{}`", "Use `{0}`", "Use `{a!r}`", "The name is wrong", "use it", "Use " + "x" * 97],
)
def test_messages(message: str) -> None:
    assert len(list(message_problems(message))) == 1
    assert list(message_problems("Use `{session}.get({entity}, ...)`: `Query.get()` is legacy")) == []


def test_sections() -> None:
    good = GOOD[GOOD.index("The session is") : GOOD.index('    """\n    if')].replace("\n    ", "\n")
    assert list(documentation_problems(good, has_fix=True)) == []
    assert list(documentation_problems(good.replace("## Why\n", ""), has_fix=True)) == [
        "section `Why` is missing"
    ]
    swapped = good.replace("## Bad", "## X").replace("## Good", "## Bad").replace("## X", "## Good")
    assert "sections are ordered" in next(documentation_problems(swapped, has_fix=True))
    assert list(documentation_problems(good.replace("late.", "late"), has_fix=True))
    assert list(documentation_problems(good.replace("```python\npass\n```", "pass"), has_fix=True)) == [
        "section `Good` shows code"
    ]
