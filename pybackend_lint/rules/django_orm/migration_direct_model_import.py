"""Rule PB143: migration-direct-model-import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django_migrations
from pybackend_lint.frameworks.django_migrations import ModelUse
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_before
from pybackend_lint.semantic.import_edits import orphaned, remove_names
from pybackend_lint.semantic.import_removal import local_name


@rule(
    "PB143",
    "migration-direct-model-import",
    "Get `{model}` from `apps.get_model()`: the imported class is that of today, not of this migration",
    nodes=(ast.Module,),
    words=("RunPython",),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
    migrations="only",
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """A function of a data migration works with an imported model.

    ## Why
    The imported class has the fields that the code has today. The migration runs on a table that has those
    of its own time: as soon as a later migration adds or renames a column, a query asks for a column that
    is not there yet. Databases that are set up already never notice. The next new one, which every run of
    the tests and every new colleague creates, stops with `no such column`.

    ## Bad
    ```python file=shop/migrations/0002_fill_slugs.py check
    from django.db import migrations
    from django.utils.text import slugify

    from shop.models import Product


    def fill_slugs(apps, schema_editor):
        for product in Product.objects.filter(slug=""):
            product.slug = slugify(product.name)
            product.save(update_fields=["slug"])


    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]

        operations = [migrations.RunPython(fill_slugs, migrations.RunPython.noop)]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Product(models.Model):
        name = models.CharField(max_length=100)
        slug = models.SlugField(default="")
        weight = models.PositiveIntegerField(default=0)  # added by 0003
    ```
    ## Good
    ```python file=shop/migrations/0002_fill_slugs.py check
    from django.db import migrations
    from django.utils.text import slugify


    def fill_slugs(apps, schema_editor):
        Product = apps.get_model("shop", "Product")
        for product in Product.objects.filter(slug=""):
            product.slug = slugify(product.name)
            product.save(update_fields=["slug"])


    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]

        operations = [migrations.RunPython(fill_slugs, migrations.RunPython.noop)]
    ```
    ## Not reported
    ```python file=shop/migrations/0003_close_orders.py check
    from django.db import migrations

    from shop.models import Order


    def close_orders(apps, schema_editor):
        model = apps.get_model("shop", "Order")
        model.objects.filter(state="").update(state=Order.CLOSED)  # a constant does not query


    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_order_state")]

        operations = [migrations.RunPython(close_orders, migrations.RunPython.noop)]
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        CLOSED = "closed"

        state = models.CharField(max_length=10, default="")
    ```
    ## Fix safety
    The fix adds the line with `apps.get_model` and removes the import if nothing else needs it. It is unsafe
    because a historical model has no methods of your own, so code that calls them has to change too. It is
    offered where the function uses only Django's default manager and the class itself, and the migration
    depends on the app of the model.
    ## When not to use it
    Where all databases have run the migration and it will be squashed.
    ## References
    - Django documentation, "Migrations: Historical models"
      (https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models)
    """
    for use in django_migrations.imported_models(ctx.module):
        name = use.model.node.name
        yield ctx.finding(
            use.first,
            model=name,
            fix=_fix(use, ctx),
            related=[ctx.definition(use.model, f"`{name}` as it is today")],
        )


def _fix(use: ModelUse, ctx: Context) -> Fix | None:
    historical = django_migrations.historical_name(use)
    state = django_migrations.state_parameter(use.function)
    first = use.uses[0]
    found = ctx.module.lookup(first.id, first) if isinstance(first, ast.Name) else None
    if historical is None or state is None or found is None or found[0].kind != "module":
        return None
    label, name = historical
    local = found[1][0].name
    body = use.function.node.body
    statement = body[0]
    if len(body) > 1 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        statement = body[1]
    line = f'{local} = {state}.get_model("{label}", "{name}")'
    unused = [
        (imported, alias)
        for imported, alias in orphaned(ctx.source, [use.function.node])
        if local_name(imported, alias) == local
    ]
    edit = line_before(ctx.source, statement, line)
    if edit is None:
        return None
    return ctx.fix("Use the model as it is at this migration", edit, *remove_names(ctx.source, unused))
