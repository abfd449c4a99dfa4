"""Rule PB126: on-commit-late-binding."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Edit, Finding, Fix
from pybackend_lint.frameworks import django
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.import_edits import add_import

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_VALUES = frozenset({"assign", "augmented", "for", "with"})
_STOPS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@rule(
    "PB126",
    "on-commit-late-binding",
    "Bind `{name}` with `functools.partial`: the callback runs after the loop and sees its last value",
    nodes=(ast.Call,),
    names=("on_commit",),
    applies="django",
    fix=UNSAFE,
    severity="error",
    tags=("correctness",),
)
def check(call: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A callback for `on_commit()` that is made in a loop reads a variable of the loop when it runs.

    ## Why
    The callbacks run when the transaction commits, after the loop has ended, and a lambda or inner function
    looks its variables up when it runs. All callbacks see the last value: one customer gets every mail, the
    others none.

    ## Bad
    ```python
    from django.db import transaction

    from shop.tasks import send_receipt


    @transaction.atomic
    def pay(orders):
        for order in orders:
            order.mark_paid()
            transaction.on_commit(lambda: send_receipt.delay(order.pk))
    ```
    ## Good
    ```python
    from functools import partial

    from django.db import transaction

    from shop.tasks import send_receipt


    @transaction.atomic
    def pay(orders):
        for order in orders:
            order.mark_paid()
            transaction.on_commit(partial(send_receipt.delay, order.pk))
    ```
    ## Not reported
    ```python
    from django.db import transaction

    from shop.tasks import send_receipt, send_report


    @transaction.atomic
    def pay(orders, day):
        for order in orders:
            order.mark_paid()
            transaction.on_commit(lambda order=order: send_receipt.delay(order.pk))  # bound now
            transaction.on_commit(lambda: send_report.delay(day))  # the same in every iteration


    def pay_one_by_one(orders):
        for order in orders:
            with transaction.atomic():  # commits in each iteration
                order.mark_paid()
                transaction.on_commit(lambda: send_receipt.delay(order.pk))
    ```
    ## Fix safety
    The fix is offered where the lambda is a single call of plain arguments. It is unsafe: the arguments are
    now read when the callback is registered, and each callback gets its own.
    ## When not to use it
    Where the loop is known to run at most once.
    ## References
    - Django documentation, "Database transactions: Performing actions after commit"
      (https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit)
    - Python documentation, "Programming FAQ", on lambdas that are defined in a loop
      (https://docs.python.org/3/faq/programming.html)
    """
    callback = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "func"), None)
    if not isinstance(callback, (ast.Lambda, ast.Name)) or not django.is_on_commit(call, ctx.module):
        return
    loop = _loop(call, ctx)
    body = callback.body if isinstance(callback, ast.Lambda) else _defined_in(loop, callback, ctx)
    late = [
        name
        for name in (_names(body, ctx) if body is not None else ())
        if loop is not None and _rebinds(loop, name, ctx)
    ]
    if late:
        fix = _fix(callback, ctx) if isinstance(callback, ast.Lambda) else None
        yield ctx.finding(callback, name=late[0].id, fix=fix)


def _defined_in(loop: ast.AST | None, callback: ast.Name, ctx: Context) -> ast.FunctionDef | None:
    """The function that a loop defines under a name, and nothing else does."""
    found = ctx.module.lookup(callback.id, callback)
    node = found[1][0].node if found is not None and len(found[1]) == 1 else None
    if not isinstance(node, ast.FunctionDef) or all(around is not loop for around in ctx.ancestors(node)):
        return None
    return node


def _loop(call: ast.Call, ctx: Context) -> ast.For | ast.AsyncFor | ast.While | None:
    """The loop around a call whose transaction lasts longer than an iteration, and that goes on."""
    child: ast.AST = call
    for around in ctx.ancestors(call):
        if isinstance(around, _STOPS):
            return None
        if isinstance(around, ast.With) and any(
            django.is_atomic(item.context_expr, ctx.module) for item in around.items
        ):
            return None
        block = getattr(around, "body", [])
        if isinstance(block, list) and child in block:
            after = block[block.index(child) :]
            if any(isinstance(later, (ast.Return, ast.Break, ast.Raise)) for later in after):
                return None
        if isinstance(around, _LOOPS):
            return around
        child = around
    return None


def _names(body: ast.expr | ast.FunctionDef, ctx: Context) -> list[ast.Name]:
    """The names that a callback reads when it runs, in source order."""
    start = ctx.source.start(body.body[0] if isinstance(body, ast.FunctionDef) else body)
    end = ctx.source.end(body)
    found = [
        name
        for name in ctx.source.nodes(ast.Name)
        if isinstance(name.ctx, ast.Load) and start <= ctx.source.start(name) < end
    ]
    return sorted(found, key=lambda name: ctx.source.start(name))


def _rebinds(loop: ast.For | ast.AsyncFor | ast.While, name: ast.Name, ctx: Context) -> bool:
    """Whether the variable that a name means belongs to the function and is bound by the loop."""
    found = ctx.module.lookup(name.id, name)
    if found is None or found[0].node is not ctx.enclosing_function(loop):
        return False
    return any(
        binding.kind in _VALUES
        and (binding.node is loop or any(around is loop for around in ctx.ancestors(binding.node)))
        for binding in found[1]
    )


def _fix(callback: ast.Lambda, ctx: Context) -> Fix | None:
    match callback.body:
        case ast.Call(func=func, args=args, keywords=keywords) if args or keywords:
            values = [*args, *(keyword.value for keyword in keywords)]
            if callback.args.args or not all(_is_plain(value) for value in (func, *values)):
                return None
            partial, imports = add_import(ctx.source, "functools.partial")
            start = ctx.source.start(callback)
            end, behind = ctx.source.outer_range(func)
            opening = ctx.source.text[behind:].index("(") + behind
            comma = "," if ctx.source.text[opening + 1].isspace() else ", "
            between = Edit(behind, opening + 1, comma)
            return ctx.fix("Bind the values now", Edit(start, end, f"{partial}("), between, *imports)
    return None


def _is_plain(node: ast.expr) -> bool:
    """Whether evaluating an expression early only reads names, attributes and constants."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, (ast.Name, ast.Constant))
