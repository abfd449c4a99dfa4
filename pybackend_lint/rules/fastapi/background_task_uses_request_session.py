"""Rule PB323: background-task-uses-request-session."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.frameworks import fastapi_requests
from pybackend_lint.rule import Context, rule


@rule(
    "PB323",
    "background-task-uses-request-session",
    "Open what the task needs inside it: `{name}` is closed before the task runs",
    nodes=(ast.Call,),
    names=("add_task", "BackgroundTask"),
    applies="fastapi>=0.106,<0.118",
    bound="upper",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A background task gets a value that a dependency cleans up before the task runs.

    ## Why
    From FastAPI 0.106 to 0.117 the code behind the `yield` of a dependency runs before the response is
    sent, and background tasks run after that. A closed session of SQLAlchemy silently opens another
    connection that nobody gives back; a closed file or client raises.

    ## Bad
    ```python
    from fastapi import APIRouter, BackgroundTasks
    from shop.database import Db
    from shop.tasks import send_invoice

    router = APIRouter(prefix="/orders")

    @router.post("/{order_id}/invoice")
    def invoice(order_id: int, tasks: BackgroundTasks, db: Db) -> None:
        tasks.add_task(send_invoice, order_id, db)
    ```
    ```python file=shop/database.py
    from collections.abc import Iterator
    from typing import Annotated
    from fastapi import Depends

    class Session:
        def close(self) -> None: ...

    def get_db() -> Iterator[Session]:
        session = Session()
        try:
            yield session
        finally:
            session.close()

    Db = Annotated[Session, Depends(get_db)]
    ```
    ```python file=shop/tasks.py
    def send_invoice(order_id: int, db: object = None) -> None: ...
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi==0.115.0"]
    ```
    ## Good
    ```python
    from fastapi import APIRouter, BackgroundTasks
    from shop.tasks import send_invoice

    router = APIRouter(prefix="/orders")

    @router.post("/{order_id}/invoice")
    def invoice(order_id: int, tasks: BackgroundTasks) -> None:
        tasks.add_task(send_invoice, order_id)  # it opens a session of its own
    ```
    ## Not reported
    ```python
    from typing import Annotated
    from fastapi import APIRouter, BackgroundTasks, Depends
    from shop.settings import Settings, get_settings
    from shop.tasks import send_invoice

    router = APIRouter(prefix="/orders")
    Config = Annotated[Settings, Depends(get_settings)]

    @router.post("/{order_id}/invoice")
    def invoice(order_id: int, tasks: BackgroundTasks, settings: Config) -> None:
        tasks.add_task(send_invoice, order_id, settings)  # nothing cleans it up
    ```
    ```python file=shop/settings.py
    class Settings: ...

    def get_settings() -> Settings:
        return Settings()
    ```
    ```python file=shop/tasks.py
    def send_invoice(order_id: int, settings: object) -> None: ...
    ```
    ```toml file=pyproject.toml
    [project]
    dependencies = ["fastapi==0.115.0"]
    ```
    ## When not to use it
    With other versions of FastAPI, for which the rule is silent: from 0.118 on the clean-up waits for
    the task, which holds a connection of the pool until then.

    ## References
    - FastAPI: "Dependencies with yield", "Dependencies with yield and background tasks"
    - FastAPI: "Release Notes", 0.106.0 and 0.118.0
    """
    for value, dependency in fastapi_requests.values_closed_before(node, ctx.module):
        source = dependency.module.source
        place = Related(source.path, source.position(source.start(dependency.node)), "cleans it up")
        yield ctx.finding(value, related=[place], name=value.id)
