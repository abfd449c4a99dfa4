"""Rule PB017: future-annotations-breaks-runtime."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import runtime_annotations
from pybackend_lint.rule import Context, rule


@rule(
    "PB017",
    "future-annotations-breaks-runtime",
    "Define `{name}` in the module: FastAPI cannot find it in deferred annotations",
    nodes=(ast.ImportFrom,),
    words=("__future__",),
    applies="fastapi",
    severity="error",
    tags=("correctness",),
    tests="both",
)
def check(node: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
    """An annotation of a route names something local to a function, and all annotations are deferred.

    ## Why
    With `from __future__ import annotations` an annotation is a text, which FastAPI evaluates with the
    names of the module. A body model, a `Request` or a dependency that the enclosing function defines or
    imports is not among them, and nothing is raised: the parameter becomes a required one of the query,
    and every call is answered with 422; with a default it always has that.

    ## Bad
    ```python
    from __future__ import annotations

    from fastapi import FastAPI

    from shop.schemas import Schema


    def create_app() -> FastAPI:
        app = FastAPI()

        class Order(Schema):
            number: int

        @app.post("/orders")
        def create_order(order: Order) -> dict[str, int]:
            return {"number": order.number}

        return app
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel


    class Schema(BaseModel):
        pass
    ```

    ## Good
    ```python
    from __future__ import annotations

    from fastapi import FastAPI

    from shop.schemas import Schema


    class Order(Schema):
        number: int


    def create_app() -> FastAPI:
        app = FastAPI()

        @app.post("/orders")
        def create_order(order: Order) -> dict[str, int]:
            return {"number": order.number}

        return app
    ```

    ## Not reported
    ```python
    from __future__ import annotations

    from fastapi import FastAPI
    from fastapi.responses import Response
    from pydantic import BaseModel, validate_call


    def create_app() -> FastAPI:
        app = FastAPI()

        class Line(BaseModel):
            amount: int

        class Order(BaseModel):
            lines: list[Line]  # Pydantic looks into the function too

        @validate_call
        def total(order: Order) -> int:  # and here
            return sum(line.amount for line in order.lines)

        class Teapot(Response):
            status_code = 418

        @app.get("/teapot")
        def teapot() -> Teapot:  # what is a response is sent as it is
            return Teapot()

        return app
    ```
    Nor are parameters with `= Depends(function)`, whose annotation FastAPI does not read.

    ## When not to use it
    Never: what it reports does not work. To remove the import repairs it as well, where no other
    annotation of the module needs it.

    ## References
    - Python documentation, `typing.get_type_hints`
    - PEP 563, "Resolving Type Hints at Runtime"
    """
    if not runtime_annotations.defers_annotations(node):
        return
    for unresolved in runtime_annotations.unresolved_names(ctx.module):
        yield ctx.finding(
            unresolved.use,
            name=unresolved.name,
            related=(
                ctx.related(unresolved.definition, f"`{unresolved.name}` is local to the function"),
                ctx.related(node, "this defers all annotations of the module"),
            ),
        )
