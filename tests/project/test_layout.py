"""What kind of file lies where."""

from __future__ import annotations

import pytest

from pybackend_lint.project.layout import is_migration_file, is_test_file


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
