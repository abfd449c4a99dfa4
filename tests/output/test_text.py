"""The output for people."""

from __future__ import annotations

from collections import Counter
from textwrap import dedent

import pytest

from tests.output.samples import Applicability, Position, Related, finding, outcome, rendered

TEXT = "import time\n\n\nasync def wait():\n    time.sleep(1)\n    return 2\n\n\nx = 1\n"


def text_of(result: object) -> str:
    return rendered("text", result)  # type: ignore[arg-type]


def test_place_message_lines_chain_help_and_summary() -> None:
    related = (
        Related("shop/client.py", Position(41, 5), "`charge` calls `pay`"),
        Related("/lib/pay.py", Position(7, 1), "`pay` calls `requests.post`"),
    )
    found = finding(TEXT, "time.sleep", applicability=Applicability.SAFE, related=related)
    assert text_of(outcome({"shop/jobs.py": TEXT}, found)) == dedent(
        """\
        shop/jobs.py:5:5: PB604 [*] Use `asyncio.sleep` in coroutines (blocking-sleep-or-wait-in-async)
          |
        4 | async def wait():
        5 |     time.sleep(1)
          |     ^^^^^^^^^^
        6 |     return 2
          |
          -> shop/client.py:41:5: `charge` calls `pay`
            -> /lib/pay.py:7:1: `pay` calls `requests.post`
        help: Sleep without blocking

        Found 1 finding (1 fixable with --fix)
        """
    )


def test_unsafe_fixes_are_offered_only_to_those_who_want_them() -> None:
    found = finding(TEXT, "time.sleep", applicability=Applicability.UNSAFE)
    offered = text_of(outcome({"shop/jobs.py": TEXT}, found))
    assert "PB604 Use" in offered
    assert "help: Sleep without blocking (with --unsafe-fixes)\n" in offered
    wanted = text_of(outcome({"shop/jobs.py": TEXT}, found, unsafe_fixes=True))
    assert "PB604 [*] Use" in wanted
    assert "help: Sleep without blocking\n" in wanted


@pytest.mark.parametrize(
    ("safe", "unsafe", "none", "fixed", "expected"),
    [
        (0, 0, 0, 0, "No findings"),
        (0, 0, 1, 0, "Found 1 finding"),
        (0, 0, 2, 0, "Found 2 findings"),
        (2, 0, 1, 0, "Found 3 findings (2 fixable with --fix)"),
        (1, 2, 0, 0, "Found 3 findings (1 fixable with --fix, 2 more with --unsafe-fixes)"),
        (0, 2, 0, 0, "Found 2 findings (2 with --unsafe-fixes)"),
        (0, 0, 0, 3, "Found 3 findings (3 fixed, 0 remaining)"),
        (0, 1, 1, 3, "Found 5 findings (3 fixed, 2 remaining, 1 with --unsafe-fixes)"),
    ],
)
def test_summary(safe: int, unsafe: int, none: int, fixed: int, expected: str) -> None:
    found = [
        *[finding(TEXT, "time.sleep", applicability=Applicability.SAFE)] * safe,
        *[finding(TEXT, "time.sleep", applicability=Applicability.UNSAFE)] * unsafe,
        *[finding(TEXT, "time.sleep")] * none,
    ]
    result = outcome({"shop/jobs.py": TEXT}, *found, fixed=Counter(PB604=fixed))
    assert text_of(result).splitlines()[-1] == expected


def carets(text: str, marked: str) -> tuple[str, str]:
    """The line of the finding and the line of carets below it, without the margin."""
    lines = text_of(outcome({"shop/jobs.py": text}, finding(text, marked))).splitlines()
    at = next(number for number, line in enumerate(lines) if "^" in line)
    return lines[at - 1].split("|", 1)[1], lines[at].split("|", 1)[1]


def test_tabs_and_wide_characters_keep_the_caret_below_its_text() -> None:
    line, below = carets('\tname = "日本"; time.sleep(1)\n', "time.sleep")
    assert line == '     name = "日本"; time.sleep(1)'
    assert below == " " * (len('     name = "日本"; ') + 2) + "^" * len("time.sleep")


def test_wide_characters_under_the_caret() -> None:
    assert carets('x = "日本"\n', '"日本"')[1] == " " * 5 + "^" * 6


def test_a_finding_over_several_lines_is_marked_on_its_first() -> None:
    assert carets("def f():\n    return g(\n        1,\n    )\n", "g(\n        1,\n    )") == (
        "     return g(",
        "            ^^",
    )


def test_long_lines_are_cut_around_the_finding() -> None:
    text = "x = [" + "1, " * 2000 + "time.sleep(1)," + "2, " * 2000 + "]\n"
    line, below = carets(text, "time.sleep(1)")
    assert len(line) < 200
    at = below.index("^")
    assert line[at : at + len("time.sleep(1)")] == "time.sleep(1)"
    assert below.count("^") == len("time.sleep(1)")


def test_control_characters_of_a_source_do_not_reach_the_terminal() -> None:
    text = "x = '\x1b[31m\u202e'; time.sleep(1)\n"
    printed = text_of(outcome({"shop/jobs.py": text}, finding(text, "time.sleep")))
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "␛" in printed


def test_first_and_last_line() -> None:
    printed = text_of(outcome({"shop/jobs.py": "eval(x)"}, finding("eval(x)", "eval")))
    assert printed.splitlines()[1:5] == ["  |", "1 | eval(x)", "  | ^^^^", "  |"]


def test_findings_in_files_that_are_gone_are_printed_without_lines() -> None:
    printed = text_of(outcome({}, finding(TEXT, "time.sleep")))
    assert printed.splitlines() == [
        "shop/jobs.py:5:5: PB604 Use `asyncio.sleep` in coroutines (blocking-sleep-or-wait-in-async)",
        "",
        "Found 1 finding",
    ]


def test_quiet_leaves_out_the_summary() -> None:
    assert "Found" not in text_of(outcome({}, finding(TEXT, "time.sleep"), quiet=True))


def test_colours_change_nothing_but_colours() -> None:
    import re

    found = finding(TEXT, "time.sleep", applicability=Applicability.SAFE)
    plain = text_of(outcome({"shop/jobs.py": TEXT}, found))
    painted = text_of(outcome({"shop/jobs.py": TEXT}, found, paint=lambda text, style: f"<{style}>{text}</>"))
    assert "<bold red>PB604</>" in painted
    assert re.sub(r"<[a-z ]+>|</>", "", painted) == plain
