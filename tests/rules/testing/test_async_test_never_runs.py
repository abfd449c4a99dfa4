"""Which coroutine tests nothing runs."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.rules.harness import findings, fix
from tests.rules.testing.real_pytest import run

HEAD = '[project]\nname = "shop"\nversion = "1"\n'
PROJECT = HEAD + 'dependencies = ["pytest>=8.4", "pytest-asyncio>=1.0"]\n'
TEST = "async def test_a(): ...\n"
CONFTEST = """
    import pytest

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.fixture
    def on_trio(anyio_backend):
        return anyio_backend

    class Base:
        pytestmark = pytest.mark.asyncio
"""
STRICT = {
    "marked": "import pytest\n@pytest.mark.asyncio\nasync def test_a(): ...\n",
    "marked with arguments": 'import pytest\n@pytest.mark.asyncio(loop_scope="module")\nasync def test_a(): ...\n',
    "marked by another name": "import pytest\nasync_test = pytest.mark.asyncio\n@async_test\nasync def test_a(): ...\n",
    "anyio": "import pytest\n@pytest.mark.anyio\nasync def test_a(): ...\n",
    "module": f"import pytest\npytestmark = [pytest.mark.slow, pytest.mark.asyncio]\n{TEST}",
    "unknown marks of the module": f"from shop import marks\npytestmark = marks.ALL\n{TEST}",
    "class": "import pytest\n@pytest.mark.asyncio\nclass TestA:\n    async def test_a(self): ...\n",
    "base class": "from tests.conftest import Base\nclass TestA(Base):\n    async def test_a(self): ...\n",
    "class of unknown base": "from shop import Base\nclass TestA(Base):\n    async def test_a(self): ...\n",
    "unittest": (
        "import unittest\nclass TestA(unittest.IsolatedAsyncioTestCase):\n    async def test_a(self): ...\n"
    ),
    "run by its file": f"import asyncio\n{TEST}asyncio.run(test_a())\n",
    "in a list of its file": f"{TEST}def tests():\n    return [test_a]\n",
    "method that its file runs": "class TestA:\n    async def test_a(self): ...\nTESTS = [TestA.test_a]\n",
    "fixture of anyio": "async def test_a(on_trio): ...\n",
    "another decorator": "from shop import run\n@run\nasync def test_a(): ...\n",
    "skipped": 'import pytest\n@pytest.mark.skip("later")\nasync def test_a(): ...\n',
    "no test": "async def check_a(): ...\n",
    "inside a function": "def test_a():\n    async def test_b(): ...\n",
    "class that is not collected": "class Cases:\n    async def test_a(self): ...\n",
    "class with __init__": "class TestA:\n    def __init__(self): ...\n    async def test_a(self): ...\n",
    "generator": "async def test_a():\n    yield 1\n",
    "its own hook": f"def pytest_pyfunc_call(pyfuncitem): ...\n{TEST}",
}
PLACES = {
    "auto mode": {"pyproject.toml": PROJECT + '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'},
    "auto mode by option": {"pytest.ini": "[pytest]\naddopts = -q --asyncio-mode=auto\n"},
    "auto mode in tox.ini": {"tox.ini": "[pytest]\nasyncio_mode = auto\n"},
    "auto mode in setup.cfg": {"setup.cfg": "[tool:pytest]\nasyncio_mode = auto\n"},
    "auto mode of anyio": {"pyproject.toml": PROJECT + '[tool.pytest.ini_options]\nanyio_mode = "auto"\n'},
    "auto mode below the root": {"tests/pytest.ini": "[pytest]\nasyncio_mode = auto\n"},
    "auto mode at the root only": {
        "tests/pytest.ini": "[pytest]\naddopts = -q\n",
        "pytest.ini": "[pytest]\nasyncio_mode = auto\n",
    },
    "another plugin": {"pyproject.toml": PROJECT.replace('"]', '", "pytest-aiohttp"]')},
    "a plugin by option": {"pytest.ini": "[pytest]\naddopts = -p shop.plugin\n"},
    "no plugin known": {"pyproject.toml": HEAD + 'dependencies = ["pytest>=8.4"]\n'},
    "a hook in conftest": {"conftest.py": "def pytest_collection_modifyitems(items): ...\n"},
    "a plugin of the project with a hook": {
        "conftest.py": 'pytest_plugins = ["tests.plugin"]\n',
        "tests/plugin.py": "def pytest_collection_modifyitems(items): ...\n",
    },
    "a plugin of the project with plugins": {
        "conftest.py": 'pytest_plugins = ("tests.plugin",)\n',
        "tests/plugin.py": 'pytest_plugins = "runner"\n',
    },
    "a plugin of a library": {
        "conftest.py": 'pytest_plugins = ["tests.plugin", "runner"]\n',
        "tests/plugin.py": "",
    },
    "plugins that are computed": {"conftest.py": "pytest_plugins = [name for name in ()]\n"},
    "other names of files": {"pytest.ini": "[pytest]\npython_files = check_*.py\n"},
}
FOUND = {
    "function": "async def test_a():  # PB802\n    pass\n",
    "method": "class TestA:\n    async def test_a(self):  # PB802\n        pass\n",
    "with other marks": (
        'import pytest\n@pytest.mark.parametrize("x", [1])\n@pytest.mark.slow\nasync def test_a(x):  # PB802\n    pass\n'
    ),
    "module with other marks": (
        "import pytest\npytestmark = pytest.mark.django_db\nasync def test_a():  # PB802\n    pass\n"
    ),
    "patched": (
        'from unittest.mock import patch\n@patch("os.getcwd")\nasync def test_a(getcwd):  # PB802\n    pass\n'
    ),
}


@pytest.mark.parametrize("text", [*STRICT.values(), *FOUND.values()], ids=[*STRICT, *FOUND])
def test_strict_mode(text: str) -> None:
    files = {"pyproject.toml": PROJECT, "tests/conftest.py": CONFTEST}
    findings("PB802", text, files=files, path="tests/test_a.py")


@pytest.mark.parametrize("files", PLACES.values(), ids=PLACES)
def test_silent_where_something_else_may_run_it(files: dict[str, str]) -> None:
    findings("PB802", TEST, files={"pyproject.toml": PROJECT} | files, path="tests/test_a.py")


@pytest.mark.parametrize("named", ['"tests.plugin"', '["tests.plugin"]', '("tests.plugin",)'])
def test_plugins_of_the_project_do_not_run_it(named: str) -> None:
    plugin = "import pytest\n@pytest.fixture\ndef name(): return 'a'\n"
    files = {"conftest.py": f"pytest_plugins = {named}\n", "tests/plugin.py": plugin, "tests/__init__.py": ""}
    text = "async def test_a(name):  # PB802\n    pass\n"
    findings("PB802", text, files={"pyproject.toml": PROJECT} | files, path="tests/test_a.py")


def test_fix_goes_above_the_decorators() -> None:
    before = 'import pytest\n\n\nclass TestA:\n    @pytest.mark.parametrize("x", [1])\n    async def test_a(self, x): ...\n'
    after = before.replace("    @pytest", "    @pytest.mark.asyncio\n    @pytest")
    assert fix("PB802", before, files={"pyproject.toml": PROJECT}, path="tests/test_a.py") == after


def test_fix_imports_pytest() -> None:
    after = "import pytest\n\n\n@pytest.mark.asyncio\nasync def test_a(): ...\n"
    assert fix("PB802", TEST, files={"pyproject.toml": PROJECT}, path="tests/test_a.py") == after


def test_pytest_really_runs_only_the_marked_test(tmp_path: Path) -> None:
    text = textwrap.dedent(
        """
        import pytest

        async def test_unmarked():
            pass

        @pytest.mark.asyncio
        async def test_marked():
            pass
        """
    )
    assert run(tmp_path, {"test_a.py": text, "pytest.ini": "[pytest]\n"}) == "1 failed, 1 passed"
    auto = {"test_a.py": text, "pytest.ini": "[pytest]\nasyncio_mode = auto\n"}
    assert run(tmp_path, auto) == "2 passed"
