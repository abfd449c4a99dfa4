"""Rule PB802: async-test-never-runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import testing
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB802",
    "async-test-never-runs",
    'Mark `{test}` with `@pytest.mark.asyncio` or set `asyncio_mode = "auto"`: it never runs',
    nodes=(ast.AsyncFunctionDef,),
    words=("async def test",),
    fix=SAFE,
    severity="error",
    tags=("correctness",),
    tests="only",
)
def check(node: ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A coroutine test without a mark is not run by pytest-asyncio in its strict mode.

    ## Why
    Pytest cannot run coroutines itself, and in strict mode, the default, pytest-asyncio takes only the
    tests that are marked. Up to pytest 8.3 such a test is skipped with a warning, so the suite is
    green and checks nothing; from 8.4 on it fails.

    ## Bad
    ```python file=tests/test_orders.py check
    import pytest


    @pytest.mark.asyncio
    async def test_creates(client):
        assert (await client.post("/orders")).status_code == 201


    async def test_refuses_without_login(client):
        assert (await client.get("/orders")).status_code == 401
    ```
    ```python file=tests/conftest.py
    import httpx
    import pytest_asyncio

    from shop.main import app


    @pytest_asyncio.fixture
    async def client():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            yield client
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["fastapi>=0.115"]

    [dependency-groups]
    dev = ["pytest>=8.4", "pytest-asyncio>=1.0", "httpx>=0.28"]
    ```

    ## Good
    ```python file=tests/test_orders.py check
    import pytest


    @pytest.mark.asyncio
    async def test_creates(client):
        assert (await client.post("/orders")).status_code == 201


    @pytest.mark.asyncio
    async def test_refuses_without_login(client):
        assert (await client.get("/orders")).status_code == 401
    ```

    ## Not reported
    ```python file=tests/test_orders.py check
    async def test_refuses_without_login(client):
        assert (await client.get("/orders")).status_code == 401
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["fastapi>=0.115"]

    [dependency-groups]
    dev = ["pytest>=8.4", "pytest-asyncio>=1.0", "httpx>=0.28"]

    [tool.pytest.ini_options]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "function"
    ```

    ```python file=tests/test_orders.py check
    # The conftest module marks all coroutine tests.
    async def test_refuses_without_login(client):
        assert (await client.get("/orders")).status_code == 401
    ```
    ```python file=tests/conftest.py
    import inspect

    import pytest


    def pytest_collection_modifyitems(items):
        for item in items:
            if inspect.iscoroutinefunction(item.function):
                item.add_marker(pytest.mark.asyncio)
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["fastapi>=0.115"]

    [dependency-groups]
    dev = ["pytest>=8.4", "pytest-asyncio>=1.0"]
    ```

    ## Fix safety
    The fix adds the mark. From pytest 8.4 on it is safe: without the mark the test can only fail.
    Below, it is unsafe, because a test starts to run that was skipped and may fail.

    ## When not to use it
    When a plugin of your own runs coroutine tests. Tests that their own file names, such as in a list that
    it runs, are left alone.

    ## References
    - pytest-asyncio documentation, "Concepts": test discovery modes
    - https://pytest-asyncio.readthedocs.io/en/stable/concepts.html
    - pytest 8.4 changelog: asynchronous tests without a plugin fail
    """
    function = ctx.function_info(node)
    if function.yields or not testing.is_test(function) or testing.has_async_mark(function):
        return
    if not testing.is_collected_file(ctx.module):
        return
    if not testing.needs_asyncio_mark(ctx.module, ctx.project):
        return
    if "anyio_backend" in testing.requested(function) or testing.is_named_by_its_file(function):
        return
    name, imports = add_import(ctx.source, "pytest", from_import=False)
    row = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    line = ctx.source.line(row)
    indent = line[: len(line) - len(line.lstrip())]
    start = ctx.source.line_starts[row - 1]
    mark = f"{indent}@{name}.mark.asyncio\n"
    edits = [edit for edit in imports if edit.start != start]
    # An import at the very same place has to come first.
    ahead = "".join(edit.text for edit in imports if edit.start == start)
    runs = ctx.project.satisfies("pytest>=8.4", "lower")
    yield ctx.finding(
        node,
        end=node.args.args[0] if node.args.args else None,
        fix=ctx.fix(
            "Mark the test",
            Edit(start, start, ahead + mark),
            *edits,
            applicability=SAFE if runs else UNSAFE,
        ),
        test=node.name,
    )
