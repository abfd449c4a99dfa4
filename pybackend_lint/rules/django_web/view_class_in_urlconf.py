"""Rule PB223: view-class-in-urlconf."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_urls
from pybackend_lint.rule import SAFE, Context, rule


@rule(
    "PB223",
    "view-class-in-urlconf",
    "Call `{view}.as_view()`: a pattern calls its view with the request",
    nodes=(ast.Call,),
    names=django_urls.PATTERN_NAMES,
    applies="django",
    fix=SAFE,
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Call, ctx: Context) -> Iterator[Finding]:
    """A URL pattern leads to a class-based view itself, not to the function that `as_view()` makes of it.

    ## Why
    Django calls what stands in the pattern with the request. A class takes no request, so every visit of the
    page ends with `TypeError: View.__init__() takes 1 positional argument but 2 were given`; `as_view`
    without parentheses fails likewise. Nothing says so before: classes can be called, so the URLs load and
    the system checks pass. Only an instance is refused when the server starts.

    ## Bad
    ```python file=shop/urls.py check
    from django.urls import path

    from shop.views import OrderList

    urlpatterns = [
        path("orders/", OrderList, name="orders"),
    ]
    ```
    ```python file=shop/views.py
    from django.http import HttpResponse
    from django.views import View


    class OrderList(View):
        def get(self, request):
            return HttpResponse("Orders")
    ```
    ## Good
    ```python file=shop/urls.py check
    from django.urls import path

    from shop.views import OrderList

    urlpatterns = [
        path("orders/", OrderList.as_view(), name="orders"),
    ]
    ```
    ## Not reported
    ```python file=shop/urls.py check
    from django.urls import path

    from shop.feeds import NewOrders
    from shop.views import Page

    urlpatterns = [
        path("orders/feed/", NewOrders()),  # no view class: its objects can be called
        path("about/", Page),  # takes the request itself
    ]
    ```
    ```python file=shop/feeds.py
    from django.contrib.syndication.views import Feed


    class NewOrders(Feed):
        title = "New orders"
    ```
    ```python file=shop/views.py
    from django.http import HttpResponse
    from django.views import View


    class Page(View):
        def __new__(cls, request):
            return HttpResponse("About us")
    ```
    ## Fix safety
    The fix adds `.as_view()`. It is safe: as it stands, every request to the URL ends with an exception.
    ## When not to use it
    Never: the page cannot be reached.
    ## References
    - Django documentation, "Class-based views: Basic examples"
      (https://docs.djangoproject.com/en/stable/topics/class-based-views/)
    """
    found = django_urls.uncalled_view(node, ctx.module)
    if found is None:
        return
    cls = ctx.text(found.cls)
    made = isinstance(found.node, ast.Call)
    edit = ctx.insert_after(found.cls, ".as_view") if made else ctx.edit(found.node, f"{cls}.as_view()")
    yield ctx.finding(found.node, view=cls, fix=ctx.fix("Call `as_view()`", edit))
