"""Rule PB167: default-shadows-database-default."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_models
from pybackend_lint.rule import Context, rule


@rule(
    "PB167",
    "default-shadows-database-default",
    "Drop one default: Django writes {default}, and the database {database} for rows from elsewhere",
    nodes=(ast.keyword,),
    words=("db_default",),
    applies="django>=5.0",
    default=False,
    tags=("correctness",),
)
def check(keyword: ast.keyword, ctx: Context) -> Iterator[Finding]:
    """A field has a `default` and a `db_default` that differ.

    ## Why
    Django sends the `default` with every row that it creates, so its own rows never get the `db_default`:
    that one is for rows that a migration, a script or another service writes. With two values the same row
    begins differently depending on who writes it, and whoever reads the model sees one of them only.

    ## Bad
    ```python file=shop/models.py check
    from django.db import models


    class Subscription(models.Model):
        is_active = models.BooleanField(default=False, db_default=True)
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## Good
    ```python file=shop/models.py check
    from django.db import models


    class Subscription(models.Model):
        is_active = models.BooleanField(db_default=True)
    ```
    ## Not reported
    ```python file=shop/models.py check
    from django.db import models
    from django.db.models.functions import Now
    from django.utils import timezone


    class Subscription(models.Model):
        # one value, which old versions of the application get from the database during a deployment
        is_active = models.BooleanField(default=True, db_default=True)
        options = models.JSONField(default=dict, db_default={})
        # both mean the same moment
        created = models.DateTimeField(default=timezone.now, db_default=Now())
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## When not to use it
    Where the difference is meant: a new column whose `db_default` keeps the rows that are there as they
    were, while new rows begin otherwise. A linter cannot tell, so the rule is not on by default.
    ## References
    - Django documentation, "Model field reference: db_default"
      (https://docs.djangoproject.com/en/stable/ref/models/fields/#db-default)
    """
    if keyword.arg != "db_default":
        return
    call = ctx.parent(keyword)
    if not isinstance(call, ast.Call):
        return
    default = next((item.value for item in call.keywords if item.arg == "default"), None)
    if default is None or not django_models.field_class(call, ctx.module)[1]:
        return
    if django_models.defaults_differ(default, keyword.value, ctx.module):
        yield ctx.finding(keyword, default=f"`{ctx.text(default)}`", database=f"`{ctx.text(keyword.value)}`")
