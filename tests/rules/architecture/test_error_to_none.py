"""Traps of error-to-none, and what a caller of such a function sees."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.harness import findings

RATES = """
import httpx

def rates(client: httpx.Client):
    try:
        return client.get("https://rates.example.com").json()
    except httpx.HTTPError:
        return None

async def later(client: httpx.AsyncClient):
    try:
        return (await client.get("https://rates.example.com")).json()
    except httpx.HTTPError:
        return None
"""
USE = """
from shop.rates import rates, later

"""
SILENT = {
    "asked by is": """
        def use(client):
            found = rates(client)
            if found is None:
                return 0
            return found["EUR"]
    """,
    "asked by its truth": """
        def use(client):
            found = rates(client)
            return found["EUR"] if found else 0
    """,
    "asked by or": """
        def use(client):
            return (rates(client) or {})["EUR"]
    """,
    "asserted": """
        def use(client):
            found = rates(client)
            assert found
            return found["EUR"]
    """,
    "asked by a walrus": """
        def use(client):
            if (found := rates(client)):
                return found["EUR"]
    """,
    "asked by a check of the project": """
        from shop.checks import ensure_present

        def use(client):
            found = rates(client)
            ensure_present(found)
            return found["EUR"]
    """,
    "the same call was asked before": """
        def use(client):
            if rates(client) is None:
                return 0
            return rates(client)["EUR"]
    """,
    "the same row was asked before": """
        def use(client):
            before = rates(client)
            if not before:
                return 0
            after = rates(client)
            return after["EUR"]
    """,
    "the caller catches what the use raises": """
        def use(client):
            try:
                return rates(client)["EUR"]
            except TypeError:
                return 0
    """,
    "handed on": """
        def use(client):
            return rates(client)
    """,
    "given another value first": """
        def use(client):
            found = rates(client)
            found = {"EUR": 1}
            return found["EUR"]
    """,
    "used before it is bound": """
        def use(client, found):
            old = found["EUR"]
            found = rates(client)
            return found
    """,
    "in the arguments of the call itself": """
        def use(client):
            found = rates(found.client)
            return found
    """,
    "told to a type checker": """
        def use(client):
            return rates(client)["EUR"]  # type: ignore[index]
    """,
    "a coroutine that is not awaited": """
        def use(client):
            return later(client).close()
    """,
    "handed on to a caller that asks": """
        def use(client):
            return rates(client)

        def show(client):
            found = use(client)
            return found["EUR"] if found else 0
    """,
    "used before it is handed on, where that is caught": """
        def use(client):
            try:
                found = rates(client)
                print(found["EUR"])
                return found
            except TypeError:
                raise LookupError from None

        def show(client):
            return use(client)["EUR"]
    """,
    "handed on for some arguments only": """
        def use(client, kind):
            if kind == "rates":
                return rates(client)
            return {"EUR": 1}

        def show(client):
            return use(client, "prices")["EUR"]
    """,
    "handed on by something unknown": """
        from shop.caching import cached

        @cached
        def use(client):
            return rates(client)

        def show(client):
            return use(client)["EUR"]
    """,
    "given to a function that asks": """
        def show(found):
            return found["EUR"] if found else 0

        def use(client):
            return show(rates(client))
    """,
    "given to a function that takes None": """
        def show(found: dict | None):
            return found["EUR"]

        def use(client):
            return show(rates(client))
    """,
    "given to a function that uses it for some arguments": """
        def show(found, full):
            if full:
                return found["EUR"]
            return 0

        def use(client):
            return show(rates(client), False)
    """,
    "given to a function that may return before": """
        def show(found, full):
            if not full:
                return 0
            return found["EUR"]

        def use(client):
            return show(rates(client), False)
    """,
    "given to a function that binds the name again": """
        def show(found):
            found = {"EUR": 1}
            return found["EUR"]

        def use(client):
            return show(rates(client))
    """,
    "given to a function that catches it": """
        def show(found):
            try:
                return found["EUR"]
            except TypeError:
                return 0

        def use(client):
            return show(rates(client))
    """,
    "given to a coroutine that is not awaited": """
        async def show(found):
            return found["EUR"]

        def use(client):
            return show(rates(client))
    """,
    "asked by a check that asks": """
        def ensure_present(found):
            if found is None:
                raise LookupError

        def use(client):
            found = rates(client)
            ensure_present(found)
            return found["EUR"]
    """,
    "asked by a check that calls itself": """
        def check(found):
            return check(found)

        def use(client):
            found = rates(client)
            check(found)
            return found["EUR"]
    """,
}
FOUND = {
    "an item": 'def use(client):\n    return rates(client)["EUR"]\n',
    "an attribute": "def use(client):\n    found = rates(client)\n    return found.keys()\n",
    "iteration": "def use(client):\n    for name in rates(client):\n        print(name)\n",
    "unpacking": "def use(client):\n    first, second = rates(client)\n    return first\n",
    "keywords": "def use(client):\n    return dict(**rates(client))\n",
    "its length": "def use(client):\n    return len(rates(client))\n",
    "arithmetic": "def use(client):\n    found = rates(client)\n    return found + 1\n",
    "in a condition": 'def use(client):\n    found = rates(client)\n    if found["EUR"] > 1:\n        return 1\n',
    "unpacked into a dictionary": 'def use(client):\n    return {**rates(client), "EUR": 1}\n',
    "handed on": 'def use(client):\n    return rates(client)\n\ndef show(client):\n    return use(client)["EUR"]\n',
    "handed on by a variable": (
        "def use(client):\n    found = rates(client)\n    return found\n\n"
        'def show(client):\n    return use(client)["EUR"]\n'
    ),
    "given to a function": (
        'def show(found, full):\n    print(full)\n    return found["EUR"]\n\n'
        "def use(client):\n    return show(rates(client), full=True)\n"
    ),
    "given to a function by a keyword": (
        'def show(*, found):\n    return found["EUR"]\n\n'
        "def use(client):\n    prices = rates(client)\n    return show(found=prices)\n"
    ),
    "a check that asks something else": (
        'def ensure_fresh(found):\n    if found["age"] > 1:\n        raise LookupError\n\n'
        "def use(client):\n    found = rates(client)\n    ensure_fresh(found)\n    return found\n"
    ),
    "before the name is bound again": (
        'def use(client):\n    found = rates(client)\n    print(found["EUR"])\n    found = {}\n    return found\n'
    ),
}
# Functions whose results are used unchecked; the first shows that such a use is found.
FUNCTIONS_FOUND = {
    "returns nothing": """
        def find(key):
            try:
                return STORE[key]
            except KeyError:  # PB902
                print("missing")
                return
    """,
    "falls off the end": """
        def find(key):
            with LOCK:
                try:
                    return STORE[key]
                except KeyError:  # PB902
                    print("missing")
    """,
    "the other branch raises": """
        def find(key):
            if key:
                try:
                    return STORE[key]
                except KeyError:  # PB902
                    return None
            else:
                raise ValueError(key)
    """,
    "leaves what was None": """
        def find(key):
            found = None
            try:
                found = STORE[key]
            except KeyError:  # PB902
                print("missing")
            return found
    """,
}
FUNCTIONS_SILENT = {
    "raises on one path": """
        def find(key, silent=False):
            try:
                return STORE[key]
            except KeyError:
                if not silent:
                    raise LookupError(key)
    """,
    "ends the process": """
        import sys

        def find(key):
            try:
                return STORE[key]
            except KeyError:
                sys.exit(1)
    """,
    "answers the request": """
        from flask import abort

        def find(key):
            try:
                return STORE[key]
            except KeyError:
                abort(404)
    """,
    "calls what it was given": """
        from collections.abc import Callable

        def find(key, fail: Callable[[], None]):
            try:
                return STORE[key]
            except KeyError:
                fail()
    """,
    "returns another value": """
        def find(key):
            try:
                return STORE[key]
            except KeyError:
                return {}
    """,
    "goes on": """
        def find(key):
            try:
                return STORE[key]
            except KeyError:
                print("missing")
            return STORE["default"]
    """,
    "only for some arguments": """
        def find(key=None):
            if key is not None:
                try:
                    return STORE[key]
                except KeyError:
                    return None
            return STORE
    """,
    "turns away a wrong type": """
        def find(key):
            try:
                return key.strip()
            except AttributeError:
                return None
    """,
    "never returns a value": """
        def find(key):
            try:
                STORE[key]
            except KeyError:
                return None
    """,
    "is cached": """
        from shop.caching import cached

        @cached
        def find(key):
            try:
                return STORE[key]
            except KeyError:
                return None
    """,
    "a generator": """
        def find(key):
            try:
                yield STORE[key]
            except KeyError:
                return None
    """,
}


def marked(position: int) -> str:
    """The module with a marker at its first (0) or second (1) handler."""
    before, first, second = RATES.partition("HTTPError:")[0], *RATES.split("HTTPError:")[1:]
    marks = ["HTTPError:", "HTTPError:"]
    marks[position] += "  # PB902"
    return before + marks[0] + first + marks[1] + second


@pytest.mark.parametrize("use", SILENT.values(), ids=SILENT)
def test_silent_callers(use: str) -> None:
    findings("PB902", RATES, files={"shop/use.py": USE + textwrap.dedent(use)}, path="shop/rates.py")


@pytest.mark.parametrize("use", FOUND.values(), ids=FOUND)
def test_found_callers(use: str) -> None:
    files = {"shop/use.py": USE + use}
    [finding] = findings("PB902", marked(0), files=files, path="shop/rates.py")
    assert finding.related
    assert all(step.path.endswith("shop/use.py") for step in finding.related)
    assert finding.related[-1].message.startswith("uses the result unchecked")


def test_a_coroutine_and_every_caller() -> None:
    use = USE + (
        'async def one(client):\n    return (await later(client))["EUR"]\n\n\n'
        "async def two(client):\n    found = await later(client)\n    return found.keys()\n"
    )
    [finding] = findings("PB902", marked(1), files={"shop/use.py": use}, path="shop/rates.py")
    assert finding.message == "Raise instead of returning `None`: `one()` uses the result unchecked"
    assert [(step.start.row, step.message) for step in finding.related] == [
        (4, "uses the result unchecked: `TypeError` where it is `None`"),
        (9, "uses the result unchecked: `AttributeError` where it is `None`"),
    ]


@pytest.mark.parametrize(
    "text", [*FUNCTIONS_FOUND.values(), *FUNCTIONS_SILENT.values()], ids=[*FUNCTIONS_FOUND, *FUNCTIONS_SILENT]
)
def test_functions(text: str) -> None:
    module = "STORE = {}\nLOCK = open('lock')\n" + textwrap.dedent(text)
    use = {"shop/use.py": 'from shop.store import find\n\ndef use():\n    return find("a")["b"]\n'}
    findings("PB902", module, files=use, path="shop/store.py")


@pytest.mark.parametrize("name", ["find_row", "tell"])
def test_a_search_is_judged_by_who_calls_it(name: str) -> None:
    rows = """
        class RowDoesNotExist(Exception): ...

        def find(key):
            try:
                return load(key)
            except RowDoesNotExist:
                return None

        def load(key):
            raise RowDoesNotExist(key)
    """
    use = {
        "find_row": "def find_row(key):\n    return find(key)\n\ndef use(key):\n    return find_row(key).name\n",
        "tell": "def tell(row):\n    print(row.name)\n\ndef use(key):\n    tell(find(key))\n",
    }[name]
    files = {"shop/use.py": f"from shop.rows import find\n\n{use}"}
    findings("PB902", rows, files=files, path="shop/rows.py")


def test_every_step_is_told() -> None:
    use = USE + (
        "def current(client):\n    return rates(client)\n\n\n"
        'def show(found):\n    print(found["EUR"])\n\n\n'
        "def use(client):\n    show(current(client))\n"
    )
    [finding] = findings("PB902", marked(0), files={"shop/use.py": use}, path="shop/rates.py")
    assert finding.message == "Raise instead of returning `None`: `use()` uses the result unchecked"
    assert [(step.start.row, step.message) for step in finding.related] == [
        (4, "`current()` returns the result as it is"),
        (12, "gives it to `show()`"),
        (8, "uses the result unchecked: `TypeError` where it is `None`"),
    ]


def test_the_error_that_caused_it_is_lost() -> None:
    names: dict[str, object] = {"STORE": {}}
    exec(textwrap.dedent(FUNCTIONS_FOUND["returns nothing"]), names)
    find = names["find"]
    assert callable(find)
    with pytest.raises(TypeError, match="'NoneType' object is not subscriptable") as raised:
        find("a")["b"]
    assert raised.value.__context__ is None
