"""Suppressions: which comments hide which findings, and which hide nothing."""

from __future__ import annotations

from textwrap import dedent

import pytest

from pybackend_lint.edits import apply
from pybackend_lint.finding import Finding, Position
from pybackend_lint.source import Source
from pybackend_lint.suppression import Suppressions, suppressing_edit

CODES = {"PB604": "blocking-sleep-or-wait-in-async", "PB210": "clean-without-return"}


def finding(row: int, code: str = "PB604") -> Finding:
    return Finding(code, CODES[code], "message", "a.py", Position(row, 1), Position(row, 2))


def suppressions(text: str) -> Suppressions:
    return Suppressions(Source("a.py", dedent(text).lstrip("\n").encode()))


def is_hidden(text: str, row: int = 1, code: str = "PB604") -> bool:
    kept, hidden = suppressions(text).split([finding(row, code)])
    assert len(kept) + len(hidden) == 1
    return bool(hidden)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NoQA",
        "# noqa: PB604",
        "# noqa:PB604",
        "# noqa : PB604",
        "# NOQA: pb604",
        "# noqa: PB6",
        "# noqa: E501, PB604",
        "# noqa: E501 PB604",
        "# noqa:E501,PB604",
        "# noqa: blocking-sleep-or-wait-in-async",
        "# noqa: Blocking-Sleep-Or-Wait-In-Async",
        "# noqa: PB210, blocking-sleep-or-wait-in-async",
        "# noqa: PB604 -- only at start-up",
        "# noqa: PB604 (only at start-up)",
        "# noqa: PB604: only at start-up",
        "# noqa: PB604 only at start-up",
        "# noqa: blocking-sleep-or-wait-in-async -- only at start-up",
        "# noqa: only at the start",
        "# type: ignore # noqa: PB604",
        "# noqa: PB604 # type: ignore",
        "# pybackend-lint: noqa: PB604",
    ],
)
def test_hides(comment: str) -> None:
    assert is_hidden(f"x = 1  {comment}\n")


@pytest.mark.parametrize(
    "line",
    [
        "x = 1",
        "x = 1  # noqa: E501",
        "x = 1  # noqa: PB210",
        "x = 1  # noqa: PB7",
        "x = 1  # noqa: P604",
        "x = 1  # noqa: unused-import",
        "x = 1  # noqa: clean-without-return -- not PB604",
        "x = 1  # noqa: E501 # PB604",
        "x = 1  # ruff: noqa",
        "x = 1  # flake8: noqa",
        "x = 1  # noqaPB604",
        "x = '# noqa'",
        "x = '# noqa: PB604'  # a comment",
    ],
)
def test_does_not_hide(line: str) -> None:
    assert not is_hidden(f"{line}\n")


def test_only_its_own_line() -> None:
    text = """
        x = 1
        y = 2  # noqa
        z = 3
    """
    assert [is_hidden(text, row) for row in (1, 2, 3)] == [False, True, False]


def test_a_comment_behind_a_multi_line_string_counts_for_all_its_lines() -> None:
    text = '''
        x = f(1, """
            # noqa: PB210 in the text
        """)  # noqa: PB604
        y = 2
    '''
    assert [is_hidden(text, row) for row in (1, 2, 3, 4)] == [True, True, True, False]
    assert not is_hidden(text, 2, "PB210")


def test_brackets_do_not_join_lines_but_backslashes_do() -> None:
    text = """
        x = f(
            1,  # noqa
        )
        y = 1 + \\
            2  # noqa
    """
    assert [is_hidden(text, row) for row in (1, 2, 3, 4, 5)] == [False, True, False, True, True]


@pytest.mark.parametrize(
    ("comment", "hidden"),
    [
        ("# flake8: noqa", {"PB604", "PB210"}),
        ("# FLAKE8: NOQA", {"PB604", "PB210"}),
        ("# flake8: noqa: PB604", {"PB604"}),
        ("# pybackend-lint: noqa", {"PB604", "PB210"}),
        ("# pybackend-lint: noqa: clean-without-return", {"PB210"}),
        ("    # pybackend-lint: noqa: PB604, PB210 -- generated", {"PB604", "PB210"}),
        ("# flake8: noqa: E501", set()),
        ("# ruff: noqa", set()),
        ("# noqa", set()),
    ],
)
def test_whole_file(comment: str, hidden: set[str]) -> None:
    text = f"x = 1\nif x:\n{comment}\n    y = 2\n"
    assert {code for code in CODES if is_hidden(text, 1, code)} == hidden


def test_text_in_strings_never_counts() -> None:
    text = '''
        """
        # flake8: noqa
        # noqa
        """
        x = 1
    '''
    assert not any(is_hidden(text, row) for row in range(1, 6))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_endings(newline: str) -> None:
    text = newline.join(["x = 1", "y = 2  # noqa: PB604", "z = 3", ""])
    found = Suppressions(Source("a.py", text.encode()))
    kept, hidden = found.split([finding(row) for row in (1, 2, 3)])
    assert [item.start.row for item in hidden] == [2]
    assert [item.start.row for item in kept] == [1, 3]


def test_a_file_that_cannot_be_tokenized_keeps_its_first_comments() -> None:
    assert is_hidden("x = 1  # noqa\ny = (\n")


def test_unused() -> None:
    text = """
        a = 1  # noqa: PB604, PB210, E501
        b = 2  # noqa: clean-without-return
        c = 3  # noqa
        d = 4  # noqa: E501
        e = 5  # noqa: PB6
        f = 6  # noqa: PB7
    """
    found = suppressions(text)
    _, hidden = found.split([finding(1), finding(5)])
    unused = found.unused(hidden, CODES)
    assert [(item.start, item.end, set(codes)) for item, codes in unused] == [
        (Position(1, 8), Position(1, 34), {"PB210"}),
        (Position(2, 8), Position(2, 36), {"clean-without-return"}),
    ]
    assert found.unused(hidden, {"PB604"}) == []


