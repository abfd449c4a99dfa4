"""Applying fixes: rounds, conflicts, what is kept of a file, and writing it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybackend_lint.edits import apply
from pybackend_lint.finding import Applicability, Edit, Finding, Fix
from pybackend_lint.fixer import diff, fix_source, write_atomically
from pybackend_lint.source import Source

Check = Callable[[Source], list[Finding]]


def finding(source: Source, *edits: Edit, code: str = "PB001", unsafe: bool = False) -> Finding:
    """A finding at the place of its first edit."""
    place = source.position(edits[0].start)
    applicability = Applicability.UNSAFE if unsafe else Applicability.SAFE
    return Finding(code, "name", "Message", source.path, place, place, fix=Fix("Fix", edits, applicability))


def replacing(pattern: str, text: str, code: str = "PB001", *, unsafe: bool = False) -> Check:
    """A check that finds a pattern and offers to replace it."""

    def check(source: Source) -> list[Finding]:
        return [
            finding(source, Edit(match.start(), match.end(), match.expand(text)), code=code, unsafe=unsafe)
            for match in re.finditer(pattern, source.text)
        ]

    return check


def both(*checks: Check) -> Check:
    return lambda source: [found for check in checks for found in check(source)]


def test_all_fixes_that_do_not_touch_are_applied_at_once() -> None:
    rounds = 0

    def check(source: Source) -> list[Finding]:
        nonlocal rounds
        rounds += 1
        return replacing("old", "new")(source)

    result = fix_source(Source("a.py", b"old()\nold()\nold()\n"), check, unsafe=False)
    assert result.data == b"new()\nnew()\nnew()\n"
    assert result.applied == {"PB001": 3}
    assert (result.remaining, result.dropped, rounds) == ([], [], 2)


def test_a_fix_that_overlaps_waits_for_the_next_round() -> None:
    check = both(
        replacing(r"f\(g\((\w)\)\)", r"h(g(\1))", "PB002"), replacing(r"g\((\w)\)", r"k(\1)", "PB001")
    )
    result = fix_source(Source("a.py", b"f(g(x))\n"), check, unsafe=False)
    assert result.data == b"h(k(x))\n"
    assert result.applied == {"PB001": 1, "PB002": 1}


def test_the_order_of_findings_does_not_matter() -> None:
    first, second = replacing("aa", "b", "PB001"), replacing("ab", "c", "PB002")
    source = Source("a.py", b"aaab = 1\n")
    results = [
        fix_source(source, both(*checks), unsafe=False) for checks in [(first, second), (second, first)]
    ]
    assert results[0] == results[1]
    assert results[0].data == b"bc = 1\n"


def test_unsafe_fixes_are_applied_only_on_request() -> None:
    source = Source("a.py", b"old()\n")
    check = replacing("old", "new", unsafe=True)
    kept = fix_source(source, check, unsafe=False)
    assert kept.data == source.data
    assert [found.code for found in kept.remaining] == ["PB001"]
    assert fix_source(source, check, unsafe=True).data == b"new()\n"


def test_an_import_that_two_fixes_need_is_inserted_once() -> None:
    def check(source: Source) -> list[Finding]:
        needed = () if "import new" in source.text else (Edit(0, 0, "import new\n"),)
        return [
            finding(source, Edit(match.start(), match.end(), "new"), *needed)
            for match in re.finditer("old", source.text)
        ]

    result = fix_source(Source("a.py", b"old()\nold()\n"), check, unsafe=False)
    assert result.data == b"import new\nnew()\nnew()\n"
    assert result.applied == {"PB001": 2}


def test_an_opening_bracket_is_not_shared() -> None:
    def wrap(pattern: str, code: str) -> Check:
        def check(source: Source) -> list[Finding]:
            match = re.search(pattern, source.text)
            if match is None:
                return []
            edits = (Edit(match.start(), match.start(), "("), Edit(match.end(), match.end(), ")"))
            return [finding(source, *edits, code=code)]

        return check

    check = both(wrap(r"(?<!\()a\.b", "PB001"), wrap(r"(?<!\()\(?a\.b\)?\.c(?!\))", "PB002"))
    result = fix_source(Source("a.py", b"a.b.c\n"), check, unsafe=False)
    assert result.dropped == []
    assert result.data == b"((a.b).c)\n"


def test_a_fix_whose_result_does_not_parse_is_dropped_and_named() -> None:
    check = both(replacing("bad", "bad(", "PB003"), replacing("old", "new", "PB001"))
    result = fix_source(Source("shop/a.py", b"old()\n\nold(); bad\nold()\n"), check, unsafe=False)
    assert result.data == b"new()\n\nnew(); bad\nnew()\n"
    assert result.applied == {"PB001": 3}
    assert result.dropped == [
        "shop/a.py:3:8: fix of PB003 dropped: its result would not parse: '(' was never closed"
    ]
    assert [found.code for found in result.remaining] == ["PB003"]


def test_a_dropped_fix_is_not_tried_again_when_its_line_has_moved() -> None:
    def grow(source: Source) -> list[Finding]:
        count = source.text.count("#")
        return [finding(source, Edit(0, 0, "#\n"), code="PB002")] if count < 3 else []

    result = fix_source(Source("a.py", b"bad\n"), both(replacing("bad", "bad(", "PB003"), grow), unsafe=False)
    assert result.data == b"#\n#\n#\nbad\n"
    assert len(result.dropped) == 1


def test_fixes_that_break_the_file_only_together_are_applied_one_after_the_other() -> None:
    # Each makes the other's keyword a duplicate, which is no valid call.
    def add(code: str) -> Check:
        def check(source: Source) -> list[Finding]:
            if "k=" in source.text:
                return []
            place = source.text.index(")") if code == "PB001" else source.text.index("(") + 1
            return [finding(source, Edit(place, place, ", k=1" if code == "PB001" else "k=2, "), code=code)]

        return check

    result = fix_source(Source("a.py", b"f(*a)\n"), both(add("PB001"), add("PB002")), unsafe=False)
    assert result.dropped == []
    assert result.data == b"f(k=2, *a)\n"


def test_a_result_that_parses_but_does_not_compile_is_dropped() -> None:
    check = both(replacing("^x", "import os\nx"))
    source = Source("a.py", b"x = 1\n")
    late = replacing("^from", "import os\nfrom")
    assert fix_source(source, check, unsafe=False, max_rounds=1).data == b"import os\nx = 1\n"
    result = fix_source(Source("a.py", b"from __future__ import annotations\n"), late, unsafe=False)
    assert result.applied == {}
    assert "does not compile" not in result.dropped[0]
    assert "would not compile: from __future__ imports must occur" in result.dropped[0]


def test_a_file_that_parses_but_does_not_compile_is_still_fixed() -> None:
    result = fix_source(Source("a.py", b"return old\n"), replacing("old", "new"), unsafe=False)
    assert result.data == b"return new\n"


def test_a_file_that_does_not_parse_is_left_alone() -> None:
    result = fix_source(Source("a.py", b"old(\n"), replacing("old", "new"), unsafe=False)
    assert (result.data, result.applied) == (b"old(\n", {})
    assert len(result.remaining) == 1


def test_two_fixes_that_undo_each_other_end() -> None:
    check = both(replacing("one", "two", "PB001"), replacing("two", "one", "PB002"))
    result = fix_source(Source("a.py", b"one()\n"), check, unsafe=False)
    assert result.data == b"two()\n"
    assert result.applied == {"PB001": 1}
    assert result.dropped == ["a.py:1:1: fix of PB002 dropped: it undoes an earlier one"]
    assert [found.code for found in result.remaining] == ["PB002"]


def test_fixes_that_undo_each_other_do_not_stop_the_others() -> None:
    check = both(
        replacing("one", "two", "PB001"), replacing("two", "one", "PB002"), replacing("old", "new", "PB003")
    )
    result = fix_source(Source("a.py", b"one()\nold()\n"), check, unsafe=False)
    assert result.data.endswith(b"\nnew()\n")
    assert len(result.dropped) == 1


def test_a_fix_that_never_ends_is_stopped() -> None:
    result = fix_source(Source("a.py", b"x\n"), replacing("^", "x\n"), unsafe=False, max_rounds=3)
    assert result.data == b"x\nx\nx\nx\n"
    assert result.dropped == ["a.py: fixes still change the file after 3 rounds"]


def test_a_fix_that_changes_nothing_is_no_fix() -> None:
    result = fix_source(Source("a.py", b"same\n"), replacing("same", "same"), unsafe=False)
    assert (result.data, result.applied, result.dropped) == (b"same\n", {}, [])


def test_edits_that_overlap_each_other_are_dropped() -> None:
    def check(source: Source) -> list[Finding]:
        return [finding(source, Edit(0, 3, "x"), Edit(2, 4, "y"))]

    result = fix_source(Source("a.py", b"abcd\n"), check, unsafe=False)
    assert result.data == b"abcd\n"
    assert "overlaps" in result.dropped[0]


KEPT = {
    "byte order mark": b"\xef\xbb\xbfold()\n",
    "windows line endings": b"old()\r\ny = 1\r\n",
    "old mac line endings": b"old()\ry = 1\r",
    "mixed line endings": b"old()\r\ny = 1\nz = 2\r\n",
    "no newline at the end": b"y = 1\nold()",
    "form feed": b"y = 1\n\x0c\nold()\n",
    "tabs": b"if y:\n\told()\n",
    "trailing whitespace": b"y = 1   \nold()  \n",
    "a declared encoding": "# -*- coding: latin-1 -*-\ns = 'é'; old()\n".encode("latin-1"),
    "characters beyond the basic plane": "s = '🐍é'; old()\n".encode(),
}


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT.keys())
def test_what_lies_outside_the_edits_is_kept(data: bytes) -> None:
    result = fix_source(Source("a.py", data), replacing("old", "renamed"), unsafe=False)
    assert result.data == data.replace(b"old", b"renamed")


def test_inserted_lines_end_like_the_lines_of_the_file() -> None:
    for newline in (b"\r\n", b"\n", b"\r"):
        source = Source("a.py", b"old()" + newline + b"y = 1" + newline)
        result = fix_source(source, replacing("old", "x = 1\nnew"), unsafe=False)
        assert result.data == newline.join([b"x = 1", b"new()", b"y = 1", b""])


def test_a_text_that_the_encoding_lacks_is_dropped() -> None:
    data = "# coding: latin-1\ns = 'é'\nold()\n".encode("latin-1")
    result = fix_source(Source("a.py", data), replacing("old", "s = '→'; new"), unsafe=False)
    assert result.data == data
    assert "encoding, iso-8859-1" in result.dropped[0]


def test_imports_that_fixes_leave_unused_are_removed() -> None:
    source = Source(
        "a.py", b"from pydantic import BaseModel, validator\n\nx = BaseModel\nvalidator()\nvalidator()\n"
    )
    result = fix_source(source, replacing(r"validator\(\)", "pass"), unsafe=False)
    assert result.data == b"from pydantic import BaseModel\n\nx = BaseModel\npass\npass\n"


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    text = draw(st.text(max_size=60))
    bounds = draw(st.lists(st.integers(0, len(text)), max_size=12).map(sorted))
    replacements = draw(st.lists(st.text(max_size=5), min_size=len(bounds), max_size=len(bounds)))
    edits = [Edit(*bounds[at : at + 2], replacements[at]) for at in range(0, len(bounds) - 1, 2)]
    return text, draw(st.permutations(list({(edit.start, edit.end): edit for edit in edits}.values())))


@given(texts_with_edits())
def test_edits_applied_together_equal_edits_applied_backwards(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    expected = text
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        expected = expected[: edit.start] + edit.text + expected[edit.end :]
    assert apply(text, edits) == expected


@given(texts_with_edits())
def test_text_between_edits_survives(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    marked = apply(text, [Edit(edit.start, edit.end, "\0") for edit in edits])
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    ends = [0, *(edit.end for edit in ordered)]
    starts = [*(edit.start for edit in ordered), len(text)]
    kept = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert marked == "\0".join(kept)


@pytest.mark.parametrize("edits", [[Edit(0, 2, ""), Edit(1, 3, "")], [Edit(3, 5, "")], [Edit(2, 1, "")]])
def test_edits_that_cannot_be_applied_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlaps"):
        apply("abcd", edits)


WORDS = ["old", "new", "pass", "(", ")", "x", " ", "\n", "é", "\t", "'", "1", "=", "\r\n", "old\n"]


@given(st.lists(st.sampled_from(WORDS), max_size=25).map("".join))
def test_a_file_that_parses_still_does_after_any_fix(text: str) -> None:
    source = Source("a.py", text.encode())
    check = both(replacing("old", "new(", "PB001"), replacing("x", "y", "PB002"), replacing(" ", "", "PB003"))
    result = fix_source(source, check, unsafe=True)
    try:
        source.tree  # noqa: B018
    except Exception:
        assert result.data == source.data
    else:
        Source("a.py", result.data).tree  # noqa: B018


def test_writing_keeps_permissions_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old\n")
    path.chmod(0o754)
    write_atomically(path, b"new\r\n")
    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert os.listdir(tmp_path) == ["a.py"]


def test_writing_goes_through_symbolic_links(tmp_path: Path) -> None:
    target = tmp_path / "real" / "a.py"
    target.parent.mkdir()
    target.write_bytes(b"old\n")
    link = tmp_path / "link.py"
    link.symlink_to(target)
    write_atomically(link, b"new\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"new\n"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "a.py"
    path.write_bytes(b"old\n")
    path.chmod(0o444)
    yield path
    path.chmod(0o644)


def test_a_read_only_file_is_refused(read_only: Path) -> None:
    with pytest.raises(PermissionError, match=r"the file is read-only: .*a\.py"):
        write_atomically(read_only, b"new\n")
    assert read_only.read_bytes() == b"old\n"
    assert os.listdir(read_only.parent) == ["a.py"]


def test_a_file_that_is_gone_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "a.py", b"")
    assert os.listdir(tmp_path) == []


CHANGES = {
    "a line in the middle": (b"a\nb\nc\n", b"a\nx\nc\n"),
    "no newline at the end before": (b"a\nb", b"a\nb\n"),
    "no newline at the end after": (b"a\nb\n", b"a\nb"),
    "no newline at the end of both": (b"a\nb", b"x\nb"),
    "windows line endings": (b"a\r\nb\r\n", b"a\r\nx\r\n"),
    "form feeds are no line ends": (b"a\x0cb\nc\n", b"a\x0cx\nc\n"),
    "an empty file": (b"", b"a\n"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES.keys())
def test_a_diff_can_be_applied(old: bytes, new: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(old)
    patch = diff(Source("a.py", old), new, "a.py")
    subprocess.run(
        ["git", "apply", "-p0", "-"], input=patch.encode(), cwd=tmp_path, check=True, capture_output=True
    )
    assert path.read_bytes() == new


def test_equal_contents_have_no_diff() -> None:
    assert diff(Source("a.py", b"a\nb"), b"a\nb", "a.py") == ""
