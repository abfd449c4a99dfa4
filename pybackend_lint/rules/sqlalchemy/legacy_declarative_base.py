"""Rule PB502: legacy-declarative-base."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import sqlalchemy_bases
from pybackend_lint.rule import UNSAFE, Context, rule


@rule(
    "PB502",
    "legacy-declarative-base",
    "Derive `{base}` from `DeclarativeBase` instead of calling `declarative_base()`",
    nodes=(ast.Call,),
    names=("declarative_base",),
    applies="sqlalchemy>=2.0",
    fix=UNSAFE,
    tags=("deprecation",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """`declarative_base()` makes a base class that type checkers cannot see through.

    ## Why
    A base made by a call is of no known type: no attribute of any mapped class is checked, and the plugin
    that once helped is gone in SQLAlchemy 2.1. A class that derives from `DeclarativeBase` does the same and
    is an ordinary class to every tool.

    ## Bad
    ```python
    from sqlalchemy import MetaData
    from sqlalchemy.orm import declarative_base

    metadata = MetaData(schema="shop")
    Base = declarative_base(metadata=metadata)
    ```

    ## Good
    ```python
    from sqlalchemy import MetaData
    from sqlalchemy.orm import DeclarativeBase

    metadata = MetaData(schema="shop")


    class Base(DeclarativeBase):
        metadata = metadata
    ```

    ## Not reported
    ```python
    from orm import declarative_base

    Base = declarative_base()  # not SQLAlchemy's
    ```
    ```python
    from sqlalchemy.orm import declarative_base

    Base = declarative_base()
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    dependencies = ["sqlalchemy>=1.4"]  # DeclarativeBase came with 2.0
    ```

    ## Fix safety
    Below `DeclarativeBase` an annotation of a mapped class must be `Mapped[...]`: a class with
    `name: str = Column(...)` raises `MappedAnnotationError` when it is imported. The fix is not offered where
    a class of the same file has such an annotation; other files have to be looked at. Nor is it offered for
    the arguments `cls`, `metaclass`, `constructor`, `mapper` and `class_registry`, which have no such form.

    ## When not to use it
    While the project supports SQLAlchemy 1.4.

    ## References
    - SQLAlchemy 2.0: "What's New in SQLAlchemy 2.0?", "Step one - declarative_base() is superseded by
      DeclarativeBase"
    """
    base = sqlalchemy_bases.legacy_base(call, ctx)
    if base is None:
        return
    edits = sqlalchemy_bases.base_class(base, ctx)
    fix = ctx.fix("Write a class", *edits) if edits is not None else None
    yield ctx.finding(call, base=base.name, fix=fix)
