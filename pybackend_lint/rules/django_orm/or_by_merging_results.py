"""Rule PB117: or-by-merging-results."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_queries
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import


@rule(
    "PB117",
    "or-by-merging-results",
    "Ask once: `{manager}.filter({advice})` in place of querysets that are merged",
    nodes=(ast.BinOp,),
    words=("filter",),
    applies="django",
    fix=UNSAFE,
    severity="info",
    default=False,
    tags=("style",),
)
def check(node: ast.BinOp, ctx: Context) -> Iterator[Finding]:
    """An `OR` is written by merging whole querysets.

    ## Why
    Django makes one query of `a | b`, so the answer is right and no slower. But what belongs to the condition
    is written as two queries: whoever adds a condition for all rows has to add it to every part, and one that
    is forgotten lets rows through. A slice or `distinct()` on one part only is an error at run time. `Q`
    objects keep the alternatives in one place.

    ## Bad
    ```python
    from django.http import HttpRequest

    from shop.models import Order


    def visible_orders(request: HttpRequest):
        return Order.objects.filter(customer=request.user) | Order.objects.filter(seller=request.user)
    ```
    ```python file=shop/models.py
    from django.conf import settings
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bought")
        seller = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sold")
    ```
    ## Good
    ```python
    from django.db.models import Q
    from django.http import HttpRequest

    from shop.models import Order


    def visible_orders(request: HttpRequest):
        return Order.objects.filter(Q(customer=request.user) | Q(seller=request.user))
    ```
    ## Not reported
    ```python
    from django.db.models import Q

    from shop.models import Order


    def open_or_late(orders):
        return orders.filter(state="open") | orders.filter(state="late")  # of a queryset from elsewhere


    def listed(user):
        own = Order.objects.filter(customer=user)
        # in this order on purpose
        return list(own) + list(Order.objects.filter(seller=user))


    def condition(user):
        return Q(customer=user) | Q(seller=user)
    ```
    ```python file=shop/models.py
    from django.conf import settings
    from django.db import models


    class Order(models.Model):
        state = models.CharField(max_length=10)
        customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bought")
        seller = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sold")
    ```
    ## Fix safety
    The fix writes the conditions as `Q` objects in one `filter()`. It is unsafe because the manager's
    `filter` is called once instead of once for each part.
    ## When not to use it
    Where merged querysets read better to you: the database does the same work.
    ## References
    - Django documentation, "Making queries: Complex lookups with Q objects"
      (https://docs.djangoproject.com/en/stable/topics/db/queries/#complex-lookups-with-q-objects)
    """
    if not isinstance(node.op, ast.BitOr) or isinstance(node.right, (ast.Name, ast.Constant)):
        return
    around = ctx.parent(node)
    if isinstance(around, ast.BinOp) and isinstance(around.op, ast.BitOr):
        return
    calls = django_queries.merged_filters(node, ctx.module)
    if not calls:
        return
    source = ctx.source
    texts = []
    for call in calls:
        arguments = sorted([*call.args, *call.keywords], key=source.start)
        first, last = source.outer_range(arguments[0]), source.outer_range(arguments[-1])
        texts.append(source.text[first[0] : last[1]])
    assert isinstance(calls[0].func, ast.Attribute)
    manager = ctx.text(calls[0].func.value)
    fix = None
    if "#" not in ctx.text(node):
        name, imports = add_import(source, "django.db.models.Q")
        condition = " | ".join(f"{name}({text})" for text in texts)
        fix = ctx.fix("Use `Q` objects", ctx.edit(node, f"{manager}.filter({condition})"), *imports)
    yield ctx.finding(node, manager=manager, advice="Q(...) | Q(...)", fix=fix)
