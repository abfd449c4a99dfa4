"""Rule PB400: class-based-config."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix, Severity
from pybackend_lint.frameworks import pydantic
from pybackend_lint.frameworks.pydantic import NestedConfig
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import delete_lines, has_own_lines, line_end
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.import_edits import add_import

_LINE_LENGTH = 88


@rule(
    "PB400",
    "class-based-config",
    "Replace `class Config` of `{model}` by `model_config = {kind}(...)`",
    nodes=(ast.ClassDef,),
    words=("class Config",),
    applies="pydantic>=2.0",
    fix=SAFE,
    tags=("deprecation",),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """A nested `class Config` configures a Pydantic model in the way of version 1.

    ## Why
    Pydantic 2 only warns about it, and Pydantic 3 will not read it any more. Keys that version 2
    renamed are lost already: `orm_mode = True` has no effect, and nothing but a warning says so.

    ## Bad
    ```python
    from pydantic import BaseModel, Extra

    class Order(BaseModel):
        id: int

        class Config:
            # rows of the database are read as they are
            orm_mode = True
            extra = Extra.forbid  # a typing error must not pass
    ```
    ```python
    from shop.schemas import Schema

    class Customer(Schema):
        name: str

        class Config:
            frozen = True
    ```
    ```python file=shop/schemas.py
    from pydantic import BaseModel

    class Schema(BaseModel):
        pass
    ```
    ## Good
    ```python
    from pydantic import BaseModel, ConfigDict

    class Order(BaseModel):
        id: int

        model_config = ConfigDict(
            # rows of the database are read as they are
            from_attributes=True,
            extra="forbid",  # a typing error must not pass
        )
    ```
    ```python
    from pydantic import ConfigDict
    from shop.schemas import Schema

    class Customer(Schema):
        name: str

        model_config = ConfigDict(frozen=True)
    ```
    ## Not reported
    ```python
    from pydantic.v1 import BaseModel

    class Event(BaseModel):  # models of the old generation are configured in the old way
        class Config:
            orm_mode = True
    ```
    ```python
    from unknown_library import Model

    class Event(Model):  # it may well be a model, but nothing proves it
        class Config:
            orm_mode = True
    ```
    ## Fix safety
    Every key is carried over, under its new name where it has one; settings classes get
    `SettingsConfigDict`. The fix is safe when Pydantic 2 knows all keys under the names they have, or
    ignores them because it always behaves as they ask. It is unsafe when a renamed key starts to have
    an effect, and when the project reads the class as `{Model}.Config`. There is none when the class
    holds methods or keys that have no counterpart (`fields`, `getter_dict`, `json_loads`, ...): the
    message names those, and what to use instead.

    ## When not to use it
    In a library that must run with Pydantic 1 too.

    ## References
    - Pydantic: "Migration Guide", "Changes to config"
    - Pydantic: "Configuration"
    """
    info = ctx.class_info(node)
    config = pydantic.nested_config(info)
    if config is None:
        return
    kind = "SettingsConfigDict" if pydantic.is_settings(info) else "ConfigDict"
    lost = ", ".join(f"`{key.name}` (use `{key.lost}`)" for key in config.keys if key.lost is not None)
    message, severity, fix = None, None, None
    if pydantic.sets_config(info):
        severity = Severity.ERROR
        message = "Merge `class Config` of `{model}` into `model_config`: Pydantic refuses both"
        message += " and ignores {lost}" if lost else ""
    elif lost:
        message = "Replace `class Config` of `{model}` by `model_config`: Pydantic 2 ignores {lost}"
    elif config.is_movable and pydantic.config_assignment(info) is None:
        fix = _fix(config, info, kind, ctx)
    yield ctx.finding(
        config.node, message=message, severity=severity, fix=fix, model=node.name, kind=kind, lost=lost
    )


def _fix(config: NestedConfig, info: ClassInfo, kind: str, ctx: Context) -> Fix | None:
    source, node = ctx.source, config.node
    kept = [key for key in config.keys if key.new_name is not None]
    safe = all(key.is_same for key in config.keys) and not pydantic.is_config_read(info)
    applicability = SAFE if safe else UNSAFE
    if len({key.new_name for key in kept}) < len(kept):  # the last one wins, a call refuses both
        return None
    if not kept:
        title = "Delete the empty `class Config`"
        alone = len(info.node.body) == 1
        edit = ctx.edit(node, "pass") if alone else delete_lines(source, node, blank_lines=True)
        return ctx.fix(title, edit, applicability=applicability) if edit is not None else None
    package = "pydantic_settings" if kind == "SettingsConfigDict" else "pydantic"
    name, imports = add_import(source, f"{package}.{kind}")
    pieces = [f"{key.new_name}={key.text}" for key in kept]
    line = f"model_config = {name}({', '.join(pieces)})"
    indent = source.indentation(node)
    ends = [source.text.index(":", source.end(node.bases[-1]) if node.bases else source.start(node))]
    ends += [source.end(statement) for statement in node.body]
    gaps = [
        source.text[end : source.start(statement)] for end, statement in zip(ends, node.body, strict=False)
    ]
    is_plain = not any("#" in gap for gap in gaps)
    if is_plain and "\n" not in line and len(indent + line) <= _LINE_LENGTH:
        edits = [ctx.edit(node, line)]
    elif not all(has_own_lines(source, statement) for statement in node.body):
        return None
    else:
        edits = [Edit(source.start(node), ends[0] + 1, f"model_config = {name}(")]
        for statement in node.body:
            key = next((key for key in kept if key.statement is statement), None)
            if key is None:
                edits += filter(None, [delete_lines(source, statement)])
            else:
                edits.append(ctx.edit(statement, f"{key.new_name}={key.text},"))
        last = line_end(source, kept[-1].statement)
        edits.append(Edit(last, last, f"\n{indent})"))
    return ctx.fix(f"Use `{kind}`", *edits, *imports, applicability=applicability)
