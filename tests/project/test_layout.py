"""What kind of file lies where."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pybackend_lint.engine import Engine
from pybackend_lint.project.files import Files
from pybackend_lint.project.layout import Layout, is_migration_file, is_test_file
from pybackend_lint.settings import Settings


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/shop/orders/migrations/0001_initial.py", "/shop", True),
        ("/shop/orders/migrations/old/0001_initial.py", "/shop", True),
        ("/shop/database/versions/3f2a_orders.py", "/shop", True),
        ("/shop/database/versions/3f2a_orders.py", "/shop/database/versions", True),
        ("/shop/orders/migrations/__init__.py", "/shop", False),
        ("/shop/orders/models.py", "/shop", False),
        ("/migrations/shop/models.py", "/migrations", False),
    ],
)
def test_migrations(path: str, root: str, expected: bool) -> None:
    assert is_migration_file(path, root) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tests/shop/orders.py", False),
        ("/tests/shop/unittests/order_case.py", True),
        ("/tests/shop/tests/factories.py", True),
        ("/tests/shop/orders_test.py", True),
        ("/tests/shop/latest.py", False),
    ],
)
def test_tests(path: str, expected: bool) -> None:
    assert is_test_file(path, "/tests/shop") is expected


def test_a_file_in_the_folder_for_temporary_files_makes_no_workspace(tmp_path: Path) -> None:
    stray = Path(tempfile.gettempdir()) / "requirements.txt"
    layout = Layout(Files({stray: b"", tmp_path / "one" / "app" / "__init__.py": b""}))
    assert layout.workspace_root(str(tmp_path / "one" / "app")) == str(tmp_path / "one")


def test_a_directory_of_a_package_without_a_project(tmp_path: Path) -> None:
    (tmp_path / "shop" / "parts").mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    assert Layout(Files()).workspace_root(str(tmp_path / "shop" / "parts")) == str(tmp_path)


def test_modules_of_two_workspaces_have_two_names(tmp_path: Path) -> None:
    for name, base in (("one", "models.Model"), ("two", "object")):
        root = tmp_path / name
        (root / "shop").mkdir(parents=True)
        (root / ".git").mkdir()
        (root / "shop" / "base.py").write_text(f"from django.db import models\nclass Base({base}): ...\n")
        (root / "shop" / "orders.py").write_text("from shop.base import Base\nclass Order(Base): ...\n")
    index = Engine(Settings(root=tmp_path)).index
    found = []
    for name in ("one", "two", "one"):
        module = index.at(str(tmp_path / name / "shop" / "orders.py"))
        assert module is not None
        info = index.class_info(f"{module.name}.Order")
        assert info is not None
        found.append(info.is_a("django.db.models.Model"))
    assert found == [True, False, True]


def test_a_project_of_its_own_in_a_folder_of_tests_holds_tests(tmp_path: Path) -> None:
    for name in (
        "pyproject.toml",
        "tests/mock_service/pyproject.toml",
        "tests/mock_service/main.py",
        "app/main.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    engine = Engine(Settings(root=tmp_path))
    paths = [tmp_path / "tests/mock_service/main.py", tmp_path / "app/main.py"]
    assert [engine.project_of(path).is_test(str(path)) for path in paths] == [True, False]


def test_a_module_named_setup_makes_no_project(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "shop/__init__.py", "shop/pages/__init__.py", "shop/pages/setup.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert Layout(Files()).project_root(str(tmp_path / "shop/pages")) == str(tmp_path)


def test_a_package_with_a_module_named_setup_is_no_place_to_import_from(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "shop/__init__.py", "shop/setup.py", "shop/pages/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    roots = Layout(Files()).import_roots(str(tmp_path / "shop/pages"))
    assert str(tmp_path) in roots
    assert str(tmp_path / "shop") not in roots
