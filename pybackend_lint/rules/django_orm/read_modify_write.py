"""Rule PB120: read-modify-write."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import django, django_models, django_queries
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.import_edits import add_import

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_SIMPLE = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript)


@rule(
    "PB120",
    "read-modify-write",
    'Update `{row}.{field}` in the database with `F("{field}")`: two requests can lose an update',
    nodes=(ast.AugAssign, ast.Assign),
    words=("save(",),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(statement: ast.AugAssign | ast.Assign, ctx: Context) -> Iterator[Finding]:
    """A number is read from a row, changed in Python and written back.

    ## Why
    Two requests that run at the same time read the same number, and the second write overwrites the first:
    one sale, one vote, one payment is lost. Nothing fails, and it happens only under load. An `F()`
    expression lets the database calculate with the value that the column has at that moment.

    ## Bad
    ```python
    from django.shortcuts import get_object_or_404

    from shop.models import Product


    def sell(product_id, quantity):
        product = get_object_or_404(Product, pk=product_id)
        product.sold += quantity
        product.save()
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        sold = models.PositiveIntegerField(default=0)
    ```
    ## Good
    ```python
    from django.db.models import F
    from django.shortcuts import get_object_or_404

    from shop.models import Product


    def sell(product_id, quantity):
        product = get_object_or_404(Product, pk=product_id)
        product.sold = F("sold") + quantity
        product.save(update_fields=["sold"])
    ```
    ## Not reported
    ```python
    from django.db import transaction

    from shop.models import Product


    @transaction.atomic
    def sell(product_id, quantity):
        product = Product.objects.select_for_update().get(pk=product_id)  # others wait for the lock
        product.sold += quantity
        product.save()


    def draft(quantity):
        product = Product(sold=0)  # nobody else can have this row
        product.sold += quantity
        product.save()


    def returned(product_id):
        product = Product.objects.get(pk=product_id)
        product.pk = None  # saves a copy
        product.sold *= -1
        product.save()


    def restock(product, quantity):
        product.sold -= quantity  # the caller may hold a lock, so an alarm may be missed
        product.save()
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        sold = models.PositiveIntegerField(default=0)
    ```
    ## Fix safety
    The fix is unsafe: the attribute holds an expression until it is read again, which the fix does where the
    row is used afterwards, and `save()` is limited to the column where nothing else of the row is changed.
    ## When not to use it
    Where only one process ever writes the table.
    ## References
    - Django documentation, "Query expressions: Avoiding race conditions using F()"
      (https://docs.djangoproject.com/en/stable/ref/models/expressions/#avoiding-race-conditions-using-f)
    """
    match statement:
        case ast.AugAssign(target=ast.Attribute(value=ast.Name() as row, attr=field), op=op, value=change):
            pass
        case ast.Assign(
            targets=[ast.Attribute(value=ast.Name() as row, attr=field)],
            value=ast.BinOp(left=ast.Attribute(value=ast.Name(id=again), attr=same), op=op, right=change),
        ) if again == row.id and same == field:
            pass
        case _:
            return
    if type(op) not in _OPERATORS:
        return
    saved = django_queries.saved_later(statement, row.id, ctx.module)
    if (
        saved is None
        or django.is_new_or_locked(row, ctx.module)
        or django_queries.is_in_lock(statement, ctx.module)
    ):
        return
    model = django.model_of(ctx.type_of(row), ctx.module)
    column = django_models.fields(model).get(field) if model is not None else None
    if model is None or column is None or not column.is_number or "version" in field:
        return
    if _is_set_otherwise(statement, row, field, ctx) or django_queries.is_copied(row, ctx.module):
        return
    if django_queries.is_moved(row, field, ctx.module):
        return
    fix = None
    if (
        not django_queries.reads_between(statement, saved, row, field, ctx.module)
        and model.method("save") is None
    ):
        text = ctx.text(change) if isinstance(change, _SIMPLE) else f"({ctx.text(change)})"
        fix = _fix(statement, row, field, f"{_OPERATORS[type(op)]} {text}", saved, model, ctx)
    yield ctx.finding(statement, row=row.id, field=field, fix=fix)


def _is_set_otherwise(statement: ast.stmt, row: ast.Name, field: str, ctx: Context) -> bool:
    """Whether the function gives the field another value too, so that `F()` alone is no answer."""
    function = ctx.enclosing_function(statement)
    return any(
        isinstance(node.ctx, ast.Store)
        and node.attr == field
        and isinstance(node.value, ast.Name)
        and node.value.id == row.id
        and ctx.enclosing_function(node) is function
        and ctx.statement(node) is not statement
        and not isinstance(ctx.statement(node), ast.AugAssign)
        for node in ctx.source.nodes(ast.Attribute)
    )


def _fix(
    statement: ast.stmt,
    row: ast.Name,
    field: str,
    change: str,
    saved: ast.Call,
    model: ClassInfo,
    ctx: Context,
) -> Fix | None:
    expression, imports = add_import(ctx.source, "django.db.models.F")
    edits = [ctx.edit(statement, f'{row.id}.{field} = {expression}("{field}") {change}'), *imports]
    alone = not any(
        isinstance(node.ctx, ast.Store) and node.attr != field
        for node in ctx.source.nodes(ast.Attribute)
        if isinstance(node.value, ast.Name)
        and node.value.id == row.id
        and ctx.enclosing_function(node) is ctx.enclosing_function(statement)
    )
    if alone and not saved.args and not saved.keywords and not django_models.saves_automatically(model):
        edits.append(Edit(ctx.source.end(saved.func), ctx.source.end(saved), f'(update_fields=["{field}"])'))
    later = [use for use in django.other_uses(row, ctx.module) if use.lineno > (saved.end_lineno or 0)]
    if later and not ctx.project.satisfies("django>=6.0", "lower"):
        around = ctx.statement(saved)
        word = "await " if isinstance(ctx.parent(saved), ast.Await) else ""
        method = "arefresh_from_db" if word else "refresh_from_db"
        refreshed = line_after(ctx.source, around, f'{word}{row.id}.{method}(fields=["{field}"])')
        if refreshed is None:
            return None
        edits.append(refreshed)
    return ctx.fix(f"Calculate `{field}` in the database", *edits)
