"""Which names that tests replace do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.harness import findings
from tests.rules.testing.real_pytest import run

FILES = {
    "shop/__init__.py": "from shop.stock import reserve\n",
    "shop/stock.py": """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        import json
        from shop import mails

        if TYPE_CHECKING:
            from shop.orders import Order

        LIMIT = 3

        def reserve(name): ...

        class Base:
            def size(self): ...

        class Store(Base):
            shelves: int

            def __init__(self):
                self.rows = []

            def __load(self): ...

        class Loaded(Store, metaclass=type):
            pass

        class Row(json.JSONEncoder):
            pass

        class Asked:
            def __getattr__(self, name): ...

        class Slots:
            __slots__ = ("size",)

        try:
            import tomllib
        except ImportError:
            tomllib = None

        if json:
            from os import fork

        def start():
            global ready
            ready = True
    """,
    "shop/mails.py": "def send(name): ...\n",
    "shop/orders.py": "class Order: ...\n",
    "shop/open.py": "from os.path import *\n",
    "shop/queries.py": "def run(session, statement):\n    return session.exec(statement)\n",
    "shop/run.py": "exec('client = 1')\n",
    "shop/lazy.py": "globals()['client'] = 1\n",
    "shop/asked.py": "def __getattr__(name): ...\n",
    "shop/looped.py": "for name in 'abc':\n    setattr(__import__('sys').modules[__name__], name, 1)\n",
    "shop/broken.py": "def (\n",
    "shop/fast.pyx": "",
    "space/models.py": "A = 1\n",
}
HEADER = """
from unittest import mock
from unittest.mock import patch
from shop import stock, mails
from shop.stock import Store

"""
SILENT = {
    "a function": 'patch("shop.stock.reserve")',
    "a variable": 'patch("shop.stock.LIMIT", 4)',
    "a name that a function sets": 'patch("shop.stock.ready", True)',
    "a module": 'patch("shop.stock")',
    "a submodule": 'patch("shop.stock.mails.send")',
    "exported by the package": 'patch("shop.reserve")',
    "a method": 'patch("shop.stock.Store.size")',
    "a private method": 'patch("shop.stock.Store._Store__load")',
    "an annotated attribute": 'patch.object(Store, "shelves", 3)',
    "a class with a metaclass": 'patch("shop.stock.Loaded.anything")',
    "a class of a library": 'patch("shop.stock.Row.anything")',
    "of a library": 'patch("shop.stock.json.no_such_name")',
    "not of the project": 'patch("celery.app.no_such_name")',
    "created": 'patch("shop.stock.missing", create=True)',
    "not required": 'monkeypatch.setattr("shop.stock.missing", 1, raising=False)',
    "not required, by position": 'monkeypatch.setattr("shop.stock.missing", 1, False)',
    "built in": 'patch("shop.stock.open")',
    "with a star": 'patch("shop.open.missing")',
    "made up": 'patch("shop.lazy.client")',
    "made by a program": 'patch("shop.run.client")',
    "cannot be parsed": 'patch("shop.broken.name")',
    "compiled": 'patch("shop.fast.name")',
    "generated": 'patch("shop.orders_pb2.name")',
    "special": 'patch("shop.stock.__name__", "x")',
    "asked for when it is read": 'patch("shop.asked.missing")',
    "a member that is asked for": 'patch("shop.stock.Asked.missing")',
    "a slot": 'patch("shop.stock.Slots.size")',
    "a name of one platform": 'patch("shop.stock.fork")',
    "a name that is only deleted elsewhere": 'patch("shop.stock.tomllib")',
    "created, with a specification": 'patch("shop.stock.missing", create=True, spec=Store)',
    "a patch of several": 'patch.multiple("shop.stock", LIMIT=3)',
    "the string is a variable": 'patch(stock.__name__ + ".missing")',
    "another object's patch": 'client.patch("shop.stock.missing")',
    "a name that a loop makes": 'patch("shop.looped.a")',
    "no path": 'patch("stock")',
    "another setattr": 'setattr(stock, "missing", 1)',
    "a name that is computed": 'patch(f"shop.{stock}.missing")',
    "a package without files": 'patch("space.views.name")',
}
FOUND = {
    "path": 'patch("shop.stock.missing")',
    "module that is gone": 'patch("shop.deposit.reserve")',
    "in a module that is read through another": 'patch("shop.stock.mails.sent_all")',
    "in a module that runs statements": 'patch("shop.queries.missing")',
    "only for types": 'patch("shop.stock.Order")',
    "member of a class": 'patch("shop.stock.Store.weight")',
    "only of instances": 'patch("shop.stock.Store.rows", [])',
    "object": 'patch.object(stock, "missing")',
    "object of a class": 'mock.patch.object(Store, "missing")',
    "monkeypatch": 'monkeypatch.setattr("shop.stock.missing", 1)',
    "monkeypatch of an object": 'monkeypatch.setattr(mails, "missing", 1)',
    "monkeypatch of a built-in name": 'monkeypatch.setattr("shop.stock.open", 1)',
    "pytest-mock": 'mocker.patch("shop.stock.missing")',
    "pytest-mock with an object": 'mocker.patch.object(stock, "missing")',
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silent(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch, mocker, client):\n    {text}\n"
    findings("PB818", source, files=FILES, path="tests/test_a.py")


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_found(text: str) -> None:
    source = f"{HEADER}def test_a(monkeypatch, mocker):\n    {text}  # PB818\n"
    (found,) = findings("PB818", source, files=FILES, path="tests/test_a.py")
    assert "/shop/" in found.related[0].path


def test_names_what_was_meant() -> None:
    source = f'{HEADER}def test_a():\n    patch("shop.stock.reserved")  # PB818\n'
    (found,) = findings("PB818", source, files=FILES, path="tests/test_a.py")
    assert found.message == "Patch `reserve`: `shop.stock.reserved` does not exist"


# What Python can import, so that pytest can judge the same table.
REAL = {
    name: text
    for name, text in FILES.items()
    if name not in {"shop/broken.py", "shop/fast.pyx", "shop/lazy.py", "shop/open.py"}
}


@pytest.mark.parametrize("name", [name for name in FOUND if not name.startswith("pytest-mock")])
def test_python_refuses_it(name: str, tmp_path: Path) -> None:
    text = FOUND[name]
    entered = text if text.startswith("monkeypatch") else f"{text}.start()"
    source = f"{HEADER}def test_a(monkeypatch):\n    {entered}\n"
    assert run(tmp_path, {**REAL, "test_a.py": source}) == "1 failed"
