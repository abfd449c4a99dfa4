"""What is known of pytest's configuration, fixtures and mocks."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from pybackend_lint.frameworks import testing
from pybackend_lint.frameworks.libraries import libraries
from pybackend_lint.project.files import Files
from pybackend_lint.project.index import Index
from pybackend_lint.project.layout import Layout
from pybackend_lint.project.project import Project
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module


def project(root: Path, files: dict[str, str]) -> Project:
    """A small project on disk."""
    for name, text in {"pyproject.toml": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    own = Files()
    return Project(str(root), Index(own, Layout(own), libraries({})), versions={})


def module(home: Project, path: str) -> Module:
    """A module of a project."""
    found = home.index.at(f"{home.root}/{path}")
    assert found is not None
    return found


def function(home: Module, name: str) -> FunctionInfo:
    """A function of a module by name."""
    found = home.modules.function_info(f"{home.name}.{name}")
    assert found is not None
    return found


MODES = {
    "nothing": ({}, "strict"),
    "pyproject.toml": ({"pyproject.toml": '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'}, "auto"),
    "the native table of pytest 9": ({"pyproject.toml": '[tool.pytest]\nasyncio_mode = "auto"\n'}, "auto"),
    "pytest.toml": ({"pytest.toml": '[pytest]\nasyncio_mode = "auto"\n'}, "auto"),
    "pytest.ini wins": (
        {"pytest.ini": "[pytest]\n", "pyproject.toml": '[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'}, "strict",
    ),
    "tox.ini": ({"tox.ini": "[pytest]\nasyncio_mode = auto\n"}, "auto"),
    "setup.cfg": ({"setup.cfg": "[tool:pytest]\nasyncio_mode=auto\n"}, "auto"),
    "the wrong section": ({"setup.cfg": "[pytest]\nasyncio_mode=auto\n"}, "strict"),
    "by option": ({"tox.ini": "[pytest]\naddopts = --asyncio-mode auto\n"}, "auto"),
    "options as a list": ({"pyproject.toml": '[tool.pytest]\naddopts = ["-q", "--asyncio-mode=auto"]\n'}, "auto"),
    "a file that cannot be read": ({"tox.ini": "[pytest\n", "setup.cfg": "[tool:pytest]\nasyncio_mode=auto\n"}, "auto"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "mode"), MODES.values(), ids=MODES)
def test_asyncio_mode(files: dict[str, str], mode: str, tmp_path: Path) -> None:
    home = project(tmp_path, {**files, "test_a.py": ""})
    assert testing.configurations(module(home, "test_a.py"))[0].asyncio_mode == mode


def test_fixtures_along_the_conftest_modules(tmp_path: Path) -> None:
    home = project(
        tmp_path,
        {
            "conftest.py": """
                import pytest

                @pytest.fixture(scope="session")
                def app(): ...

                @pytest.fixture
                def user(app): ...
            """,
            "tests/conftest.py": """
                import pytest
                import pytest_asyncio

                @pytest_asyncio.fixture(name="app")
                async def application(): ...

                @pytest.fixture(autouse=True)
                def clean(database): ...
            """,
            "tests/test_a.py": """
                import pytest

                @pytest.mark.usefixtures("user")
                def test_a(tmp_path): ...
            """,
        },
    )
    tests = module(home, "tests/test_a.py")
    known = testing.fixtures(tests)
    assert {name: (fixture.scope, fixture.autouse) for name, fixture in known.items()} == {
        "app": ("function", False),
        "clean": ("function", True),
        "user": ("function", False),
    }
    asked = testing.requested(function(tests, "test_a"))
    assert {name: fixture is not None for name, fixture in asked.items()} == {
        "tmp_path": False,
        "user": True,
        "app": True,
        "clean": True,
        "database": False,
    }


MOCKS = {
    "Mock()": True,
    "mock.patch('a.b').start()": False,
    "create_autospec(print)": True,
    "Mock().a.b": True,
    "Mock().call_args": False,
    "print": False,
    "unknown": False,
}


@pytest.mark.parametrize(("text", "expected"), MOCKS.items(), ids=MOCKS)
def test_mocks(text: str, expected: bool, tmp_path: Path) -> None:
    source = f"from unittest import mock\nfrom unittest.mock import Mock, create_autospec\n\n{text}\n"
    tests = module(project(tmp_path, {"test_a.py": source}), "test_a.py")
    statement = tests.source.tree.body[-1]
    assert isinstance(statement, ast.Expr)
    assert testing.is_mock(statement.value, tests) is expected


def test_misspelled_assertions() -> None:
    assert testing.misspelled_assertion("called_once") == "assert_called_once"
    assert testing.misspelled_assertion("assert_has_cals") == "assert_has_calls"
    assert testing.misspelled_assertion("assert_called") is None
    assert testing.misspelled_assertion("called") is None
    assert testing.misspelled_assertion("assertEqual") is None
