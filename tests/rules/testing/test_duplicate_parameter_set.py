"""Traps of duplicate-parameter-set, and what pytest does with what is found."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

HEAD = """
import pytest
from uuid import uuid4

A, B = 1, 2

@pytest.fixture
def number(request):
    return request.param

@pytest.fixture
def order(number):
    return number
"""
SILENT = {
    "values that are not the same": """
        @pytest.mark.parametrize("x", [1, True, 1.0, "1", A, B, -1, [1], (1,)])
        def test_a(x): ...
    """,
    "made anew": """
        @pytest.mark.parametrize("x", [uuid4(), uuid4(), [object()], [object()], str(1), str(1)])
        def test_a(x): ...
    """,
    "run again on purpose": """
        @pytest.mark.parametrize("_", [None, None, 1])
        @pytest.mark.parametrize("run", [1, 1, 1])
        def test_a(_, run): ...
    """,
    "with names of their own": """
        @pytest.mark.parametrize("x", [1, 1], ids=["cold", "warm"])
        @pytest.mark.parametrize("y", [pytest.param(1, id="cold"), pytest.param(1, id="warm")])
        def test_a(x, y): ...
    """,
    "a mark makes another case": """
        @pytest.mark.parametrize("x", [1, pytest.param(1, marks=pytest.mark.slow)])
        def test_a(x): ...
    """,
    "no literal list": """
        @pytest.mark.parametrize("x", [1, 1, 2] * 2)
        @pytest.mark.parametrize("y", [*range(2), *range(2)])
        def test_a(x, y): ...
    """,
    "values for one name": """
        @pytest.mark.parametrize("x", [(1, 2), (1, 2, 3), ()])
        def test_a(x): ...
    """,
    "a text with a letter for each name, and unpacked values": """
        @pytest.mark.parametrize("x, y", ["ab", "cd", (*[1, 2],)])
        def test_a(x, y): ...
    """,
    "written in two ways": r"""
        @pytest.mark.parametrize("path", ["a\\b", r"a\b"])
        def test_a(path): ...
    """,
    "a fixture takes it": """
        @pytest.mark.parametrize("number", [1, 2], indirect=True)
        def test_a(order): ...
    """,
    "a fixture that is not known may take it": """
        @pytest.mark.parametrize("backend", [1, 2])
        def test_a(client): ...
    """,
    "a plugin's mark may take it": """
        @pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
        @pytest.mark.anyio
        def test_a(): ...
    """,
    "another decorator may take it": """
        from shop import with_number
        @with_number
        @pytest.mark.parametrize("y", [1, 2])
        def test_a(): ...
    """,
    "another parametrize": """
        def parametrize(*args): return lambda f: f
        @parametrize("x", [1, 1, 2])
        def test_a(): ...
    """,
    "names that are not known": """
        NAMES = "x"
        @pytest.mark.parametrize(NAMES, [1, 1, 2])
        def test_a(x): ...
    """,
}
FOUND = {
    "numbers": """
        @pytest.mark.parametrize("x", [1, 2, 1])  # PB825
        def test_a(x): ...
    """,
    "names, keywords and a trailing comma": """
        @pytest.mark.parametrize(argnames=["x", "y"], argvalues=((A, -1), (B, 1), (A, -1),))  # PB825
        def test_a(x, y): ...
    """,
    "a parameter that only wraps": """
        @pytest.mark.parametrize("x,y", [(1, 2), pytest.param(1, 2), (2, 2)])  # PB825
        class TestA:
            def test_a(self, x, y): ...
    """,
}
REFUSED = {
    "too many": """
        @pytest.mark.parametrize("x, y", [(1, 2), (1, 2, 3)])  # PB825
        def test_a(x, y): ...
    """,
    "too few": """
        @pytest.mark.parametrize(["x"], [(1,), ()])  # PB825
        def test_a(x): ...
    """,
    "too few in a parameter": """
        @pytest.mark.parametrize("x, y", [pytest.param(1, id="one")])  # PB825
        def test_a(x, y): ...
    """,
    "a name that nothing takes": """
        @pytest.mark.skipif(False, reason="")
        @pytest.mark.parametrize("x, z", [(1, 2)])  # PB825
        def test_a(x, monkeypatch, order): ...
        @pytest.mark.parametrize("number", [1], indirect=True)
        def test_b(number): ...
    """,
}


def program(body: str) -> str:
    return HEAD.lstrip() + textwrap.dedent(body)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB825", program(source), path="tests/test_a.py")


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("PB825", program(source), path="tests/test_a.py")[0].fix is not None


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_refused(source: str) -> None:
    assert findings("PB825", program(source), path="tests/test_a.py")[0].fix is None


def files_of(sources: Iterable[str]) -> dict[str, str]:
    return {f"test_{number}.py": text for number, text in enumerate(sources)}


def test_pytest_runs_repeated_cases_until_they_are_removed(tmp_path: Path) -> None:
    before = [program(source) for source in FOUND.values()]
    after = [fix("PB825", text, path="tests/test_a.py") for text in before]
    assert run(tmp_path / "before", files_of(before)) == f"{3 * len(FOUND)} passed"
    assert run(tmp_path / "after", files_of(after)) == f"{2 * len(FOUND)} passed"


def test_pytest_refuses_what_does_not_fit(tmp_path: Path) -> None:
    refused = files_of(program(source) for source in REFUSED.values())
    assert run(tmp_path / "refused", refused) == f"{len(REFUSED)} errors"
    names = (
        "values that are not the same",
        "values for one name",
        "a text with a letter for each name, and unpacked values",
        "a fixture takes it",
        "with names of their own",
    )
    silent = files_of(program(SILENT[name]) for name in names)
    assert run(tmp_path / "silent", silent).endswith("passed")


def test_left_to_ruff() -> None:
    settings = {"pyproject.toml": '[tool.ruff.lint]\nselect = ["PT"]\n'}
    source = program(FOUND["numbers"]).replace("  # PB825", "")
    findings("PB825", source, path="tests/test_a.py", files=settings)


KEPT = """
    import pytest
    @pytest.mark.parametrize(
        "x",
        [
            1,
            # the lowest
            {first}
            2,{note}
        ],
    )
    def test_a(x): ...
"""


def test_fix_keeps_comments() -> None:
    for source in (KEPT.format(first="1,", note=""), KEPT.format(first="1,  # again", note="")):
        text = textwrap.dedent(source).lstrip()
        assert fix("PB825", text, path="tests/test_a.py") == text
    source = textwrap.dedent(KEPT.format(first="2,", note="")).lstrip()
    assert fix("PB825", source, path="tests/test_a.py") == source.replace("    2,\n        2,", "    2,")


def test_no_fix_where_the_tuple_would_be_left_with_one_case() -> None:
    source = "import pytest\n@pytest.mark.parametrize('x', (1, 1))\ndef test_a(x): ...\n"
    assert fix("PB825", source, path="tests/test_a.py") == source
