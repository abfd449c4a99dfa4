"""Rule PB153: str-follows-relation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django, django_models, django_reads
from pybackend_lint.rule import Context, rule


@rule(
    "PB153",
    "str-follows-relation",
    "Keep `__str__` to own columns: every list of `{model}` runs one query per row for `{path}`",
    nodes=(ast.FunctionDef,),
    words=("__str__",),
    applies="django",
    default=False,
    tags=("performance",),
)
def check(node: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """The text of a model's object reads a related object.

    ## Why
    The admin, choice fields of forms, log messages and serializers turn objects into text without anybody
    asking for it. Where `__str__` reads a relation, a drop-down of two hundred objects runs two hundred
    and one queries, and nothing in the code that shows it says so.

    ## Bad
    ```python file=shop/models.py check
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)

        def __str__(self):
            return f"{self.reference} ({self.customer.name})"
    ```
    ```python
    from django.db import models

    from shop.texts import titled


    class Author(models.Model):
        name = models.CharField(max_length=100)


    class Book(models.Model):
        author = models.ForeignKey(Author, models.CASCADE)
        title = models.CharField(max_length=100)

        def __str__(self):
            return titled(self)
    ```
    ```python file=shop/texts.py
    def titled(book):
        return f"{book.author.name}: {book.title}"
    ```
    ## Good
    ```python file=shop/models.py check
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)

        def __str__(self):
            return f"{self.reference} ({self.customer_id})"
    ```
    ## Not reported
    ```python
    from django.db import models


    class Customer(models.Model):
        name = models.CharField(max_length=100)


    class OrderManager(models.Manager):
        def get_queryset(self):
            return super().get_queryset().select_related("customer")


    class Order(models.Model):
        customer = models.ForeignKey(Customer, models.CASCADE)
        reference = models.CharField(max_length=20)

        objects = OrderManager()

        def __str__(self):
            return f"{self.reference} ({self.customer.name})"  # comes with every order
    ```
    ## When not to use it
    The rule is off by default: where lists of the model always load the relation, its name in the text is
    often worth the join.
    ## References
    - Django documentation, "Database access optimization"
      (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    """
    around = ctx.enclosing_class(node) if node.name == "__str__" and node.args.args else None
    if around is None or ctx.parent(node) is not around:
        return
    info = ctx.class_info(around)
    if not django_models.is_model(info):
        return
    default = django.loaded(django.manager(info, "_default_manager"))
    reads = django_reads.reads_of(ctx.function_info(node), node.args.args[0].arg, info.name)
    for read in django_reads.longest(reads):
        if read.node is not None and not (default is not None and default.covers(read.path)):
            yield ctx.finding(read.node, model=around.name, path=read.path, related=read.steps)
