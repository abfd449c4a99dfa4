"""Rule PB253: removed-model-fields."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import, replace_imports


@rule(
    "PB253",
    "removed-model-fields",
    "Use `{advice}`: Django {gone} refuses `{field}`",
    nodes=(ast.Call,),
    names=("NullBooleanField", "JSONField", "FloatRangeField", "CICharField", "CIEmailField", "CITextField"),
    applies="django",
    bound="upper",
    fix=UNSAFE,
    severity="error",
    tags=("deprecation",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A model uses a field class that Django keeps for old migrations only.

    ## Why
    `NullBooleanField`, the `JSONField` of `django.contrib.postgres` and the case-insensitive fields
    can still be imported, so nothing fails until the system checks run: then every `manage.py`
    command stops with `fields.E903` to `fields.E907`. A server that skips the checks goes on with a
    field whose code is no longer maintained. `FloatRangeField` cannot be imported at all.

    ## Bad
    ```python
    from django.db import models


    class Subscriber(models.Model):
        email = models.EmailField(unique=True)
        wants_news = models.NullBooleanField(verbose_name="wants news")
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```

    ```python
    from django.db import models

    from shop.fields import JSONField


    class Event(models.Model):
        payload = JSONField(default=dict)
    ```
    ```python file=shop/fields.py
    from django.contrib.postgres.fields import JSONField

    __all__ = ["JSONField"]
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```

    ## Good
    ```python
    from django.db import models


    class Subscriber(models.Model):
        email = models.EmailField(unique=True)
        wants_news = models.BooleanField(verbose_name="wants news", null=True, blank=True)
    ```

    ```python
    from django.db import models


    class Event(models.Model):
        payload = models.JSONField(default=dict)
    ```

    ## Not reported
    ```python
    from django import forms

    # The form field of that name is alive.


    class SearchForm(forms.Form):
        wants_news = forms.NullBooleanField(required=False)
    ```
    ```python
    from django.contrib.postgres.fields import JSONField
    from django.db.models import Q, Value


    def without_tags():
        return Q(tags=Value([], JSONField()))  # the type of an expression, which works and is not checked
    ```

    ## Fix safety
    The replacement stores the same values, but `makemigrations` writes a migration that alters the
    field. There is no fix for the case-insensitive fields: their successor needs a collation, which
    a migration has to create first, and for calls with `*` or `**`.

    ## When not to use it
    Migrations are never reported; they keep the historical field.

    ## References
    - Django system checks fields.E903 to fields.E907
    - Django release notes 3.1, "Features removed in 3.1", "4.0", "5.1"
    - https://docs.djangoproject.com/en/stable/ref/checks/#model-fields
    """
    name = ctx.qualified_name(node.func)
    field = django_web.REMOVED_FIELDS.get(name or "")
    if name is None or field is None or not ctx.project.satisfies(f"django>={field.gone}", "upper"):
        return
    if _is_of_expression(node, ctx):
        return
    yield ctx.finding(
        node.func,
        fix=_fix(node, field, ctx),
        advice=field.advice,
        gone=field.gone,
        field=name.rpartition(".")[2],
    )


def _is_of_expression(node: ast.Call, ctx: Context) -> bool:
    """Whether a field is made in a function, or says what an expression gives: no check looks at it."""
    return ctx.enclosing_function(node) is not None or any(
        isinstance(around, ast.Call) and not ctx.text(around.func).endswith("Field")
        for around in ctx.ancestors(node)
    )


def _fix(node: ast.Call, field: django_web.RemovedField, ctx: Context) -> Fix | None:
    starred = any(isinstance(item, ast.Starred) for item in node.args)
    if not field.instead or starred or any(keyword.arg is None for keyword in node.keywords):
        return None
    edits: list[Edit] = []
    owner, _, last = field.instead.rpartition(".")
    if isinstance(node.func, ast.Attribute) and ctx.qualified_name(node.func.value) == owner:
        edits.append(ctx.edit(node.func, f"{ctx.text(node.func.value)}.{last}"))
    else:
        expression, imports = add_import(ctx.source, field.instead)
        if expression.rpartition(".")[2] == last:
            edits += [ctx.edit(node.func, expression), *imports]
        else:
            edits += _same_name(node.func, field.instead, ctx)
            if not edits:
                return None
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    for keyword in field.keywords:
        value = given.get(keyword.partition("=")[0])
        if value is not None and not (isinstance(value, ast.Constant) and value.value is True):
            return None
    missing = ", ".join(keyword for keyword in field.keywords if keyword.partition("=")[0] not in given)
    arguments = [*node.args, *node.keywords]
    if missing and arguments:
        edits.append(ctx.insert_after(max(arguments, key=ctx.source.end), f", {missing}"))
    elif missing:
        closing = ctx.source.end(node) - 1
        edits.append(Edit(closing, closing, missing))
    return ctx.fix(f"Use `{field.advice}`", *edits)


def _same_name(func: ast.expr, instead: str, ctx: Context) -> tuple[Edit, ...]:
    """The edits that import the replacement under the name that the file uses already; none if it cannot."""
    found = ctx.module.lookup(func.id, func) if isinstance(func, ast.Name) else None
    if found is None or len(found[1]) != 1 or not isinstance(found[1][0].node, ast.ImportFrom):
        return ()
    statement = found[1][0].node
    names = [alias for alias in statement.names if (alias.asname or alias.name) == found[1][0].name]
    expressions, edits = replace_imports(ctx.source, [instead], [(statement, name) for name in names])
    return edits if expressions == (found[1][0].name,) else ()
