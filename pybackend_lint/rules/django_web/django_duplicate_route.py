"""Rule PB224: django-duplicate-route."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import django_urls
from pybackend_lint.rule import Context, rule


@rule(
    "PB224",
    "django-duplicate-route",
    "Remove or change this pattern: `{route}` leads to `{view}` already",
    nodes=(ast.Module,),
    words=("urlpatterns",),
    applies="django",
    severity="error",
    tags=("correctness",),
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """Two patterns of one URLconf have the same route, so that the second view is never called.

    ## Why
    Django takes the first pattern that matches. Neither the method of the request nor the name of the
    parameter makes a difference: a view for POST below the one for GET is dead, and `reverse()` still
    gives its URL, which leads to the other view.

    ## Bad
    ```python file=shop/urls.py check
    from django.urls import path
    from shop import views

    urlpatterns = [
        path("orders/", views.list_orders, name="orders"),
        path("orders/<int:pk>/", views.order, name="order"),
        path("orders/", views.create_order, name="create-order"),
    ]
    ```
    ```python file=shop/views.py
    from django.http import HttpResponse

    def list_orders(request):
        return HttpResponse("Orders")

    def create_order(request):
        return HttpResponse("Created")

    def order(request, pk):
        return HttpResponse(f"Order {pk}")
    ```
    ## Good
    ```python file=shop/urls.py check
    from django.urls import path
    from shop import views

    urlpatterns = [
        path("orders/", views.list_orders, name="orders"),
        path("orders/<int:pk>/", views.order, name="order"),
        path("orders/new/", views.create_order, name="create-order"),
    ]
    ```
    ## Not reported
    ```python file=shop/urls.py check
    from django.conf import settings
    from django.urls import include, path
    from shop import views

    urlpatterns = [
        path("", views.home, name="home"),
        path("", views.home, name="index"),  # a second name for the same view
        path("api/", include("shop.api.urls")),
        path("api/", include("shop.other.urls")),  # what the first does not match goes on here
    ]

    if settings.DEBUG:
        urlpatterns = [path("", views.debug_home), *urlpatterns]  # on purpose
    ```
    ```python file=shop/views.py
    from django.http import HttpResponse

    def home(request):
        return HttpResponse("Home")

    def debug_home(request):
        return HttpResponse("Debug")
    ```
    ## When not to use it
    There is no reason to keep a pattern that leads nowhere.

    ## References
    - Django: "URL dispatcher", "How Django processes a request"
    """
    for earlier, later in django_urls.duplicates(ctx.module):
        yield ctx.finding(
            later.call,
            related=[ctx.related(earlier.call, "this pattern matches first")],
            route=later.route or '""',
            view=ctx.text(earlier.view) if earlier.view is not None else "",
        )
