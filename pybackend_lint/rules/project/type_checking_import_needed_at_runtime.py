"""Rule PB019: type-checking-import-needed-at-runtime."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import runtime_annotations
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import move_import


@rule(
    "PB019",
    "type-checking-import-needed-at-runtime",
    "Import `{name}` at run time: {framework} evaluates this annotation",
    nodes=(ast.If,),
    words=("TYPE_CHECKING",),
    fix=SAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.If, ctx: Context) -> Iterator[Finding]:
    """A framework evaluates an annotation whose name only type checkers import.

    ## Why
    Pydantic raises "not fully defined" when the model is first used, SQLAlchemy fails at import. FastAPI
    imports fine and answers the first request with 500; a `Request` that it cannot resolve silently
    becomes a required query parameter, so that every call is answered with 422. Linters that move
    imports into the block cause this when the base of the model is in another file.

    ## Bad
    ```python
    from __future__ import annotations

    from typing import TYPE_CHECKING

    from shop.schemas import Schema

    if TYPE_CHECKING:
        from datetime import datetime


    class Order(Schema):
        number: int
        placed_at: datetime
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel


    class Schema(BaseModel):
        pass
    ```
    ```python
    from typing import TYPE_CHECKING

    from fastapi import FastAPI

    if TYPE_CHECKING:
        from fastapi import Request

    app = FastAPI()


    @app.get("/orders")
    def list_orders(request: "Request") -> dict[str, str]:
        return {"path": str(request.url)}
    ```

    ## Good
    ```python
    from __future__ import annotations

    from datetime import datetime

    from shop.schemas import Schema


    class Order(Schema):
        number: int
        placed_at: datetime
    ```
    ```python
    from fastapi import FastAPI, Request

    app = FastAPI()


    @app.get("/orders")
    def list_orders(request: "Request") -> dict[str, str]:
        return {"path": str(request.url)}
    ```

    ## Not reported
    ```python
    from typing import TYPE_CHECKING, ClassVar

    from pydantic import BaseModel
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

    if TYPE_CHECKING:
        from decimal import Decimal

        from shop.customers import Customer


    class Order(BaseModel):
        number: int
        limit: ClassVar["Decimal"]

        def total(self) -> "Decimal": ...


    class Base(DeclarativeBase):
        pass


    class Row(Base):
        __tablename__ = "row"

        id: Mapped[int] = mapped_column(primary_key=True)
        customer: Mapped["Customer"] = relationship()  # resolved by the registry
    ```
    Models that are completed by `model_rebuild()` are not reported, nor are parameters with
    `= Depends(...)`, whose annotation FastAPI does not read.

    ## Fix safety
    Safe: the import moves out of the block. It is unsafe where the imported module imports this one, so
    that the import may fail.

    ## When not to use it
    Never: what it reports fails when it is used.

    ## References
    - Pydantic documentation, "Forward annotations", and `BaseModel.model_rebuild`
    - SQLAlchemy documentation, "Declarative Table with `mapped_column()`"
    """
    for needed in runtime_annotations.needed_imports(node, ctx.module):
        edits = move_import(ctx.source, needed.statement, needed.alias)
        message = "Import it at run time" + (" (the modules import each other)" if needed.is_cyclic else "")
        fix = ctx.fix(message, *edits, applicability=UNSAFE if needed.is_cyclic else SAFE) if edits else None
        yield ctx.finding(
            needed.use,
            name=needed.name,
            framework=needed.framework,
            related=(ctx.related(needed.alias, f"`{needed.name}` is imported for type checkers only"),),
            fix=fix,
        )
