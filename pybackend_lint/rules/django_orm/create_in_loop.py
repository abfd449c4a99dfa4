"""Rule PB109: create-in-loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django, django_models, django_queries
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.definitions import ClassInfo

_FEW = 3


@rule(
    "PB109",
    "create-in-loop",
    "Collect the `{model}` objects and call `{bulk}()` once: this inserts them one by one",
    nodes=(ast.For, ast.AsyncFor),
    words=("create(", "save("),
    applies="django",
    fix=UNSAFE,
    tags=("performance",),
)
def check(loop: ast.For | ast.AsyncFor, ctx: Context) -> Iterator[Finding]:
    """A loop inserts one row of a model per iteration.

    ## Why
    Every `create()` is a statement of its own, with a round trip to the database and, outside a
    transaction, a commit. A thousand rows take seconds; `bulk_create()` sends them in a few statements.

    ## Bad
    ```python
    from shop.models import Product


    def import_products(names):
        for name in names:
            Product.objects.create(name=name, active=True)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        name = models.CharField(max_length=100)
        active = models.BooleanField(default=False)
    ```
    ## Good
    ```python
    from shop.models import Product


    def import_products(names):
        Product.objects.bulk_create([Product(name=name, active=True) for name in names])
    ```
    ## Not reported
    ```python
    from shop.models import Product, Stock


    def import_products(names):
        created = []
        for name in names:
            created.append(Product.objects.create(name=name))  # the row is used
        return created


    def import_stocks(products):
        for product in products:
            Stock.objects.create(product=product)  # `Stock.save` does more: `bulk_create` would skip it
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        name = models.CharField(max_length=100)


    class Stock(models.Model):
        product = models.ForeignKey(Product, models.CASCADE)

        def save(self, *args, **kwargs):
            super().save(*args, **kwargs)
            self.product.refresh_availability()
    ```
    ## Fix safety
    The fix is offered when the loop does nothing else. It is unsafe: `bulk_create()` does not call `save()`
    or send signals, some databases give no primary keys back, and one row that fails makes all fail.
    ## When not to use it
    Where rows must be inserted one by one, so that the others stay when one fails.
    ## References
    - Django documentation, "QuerySet API reference: bulk_create()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#bulk-create)
    - Django documentation, "Database access optimization: Use bulk methods"
      (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    """
    statements = [
        inner for outer in loop.body for inner in (outer.body if isinstance(outer, ast.If) else [outer])
    ]
    inserts = [
        (statement, found) for statement in statements if (found := _insert(statement, ctx)) is not None
    ]
    if len(inserts) != 1 or loop.orelse or _is_short(loop.iter):
        return
    if not all(
        isinstance(s, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.Expr)) for s in loop.body
    ):
        return
    statement, (call, model) = inserts[0]
    sites = django_queries.sites_within(loop.body, ctx.module)
    if not sites or any(site.node is not call and django_queries.runs_query(site) for site in sites):
        return
    if not django_models.saves_plainly(model):
        return
    bulk = "abulk_create" if isinstance(_value(statement), ast.Await) else "bulk_create"
    fix = _fix(loop, call, bulk, ctx) if loop.body == [statement] else None
    yield ctx.finding(statement, model=model.node.name, bulk=bulk, fix=fix)


def _value(statement: ast.stmt) -> ast.expr | None:
    return statement.value if isinstance(statement, ast.Expr) else None


def _insert(statement: ast.stmt, ctx: Context) -> tuple[ast.Call, ClassInfo] | None:
    """The call that inserts a row and whose result is not used, and the model."""
    value = _value(statement)
    call = value.value if isinstance(value, ast.Await) else value
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=made), attr="save"), args=[], keywords=[]):
            info = ctx.module.modules.class_info(ctx.qualified_name(made) or "")
            return (call, info) if info is not None and django.manager(info, "objects") is not None else None
        case ast.Call(func=ast.Attribute(attr="create" | "acreate")):
            found = django.own_method(call.func, ctx.module)
            if found is None or django.is_related_manager(found[1]):
                return None
            model = django.model_of(found[1], ctx.module)
            return (call, model) if model is not None else None
    return None


def _is_short(iterated: ast.expr) -> bool:
    match iterated:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return len(elements) <= _FEW and not any(isinstance(item, ast.Starred) for item in elements)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(number))]):
            return number <= _FEW
    return False


def _fix(loop: ast.For | ast.AsyncFor, call: ast.Call, bulk: str, ctx: Context) -> Fix | None:
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=ast.Name(id=model)) as manager, attr=method)
        ):
            if method == "save":
                return None
            objects, arguments = (
                ctx.text(manager),
                ctx.source.text[ctx.source.outer_range(call.func)[1] : ctx.source.end(call)],
            )
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id=model) as made) as new)):
            objects = f"{model}.objects"
            arguments = ctx.source.text[ctx.source.outer_range(made)[1] : ctx.source.end(new)]
        case _:
            return None
    text = ctx.text(loop)
    names = [loop.target] if isinstance(loop.target, ast.Name) else getattr(loop.target, "elts", [])
    if "#" in text or "\n" in arguments or not names:
        return None
    for name in names:
        if not isinstance(name, ast.Name):
            return None
        if any(use.lineno > (loop.end_lineno or 0) for use in django.other_uses(name, ctx.module)):
            return None
    word = "async for" if isinstance(loop, ast.AsyncFor) else "for"
    rows = f"[{model}{arguments} {word} {ctx.text(loop.target)} in {ctx.text(loop.iter)}]"
    prefix = "await " if bulk == "abulk_create" else ""
    return ctx.fix("Insert all rows at once", ctx.edit(loop, f"{prefix}{objects}.{bulk}({rows})"))
