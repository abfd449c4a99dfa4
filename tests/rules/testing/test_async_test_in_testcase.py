"""Which coroutines of test cases are never awaited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

FILES = {
    "tests/base.py": """
        import unittest

        class Plain(unittest.TestCase): ...

        class Async(unittest.IsolatedAsyncioTestCase): ...

        class Runs(unittest.TestCase):
            def run(self, result=None): ...
    """,
}
HEADER = """
import unittest
from unittest import TestCase, IsolatedAsyncioTestCase
import django.test
import aiounittest
import pytest
from tests.base import Async, Plain, Runs
from tests.nowhere import Other

"""
SILENT = {
    "asynchronous": "class Tests(IsolatedAsyncioTestCase):\n    async def test_a(self): ...",
    "asynchronous base": "class Tests(Async):\n    async def test_a(self): ...",
    "both bases": "class Tests(Async, Plain):\n    async def test_a(self): ...",
    "Django": "class Tests(django.test.TestCase):\n    async def test_a(self): ...",
    "another library": "class Tests(aiounittest.AsyncTestCase):\n    async def test_a(self): ...",
    "a mixin of a library": "class Tests(aiounittest.Mixin, TestCase):\n    async def test_a(self): ...",
    "an unknown base": "class Tests(Other, TestCase):\n    async def test_a(self): ...",
    "runs by itself": "class Tests(Runs):\n    async def test_a(self): ...",
    "decorated": "class Tests(TestCase):\n    @wrapped\n    async def test_a(self): ...",
    "decorated class": "@wrapped\nclass Tests(TestCase):\n    async def test_a(self): ...",
    "no test": "class Tests(TestCase):\n    async def place(self): ...",
    "plain": "class Tests(TestCase):\n    def test_a(self): ...",
    "inside a test": "class Tests(TestCase):\n    def test_a(self):\n        async def test_b(): ...",
    "pytest's class": "class TestA:\n    async def test_a(self): ...",
}
FOUND = {
    "test": "class Tests(TestCase):\n    async def test_a(self): ...  # PB803",
    "by module": "class Tests(unittest.TestCase):\n    async def test_a(self): ...  # PB803",
    "base of another file": "class Tests(Plain):\n    async def test_a(self): ...  # PB803",
    "setUp": "class Tests(TestCase):\n    async def setUp(self): ...  # PB803",
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silent(text: str) -> None:
    findings("PB803", f"{HEADER}{text}\n", files=FILES, path="tests/test_a.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    findings("PB803", f"{HEADER}{text}\n", files=FILES, path="tests/test_a.py")


def test_names_the_bases_of_other_files() -> None:
    text = f"{HEADER}{FOUND['base of another file']}\n"
    (found,) = findings("PB803", text, files=FILES, path="tests/test_a.py")
    assert [place.message for place in found.related] == ["`Plain` awaits nothing"]


def test_only_a_direct_base_is_changed() -> None:
    text = f"{HEADER}{FOUND['base of another file']}\n"
    assert fix("PB803", text, files=FILES, path="tests/test_a.py") == text.lstrip("\n")


def test_the_test_passes_unseen_and_fails_once_it_runs(tmp_path: Path) -> None:
    text = "from unittest import TestCase\n\n\nclass Tests(TestCase):\n    async def test_a(self):\n        assert False\n"
    assert run(tmp_path, {"test_a.py": text}) == "1 passed"
    fixed = fix("PB803", text, path="test_a.py")
    assert "class Tests(IsolatedAsyncioTestCase):" in fixed
    assert run(tmp_path, {"test_a.py": fixed}) == "1 failed"
