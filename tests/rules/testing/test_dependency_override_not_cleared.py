"""Which overrides outlive their test, and what may take them back."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

MAIN = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\ndef user(): ...\n\n\ndef session(): ...\n"
CONFTEST = """
    import pytest
    from fastapi import FastAPI
    from shop.main import app, user

    @pytest.fixture
    def fresh():
        return FastAPI()

    @pytest.fixture
    def shared():
        return app

    @pytest.fixture
    def clearing():
        yield app
        app.dependency_overrides.clear()

    @pytest.fixture
    def client(clearing):
        return clearing

    def restore():
        app.dependency_overrides = {}
"""
HEADER = "import pytest\nfrom unittest.mock import patch\nfrom shop.main import app, session, user\n\n"
SET = "app.dependency_overrides[user] = lambda: 1"
SILENT = {
    "cleared behind yield": f"@pytest.fixture\ndef f():\n    {SET}\n    yield\n    app.dependency_overrides.clear()\n",
    "popped in finally": f"def test_a():\n    {SET}\n    try:\n        pass\n    finally:\n        app.dependency_overrides.pop(user)\n",
    "deleted": f"def test_a():\n    {SET}\n    del app.dependency_overrides[user]\n",
    "restored": (
        f"def test_a():\n    old = app.dependency_overrides.copy()\n    {SET}\n    app.dependency_overrides = old\n"
    ),
    "restored in finally": (
        f"def test_a():\n    {SET}\n    try:\n        pass\n    finally:\n        app.dependency_overrides = {{}}\n"
    ),
    "a context manager of pytest": (
        "def test_a():\n    with pytest.MonkeyPatch.context() as m:\n"
        "        m.setitem(app.dependency_overrides, user, int)\n"
    ),
    "patched by the decorator": (
        f"@patch.dict(app.dependency_overrides, clear=True)\ndef test_a():\n    {SET}\n"
    ),
    "patched by name": (f'@patch.dict("shop.main.app.dependency_overrides")\ndef test_a():\n    {SET}\n'),
    "a finalizer of the fixture": (
        f"@pytest.fixture\ndef f(request):\n    {SET}\n"
        "    request.addfinalizer(app.dependency_overrides.clear)\n    return app\n"
    ),
    "an application that a factory makes": (
        f"from shop.factory import create_app\ndef test_a():\n    app = create_app()\n    {SET}\n"
    ),
    "patched": f"def test_a():\n    with patch.dict(app.dependency_overrides):\n        {SET}\n",
    "monkeypatch": "def test_a(monkeypatch):\n    monkeypatch.setitem(app.dependency_overrides, user, int)\n",
    "a fixture of the test clears": f"def test_a(client):\n    {SET}\n",
    "a fixture by mark clears": f'@pytest.mark.usefixtures("clearing")\ndef test_a():\n    {SET}\n',
    "a fixture that always runs clears": (
        f"@pytest.fixture(autouse=True)\ndef c():\n    yield\n    app.dependency_overrides.clear()\n\ndef test_a():\n    {SET}\n"
    ),
    "an application of the test": f"from fastapi import FastAPI\ndef test_a():\n    app = FastAPI()\n    {SET}\n",
    "an application of a fixture": f"def test_a(fresh):\n    {SET.replace('app', 'fresh')}\n",
    "an unknown fixture": f"def test_a(application):\n    {SET.replace('app.', 'application.')}\n",
    "for the whole run": f'@pytest.fixture(scope="session")\ndef f():\n    {SET}\n',
    "for every test": f"@pytest.fixture(autouse=True)\ndef f():\n    {SET}\n",
    "cleared behind each test of the class": (
        f"class TestA:\n    def setup_method(self):\n        {SET}\n    def teardown_method(self):\n"
        "        app.dependency_overrides = {}\n    def test_a(self): ...\n"
    ),
    "a clean-up of the test case": (
        "import unittest\nclass A(unittest.TestCase):\n    def setUp(self):\n"
        f"        {SET}\n        self.addCleanup(app.dependency_overrides.clear)\n"
    ),
    "a base class that is not known": (f"class TestA(made_base()):\n    def setUp(self):\n        {SET}\n"),
    "a helper": f"def login():\n    {SET}\n",
    "only read": "def test_a():\n    assert app.dependency_overrides[user]\n",
}
SILENT_ALONE = {
    "teardown of the module": f"def teardown_module():\n    app.dependency_overrides.clear()\n\ndef test_a():\n    {SET}\n",
}
FOUND = {
    "a test": f"def test_a():\n    {SET}  # PB800\n",
    "a fixture that yields": f"@pytest.fixture\ndef f():\n    {SET}  # PB800\n    yield app\n",
    "a fixture of a module": f'@pytest.fixture(scope="module")\ndef f():\n    {SET}  # PB800\n',
    "the application of a fixture": f"def test_a(shared):\n    {SET.replace('app', 'shared')}  # PB800\n",
    "several at once": "def test_a():\n    app.dependency_overrides.update({user: int})  # PB800\n",
    "a new dictionary": "def test_a():\n    app.dependency_overrides = {user: int}  # PB800\n",
    "a method": f"class TestA:\n    def test_a(self):\n        {SET}  # PB800\n",
    "before each test of a class": (
        f"class TestA:\n    def setup_method(self):\n        {SET}  # PB800\n    def test_a(self): ...\n"
    ),
    "before each test of a test case": (
        f"import unittest\nclass A(unittest.TestCase):\n    def setUp(self):\n        {SET}  # PB800\n"
    ),
    "only another class clears": (
        f"def test_a():\n    {SET}  # PB800\n\nclass TestB:\n    def teardown_method(self):\n"
        "        app.dependency_overrides.clear()\n"
    ),
    "imported in the test": f"def test_a():\n    from shop.main import app, user\n    {SET}  # PB800\n",
    "only another test's fixture clears": f"def test_a():\n    {SET}  # PB800\n\ndef test_b(clearing): ...\n",
}


def check(text: str, conftest: str) -> None:
    """Look for the rule in a test module below a conftest module."""
    findings(
        "PB800",
        HEADER + text,
        path="tests/test_a.py",
        files={
            "shop/main.py": MAIN,
            "shop/factory.py": "from fastapi import FastAPI\n\ndef create_app():\n    return FastAPI()\n",
            "tests/conftest.py": conftest,
        },
    )


@pytest.mark.parametrize("text", [*SILENT.values(), *SILENT_ALONE.values(), *FOUND.values()])
def test_traps(text: str) -> None:
    check(text, CONFTEST.partition("    def restore")[0])


def test_a_helper_that_restores_may_be_called() -> None:
    check(f"def test_a():\n    {SET}\n", CONFTEST)


FIXED = {
    "no parameters": (f"def test_a():\n    {SET}\n", "def test_a(monkeypatch):\n    {}\n"),
    "parameters": (f"def test_a(tmp_path):\n    {SET}\n", "def test_a(tmp_path, monkeypatch):\n    {}\n"),
    "typed": (
        f"def test_a(tmp_path: object) -> None:\n    {SET}\n",
        "def test_a(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:\n    {}\n",
    ),
    "there already": (f"def test_a(monkeypatch):\n    {SET}\n", "def test_a(monkeypatch):\n    {}\n"),
    "not in a wider scope": (f'@pytest.fixture(scope="module")\ndef f():\n    {SET}\n', None),
    "not several at once": ("def test_a():\n    app.dependency_overrides.update({user: int})\n", None),
}


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    head = "import pytest\nfrom shop.main import app, user\n\nprint(pytest)\n\n"
    call = "monkeypatch.setitem(app.dependency_overrides, user, lambda: 1)"
    after = text if expected is None else expected.format(call)
    assert fix("PB800", head + text, files={"shop/main.py": MAIN}, path="tests/test_a.py") == head + after


def test_the_override_reaches_the_next_test_and_the_fix_stops_it(tmp_path: Path) -> None:
    text = textwrap.dedent(
        """
        from fastapi import Depends, FastAPI
        from fastapi.testclient import TestClient

        app = FastAPI()

        def user():
            return "nobody"

        @app.get("/")
        def index(name: str = Depends(user)):
            return name

        def test_first():
            app.dependency_overrides[user] = lambda: "admin"
            assert TestClient(app).get("/").json() == "admin"

        def test_second():
            assert TestClient(app).get("/").json() == "nobody"
        """
    )
    assert run(tmp_path, {"test_a.py": text}) == "1 failed, 1 passed"
    assert run(tmp_path, {"test_a.py": fix("PB800", text, path="tests/test_a.py")}) == "2 passed"
