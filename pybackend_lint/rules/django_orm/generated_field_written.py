"""Rule PB169: generated-field-written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_generated, django_reads
from pybackend_lint.rule import Context, rule

_IN_FORM = "Remove `{field}` from the form: a generated field cannot be edited"


@rule(
    "PB169",
    "generated-field-written",
    "Do not write `{field}`: the database computes it, and this value is lost",
    nodes=(ast.Module,),
    applies="django>=5.0",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Code gives a value to a field that the database computes.

    ## Why
    Django leaves a `GeneratedField` out of every `INSERT` and `UPDATE`. A value that the code gives it is
    accepted and dropped: the object in memory may show it for a while, the row holds what the expression
    says, and `update()` of nothing but this field changes no row. A form that lists the field is refused
    when its module is imported: `FieldError: 'total' cannot be specified for Line model form as it is a
    non-editable field`.

    ## Bad
    ```python
    from shop.models import Line


    def add_line(price, amount):
        return Line.objects.create(price=price, amount=amount, total=price * amount)
    ```
    ```python file=shop/models.py
    from django.db import models
    from django.db.models import F


    class Line(models.Model):
        price = models.IntegerField()
        amount = models.IntegerField()
        total = models.GeneratedField(
            expression=F("price") * F("amount"), output_field=models.IntegerField(), db_persist=True
        )
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
    from shop.models import Line


    def add_line(price, amount):
        return Line.objects.create(price=price, amount=amount)
    ```
    ## Not reported
    ```python
    from shop.models import Line


    def preview(price, amount):
        line = Line(price=price, amount=amount)
        line.total = price * amount  # only shown: nothing saves it
        return line


    def expensive():
        return Line.objects.filter(total__gt=100).exclude(total=0)
    ```
    ```python file=shop/models.py
    from django.db import models
    from django.db.models import F


    class Line(models.Model):
        price = models.IntegerField()
        amount = models.IntegerField()
        total = models.GeneratedField(
            expression=F("price") * F("amount"), output_field=models.IntegerField(), db_persist=True
        )
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```
    ## When not to use it
    Where an object is filled for a test that never asks the database.
    ## References
    - Django documentation, "Model field reference: GeneratedField"
      (https://docs.djangoproject.com/en/stable/ref/models/fields/#generatedfield)
    """
    for write in django_generated.generated_writes(ctx.module):
        name = write.field.name
        place = django_reads.related(write.field.call, f"`{name}` is generated", write.field.owner.module)
        message = _IN_FORM if write.in_form else None
        yield ctx.finding(write.node, message=message, field=name, related=[place])
