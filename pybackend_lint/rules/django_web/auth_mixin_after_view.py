"""Rule PB221: auth-mixin-after-view."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.definitions import ClassInfo


@rule(
    "PB221",
    "auth-mixin-after-view",
    "Put `{mixin}` before `{view}` in the bases: its check never runs behind a view",
    nodes=(ast.ClassDef,),
    words=("*Mixin",),
    applies="django",
    fix=UNSAFE,
    severity="error",
    tags=("security", "correctness"),
)
def check(node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
    """An access mixin stands behind the view in the bases, so that the view is open to everyone.

    ## Why
    `LoginRequiredMixin` and its siblings do their work in `dispatch` and then hand over to the next
    class. `View.dispatch` hands over to nobody. When the view comes first, Python never reaches the
    mixin: the page looks protected and answers to anonymous visitors, without any error.

    ## Bad
    ```python
    from django.contrib.auth.mixins import LoginRequiredMixin

    from shop.views import ShopListView


    class InvoiceListView(ShopListView, LoginRequiredMixin):
        template_name = "invoices.html"
    ```
    ```python file=shop/views.py
    from django.views.generic import ListView


    class ShopListView(ListView):
        paginate_by = 50
    ```

    ## Good
    ```python
    from django.contrib.auth.mixins import LoginRequiredMixin

    from shop.views import ShopListView


    class InvoiceListView(LoginRequiredMixin, ShopListView):
        template_name = "invoices.html"
    ```

    ## Not reported
    ```python
    from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
    from django.views.generic import ListView


    class AccountListView(LoginRequiredMixin, ListView):
        template_name = "accounts.html"


    # Python puts both mixins before the view, because they share a base class.
    class InvoiceListView(AccountListView, PermissionRequiredMixin):
        permission_required = "shop.view_invoice"
    ```

    ## Fix safety
    The fix reorders the bases. It is unsafe because the check starts to be enforced: visitors who
    could open the page are sent to the login form. It is not offered where another base has a class
    in common with the mixin.

    ## When not to use it
    When the mixin is there for its attributes only and another class does the check.

    ## References
    - Django documentation, "Using the Django authentication system": the LoginRequiredMixin
    - https://docs.djangoproject.com/en/stable/topics/auth/default/#the-loginrequiredmixin-mixin
    """
    if len(node.bases) < 2:
        return
    info = ctx.class_info(node)
    for mixin, view in django_web.unreached_access_mixins(info):
        yield ctx.finding(
            node.bases[mixin],
            fix=_fix(node, info, mixin, view, ctx),
            related=[ctx.related(node.bases[view], "calls the handler and no other `dispatch`")],
            mixin=ctx.text(node.bases[mixin]),
            view=ctx.text(node.bases[view]),
        )


def _fix(node: ast.ClassDef, info: ClassInfo, mixin: int, view: int, ctx: Context) -> Fix | None:
    if not django_web.shares_no_base(info, mixin):
        return None
    order = [*range(view), mixin, *(i for i in range(view, len(node.bases)) if i != mixin)]
    texts = [ctx.text(node.bases[index]) for index in order]
    edits = [ctx.edit(base, text) for base, text in zip(node.bases, texts, strict=True)]
    return ctx.fix(f"Put `{ctx.text(node.bases[mixin])}` first", *edits)
