"""Rule PB425: renamed-model-method."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding
from pybackend_lint.frameworks import pydantic
from pybackend_lint.frameworks.data.pydantic_v2 import RENAMED_METHODS
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule


@rule(
    "PB425",
    "renamed-model-method",
    "Use `{new}`: Pydantic 2 renamed `{model}.{old}`",
    nodes=(ast.Attribute,),
    names=tuple(RENAMED_METHODS),
    applies="pydantic>=2.0",
    fix=SAFE,
    tags=("deprecation",),
)
def check(node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
    """The methods of Pydantic 1 models have other names in Pydantic 2.

    ## Why
    The old names are kept with a warning until Pydantic 3, and some of their arguments raise already:
    `.json(indent=2)` is a `TypeError`. Only receivers that are certainly models are reported, so the
    `.json()` of a response and the `.copy()` of a dictionary stay as they are.

    ## Bad
    ```python
    from shop.schemas import Order

    def publish(order: Order, queue):
        queue.send(order.json())
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel

    class Order(BaseModel):
        id: int
    ```
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter()

    class Payload(BaseModel):
        name: str

    @router.patch("/profile")
    def change(payload: Payload) -> None:
        save(payload.dict(exclude_unset=True))
    ```
    ## Good
    ```python
    from shop.schemas import Order

    def publish(order: Order, queue):
        queue.send(order.model_dump_json())
    ```
    ```python
    from fastapi import APIRouter
    from pydantic import BaseModel

    router = APIRouter()

    class Payload(BaseModel):
        name: str

    @router.patch("/profile")
    def change(payload: Payload) -> None:
        save(payload.model_dump(exclude_unset=True))
    ```
    ## Not reported
    ```python
    import httpx

    def load(client: httpx.Client, order):
        client.get("/orders").json()  # not a model
        return order.dict()  # it may be one, but nothing says so
    ```
    ```python
    from pydantic import BaseModel

    class Order(BaseModel):
        def dict(self) -> dict:  # the project's own method
            return {}

    def dump(order: Order):
        return order.dict()
    ```
    ## Fix safety
    Safe where the new method does the same with the same arguments. Unsafe for `parse_raw` and for
    arguments that only now start to work (`indent`), for `from_orm` of a model that does not set
    `from_attributes`, and where a subclass may override the old method. There is no fix for arguments
    without counterpart (`copy(exclude=...)`, `json(encoder=...)`, `parse_raw(content_type=...)`).

    ## When not to use it
    In a library that must run with Pydantic 1 too.

    ## References
    - Pydantic: "Migration Guide", "Changes to pydantic.BaseModel"
    """
    use = pydantic.renamed_use(node, ctx.parent(node), ctx.module)
    if use is None:
        return
    fix = None
    if use.text is not None:
        edits = [ctx.edit(node, use.text.replace("{}", ctx.text(node.value)))]
        if use.argument and use.call is not None:
            written = [*use.call.args, *use.call.keywords]
            edits.append(
                ctx.insert_after(max(written, key=ctx.source.end), f", {use.argument}")
                if written
                else Edit(ctx.source.end(node), ctx.source.end(use.call), f"({use.argument})")
            )
        fix = ctx.fix(f"Use `{use.new}`", *edits, applicability=SAFE if use.is_same else UNSAFE)
    yield ctx.finding(node, fix=fix, new=use.new, model=use.model.node.name, old=node.attr)
