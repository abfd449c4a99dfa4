"""Rule PB408: classmethod-above-validator."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import pydantic
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB408",
    "classmethod-above-validator",
    "Put `@classmethod` below `@{decorator}`: Pydantic never runs `{function}`",
    nodes=(ast.FunctionDef,),
    words=("classmethod",),
    applies="pydantic>=2.0",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """A validator below `@classmethod` is hidden by it: Pydantic does not see it and never runs it.

    ## Why
    There is no error and no warning: every value passes, also those that the validator was written to
    refuse. Pydantic looks for its own decorator as the outermost one.

    ## Bad
    ```python
    from pydantic import BaseModel, field_validator

    class Order(BaseModel):
        quantity: int

        @classmethod
        @field_validator("quantity")
        def positive(cls, value: int) -> int:
            if value <= 0:
                raise ValueError("an order needs at least one item")
            return value
    ```
    ```python
    from shop.validation import before

    from shop.schemas import Schema

    class Order(Schema):
        @classmethod
        @before(mode="before")
        def unpack(cls, data: dict) -> dict:
            return data["order"]
    ```
    ```python file=shop/validation.py
    from pydantic import model_validator as before
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel

    class Schema(BaseModel):
        pass
    ```
    ## Good
    ```python
    from pydantic import BaseModel, field_validator

    class Order(BaseModel):
        quantity: int

        @field_validator("quantity")
        @classmethod
        def positive(cls, value: int) -> int:
            if value <= 0:
                raise ValueError("an order needs at least one item")
            return value
    ```
    ```python
    from shop.validation import before

    from shop.schemas import Schema

    class Order(Schema):
        @before(mode="before")
        @classmethod
        def unpack(cls, data: dict) -> dict:
            return data["order"]
    ```
    ## Not reported
    ```python
    from shop.rules import validator

    class Order:
        @classmethod
        @validator("quantity")  # a decorator of the project, which may be wrapped in any way
        def positive(cls, value: int) -> int:
            return value
    ```
    ```python file=shop/rules.py
    def validator(name):
        return lambda function: function
    ```
    ## Fix safety
    The decorators change places, and the validator starts to run: values that passed until now may be
    refused or changed.

    ## When not to use it
    There is no reason to keep a validator that cannot run.

    ## References
    - Pydantic: "Validators", "Field validators"
    """
    hidden = pydantic.hidden_validators(ctx.function_info(node))
    if hidden is None:
        return
    first, below = hidden
    decorators = node.decorator_list[first : below[-1] + 1]
    texts = [ctx.text(decorator) for decorator in decorators]
    edits = [
        ctx.edit(decorator, text) for decorator, text in zip(decorators, [*texts[1:], texts[0]], strict=True)
    ]
    name = ctx.text(node.decorator_list[below[0]]).partition("(")[0]
    fix = ctx.fix("Put `@classmethod` below the validator", *edits)
    yield ctx.finding(node.decorator_list[first], fix=fix, decorator=name, function=node.name)
