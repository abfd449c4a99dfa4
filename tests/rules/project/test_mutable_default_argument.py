"""Traps of mutable-default-argument."""

from __future__ import annotations

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

SILENT = {
    "only read": """
        from config import HEADERS
        def f(headers=HEADERS): return headers["a"], headers.get("b"), len(headers)
    """,
    "copied first": """
        from config import HEADERS
        def f(headers=HEADERS):
            headers = {**headers}
            headers["a"] = 1
        def g(headers=HEADERS):
            headers = headers.copy()
            headers.update(a=1)
    """,
    "copied on one path": """
        from config import HEADERS
        def f(headers=HEADERS, own=False):
            if own:
                headers = dict(headers)
            headers["a"] = 1
    """,
    "a display in place": """
        def f(items=[]):
            items.append(1)
    """,
    "a constructor in place": """
        def f(items=list()):
            items.append(1)
    """,
    "values that do not change": """
        from types import MappingProxyType
        from config import NAMES
        EMPTY = MappingProxyType({})
        def f(a=EMPTY, b=NAMES): return a["x"], b.index("y")
    """,
    "a constant with two values": """
        import sys
        if sys.platform == "win32":
            PATHS = []
        else:
            PATHS = ()
        def f(paths=PATHS): paths.append(1)
    """,
    "a factory of a library": """
        from library import make
        def f(items=make()): items.append(1)
    """,
    "a function that gives a number": """
        def limit(): return 3
        def f(n=limit()): n.append(1)
    """,
    "another function changes its own": """
        from config import HEADERS
        def f(headers=HEADERS):
            def g(headers): headers["a"] = 1
            return g
    """,
}
FOUND = {
    "an item is set": """
        import config
        def f(token, headers=config.HEADERS):  # PB023
            headers["token"] = token
    """,
    "an item is deleted": """
        from config import HEADERS
        def f(*, headers=HEADERS):  # PB023
            del headers["a"]
    """,
    "a method changes it": """
        SEEN = set()
        class Reader:
            async def read(self, key, seen=SEEN):  # PB023
                seen.add(key)
    """,
    "made by a function of the project": """
        def empty() -> list[str]: return []
        def f(name, names=empty()):  # PB023
            names.append(name)
    """,
}
CONFIG = {"config.py": 'HEADERS = {"a": "b"}\nNAMES = ("y",)\n'}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB023", source, files=CONFIG)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert findings("PB023", source, files=CONFIG)[0].related


def test_calls_share_the_default() -> None:
    names = executed(FOUND["made by a function of the project"])
    names["f"]("ann")
    names["f"]("bob")
    assert names["f"].__defaults__ == (["ann", "bob"],)


FIXED = {
    "a copy of the constant": (
        "SEEN = set()\ndef f(key, seen=SEEN):\n    seen.add(key)\n    return seen\n",
        "SEEN = set()\ndef f(key, seen=None):\n    if seen is None:\n        seen = set(SEEN)\n"
        "    seen.add(key)\n    return seen\n",
    ),
    "behind the docstring, made anew": (
        "def empty() -> list[str]: return []\n"
        'def f(key, seen: list[str] = empty()):\n    """Doc."""  # why\n    seen.append(key)\n    return seen\n',
        "def empty() -> list[str]: return []\n"
        'def f(key, seen: list[str] | None = None):\n    """Doc."""  # why\n    if seen is None:\n'
        "        seen = empty()\n    seen.append(key)\n    return seen\n",
    ),
    "two, and None in the annotation": (
        "A, B = [], []\nC = []\ndef f(key, a: list | None = C, *, c=C):\n\ta.append(key)\n\tc.append(key)\n\treturn a\n",
        "A, B = [], []\nC = []\ndef f(key, a: list | None = None, *, c=None):\n\tif c is None:\n\t\tc = list(C)\n"
        "\tif a is None:\n\t\ta = list(C)\n\ta.append(key)\n\tc.append(key)\n\treturn a\n",
    ),
    "not on the line of the header": (
        "SEEN = []\ndef f(key, seen=SEEN): seen.append(key)\n",
        "SEEN = []\ndef f(key, seen=SEEN): seen.append(key)\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_fix(before: str, after: str) -> None:
    assert fix("PB023", before) == after
    names = executed(after)
    names["f"]("ann")
    if before != after:
        assert list(names["f"]("bob")) == ["bob"]
