"""Which replacements of coroutine functions cannot be awaited."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

FILES = {
    "shop/stock.py": """
        import asyncio
        from contextlib import asynccontextmanager
        from functools import wraps

        async def reserve(name): ...

        def count(name): ...

        async def stream(name):
            yield name

        @asynccontextmanager
        async def session():
            yield

        def cached(function):
            return wraps(function)(lambda *args: function(*args))

        @cached
        async def price(name): ...

        class Store:
            async def load(self, key): ...

            def size(self): ...

        store = Store()

        class Item:
            name: str = ""

        class Ticket(Item):
            def __await__(self):
                yield

        class Later(asyncio.Future): ...
    """,
    "shop/orders.py": "from shop.stock import reserve\n",
    "shop/twice.py": """
        import sys

        if sys.platform == "win32":
            def reserve(name): ...
        else:
            async def reserve(name): ...
    """,
}
HEADER = """
from unittest import mock
from unittest.mock import AsyncMock, MagicMock, Mock, patch
import asyncio
from shop import stock
from shop.stock import Item, Later, Store, Ticket, reserve, store

"""
SILENT = {
    "patch chooses": 'patch("shop.stock.reserve")',
    "an asynchronous mock": 'patch("shop.stock.reserve", AsyncMock())',
    "a synchronous function": 'patch("shop.stock.count", MagicMock())',
    "a generator": 'patch("shop.stock.stream", MagicMock())',
    "a context manager": 'patch("shop.stock.session", MagicMock())',
    "decorated by something": 'patch("shop.stock.price", MagicMock())',
    "no such function": 'patch("shop.stock.missing", MagicMock())',
    "not of the project": 'patch("asyncio.sleep", MagicMock())',
    "raises": 'patch("shop.stock.reserve", MagicMock(side_effect=KeyError))',
    "returns something unknown": 'patch("shop.stock.reserve", MagicMock(return_value=future()))',
    "follows a specification": 'patch("shop.stock.reserve", MagicMock(spec=reserve))',
    "a function of the test": 'patch("shop.stock.reserve", fake)',
    "a lambda that makes a coroutine": 'monkeypatch.setattr("shop.stock.reserve", lambda name: fake(name))',
    "another object's setattr": 'other.setattr("shop.stock.reserve", MagicMock())',
    "an attribute of the project": "stock.limit = Mock()",
    "a method that is synchronous": "store.size = Mock()",
    "patch chooses, with a result": 'patch("shop.stock.reserve", return_value=1)',
    "patch chooses, with an effect": 'patch("shop.stock.reserve", side_effect=KeyError)',
    "patch chooses for an object": 'patch.object(Store, "load", return_value=1)',
    "patch chooses by the specification": 'patch("shop.stock.reserve", autospec=True)',
    "an asynchronous new_callable": 'patch("shop.stock.reserve", new_callable=AsyncMock)',
    "returns a coroutine": 'patch("shop.stock.reserve", MagicMock(return_value=fake()))',
    "returns what a future gives": 'patch("shop.stock.reserve", MagicMock(return_value=asyncio.Future()))',
    "defined once more, as a plain function": 'patch("shop.twice.reserve", MagicMock())',
    "two objects": "thing.load = Mock()",
    "the result is set later": 'm = patch("shop.stock.reserve", MagicMock())\n    m.return_value = future()',
    "returns an object that can be awaited": "store.load = Mock(return_value=Ticket())",
    "returns a future of its own class": "store.load = Mock(return_value=Later())",
    "the variable's result is set later": (
        'm = MagicMock()\n    with patch("shop.stock.reserve", m):\n        m.return_value = future()'
    ),
    "the result is set through its name": (
        'with patch("shop.stock.reserve", MagicMock()) as m:\n        m.return_value = future()'
    ),
    "the result of the attribute is set": "store.load = Mock()\n    store.load.return_value = future()",
    "expected to be never called": (
        'm = MagicMock()\n    with patch("shop.stock.reserve", m):\n        pass\n    m.assert_not_called()'
    ),
    "expected to be called no time": (
        'm = MagicMock()\n    monkeypatch.setattr(stock, "reserve", m)\n    assert m.call_count == 0'
    ),
    "a variable that is bound twice": (
        'm = MagicMock()\n    m = AsyncMock()\n    patch("shop.stock.reserve", m).start()'
    ),
    "returns a mock that has what awaiting asks for": (
        "store.load = Mock(return_value=MagicMock(spec=asyncio.Future))"
    ),
    "a synchronous method of what a mock stands for": "m = MagicMock(spec=Store)\n    m.size = Mock()",
    "a mock that stands for nothing": "m = MagicMock()\n    m.load = Mock()",
    "gives an object that can be awaited": 'monkeypatch.setattr(stock, "reserve", lambda name: Ticket())',
}
FOUND = {
    "new": 'patch("shop.stock.reserve", MagicMock())',
    "new by keyword": 'patch("shop.stock.reserve", new=Mock(return_value=None))',
    "new_callable": 'patch("shop.stock.reserve", new_callable=MagicMock)',
    "where it is imported": 'mock.patch("shop.orders.reserve", mock.Mock())',
    "object": 'patch.object(stock, "reserve", MagicMock(return_value=[1]))',
    "class": 'patch.object(Store, "load", Mock())',
    "path to a method": 'patch("shop.stock.Store.load", Mock())',
    "monkeypatch": 'monkeypatch.setattr("shop.stock.reserve", lambda name: True)',
    "monkeypatch of an object": 'monkeypatch.setattr(stock, "reserve", Mock())',
    "pytest-mock": 'mocker.patch("shop.stock.reserve", new_callable=MagicMock)',
    "assignment": "store.load = Mock(return_value=1)",
    "returns an object": "item = Item()\n    store.load = Mock(return_value=item)",
    "a variable": 'm = MagicMock(return_value=1); patch("shop.stock.reserve", m).start()',
    "another mock's result is set": (
        "other = Mock()\n    other.return_value = 1\n    store.load = Mock(return_value=1)"
    ),
    "a method of what a mock stands for": "m = MagicMock(spec=Store)\n    m.load = Mock(return_value=1)",
    "expected to be called": 'm = MagicMock(); patch("shop.stock.reserve", m).start(); m.assert_called()',
    "returns a mock": "item = MagicMock(name='item')\n    store.load = Mock(return_value=item)",
    "returns a variable": "rows = [1]\n    store.load = Mock(return_value=rows)",
    "gives an object": 'monkeypatch.setattr(stock, "reserve", lambda name: Item())',
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silent(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch, mocker, other, future, fake, thing):\n    {text}\n"
    findings("PB816", source, files=FILES, path="tests/test_a.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch, mocker):\n    {text}  # PB816\n"
    found = findings("PB816", source, files=FILES, path="tests/test_a.py")
    assert found[0].related[0].path.endswith("shop/stock.py")


FIXED = {
    "by module": ('mock.patch("shop.stock.reserve", mock.Mock())', 'mock.patch("shop.stock.reserve", mock.AsyncMock())'),
    "class": ('mock.patch("shop.stock.reserve", new_callable=mock.MagicMock)',
              'mock.patch("shop.stock.reserve", new_callable=mock.AsyncMock)'),
    "lambda": ('monkeypatch.setattr("shop.stock.reserve", lambda name: True)',
               'monkeypatch.setattr("shop.stock.reserve", mock.AsyncMock(return_value=True))'),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_fix(before: str, after: str) -> None:
    head = "from unittest import mock\n\n\ndef test_a(monkeypatch):\n    print(mock)\n    "
    assert fix("PB816", f"{head}{before}\n", files=FILES, path="tests/test_a.py") == f"{head}{after}\n"


def test_the_mock_cannot_be_awaited_and_the_fixed_one_can(tmp_path: Path) -> None:
    stock = "async def reserve(name): ...\n\n\nasync def place(name):\n    return await reserve(name)\n"
    text = textwrap.dedent(
        """
        import asyncio
        from unittest.mock import MagicMock, patch

        from stock import place

        def test_a():
            with patch("stock.reserve", MagicMock(return_value=1)):
                assert asyncio.run(place("anna")) == 1

        def test_b():
            with patch("stock.reserve", return_value=1):
                assert asyncio.run(place("anna")) == 1
        """
    )
    assert run(tmp_path, {"stock.py": stock, "test_a.py": text}) == "1 failed, 1 passed"
    fixed = fix("PB816", text, files={"stock.py": stock}, path="test_a.py")
    assert run(tmp_path, {"stock.py": stock, "test_a.py": fixed}) == "2 passed"
