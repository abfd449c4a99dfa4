"""Traps of fixture-mutates-shared-state, and what pytest does with the tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.rules.harness import documentation, entry_of, examples, findings
from tests.rules.testing.real_pytest import run

CONFTEST = """
    import pytest
    from shop import DEFAULTS

    @pytest.fixture(scope="session")
    def order():
        return {"number": 1}

    @pytest.fixture(scope="module")
    def numbers():
        found = [1, 2]
        yield found

    @pytest.fixture
    def defaults():
        return DEFAULTS

    @pytest.fixture(scope="session")
    def created():
        ids = ["first"]
        yield ids
        for each in ids:
            print(each)

    @pytest.fixture(scope="session")
    def state():
        return {}

    @pytest.fixture(scope="session")
    def client():
        return make_client()

    @pytest.fixture
    def fresh():
        return {"number": 1}

    @pytest.fixture(scope="module", params=["a", "b"])
    def either(request):
        if request.param == "a":
            return [1]
        return [2]
"""
SHOP = "DEFAULTS = {'limit': 10}\nEMPTY = {}\n"
OTHER = "def test_other(order, numbers, defaults, created, state, client, fresh, either): ...\n"
SILENT = {
    "only read": "def test_a(order, numbers): assert order['number'] in numbers\n",
    "a copy": "def test_a(order):\n    order = dict(order)\n    order['a'] = 1\n",
    "made for each test": "def test_a(fresh): fresh['a'] = 1\n",
    "looked at in the end": "def test_a(created): created.append('b')\n",
    "starts empty": "def test_a(state): state['a'] = 1\n",
    "not known": "def test_a(client): client['a'] = 1\n",
    "one of several values": "def test_a(either): either.append(1)\n",
    "taken out again": "def test_a(order):\n    order['a'] = 1\n    del order['a']\n",
    "restored": "def test_a(order):\n    try:\n        order['number'] = 2\n    finally:\n        order['number'] = 1\n",
    "no test": "def fill(order): order['a'] = 1\n",
    "a fixture of its own": (
        "import pytest\n@pytest.fixture\ndef order():\n    return {'a': 1}\ndef test_a(order): order['a'] = 2\n"
    ),
    "the only one that asks": (
        "import pytest\n@pytest.fixture(scope='module')\ndef mine():\n    return [1]\n"
        "def test_a(mine): mine.append(2)\n"
    ),
    "a list's item": "def test_a(numbers): numbers[0].append(1)\n",
}
FOUND = {
    "an item": "def test_a(order): order['number'] = 2  # PB836\n",
    "once": "def test_a(order):\n    order.update(number=2)  # PB836\n    order['number'] = 3\n",
    "in a class": "class TestA:\n    def test_a(self, numbers): numbers.append(3)  # PB836\n",
    "by a fixture": "import pytest\n@pytest.fixture\ndef big(order):\n    order['n'] = 9  # PB836\n    return order\n",
    "a constant": "def test_a(defaults): defaults.setdefault('x', 1)  # PB836\n",
    "again and again": (
        "import pytest\n@pytest.fixture(scope='module')\ndef mine():\n    return [n for n in range(3)]\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_a(mine, n): mine.append(n)  # PB836\n"
    ),
}
FILES = {"tests/conftest.py": CONFTEST, "shop.py": SHOP, "tests/test_other.py": OTHER}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silent(source: str) -> None:
    findings("PB836", source, path="tests/test_a.py", files=FILES)


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND)
def test_found(source: str) -> None:
    found = findings("PB836", source, path="tests/test_a.py", files=FILES)
    assert len(found) == 1
    assert found[0].related


def test_silent_where_no_other_test_asks() -> None:
    files = {name: text for name, text in FILES.items() if "other" not in name}
    findings("PB836", "def test_a(order): order['number'] = 2\n", path="tests/test_a.py", files=files)


def test_fixtures_of_plugins_in_the_project() -> None:
    files = {**FILES, "tests/conftest.py": 'pytest_plugins = ["tests.plugin"]\n', "tests/plugin.py": CONFTEST}
    findings(
        "PB836", next(iter(FOUND.values())), path="tests/test_a.py", files={**files, "tests/__init__.py": ""}
    )


def test_documented_examples_depend_on_the_order(tmp_path: Path) -> None:
    page = documentation(entry_of("PB836"))
    bad, good = (examples(page, title)[0] for title in ("Bad", "Good"))
    for name, example, expected in (("bad", bad, "1 failed, 1 passed"), ("good", good, "2 passed")):
        files = {**bad.files, "conftest.py": "", example.path: example.text}
        files = {path: textwrap.dedent(text) for path, text in files.items()}
        assert run(tmp_path / name, files) == expected
