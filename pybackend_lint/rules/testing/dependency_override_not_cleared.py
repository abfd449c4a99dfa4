"""Rule PB800: dependency-override-not-cleared."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB800",
    "dependency-override-not-cleared",
    "Clear `{app}.dependency_overrides` after `{function}`: later tests get the override too",
    nodes=(ast.Attribute,),
    names=("dependency_overrides",),
    applies="fastapi",
    fix=UNSAFE,
    tags=("correctness",),
    tests="only",
)
def check(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """A test replaces a dependency of the application and nothing takes the replacement back.

    ## Why
    The application is imported once and lives as long as the test run. An override that one test leaves
    behind answers in every test that comes after it: they pass without login, read another database,
    or fail only when the files run in another order.

    ## Bad
    ```python file=tests/test_orders.py check
    import pytest
    from fastapi.testclient import TestClient

    from shop.main import app, current_user


    @pytest.fixture
    def admin_client():
        app.dependency_overrides[current_user] = lambda: {"name": "admin"}
        return TestClient(app)


    def test_lists_orders(admin_client):
        assert admin_client.get("/orders").status_code == 200
    ```
    ```python file=shop/main.py
    from typing import Annotated

    from fastapi import Depends, FastAPI

    app = FastAPI()


    def current_user(): ...


    @app.get("/orders")
    def list_orders(user: Annotated[dict | None, Depends(current_user)]): ...
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import pytest
    from fastapi.testclient import TestClient

    from shop.main import app, current_user


    @pytest.fixture
    def admin_client(monkeypatch):
        monkeypatch.setitem(app.dependency_overrides, current_user, lambda: {"name": "admin"})
        return TestClient(app)


    def test_lists_orders(admin_client):
        assert admin_client.get("/orders").status_code == 200
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    from fastapi.testclient import TestClient

    from shop.main import app, current_user


    # The fixture of the conftest module clears after every test.
    def test_lists_orders():
        app.dependency_overrides[current_user] = lambda: {"name": "admin"}
        assert TestClient(app).get("/orders").status_code == 200


    # Cleared, although not when the assertion fails.
    def test_refuses():
        app.dependency_overrides[current_user] = lambda: None
        assert TestClient(app).get("/orders").status_code == 401
        app.dependency_overrides.clear()
    ```
    ```python file=tests/conftest.py
    import pytest

    from shop.main import app


    @pytest.fixture(autouse=True)
    def clean_overrides():
        yield
        app.dependency_overrides.clear()
    ```
    ```python file=shop/main.py
    from typing import Annotated

    from fastapi import Depends, FastAPI

    app = FastAPI()


    def current_user(): ...


    @app.get("/orders")
    def list_orders(user: Annotated[dict | None, Depends(current_user)]): ...
    ```

    ## Fix safety
    The fix sets the override through `monkeypatch`, which takes it back whatever happens. It is unsafe
    because other tests may have worked by accident with what was left behind. It is not offered for
    fixtures of a wider scope and for several overrides that are set at once.

    ## When not to use it
    When an override is meant for the whole run: set it in a fixture with `scope="session"`.

    ## References
    - FastAPI documentation, "Testing Dependencies with Overrides"
    - https://fastapi.tiangolo.com/advanced/testing-dependencies/
    """
    statements = testing.leaked_overrides(node, ctx.module)
    function = ctx.enclosing_function(node)
    if not statements or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    yield ctx.finding(
        node,
        fix=_fix(statements, function, ctx),
        app=ctx.text(node.value),
        function=function.name,
    )


def _fix(
    statements: list[ast.stmt], function: ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context
) -> Fix | None:
    parameter = testing.monkeypatch_parameter(ctx.function_info(function))
    if parameter is None:
        return None
    at, text = parameter
    edits = [Edit(at, at, text)] if text else []
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Subscript(value=overrides, slice=key)], value=value):
                arguments = ", ".join(ctx.text(part) for part in (overrides, key, value))
                edits.append(ctx.edit(statement, f"monkeypatch.setitem({arguments})"))
            case _:
                return None
    return ctx.fix("Set it through `monkeypatch`", *edits)
