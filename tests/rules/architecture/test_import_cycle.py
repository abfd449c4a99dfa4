"""Which import cycles fail, compared with what Python does when each module is imported first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.settings import Selection, Settings
from tests.rules.harness import check, markers, write

# Small projects, with a marker on the import that is reported. Where no line is marked, every module can
# be imported first.
FOUND = {
    "two modules": {
        "a.py": "from b import B  # PB961\n\n\nclass A: ...\n",
        "b.py": "from a import A\n\n\nclass B: ...\n",
    },
    "works from one side only": {
        "a.py": "from b import B\n\n\nclass A: ...\n",
        "b.py": "B = 1\nimport a\n",
        "c.py": "import b\nC = 1\n",
        "d.py": "from a import A\nfrom e import E  # PB961\n\nD = 1\n",
        "e.py": "from d import D\n\nE = 1\n",
    },
    "three modules": {
        "shop/__init__.py": "",
        "shop/orders.py": "from shop.items import Item\n\n\nclass Order: ...\n",
        "shop/items.py": "from shop.prices import price  # PB961\n\n\nclass Item: ...\n",
        "shop/prices.py": "from shop.orders import Order\n\n\ndef price(order): ...\n",
    },
    "relative imports": {
        "shop/__init__.py": "",
        "shop/orders.py": "from .items import Item\n\n\nclass Order: ...\n",
        "shop/items.py": "from .orders import Order  # PB961\n\n\nclass Item: ...\n",
    },
    "a package and its module": {
        "shop/__init__.py": "from shop.orders import Order\n\nVERSION = 1\n",
        "shop/orders.py": "from shop import VERSION  # PB961\n\n\nclass Order: ...\n",
    },
    "through another package": {
        "shop/__init__.py": "from stock.levels import level  # PB961\n\nLIMIT = 3\n",
        "stock/__init__.py": "",
        "stock/levels.py": "from shop import LIMIT\n\n\ndef level(): ...\n",
    },
    "names in brackets": {
        "a.py": "from b import (  # PB961\n    B,  # the (other) one\n    C,\n)\n\nA = 1\n",
        "b.py": "from a import A\n\nB = C = 1\n",
    },
}
SILENT = {
    "whole modules": {
        "a.py": "import b\n\n\ndef f():\n    return b.g()\n",
        "b.py": "import a\n\n\ndef g():\n    return a.f\n",
    },
    "in a function": {
        "a.py": "from b import B\n\nA = 1\n",
        "b.py": "B = 1\n\n\ndef g():\n    from a import A\n\n    return A\n",
    },
    "only for types": {
        "a.py": "from b import B\n\n\nclass A: ...\n",
        "b.py": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from a import A\n\n\nclass B: ...\n",
    },
    "the package runs first": {
        "shop/__init__.py": "LIMIT = 3\nfrom shop.orders import Order\n",
        "shop/orders.py": "from shop import LIMIT\n\n\nclass Order: ...\n",
    },
    "modules of one package, always in its order": {
        "shop/__init__.py": "from shop.items import Item\nfrom shop.orders import Order\n",
        "shop/items.py": "Item = 1\nfrom shop.orders import Order\n",
        "shop/orders.py": "from shop.items import Item\n\n\nclass Order: ...\n",
    },
    "a submodule is no name": {
        "shop/__init__.py": "from shop import orders\n",
        "shop/orders.py": "from shop import items\n",
        "shop/items.py": "from shop import orders\n",
    },
    "a name that a function sets": {
        "a.py": "import b\n\nA = 1\n",
        "b.py": "from a import *\n\nB = 1\n",
    },
    "no cycle": {"a.py": "from b import B\n", "b.py": "B = 1\n"},
    "text that looks like an import": {
        "a.py": "from b import B\n\nA = 1\n",
        "b.py": '"""\nfrom a import A\n"""\n\nB = 1\n',
    },
}
# Silent, although Python fails in some order: who wrote it knew, or nobody can tell.
ON_PURPOSE = {
    "below what the other needs": {
        "a.py": "def first(): ...\n\n\nfrom b import B  # noqa: E402\n",
        "b.py": "from a import first\n\nB = 1\n",
    },
    "a name that is nowhere": {"a.py": "from b import B\n\nA = 1\n", "b.py": "import a\n"},
    "guarded": {
        "a.py": "try:\n    from b import B\nexcept ImportError:\n    B = None\n\nA = 1\n",
        "b.py": "from a import A\n\nB = 1\n",
    },
}


def found(root: Path, files: dict[str, str]) -> list[tuple[str, int]]:
    """The findings in a project, each file checked by an engine of its own and all by one: the same."""
    write(root, files)
    settings = Settings(root=root, selections=(Selection(select=("PB961",)),))
    alone = [(path, f.start.row) for path in files for f in check(root, path, settings)]
    together = Engine(settings)
    assert alone == [(path, f.start.row) for path in files for f in check(root, path, settings, together)]
    return alone


def fails(root: Path, files: dict[str, str]) -> list[str]:
    """The modules that Python cannot import first."""
    failing = []
    for path in files:
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        command = [sys.executable, "-c", f"import {name}"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            assert "partially initialized module" in done.stderr
            failing.append(name)
    return failing


@pytest.mark.parametrize("files", FOUND.values(), ids=FOUND)
def test_found(files: dict[str, str], tmp_path: Path) -> None:
    assert found(tmp_path, files) == [(path, row) for path in files for row, _ in markers(files[path])]
    assert fails(tmp_path, files)


@pytest.mark.parametrize("files", SILENT.values(), ids=SILENT)
def test_silent(files: dict[str, str], tmp_path: Path) -> None:
    assert found(tmp_path, files) == []
    assert fails(tmp_path, files) == []


@pytest.mark.parametrize("files", ON_PURPOSE.values(), ids=ON_PURPOSE)
def test_silent_on_purpose(files: dict[str, str], tmp_path: Path) -> None:
    assert found(tmp_path, files) == []


def test_prints_the_cycle_and_its_imports(tmp_path: Path) -> None:
    files = FOUND["three modules"]
    write(tmp_path, files)
    settings = Settings(root=tmp_path, selections=(Selection(select=("PB961",)),))
    (finding,) = check(tmp_path, "shop/items.py", settings)
    assert finding.message == (
        "Break the import cycle shop.prices → shop.orders → shop.items → shop.prices: "
        "`price` is not there yet when `shop.prices` is imported first"
    )
    assert [(Path(r.path).name, r.start.row, r.message) for r in finding.related] == [
        ("prices.py", 1, "imports `shop.orders`"),
        ("orders.py", 1, "imports `shop.items`"),
    ]


def test_django_imports_models_first(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/models.py": "from django.db import models\nfrom shop.queries import Q\n",
        "shop/queries.py": "Q = 1\nfrom shop.reports import R\n",
        "shop/reports.py": "from shop.queries import Q\n\nR = 1\n",
    }
    assert found(tmp_path, files) == []
    without = {**files, "shop/models.py": "from django.db import models\n"}
    assert found(tmp_path, without) == [("shop/queries.py", 2)]
