"""Traps of http-error-below-boundary."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.harness import findings

HEAD = """
from fastapi import APIRouter, Depends, HTTPException
from flask import abort
router = APIRouter()
class Missing(Exception):
    status_code = 404
"""
SILENT = {
    "an error of the project": """
        def find(number):
            raise Missing(number)
    """,
    "a route": """
        @router.get("/a")
        def a():
            raise HTTPException(404)
    """,
    "a dependency": """
        def current():
            raise HTTPException(401)

        @router.get("/a")
        def a(user=Depends(current)): ...
    """,
    "a class of views": """
        from flask.views import MethodView, View

        class Orders(MethodView):
            def get(self, number):
                abort(404)

        class Old(View):
            def dispatch_request(self):
                abort(404)
    """,
    "another abort": """
        def stop(transaction):
            transaction.abort()
    """,
}
FOUND = {
    "FastAPI": """
        def find(number):
            raise HTTPException(404)  # PB910
    """,
    "Flask": """
        class Orders:
            def find(self, number):
                abort(404)  # PB910
    """,
    "a method of a class of views that is none itself": """
        from flask.views import MethodView

        class Orders(MethodView):
            def find(self, number):
                abort(404)  # PB910
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB910", HEAD + textwrap.dedent(SILENT[name]), path="shop/services/orders.py")


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB910", HEAD + textwrap.dedent(FOUND[name]), path="shop/services/orders.py")


@pytest.mark.parametrize("name", FOUND)
def test_silent_elsewhere(name: str) -> None:
    findings("PB910", (HEAD + textwrap.dedent(FOUND[name])).replace("  # PB910", ""), path="shop/web.py")


def test_who_calls_it_is_told() -> None:
    job = "from shop.services.orders import total\n\ndef nightly():\n    return total(1)\n"
    source = (
        "from fastapi import HTTPException\n\ndef total(number):\n    raise HTTPException(404)  # PB910\n"
    )
    path = "shop/services/orders.py"
    (alone,) = findings("PB910", source, path=path)
    assert [(place.start.row, place.message) for place in alone.related] == [
        (3, "`total` stands below the boundary")
    ]
    (called,) = findings("PB910", source, path=path, files={"shop/jobs.py": job})
    assert [(place.path.endswith("shop/jobs.py"), place.start.row) for place in called.related] == [(True, 4)]