def test_unused_for_the_whole_file() -> None:
    found = suppressions("# pybackend-lint: noqa: PB604\nx = 1\n")
    assert [codes for _, codes in found.unused([], CODES)] == [{"PB604"}]
    _, hidden = found.split([finding(2)])
    assert found.unused(hidden, CODES) == []


NEW_COMMENTS = {
    "behind code": (1, "x = 1\ny = 2\n", "x = 1  # noqa: PB604  (why)\ny = 2\n"),
    "at the end of the file": (1, "x = 1", "x = 1  # noqa: PB604  (why)"),
    "before the line ending of Windows": (1, "x = 1\r\ny\r\n", "x = 1  # noqa: PB604  (why)\r\ny\r\n"),
    "instead of blanks at the end": (1, "x = 1  \n", "x = 1  # noqa: PB604  (why)\n"),
    "behind other comments": (1, "x = 1  # one\n", "x = 1  # one  # noqa: PB604  (why)\n"),
    "behind another tool's": (
        1, "x = 1  # type: ignore[a]\n", "x = 1  # type: ignore[a]  # noqa: PB604  (why)\n"
    ),
    "in a comment with codes": (1, "x = 1  # noqa: E501\n", "x = 1  # noqa: E501, PB604\n"),
    "before the reason": (1, "x = 1  # noqa: E501 long\n", "x = 1  # noqa: E501, PB604 long\n"),
    "behind names": (
        1,
        "x = 1  # noqa: clean-without-return -- why\n",
        "x = 1  # noqa: clean-without-return, PB604 -- why\n",
    ),
    "between two comments": (1, "x = 1  # noqa: E501 # a\n", "x = 1  # noqa: E501, PB604 # a\n"),
    "behind one that flake8 ignores": (
        1, "x = 1  # flake8: noqa: E501\n", "x = 1  # flake8: noqa: E501  # noqa: PB604  (why)\n"
    ),
    "behind backslashes": (1, "x = 1 + \\\n    2\n", "x = 1 + \\\n    2  # noqa: PB604  (why)\n"),
    "behind a string of many lines": (
        2, 'x = """a\nb\nc"""\ny\n', 'x = """a\nb\nc"""  # noqa: PB604  (why)\ny\n'
    ),
    "in brackets, behind the own line": (2, "f(\n    a,\n    b,\n)\n", "f(\n    a,  # noqa: PB604  (why)\n    b,\n)\n"),
    "in brackets, behind the string": (
        2, 'f(\n    """a\n    b""",\n    c,\n)\n', 'f(\n    """a\n    b""",  # noqa: PB604  (why)\n    c,\n)\n'
    ),
    "behind a form feed": (2, "a\n\x0cx = 1\n", "a\n\x0cx = 1  # noqa: PB604  (why)\n"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "text", "expected"), NEW_COMMENTS.values(), ids=NEW_COMMENTS)
def test_a_new_comment_hides_the_finding(row: int, text: str, expected: str) -> None:
    source = Source("a.py", text.encode())
    assert not Suppressions(source).split([finding(row)])[1]
    edit = suppressing_edit(source, finding(row), "why")
    assert edit is not None
    changed = apply(text, [edit])
    assert changed == expected
    assert Suppressions(Source("a.py", changed.encode())).split([finding(row)])[1]


def test_no_comment_where_there_is_no_token() -> None:
    assert suppressing_edit(Source("a.py", b"x = 1\n"), finding(9), "why") is None


@pytest.mark.parametrize(
    ("line", "hidden"),
    {
        "[project]  # noqa: PB604": True,
        "requires-python = '>=3.11'# noqa": True,
        'name = "shop"  # noqa: PB210': False,
        'name = "# noqa: PB604"': False,
        "name = '# noqa: PB604'": False,
        'name = "a \\" # noqa: PB604"': False,
        "name = 'C:\\' # noqa: PB604": True,
        "released = 2026-01-02  # noqa: PB604": True,
        "3d = 09:30:00  # noqa: PB604": True,
        "text = '''# noqa: PB604'''": False,
    }.items(),
)
def test_toml(line: str, hidden: bool) -> None:
    text = f"# first\n[tool]\n{line}\nlast = 1\n"
    for ending in ("\n", "\r\n"):
        found = Suppressions(Source("pyproject.toml", text.replace("\n", ending).encode()))
        kept, _ = found.split([finding(row) for row in range(1, 5)])
        assert [item.start.row for item in kept] == ([1, 2, 4] if hidden else [1, 2, 3, 4])


def test_toml_strings_of_several_lines() -> None:
    text = 'text = """\n# noqa\n"""  # noqa: PB604\nother = 1\n'
    kept, hidden = Suppressions(Source("pyproject.toml", text.encode())).split(
        [finding(row) for row in range(1, 5)]
    )
    assert [item.start.row for item in kept] == [4]
    assert len(hidden) == 3


def test_an_edit_that_hides_in_toml() -> None:
    source = Source("pyproject.toml", b"[project]\r\nname = 'a # b'\r\n")
    for row in (1, 2):
        edit = suppressing_edit(source, finding(row), "why")
        assert edit is not None
        after = Source("pyproject.toml", apply(source.text, [edit]).encode())
        assert Suppressions(after).split([finding(row)])[0] == []
