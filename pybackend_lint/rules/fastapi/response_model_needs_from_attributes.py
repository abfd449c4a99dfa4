"""Rule PB330: response-model-needs-from-attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix, Related
from pybackend_lint.frameworks import fastapi_responses, pydantic
from pybackend_lint.rule import SAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after, line_before
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB330",
    "response-model-needs-from-attributes",
    "Set `from_attributes=True` on `{schema}`: `{value}` is an object of `{entity}`, no dictionary",
    nodes=(ast.Call,),
    names=("model_validate",),
    applies="pydantic>=2",
    fix=SAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`Schema.model_validate()` gets an object of a mapped class, but the schema only reads dictionaries.

    ## Why
    Pydantic reads attributes of other objects only with `from_attributes=True`. Without it the call
    raises `ValidationError`, which FastAPI answers with status 500. A route that *returns* the object
    works without it, so that the fault shows up when the call is added.

    ## Bad
    ```python
    from pydantic import BaseModel
    from shop.models import Order

    class OrderRead(BaseModel):
        id: int

    def describe(order: Order) -> OrderRead:
        return OrderRead.model_validate(order)
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
    ```
    ## Good
    ```python
    from pydantic import BaseModel, ConfigDict
    from shop.models import Order

    class OrderRead(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int

    def describe(order: Order) -> OrderRead:
        return OrderRead.model_validate(order)
    ```
    ## Not reported
    ```python
    from pydantic import BaseModel
    from shop.models import Order
    from shop.schemas import Schema

    class OrderRead(Schema):  # the base reads attributes
        id: int

    class Plain(BaseModel):
        id: int

    def describe(order: Order) -> OrderRead:
        return OrderRead.model_validate(order)

    def once(order: Order) -> Plain:
        return Plain.model_validate(order, from_attributes=True)

    def from_text(row: dict[str, int]) -> Plain:
        return Plain.model_validate(row)
    ```
    ```python file=shop/models.py
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel, ConfigDict

    class Schema(BaseModel):
        model_config = ConfigDict(from_attributes=True)
    ```
    ## Fix safety
    The schema accepts objects as well; what it accepted before, it still does. The fix is offered for
    schemas of the same file.

    ## When not to use it
    There is no reason to keep a call that raises.

    ## References
    - Pydantic: "Models", "Arbitrary class instances"
    - Pydantic: "Configuration", `from_attributes`
    """
    found = fastapi_responses.validated_entity(node, ctx.module)
    if found is None:
        return
    schema, entity = found
    source = schema.module.source
    place = Related(source.path, source.position(source.start(schema.node)), "the schema")
    yield ctx.finding(
        node,
        fix=_configured(schema, ctx),
        related=[place],
        schema=schema.node.name,
        value=ctx.text(node.args[0]),
        entity=entity.node.name,
    )


def _configured(schema: ClassInfo, ctx: Context) -> Fix | None:
    """The fix that sets the option in the schema's own configuration."""
    if schema.module is not ctx.module:
        return None
    message, body = "Read attributes", schema.node.body
    assignment = pydantic.config_assignment(schema)
    if assignment is not None:
        call = assignment.value
        if not isinstance(call, ast.Call) or call.args or not call.keywords:
            return None
        return ctx.fix(message, ctx.insert_after(call.keywords[-1], ", from_attributes=True"))
    first = body[0]
    if pydantic.config_class(schema) is not None:
        return None
    name, imports = add_import(ctx.source, "pydantic.ConfigDict")
    line = f"model_config = {name}(from_attributes=True)"
    is_documentation = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    insertion = line_after if is_documentation else line_before
    edit = insertion(ctx.source, first, line, blank_lines=1)
    return ctx.fix(message, edit, *imports) if edit is not None else None
