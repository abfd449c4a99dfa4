"""Rule PB414: optional-without-default."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Related
from pybackend_lint.frameworks import pydantic, pydantic_input
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB414",
    "optional-without-default",
    "Write `= None`: `{field}` of `{model}` is required in Pydantic 2{proof}",
    nodes=(ast.ClassDef,),
    words=("None", "Optional"),
    applies="pydantic>=2.0",
    fix=UNSAFE,
    tags=("correctness", "deprecation"),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A field that may be None had the default None in Pydantic 1; in Pydantic 2 it is required.

    ## Why
    Nothing warns about it. Requests and rows that leave the field out were accepted, and are answered
    with a validation error after the upgrade.

    Pydantic 2 also has a use for such fields: None has to be said. So they are reported only where
    something shows that the default is missed: the project creates the model without the field; or the file
    is still written for Pydantic 1, and the model is the body of a request or parsed from other data.

    ## Bad
    ```python
    from pydantic import BaseModel

    class Customer(BaseModel):
        name: str
        phone: str | None
    ```
    ```python file=shop/service.py
    from example import Customer

    def register(name: str) -> Customer:
        return Customer(name=name)
    ```
    ```python
    from typing import Optional

    from pydantic import BaseModel, Extra, Field

    class Address(BaseModel, extra=Extra.forbid):
        street: str
        district: Optional[str] = Field(description="where the city has any")
    ```
    ```python file=shop/routes.py
    from example import Address
    from fastapi import APIRouter

    router = APIRouter()

    @router.post("/addresses")
    def add(address: Address) -> str:
        return address.street
    ```
    ## Good
    ```python
    from pydantic import BaseModel

    class Customer(BaseModel):
        name: str
        phone: str | None = None
    ```
    ```python
    from typing import Optional

    from pydantic import BaseModel, Extra, Field

    class Address(BaseModel, extra=Extra.forbid):
        street: str
        district: Optional[str] = Field(default=None, description="where the city has any")
    ```
    ## Not reported
    ```python
    from pydantic import BaseModel, Field

    class Customer(BaseModel):
        name: str
        phone: str | None  # required, and None has to be said: nothing shows that this is not meant
        email: str | None = Field(...)  # says that it is required
    ```
    ```python
    from pydantic import BaseModel, Extra

    class CustomerRead(BaseModel, extra=Extra.forbid):
        phone: str | None  # a model that is only sent: whoever fills it gives the field
    ```
    ## Fix safety
    The field becomes optional: what is refused today is accepted then.

    ## When not to use it
    In a project whose migration to Pydantic 2 is complete and that wants None to be said.

    ## References
    - Pydantic: "Migration Guide", "Required, optional, and nullable fields"
    """
    if not any(isinstance(statement, ast.AnnAssign) for statement in node.body):
        return
    info = ctx.class_info(node)
    if not pydantic.is_model(info):
        return
    for field in pydantic.nullable_without_default(info):
        missing = pydantic.created_without(field, ctx.project.is_test)
        if missing is None and not (
            pydantic.is_written_for_first_generation(ctx.module)
            and pydantic_input.is_filled_from_outside(info)
        ):
            continue
        call = field.field_call
        if call is None:
            edit = ctx.insert_after(field.node, " = None")
        elif call.keywords:
            edit = ctx.insert_before(call.keywords[0], "default=None, ")
        else:
            edit = Edit(ctx.source.end(call.func), ctx.source.end(call), "(default=None)")
        related, proof = [], ""
        if missing is not None:
            path, position = missing
            related = [Related(path, position, f"creates `{node.name}` without `{field.name}`")]
            proof = ", and some code leaves it out"
        fix = ctx.fix("Give it the default None", edit)
        yield ctx.finding(
            field.node, fix=fix, related=related, field=field.name, model=node.name, proof=proof
        )
