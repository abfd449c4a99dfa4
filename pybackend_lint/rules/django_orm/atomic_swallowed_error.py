"""Rule PB124: atomic-swallowed-error."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import database_effects, django, django_queries
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import put_below


@rule(
    "PB124",
    "atomic-swallowed-error",
    "Put `{method}()` into an `atomic()` of its own: after an error the outer block refuses all queries",
    nodes=(ast.Try,),
    words=("atomic",),
    applies="django",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Try, ctx: Context) -> Iterator[Finding]:
    """A database error is caught inside an `atomic()` block that goes on with further queries.

    ## Why
    An error breaks the transaction, so Django refuses every further query of the block with
    `TransactionManagementError`, far from the statement that failed, and all earlier writes of the block are
    rolled back. Only a savepoint, which an inner `atomic()` sets, confines the error to the risky write.

    ## Bad
    ```python
    from django.db import IntegrityError, transaction

    from shop.models import Coupon, Order


    def place(order_id, code):
        with transaction.atomic():
            order = Order.objects.get(pk=order_id)
            try:
                Coupon.objects.create(code=code, order=order)
            except IntegrityError:
                code = None
            Order.objects.filter(pk=order_id).update(coupon=code)
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        coupon = models.CharField(max_length=20, null=True)


    class Coupon(models.Model):
        code = models.CharField(max_length=20, unique=True)
        order = models.ForeignKey(Order, models.CASCADE)
    ```
    ```python
    from django.db import IntegrityError, transaction

    from shop.coupons import claim
    from shop.models import Order


    @transaction.atomic
    def place(order_id, codes):
        for code in codes:
            try:
                claim(code)
            except IntegrityError:
                continue
        Order.objects.filter(pk=order_id).update(coupons=len(codes))
    ```
    ```python file=shop/coupons.py
    from shop.models import Coupon


    def claim(code):
        return Coupon.objects.create(code=code.upper())
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        coupons = models.IntegerField(default=0)


    class Coupon(models.Model):
        code = models.CharField(max_length=20, unique=True)
    ```
    ## Good
    ```python
    from django.db import IntegrityError, transaction

    from shop.models import Coupon, Order


    def place(order_id, code):
        with transaction.atomic():
            order = Order.objects.get(pk=order_id)
            try:
                with transaction.atomic():
                    Coupon.objects.create(code=code, order=order)
            except IntegrityError:
                code = None
            Order.objects.filter(pk=order_id).update(coupon=code)
    ```
    ```python
    from django.db import IntegrityError, transaction

    from shop.coupons import claim
    from shop.models import Order


    @transaction.atomic
    def place(order_id, codes):
        for code in codes:
            try:
                with transaction.atomic():
                    claim(code)
            except IntegrityError:
                continue
        Order.objects.filter(pk=order_id).update(coupons=len(codes))
    ```
    ## Not reported
    ```python
    from django.db import IntegrityError, transaction

    from shop.models import Coupon


    def claim(code):
        try:
            with transaction.atomic():
                Coupon.objects.create(code=code)
        except IntegrityError:  # outside: the block has been rolled back
            return False
        return True


    @transaction.atomic
    def import_all(codes):
        for code in codes:
            try:
                Coupon.objects.create(code=code)
            except IntegrityError as error:
                raise ValueError(code) from error  # leaves the block


    @transaction.atomic
    def last_write(code):
        try:
            Coupon.objects.create(code=code)
        except IntegrityError:
            pass  # no query follows in the block; that all is rolled back is not reported
    ```
    ```python file=shop/models.py
    from django.db import models


    class Coupon(models.Model):
        code = models.CharField(max_length=20, unique=True)
    ```
    ## Fix safety
    The fix wraps the body of the `try` into an `atomic()` block. It is unsafe because the code behind it runs
    after an error, which it did not before. No fix is offered where the body holds strings of several lines.
    ## When not to use it
    Where the project runs its own savepoints.
    ## References
    - Django documentation, "Database transactions: Avoid catching exceptions inside atomic"
      (https://docs.djangoproject.com/en/stable/topics/db/transactions/#controlling-transactions-explicitly)
    """
    caught = [handler for handler in node.handlers if django.is_database_error(handler.type, ctx.module)]
    block = django_queries.atomic_block(node, ctx.module)
    if not caught or block is None or any(_raises(handler, ctx) for handler in caught):
        return
    explicit = any(django.names_database_error(handler.type, ctx.module) for handler in caught)
    risky = [
        (site, chain)
        for site in django_queries.sites_within(node.body, ctx.module)
        if django_queries.atomic_block(site.node, ctx.module) == block
        and (chain := _risk(site, explicit)) is not None
    ]
    inside = django_queries.sites_within(block.body, ctx.module)
    if not risky or any(django_queries.is_savepoint(site) for site in inside):
        return
    stays = any(not isinstance(handler.body[-1], (ast.Return, ast.Break)) for handler in caught)
    handled = {id(statement) for handler in caught for statement in handler.body}
    if not (stays and _repeats(node, ctx)) and not any(
        django_queries.runs_query(site)
        for site in inside
        if (stays and site.node.lineno > (node.end_lineno or 0))
        or any(around in handled for around in map(id, ctx.ancestors(site.node)))
    ):
        return
    related = [ctx.related(block.opening, "the error breaks the transaction of this block")]
    site, chain = risky[0]
    method = site.name.rpartition(".")[2]
    related.extend(step.related() for step in chain)
    yield ctx.finding(site.node, method=method, related=related, fix=_fix(node, block.opening, ctx))


def _risk(site: CallSite, explicit: bool) -> tuple[Step, ...] | None:
    """The chain from a call to a write that may break the transaction; empty for the write itself."""
    if django_queries.breaks_transaction(site):
        return ()
    return database_effects.chain_that_breaks(site) if explicit else None


def _raises(handler: ast.ExceptHandler, ctx: Context) -> bool:
    """Whether a handler may end the block by an error of its own."""
    first, last = handler.lineno, handler.end_lineno or handler.lineno
    return any(first <= inner.lineno <= last for inner in ctx.source.nodes(ast.Raise))


def _repeats(node: ast.Try, ctx: Context) -> bool:
    """Whether the `try` runs again after an error, in a loop inside the block."""
    for around in ctx.ancestors(node):
        if isinstance(around, (ast.For, ast.While)):
            return True
        if isinstance(around, (ast.With, ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
    return False


def _fix(node: ast.Try, opening: ast.expr, ctx: Context) -> Fix | None:
    text = ctx.text(opening)
    opened = (
        text if isinstance(opening, ast.Call) and "durable" not in text else f"{text.partition('(')[0]}()"
    )
    edits = put_below(ctx.source, f"with {opened}:", node.body[0], node.body[-1])
    return ctx.fix("Set a savepoint with an inner `atomic()`", *edits) if edits else None
