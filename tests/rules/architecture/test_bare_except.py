"""Traps of bare-except."""

from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix

SILENT = {
    "raises again": """
        def f(g):
            try:
                g()
            except:
                print("failed")
                raise
    """,
    "raises on every path": """
        def f(g, strict):
            try:
                g()
            except:
                if strict:
                    raise
                else:
                    raise ValueError("failed")
    """,
    "a specific error": """
        def f(g):
            try:
                g()
            except ValueError:
                pass
    """,
    "another rule's matter": """
        async def f(g):
            try:
                await g()
            except:
                pass
    """,
    "accepted for another linter": """
        def f(g):
            try:
                g()
            except:  # noqa: E722
                pass
    """,
}
FOUND = {
    "raises on one path": """
        def f(g, strict):
            try:
                g()
            except:  # PB900
                if strict:
                    raise
    """,
    "at the top of a module": """
        try:
            import ujson as json
        except:  # PB900
            import json
    """,
    "a coroutine without await in the block": """
        async def f(g):
            try:
                g()
            except:  # PB900
                pass
    """,
    "a function inside the handler raises": """
        def f(g):
            try:
                g()
            except:  # PB900
                def fail(): raise
    """,
}
RUFF = {
    'select = ["E"]': False,
    'select = ["ALL"]': False,
    'extend-select = ["B"]': False,  # E722 is among ruff's defaults
    'select = ["B"]': True,
}
PLAIN = "def f(g):\n    try:\n        g()\n    except:{}\n        pass\n"


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB900", source)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("PB900", source)[0].fix is not None


@pytest.mark.parametrize(("setting", "reported"), RUFF.items())
def test_left_to_ruff_where_it_looks_for_the_same(setting: str, reported: bool) -> None:
    for name, table in (("pyproject.toml", "[tool.ruff.lint]"), ("ruff.toml", "[lint]")):
        files = {name: f"{table}\n{setting}\n"}
        findings("PB900", PLAIN.format("  # PB900" if reported else ""), files=files)


def test_names_what_the_calls_raise() -> None:
    source = """
        from shop.rates import convert
        def price(cents):
            try:
                return convert(cents)
            except:  # PB900
                return None
    """
    rates = """
        class UnknownCurrency(Exception): ...
        class Closed(Exception): ...
        def convert(cents):
            check(cents)
            if cents < 0:
                raise UnknownCurrency(cents)
        def check(cents):
            try:
                raise KeyError(cents)
            except KeyError:
                pass
            raise Closed
    """
    (finding,) = findings("PB900", source, files={"shop/rates.py": rates})
    assert "`Closed, UnknownCurrency`" in finding.message
    assert [step.message for step in finding.related] == [
        "calls `check()`",
        "raises `Closed`",
        "raises `UnknownCurrency`",
    ]


def test_fix_keeps_the_layout() -> None:
    source = "def f(g):\n    try:\n        g()\n    except : # why\n        pass\n"
    assert fix("PB900", source) == source.replace("except :", "except Exception :")
