"""Rule PB022: implicit-optional-in-model."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import none_defaults, pydantic
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB022",
    "implicit-optional-in-model",
    "Annotate `{name}` as `{type} | None`: its default is `None`",
    nodes=(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef),
    words=("None",),
    applies="pydantic>=2.0",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, ctx: Context) -> Iterator[Finding]:
    """A field or query parameter is declared without None and has None as its default.

    ## Why
    Pydantic 2 does not validate defaults: the attribute is `None` where the schema and the type checker
    say `int`, and the first arithmetic on it fails far away. What a client may send follows the
    annotation instead: `null` is refused with 422, so the value that the model itself produces cannot be
    read back.

    ## Bad
    ```python
    from shop.schemas import Schema


    class OrderFilter(Schema):
        status: str = "open"
        customer_id: int = None
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel


    class Schema(BaseModel):
        pass
    ```

    ## Good
    ```python
    from shop.schemas import Schema


    class OrderFilter(Schema):
        status: str = "open"
        customer_id: int | None = None
    ```

    ## Not reported
    ```python
    from typing import Annotated, Any, ClassVar

    from pydantic import BaseModel, Field, field_validator


    class Order(BaseModel):
        note: str | None = None
        extra: Any = None
        cache: ClassVar[dict] = None
        total: int = Field(default=None, validate_default=True)  # fails at once
        number: str = None

        @field_validator("number", mode="before")  # may fill it in
        @classmethod
        def number_from_id(cls, value: object) -> object:
            return value
    ```
    Annotations whose meaning is not certain are left alone, and so are fields that a validator or a
    method of the model fills in. Dependencies always get a value, whatever their default says. Plain
    dataclasses and functions that are no routes are the matter of type checkers.

    ## Fix safety
    Unsafe: clients may send `null` afterwards, and the schema says so.

    ## When not to use it
    Where the published schema must not mention `null`.

    ## References
    - Pydantic documentation, "Fields", Validate default values
    - FastAPI documentation, "Query Parameters", Optional parameters
    """
    module = ctx.module
    if isinstance(node, ast.ClassDef):
        found = none_defaults.none_fields(node, module)
    else:
        found = [] if not node.decorator_list else none_defaults.none_parameters(node, module)
        found = [one for one in found if not ctx.project.ruff_selects("RUF013")]
    if not found or pydantic.is_written_for_first_generation(module):
        return
    for one in found:
        edit = none_defaults.optional_edit(one, module)
        fix = ctx.fix("Let the annotation include `None`", edit)
        text = ctx.text(one.annotation).strip("\"'")
        supported = ctx.project.satisfies("python>=3.10", "lower")
        target = one.node.target if isinstance(one.node, ast.AnnAssign) else one.node
        yield ctx.finding(
            target, end=one.annotation, name=one.name, type=text, fix=fix if supported else None
        )
