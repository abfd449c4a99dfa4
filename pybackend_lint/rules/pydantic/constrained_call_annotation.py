"""Rule PB429: constrained-call-annotation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import pydantic
from pybackend_lint.frameworks.data.pydantic_v2 import CONSTRAINED
from pybackend_lint.frameworks.pydantic import Constrained
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import replace_imports


@rule(
    "PB429",
    "constrained-call-annotation",
    "Write `Annotated[{type}, {marker}(...)]`: an annotation cannot call `{function}`",
    nodes=(ast.Call,),
    names=tuple(name.rpartition(".")[2] for name in CONSTRAINED),
    applies="pydantic>=2.0",
    fix=SAFE,
    tags=("style",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`conint()`, `constr()` and their like stand in an annotation, where no call may stand.

    ## Why
    Type checkers reject a call in an annotation, and with it all that they know about the field:
    it becomes `Any`. Pydantic discourages these functions since version 2 and intends to drop them.

    ## Bad
    ```python
    from pydantic import BaseModel, conint

    class Order(BaseModel):
        quantity: conint(gt=0, le=100)
    ```
    ```python
    from fastapi import APIRouter
    from shop.types import constr

    router = APIRouter()

    @router.get("/products/{code}")
    def product(code: constr(to_upper=True, max_length=8)) -> str:
        return code
    ```
    ```python file=shop/types.py
    from pydantic import constr
    ```
    ## Good
    ```python
    from typing import Annotated

    from pydantic import BaseModel, Field

    class Order(BaseModel):
        quantity: Annotated[int, Field(gt=0, le=100)]
    ```
    ```python
    from typing import Annotated

    from fastapi import APIRouter
    from pydantic import StringConstraints

    router = APIRouter()

    @router.get("/products/{code}")
    def product(code: Annotated[str, StringConstraints(to_upper=True, max_length=8)]) -> str:
        return code
    ```
    ## Not reported
    ```python
    from pydantic import TypeAdapter, conint

    QUANTITY = TypeAdapter(conint(gt=0))  # a call where calls may stand
    ```
    ## Fix safety
    Pydantic makes the same annotation of the call. Unsafe where a keyword of Pydantic 1 (`regex`,
    `min_items`, `max_items`) is renamed, since version 2 refuses those when the class is created.

    ## When not to use it
    In a project that uses no type checker and accepts to rewrite these later.

    ## References
    - Pydantic: "Types", "Composing types via Annotated"
    - Pydantic: "API documentation, Types", note on `conint`
    """
    found = pydantic.constrained(node, ctx.module)
    if found is not None and pydantic.is_annotation(node, ctx.module):
        kind = found.type_name.rpartition(".")[2]
        marker = found.marker.rpartition(".")[2]
        function = ctx.text(node.func)
        yield ctx.finding(node, fix=_fix(node, found, ctx), type=kind, marker=marker, function=function)


def _fix(node: ast.Call, found: Constrained, ctx: Context) -> Fix | None:
    text = ctx.text(node)
    if found.arguments is None or ("#" in text and "\n" in text):
        return None
    wanted = ["typing.Annotated", found.marker] if found.arguments else []
    is_builtin = found.type_name.startswith("builtins.")
    names, imports = replace_imports(ctx.source, [*wanted, *([] if is_builtin else [found.type_name])], ())
    type_text = found.type_name.rpartition(".")[2] if is_builtin else names[-1]
    if found.item is not None:
        type_text += f"[{ctx.text(found.item)}]"
    if found.arguments:
        written = ", ".join(f"{name}={ctx.text(value)}" for name, value in found.arguments)
        type_text = f"{names[0]}[{type_text}, {names[1]}({written})]"
    applicability = SAFE if found.is_same else UNSAFE
    return ctx.fix("Use `Annotated`", ctx.edit(node, type_text), *imports, applicability=applicability)
