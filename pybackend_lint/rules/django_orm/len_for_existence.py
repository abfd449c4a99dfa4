"""Rule PB106: len-for-existence."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django, django_queries
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import stands_alone

# Comparisons with a number that ask whether there is any row, and whether there is none.
_ANY = frozenset({(ast.Gt, 0), (ast.GtE, 1), (ast.NotEq, 0)})
_NONE = frozenset({(ast.Eq, 0), (ast.Lt, 1), (ast.LtE, 0)})


@rule(
    "PB106",
    "len-for-existence",
    "Use `.exists()` to test for presence: {cost}",
    nodes=(ast.Call,),
    names=("len", "count", "acount", *sorted(django.LAZY)),
    applies="django",
    fix=SAFE,
    tags=("performance",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """Rows are loaded or counted only to learn whether there is any.

    ## Why
    `len()` and the truth test of a queryset load every row of it, and `count()` makes the database
    visit every row; `exists()` stops at the first one. On a large table that is the difference between
    microseconds and seconds, for an answer of one bit.

    ## Bad
    ```python
    from shop.models import Order


    def can_delete(customer):
        return len(Order.objects.filter(customer=customer)) == 0
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey("auth.User", models.CASCADE)
    ```
    ```python
    from shop.models import Order


    def remind(customer, mailbox):
        if Order.objects.filter(customer=customer).count() > 0:
            mailbox.send(customer.email, "You have open orders")
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey("auth.User", models.CASCADE)
    ```
    ## Good
    ```python
    from shop.models import Order


    def can_delete(customer):
        return not Order.objects.filter(customer=customer).exists()
    ```
    ```python
    from shop.models import Order


    def remind(customer, mailbox):
        if Order.objects.filter(customer=customer).exists():
            mailbox.send(customer.email, "You have open orders")
    ```
    ## Not reported
    ```python
    from shop.models import Order


    def report(customer):
        orders = Order.objects.filter(customer=customer)
        if len(orders) == 0:  # the rows are needed below: this is their only query
            return "nothing"
        return ", ".join(order.reference for order in orders)


    def is_vip(customer):
        return customer.orders.count() > 10  # not a test for presence
    ```
    ```python file=shop/models.py
    from django.db import models


    class Order(models.Model):
        customer = models.ForeignKey("auth.User", models.CASCADE, related_name="orders")
        reference = models.CharField(max_length=20)
    ```
    ## Fix safety
    The fix asks `exists()` and keeps the meaning of the test. In a coroutine it becomes `await qs.aexists()`
    and is unsafe. No fix is offered where the expression spans several lines.
    ## When not to use it
    Where the tables are small and will stay so.
    ## References
    - Django documentation, "QuerySet API reference: exists()"
      (https://docs.djangoproject.com/en/stable/ref/models/querysets/#exists)
    - Django documentation, "Database access optimization: Use QuerySet.contains(), count() and exists()"
      (https://docs.djangoproject.com/en/stable/topics/db/optimization/)
    """
    tested, queryset = _tested(call, ctx)
    asked = _question(tested, ctx)
    if asked is None or queryset is None:
        return
    node, negated = asked
    known = ctx.type_of(queryset)
    if known is None or not django.is_queryset_or_manager(known, ctx.module):
        return
    if any(django.has_own(known, name, ctx.module) for name in ("exists", "count", "__len__", "__bool__")):
        return
    counts = tested is not call or _method(call) == "count"
    if _is_reused(queryset, ctx, counts=counts) or django.is_prefetched(known):
        return
    if isinstance(tested, ast.Await) != ctx.in_coroutine(call):
        return  # a blocking query in a coroutine is another rule's concern
    cost = "`count()` makes the database visit every row" if counts else "this loads every row"
    fix = None
    text = ctx.text(queryset)
    if ctx.source.outer_range(node)[0] < ctx.source.start(node) or stands_alone(text):
        asking = f"await {text}.aexists()" if tested is not call else f"{text}.exists()"
        edit = ctx.edit(node, f"not {asking}" if negated else asking)
        fix = ctx.fix("Ask `exists()`", edit, applicability=SAFE if tested is call else UNSAFE)
    yield ctx.finding(node, cost=cost, fix=fix)


def _method(call: ast.expr) -> str:
    return call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""


def _tested(call: ast.Call, ctx: Context) -> tuple[ast.expr, ast.expr | None]:
    """The expression whose number or truth is asked for, and the queryset in it."""
    match call:
        case ast.Call(func=ast.Name(id="len") as func, args=[queryset], keywords=[]):
            is_len = ctx.qualified_name(func) == "builtins.len" and isinstance(queryset, (ast.Call, ast.Name))
            return call, queryset if is_len else None
        case ast.Call(func=ast.Attribute(value=queryset, attr="count"), args=[], keywords=[]):
            return call, queryset
        case ast.Call(func=ast.Attribute(value=queryset, attr="acount"), args=[], keywords=[]):
            parent = ctx.parent(call)
            return (parent, queryset) if isinstance(parent, ast.Await) else (call, None)
        case ast.Call(func=ast.Attribute(attr=method)) if method in django.LAZY:
            return call, call
    return call, None


def _question(tested: ast.expr, ctx: Context) -> tuple[ast.expr, bool] | None:
    """The expression that asks only for presence, and whether it is true when there is no row."""
    match ctx.parent(tested):
        case ast.Compare(left=left, ops=[op], comparators=[ast.Constant(value=int(number))]) as compare if (
            left is tested and number is not True and number is not False
        ):
            for pairs, negated in ((_ANY, False), (_NONE, True)):
                # a chain that ends in a lazy method is a queryset, not a number of rows
                if (type(op), number) in pairs and _method(tested) not in django.LAZY:
                    return compare, negated
            return None
    around = ctx.parent(tested)
    asked = around if isinstance(around, ast.Call) else tested
    return (asked, False) if _is_truth_test(tested, ctx) else None


def _is_truth_test(node: ast.expr, ctx: Context) -> bool:
    match ctx.parent(node):
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            return test is node
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id="bool") as func, args=[argument]):
            return argument is node and ctx.qualified_name(func) == "builtins.bool"
        case ast.BoolOp() as parent:
            return _is_truth_test(parent, ctx)
        case ast.comprehension(ifs=conditions):
            return node in conditions
    return False


def _is_reused(queryset: ast.expr, ctx: Context, *, counts: bool) -> bool:
    """Whether the rows are used besides the test, so that loading them once is the cheap choice."""
    if not isinstance(queryset, ast.Name):
        return False
    others = django.other_uses(queryset, ctx.module)
    if not counts:
        return bool(others)
    for use in others:
        parent = ctx.parent(use)
        if not isinstance(parent, ast.Attribute):
            if use.lineno <= queryset.lineno or django_queries.is_length(parent, ctx.module):
                return True
        elif django_queries.is_count(ctx.parent(parent), ctx.module):
            return True  # the number itself is needed as well
    return False
