"""Traps of cached-coroutine, and a proof that the second caller fails."""

from __future__ import annotations

import asyncio
import textwrap

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings, fix

RULE = "cached-coroutine"
HEADER = """
import functools
from functools import cache, cached_property, lru_cache

import cachetools
from aiocache import cached
from async_lru import alru_cache
from shop.caching import memoized, reusable
"""
FILES = {
    "shop/caching.py": """
        import functools
        memoized = functools.lru_cache(maxsize=100)
        def reusable(function):
            return function
    """,
}

SILENT = {
    "a plain function": "@cache\ndef f(): ...",
    "a plain function that gives a coroutine": "@cache\ndef f(): return g()\nasync def g(): ...",
    "a cache for coroutines": "@alru_cache(maxsize=10)\nasync def f(): ...",
    "another one": "@cached(ttl=10)\nasync def f(): ...",
    "something below it": "@cache\n@reusable\nasync def f(): ...",
    "no cache": "@reusable\nasync def f(): ...",
    "a generator": "@cache\nasync def f():\n    yield 1",
    "a name of the project's own": """
        def cache(function):
            return reusable(function)
        @cache
        async def f(): ...
    """,
}
FOUND = {
    "called": "@functools.lru_cache(maxsize=10)  # PB629\nasync def f(): ...",
    "not called": "@lru_cache  # PB629\nasync def f(): ...",
    "unbounded": "@cache  # PB629\nasync def f(): ...",
    "below another decorator": "@reusable\n@cache  # PB629\nasync def f(): ...",
    "of cachetools": "@cachetools.cached(cachetools.TTLCache(10, 60))  # PB629\nasync def f(): ...",
    "a property": """
        class Shop:
            @cached_property  # PB629
            async def orders(self): ...
    """,
    "made elsewhere": "@memoized  # PB629\nasync def f(): ...",
}
PROJECT = '[project]\nname = "shop"\ndependencies = ["async-lru"]\n'


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    assert findings(RULE, HEADER + textwrap.dedent(source), files=FILES) == []


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    assert [finding.fix for finding in findings(RULE, HEADER + textwrap.dedent(source), files=FILES)] == [
        None
    ]


def test_fixed_where_the_project_has_a_cache_for_coroutines() -> None:
    source = """
        import functools

        @functools.cache
        async def f(): ...

        @functools.lru_cache
        async def g(): ...
    """
    assert fix(RULE, source, files={"pyproject.toml": PROJECT}) == textwrap.dedent("""\
        from async_lru import alru_cache

        @alru_cache(maxsize=None)
        async def f(): ...

        @alru_cache
        async def g(): ...
    """)


@pytest.mark.parametrize("cache", ["functools.lru_cache", "functools.cache"])
def test_the_second_caller_fails(cache: str) -> None:
    function = executed(f"import functools\n@{cache}\nasync def f():\n    return 1\n")["f"]
    assert asyncio.run(function()) == 1
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        asyncio.run(function())
