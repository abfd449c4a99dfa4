"""Rule PB801: override-key-mismatch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import dependency_overrides
from pybackend_lint.rule import Context, rule


@rule(
    "PB801",
    "override-key-mismatch",
    "Override the function that the route depends on: `{key}` is never a dependency",
    nodes=(ast.Attribute,),
    names=("dependency_overrides",),
    applies="fastapi",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """A test overrides a function that no route and no dependency depends on.

    ## Why
    `dependency_overrides` is looked up by the very object that stands in `Depends(...)`. A function of
    the same name in another module, or one that a dependency calls itself, is another key: the override
    is never used, and the test runs against the real database or the real user.

    ## Bad
    ```python file=tests/test_orders.py check
    import pytest
    from fastapi.testclient import TestClient

    from shop.database import get_session
    from shop.main import app


    @pytest.fixture
    def client(monkeypatch):
        monkeypatch.setitem(app.dependency_overrides, get_session, lambda: [])
        return TestClient(app)
    ```
    ```python file=shop/database.py
    def get_session(): ...
    ```
    ```python file=shop/dependencies.py
    from shop import database


    def get_session():
        yield database.get_session()
    ```
    ```python file=shop/main.py
    from typing import Annotated

    from fastapi import Depends, FastAPI

    from shop.dependencies import get_session

    app = FastAPI()


    @app.get("/orders")
    def orders(session: Annotated[list, Depends(get_session)]):
        return session
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import pytest
    from fastapi.testclient import TestClient

    from shop.dependencies import get_session
    from shop.main import app


    @pytest.fixture
    def client(monkeypatch):
        monkeypatch.setitem(app.dependency_overrides, get_session, lambda: [])
        return TestClient(app)
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    import pytest
    from fastapi.testclient import TestClient

    from shop.database import get_session
    from shop.main import app


    @pytest.fixture
    def client(monkeypatch):
        monkeypatch.setitem(app.dependency_overrides, get_session, lambda: [])
        return TestClient(app)
    ```
    ```python file=shop/database.py
    def get_session(): ...
    ```
    ```python file=shop/main.py
    from fastapi import FastAPI

    from shop.database import get_session
    from shop.plugins import with_dependency

    # What happens to the function there is not followed.
    app = with_dependency(FastAPI(), get_session)
    ```

    ## When not to use it
    When the application under test is assembled from packages outside the project.

    ## References
    - FastAPI documentation, "Testing Dependencies with Overrides"
    - https://fastapi.tiangolo.com/advanced/testing-dependencies/
    """
    for key in dependency_overrides.overridden(node, ctx.module):
        unused = dependency_overrides.unused_key(key, ctx.module)
        if unused is not None:
            yield ctx.finding(key, related=[unused.definition, *unused.dependencies], key=ctx.text(key))
