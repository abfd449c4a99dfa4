"""Rule PB404: validator-decorator."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import pydantic
from pybackend_lint.frameworks.pydantic import OldValidator
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import has_own_lines, remove_argument
from pybackend_lint.semantic.import_edits import replace_imports


@rule(
    "PB404",
    "validator-decorator",
    "Use `@field_validator` for `{function}`: `@validator` is of Pydantic 1{rest}",
    nodes=(ast.FunctionDef, ast.Call),
    names=("validator",),
    words=("validator",),
    applies="pydantic>=2.0",
    fix=SAFE,
    tags=("deprecation",),
)
def check(node: ast.FunctionDef | ast.Call, ctx: Context) -> Iterator[Finding]:
    """`@validator` is the decorator of Pydantic 1, which version 2 only keeps with a warning.

    ## Why
    Pydantic 3 will not have it. Version 2 wraps it in an adapter: `each_item` works in fewer places,
    and the parameters `field` and `config` are refused when the class is created.

    ## Bad
    ```python
    from pydantic import BaseModel, validator

    class Order(BaseModel):
        currency: str

        @validator("currency", pre=True, allow_reuse=True)
        def upper(cls, value: str) -> str:
            return value.upper()
    ```
    ```python
    from pydantic import BaseModel, validator

    class Period(BaseModel):
        start: int
        end: int

        @validator("end")
        def ordered(cls, end, values):
            if "start" in values and end < values["start"]:
                raise ValueError("the period ends before it starts")
            return end
    ```
    ## Good
    ```python
    from pydantic import BaseModel, field_validator

    class Order(BaseModel):
        currency: str

        @field_validator("currency", mode="before")
        @classmethod
        def upper(cls, value: str) -> str:
            return value.upper()
    ```
    ```python
    from pydantic import BaseModel, ValidationInfo, field_validator

    class Period(BaseModel):
        start: int
        end: int

        @field_validator("end")
        @classmethod
        def ordered(cls, end, info: ValidationInfo):
            if "start" in info.data and end < info.data["start"]:
                raise ValueError("the period ends before it starts")
            return end
    ```
    ## Not reported
    ```python
    from pydantic.v1 import BaseModel, validator

    class Order(BaseModel):
        currency: str

        @validator("currency")  # models of the old generation are validated in the old way
        def upper(cls, value: str) -> str:
            return value.upper()
    ```
    ## Fix safety
    A validator of `(cls, value)` becomes the field validator of the same mode, which runs at the same
    moment: that is safe. Reading `values` becomes reading `info.data`, which is unsafe because other
    code may call the function. There is no fix for `always` (the field needs `validate_default=True`),
    `each_item` (the items need an annotation of their own), `field` and `config`, nor for a function that
    several models share: `_upper = validator("currency", allow_reuse=True)(upper)`.

    ## When not to use it
    In a library that must run with Pydantic 1 too.

    ## References
    - Pydantic: "Migration Guide", "Changes to validators"
    - Pydantic: "Validators", "Field validators"
    """
    if isinstance(node, ast.Call):
        reused = pydantic.reused_function(node, ctx.module)
        if reused is not None:
            yield ctx.finding(node.func, function=ctx.text(reused), rest="")
        return
    found = pydantic.old_validator(ctx.function_info(node))
    if found is not None:
        rest = f", and `{found.unsupported}` has no counterpart" if found.unsupported else ""
        fix = _fix(found, node, ctx) if found.is_convertible else None
        yield ctx.finding(found.decorator, fix=fix, function=node.name, rest=rest)


def _fix(found: OldValidator, node: ast.FunctionDef, ctx: Context) -> Fix | None:
    source, call = ctx.source, found.decorator
    wanted = ["pydantic.field_validator"]
    if found.values is not None:
        wanted.append("pydantic.ValidationInfo")
    names, imports = replace_imports(source, wanted, ())
    edits: list[Edit | None] = [ctx.edit(call.func, names[0])]
    for keyword in call.keywords:
        if keyword is found.before:
            edits.append(ctx.edit(keyword, 'mode="before"'))
        elif keyword in found.dropped:
            edits.append(remove_argument(source, call, keyword))
    if not found.is_class_method:
        below = f"\n{source.indentation(node)}@classmethod"
        edits.append(ctx.insert_after(call, below) if has_own_lines(source, call) else None)
    if found.values is not None:
        edits.append(ctx.edit(found.values, f"info: {names[1]}"))
        edits += [ctx.edit(use, "info.data") for use in found.uses]
    if None in edits:
        return None
    chosen = UNSAFE if found.values is not None else SAFE
    return ctx.fix(
        "Use `@field_validator`", *(edit for edit in edits if edit), *imports, applicability=chosen
    )
